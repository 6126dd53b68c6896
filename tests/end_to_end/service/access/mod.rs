//! Permissions on the built service: every cell of the table in `docs/access.md`, no data of
//! another client in any answer, and keys that are revoked while the service runs.

mod keys;
mod leak;
mod nesting;
#[path = "../../../../service/src/access/samples.rs"]
mod samples;
mod table;
mod town;
mod wire;

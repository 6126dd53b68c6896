//! Who may do what on the built service: every cell of the table in `docs/access.md`, nothing of another's whatever is asked, and keys
//! that are revoked under way.

mod keys;
mod leak;
#[path = "../../../../src/access/samples.rs"]
mod samples;
mod table;
mod town;
mod wire;

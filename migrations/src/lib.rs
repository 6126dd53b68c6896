//! Everything that moves data: import, plan, batch, apply, validate, parity. Nothing here writes but through the log's one
//! append path.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod apply;
pub mod audit;
pub mod batch;
pub mod certificate;
pub mod dump;
pub mod error;
pub mod export;
pub mod export_reader;
pub mod import;
pub mod importing;
pub mod parity;
pub mod plan;
pub mod precreate;
pub mod responses;
pub mod stored;
pub mod validate;

pub use error::MigrationError;

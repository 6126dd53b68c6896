//! Rollbook's projections: folds of events into rows, and the runtime that keeps the rows current.
//!
//! Each projection has a module: `directory` (clients, coaches, the zone), `views` (the series
//! rows of both views; `legacy` and `precreated` compute the answers), `documents` (where imported
//! documents are stored), `names` (what an id refers to), `tracker` (the control stream and
//! counts) and `tree` (the Merkle tree over all events). `catalog` lists them all.
//!
//! **Invariant: projections do not know RocksDB, and only the runtime writes rows.**

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod as_of;
mod catalog;
pub mod directory;
pub mod documents;
pub mod entry;
pub mod error;
mod held_row;
pub mod legacy;
pub mod names;
pub mod precreated;
pub mod projection;
mod row_cache;
pub mod rows;
pub mod runtime;
pub mod tracker;
pub mod tree;
pub mod tree_check;
pub mod turning_points;
pub mod views;

pub use catalog::all;
pub use error::ProjectionError;
pub use projection::{DynProjection, Projection, ProjectionName};
pub use runtime::{Runtime, Snapshot};

//! Rollbook's projections: folds of events into rows, and the runtime that keeps them current. The two views are `legacy` and
//! `precreated`; `documents`, `names` and `tracker` answer for what was imported, what an id means, and how far the migration is;
//! `tree` is the Merkle tree over all events.
//!
//! **Invariant: projections know no RocksDB, and nothing but the runtime writes rows.**

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod as_of;
pub mod directory;
pub mod documents;
pub mod entry;
pub mod error;
pub mod legacy;
pub mod names;
pub mod precreated;
pub mod rows;
pub mod runtime;
pub mod tracker;
pub mod tree;
pub mod tree_check;
pub mod views;

pub use error::ProjectionError;
pub use runtime::{Projection, Runtime, Snapshot};

/// Every projection of a store, in the order in which they are folded.
pub fn all() -> Vec<Box<dyn Projection>> {
    vec![
        Box::new(views::LEGACY),
        Box::new(views::PRECREATED),
        Box::new(documents::Documents),
        Box::new(names::Names),
        Box::new(tracker::Tracker),
        Box::new(tree::Tree),
    ]
}

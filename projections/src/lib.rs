//! Rollbook's projections: folds of events into rows, and the runtime that keeps them current.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod entry;
pub mod legacy;
pub mod precreated;

//! Stores and answers that this process has open itself. No process is started here: a child would
//! hold copies of the stores' locks.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod answers;
mod backup_under_load;

//! The migration end to end, through the built binary, on the exports and answers of the old system: import, views before and
//! after, one batch on three stores, kills, switch and rollback, export, and every way in which a batch is refused.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod bad_input;
mod batches;
mod binary;
mod certificates;
mod custody;
mod erasure;
mod killed;
mod switching;
mod views;

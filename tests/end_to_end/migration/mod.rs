//! The migration on the exports and answers of the old system: import, views before and after, one
//! batch on three stores, kills, switch and rollback, export, and every way in which a batch is
//! refused.

mod accepting;
mod bad_input;
mod batches;
mod certificates;
mod custody;
mod erasure;
mod killed;
mod kinds;
mod living;
mod reviewing;
mod switching;
mod unsafe_exports;
mod views;

//! Everything that moves data into, within and out of a store.
//!
//! `export_reader` and `import` bring an export of the old application into a store, and
//! `export_writer` writes one. `audit` reports irregular data. A migration goes through `plan`,
//! `batch`, `review`, `apply` and `validate`; `parity` compares both views, `hidden` finds
//! responses in no view, and `certificate` proves the result. `dump` moves a complete store. All writes go through the log's append path.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod adapters;
pub mod apply;
pub mod audit;
pub mod batch;
pub mod certificate;
pub mod definition;
pub mod dump;
pub mod error;
pub mod export_reader;
pub mod export_writer;
pub mod hidden;
pub mod import;
mod inverse;
mod kinds;
pub mod monitor;
mod parallel;
pub mod parity;
pub mod plan;
pub mod precreate;
pub mod realign;
pub mod request;
pub mod responses;
pub mod review;
pub mod rules;
pub mod validate;
mod weekday;
pub mod window;

pub use error::MigrationError;

//! The integration tests of this crate, in one binary.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod adapters;
mod adoption;
mod audit;
mod checks;
#[path = "../../domain/tests/domain/commands.rs"]
mod commands;
mod decoders;
mod export_reader;
mod export_writer;
mod golden;
mod histories;
mod import;
mod kinds;
mod living;
mod ordering;
mod parity;
mod review;
mod support;

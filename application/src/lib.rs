//! Rollbook's use cases on a store. This crate uses no HTTP, no command line and no async runtime.
//!
//! `store` opens a store, reads its rows and decides commands. `operations` are the use cases that
//! write, `reports` those that read. `backup` copies and restores a store. `evidence` signs
//! checkpoints and makes proofs.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod backup;
pub mod code;
mod coded;
pub mod evidence;
pub mod operations;
pub mod reports;
pub mod store;

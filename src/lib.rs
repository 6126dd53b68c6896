//! The application: CLI, switch, configuration. Owns what a user types and sees; what it means is the other crates'.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod cli;
pub mod error;
pub mod sample;
pub mod store;

//! The built binary end to end: the command line, the service over real sockets, a migration from
//! import to rollback, and what is found when files were tampered with. A module for each subject.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod cli_commands;
mod every_write;
mod migration;
mod native_api;
mod opened;
mod readme;
mod service;
mod stores;
mod tampering;

#[test]
fn the_kit_runs_the_binary_that_cargo_built_for_these_tests() {
    assert_eq!(testkit::binary(), std::path::Path::new(env!("CARGO_BIN_EXE_rollbook")));
}

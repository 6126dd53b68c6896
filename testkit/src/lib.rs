//! The test kit: what tests of several subjects share. It finds fixtures, runs the built binary,
//! makes stores, starts the service and talks to it, compares files and draws random numbers.
//!
//! Everything here panics when something goes wrong: that fails the test which asked for it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod answer;
mod files;
mod fixtures;
mod golden;
mod load;
mod process;
mod random;
mod server;
mod store;

pub use answer::Answer;
pub use files::{assert_same, copy_directory, copy_store, files, paths, unpack};
pub use fixtures::{
    ExpectedAnswer, FIXTURES, documents, expected, fixture, fixture_case, repository, small_export,
    starred,
};
pub use golden::assert_golden;
pub use load::under_load;
pub use process::{
    Exclusive, PATIENCE, Process, ProcessOutput, binary, eventually, kill_after, rollbook, run,
    signal, start, until,
};
pub use random::{moment, random, random_from};
pub use server::Server;
pub use store::Store;

/// The JSON values of a text that has one on each line.
pub fn lines(text: &str) -> Vec<serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Text as one segment of a path or as a value of a query.
pub fn escaped(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let escape = |byte: u8| match is_plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

//! The application: the store as it is used, the command line, made-up data to try it on. Owns what a user types and sees; what it
//! means is the other crates'.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod access;
pub mod answers;
pub mod backup;
pub mod cli;
pub mod codes;
pub mod configuration;
pub mod error;
pub mod evidence;
pub mod http;
pub mod remote;
pub mod reports;
pub mod sample;
pub mod store;
pub mod telemetry;
pub mod verify;

/// Events are decoded on one thread and dropped on another, a million times a replay: the system's allocator spends a third of
/// the time on that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

//! The binary `rollbook`: the command line, the client of a remote service, verification of a whole store, and made-up exports.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod cli;
pub mod remote;
pub mod sample;
pub mod verify;

/// Events are decoded on one thread and dropped on another, a million times a replay: the system's allocator spends a third of
/// the time on that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

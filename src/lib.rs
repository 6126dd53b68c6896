//! The library of the binary `rollbook`: the command line, the client of a remote service, the
//! verification of a store, and sample exports.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod cli;
pub mod remote;
pub mod sample;
pub mod verify;

/// A replay decodes a million events on one thread and drops them on another. The system's
/// allocator would take a third of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

//! Tests of the log through its public interface. They damage stores with a raw RocksDB handle and
//! through the file system.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod conformance;
mod corruption;
mod crash;
mod directory;
mod faults;
mod files;
mod full_disk;
mod group;
mod model;
mod reading;
mod rows;
mod support;
mod tailing;
mod watching;

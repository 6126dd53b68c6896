//! The built service over a real socket: a module a subject.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod access;
mod answering;
mod bad_input;
mod both_edges;
mod coaching;
mod description;
mod ending;
mod many_at_once;
mod operation;
mod server;
mod store;
mod views;

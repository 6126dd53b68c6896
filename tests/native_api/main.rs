//! The native API, OFREP and the command line's remote mode, through the built binary and real sockets: a module a subject.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod backups;
mod events;
mod live;
mod migrations;
mod ofrep;
mod refusals;
mod remote;
mod support;
mod views;

//! The native API, OFREP and the command line's remote mode, over real sockets.

mod backups;
mod documents;
mod events;
pub mod imports;
mod live;
mod migrations;
mod ofrep;
mod refusals;
mod remote;
mod views;

/// The instant at which these tests ask for views.
const AT: &str = "2026-01-15T09:30:00Z";

//! Rollbook's domain: events, commands, deciders and the calendar. Pure: no I/O, no clock, no storage, no HTTP.
//! What depends on *now* takes it as an argument.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod calendar;
pub mod control;
pub mod document;
pub mod event;
pub mod imported;
pub mod json;
pub mod number;
pub mod personal;
pub mod series;
pub mod status;
pub mod stream;
pub mod terms;
pub mod time;

pub use event::{Actor, Collection, Event, NewEvent, Position, EventRecord, Version, View};
pub use imported::{Content, Document};
pub use json::JsonText;
pub use number::Number;
pub use personal::Personal;
pub use stream::StreamId;
pub use time::Timestamp;

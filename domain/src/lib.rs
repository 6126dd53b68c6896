//! Rollbook's domain: events, commands, decisions and the calendar.
//!
//! This crate is pure: it does no I/O, reads no clock and knows neither storage nor HTTP. A
//! function whose result depends on the current time takes the time as an argument.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod calendar;
mod collection;
pub mod control;
pub mod document;
pub mod event;
pub mod imported;
pub mod json;
pub mod limits;
pub mod number;
pub mod personal;
pub mod series;
pub mod status;
pub mod stream;
pub mod terms;
pub mod time;

pub use collection::Collection;
pub use event::{Actor, Event, EventRecord, NewEvent, Position, Version, View};
pub use imported::{Content, Document};
pub use json::JsonText;
pub use number::Number;
pub use personal::Personal;
pub use stream::StreamId;
pub use time::Timestamp;

//! The numbers that order events.

/// An event's position in the log: 1, 2, 3… without gaps. Position 0 is before the first
/// event.
pub type Position = u64;

/// An event's version in its stream: 1, 2, 3… without gaps. An empty stream has version 0.
pub type Version = u64;

//! The envelope of an event: its position, stream, version, id, times, actor and cause.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Event;
use super::position::{Position, Version};
use crate::stream::StreamId;
use crate::time::Timestamp;

/// An event with its envelope, as read from the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRecord {
    /// The position in the log.
    pub position: Position,
    /// The stream.
    pub stream: StreamId,
    /// The version in the stream.
    pub version: Version,
    /// A UUIDv7, or a UUIDv5 where the event must have the same id on every machine (imports and
    /// batches).
    pub id: Uuid,
    /// The time at which it happened.
    pub occurred_at: Timestamp,
    /// The time at which the log recorded it.
    pub recorded_at: Timestamp,
    /// Who caused it.
    pub actor: Actor,
    /// The cause: a request id or the digest of a batch.
    pub cause: String,
    /// The content.
    pub event: Event,
}

/// An event that is not appended yet, so it has no position and no version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewEvent {
    /// The stream to append to.
    pub stream: StreamId,
    /// The id that the event must have on every machine. With `None` the log generates a UUIDv7.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// The time at which it happened.
    pub occurred_at: Timestamp,
    /// The content.
    pub event: Event,
}

/// The person or process behind an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "role", content = "id", rename_all = "snake_case")]
pub enum Actor {
    /// A client, by id.
    Client(String),
    /// A coach, by id.
    Coach(String),
    /// An administrator or operator, by name.
    Admin(String),
    /// Rollbook itself.
    System(String),
    /// A migration or an import, by the digest of its batch.
    Migration(String),
}

//! The envelope of an event: its position, stream, version, id, times, actor and cause.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Event;
use crate::stream::StreamId;
use crate::time::Timestamp;

/// A place in the whole log, from 1, without gaps; 0 is the place before the first event.
pub type Position = u64;

/// A place in one stream, from 1, without gaps; 0 is the version of a stream without events.
pub type Version = u64;

/// An event with its envelope, as the log returns it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRecord {
    /// Place in the whole log.
    pub position: Position,
    /// The stream.
    pub stream: StreamId,
    /// Place in the stream.
    pub version: Version,
    /// v7, or v5 where the same event must have the same id everywhere (imports and batches).
    pub id: Uuid,
    /// When it happened in the world.
    pub occurred_at: Timestamp,
    /// When the log recorded it.
    pub recorded_at: Timestamp,
    /// On whose behalf.
    pub actor: Actor,
    /// What caused it: a request id, or the digest of a batch.
    pub cause: String,
    /// What happened.
    pub event: Event,
}

/// An event before the log has numbered it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewEvent {
    /// The stream it is for.
    pub stream: StreamId,
    /// The id it must have everywhere; `None` lets the log draw a v7.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// When it happened in the world.
    pub occurred_at: Timestamp,
    /// What happened.
    pub event: Event,
}

/// Who acted.
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

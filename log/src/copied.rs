//! Commits as another store has them, to the last stored byte. Owns their types: read from one log with [`Commits::as_stored`], appended
//! to another with [`Log::append_copied`]. What is sealed stays sealed, and needs the keyring that it was sealed under.
//!
//! [`Commits::as_stored`]: crate::Commits::as_stored
//! [`Log::append_copied`]: crate::Log::append_copied

use rollbook_domain::event::EventRecord;
use rollbook_domain::{Actor, StreamId, Timestamp};
use uuid::Uuid;

use crate::commit::{ExpectedVersion, IdempotencyKey};

/// The version of bodies that is written.
pub const BODY_VERSION: u8 = crate::stored::CURRENT;

/// A commit as it is stored.
#[derive(Clone, Debug)]
pub struct StoredCommit {
    /// Its events, opened as far as there are keys.
    pub events: Vec<EventRecord>,
    /// The key that it was appended under.
    pub key: Option<IdempotencyKey>,
    /// The version of its bodies.
    pub body_version: u8,
    /// The stored body of each event.
    pub bodies: Vec<Box<[u8]>>,
}

/// A commit to append as it is stored elsewhere.
#[derive(Clone, Debug)]
pub struct CopiedCommit {
    /// The events, at least one, their bodies of [`BODY_VERSION`].
    pub events: Vec<CopiedEvent>,
    /// What each stream must be at.
    pub expected: Vec<(StreamId, ExpectedVersion)>,
    /// On whose behalf.
    pub actor: Actor,
    /// What caused it.
    pub cause: String,
    /// The key that it was appended under.
    pub key: Option<IdempotencyKey>,
}

/// An event with its stored body.
#[derive(Clone, Debug)]
pub struct CopiedEvent {
    /// The stream.
    pub stream: StreamId,
    /// Its id.
    pub id: Uuid,
    /// When it happened in the world.
    pub occurred_at: Timestamp,
    /// The stored body.
    pub body: Vec<u8>,
}

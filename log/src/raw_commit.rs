//! Commits in their stored form, for copying them to another store byte for byte.
//! [`Commits::as_stored`] reads them and [`Log::append_raw`] appends them. Sealed content stays
//! sealed: the other store needs the same keyring.
//!
//! [`Commits::as_stored`]: crate::Commits::as_stored
//! [`Log::append_raw`]: crate::Log::append_raw

use rollbook_domain::event::EventRecord;
use rollbook_domain::{Actor, StreamId, Timestamp};
use uuid::Uuid;

use crate::commit::{ExpectedVersion, IdempotencyKey};

/// The version of bodies that this build writes.
pub const BODY_VERSION: u8 = crate::stored::CURRENT;

/// A commit with its stored form.
#[derive(Clone, Debug)]
pub struct StoredCommit {
    /// Its events. Sealed content is opened if there is a key.
    pub events: Vec<EventRecord>,
    /// The key that it was appended under.
    pub key: Option<IdempotencyKey>,
    /// The version of its bodies.
    pub body_version: u8,
    /// The stored body of each event.
    pub bodies: Vec<Box<[u8]>>,
}

/// A commit to append in the stored form of another store.
#[derive(Clone, Debug)]
pub struct RawCommit {
    /// The events, at least one. Their bodies have the version [`BODY_VERSION`].
    pub events: Vec<RawEvent>,
    /// The expected version of streams.
    pub expected: Vec<(StreamId, ExpectedVersion)>,
    /// The actor.
    pub actor: Actor,
    /// The cause: a request id or the digest of a batch.
    pub cause: String,
    /// The key that it was appended under.
    pub key: Option<IdempotencyKey>,
}

/// An event with its stored body.
#[derive(Clone, Debug)]
pub struct RawEvent {
    /// The stream.
    pub stream: StreamId,
    /// Its id.
    pub id: Uuid,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The stored body.
    pub body: Vec<u8>,
}

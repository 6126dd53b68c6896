//! Version 1 of a stored commit: the envelope around its events. This module defines the layout and
//! converts from and to domain types. `body` has the layout of one event, `stored` the header
//! around the complete record.
//!
//! The payload, in bincode's terms (`binary`), field by field:
//!
//! | field | type | meaning |
//! | --- | --- | --- |
//! | `recorded_at` | (i64, u32) | seconds since 1970 and nanoseconds |
//! | `actor` | variant + text | 0 client, 1 coach, 2 admin, 3 system, 4 migration; id |
//! | `cause` | text | request id or batch digest |
//! | `key` | option of (text, 32 bytes) | idempotency key and the digest of the request |
//! | `streams` | list of (text, u64) | stream name and the version of its first event here, in order of appearance |
//! | `events` | list | in order; the n-th has the position of the commit + n |
//! | … `stream` | u32 | index into `streams`; versions count up per stream |
//! | … `id` | 16 bytes with length | the event's id |
//! | … `occurred_at` | (i64, u32) | as above |
//! | … `body` | bytes with length | the event, encoded on its own, so that it can be skipped unread, and its sealed value: see `seal` |

use rollbook_domain::event::{EventRecord, Position, Version};
use rollbook_domain::{Actor, Event, StreamId, Timestamp};
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use super::binary;
use super::instant::Instant;
use super::leaf::Leaf;
use super::seal::{Scratch, read_body};
use crate::error::DecodeError;
use crate::keyring::{Keyring, Opening};

/// Who acted.
#[derive(Serialize, Deserialize)]
enum StoredActor<'a> {
    Client(&'a str),
    Coach(&'a str),
    Admin(&'a str),
    System(&'a str),
    Migration(&'a str),
}

impl<'a> From<&'a Actor> for StoredActor<'a> {
    fn from(actor: &'a Actor) -> Self {
        match actor {
            Actor::Client(id) => Self::Client(id),
            Actor::Coach(id) => Self::Coach(id),
            Actor::Admin(id) => Self::Admin(id),
            Actor::System(id) => Self::System(id),
            Actor::Migration(id) => Self::Migration(id),
        }
    }
}

impl StoredActor<'_> {
    /// The role and the id, as in a leaf.
    fn leaf_parts(&self) -> (u8, &str) {
        match self {
            Self::Client(id) => (0, id),
            Self::Coach(id) => (1, id),
            Self::Admin(id) => (2, id),
            Self::System(id) => (3, id),
            Self::Migration(id) => (4, id),
        }
    }

    fn to_domain(&self) -> Actor {
        match self {
            Self::Client(id) => Actor::Client((*id).to_owned()),
            Self::Coach(id) => Actor::Coach((*id).to_owned()),
            Self::Admin(id) => Actor::Admin((*id).to_owned()),
            Self::System(id) => Actor::System((*id).to_owned()),
            Self::Migration(id) => Actor::Migration((*id).to_owned()),
        }
    }
}

/// A byte string. Written in one piece, borrowed when read.
#[derive(Clone, Copy, Deserialize)]
#[serde(transparent)]
struct Bytes<'a>(#[serde(borrow)] &'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

#[derive(Serialize, Deserialize)]
struct StoredEvent<'a> {
    stream: u32,
    id: Uuid,
    occurred_at: Instant,
    #[serde(borrow)]
    body: Bytes<'a>,
}

#[derive(Serialize, Deserialize)]
struct StoredStream<'a> {
    name: &'a str,
    first_version: Version,
}

#[derive(Serialize, Deserialize)]
struct StoredKey<'a> {
    key: &'a str,
    request: [u8; 32],
}

/// A stored commit with encoded bodies.
#[derive(Serialize, Deserialize)]
pub(crate) struct Envelope<'a> {
    recorded_at: Instant,
    #[serde(borrow)]
    actor: StoredActor<'a>,
    cause: &'a str,
    #[serde(borrow)]
    key: Option<StoredKey<'a>>,
    #[serde(borrow)]
    streams: Vec<StoredStream<'a>>,
    #[serde(borrow)]
    events: Vec<StoredEvent<'a>>,
}

/// The fields of an [`Envelope`] other than streams and events.
pub(crate) struct EnvelopeParts<'a> {
    /// The time of record.
    pub(crate) recorded_at: Timestamp,
    /// The actor.
    pub(crate) actor: &'a Actor,
    /// The cause.
    pub(crate) cause: &'a str,
    /// Idempotency key and request digest.
    pub(crate) key: Option<(&'a str, [u8; 32])>,
}

impl binary::BorrowsText for Envelope<'_> {}

impl<'a> Envelope<'a> {
    /// An envelope without events.
    pub(crate) fn new(parts: &EnvelopeParts<'a>, streams: usize, events: usize) -> Self {
        Self {
            recorded_at: parts.recorded_at.into(),
            actor: parts.actor.into(),
            cause: parts.cause,
            key: parts.key.map(|(key, request)| StoredKey { key, request }),
            streams: Vec::with_capacity(streams),
            events: Vec::with_capacity(events),
        }
    }

    /// Adds a stream to the table.
    pub(crate) fn push_stream(&mut self, name: &'a str, first_version: Version) {
        self.streams.push(StoredStream { name, first_version });
    }

    /// Adds an event with an encoded body.
    pub(crate) fn push_event(
        &mut self,
        stream: u32,
        id: Uuid,
        occurred_at: Timestamp,
        body: &'a [u8],
    ) {
        self.events.push(StoredEvent {
            stream,
            id,
            occurred_at: occurred_at.into(),
            body: Bytes(body),
        });
    }

    /// Appends the payload to `out`.
    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        binary::write(self, out)
    }

    /// Reads a payload; bodies stay encoded.
    pub(super) fn read(payload: &'a [u8]) -> Result<Self, DecodeError> {
        binary::read(payload)
    }

    /// The number of events.
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// The time of record.
    pub(crate) fn recorded_at(&self) -> Result<Timestamp, DecodeError> {
        self.recorded_at.try_into()
    }

    /// The stream table: each name with the first and the last version in this commit.
    pub(crate) fn streams(&self) -> impl Iterator<Item = (&'a str, Version, Version)> {
        let mut counts = vec![0; self.streams.len()];
        for event in &self.events {
            if let Some(count) = counts.get_mut(event.stream as usize) {
                *count += 1;
            }
        }
        self.streams.iter().zip(counts).map(|(stream, count)| {
            (
                stream.name,
                stream.first_version,
                stream.first_version.saturating_add(count).saturating_sub(1),
            )
        })
    }

    /// The idempotency key with its request digest.
    pub(crate) fn key(&self) -> Option<(&'a str, [u8; 32])> {
        self.key.as_ref().map(|key| (key.key, key.request))
    }

    /// The ids of the events, in order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Uuid> {
        self.events.iter().map(|event| event.id)
    }

    /// Calls `each` with every event's leaf. Does not decode bodies.
    pub(crate) fn leaves(
        &self,
        first: Position,
        stored_version: u8,
        mut each: impl FnMut(&Leaf<'_>) -> Result<(), DecodeError>,
    ) -> Result<(), (Position, DecodeError)> {
        let mut versions: Vec<Version> =
            self.streams.iter().map(|stream| stream.first_version).collect();
        let commit_events = u32::try_from(self.events.len())
            .map_err(|_| (first, DecodeError::TooLarge { bytes: self.events.len() }))?;
        let (actor_role, actor) = self.actor.leaf_parts();
        for (position, event) in (first..).zip(&self.events) {
            let unknown = || (position, DecodeError::StreamIndex { index: event.stream });
            let next_version = versions.get_mut(event.stream as usize).ok_or_else(unknown)?;
            let leaf = Leaf {
                position,
                commit_first: first,
                commit_events,
                stream: self.streams.get(event.stream as usize).ok_or_else(unknown)?.name,
                version: *next_version,
                id: event.id,
                occurred_at: event.occurred_at.parts(),
                recorded_at: self.recorded_at.parts(),
                actor_role,
                actor,
                cause: self.cause,
                key: self.key(),
                stored_version,
                body: event.body.0,
            };
            *next_version = next_version.wrapping_add(1);
            each(&leaf).map_err(|error| (position, error))?;
        }
        Ok(())
    }

    /// Decodes the events for which `wanted` returns true. It gets the position, the stream name
    /// and the version of each event. Other events are not decoded.
    pub(crate) fn decode(
        &self,
        keyring: &Keyring,
        first: Position,
        mut wanted: impl FnMut(Position, &str, Version) -> bool,
        out: &mut Vec<EventRecord>,
    ) -> Result<(), (Position, DecodeError)> {
        let at_first = |error| (first, error);
        let recorded_at = self.recorded_at().map_err(at_first)?;
        let actor = self.actor.to_domain();
        let mut streams: Vec<(Option<(StreamId, Opening)>, Version)> =
            self.streams.iter().map(|stream| (None, stream.first_version)).collect();
        let mut scratch = Scratch::default();
        for (position, event) in (first..).zip(&self.events) {
            let here = |error| (position, error);
            let unknown = || here(DecodeError::StreamIndex { index: event.stream });
            let (id, next_version) = streams.get_mut(event.stream as usize).ok_or_else(unknown)?;
            let name = self.streams.get(event.stream as usize).ok_or_else(unknown)?.name;
            let version = *next_version;
            // A stored version can have any value.
            *next_version = next_version.wrapping_add(1);
            if !wanted(position, name, version) {
                continue;
            }
            let (stream, opening) = match id {
                Some(known) => known,
                None => {
                    let parsed: StreamId =
                        name.parse().map_err(|source| here(DecodeError::StreamName(source)))?;
                    id.insert((parsed, keyring.opening(name)))
                }
            };
            let mut content = read_body(event.body.0, name, opening, &mut scratch).map_err(here)?;
            if let Some(before) = out.last() {
                share_terms(&mut content, &before.event);
            }
            out.push(EventRecord {
                position,
                stream: stream.clone(),
                version,
                id: event.id,
                occurred_at: event.occurred_at.try_into().map_err(here)?,
                recorded_at,
                actor: actor.clone(),
                cause: self.cause.to_owned(),
                event: content,
            });
        }
        Ok(())
    }
}

/// The weeks of a run are created one after the other. Their events share its terms in memory.
fn share_terms(event: &mut Event, before: &Event) {
    if let (Event::AssignmentCreated { terms, .. }, Event::AssignmentCreated { terms: held, .. }) =
        (event, before)
        && terms == held
    {
        *terms = held.clone();
    }
}

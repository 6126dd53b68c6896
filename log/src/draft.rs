//! A commit on its way to the writer: checks of content and size, encoding and sealing of bodies.
//! All this runs on the caller's thread, to unload the writer's.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use rollbook_domain::{Actor, Event, StreamId, Timestamp};
use uuid::Uuid;

use crate::commit::{Commit, ExpectedVersion, IdempotencyKey};
use crate::error::{AppendError, LogError};
use crate::ids::{new_id, system_clock};
use crate::keyring::aead::SecretKey;
use crate::keyring::{Keyring, random_nonce};
use crate::raw_commit::RawCommit;
use crate::stored;

/// The maximum size of a commit, in bytes.
pub const COMMIT_LIMIT_BYTES: usize = 16 << 20;

/// The maximum size of an event without its body. Only for estimates.
const EVENT_OVERHEAD_BYTES: usize = 48;

/// Up to this number of streams, searching a list is faster than an index.
const FEW_STREAMS: usize = 8;

/// A checked and encoded commit.
pub(crate) struct Draft {
    /// The streams that it writes to, in order of appearance.
    pub(crate) streams: Vec<DraftStream>,
    pub(crate) events: Vec<DraftEvent>,
    bodies: Vec<u8>,
    /// The expected versions of streams that it does not write to.
    pub(crate) expected_elsewhere: Vec<(String, ExpectedVersion)>,
    pub(crate) actor: Actor,
    pub(crate) cause: String,
    pub(crate) key: Option<IdempotencyKey>,
    size_bytes: usize,
    /// Its erasures: the event's id and the erased client ids.
    pub(crate) erases: Vec<(Uuid, Vec<String>)>,
}

pub(crate) struct DraftStream {
    pub(crate) name: String,
    pub(crate) events: u64,
    /// The expected version.
    pub(crate) expected: Option<ExpectedVersion>,
    /// Whether all its events record the erasure of the client. An erased client's stream accepts
    /// no others.
    pub(crate) only_erases: bool,
}

pub(crate) struct DraftEvent {
    /// Index into the draft's streams.
    pub(crate) stream: u32,
    pub(crate) id: Option<Uuid>,
    pub(crate) occurred_at: Timestamp,
    body: Range<usize>,
}

impl Draft {
    /// Checks and encodes a commit: it must have events, no NUL in a name, and must not be too
    /// large.
    pub(crate) fn admit(commit: Commit, keyring: &Keyring) -> Result<Self, AppendError> {
        let Commit { events, expected, actor, cause, key } = commit;
        if events.is_empty() {
            return Err(AppendError::Empty);
        }
        // Counting copies nothing, so a commit that is too large takes no memory.
        let mut body_bytes = 0_usize;
        for event in &events {
            let bytes = stored::body_bytes(&event.event);
            body_bytes = body_bytes
                .saturating_add(bytes.map_err(|source| AppendError::Encode(Arc::new(source)))?);
        }
        require_size(body_bytes)?;
        let mut bodies = Vec::with_capacity(body_bytes + events.len() * stored::SEALING_BYTES);
        let mut streams = StreamTable::default();
        let mut drafts = Vec::with_capacity(events.len());
        let (mut scratch, mut erases) = (stored::Scratch::default(), Vec::new());
        for event in &events {
            let start = bodies.len();
            let (stream, entry) =
                streams.count(&event.stream, matches!(event.event, Event::ClientErased { .. }))?;
            let key = if stored::has_personal(&event.event) { entry.key(keyring)? } else { None };
            let sealing = key
                .map(|key| random_nonce().map(|nonce| (key, nonce)))
                .transpose()
                .map_err(LogError::from)?;
            let sealing = sealing.as_ref().map(|(key, nonce)| (key.as_ref(), *nonce));
            let written = stored::write_body(
                &event.event,
                &entry.stream.name,
                sealing,
                &mut scratch,
                &mut bodies,
            );
            written.map_err(|source| AppendError::Encode(Arc::new(source)))?;
            if let Event::ClientErased { ids, .. } = &event.event {
                erases.push((event.id.unwrap_or_else(|| new_id(system_clock())), ids.clone()));
            }
            drafts.push(DraftEvent {
                stream,
                id: event.id,
                occurred_at: event.occurred_at,
                body: start..bodies.len(),
            });
        }
        let expected_elsewhere = streams.expect(&expected);
        let encoded = EncodedEvent {
            streams: streams.into_list(),
            expected_elsewhere,
            events: drafts,
            bodies,
            erases,
        };
        encoded.admit(actor, cause, key)
    }

    /// Checks a commit whose bodies are already encoded and sealed. Events of erased clients are
    /// accepted: they are older than the erasure.
    pub(crate) fn raw(commit: RawCommit) -> Result<Self, AppendError> {
        let RawCommit { events, expected, actor, cause, key } = commit;
        if events.is_empty() {
            return Err(AppendError::Empty);
        }
        let body_bytes = events.iter().map(|event| event.body.len()).sum();
        require_size(body_bytes)?;
        let (mut bodies, mut streams, mut drafts) = (
            Vec::with_capacity(body_bytes),
            StreamTable::default(),
            Vec::with_capacity(events.len()),
        );
        for event in &events {
            let start = bodies.len();
            bodies.extend_from_slice(&event.body);
            let (stream, _) = streams.count(&event.stream, true)?;
            drafts.push(DraftEvent {
                stream,
                id: Some(event.id),
                occurred_at: event.occurred_at,
                body: start..bodies.len(),
            });
        }
        let expected_elsewhere = streams.expect(&expected);
        let encoded = EncodedEvent {
            streams: streams.into_list(),
            expected_elsewhere,
            events: drafts,
            bodies,
            erases: Vec::new(),
        };
        encoded.admit(actor, cause, key)
    }

    /// The encoded body of one of its events.
    pub(crate) fn body(&self, event: &DraftEvent) -> &[u8] {
        self.bodies.get(event.body.clone()).unwrap_or_default()
    }

    /// An upper estimate of its stored size.
    pub(crate) fn size_bytes(&self) -> usize {
        self.size_bytes
    }
}

/// Events whose bodies are encoded.
struct EncodedEvent {
    streams: Vec<DraftStream>,
    expected_elsewhere: Vec<(String, ExpectedVersion)>,
    events: Vec<DraftEvent>,
    bodies: Vec<u8>,
    erases: Vec<(Uuid, Vec<String>)>,
}

impl EncodedEvent {
    fn admit(
        self,
        actor: Actor,
        cause: String,
        key: Option<IdempotencyKey>,
    ) -> Result<Draft, AppendError> {
        let Self { streams: list, expected_elsewhere, events: drafts, bodies, erases } = self;
        let names: usize = list.iter().map(|stream| stream.name.len() + 16).sum();
        let key_bytes = key.as_ref().map_or(0, |key| key.key.len() + 48);
        let size_bytes =
            bodies.len() + names + drafts.len() * EVENT_OVERHEAD_BYTES + cause.len() + key_bytes;
        require_size(size_bytes)?;
        if let Some(key) = &key {
            without_nul(&key.key)?;
        }
        Ok(Draft {
            streams: list,
            events: drafts,
            bodies,
            expected_elsewhere,
            actor,
            cause,
            key,
            size_bytes,
            erases,
        })
    }
}

/// A stream of the commit, and the key of its owner once it was looked up.
struct Entry {
    stream: DraftStream,
    key: Option<Option<Arc<SecretKey>>>,
}

impl Entry {
    fn key(&mut self, keyring: &Keyring) -> Result<Option<Arc<SecretKey>>, AppendError> {
        if let Some(known) = &self.key {
            return Ok(known.clone());
        }
        Ok(self.key.insert(keyring.key_for(&self.stream.name).map_err(LogError::from)?).clone())
    }
}

/// The distinct streams of a commit.
#[derive(Default)]
struct StreamTable<'a> {
    list: Vec<Entry>,
    known: Vec<&'a StreamId>,
    indexes: HashMap<&'a StreamId, usize>,
    latest: usize,
}

impl<'a> StreamTable<'a> {
    fn into_list(self) -> Vec<DraftStream> {
        self.list.into_iter().map(|entry| entry.stream).collect()
    }

    /// Sets the expected versions of streams. Returns those of streams that are not in the table,
    /// and repeated ones.
    fn expect(
        &mut self,
        expected: &[(StreamId, ExpectedVersion)],
    ) -> Vec<(String, ExpectedVersion)> {
        let mut elsewhere = Vec::new();
        for (stream, version) in expected {
            let entry = self
                .find(stream)
                .and_then(|index| self.list.get_mut(index))
                .filter(|entry| entry.stream.expected.is_none());
            match entry {
                Some(entry) => entry.stream.expected = Some(*version),
                None => elsewhere.push((stream.name(), *version)),
            }
        }
        elsewhere
    }

    /// Counts an event of a stream. Returns the stream's index and entry.
    fn count(
        &mut self,
        stream: &'a StreamId,
        only_erases: bool,
    ) -> Result<(u32, &mut Entry), AppendError> {
        // Consecutive events usually have the same stream.
        if self.known.get(self.latest) != Some(&stream) {
            self.latest = match self.find(stream) {
                Some(index) => index,
                None => self.add(stream)?,
            };
        }
        let too_large =
            || AppendError::TooLarge { bytes: usize::MAX, limit_bytes: COMMIT_LIMIT_BYTES };
        let index = u32::try_from(self.latest).map_err(|_| too_large())?;
        let entry = self.list.get_mut(self.latest).ok_or_else(too_large)?;
        entry.stream.events += 1;
        entry.stream.only_erases &= only_erases;
        Ok((index, entry))
    }

    fn find(&self, stream: &StreamId) -> Option<usize> {
        if self.known.len() <= FEW_STREAMS {
            self.known.iter().position(|known| *known == stream)
        } else {
            self.indexes.get(stream).copied()
        }
    }

    fn add(&mut self, stream: &'a StreamId) -> Result<usize, AppendError> {
        let name = stream.name();
        without_nul(&name)?;
        let index = self.list.len();
        self.list.push(Entry {
            stream: DraftStream { name, events: 0, expected: None, only_erases: true },
            key: None,
        });
        self.known.push(stream);
        if self.known.len() > FEW_STREAMS {
            let first_unindexed = if self.indexes.is_empty() { 0 } else { index };
            self.indexes.extend(self.known.iter().copied().zip(0..).skip(first_unindexed));
        }
        Ok(index)
    }
}

fn require_size(bytes: usize) -> Result<(), AppendError> {
    if bytes > COMMIT_LIMIT_BYTES {
        return Err(AppendError::TooLarge { bytes, limit_bytes: COMMIT_LIMIT_BYTES });
    }
    Ok(())
}

fn without_nul(name: &str) -> Result<(), AppendError> {
    if name.contains('\0') { Err(AppendError::BadName { name: name.to_owned() }) } else { Ok(()) }
}

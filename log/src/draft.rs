//! A commit on its way to the writer. Owns admission (content and size) and the encoding of bodies, both done on the caller's
//! thread so that the writer's has less to do.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use rollbook_domain::{Actor, StreamId, Timestamp};
use uuid::Uuid;

use crate::commit::{Commit, ExpectedVersion, IdempotencyKey};
use crate::error::AppendError;
use crate::stored;

/// The most that one commit may have, in bytes.
pub const COMMIT_LIMIT_BYTES: usize = 16 << 20;

/// What every event costs beside its body, at most; for sizes only.
const EVENT_OVERHEAD_BYTES: usize = 48;

/// What a body usually has, at most; for memory only.
const USUAL_BODY_BYTES: usize = 256;
/// How many streams are looked through one by one before an index is made of them.
const FEW_STREAMS: usize = 8;

/// A commit that was admitted.
pub(crate) struct Draft {
    /// The streams it writes to, in order of appearance, with how many events.
    pub(crate) streams: Vec<DraftStream>,
    pub(crate) events: Vec<DraftEvent>,
    bodies: Vec<u8>,
    pub(crate) expected: Vec<(String, ExpectedVersion)>,
    pub(crate) actor: Actor,
    pub(crate) cause: String,
    pub(crate) key: Option<IdempotencyKey>,
    size_bytes: usize,
}

pub(crate) struct DraftStream {
    pub(crate) name: String,
    pub(crate) events: u64,
}

pub(crate) struct DraftEvent {
    /// Index into the draft's streams.
    pub(crate) stream: u32,
    pub(crate) id: Option<Uuid>,
    pub(crate) occurred_at: Timestamp,
    body: Range<usize>,
}

impl Draft {
    /// Admits a commit: it has events, no NUL in a name, and is not too large.
    pub(crate) fn admit(commit: Commit) -> Result<Self, AppendError> {
        let Commit { events, expected, actor, cause, key } = commit;
        if events.is_empty() {
            return Err(AppendError::Empty);
        }
        let mut bodies = Vec::with_capacity(events.len() * USUAL_BODY_BYTES);
        let mut streams = StreamTable::default();
        let mut drafts = Vec::with_capacity(events.len());
        for event in &events {
            let start = bodies.len();
            stored::write_body(&event.event, &mut bodies).map_err(|source| AppendError::Encode(Arc::new(source)))?;
            let stream = streams.count(&event.stream)?;
            drafts.push(DraftEvent { stream, id: event.id, occurred_at: event.occurred_at, body: start..bodies.len() });
        }
        let names: usize = streams.list.iter().map(|stream| stream.name.len() + 16).sum();
        let key_bytes = key.as_ref().map_or(0, |key| key.key.len() + 48);
        let size_bytes = bodies.len() + names + drafts.len() * EVENT_OVERHEAD_BYTES + cause.len() + key_bytes;
        if size_bytes > COMMIT_LIMIT_BYTES {
            return Err(AppendError::TooLarge { bytes: size_bytes, limit_bytes: COMMIT_LIMIT_BYTES });
        }
        if let Some(key) = &key {
            without_nul(&key.key)?;
        }
        let expected = expected.into_iter().map(|(stream, version)| (stream.to_string(), version)).collect();
        Ok(Self { streams: streams.list, events: drafts, bodies, expected, actor, cause, key, size_bytes })
    }

    /// The encoded body of one of its events.
    pub(crate) fn body(&self, event: &DraftEvent) -> &[u8] {
        self.bodies.get(event.body.clone()).unwrap_or_default()
    }

    /// Its size when stored, estimated from above.
    pub(crate) fn size_bytes(&self) -> usize {
        self.size_bytes
    }
}

/// The streams of a commit, each once.
#[derive(Default)]
struct StreamTable<'a> {
    list: Vec<DraftStream>,
    known: Vec<&'a StreamId>,
    indexes: HashMap<&'a StreamId, usize>,
    latest: usize,
}

impl<'a> StreamTable<'a> {
    /// Counts an event of a stream; returns the stream's index.
    fn count(&mut self, stream: &'a StreamId) -> Result<u32, AppendError> {
        // Events of one stream stand together more often than not.
        if self.known.get(self.latest) != Some(&stream) {
            self.latest = match self.find(stream) {
                Some(index) => index,
                None => self.add(stream)?,
            };
        }
        if let Some(entry) = self.list.get_mut(self.latest) {
            entry.events += 1;
        }
        u32::try_from(self.latest).map_err(|_| AppendError::TooLarge { bytes: usize::MAX, limit_bytes: COMMIT_LIMIT_BYTES })
    }

    fn find(&self, stream: &StreamId) -> Option<usize> {
        if self.known.len() <= FEW_STREAMS {
            self.known.iter().position(|known| *known == stream)
        } else {
            self.indexes.get(stream).copied()
        }
    }

    fn add(&mut self, stream: &'a StreamId) -> Result<usize, AppendError> {
        let name = stream.to_string();
        without_nul(&name)?;
        let index = self.list.len();
        self.list.push(DraftStream { name, events: 0 });
        self.known.push(stream);
        if self.known.len() > FEW_STREAMS {
            let first_unindexed = if self.indexes.is_empty() { 0 } else { index };
            self.indexes.extend(self.known.iter().copied().zip(0..).skip(first_unindexed));
        }
        Ok(index)
    }
}

fn without_nul(name: &str) -> Result<(), AppendError> {
    if name.contains('\0') { Err(AppendError::BadName { name: name.to_owned() }) } else { Ok(()) }
}

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
        let mut bodies = Vec::new();
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
    indexes: HashMap<&'a StreamId, u32>,
    latest: Option<(&'a StreamId, u32)>,
}

impl<'a> StreamTable<'a> {
    /// Counts an event of a stream; returns the stream's index.
    fn count(&mut self, stream: &'a StreamId) -> Result<u32, AppendError> {
        let index = match self.latest {
            // Events of one stream stand together more often than not.
            Some((latest, index)) if latest == stream => index,
            _ => match self.indexes.get(stream) {
                Some(&index) => index,
                None => self.add(stream)?,
            },
        };
        self.latest = Some((stream, index));
        if let Some(entry) = self.list.get_mut(index as usize) {
            entry.events += 1;
        }
        Ok(index)
    }

    fn add(&mut self, stream: &'a StreamId) -> Result<u32, AppendError> {
        let name = stream.to_string();
        without_nul(&name)?;
        let limit = |_| AppendError::TooLarge { bytes: usize::MAX, limit_bytes: COMMIT_LIMIT_BYTES };
        let index = u32::try_from(self.list.len()).map_err(limit)?;
        self.list.push(DraftStream { name, events: 0 });
        self.indexes.insert(stream, index);
        Ok(index)
    }
}

fn without_nul(name: &str) -> Result<(), AppendError> {
    if name.contains('\0') { Err(AppendError::BadName { name: name.to_owned() }) } else { Ok(()) }
}

//! A sub-batch: the commits of a group that are written together. The builder decides on each
//! commit, against the log and the earlier commits of the sub-batch.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;
use rollbook_domain::Timestamp;
use rollbook_domain::event::{Position, Version};
use uuid::Uuid;

use crate::commit::{CommitReceipt, IdempotencyKey};
use crate::draft::{Draft, DraftStream};
use crate::engine::{Batch as _, Engine, Family, StoreEngine};
use crate::error::{AppendError, LogError};
use crate::ids::new_id;
use crate::keyring::{Keyring, owns};
use crate::layout;
use crate::reads;
use crate::stored::{self, Envelope, EnvelopeParts};
use crate::versions::Versions;

/// Builds a sub-batch.
pub(crate) struct SubBatchBuilder<'a> {
    engine: Option<&'a StoreEngine>,
    keyring: &'a Keyring,
    versions: &'a mut Versions,
    recorded_at: Timestamp,
    accepted: SubBatch,
}

/// Accepted commits, with positions and encoded.
pub(crate) struct SubBatch {
    last: Position,
    commits: Vec<AcceptedCommit>,
    ids: HashSet<Uuid, RandomState>,
    keys: HashMap<String, ([u8; 32], CommitReceipt)>,
    erases: Vec<(Uuid, Vec<String>)>,
}

struct AcceptedCommit {
    committed: CommitReceipt,
    record: Vec<u8>,
    /// The name, the first and the last version of each stream.
    streams: Vec<(String, Version, Version)>,
    ids: Vec<Uuid>,
    key: Option<IdempotencyKey>,
    erases: Vec<(Uuid, Vec<String>)>,
}

impl<'a> SubBatchBuilder<'a> {
    /// An empty sub-batch after the position `last`. It looks up versions in `versions` and the
    /// engine, and updates `versions` with every accepted commit.
    pub(crate) fn new(
        engine: Option<&'a StoreEngine>,
        keyring: &'a Keyring,
        versions: &'a mut Versions,
        last: Position,
        recorded_at: Timestamp,
    ) -> Self {
        let accepted = SubBatch {
            last,
            commits: Vec::new(),
            ids: HashSet::default(),
            keys: HashMap::new(),
            erases: Vec::new(),
        };
        Self { engine, keyring, versions, recorded_at, accepted }
    }

    /// Decides on a commit. An accepted one gets its positions and is encoded. A rejected one has
    /// no effect.
    pub(crate) fn add(&mut self, mut draft: Draft) -> Result<CommitReceipt, AppendError> {
        // The key first: a repeat succeeds even if its expected versions no longer match.
        if let Some(repeated) = self.earlier_answer(draft.key.as_ref())? {
            return Ok(repeated);
        }
        if let Some(stream) =
            draft.streams.iter().find(|stream| !stream.only_erases && self.is_erased(&stream.name))
        {
            return Err(AppendError::ClientErased { stream: stream.name.clone() });
        }
        for (stream, expected) in &draft.expected_elsewhere {
            let actual = self.version(stream)?;
            if !expected.admits(actual) {
                return Err(AppendError::VersionConflict {
                    stream: stream.clone(),
                    expected: *expected,
                    actual,
                });
            }
        }
        let mut streams = Vec::with_capacity(draft.streams.len());
        for DraftStream { name, events, expected, .. } in std::mem::take(&mut draft.streams) {
            let actual = self.version(&name)?;
            if let Some(expected) = expected.filter(|expected| !expected.admits(actual)) {
                return Err(AppendError::VersionConflict { stream: name, expected, actual });
            }
            streams.push((name, actual + 1, actual + events));
        }
        let ids = self.ids(&draft)?;
        let first = self.accepted.last + 1;
        let committed = CommitReceipt {
            first,
            last: self.accepted.last + draft.events.len() as u64,
            repeated: false,
        };
        let record = self.encode(first, &draft, &ids, &streams)?;
        streams.iter().for_each(|(name, _, last_version)| self.versions.set(name, *last_version));
        self.accepted.take(AcceptedCommit {
            committed,
            record,
            streams,
            ids,
            key: draft.key,
            erases: draft.erases,
        });
        Ok(committed)
    }

    /// Whether a stream's client was erased, possibly by this sub-batch.
    fn is_erased(&self, stream: &str) -> bool {
        self.keyring.is_erased(stream)
            || self.accepted.erases.iter().any(|(_, ids)| ids.iter().any(|id| owns(id, stream)))
    }

    fn earlier_answer(
        &self,
        key: Option<&IdempotencyKey>,
    ) -> Result<Option<CommitReceipt>, AppendError> {
        let Some(IdempotencyKey { key, request }) = key else { return Ok(None) };
        let known = match (self.accepted.keys.get(key), self.engine) {
            (Some(known), _) => Some(*known),
            (None, Some(engine)) => reads::key(engine, key)?,
            (None, None) => None,
        };
        match known {
            None => Ok(None),
            Some((earlier, committed)) if earlier == *request => {
                Ok(Some(CommitReceipt { repeated: true, ..committed }))
            }
            Some((_, CommitReceipt { first, last, .. })) => {
                Err(AppendError::KeyReused { key: key.clone(), first, last })
            }
        }
    }

    fn version(&self, stream: &str) -> Result<Version, AppendError> {
        match (self.versions.get(stream), self.engine) {
            (Some(version), _) => Ok(version),
            (None, Some(engine)) => Ok(reads::stream_version(engine, stream, Position::MAX)?),
            (None, None) => Ok(0),
        }
    }

    /// The ids of a commit's events: the given ones, which must be new, and v7 ids for the others.
    fn ids(&self, draft: &Draft) -> Result<Vec<Uuid>, AppendError> {
        let mut own = HashSet::new();
        let mut ids = Vec::with_capacity(draft.events.len());
        for event in &draft.events {
            let Some(id) = event.id else {
                ids.push(new_id(self.recorded_at));
                continue;
            };
            let in_log = match self.engine {
                Some(engine) => engine.get(Family::Ids, id.as_bytes(), |_| ())?.is_some(),
                None => false,
            };
            let mut twice = || draft.events.len() > 1 && !own.insert(id);
            if in_log || self.accepted.ids.contains(&id) || twice() {
                return Err(AppendError::DuplicateEvent { id });
            }
            ids.push(id);
        }
        Ok(ids)
    }

    fn encode(
        &self,
        first: Position,
        draft: &Draft,
        ids: &[Uuid],
        streams: &[(String, Version, Version)],
    ) -> Result<Vec<u8>, AppendError> {
        let key = draft.key.as_ref().map(|key| (key.key.as_str(), key.request));
        let parts = EnvelopeParts {
            recorded_at: self.recorded_at,
            actor: &draft.actor,
            cause: &draft.cause,
            key,
        };
        let mut envelope = Envelope::new(&parts, streams.len(), ids.len());
        for (name, first_version, _) in streams {
            envelope.push_stream(name, *first_version);
        }
        for (event, id) in draft.events.iter().zip(ids) {
            envelope.push_event(event.stream, *id, event.occurred_at, draft.body(event));
        }
        stored::seal(first, &envelope, draft.size_bytes())
            .map_err(|source| AppendError::Encode(source.into()))
    }

    /// The number of accepted commits.
    pub(crate) fn commits(&self) -> usize {
        self.accepted.commits.len()
    }

    /// The finished sub-batch.
    pub(crate) fn finish(self) -> SubBatch {
        self.accepted
    }
}

impl SubBatch {
    fn take(&mut self, commit: AcceptedCommit) {
        self.last = commit.committed.last;
        self.ids.extend(&commit.ids);
        if let Some(IdempotencyKey { key, request }) = &commit.key {
            self.keys.insert(key.clone(), (*request, commit.committed));
        }
        self.erases.extend(commit.erases.iter().cloned());
        self.commits.push(commit);
    }

    /// Its erasures: the id of each and the erased client ids.
    pub(crate) fn erases(&self) -> &[(Uuid, Vec<String>)] {
        &self.erases
    }

    /// Whether no commit was accepted.
    pub(crate) fn is_empty(&self) -> bool {
        self.commits.is_empty()
    }

    /// The position of the last event.
    pub(crate) fn last(&self) -> Position {
        self.last
    }

    /// One batch with everything to write: records, index entries and the head.
    pub(crate) fn batch<'e, E: Engine>(&self, engine: &'e E) -> Result<E::Batch<'e>, LogError> {
        let records_bytes: usize = self.commits.iter().map(|commit| commit.record.len()).sum();
        let mut batch = engine.batch(records_bytes + 64 * self.ids.len() + 1024);
        for AcceptedCommit { committed, record, streams, ids, key, .. } in &self.commits {
            batch.put(Family::Records, &committed.first.to_be_bytes(), record)?;
            for (name, first_version, last_version) in streams {
                let value = layout::stream_value(committed.first, *first_version);
                batch.put(Family::Streams, &layout::stream_key(name, *last_version), &value)?;
            }
            for (position, id) in (committed.first..).zip(ids) {
                batch.put(Family::Ids, id.as_bytes(), &position.to_be_bytes())?;
            }
            if let Some(IdempotencyKey { key, request }) = key {
                batch.put(Family::Keys, key.as_bytes(), &layout::key_value(request, *committed))?;
            }
        }
        batch.put(Family::Meta, layout::META_HEAD, &self.last.to_be_bytes())?;
        Ok(batch)
    }
}

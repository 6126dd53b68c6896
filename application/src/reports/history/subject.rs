//! Resolves the id of a history and finds its events. Meanings are tried in this order: assignment,
//! response, client, coach, form, event, batch.

use std::collections::BTreeSet;

use rollbook_domain::control::Control;
use rollbook_domain::event::QualifiedValidation;
use rollbook_domain::{Event, EventRecord, Position, StreamId};
use rollbook_log::LogError;
use uuid::Uuid;

use super::Events;
use super::focus::Focus;
use crate::store::StoreError;
use crate::store::{Reading, Store, WeekRef};

/// The least number of hexadecimal digits that identify a batch.
const FEWEST_DIGITS: usize = 6;

/// The subject of a history.
pub enum Subject {
    /// Complete streams.
    Streams(Vec<StreamId>),
    /// Part of a series.
    Part(StreamId, Focus),
    /// One event.
    One(Box<EventRecord>),
    /// A batch, an import or a backup, by its complete digest.
    Batch(String),
    /// The migration: the control stream, and every event of its batches.
    Migration,
}

/// The id that means the migration.
const MIGRATION: &str = "migration";

impl Subject {
    /// Resolves an id.
    ///
    /// # Errors
    /// [`StoreError::UnknownId`] if nothing has this id.
    pub fn find(store: &Store, id: &str) -> Result<Self, StoreError> {
        if id == MIGRATION {
            return Ok(Self::Migration);
        }
        let reading = &store.reading();
        let found = match id.parse() {
            Ok(StreamId::Client(client)) => Self::client(reading, &client)?,
            Ok(StreamId::Series { .. }) => Some(Self::Streams(vec![reading.series_named(id)?])),
            Ok(stream) => Self::stream(store, stream)?,
            Err(_) => Self::named(reading, id)?,
        };
        found.ok_or_else(|| StoreError::UnknownId(id.to_owned()))
    }

    fn named(reading: &Reading<'_>, id: &str) -> Result<Option<Self>, StoreError> {
        let store = reading.store();
        match reading.assignment(id) {
            Ok(WeekRef { stream, run, week }) => {
                return Ok(Some(Self::Part(stream, Focus::Week { run, week })));
            }
            Err(StoreError::UnknownAssignment(_)) => {}
            Err(error) => return Err(error),
        }
        match reading.response(id) {
            Ok(stream) => return Ok(Some(Self::Part(stream, Focus::Response(id.to_owned())))),
            Err(StoreError::UnknownResponse(_)) => {}
            Err(error) => return Err(error),
        }
        if let Some(found) = Self::client(reading, id)? {
            return Ok(Some(found));
        }
        for stream in [StreamId::Coach(id.to_owned()), StreamId::Form(id.to_owned())] {
            if let Some(found) = Self::stream(store, stream)? {
                return Ok(Some(found));
            }
        }
        if let Some(recorded) =
            id.parse::<Uuid>().ok().map(|id| store.log().event(id)).transpose()?.flatten()
        {
            return Ok(Some(Self::One(Box::new(recorded))));
        }
        Self::batch(store, id)
    }

    fn stream(store: &Store, stream: StreamId) -> Result<Option<Self>, StoreError> {
        Ok((store.log().stream_version(&stream)? > 0).then(|| Self::Streams(vec![stream])))
    }

    /// Returns the stream of a client and all its series, under every identity.
    fn client(reading: &Reading<'_>, id: &str) -> Result<Option<Self>, StoreError> {
        let store = reading.store();
        let mut streams = Vec::new();
        for id in reading.identify(id)?.ids {
            let own = StreamId::Client(id.clone());
            if store.log().stream_version(&own)? > 0 {
                streams.push(own);
            }
            streams.extend(store.log().streams_with_prefix(&StreamId::series_prefix(&id))?);
        }
        Ok((!streams.is_empty()).then_some(Self::Streams(streams)))
    }

    fn batch(store: &Store, beginning: &str) -> Result<Option<Self>, StoreError> {
        let beginning = beginning.to_ascii_lowercase();
        if beginning.len() < FEWEST_DIGITS
            || !beginning.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            return Ok(None);
        }
        let mut digests = Vec::new();
        for recorded in store.log().stream(&StreamId::Control, 0)? {
            let digest = match recorded.event {
                Event::BatchPlanned { digest, .. } | Event::ImportCompleted { digest, .. } => {
                    digest
                }
                // The digest of the backup's manifest.
                Event::BackupTaken { .. } => recorded.cause,
                _ => continue,
            };
            if digest.starts_with(&beginning) && !digests.contains(&digest) {
                digests.push(digest);
            }
        }
        match digests.len() {
            0 | 1 => Ok(digests.pop().map(Self::Batch)),
            _ => Err(StoreError::AmbiguousDigest(beginning)),
        }
    }

    /// Returns the streams of its events; `None` if they may be in any stream.
    pub fn streams(&self) -> Option<Vec<&StreamId>> {
        match self {
            Self::Streams(streams) => Some(streams.iter().collect()),
            Self::Part(stream, _) => Some(vec![stream]),
            Self::One(recorded) => Some(vec![&recorded.stream]),
            Self::Batch(_) | Self::Migration => None,
        }
    }

    /// Returns its events, in the order of the log.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn events(self, store: &Store) -> Result<Events, StoreError> {
        let log = store.log();
        Ok(match self {
            Self::One(recorded) => Box::new(std::iter::once(Ok(*recorded))),
            Self::Streams(streams) => {
                let mut events = Vec::new();
                for stream in streams {
                    events.extend(log.stream(&stream, 0)?);
                }
                events.sort_by_key(|recorded| recorded.position);
                Box::new(events.into_iter().map(Ok))
            }
            Self::Part(stream, focus) => {
                Box::new(focus.of(log.stream(&stream, 0)?).into_iter().map(Ok))
            }
            Self::Migration => {
                let batches: BTreeSet<String> =
                    store.control()?.batches.into_iter().map(|batch| batch.digest).collect();
                Box::new(
                    log.commits_after(0).flat_map(move |commit| of_migration(commit, &batches)),
                )
            }
            Self::Batch(digest) => {
                let commits = log.commits_after(base_of(&store.control()?, &digest));
                Box::new(commits.flat_map(move |commit| of_batch(commit, &digest)))
            }
        })
    }
}

/// Returns the events of a commit that are in the control stream or that a batch caused.
fn of_migration(
    commit: Result<Vec<EventRecord>, LogError>,
    batches: &BTreeSet<String>,
) -> Vec<Result<EventRecord, StoreError>> {
    let belongs = |recorded: &EventRecord| {
        recorded.stream == StreamId::Control || batches.contains(&recorded.cause)
    };
    match commit {
        Ok(commit) => commit.into_iter().filter(belongs).map(Ok).collect(),
        Err(error) => vec![Err(error.into())],
    }
}

/// Returns the events of a commit that name a batch or that it caused.
fn of_batch(
    commit: Result<Vec<EventRecord>, LogError>,
    digest: &str,
) -> Vec<Result<EventRecord, StoreError>> {
    let names_it = |recorded: &EventRecord| match &recorded.event {
        Event::ImportCompleted { digest: named, .. }
        | Event::BatchPlanned { digest: named, .. }
        | Event::BatchApplied { digest: named, .. }
        | Event::WeeksChanged { digest: named, .. }
        | Event::ValidationRecorded { digest: named, .. }
        | Event::QualifiedValidationRecorded(QualifiedValidation { digest: named, .. }) => {
            named == digest
        }
        _ => false,
    };
    match commit {
        Ok(commit) => commit
            .into_iter()
            .filter(|recorded| names_it(recorded) || recorded.cause == digest)
            .map(Ok)
            .collect(),
        Err(error) => vec![Err(error.into())],
    }
}

/// Returns the position before the events of a batch; 0 for an import.
fn base_of(control: &Control, digest: &str) -> Position {
    control.batches.iter().find(|batch| batch.digest == digest).map_or(0, |batch| batch.base)
}

//! Appends the events of an import while others write.
//!
//! A commit has whole streams, and names the version of each: an answer that somebody gives
//! meanwhile, and a document that somebody puts, is never overwritten unseen. If a stream changed,
//! what the import does to it is computed again from what the stream is now. The event that completes the import is the last one,
//! in a commit of its own.

use std::collections::BTreeSet;

use rollbook_domain::series::Series;
use rollbook_domain::{Actor, Collection, Event, NewEvent, Position, StreamId, Timestamp, Version};
use rollbook_log::{AppendError, Commit, ExpectedVersion, IdempotencyKey};
use rollbook_projections::Runtime;
use sha2::{Digest, Sha256};

use super::adopt::{self, Adoption};
use super::plan::MetPut;
use super::refusal::Removal;
use crate::error::MigrationError;
use crate::export_writer::NO_PLACE;
use crate::monitor::Monitor;

/// The most events in one commit, unless one series has more.
const EVENTS_A_COMMIT: usize = 512;
/// The most bytes of documents in one commit.
const BYTES_A_COMMIT: usize = 4 << 20;
/// The most events of one stream in one commit.
const EVENTS_OF_A_STREAM: usize = 4_096;
/// How often one series is computed again if others are faster each time.
const ATTEMPTS: usize = 64;

/// What was appended.
#[derive(Debug, Default)]
pub(super) struct Appended {
    /// The number of events.
    pub(super) events: u64,
    /// The documents that became weeks.
    pub(super) adopted: Vec<Adoption>,
    /// The documents that were answered meanwhile and are therefore not removed.
    pub(super) kept: Vec<Removal>,
    /// The documents that a person put meanwhile and that stay as they were put.
    pub(super) puts: Vec<MetPut>,
}

/// Appends one import.
pub(super) struct Appender<'a> {
    pub(super) runtime: &'a Runtime,
    /// The digest of the plan. It is the cause of every event.
    pub(super) digest: &'a str,
    pub(super) imports_before: u64,
    pub(super) completed_at: Timestamp,
    /// The removals of the plan. One that had no answer then is not done if it has one now.
    pub(super) removals: &'a [Removal],
    /// The last position that the plan knows.
    pub(super) planned_at: Position,
    /// The version of the control stream that the plan knows.
    pub(super) control_version: Version,
}

/// The events of an import for one stream, or a part of them if they are too large for one commit.
struct StreamEvents {
    stream: StreamId,
    events: Vec<NewEvent>,
    /// Whether these are the last ones of the stream, which adoptions follow.
    is_last: bool,
}

/// The content of one commit, computed from the current state of its streams.
#[derive(Default)]
struct Proposal {
    events: Vec<NewEvent>,
    expected: Vec<(StreamId, ExpectedVersion)>,
    adopted: Vec<Adoption>,
    kept: Vec<Removal>,
    puts: Vec<MetPut>,
}

impl Appender<'_> {
    /// Appends the events of the plan, and then the one that completes it. Progress counts events.
    ///
    /// # Errors
    /// Errors of the log; [`MigrationError::Interrupted`]; a version conflict of the control stream
    /// if another import was completed meanwhile.
    pub(super) fn append_all(
        &self,
        events: Vec<NewEvent>,
        completed: Option<NewEvent>,
        monitor: &Monitor<'_>,
    ) -> Result<Appended, MigrationError> {
        let total = events.len() as u64 + u64::from(completed.is_some());
        let (mut appended, mut done) = (Appended::default(), 0);
        (monitor.progress)(0, total);
        for (number, streams) in commits(by_stream(events)).into_iter().enumerate() {
            if (monitor.interrupted)() {
                return Err(MigrationError::Interrupted);
            }
            done += streams.iter().map(|stream| stream.events.len() as u64).sum::<u64>();
            self.append_together(&number.to_string(), &streams, &mut appended)?;
            (monitor.progress)(done, total);
        }
        if let Some(completed) = completed {
            let propose = || {
                let expected = ExpectedVersion::Exact(self.control_version()?);
                let expected = vec![(StreamId::Control, expected)];
                Ok(Proposal { events: vec![completed.clone()], expected, ..Proposal::default() })
            };
            self.append_until_done("completed", &propose, &mut appended)?;
            (monitor.progress)(total, total);
        }
        Ok(appended)
    }

    /// Appends some streams in one commit. If others wrote to one of them, appends each alone.
    fn append_together(
        &self,
        part: &str,
        streams: &[StreamEvents],
        appended: &mut Appended,
    ) -> Result<(), MigrationError> {
        if self.try_append(part, self.proposal(streams)?, appended)? {
            return Ok(());
        }
        for (number, stream) in streams.iter().enumerate() {
            let propose = || self.proposal(std::slice::from_ref(stream));
            self.append_until_done(&format!("{part}/{number}"), &propose, appended)?;
        }
        Ok(())
    }

    /// Appends what is proposed now, and again if others were faster.
    fn append_until_done(
        &self,
        part: &str,
        propose: &dyn Fn() -> Result<Proposal, MigrationError>,
        appended: &mut Appended,
    ) -> Result<(), MigrationError> {
        for _attempt in 1..ATTEMPTS {
            if self.try_append(part, propose()?, appended)? {
                return Ok(());
            }
        }
        Ok(self.append(part, propose()?, appended)?)
    }

    /// Appends a proposal. `false` if others wrote to one of its streams since.
    fn try_append(
        &self,
        part: &str,
        proposal: Proposal,
        appended: &mut Appended,
    ) -> Result<bool, MigrationError> {
        match self.append(part, proposal, appended) {
            Ok(()) => Ok(true),
            Err(AppendError::VersionConflict { .. }) => Ok(false),
            Err(other) => Err(other.into()),
        }
    }

    fn append(
        &self,
        part: &str,
        proposal: Proposal,
        appended: &mut Appended,
    ) -> Result<(), AppendError> {
        let Proposal { events, expected, adopted, kept, puts } = proposal;
        let count = events.len() as u64;
        if count > 0 {
            let key = format!("import/{}/{}/{part}", self.imports_before + 1, self.digest);
            let key = IdempotencyKey { request: Sha256::digest(key.as_bytes()).into(), key };
            self.runtime.ordering().append(Commit {
                events,
                expected,
                actor: Actor::Migration(self.digest.to_owned()),
                cause: self.digest.to_owned(),
                key: Some(key),
            })?;
        }
        appended.events += count;
        appended.adopted.extend(adopted);
        appended.kept.extend(kept);
        appended.puts.extend(puts);
        Ok(())
    }

    fn proposal(&self, streams: &[StreamEvents]) -> Result<Proposal, MigrationError> {
        let mut proposal = Proposal::default();
        for stream in streams {
            self.propose(stream, &mut proposal)?;
        }
        Ok(proposal)
    }

    /// The version of the control stream, where others may write, but no other import.
    fn control_version(&self) -> Result<Version, MigrationError> {
        let since = self.runtime.log().stream(&StreamId::Control, self.control_version)?;
        let is_import = |event: &Event| matches!(event, Event::ImportCompleted { .. });
        if since.iter().any(|recorded| is_import(&recorded.event)) {
            return Ok(self.control_version);
        }
        Ok(since.last().map_or(self.control_version, |recorded| recorded.version))
    }

    /// Adds the events of one stream, computed from what it is now.
    fn propose(
        &self,
        planned: &StreamEvents,
        proposal: &mut Proposal,
    ) -> Result<(), MigrationError> {
        let stream = &planned.stream;
        if !matches!(stream, StreamId::Series { .. }) {
            return self.propose_documents(planned, proposal);
        }
        let (mut series, version) = series_now(self.runtime, stream)?;
        proposal.expected.push((stream.clone(), ExpectedVersion::Exact(version)));
        let answered: BTreeSet<String> = (series.items.iter())
            .filter(|item| item.is_completed())
            .map(|item| item.document_id().to_owned())
            .collect();
        let adopts = |event: &NewEvent| matches!(event.event, Event::DocumentAdopted { .. });
        for event in planned.events.iter().filter(|event| !adopts(event)) {
            if let Some(kept) = self.answered_meanwhile(event, &answered) {
                proposal.kept.push(kept);
                continue;
            }
            series.apply(stream, &event.event);
            proposal.events.push(event.clone());
        }
        if planned.is_last && !self.runtime.log().is_erased(stream) {
            let events = adopt::adoptions(&series, &|id| adopt::origin_of(self.runtime, id))?;
            proposal.adopted.extend(events.iter().filter_map(|event| Adoption::of(stream, event)));
            let place = (self.imports_before, self.completed_at);
            proposal
                .events
                .extend(events.into_iter().map(|event| adopt::new_event(stream, event, place)));
        }
        Ok(())
    }

    /// Adds the events of a stream that is no series. A document that a person put since the plan
    /// stays, by the rule for a put before it: unless the export is newer.
    fn propose_documents(
        &self,
        planned: &StreamEvents,
        proposal: &mut Proposal,
    ) -> Result<(), MigrationError> {
        let (log, stream) = (self.runtime.log(), &planned.stream);
        let expected = ExpectedVersion::Exact(log.stream_version(stream)?);
        proposal.expected.push((stream.clone(), expected));
        let mut puts = log.stream(stream, 0)?;
        puts.retain(|recorded| recorded.position > self.planned_at && is_put(&recorded.event));
        for event in &planned.events {
            let put = puts.iter().rfind(|put| document(&put.event) == document(&event.event));
            let kept = put.filter(|put| event.occurred_at <= put.occurred_at);
            if let Some((collection, id)) = document(&event.event).filter(|_| put.is_some()) {
                proposal.puts.push(MetPut::of(collection, id, kept.is_some()));
            }
            if kept.is_none() {
                proposal.events.push(event.clone());
            }
        }
        Ok(())
    }

    /// The removal of a week that had no answer when it was planned and has one now.
    fn answered_meanwhile(&self, event: &NewEvent, answered: &BTreeSet<String>) -> Option<Removal> {
        let Event::DocumentRemoved { collection: Collection::CheckInAssignments, id } =
            &event.event
        else {
            return None;
        };
        let planned = self.removals.iter().find(|removal| {
            removal.collection == Collection::CheckInAssignments.name() && removal.id == *id
        })?;
        (answered.contains(id) && !planned.answered).then(|| planned.clone().with_an_answer())
    }
}

/// The document that an event of an import or a put is about.
fn document(event: &Event) -> Option<(Collection, &str)> {
    match event {
        Event::DocumentImported(document) | Event::DocumentChanged(document) => {
            Some((document.collection, &document.id))
        }
        Event::DocumentRemoved { collection, id } => Some((*collection, id)),
        _ => None,
    }
}

/// Whether a person put the document of an event.
fn is_put(event: &Event) -> bool {
    matches!(
        event,
        Event::DocumentImported(document) | Event::DocumentChanged(document)
            if document.ordinal == NO_PLACE
    )
}

/// A series and its version as the log has them now.
fn series_now(runtime: &Runtime, stream: &StreamId) -> Result<(Series, Version), MigrationError> {
    let mut series = Series::default();
    let mut version = 0;
    for recorded in runtime.log().stream(stream, 0)? {
        series.apply(stream, &recorded.event);
        version = recorded.version;
    }
    Ok((series, version))
}

/// Groups events by stream, in their order. A stream that is too large for one commit is divided.
fn by_stream(events: Vec<NewEvent>) -> Vec<StreamEvents> {
    let mut streams: Vec<StreamEvents> = Vec::new();
    let mut bytes = 0;
    for event in events {
        let size = size(&event);
        match streams.last_mut().filter(|last| last.stream == event.stream) {
            Some(last)
                if last.events.len() < EVENTS_OF_A_STREAM && bytes + size <= BYTES_A_COMMIT =>
            {
                bytes += size;
                last.events.push(event);
            }
            same => {
                if let Some(same) = same {
                    same.is_last = false;
                }
                bytes = size;
                let stream = event.stream.clone();
                streams.push(StreamEvents { stream, events: vec![event], is_last: true });
            }
        }
    }
    streams
}

/// The size of an event's document, in bytes.
fn size(event: &NewEvent) -> usize {
    match &event.event {
        Event::DocumentImported(document) | Event::DocumentChanged(document) => {
            document.body.expose().map_or(0, |body| body.as_str().len())
        }
        _ => 0,
    }
}

/// Divides streams into commits of limited size.
fn commits(streams: Vec<StreamEvents>) -> Vec<Vec<StreamEvents>> {
    let mut commits: Vec<Vec<StreamEvents>> = Vec::new();
    let (mut events, mut bytes) = (0, 0);
    for stream in streams {
        let (count, size) = (stream.events.len(), stream.events.iter().map(size).sum::<usize>());
        // Two parts of one stream are never in one commit.
        let fits = events + count <= EVENTS_A_COMMIT && bytes + size <= BYTES_A_COMMIT;
        match commits.last_mut().filter(|_| fits) {
            Some(commit) => commit.push(stream),
            None => {
                (events, bytes) = (0, 0);
                commits.push(vec![stream]);
            }
        }
        events += count;
        bytes += size;
    }
    commits
}

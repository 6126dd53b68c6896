//! Appending the events of a batch, one commit for each series.

use std::collections::VecDeque;

use rollbook_domain::series::Series;
use rollbook_domain::{NewEvent, StreamId, Version};
use rollbook_log::{AppendError, ExpectedVersion, PendingCommit};
use uuid::Uuid;

use super::Run;
use crate::batch::Counts;
use crate::error::MigrationError;
use crate::monitor::Monitor;

/// How many commits may wait for the log's acknowledgement.
const MOST_PENDING: usize = 256;

/// A commit that the log has not acknowledged yet.
struct Submission {
    events: Vec<NewEvent>,
    pending: PendingCommit,
}

/// A series as the log has it now.
struct SeriesState {
    series: Series,
    version: Version,
    /// The ids of its events, and whether this batch appended them.
    events: Vec<(Uuid, bool)>,
}

impl SeriesState {
    /// Whether this batch appended an event; `None` when the series does not have it.
    fn appended_by_batch(&self, event: &NewEvent) -> Option<bool> {
        self.events.iter().find(|(id, _)| Some(*id) == event.id).map(|(_, by_batch)| *by_batch)
    }
}

impl Run<'_> {
    /// Appends the missing events of each series as one commit. The log acknowledges commits in
    /// groups, so several are pending at a time.
    pub(super) fn append_all(&mut self, monitor: &Monitor<'_>) -> Result<(), MigrationError> {
        let batch = self.batch;
        let total = batch.header.counts.events;
        let mut pending: VecDeque<Submission> = VecDeque::new();
        batch.each_stream(&mut |events| {
            if (monitor.interrupted)() {
                return Err(MigrationError::Interrupted);
            }
            if let Some(submission) = self.submit(events)? {
                pending.push_back(submission);
            }
            if pending.len() >= MOST_PENDING
                && let Some(submission) = pending.pop_front()
            {
                self.acknowledge(submission)?;
            }
            let report = &self.report;
            let appended = report.created + report.linked + report.adopted + report.changed;
            let done = appended + report.skipped;
            (monitor.progress)(done, total);
            Ok(())
        })?;
        pending.into_iter().try_for_each(|submission| self.acknowledge(submission))
    }

    /// Compares the batch with the series as the log has it now, and submits what is missing.
    fn submit(&mut self, events: Vec<NewEvent>) -> Result<Option<Submission>, MigrationError> {
        let Some(stream) = events.first().map(|event| event.stream.clone()) else {
            return Ok(None);
        };
        let state = self.state_of(&stream)?;
        let is_erased = self.runtime.log().is_erased(&stream);
        for event in &events {
            let by_batch = state.appended_by_batch(event);
            if let Some(reason) = self.reason(&state.series, event, by_batch, is_erased) {
                self.leave_out(event, reason);
            }
        }
        if is_erased {
            return Ok(None);
        }
        let missing = self.remaining(&stream, &state.series, events).map_err(|reason| {
            MigrationError::Drift { series: vec![format!("{stream}: {reason}")], total: 1 }
        })?;
        if missing.is_empty() {
            return Ok(None);
        }
        let expected = vec![(stream.clone(), ExpectedVersion::Exact(state.version))];
        let commit = self.commit(&stream.to_string(), missing.clone(), expected);
        Ok(Some(Submission { events: missing, pending: self.runtime.ordering().submit(commit) }))
    }

    fn state_of(&self, stream: &StreamId) -> Result<SeriesState, MigrationError> {
        let mut state = SeriesState { series: Series::default(), version: 0, events: Vec::new() };
        for recorded in self.runtime.log().stream(stream, 0)? {
            state.series.apply(stream, &recorded.event);
            state.version = recorded.version;
            state.events.push((recorded.id, recorded.cause == self.batch.header.digest));
        }
        Ok(state)
    }

    fn acknowledge(&mut self, submission: Submission) -> Result<(), MigrationError> {
        match submission.pending.wait() {
            Ok(_) => {}
            Err(AppendError::VersionConflict { stream, .. }) => {
                let reason = format!("{stream}: changed while the batch was being applied");
                return Err(MigrationError::Drift { series: vec![reason], total: 1 });
            }
            Err(other) => return Err(other.into()),
        }
        let mut counts = Counts::default();
        submission.events.iter().for_each(|event| counts.add(&event.event));
        self.report.created += counts.created;
        self.report.linked += counts.linked;
        self.report.adopted += counts.adopted;
        self.report.changed += counts.changed;
        Ok(())
    }
}

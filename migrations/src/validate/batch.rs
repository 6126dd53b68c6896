//! The checks of what the last batch did: the log before it is unchanged, every response has the
//! same content, and the legacy view shows the same. They share one pass over the log.

use std::collections::BTreeSet;

use rollbook_domain::control::BatchState;
use rollbook_domain::series::{LegacySeries, Series};
use rollbook_domain::{Collection, Event, EventRecord, Position, StreamId};
use rollbook_log::Log;
use rollbook_projections::Runtime;

use super::Check;
use crate::batch::short;
use crate::error::MigrationError;
use crate::responses::Responses;

/// The figures of one pass over the log.
pub(super) struct History<'a> {
    batch: Option<&'a BatchState>,
    /// The responses before the batch.
    before: Responses,
    /// The responses now.
    now: Responses,
    /// Assignments that imports added and did not remove.
    imported: u64,
    /// Assignments created by allocation, submission, migration or correction.
    made: u64,
    /// Assignments created by the last batch.
    by_batch: u64,
    /// Assignments withdrawn from clients.
    withdrawn: u64,
    log_digest: String,
    /// Series whose legacy rows were changed by an event of the batch.
    legacy_changed: Vec<String>,
    /// How many series the batch wrote to.
    touched: usize,
}

/// The streams that need a second look.
#[derive(Default)]
struct Streams {
    /// Those that the batch wrote to.
    touched: BTreeSet<StreamId>,
    /// Those with withdrawn assignments or corrections.
    withdrawn_from: BTreeSet<StreamId>,
}

/// Reads the log once in order, and then the streams that matter.
pub(super) fn read<'a>(
    runtime: &Runtime,
    batch: Option<&'a BatchState>,
    at: Position,
) -> Result<History<'a>, MigrationError> {
    let log = runtime.log();
    let base = batch.map_or(at, |batch| batch.base);
    let log_digest = const_hex::encode(log.digest(base)?);
    let mut history = History {
        batch,
        before: Responses::default(),
        now: Responses::default(),
        imported: 0,
        made: 0,
        by_batch: 0,
        withdrawn: 0,
        log_digest,
        legacy_changed: Vec::new(),
        touched: 0,
    };
    let mut streams = Streams::default();
    for commit in log.commits_after(0) {
        for recorded in commit?.into_iter().take_while(|recorded| recorded.position <= at) {
            if recorded.position <= base {
                history.before.fold(&recorded.event);
            }
            history.add(recorded, &mut streams);
        }
    }
    for stream in streams.withdrawn_from {
        let (withdrawn, made) = withdrawn(log, &stream)?;
        history.withdrawn += withdrawn;
        history.made += made;
    }
    history.touched = streams.touched.len();
    if let Some(batch) = batch {
        for stream in streams.touched {
            if let Some(event) = legacy_change(log, &stream, &batch.digest)? {
                history.legacy_changed.push(format!(
                    "{stream}: {event} of the batch changed what the legacy view is made of"
                ));
            }
        }
    }
    Ok(history)
}

impl History<'_> {
    fn add(&mut self, recorded: EventRecord, streams: &mut Streams) {
        self.now.fold(&recorded.event);
        let is_of_batch = self.batch.is_some_and(|batch| batch.digest == recorded.cause);
        if is_of_batch && recorded.stream != StreamId::Control {
            streams.touched.insert(recorded.stream.clone());
        }
        match &recorded.event {
            Event::DocumentImported(document)
                if document.collection == Collection::CheckInAssignments =>
            {
                self.imported += 1;
            }
            Event::DocumentRemoved { collection: Collection::CheckInAssignments, .. } => {
                self.imported = self.imported.saturating_sub(1);
            }
            Event::AssignmentCreated { .. } => {
                self.made += 1;
                self.by_batch += u64::from(is_of_batch);
            }
            // The batch created it, although no view contains it any more.
            Event::Erased(event)
                if is_of_batch && matches!(**event, Event::AssignmentCreated { .. }) =>
            {
                self.by_batch += 1;
            }
            event if changes_stored_weeks(event) => {
                streams.withdrawn_from.insert(recorded.stream);
            }
            _ => {}
        }
    }
}

/// Whether an event withdraws stored weeks, or is a correction, which may create or remove one.
fn changes_stored_weeks(event: &Event) -> bool {
    matches!(
        event,
        Event::SeriesWithdrawn { .. }
            | Event::AssignmentWithdrawn { .. }
            | Event::ResponsePlaced { .. }
            | Event::CorrectionUndone { .. }
    )
}

/// How many stored weeks were withdrawn from a series, and how many corrections created.
fn withdrawn(log: &Log, stream: &StreamId) -> Result<(u64, u64), MigrationError> {
    let mut series = Series::default();
    let (mut withdrawn, mut made) = (0, 0);
    for recorded in log.stream(stream, 0)? {
        let before = series.items.iter().count();
        series.apply(stream, &recorded.event);
        if changes_stored_weeks(&recorded.event) {
            let after = series.items.iter().count();
            withdrawn += before.saturating_sub(after) as u64;
            made += after.saturating_sub(before) as u64;
        }
    }
    Ok((withdrawn, made))
}

/// The first event of the batch that changes the legacy rows of a series. Equal rows give equal
/// views for every client at every instant, so without such an event the view is the same before
/// and after the batch.
fn legacy_change(
    log: &Log,
    stream: &StreamId,
    digest: &str,
) -> Result<Option<&'static str>, MigrationError> {
    let mut series = LegacySeries::default();
    for recorded in log.stream(stream, 0)? {
        if recorded.cause != digest {
            series.apply(stream, &recorded.event);
            continue;
        }
        let before = series.clone();
        series.apply(stream, &recorded.event);
        if series != before {
            return Ok(Some(recorded.event.name()));
        }
    }
    Ok(None)
}

impl History<'_> {
    fn before_text(&self, count: u64) -> String {
        if self.batch.is_some() {
            format!("{count} before the batch")
        } else {
            "no batch was applied yet".to_owned()
        }
    }

    pub(super) fn response_count(&self, in_views: u64) -> Check {
        let (in_log, before) = (self.now.len(), self.before.len());
        let mut findings = Vec::new();
        if in_log != in_views {
            findings.push(format!("the log holds {in_log} responses, the views {in_views}"));
        }
        if let Some(batch) = self.batch.filter(|batch| batch.responses != before) {
            findings.push(format!(
                "{} responses were on record before the batch, the log shows {before}",
                batch.responses
            ));
        }
        Check::new(
            "response-count",
            format!("{in_log} responses, {}", self.before_text(before)),
            findings,
        )
    }

    pub(super) fn assignment_count(&self, in_views: u64) -> Check {
        let expected = (self.imported + self.made).saturating_sub(self.withdrawn);
        let mut findings = Vec::new();
        if expected != in_views {
            findings.push(format!("the log holds {expected} assignments, the views {in_views}"));
        }
        if let Some(batch) = self.batch.filter(|batch| batch.counts.created != self.by_batch) {
            findings.push(format!(
                "the batch made {} assignments, the log shows {}",
                batch.counts.created, self.by_batch
            ));
        }
        let Self { imported, made, withdrawn, .. } = self;
        Check::new(
            "assignment-count",
            format!(
                "{in_views} assignments: {imported} imported, {made} made, {withdrawn} withdrawn"
            ),
            findings,
        )
    }

    pub(super) fn responses_unchanged(&self) -> Check {
        let mut findings: Vec<String> = self
            .before
            .changed_in(&self.now)
            .map(|id| format!("response {id} is not what it was"))
            .collect();
        let digest = self.before.digest();
        if let Some(batch) = self.batch.filter(|batch| batch.responses_digest != digest) {
            findings.push(format!(
                "the responses before the batch have the digest {digest}, on record is {}",
                batch.responses_digest
            ));
        }
        let short = short(&digest);
        Check::new(
            "responses-unchanged",
            format!("{} responses, digest {short}…", self.before.len()),
            findings,
        )
    }

    pub(super) fn legacy_view_unchanged(&self) -> Check {
        let detail = match self.batch {
            Some(_) => {
                format!(
                    "{} series written to, their legacy rows equal before and after: equal answers at every instant",
                    self.touched
                )
            }
            None => "no batch was applied yet".to_owned(),
        };
        Check::new("legacy-view-unchanged", detail, self.legacy_changed.clone())
    }

    pub(super) fn additive_only(&self) -> Check {
        let Some(batch) = self.batch else {
            return Check::new("additive-only", "no batch was applied yet".to_owned(), Vec::new());
        };
        let mut findings = Vec::new();
        if batch.log_digest != self.log_digest {
            findings.push(format!(
                "positions 1 to {} have the digest {}, on record is {}",
                batch.base, self.log_digest, batch.log_digest
            ));
        }
        let short = short(&self.log_digest);
        Check::new(
            "additive-only",
            format!("positions 1 to {} are what they were, digest {short}…", batch.base),
            findings,
        )
    }
}

//! The checks that look at what the last batch did: the log before it is untouched, every response is what it was, and the
//! legacy view saw nothing of it. Owns the pass over the log that these need.

use std::collections::BTreeSet;

use rollbook_domain::control::BatchState;
use rollbook_domain::series::{LegacySeries, Series};
use rollbook_domain::{Collection, Event, Position, StreamId};
use rollbook_log::Log;
use rollbook_projections::Runtime;

use super::Check;
use crate::batch::short;
use crate::error::MigrationError;
use crate::responses::Responses;

/// What a pass over the log saw.
pub(super) struct Seen<'a> {
    batch: Option<&'a BatchState>,
    before: Responses,
    now: Responses,
    /// Assignments that imports brought and did not take away.
    imported: u64,
    /// Assignments made here, by allocation, answer or migration.
    made: u64,
    /// Assignments that the last batch made.
    by_batch: u64,
    /// Assignments taken away from clients.
    withdrawn: u64,
    log_digest: String,
    /// Series whose legacy rows an event of the batch changed.
    legacy_changed: Vec<String>,
    /// Series that the batch wrote to.
    touched: usize,
}

/// Reads the log through, once in order and once by the streams that matter.
pub(super) fn look<'a>(
    runtime: &Runtime,
    batch: Option<&'a BatchState>,
    at: Position,
) -> Result<Seen<'a>, MigrationError> {
    let log = runtime.log();
    let base = batch.map_or(at, |batch| batch.base);
    let log_digest = const_hex::encode(log.digest(base)?);
    let mut seen = Seen {
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
    let (mut touched, mut taken_from) = (BTreeSet::new(), BTreeSet::new());
    for commit in log.commits_after(0) {
        for recorded in commit? {
            if recorded.position > at {
                break;
            }
            if recorded.position <= base {
                seen.before.fold(&recorded.event);
            }
            seen.now.fold(&recorded.event);
            let ours = batch.is_some_and(|batch| batch.digest == recorded.cause);
            if ours && recorded.stream != StreamId::Control && !touched.contains(&recorded.stream) {
                touched.insert(recorded.stream.clone());
            }
            match &recorded.event {
                Event::DocumentImported(document)
                    if document.collection == Collection::CheckInAssignments =>
                {
                    seen.imported += 1
                }
                Event::DocumentRemoved { collection: Collection::CheckInAssignments, .. } => {
                    seen.imported = seen.imported.saturating_sub(1);
                }
                Event::AssignmentCreated { .. } => {
                    seen.made += 1;
                    seen.by_batch += u64::from(ours);
                }
                // The batch made them, though no view holds them any more.
                Event::Erased(event)
                    if ours && matches!(**event, Event::AssignmentCreated { .. }) =>
                {
                    seen.by_batch += 1
                }
                Event::SeriesWithdrawn { .. } | Event::AssignmentWithdrawn { .. } => {
                    taken_from.insert(recorded.stream);
                }
                _ => {}
            }
        }
    }
    for stream in taken_from {
        seen.withdrawn += withdrawn(log, &stream)?;
    }
    seen.touched = touched.len();
    if let Some(batch) = batch {
        for stream in touched {
            if let Some(event) = legacy_change(log, &stream, &batch.digest)? {
                seen.legacy_changed.push(format!(
                    "{stream}: {event} of the batch changed what the legacy view is made of"
                ));
            }
        }
    }
    Ok(seen)
}

/// How many stored weeks were taken away from a series.
fn withdrawn(log: &Log, stream: &StreamId) -> Result<u64, MigrationError> {
    let mut series = Series::default();
    let mut withdrawn = 0;
    for recorded in log.stream(stream, 0)? {
        let before = series.items.iter().count();
        series.apply(stream, &recorded.event);
        if matches!(
            recorded.event,
            Event::SeriesWithdrawn { .. } | Event::AssignmentWithdrawn { .. }
        ) {
            withdrawn += before.saturating_sub(series.items.iter().count()) as u64;
        }
    }
    Ok(withdrawn)
}

/// The first event of the batch that changes the legacy rows of a series. Equal rows are equal answers, for every client and
/// at every instant: so where there is none, the view is the same before and after.
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

impl Seen<'_> {
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
        if let Some(batch) = self.batch.filter(|batch| batch.counts.1 != self.by_batch) {
            findings.push(format!(
                "the batch made {} assignments, the log shows {}",
                batch.counts.1, self.by_batch
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

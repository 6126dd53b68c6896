//! The checks of what the last batch did: the log before it is unchanged, every response has the
//! same content, and the legacy view shows the same. They share one pass over the log.

use std::collections::BTreeSet;

use rollbook_domain::control::BatchState;
use rollbook_domain::series::LegacySeries;
use rollbook_domain::{Collection, Document, Event, EventRecord, Position, StreamId};
use rollbook_log::Log;
use rollbook_projections::Runtime;
use uuid::Uuid;

use super::finding::{Checked, Found};
use super::recount::{Recount, changes_stored_weeks, recount};
use crate::batch::short;
use crate::error::MigrationError;
use crate::kinds::{LegacyEffect, legacy_effect};
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
    /// Weeks changed by the last batch.
    changed_by_batch: u64,
    /// Assignments withdrawn from clients.
    withdrawn: u64,
    /// Imported assignments that are not stored beside others: they became a week that was made
    /// before. An assignment that stays although its document is gone counts against them.
    merged: i64,
    /// Responses that an import changed or removed after the batch.
    changed_by_imports: BTreeSet<String>,
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
    /// Those whose number of stored assignments is not just what was imported and made.
    recounted: BTreeSet<StreamId>,
}

/// Reads the log once in order, and then the streams that matter.
pub(super) fn read<'a>(
    runtime: &Runtime,
    batch: Option<&'a BatchState>,
    at: Position,
    see: &mut dyn FnMut(&EventRecord),
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
        changed_by_batch: 0,
        withdrawn: 0,
        merged: 0,
        changed_by_imports: BTreeSet::new(),
        log_digest,
        legacy_changed: Vec::new(),
        touched: 0,
    };
    let mut streams = Streams::default();
    for commit in log.commits_after(0) {
        for recorded in commit?.into_iter().take_while(|recorded| recorded.position <= at) {
            see(&recorded);
            if recorded.position <= base {
                history.before.fold(&recorded.event);
            }
            history.add(recorded, base, &mut streams);
        }
    }
    for stream in streams.recounted {
        let Recount { withdrawn, corrected, merged } = recount(log, &stream, at)?;
        history.withdrawn += withdrawn;
        history.made += corrected;
        history.merged += merged;
    }
    history.touched = streams.touched.len();
    if let Some(batch) = batch {
        let effect = legacy_effect(&batch.kind);
        for stream in streams.touched {
            if let Some(event) = legacy_change(log, &stream, &batch.digest, effect)? {
                let more = match effect {
                    LegacyEffect::Nothing => "",
                    LegacyEffect::ItsField => "more than its field of its week in ",
                };
                history.legacy_changed.push(format!(
                    "{stream}: {event} of the batch changed {more}what the legacy view is made of"
                ));
            }
        }
        let (record, log) = (batch.counts.changed, history.changed_by_batch);
        if record != log {
            history
                .legacy_changed
                .push(format!("the batch changed {record} weeks, the log shows {log}"));
        }
    }
    Ok(history)
}

impl History<'_> {
    fn add(&mut self, recorded: EventRecord, base: Position, streams: &mut Streams) {
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
                // An export of this store has the weeks that were made here under their own ids.
                if Uuid::parse_str(&document.id).is_ok() {
                    streams.recounted.insert(recorded.stream);
                }
            }
            Event::DocumentRemoved { collection: Collection::CheckInAssignments, .. } => {
                self.imported = self.imported.saturating_sub(1);
                streams.recounted.insert(recorded.stream);
            }
            // An export of this store has the responses that were submitted here.
            Event::DocumentImported(Document {
                collection: Collection::FormResponses, id, ..
            }) if recorded.position > base && self.now.is_submitted(id) => {
                self.changed_by_imports.insert(id.clone());
            }
            Event::DocumentChanged(Document { collection, id, .. })
            | Event::DocumentRemoved { collection, id }
                if *collection == Collection::FormResponses && recorded.position > base =>
            {
                self.changed_by_imports.insert(id.clone());
            }
            event if is_change(event) => {
                self.changed_by_batch += u64::from(is_of_batch);
                if changes_stored_weeks(event) {
                    streams.recounted.insert(recorded.stream);
                }
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
            Event::Erased(event) if is_of_batch && is_change(event) => {
                self.changed_by_batch += 1;
            }
            event if changes_stored_weeks(event) => {
                streams.recounted.insert(recorded.stream);
            }
            _ => {}
        }
    }
}

/// Whether an event changes a field of a week.
fn is_change(event: &Event) -> bool {
    match event {
        Event::AssignmentRescheduled { .. } | Event::WindowChanged { .. } => true,
        Event::WeekNumberSet(setting) => setting.correction.is_none(),
        _ => false,
    }
}

/// The first event of the batch that changes more of the legacy rows of a series than its kind may.
/// Equal rows give equal views for every client at every instant, so without such an event the view
/// is the same before and after the batch, except for what the kind may change.
fn legacy_change(
    log: &Log,
    stream: &StreamId,
    digest: &str,
    effect: LegacyEffect,
) -> Result<Option<&'static str>, MigrationError> {
    let mut series = LegacySeries::default();
    for recorded in log.stream(stream, 0)? {
        if recorded.cause != digest {
            series.apply(stream, &recorded.event);
            continue;
        }
        let before = series.clone();
        series.apply(stream, &recorded.event);
        let is_allowed = match (effect, &recorded.event) {
            (LegacyEffect::ItsField, Event::AssignmentRescheduled { run, week, due }) => {
                series.is_rescheduled(&before, *run, *week, *due)
            }
            (LegacyEffect::ItsField, Event::WindowChanged { run, week, window }) => {
                series.has_new_window(&before, *run, *week, window.as_ref())
            }
            (LegacyEffect::ItsField, Event::WeekNumberSet(setting)) => {
                series.is_renumbered(&before, setting)
            }
            _ => series == before,
        };
        if !is_allowed {
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

    pub(super) fn response_count(&self, in_views: u64) -> Checked {
        let (in_log, before) = (self.now.len(), self.before.len());
        let in_views = in_views.saturating_sub(self.now.submitted_and_imported());
        let mut findings = Vec::<Found>::new();
        if in_log != in_views {
            findings.push(Found {
                // Later responses change both counts, and not what is wrong.
                facts: format!("{} responses more than in the views", difference(in_log, in_views)),
                ..Found::from(format!("the log holds {in_log} responses, the views {in_views}"))
            });
        }
        if let Some(batch) = self.batch.filter(|batch| batch.responses != before) {
            findings.push(Found::from(format!(
                "{} responses were on record before the batch, the log shows {before}",
                batch.responses
            )));
        }
        Checked::new(
            "response-count",
            format!("{in_log} responses, {}", self.before_text(before)),
            findings,
        )
    }

    pub(super) fn assignment_count(&self, in_views: u64) -> Checked {
        let expected = (self.imported + self.made)
            .saturating_sub(self.withdrawn)
            .saturating_add_signed(self.merged.saturating_neg());
        let mut findings = Vec::new();
        if expected != in_views {
            findings.push(Found {
                facts: format!(
                    "{} assignments more than in the views",
                    difference(expected, in_views)
                ),
                ..Found::from(format!("the log holds {expected} assignments, the views {in_views}"))
            });
        }
        if let Some(batch) = self.batch.filter(|batch| batch.counts.created != self.by_batch) {
            findings.push(Found::from(format!(
                "the batch made {} assignments, the log shows {}",
                batch.counts.created, self.by_batch
            )));
        }
        let Self { imported, made, withdrawn, .. } = self;
        let merged = match self.merged {
            0 => String::new(),
            merged @ 1.. => format!(", {merged} adopted"),
            kept => format!(", {} kept without a document", kept.saturating_neg()),
        };
        Checked::new(
            "assignment-count",
            format!(
                "{in_views} assignments: {imported} imported, {made} made, {withdrawn} withdrawn{merged}"
            ),
            findings,
        )
    }

    pub(super) fn responses_unchanged(&self) -> Checked {
        let mut findings: Vec<String> = self
            .before
            .changed_in(&self.now)
            .filter(|id| !self.changed_by_imports.contains(*id))
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
        let by_imports = match self.changed_by_imports.len() {
            0 => String::new(),
            changed => format!("; later imports changed or removed {changed}"),
        };
        Checked::new(
            "responses-unchanged",
            format!("{} responses, digest {short}…{by_imports}", self.before.len()),
            findings,
        )
    }

    pub(super) fn legacy_view_unchanged(&self) -> Checked {
        let detail = match self.batch {
            Some(batch) if legacy_effect(&batch.kind) == LegacyEffect::ItsField => {
                format!(
                    "{} series written to, their legacy rows equal before and after except for the {} weeks that the batch changes",
                    self.touched, self.changed_by_batch
                )
            }
            Some(_) => {
                format!(
                    "{} series written to, their legacy rows equal before and after: equal answers at every instant",
                    self.touched
                )
            }
            None => "no batch was applied yet".to_owned(),
        };
        Checked::new("legacy-view-unchanged", detail, self.legacy_changed.clone())
    }

    pub(super) fn additive_only(&self) -> Checked {
        let Some(batch) = self.batch else {
            return Checked::new(
                "additive-only",
                "no batch was applied yet".to_owned(),
                Vec::<Found>::new(),
            );
        };
        let mut findings = Vec::new();
        if batch.log_digest != self.log_digest {
            findings.push(format!(
                "positions 1 to {} have the digest {}, on record is {}",
                batch.base, self.log_digest, batch.log_digest
            ));
        }
        let short = short(&self.log_digest);
        Checked::new(
            "additive-only",
            format!("positions 1 to {} are what they were, digest {short}…", batch.base),
            findings,
        )
    }
}

fn difference(log: u64, views: u64) -> i128 {
    i128::from(log) - i128::from(views)
}

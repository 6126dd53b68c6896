//! Applying a batch: the same file on staging and on production, with the same ids. Owns that nothing is written when a series
//! drifted, that what is there is skipped and counted, and that a run that was cut off goes on where it stopped.

use std::collections::{HashSet, VecDeque};

use rollbook_domain::control::Control;
use rollbook_domain::event::LinkKind;
use rollbook_domain::series::{Series, event_id};
use rollbook_domain::{Actor, Event, NewEvent, StreamId, Timestamp};
use rollbook_log::{AppendError, Commit, Committed, ExpectedVersion, IdempotencyKey, Log, Pending};
use rollbook_projections::Runtime;
use rollbook_projections::tracker::{self, Tracker};
use rollbook_projections::views::{self, PrecreatedView};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::batch::{Batch, Counts, short};
use crate::error::MigrationError;
use crate::plan::zone;
use crate::precreate::{Rules, plan_series};
use crate::responses::Responses;

/// What applying did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// The batch's digest.
    pub digest: String,
    /// Series that the migration is about.
    pub series: u64,
    /// Weeks created now.
    pub created: u64,
    /// Responses linked now.
    pub linked: u64,
    /// Responses adopted now.
    pub adopted: u64,
    /// Events of the batch that were there already.
    pub skipped: u64,
    /// The head of the log afterwards.
    pub head: u64,
}

/// What a caller may watch and stop.
pub struct Watch<'a> {
    /// Called with (events done, events to do).
    pub progress: &'a (dyn Fn(u64, u64) + Sync),
    /// Asked between series; `true` stops.
    pub interrupted: &'a (dyn Fn() -> bool + Sync),
}

/// How many series may wait for the log's answer.
const SERIES_AHEAD: usize = 256;
/// How many drifted series an error names.
const DRIFTED_NAMED: usize = 20;

/// Applies a batch to a store.
///
/// # Errors
/// [`MigrationError::Drift`] and its like when the store is not what the batch was planned from: then nothing was written.
/// [`MigrationError::Interrupted`] when `watch` asked for it; applying the same file again goes on.
pub fn apply(
    runtime: &Runtime,
    batch: &Batch,
    now: Timestamp,
    watch: &Watch<'_>,
) -> Result<Applied, MigrationError> {
    apply_under(runtime, batch, now, None, watch)
}

/// The same under a caller's key: the batch's first event takes it, so that no other batch can be applied under it.
///
/// # Errors
/// As [`apply`]; [`AppendError::KeyReused`] when the key was another request's.
pub fn apply_under(
    runtime: &Runtime,
    batch: &Batch,
    now: Timestamp,
    key: Option<IdempotencyKey>,
    watch: &Watch<'_>,
) -> Result<Applied, MigrationError> {
    if let Some(key) = &key {
        not_anothers(runtime.log(), key)?;
    }
    let mut applying = Applying::admit(runtime, batch, now)?;
    let missing = applying.check_drift()?;
    if applying.is_through() && missing == 0 {
        applying.done.skipped = batch.header.counts.events;
    } else {
        applying.begin(key)?;
        applying.append_all(watch)?;
        applying.finish()?;
    }
    runtime.catch_up(watch.progress)?;
    applying.done.head = runtime.log().head();
    Ok(applying.done)
}

/// Refuses a key that is another request's before anything is looked at: it has one answer, whatever the batch is.
fn not_anothers(log: &Log, key: &IdempotencyKey) -> Result<(), MigrationError> {
    match log.requested_under(&key.key)? {
        Some((request, Committed { first, last, .. })) if request != key.request => {
            Err(AppendError::KeyReused { key: key.key.clone(), first, last }.into())
        }
        _ => Ok(()),
    }
}

struct Applying<'a> {
    runtime: &'a Runtime,
    batch: &'a Batch,
    now: Timestamp,
    rules: Rules,
    control: Control,
    done: Applied,
    /// Events that others had appended before this batch came.
    foreign: Counts,
}

impl<'a> Applying<'a> {
    fn admit(
        runtime: &'a Runtime,
        batch: &'a Batch,
        now: Timestamp,
    ) -> Result<Self, MigrationError> {
        let snapshot = runtime.snapshot()?;
        let (rows, position) = snapshot.rows::<Tracker>()?;
        if position == 0 {
            return Err(MigrationError::NothingImported);
        }
        let control = tracker::control(&rows)?;
        let zone = zone(&snapshot)?;
        let header = &batch.header;
        if header.rules.zone != zone.to_string() {
            return Err(MigrationError::Zone {
                batch: header.rules.zone.clone(),
                store: zone.to_string(),
            });
        }
        let unfinished = control
            .batches
            .iter()
            .find(|other| other.applied_at.is_none() && other.digest != header.digest);
        if let Some(unfinished) = unfinished {
            return Err(MigrationError::Unfinished { digest: unfinished.digest.clone() });
        }
        let done = Applied {
            digest: header.digest.clone(),
            series: header.counts.series,
            ..Applied::default()
        };
        let rules = Rules { due: header.rules.due, zone };
        Ok(Self { runtime, batch, now, rules, control, done, foreign: Counts::default() })
    }

    fn is_through(&self) -> bool {
        self.control
            .batches
            .iter()
            .any(|batch| batch.digest == self.batch.header.digest && batch.applied_at.is_some())
    }

    /// Compares every series with what the batch says of it; how many events are missing.
    fn check_drift(&mut self) -> Result<u64, MigrationError> {
        let mut drifted = Vec::new();
        let mut missing = 0;
        let mut named = HashSet::new();
        let has_others =
            self.control.batches.iter().any(|other| other.digest != self.batch.header.digest);
        let snapshot = self.runtime.snapshot()?;
        let (rows, _) = snapshot.rows::<PrecreatedView>()?;
        self.batch.each_stream(&mut |events| {
            let Some(stream) = events.first().map(|event| event.stream.clone()) else {
                return Ok(());
            };
            let row = rollbook_projections::rows::read_row(&rows, &views::keys::series(&stream))?;
            let series: Series = row.unwrap_or_default();
            if !named.insert(stream.clone()) {
                drifted.push(format!("{stream}: stands in two places of the file"));
            }
            // Nothing is recorded of an erased client: their weeks are neither missing nor drift.
            if self.runtime.log().is_erased(&stream) {
                return Ok(());
            }
            if has_others && let Some(why) = self.made_otherwise(&events)? {
                drifted.push(format!("{stream}: {why}"));
                return Ok(());
            }
            match remaining(&stream, &series, events, &self.rules) {
                Ok(remaining) => missing += remaining.len() as u64,
                Err(why) => drifted.push(format!("{stream}: {why}")),
            }
            Ok(())
        })?;
        views::each_series(&rows, &mut |stream, series: Series| {
            if !named.contains(&stream) {
                let plan = plan_series(&stream, &series, &self.rules);
                if !plan.events.is_empty() {
                    drifted.push(format!(
                        "{stream}: lacks {} events that the batch does not have",
                        plan.events.len()
                    ));
                }
            }
            Ok(())
        })?;
        if drifted.is_empty() {
            return Ok(missing);
        }
        let total = drifted.len();
        drifted.truncate(DRIFTED_NAMED);
        Err(MigrationError::Drift { series: drifted, total })
    }

    /// The first event that another batch put on record under the same id, with other content: another due, say.
    fn made_otherwise(&self, events: &[NewEvent]) -> Result<Option<String>, MigrationError> {
        for event in events {
            let Some(recorded) =
                event.id.map(|id| self.runtime.log().event(id)).transpose()?.flatten()
            else {
                continue;
            };
            let is_anothers = matches!(&recorded.actor, Actor::Migration(digest) if *digest != self.batch.header.digest);
            if is_anothers && recorded.event != event.event {
                return Ok(Some(format!(
                    "batch {} made it otherwise; this one has {}",
                    short(&recorded.cause),
                    describe(event)
                )));
            }
        }
        Ok(None)
    }

    fn key(&self, part: &str) -> IdempotencyKey {
        let digest = &self.batch.header.digest;
        IdempotencyKey {
            key: format!("batch/{digest}/{part}"),
            request: Sha256::digest(digest.as_bytes()).into(),
        }
    }

    fn commit(
        &self,
        part: &str,
        events: Vec<NewEvent>,
        expected: Vec<(StreamId, ExpectedVersion)>,
    ) -> Commit {
        let digest = self.batch.header.digest.clone();
        Commit {
            events,
            expected,
            actor: Actor::Migration(digest.clone()),
            cause: digest,
            key: Some(self.key(part)),
        }
    }

    fn control_id(&self, part: &str) -> Uuid {
        event_id(&StreamId::Control, &[part, &self.batch.header.digest])
    }

    fn append_control(
        &self,
        part: &str,
        event: Event,
        key: Option<IdempotencyKey>,
    ) -> Result<(), MigrationError> {
        let event = NewEvent {
            stream: StreamId::Control,
            id: Some(self.control_id(part)),
            occurred_at: self.now,
            event,
        };
        let mut commit = self.commit(part, vec![event], Vec::new());
        commit.key = key.or(commit.key);
        self.runtime.log().append(commit)?;
        Ok(())
    }

    /// Puts on record what the log was before the batch: what the checks compare with.
    fn begin(&self, key: Option<IdempotencyKey>) -> Result<(), MigrationError> {
        let log = self.runtime.log();
        if log.event(self.control_id("planned"))?.is_some() {
            return Ok(());
        }
        let base = log.head();
        let responses = Responses::at(log, base)?;
        self.append_control(
            "planned",
            Event::BatchPlanned {
                digest: self.batch.header.digest.clone(),
                kind: self.batch.header.kind.clone(),
                rules: self.batch.header.rules.to_line(),
                base,
                log_digest: const_hex::encode(log.digest(base)?),
                responses_digest: responses.digest(),
                responses: responses.len(),
            },
            key,
        )
    }

    /// Appends each series' missing events as one commit. The log answers a group at a time; a few series wait meanwhile.
    fn append_all(&mut self, watch: &Watch<'_>) -> Result<(), MigrationError> {
        let batch = self.batch;
        let total = batch.header.counts.events;
        let mut waiting: VecDeque<(Vec<NewEvent>, Pending)> = VecDeque::new();
        batch.each_stream(&mut |events| {
            if (watch.interrupted)() {
                return Err(MigrationError::Interrupted);
            }
            if let Some(pending) = self.submit(events)? {
                waiting.push_back(pending);
            }
            if waiting.len() >= SERIES_AHEAD
                && let Some((events, pending)) = waiting.pop_front()
            {
                self.settle(events, pending)?;
            }
            (watch.progress)(
                self.done.created + self.done.linked + self.done.adopted + self.done.skipped,
                total,
            );
            Ok(())
        })?;
        for (events, pending) in waiting {
            self.settle(events, pending)?;
        }
        Ok(())
    }

    /// Decides on the series as the log has it now, and hands the commit over.
    fn submit(
        &mut self,
        events: Vec<NewEvent>,
    ) -> Result<Option<(Vec<NewEvent>, Pending)>, MigrationError> {
        let Some(stream) = events.first().map(|event| event.stream.clone()) else {
            return Ok(None);
        };
        let log = self.runtime.log();
        let (mut series, mut version) = (Series::default(), 0);
        let mut causes: Vec<(Uuid, bool)> = Vec::new();
        for recorded in log.stream(&stream, 0)? {
            series.apply(&stream, &recorded.event);
            version = recorded.version;
            causes.push((recorded.id, recorded.cause == self.batch.header.digest));
        }
        for event in &events {
            if let Some((_, ours)) = causes.iter().find(|(id, _)| Some(*id) == event.id) {
                self.done.skipped += 1;
                if !ours {
                    count(&mut self.foreign, event);
                }
            }
        }
        if log.is_erased(&stream) {
            let never =
                events.iter().filter(|event| !causes.iter().any(|(id, _)| Some(*id) == event.id));
            never.for_each(|event| {
                self.done.skipped += 1;
                count(&mut self.foreign, event);
            });
            return Ok(None);
        }
        let missing = remaining(&stream, &series, events, &self.rules).map_err(|why| {
            MigrationError::Drift { series: vec![format!("{stream}: {why}")], total: 1 }
        })?;
        if missing.is_empty() {
            return Ok(None);
        }
        let expected = vec![(stream.clone(), ExpectedVersion::Exact(version))];
        let pending = log.submit(self.commit(&stream.to_string(), missing.clone(), expected));
        Ok(Some((missing, pending)))
    }

    fn settle(&mut self, events: Vec<NewEvent>, pending: Pending) -> Result<(), MigrationError> {
        match pending.wait() {
            Ok(_) => {}
            Err(AppendError::VersionConflict { stream, .. }) => {
                let why =
                    format!("{stream}: changed while the batch was applied; apply the file again");
                return Err(MigrationError::Drift { series: vec![why], total: 1 });
            }
            Err(other) => return Err(other.into()),
        }
        let mut counts = Counts::default();
        events.iter().for_each(|event| count(&mut counts, event));
        self.done.created += counts.created;
        self.done.linked += counts.linked;
        self.done.adopted += counts.adopted;
        Ok(())
    }

    /// Puts on record that the batch is through. The figures are the batch's, so that a run that was cut off leaves the same
    /// record as one that was not.
    fn finish(&self) -> Result<(), MigrationError> {
        let (all, foreign) = (&self.batch.header.counts, &self.foreign);
        self.append_control(
            "applied",
            Event::BatchApplied {
                digest: self.batch.header.digest.clone(),
                series: all.series,
                created: all.created - foreign.created,
                linked: all.linked - foreign.linked,
                adopted: all.adopted - foreign.adopted,
                skipped: foreign.events,
            },
            None,
        )
    }
}

fn count(counts: &mut Counts, event: &NewEvent) {
    counts.events += 1;
    match event.event {
        Event::AssignmentCreated { .. } => counts.created += 1,
        Event::ResponseLinked { kind: LinkKind::Linked, .. } => counts.linked += 1,
        _ => counts.adopted += 1,
    }
}

/// What of a series' batch is not there yet; or why the series is not what the batch was planned from.
///
/// The measure is the plan itself: what is not there must be exactly what planning this series would give now. So an answer
/// that came since planning is no drift, and a base that moved, was renamed or is gone is.
fn remaining(
    stream: &StreamId,
    series: &Series,
    events: Vec<NewEvent>,
    rules: &Rules,
) -> Result<Vec<NewEvent>, String> {
    let is_there = |event: &NewEvent| match &event.event {
        Event::AssignmentCreated { assignment, run, week, .. } => {
            let document = assignment.to_string();
            series.is_withdrawn(*run, *week)
                || series.items.of_week(*run, *week).any(|item| item.stored.document == document)
        }
        Event::ResponseLinked { response, .. } => series.linked.contains_key(response),
        _ => false,
    };
    let missing: Vec<NewEvent> = events.into_iter().filter(|event| !is_there(event)).collect();
    let planned = plan_series(stream, series, rules).events;
    if missing == planned {
        return Ok(missing);
    }
    let differing = missing.iter().zip(&planned).find(|(batch, store)| batch != store);
    Err(match differing {
        Some((batch, store)) if batch.id == store.id => {
            format!("{} differs in its content", describe(batch))
        }
        Some((batch, store)) => {
            format!("the batch has {}, the store wants {}", describe(batch), describe(store))
        }
        None => format!(
            "the batch has {} events for it, the store wants {}",
            missing.len(),
            planned.len()
        ),
    })
}

fn describe(event: &NewEvent) -> String {
    match &event.event {
        Event::AssignmentCreated { run, week, due, .. } => {
            format!("week {week} of run {run}, due {due}")
        }
        Event::ResponseLinked { response, week, .. } => {
            format!("response {response} linked to week {week}")
        }
        other => other.name().to_owned(),
    }
}

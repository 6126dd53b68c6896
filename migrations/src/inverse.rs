//! The migration `inverse`: it undoes a batch that changed weeks, week by week, where nothing
//! changed since. Source: `docs/migrations/inverse.md`.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_domain::calendar::Zone;
use rollbook_domain::control::{BatchState, Control};
use rollbook_domain::series::{Series, event_id};
use rollbook_domain::{Event, JsonText, NewEvent, StreamId, Timestamp};
use rollbook_log::Log;
use rollbook_projections::Runtime;
use rollbook_projections::tracker::{self, Tracker};

use crate::definition::{Definition, Obstacle, SeriesPlan};
use crate::error::MigrationError;
use crate::realign::{is_rescheduled, open_due, week_of};
use crate::rules::Inversion;
use crate::window::has_window;

/// The definition of the migration, with what the batch changed.
#[derive(Clone, Debug)]
pub(crate) struct Inverse {
    options: Inversion,
    zone: Zone,
    changes: BTreeMap<StreamId, Vec<WeekChanged>>,
}

/// A week that the batch changed.
#[derive(Clone, Debug)]
struct WeekChanged {
    run: u32,
    week: u32,
    change: Change,
}

/// The field that changed, before and after.
#[derive(Clone, Debug)]
enum Change {
    Due(Timestamp, Timestamp),
    Window(Option<JsonText>, Option<JsonText>),
}

impl Inverse {
    /// Reads what a batch changed.
    ///
    /// # Errors
    /// [`MigrationError::NoSuchBatch`], [`MigrationError::NoInverse`], or if the log cannot be read.
    pub(crate) fn read(
        options: &Inversion,
        zone: Zone,
        runtime: &Runtime,
    ) -> Result<Self, MigrationError> {
        let snapshot = runtime.snapshot()?;
        let control = tracker::control(&snapshot.rows::<Tracker>()?.0)?;
        let batch = applied(&control, &options.of)?;
        let mut changes = BTreeMap::new();
        for stream in streams_of(runtime.log(), batch)? {
            let of_stream = changes_of(runtime.log(), &stream, &batch.digest, zone)?;
            if !of_stream.is_empty() {
                changes.insert(stream, of_stream);
            }
        }
        if changes.is_empty() {
            let (digest, kind) = (batch.digest.clone(), batch.kind.clone());
            return Err(MigrationError::NoInverse { digest, kind });
        }
        let options = Inversion { of: batch.digest.clone(), at: options.at };
        Ok(Self { options, zone, changes })
    }
}

/// The digest of the only completely applied batch whose digest begins with `digits`.
///
/// # Errors
/// [`MigrationError::NoSuchBatch`].
pub(crate) fn resolve(control: &Control, digits: &str) -> Result<String, MigrationError> {
    applied(control, digits).map(|batch| batch.digest.clone())
}

fn applied<'a>(control: &'a Control, digits: &str) -> Result<&'a BatchState, MigrationError> {
    let is_meant = |batch: &&BatchState| {
        batch.applied_at.is_some() && !digits.is_empty() && batch.digest.starts_with(digits)
    };
    let mut found = control.batches.iter().filter(is_meant);
    match (found.next(), found.next()) {
        (Some(batch), None) => Ok(batch),
        _ => Err(MigrationError::NoSuchBatch { digest: digits.to_owned() }),
    }
}

/// The series that a batch wrote to.
fn streams_of(log: &Log, batch: &BatchState) -> Result<BTreeSet<StreamId>, MigrationError> {
    let last = batch.applied_at.unwrap_or_default();
    let mut streams = BTreeSet::new();
    for commit in log.commits_after(batch.base) {
        let commit = commit?;
        if commit.first().is_some_and(|first| first.position > last) {
            break;
        }
        for recorded in commit {
            if recorded.cause == batch.digest && recorded.stream != StreamId::Control {
                streams.insert(recorded.stream);
            }
        }
    }
    Ok(streams)
}

fn changes_of(
    log: &Log,
    stream: &StreamId,
    digest: &str,
    zone: Zone,
) -> Result<Vec<WeekChanged>, MigrationError> {
    let (mut series, mut changes) = (Series::default(), Vec::new());
    for recorded in log.stream(stream, 0)? {
        if recorded.cause == digest {
            changes.extend(week_changed(&series, zone, &recorded.event));
        }
        series.apply(stream, &recorded.event);
    }
    Ok(changes)
}

/// What an event changes in a series.
fn week_changed(series: &Series, zone: Zone, event: &Event) -> Option<WeekChanged> {
    match event {
        Event::AssignmentRescheduled { run, week, due } => {
            let from = *week_of(series, zone, *run, *week)?.due.value()?;
            Some(WeekChanged { run: *run, week: *week, change: Change::Due(from, *due) })
        }
        Event::WindowChanged { run, week, window } => {
            let from = week_of(series, zone, *run, *week)?.window.clone();
            let change = Change::Window(from, window.clone());
            Some(WeekChanged { run: *run, week: *week, change })
        }
        _ => None,
    }
}

/// Whether a week can be restored.
enum Restore {
    /// By this event.
    By(Event),
    /// It is restored already.
    Done,
    /// It changed since the batch.
    Changed,
}

impl Inverse {
    fn restore(&self, series: &Series, changed: &WeekChanged) -> Restore {
        let (run, week) = (changed.run, changed.week);
        match &changed.change {
            Change::Due(from, to) => match open_due(series, self.zone, run, week) {
                Some(due) if due == *from => Restore::Done,
                Some(due) if due == *to && !series.asked_to_reopen.contains(&(run, week)) => {
                    Restore::By(Event::AssignmentRescheduled { run, week, due: *from })
                }
                _ => Restore::Changed,
            },
            Change::Window(from, to) => match week_of(series, self.zone, run, week) {
                Some(stored) if stored.window == *from => Restore::Done,
                Some(stored) if stored.window == *to => {
                    Restore::By(Event::WindowChanged { run, week, window: from.clone() })
                }
                _ => Restore::Changed,
            },
        }
    }
}

impl Definition for Inverse {
    fn plan_series(&self, stream: &StreamId, series: &Series) -> SeriesPlan {
        let mut plan = SeriesPlan::default();
        for changed in self.changes.get(stream).into_iter().flatten() {
            plan.concerned = true;
            let (run, week) = (changed.run, changed.week);
            match self.restore(series, changed) {
                Restore::By(event) => {
                    let Inversion { of, at } = &self.options;
                    let [of_run, number, at_text] =
                        [run.to_string(), week.to_string(), at.to_string()];
                    let parts = ["restored", of, &of_run, &number, &at_text];
                    plan.events.push(NewEvent {
                        stream: stream.clone(),
                        id: Some(event_id(stream, &parts)),
                        occurred_at: *at,
                        event,
                    });
                }
                Restore::Done => {}
                Restore::Changed => plan.obstacles.push(Obstacle::ChangedSince { run, week }),
            }
        }
        plan
    }

    fn is_present(&self, series: &Series, event: &Event) -> bool {
        is_rescheduled(series, self.zone, event) || has_window(series, self.zone, event)
    }
}

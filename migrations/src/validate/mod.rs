//! Validation: the twelve named checks, run on the store as it is and put on record. Owns their names, their order and the
//! report; `weeks` looks at every series, `batch` at what the last batch did, `parity` at both views.

mod batch;
mod weeks;

use std::borrow::Cow;

use rollbook_domain::control::{BatchState, Control};
use rollbook_domain::event::CheckOutcome;
use rollbook_domain::series::event_id;
use rollbook_domain::{Actor, Event, NewEvent, Position, StreamId, Timestamp};
use rollbook_log::{Commit, IdempotencyKey};
use rollbook_projections::directory::Directory;
use rollbook_projections::tracker::{self, Tracker};
use rollbook_projections::views::{LegacyView, PrecreatedView};
use rollbook_projections::{Runtime, Snapshot};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::apply::Watch;
use crate::error::MigrationError;
use crate::parity::{BothRows, ParityReport, ParityRules, Unexplained, compare};
use crate::plan::zone;
use crate::precreate::DueRule;

/// The checks, in their order.
pub const CHECKS: [&str; 12] = [
    "response-count",
    "assignment-count",
    "response-links",
    "assignment-links",
    "week-consistency",
    "series-have-week-1",
    "responses-unchanged",
    "legacy-view-unchanged",
    "no-duplicate-weeks",
    "weeks-complete",
    "additive-only",
    "parity-explained",
];

/// One check, with everything it names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Whether it holds.
    pub green: bool,
    /// What was seen, in one line.
    pub detail: String,
    /// What it names when it does not hold.
    pub findings: Vec<String>,
}

impl Check {
    fn new(name: &'static str, detail: String, findings: Vec<String>) -> Self {
        let green = findings.is_empty();
        let detail =
            if green { detail } else { format!("{} found; wanted: {detail}", findings.len()) };
        Self { name: Cow::Borrowed(name), green, detail, findings }
    }
}

/// All checks on one state of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validation {
    /// The batch that was applied last; empty when there is none.
    pub digest: String,
    /// The head that was looked at.
    pub at: Position,
    /// The checks, in their order.
    pub checks: Vec<Check>,
}

impl Validation {
    /// How many checks hold.
    pub fn green(&self) -> usize {
        self.checks.iter().filter(|check| check.green).count()
    }

    /// Whether every check holds.
    pub fn all_green(&self) -> bool {
        self.green() == self.checks.len()
    }
}

/// Runs the checks and puts the outcome on record.
///
/// # Errors
/// When the store cannot be read or the record not appended. A red check is no error.
pub fn validate(
    runtime: &Runtime,
    overdue_after_milliseconds: i64,
    now: Timestamp,
    watch: &Watch<'_>,
) -> Result<Validation, MigrationError> {
    validate_under(runtime, overdue_after_milliseconds, now, None, watch)
}

/// The same, on record under a caller's key.
///
/// # Errors
/// As [`validate`]; when the key was another request's.
pub fn validate_under(
    runtime: &Runtime,
    overdue_after_milliseconds: i64,
    now: Timestamp,
    key: Option<IdempotencyKey>,
    watch: &Watch<'_>,
) -> Result<Validation, MigrationError> {
    runtime.catch_up(watch.progress)?;
    let snapshot = runtime.snapshot()?;
    let (rows, at) = snapshot.rows::<Tracker>()?;
    let control = tracker::control(&rows)?;
    if at == 0 {
        return Err(MigrationError::NothingImported);
    }
    let last = control.last_applied();
    let mut weeks = weeks::look(&snapshot)?;
    let seen = batch::look(runtime, last, at)?;
    let parity = parity(&snapshot, &control, overdue_after_milliseconds, watch)?;
    let mut checks =
        vec![seen.response_count(weeks.responses), seen.assignment_count(weeks.assignments)];
    checks.extend(weeks.checks());
    checks.extend([seen.responses_unchanged(), seen.legacy_view_unchanged()]);
    checks.extend(weeks.completeness());
    checks.extend([seen.additive_only(), parity_explained(&parity)]);
    let digest = last.map(|batch| batch.digest.clone()).unwrap_or_default();
    let validation = Validation { digest, at, checks };
    record(runtime, &validation, &parity, now, key)?;
    Ok(validation)
}

/// Compares both views of every client, at every instant at which they may change.
///
/// # Errors
/// When the rows cannot be read.
pub fn parity(
    snapshot: &Snapshot,
    control: &Control,
    overdue_after_milliseconds: i64,
    watch: &Watch<'_>,
) -> Result<ParityReport, MigrationError> {
    let (directory, _) = snapshot.rows::<Directory>()?;
    let (legacy, _) = snapshot.rows::<LegacyView>()?;
    let (precreated, _) = snapshot.rows::<PrecreatedView>()?;
    let due = if control.last_applied().is_some_and(weekday) {
        DueRule::Weekday
    } else {
        DueRule::Monday
    };
    let rules = ParityRules { overdue_after_milliseconds, due, zone: zone(snapshot)? };
    let both = BothRows { directory: &directory, legacy: &legacy, precreated: &precreated };
    Ok(compare(both, &rules, watch.progress)?)
}

fn weekday(batch: &BatchState) -> bool {
    batch.rules.split(' ').any(|rule| rule == "due=weekday")
}

fn parity_explained(parity: &ParityReport) -> Check {
    let differences: u64 = parity.differences.values().sum();
    let detail = format!(
        "{} clients at {} instants: {differences} differences explained, {} not",
        parity.clients, parity.instants, parity.unexplained_total
    );
    let name = |found: &Unexplained| {
        let Unexplained { client, at, form, run, week, what } = found;
        format!("client {client}, form {form}, run {run}, week {week}, from {at}: {what}")
    };
    let findings = parity.unexplained.iter().map(name).collect();
    Check::new("parity-explained", detail, findings)
}

/// One line a check on record; what a check names is in the report, and found again by running it.
fn record(
    runtime: &Runtime,
    validation: &Validation,
    parity: &ParityReport,
    now: Timestamp,
    key: Option<IdempotencyKey>,
) -> Result<(), MigrationError> {
    let outcome = |check: &Check| CheckOutcome {
        name: check.name.clone().into_owned(),
        green: check.green,
        detail: check.detail.clone(),
    };
    let Validation { digest, at, checks } = validation;
    let recorded = Event::ValidationRecorded {
        digest: digest.clone(),
        at: *at,
        checks: checks.iter().map(outcome).collect(),
    };
    let cause = Uuid::now_v7().to_string();
    let events = [parity_event(*at, parity), recorded].into_iter().map(|event| {
        let id = Some(event_id(&StreamId::Control, &[event.name(), &cause]));
        NewEvent { stream: StreamId::Control, id, occurred_at: now, event }
    });
    let actor = Actor::System("validate".to_owned());
    runtime.log().append(Commit {
        events: events.collect(),
        expected: Vec::new(),
        actor,
        cause,
        key,
    })?;
    runtime.catch_up(&|_, _| {})?;
    Ok(())
}

fn parity_event(at: Position, parity: &ParityReport) -> Event {
    let classes =
        parity.differences.iter().map(|(class, count)| (class.to_string(), *count)).collect();
    Event::ParityRecorded { at, classes, unexplained: parity.unexplained_total }
}

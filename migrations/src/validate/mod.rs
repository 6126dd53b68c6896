//! Validation: runs the thirteen named checks on the current state of the store and records their
//! result.
//!
//! `weeks` has the checks of every series, `batch` those of what the last batch did, `hidden` the
//! one of responses in no view, and the crate's `parity` module compares both views.

mod accepted;
mod batch;
mod finding;
mod hidden;
mod weeks;

use rollbook_domain::control::{BatchState, Control};
use rollbook_domain::event::{CheckOutcome, QualifiedValidation};
use rollbook_domain::series::event_id;
use rollbook_domain::{Actor, Event, NewEvent, Position, StreamId, Timestamp};
use rollbook_log::{Commit, IdempotencyKey, Log, new_id};
use rollbook_projections::directory::Directory;
use rollbook_projections::tracker::{self, Tracker};
use rollbook_projections::views::{LegacyView, PrecreatedView};
use rollbook_projections::{Runtime, Snapshot};
use serde::{Deserialize, Serialize};

pub use self::accepted::AcceptedFinding;
pub use self::finding::Check;
use self::finding::{Checked, Found};
use crate::error::MigrationError;
use crate::monitor::Monitor;
use crate::parity::{
    BothRows, LogUntil, ParityReport, ParityRules, UnexplainedDifference, compare,
};
use crate::plan::zone;
use crate::rules::{BatchRules, DueRule, Options};

/// The names of the checks, in their order.
pub const CHECKS: [&str; 13] = [
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
    "no-response-hidden",
];

/// The results of all checks on one state of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validation {
    /// The digest of the batch that was applied last; empty when there is none.
    pub digest: String,
    /// The head of the log that was checked.
    pub at: Position,
    /// The results, in the order of [`CHECKS`].
    pub checks: Vec<Check>,
    /// Accepted findings that no check finds any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale: Vec<AcceptedFinding>,
}

impl Validation {
    /// How many checks hold.
    pub fn green(&self) -> usize {
        self.checks.iter().filter(|check| check.green).count()
    }

    /// The accepted findings that were found, in the order of the checks.
    pub fn accepted(&self) -> impl Iterator<Item = &AcceptedFinding> {
        self.checks.iter().flat_map(|check| &check.accepted)
    }

    /// Whether every check holds.
    pub fn all_green(&self) -> bool {
        self.green() == self.checks.len()
    }
}

/// A request to validate a store.
#[derive(Clone, Debug)]
pub struct ValidateRequest {
    /// The grace of the pre-created view before a week is overdue, in milliseconds.
    pub overdue_after_milliseconds: i64,
    /// The time of the events that record the result.
    pub now: Timestamp,
    /// The caller's idempotency key, under which the result is recorded.
    pub key: Option<IdempotencyKey>,
}

/// Runs the checks and records their result.
///
/// # Errors
/// If the store cannot be read, the result cannot be appended, or another request used the key. A
/// red check is not an error.
pub fn validate(
    runtime: &Runtime,
    request: ValidateRequest,
    monitor: &Monitor<'_>,
) -> Result<Validation, MigrationError> {
    let ValidateRequest { overdue_after_milliseconds, now, key } = request;
    let (validation, parity) = run(runtime, overdue_after_milliseconds, now, monitor)?;
    record(runtime, &validation, &parity, now, key)?;
    Ok(validation)
}

/// Runs the checks and records nothing.
///
/// # Errors
/// If the store cannot be read. A red check is not an error.
pub fn preview(
    runtime: &Runtime,
    overdue_after_milliseconds: i64,
    now: Timestamp,
    monitor: &Monitor<'_>,
) -> Result<Validation, MigrationError> {
    Ok(run(runtime, overdue_after_milliseconds, now, monitor)?.0)
}

fn run(
    runtime: &Runtime,
    overdue_after_milliseconds: i64,
    now: Timestamp,
    monitor: &Monitor<'_>,
) -> Result<(Validation, ParityReport), MigrationError> {
    runtime.catch_up(monitor.progress)?;
    let snapshot = runtime.snapshot()?;
    let (rows, at) = snapshot.rows::<Tracker>()?;
    let control = tracker::control(&rows)?;
    if at == 0 {
        return Err(MigrationError::NothingImported);
    }
    let last = control.last_applied();
    let mut weeks = weeks::read(&snapshot)?;
    let mut responses = hidden::Responses::shown(&snapshot, now)?;
    let history = batch::read(runtime, last, at, &mut |recorded| responses.see(recorded))?;
    let log = runtime.log();
    let parity = parity(log, &snapshot, &control, overdue_after_milliseconds, monitor)?;
    let mut checks =
        vec![history.response_count(weeks.responses), history.assignment_count(weeks.assignments)];
    checks.extend(weeks.checks());
    checks.extend([history.responses_unchanged(), history.legacy_view_unchanged()]);
    checks.extend(weeks.completeness());
    checks.extend([history.additive_only(), parity_explained(&parity)]);
    checks.push(responses.check(log, at)?);
    let digest = last.map(|batch| batch.digest.clone()).unwrap_or_default();
    let accepted = accepted::read(log, &control)?;
    let checks = checks.into_iter().map(|checked| checked.with(&accepted)).collect();
    let found = Validation { digest, at, checks, stale: Vec::new() };
    Ok((found.with_stale(accepted), parity))
}

/// Compares both views of every client, at every instant at which either can change. `snapshot` is
/// one of the rows of `log`.
///
/// # Errors
/// If the rows cannot be read.
pub fn parity(
    log: &Log,
    snapshot: &Snapshot,
    control: &Control,
    overdue_after_milliseconds: i64,
    monitor: &Monitor<'_>,
) -> Result<ParityReport, MigrationError> {
    let (directory, _) = snapshot.rows::<Directory>()?;
    let (legacy, until) = snapshot.rows::<LegacyView>()?;
    let (precreated, _) = snapshot.rows::<PrecreatedView>()?;
    let due =
        control.last_applied_of(Options::PRECREATE).map_or(Ok(DueRule::default()), due_rule)?;
    let rules = ParityRules { overdue_after_milliseconds, due, zone: zone(snapshot)? };
    let events = &LogUntil { log, until };
    let both = BothRows { directory: &directory, legacy: &legacy, precreated: &precreated, events };
    Ok(compare(both, &rules, monitor.progress)?)
}

/// The due rule that a batch created weeks with.
fn due_rule(batch: &BatchState) -> Result<DueRule, MigrationError> {
    let rules: BatchRules = batch
        .rules
        .parse()
        .map_err(|source| MigrationError::Rules { digest: batch.digest.clone(), source })?;
    Ok(rules.options.due().unwrap_or_default())
}

fn parity_explained(parity: &ParityReport) -> Checked {
    let differences: u64 = parity.differences.values().sum();
    let detail = format!(
        "{} clients at {} instants: {differences} differences explained, {} not",
        parity.clients, parity.instants, parity.unexplained_total
    );
    let name = |found: &UnexplainedDifference| {
        let UnexplainedDifference { client, at, form, run, week, what } = found;
        let place = format!("client {client}, form {form}, run {run}, week {week}");
        let (field, _values) = what.split_once(": ").unwrap_or((what, ""));
        Found {
            text: format!("{place}, from {at}: {what}"),
            // The same difference may begin at another instant after other events.
            facts: format!("{place}: {what}"),
            about: format!("{place}: {field}"),
        }
    };
    let findings: Vec<Found> = parity.unexplained.iter().map(name).collect();
    Checked::new("parity-explained", detail, findings)
}

/// Records one line for each check, and the accepted findings. Other findings are not recorded;
/// running the check again finds them again.
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
    let Validation { digest, at, checks, .. } = validation;
    let checks: Vec<CheckOutcome> = checks.iter().map(outcome).collect();
    let (digest, at) = (digest.clone(), *at);
    let accepted = validation.accepted_by_event();
    let recorded = if accepted.is_empty() {
        Event::ValidationRecorded { digest, at, checks }
    } else {
        Event::QualifiedValidationRecorded(QualifiedValidation { digest, at, checks, accepted })
    };
    let cause = new_id(now).to_string();
    let events = [parity_event(at, parity), recorded].into_iter().map(|event| {
        let id = Some(event_id(&StreamId::Control, &[event.name(), &cause]));
        NewEvent { stream: StreamId::Control, id, occurred_at: now, event }
    });
    let actor = Actor::System("validate".to_owned());
    runtime.ordering().append(Commit {
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

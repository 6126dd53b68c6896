//! The migration's steps: plan, apply, validate, parity. Owns what each says and that a step under a key is done once; what it does is
//! the migrations crate's.

use std::fs::File;
use std::path::{Path, PathBuf};

use rollbook_domain::event::CheckOutcome;
use rollbook_domain::{Event, Position, StreamId};
use rollbook_migrations::apply::{self, ApplyReport};
use rollbook_migrations::batch::{Batch, Header};
use rollbook_migrations::monitor::Monitor;
use rollbook_migrations::parity::ParityReport;
use rollbook_migrations::plan::SeriesObstacle;
use rollbook_migrations::rules::DueRule;
use rollbook_migrations::validate::{self, Check, Validation};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use utoipa::ToSchema;

use super::status::Validated;
use crate::error::StoreError;
use crate::store::{Outcome, Request, Store, idempotency};

/// What a batch file holds, and what planning left as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlanReport {
    /// The batch file.
    #[schema(value_type = String)]
    pub file: PathBuf,
    /// SHA-256 over its events, in hexadecimal.
    pub digest: String,
    /// The definition's name.
    pub kind: String,
    /// When made weeks are due: `monday` or `weekday`.
    pub due: String,
    /// The old server's zone.
    pub zone: String,
    /// Series that the migration is about.
    pub series: u64,
    /// Events.
    pub events: u64,
    /// Weeks to create.
    pub created: u64,
    /// Responses to link to their own week.
    pub linked: u64,
    /// Weekless responses to link.
    pub adopted: u64,
    /// What stays as it is, and why.
    #[schema(value_type = Vec<crate::http::native::shapes::LeftAsItIs>)]
    pub obstacles: Vec<SeriesObstacle>,
}

impl PlanReport {
    /// What a header says of a file.
    pub fn of(file: &Path, header: &Header, obstacles: Vec<SeriesObstacle>) -> Self {
        let counts = header.counts;
        Self {
            file: file.to_owned(),
            digest: header.digest.clone(),
            kind: header.kind.clone(),
            due: header.rules.due.to_string(),
            zone: header.rules.zone.clone(),
            series: counts.series,
            events: counts.events,
            created: counts.created,
            linked: counts.linked,
            adopted: counts.adopted,
            obstacles,
        }
    }
}

/// Plans into a batch file: `out`, or one named by kind and digest in the current directory.
///
/// # Errors
/// When nothing is imported, or the file cannot be written.
pub fn plan(store: &Store, due: DueRule, out: Option<&Path>) -> Result<PlanReport, StoreError> {
    let rollbook_migrations::plan::Plan { file, header, obstacles } =
        rollbook_migrations::plan::plan(store.runtime(), due, out)?;
    Ok(PlanReport::of(&file, &header, obstacles))
}

/// A plan that is kept aside, until it is sent.
pub struct Plan {
    /// The batch file, open at its beginning.
    pub file: File,
    /// The directory that it stands in; it goes away when this is dropped.
    pub directory: TempDir,
    /// What it holds; the file by the name that it would have.
    pub report: PlanReport,
    /// The position that it was planned at.
    pub position: Position,
}

/// Plans into a file of its own that goes away.
///
/// # Errors
/// As [`plan`].
pub fn plan_aside(store: &Store, due: DueRule) -> Result<Plan, StoreError> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("batch.ndjson");
    let rollbook_migrations::plan::Plan { header, obstacles, .. } =
        rollbook_migrations::plan::plan(store.runtime(), due, Some(&path))?;
    let report = PlanReport::of(Path::new(&header.file_name()), &header, obstacles);
    Ok(Plan { file: File::open(&path)?, directory, report, position: header.source.position })
}

/// Applies a batch. Under a key, another batch is refused.
///
/// # Errors
/// When the store drifted or keeps another zone: then nothing was written. When it is interrupted or fails: then the same batch goes on
/// where it stopped.
pub fn apply(
    store: &Store,
    batch: &Batch,
    request: &Request,
    watch: &Monitor<'_>,
) -> Result<ApplyReport, StoreError> {
    let key = request.key.as_ref().map(|key| idempotency(key, &("apply", &batch.header.digest)));
    // Done before or not: applying a batch that is through does nothing, and one that was cut off goes on.
    let _before = store.repeated(key.as_ref(), request)?;
    Ok(apply::apply(store.runtime(), apply::ApplyRequest { batch, now: request.now, key }, watch)?)
}

/// A validation, with its figures.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ValidationReport {
    /// The checks, and what they looked at.
    #[serde(flatten)]
    pub validation: Validation,
    /// How many hold.
    pub green: usize,
    /// Of how many.
    pub total: usize,
    /// Whether all do.
    pub all_green: bool,
}

impl From<Validation> for ValidationReport {
    fn from(validation: Validation) -> Self {
        let (green, total, all_green) =
            (validation.green(), validation.checks.len(), validation.all_green());
        Self { validation, green, total, all_green }
    }
}

/// Runs the checks and puts the outcome on record. Repeated under its key it runs nothing and tells what is on record: then checks
/// have no findings.
///
/// # Errors
/// When the store cannot be read or written. A red check is no error.
pub fn validate(
    store: &Store,
    overdue_after_milliseconds: i64,
    request: &Request,
    watch: &Monitor<'_>,
) -> Result<(ValidationReport, bool), StoreError> {
    let key =
        request.key.as_ref().map(|key| idempotency(key, &("validate", overdue_after_milliseconds)));
    if let Some(Outcome::Done { events, .. }) = store.repeated(key.as_ref(), request)? {
        let recorded = events.into_iter().find_map(|recorded| match recorded.event {
            Event::ValidationRecorded { digest, at, checks } => {
                Some(Validation { digest, at, checks: checks.into_iter().map(check).collect() })
            }
            _ => None,
        });
        if let Some(validation) = recorded {
            return Ok((validation.into(), true));
        }
    }
    let validation = validate::validate(
        store.runtime(),
        validate::ValidateRequest { overdue_after_milliseconds, now: request.now, key },
        watch,
    )?;
    Ok((validation.into(), false))
}

fn check(recorded: CheckOutcome) -> Check {
    let CheckOutcome { name, green, detail } = recorded;
    Check { name: name.into(), green, detail, findings: Vec::new() }
}

/// The validations on record after a position, oldest first.
///
/// # Errors
/// When the log cannot be read.
pub fn validations(store: &Store, after: Position) -> Result<Vec<Validated>, StoreError> {
    let control = store.log().stream(&StreamId::Control, 0)?;
    let recorded = control.into_iter().filter(|recorded| recorded.position > after);
    Ok(recorded
        .filter_map(|recorded| Validated::recorded(recorded.position, recorded.event))
        .collect())
}

/// Compares both views of every client, and puts nothing on record.
///
/// # Errors
/// When the store cannot be read.
pub fn parity(
    store: &Store,
    overdue_after_milliseconds: i64,
    watch: &Monitor<'_>,
) -> Result<ParityReport, StoreError> {
    let (snapshot, control) = (store.snapshot()?, store.control()?);
    Ok(validate::parity(&snapshot, &control, overdue_after_milliseconds, watch)?)
}

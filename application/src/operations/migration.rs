//! The steps of a migration on an open store: plan, apply, validate, compare. A step with an
//! idempotency key runs once. The migrations crate does the work. This module binds keys and makes
//! reports.

use std::fs::File;
use std::path::Path;

use rollbook_domain::event::{CheckOutcome, QualifiedValidation};
use rollbook_domain::{Event, Position};
use rollbook_migrations::apply::{self, ApplyReport};
use rollbook_migrations::batch::Batch;
use rollbook_migrations::monitor::Monitor;
use rollbook_migrations::parity::ParityReport;
use rollbook_migrations::rules::Options;
use rollbook_migrations::validate::{self, AcceptedFinding, Check, Validation};
use tempfile::TempDir;

use super::OperationError;
use crate::reports::migration::{PlanReport, ValidationReport};
use crate::store::{KeyedRequest, Request, Store};

/// Plans a batch and writes its file: `out`, or a file in the current directory that is named by
/// kind and digest.
///
/// # Errors
/// If nothing is imported, no series lacks anything, a batch to undo cannot be undone, or the file
/// cannot be written.
pub fn plan(
    store: &Store,
    options: Options,
    out: Option<&Path>,
) -> Result<PlanReport, OperationError> {
    let rollbook_migrations::plan::Plan { file, header, obstacles } =
        rollbook_migrations::plan::plan(store.runtime(), options, out)?;
    Ok(PlanReport::of(&file, &header, obstacles))
}

/// A planned batch in a temporary file.
pub struct Plan {
    /// The batch file, opened at its start.
    pub file: File,
    /// The temporary directory of the file. Dropping it removes the directory.
    pub directory: TempDir,
    /// The report. Its file name is the default name of the batch file.
    pub report: PlanReport,
    /// The position of the plan.
    pub position: Position,
}

/// Plans a batch and writes it to a temporary file.
///
/// # Errors
/// As [`plan`].
pub fn plan_aside(store: &Store, options: Options) -> Result<Plan, OperationError> {
    let directory = tempfile::tempdir().map_err(OperationError::Scratch)?;
    let path = directory.path().join("batch.ndjson");
    let rollbook_migrations::plan::Plan { header, obstacles, .. } =
        rollbook_migrations::plan::plan(store.runtime(), options, Some(&path))?;
    let report = PlanReport::of(Path::new(&header.file_name()), &header, obstacles);
    Ok(Plan {
        file: File::open(&path).map_err(OperationError::Scratch)?,
        directory,
        report,
        position: header.source.position,
    })
}

/// Applies a batch. An idempotency key binds the batch.
///
/// # Errors
/// If the store drifted or has another zone; then nothing was written. If it is interrupted or
/// fails; then applying the same batch again resumes.
pub fn apply(
    store: &Store,
    batch: &Batch,
    request: &Request,
    watch: &Monitor<'_>,
) -> Result<ApplyReport, OperationError> {
    // A repeat applies the batch again. That changes nothing in a complete batch, and resumes an
    // interrupted one.
    let bound = store.bind_key(request, KeyedRequest::Apply(&batch.header.digest))?;
    let key = bound.map(|bound| bound.key);
    Ok(apply::apply(store.runtime(), apply::ApplyRequest { batch, now: request.now, key }, watch)?)
}

/// Runs the checks and records the outcome. A repeat with the same key runs nothing and returns the
/// recorded outcome, whose checks have no findings.
///
/// # Errors
/// If the store cannot be read or written. A red check is not an error.
pub fn validate(
    store: &Store,
    overdue_after_milliseconds: i64,
    request: &Request,
    watch: &Monitor<'_>,
) -> Result<(ValidationReport, bool), OperationError> {
    let bound = store.bind_key(request, KeyedRequest::Validate(overdue_after_milliseconds))?;
    if let Some(committed) = bound.as_ref().and_then(|bound| bound.committed) {
        let outcome = store.read_back(committed)?;
        if let Some(validation) =
            outcome.events().iter().find_map(|written| recorded(&written.event))
        {
            return Ok((validation.into(), true));
        }
    }
    let key = bound.map(|bound| bound.key);
    let validation = validate::validate(
        store.runtime(),
        validate::ValidateRequest { overdue_after_milliseconds, now: request.now, key },
        watch,
    )?;
    Ok((validation.into(), false))
}

/// Returns a recorded validation; `None` for any other event.
fn recorded(event: &Event) -> Option<Validation> {
    let (digest, at, checks, accepted) = match event {
        Event::ValidationRecorded { digest, at, checks } => (digest, at, checks, &[][..]),
        Event::QualifiedValidationRecorded(QualifiedValidation {
            digest,
            at,
            checks,
            accepted,
        }) => (digest, at, checks, accepted.as_slice()),
        _ => return None,
    };
    let checks = checks.iter().cloned().map(|outcome| {
        let CheckOutcome { name, green, detail } = outcome;
        let accepted = accepted.iter().filter(|accepted| accepted.check == name);
        let accepted = accepted.flat_map(AcceptedFinding::of).collect();
        Check { name: name.into(), green, detail, accepted, ..Check::default() }
    });
    let (digest, checks) = (digest.clone(), checks.collect());
    Some(Validation { digest, at: *at, checks, stale: Vec::new() })
}

/// Compares both views of every client. Records nothing.
///
/// # Errors
/// If the store cannot be read.
pub fn parity(
    store: &Store,
    overdue_after_milliseconds: i64,
    watch: &Monitor<'_>,
) -> Result<ParityReport, OperationError> {
    let (snapshot, control) = (store.snapshot()?, store.control()?);
    let log = store.log();
    Ok(validate::parity(log, &snapshot, &control, overdue_after_milliseconds, watch)?.shortened())
}

//! Importing an export: plans the events (`plan`) and appends them in commits of limited size, while
//! others may write (`append`). `routing` chooses the stream of each document, `adopt` makes documents the weeks that a migration
//! made before, and `refusal` refuses an import that would lose data.

pub mod adopt;
mod append;
mod digest;
mod plan;
mod refusal;
mod routing;

pub use digest::{body_digest, events_digest};
pub use plan::{
    DocumentPlace, HeldDocument, ImportCounts, ImportPlan, ImportedState, MetPut, plan_import,
};
pub use refusal::{FEW_REMOVALS, Removal};

use std::collections::BTreeMap;

use rollbook_domain::calendar::Zone;
use rollbook_domain::{Collection, StreamId};
use rollbook_projections::documents::Documents;
use rollbook_projections::tracker::{self, Tracker};
use rollbook_projections::{Runtime, Snapshot};
use serde::{Deserialize, Serialize};

use self::append::{Appended, Appender};
use crate::error::MigrationError;
use crate::export_reader::{Export, UnknownCollection};
use crate::monitor::Monitor;

/// The options of an import.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImportOptions {
    /// The time zone of the old server; `None` for the one that the store keeps, or UTC.
    pub zone: Option<Zone>,
    /// Accepts an export that is older than the last imported one.
    pub allow_older: bool,
    /// Accepts the removal of many documents, and of answers.
    pub allow_removals: bool,
    /// Writes nothing, and reports what the import would do.
    pub dry_run: bool,
}

/// The result of an import, or of its dry run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReport {
    /// Whether this was a dry run: nothing was written.
    pub dry_run: bool,
    /// Why the import is refused without further options; only in a dry run.
    pub refused: Option<String>,
    /// The documents that the export no longer has: those with an answer first.
    pub removals: Vec<Removal>,
    /// The weeks that the export no longer has and that stay, because they were answered here while
    /// the import ran.
    pub kept: Vec<Removal>,
    /// SHA-256 over the planned events, in hexadecimal.
    pub digest: String,
    /// What was done with each collection.
    pub collections: BTreeMap<String, ImportCounts>,
    /// Events appended by this run; in a dry run, events that the import would append.
    pub appended: u64,
    /// The old server's zone, as the store keeps it.
    pub legacy_timezone: String,
    /// Unknown collections that were not imported, with their number of documents.
    pub skipped: BTreeMap<String, u64>,
    /// The documents that a person put into the store and that the export has with another content.
    pub puts: Vec<MetPut>,
    /// Documents that became weeks which were made before.
    pub adopted: Vec<adopt::Adoption>,
    /// The head of the log after the import.
    pub head: u64,
}

/// Imports an export. Appends events for new, changed and removed documents. With `dry_run`, it
/// appends nothing. Others may write meanwhile. The events are computed again for a series that
/// changed, and a week that was answered meanwhile is not removed.
///
/// # Errors
/// [`MigrationError::ImportZone`] if the store keeps another zone;
/// [`MigrationError::OlderExport`] and [`MigrationError::Removals`] unless the options accept them;
/// errors of the log; [`MigrationError::Interrupted`] if `monitor` asked for it. Importing the same
/// export again resumes the import.
pub fn import(
    runtime: &Runtime,
    export: Export,
    options: &ImportOptions,
    monitor: &Monitor<'_>,
) -> Result<ImportReport, MigrationError> {
    let snapshot = runtime.snapshot()?;
    let (rows, _) = snapshot.rows::<Tracker>()?;
    let zone = zone_of(tracker::control(&rows)?.legacy_timezone, options)?;
    let control_version = runtime.log().stream_version(&StreamId::Control)?;
    let (held, planned_at) = {
        let (rows, at) = snapshot.rows::<Documents>()?;
        let erased = runtime.log().erasures().into_iter().flat_map(|erasure| erasure.ids).collect();
        let read = ImportedState::read(&rows, &runtime.log().stream(&StreamId::Control, 0)?)?;
        (ImportedState { erased, ..read.with_puts(&rows, runtime.log())? }, at)
    };
    let skipped = export
        .unknown
        .iter()
        .map(|UnknownCollection { name, documents, .. }| (name.clone(), *documents as u64))
        .collect();
    let mut plan = plan_import(export, &held);
    let adopted = adopt::add_adoptions(&mut plan, runtime, &snapshot)?;
    let removals = refusal::removals(&plan, &snapshot)?;
    let refused = refusal(&plan, &removals, (runtime, &snapshot), options);
    let completed = plan.completed(&zone);
    let report = |appended: Appended, refused| ImportReport {
        dry_run: options.dry_run,
        refused,
        removals: without(&removals, &appended.kept),
        kept: appended.kept,
        collections: (plan.counts.iter())
            .map(|(collection, counts): (&Collection, _)| (collection.name().to_owned(), *counts))
            .collect(),
        appended: appended.events,
        legacy_timezone: zone.clone(),
        skipped,
        puts: [plan.puts.as_slice(), &appended.puts].concat(),
        adopted: appended.adopted,
        head: runtime.log().head(),
        digest: plan.digest.clone(),
    };
    if options.dry_run {
        let refused = match refused {
            Err(error) if error.is_refusal() => Some(error.to_string()),
            other => other.map(|()| None)?,
        };
        let events = plan.events.len() as u64 + u64::from(completed.is_some());
        return Ok(report(Appended { events, adopted, ..Appended::default() }, refused));
    }
    refused?;
    let appender = Appender {
        runtime,
        digest: &plan.digest,
        imports_before: held.imports,
        completed_at: plan.completed_at,
        removals: &removals,
        planned_at,
        control_version,
    };
    let appended = appender.append_all(std::mem::take(&mut plan.events), completed, monitor)?;
    runtime.catch_up(&|_, _| {})?;
    Ok(report(appended, None))
}

/// The removals that were done.
fn without(removals: &[Removal], kept: &[Removal]) -> Vec<Removal> {
    let is_kept = |removal: &Removal| {
        kept.iter().any(|kept| (&kept.collection, &kept.id) == (&removal.collection, &removal.id))
    };
    removals.iter().filter(|removal| !is_kept(removal)).cloned().collect()
}

/// The zone that the store keeps, or else the requested one.
fn zone_of(kept: Option<String>, options: &ImportOptions) -> Result<String, MigrationError> {
    match (kept, options.zone) {
        (Some(kept), Some(asked)) if kept != asked.to_string() => {
            Err(MigrationError::ImportZone { kept, asked: asked.to_string() })
        }
        (Some(kept), _) => Ok(kept),
        (None, asked) => Ok(asked.unwrap_or_default().to_string()),
    }
}

/// Refuses a plan that would lose data, unless the options accept it.
fn refusal(
    plan: &ImportPlan,
    removals: &[Removal],
    (runtime, snapshot): (&Runtime, &Snapshot),
    options: &ImportOptions,
) -> Result<(), MigrationError> {
    if !options.allow_older {
        refusal::require_newer(plan, runtime.log(), snapshot)?;
    }
    if options.allow_removals { Ok(()) } else { refusal::require_few(removals) }
}

//! Applying a batch: the same file gives the same events with the same ids on every store.
//!
//! Every series is first compared with the batch (`drift`); a difference rejects the batch before
//! anything is written. Events that the store already has or no longer has a place for are left out
//! and counted by reason (`left_out`), so applying a batch again resumes an interrupted run.

mod append;
mod drift;
mod left_out;
mod record;

pub use left_out::LeftOut;

use rollbook_domain::Timestamp;
use rollbook_domain::control::Control;
use rollbook_log::{AppendError, CommitReceipt, IdempotencyKey, Ordering};
use rollbook_projections::tracker::Tracker;
use rollbook_projections::{Runtime, tracker};
use serde::{Deserialize, Serialize};

use crate::batch::{Batch, Counts};
use crate::definition::Definition;
use crate::error::MigrationError;
use crate::kinds;
use crate::monitor::Monitor;
use crate::plan::zone;

/// A request to apply a batch.
#[derive(Clone, Debug)]
pub struct ApplyRequest<'a> {
    /// The batch.
    pub batch: &'a Batch,
    /// The time of the events that record the run.
    pub now: Timestamp,
    /// The caller's idempotency key. The first event of the run is appended under it, so no other
    /// batch can use it.
    pub key: Option<IdempotencyKey>,
}

/// The result of applying a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplyReport {
    /// The digest of the batch.
    pub digest: String,
    /// Series that the migration concerns.
    pub series: u64,
    /// Weeks created by this run.
    pub created: u64,
    /// Responses linked by this run to the week that they state.
    pub linked: u64,
    /// Responses without a week linked by this run.
    pub adopted: u64,
    /// Weeks changed by this run.
    #[serde(default)]
    pub changed: u64,
    /// Events of the batch that this run left out.
    pub skipped: u64,
    /// The same events by reason.
    #[serde(default)]
    pub left_out: LeftOut,
    /// The head of the log after the run.
    pub head: u64,
}

/// Applies a batch to a store.
///
/// # Errors
/// [`MigrationError::NothingToMigrate`] when the batch has no events; [`MigrationError::Drift`],
/// [`MigrationError::Zone`] and [`MigrationError::Unfinished`] when it does not fit the store;
/// [`AppendError::KeyReused`] when another request used the key: then nothing was written.
/// [`MigrationError::Interrupted`] when `monitor` asked for it; applying the same file again
/// resumes the run.
pub fn apply(
    runtime: &Runtime,
    request: ApplyRequest<'_>,
    monitor: &Monitor<'_>,
) -> Result<ApplyReport, MigrationError> {
    let ApplyRequest { batch, now, key } = request;
    if let Some(key) = &key {
        check_key(runtime.ordering(), key)?;
    }
    let mut run = Run::admit(runtime, batch, now)?;
    let missing = run.check_drift()?;
    if run.is_complete() && missing == 0 {
        // There is nothing to append, so this only counts.
        run.append_all(monitor)?;
    } else {
        run.record_start(key)?;
        run.append_all(monitor)?;
        run.record_end()?;
    }
    runtime.catch_up(monitor.progress)?;
    run.report.head = runtime.log().head();
    Ok(run.report)
}

/// Rejects a key of another request first: a key has one answer, whatever the batch is.
fn check_key(ordering: &dyn Ordering, key: &IdempotencyKey) -> Result<(), MigrationError> {
    match ordering.requested_under(&key.key)? {
        Some((request, CommitReceipt { first, last, .. })) if request != key.request => {
            Err(AppendError::KeyReused { key: key.key.clone(), first, last }.into())
        }
        _ => Ok(()),
    }
}

/// One run of [`apply`].
struct Run<'a> {
    runtime: &'a Runtime,
    batch: &'a Batch,
    definition: Box<dyn Definition>,
    now: Timestamp,
    /// The control stream before the run.
    control: Control,
    report: ApplyReport,
    /// The events of this batch that no run of it appended.
    not_appended: Counts,
}

impl<'a> Run<'a> {
    /// Checks everything that does not need the series.
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
        if header.counts.events == 0 {
            return Err(MigrationError::NothingToMigrate { obstacles: 0 });
        }
        if header.rules.zone != zone.to_string() {
            return Err(MigrationError::Zone {
                batch: header.rules.zone.clone(),
                store: zone.to_string(),
            });
        }
        let definition = kinds::definition(&header.rules.options, zone, runtime)?;
        let unfinished = control
            .batches
            .iter()
            .find(|other| other.applied_at.is_none() && other.digest != header.digest);
        if let Some(unfinished) = unfinished {
            return Err(MigrationError::Unfinished { digest: unfinished.digest.clone() });
        }
        let report = ApplyReport {
            digest: header.digest.clone(),
            series: header.counts.series,
            ..ApplyReport::default()
        };
        let not_appended = Counts::default();
        Ok(Self { runtime, batch, definition, now, control, report, not_appended })
    }

    /// Whether the batch was applied completely before this run.
    fn is_complete(&self) -> bool {
        self.control
            .batches
            .iter()
            .any(|batch| batch.digest == self.batch.header.digest && batch.applied_at.is_some())
    }
}

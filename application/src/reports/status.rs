//! The status of a store, and the next step of the migration. Reading the status changes nothing:
//! it uses the rows as they are, or the log.

use std::collections::BTreeMap;

use rollbook_domain::control::{
    BatchCounts, BatchState, Control, ImportState, SwitchRejection, ValidationState,
};
use rollbook_domain::event::{Audience, CheckOutcome, View};
use rollbook_domain::{Event, Position};
use rollbook_log::SealingState;
use rollbook_migrations::batch::short;
use rollbook_projections::rows::{MemoryRows, RowChanges};
use rollbook_projections::tracker::{self, Counts, Tracker};
use rollbook_projections::{Projection, ProjectionName};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::switch::SwitchStatus;
use crate::store::StoreError;
use crate::store::{Store, clients};

/// The status of a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Status {
    /// The directory of the store, as given when it was opened.
    pub data: String,
    /// The id of the store.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub store_id: Uuid,
    /// The format version of its directory.
    pub format: Option<u32>,
    /// The position of the last event.
    pub head: Position,
    /// The checkpoint of each projection.
    pub projections: Vec<ProjectionStatus>,
    /// The time zone of the old server, an IANA name.
    pub zone: String,
    /// The last import.
    pub import: Option<LastImport>,
    /// The number of imported documents, by collection.
    pub documents: BTreeMap<String, u64>,
    /// The number of weeks that Rollbook created.
    pub weeks: Weeks,
    /// The number of responses submitted to Rollbook.
    pub answered: u64,
    /// Every batch, oldest first.
    pub batches: Vec<Batch>,
    /// The last validation.
    pub validation: Option<RecordedValidation>,
    /// The number of findings that are accepted.
    #[serde(default)]
    pub accepted_findings: u64,
    /// The last parity check.
    pub parity: Option<Parity>,
    /// Which view serves which clients.
    pub switch: SwitchStatus,
    /// Whether the legacy view was retired.
    pub legacy_retired: bool,
    /// The number of events, by name.
    pub events: BTreeMap<String, u64>,
    /// How personal data is protected.
    pub sealing: Sealing,
    /// The next step, as a sentence.
    pub next: String,
}

/// How personal data is protected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sealing {
    /// Whether personal data is encrypted. This is chosen when the store is created.
    pub sealed: bool,
    /// The number of clients and coaches with a key.
    pub keys: u64,
    /// The number of erased clients.
    pub erased: u64,
    /// Clients whose erasure was interrupted. `rollbook erase` completes it.
    pub unfinished: Vec<String>,
    /// The source of the master key; `None` if no key is needed.
    pub master_key: Option<String>,
}

impl Sealing {
    fn of(store: &Store) -> Self {
        let SealingState { sealed, keys, master_key, .. } = store.log().sealing();
        let erasures = store.log().erasures();
        let unfinished = erasures
            .iter()
            .filter(|erasure| !erasure.complete)
            .filter_map(|erasure| erasure.ids.first().cloned())
            .collect();
        Self { sealed, keys, erased: erasures.len() as u64, unfinished, master_key }
    }
}

/// The checkpoint of a projection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProjectionStatus {
    /// The name of the projection.
    pub name: String,
    /// The position of the last folded event.
    pub position: Position,
    /// The number of events that are not folded yet.
    pub behind: u64,
}

/// The number of created weeks, by cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Weeks {
    /// Created by an allocation.
    pub allocated: u64,
    /// Created by a response.
    pub submitted: u64,
    /// Created by a migration.
    pub migrated: u64,
}

/// A recorded parity check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = RecordedParity))]
pub struct Parity {
    /// The head of the log that was checked.
    pub at: Position,
    /// The number of differences without a class.
    pub unexplained: u64,
}

/// The last import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LastImport {
    /// The position of its event.
    pub position: Position,
    /// SHA-256 over its events, in hexadecimal.
    pub digest: String,
    /// The number of documents in each collection of the export.
    pub collections: BTreeMap<String, u32>,
}

impl LastImport {
    fn of(import: &ImportState) -> Self {
        let collections = import
            .collections
            .iter()
            .map(|exported| (exported.collection.name().to_owned(), exported.documents))
            .collect();
        Self { position: import.position, digest: import.digest.clone(), collections }
    }
}

/// A batch, complete or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Batch {
    /// SHA-256 over its events, in hexadecimal.
    pub digest: String,
    /// The kind of migration, such as `precreate`.
    pub kind: String,
    /// The rules of the plan.
    pub rules: String,
    /// The head of the log before the batch.
    pub base: Position,
    /// The position of its last event; `None` while the batch is incomplete.
    pub applied_at: Option<Position>,
    /// The number of series that it concerns.
    pub series: u64,
    /// The number of weeks that it created.
    pub created: u64,
    /// The number of responses that it linked to the week that they state.
    pub linked: u64,
    /// The number of responses without a week that it linked.
    pub adopted: u64,
    /// The number of events that were left out.
    pub skipped: u64,
    /// The number of weeks that it changed; 0 for a kind of migration that adds weeks.
    #[serde(default)]
    pub changed: u64,
}

impl Batch {
    fn of(batch: &BatchState) -> Self {
        let BatchState { digest, kind, rules, base, applied_at, counts, .. } = batch.clone();
        let BatchCounts { series, created, linked, adopted, skipped, changed } = counts;
        Self {
            digest,
            kind,
            rules,
            base,
            applied_at,
            series,
            created,
            linked,
            adopted,
            skipped,
            changed,
        }
    }
}

/// A recorded validation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecordedValidation {
    /// The position of its event.
    pub position: Position,
    /// The head of the log that was checked.
    pub at: Position,
    /// The digest of the batch that was applied last; empty if there was none.
    pub digest: String,
    /// Whether every check passed.
    pub green: bool,
    /// The result of each check.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<super::schemas::RecordedCheck>))]
    pub checks: Vec<CheckOutcome>,
    /// The number of accepted findings that it found.
    #[serde(default)]
    pub accepted: u64,
}

impl RecordedValidation {
    /// Returns the validation that an event records; `None` for any other event.
    pub(super) fn recorded(position: Position, event: &Event) -> Option<Self> {
        ValidationState::recorded(position, event).as_ref().map(Self::of)
    }

    fn of(validation: &ValidationState) -> Self {
        let ValidationState { position, at, digest, checks, accepted } = validation.clone();
        Self { position, at, digest, green: validation.all_green(), checks, accepted }
    }
}

/// Returns the status of a store. It folds nothing: a projection that is behind is reported as it
/// is.
///
/// # Errors
/// If the store cannot be read.
pub fn status(store: &Store) -> Result<Status, StoreError> {
    let head = store.log().head();
    let checkpoints = store.runtime().checkpoints()?;
    if store.runtime().is_current(head)? {
        return current_status(store);
    }
    let (control, counts) = tracked_in_memory(store)?;
    Ok(report(store, head, &checkpoints, &control, counts, None))
}

/// Returns the status of a store that others write to. It folds first, then reads rows of one
/// position.
///
/// # Errors
/// If the store cannot be read or folded.
pub fn current_status(store: &Store) -> Result<Status, StoreError> {
    let snapshot = store.snapshot()?;
    let (rows, position) = snapshot.rows::<Tracker>()?;
    let (control, counts) = (tracker::control(&rows)?, tracker::counts(&rows)?);
    let clients = clients(&snapshot)?;
    let checkpoints: Vec<_> =
        store.runtime().names().iter().map(|name| (*name, position)).collect();
    Ok(report(store, position, &checkpoints, &control, counts, Some(&clients)))
}

fn report(
    store: &Store,
    head: Position,
    checkpoints: &[(ProjectionName, Position)],
    control: &Control,
    counts: Counts,
    clients: Option<&[String]>,
) -> Status {
    let projected = |(name, position): &(ProjectionName, Position)| ProjectionStatus {
        name: name.to_string(),
        position: *position,
        behind: head.saturating_sub(*position),
    };
    Status {
        data: store.directory().display().to_string(),
        store_id: store.log().store_id(),
        format: format_of(store),
        head,
        projections: checkpoints.iter().map(projected).collect(),
        zone: control.legacy_timezone.clone().unwrap_or_else(|| "UTC".to_owned()),
        import: control.import.as_ref().map(LastImport::of),
        weeks: Weeks {
            allocated: counts.allocated,
            submitted: counts.submitted_weeks,
            migrated: counts.migrated,
        },
        answered: counts.answered,
        batches: control.batches.iter().map(Batch::of).collect(),
        validation: control.validation.as_ref().map(RecordedValidation::of),
        accepted_findings: control.accepted.len() as u64,
        parity: control.parity.map(|(at, unexplained)| Parity { at, unexplained }),
        switch: SwitchStatus::of(&control.switch, clients),
        legacy_retired: control.legacy_retired,
        next: next(control),
        sealing: Sealing::of(store),
        documents: counts.documents,
        events: counts.events,
    }
}

/// Folds the tracker up to the head in memory, without writing its rows.
fn tracked_in_memory(store: &Store) -> Result<(Control, Counts), StoreError> {
    let mut rows = MemoryRows::default();
    let nothing = MemoryRows::default();
    let mut changes = RowChanges::new(&nothing);
    for commit in store.log().commits_after(0) {
        Tracker.fold(&mut changes, &commit?)?;
    }
    rows.absorb(changes.finish()?);
    Ok((tracker::control(&rows)?, tracker::counts(&rows)?))
}

/// Reads the format version of the store's directory.
fn format_of(store: &Store) -> Option<u32> {
    let text = std::fs::read_to_string(store.directory().join("FORMAT")).ok()?;
    text.split_whitespace().nth(1)?.parse().ok()
}

/// Returns the next step, in one line.
fn next(control: &Control) -> String {
    if control.import.is_none() {
        return "rollbook import EXPORT_DIR".to_owned();
    }
    if control.batches.is_empty() {
        return "rollbook audit, then rollbook migrate plan --out FILE".to_owned();
    }
    match control.decide_switch(View::Precreated, Audience::Everyone, "status", false) {
        Err(SwitchRejection::Unfinished(digest)) => {
            format!("rollbook migrate apply FILE again, with the file of batch {}", short(&digest))
        }
        Err(SwitchRejection::NotValidated | SwitchRejection::Stale { .. }) => "rollbook migrate validate".to_owned(),
        Err(SwitchRejection::Red(red)) => format!("rollbook migrate findings, correct or accept what it lists, then rollbook migrate validate; red: {red}"),
        Err(_) => "rollbook history control".to_owned(),
        Ok(_) if control.legacy_retired => "nothing".to_owned(),
        Ok(_) if control.switch.default == View::Precreated && control.switch.other_percent == 0 => {
            "watch; rollbook switch legacy --reason TEXT goes back at any time".to_owned()
        }
        Ok(_) if control.switch.other_percent > 0 || !control.switch.clients.is_empty() => {
            "watch, then rollbook switch precreated --percent N (more), or for everybody; rollbook switch legacy goes back".to_owned()
        }
        Ok(_) => "rollbook switch precreated --percent 10 --reason TEXT".to_owned(),
    }
}

//! The status of a store, and the next step of the migration. It is read from rows as they are, or
//! from the log, so that it changes nothing.

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

use super::switch::Serving;
use crate::store::StoreError;
use crate::store::{Store, clients};

/// How a store stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Status {
    /// The store's directory, as it was opened.
    pub data: String,
    /// The store's id.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub store_id: Uuid,
    /// The format of its directory.
    pub format: Option<u32>,
    /// The position of the last event.
    pub head: Position,
    /// How far each projection is.
    pub projections: Vec<Projected>,
    /// The old server's zone.
    pub zone: String,
    /// The last import.
    pub import: Option<Imported>,
    /// Documents that imports hold now, by collection.
    pub documents: BTreeMap<String, u64>,
    /// Weeks that were made here.
    pub weeks: Weeks,
    /// Answers given here.
    pub answered: u64,
    /// Every batch, oldest first.
    pub batches: Vec<Batch>,
    /// The last validation.
    pub validation: Option<Validated>,
    /// The last comparison of both views.
    pub parity: Option<Parity>,
    /// Which view serves whom.
    pub switch: Serving,
    /// Whether the legacy view is gone.
    pub legacy_retired: bool,
    /// Events by name.
    pub events: BTreeMap<String, u64>,
    /// How personal data is kept.
    pub sealing: Sealing,
    /// What to do next.
    pub next: String,
}

/// How personal data is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sealing {
    /// Whether it is sealed; chosen when the store was made.
    pub sealed: bool,
    /// How many clients and coaches have a key.
    pub keys: u64,
    /// How many clients were erased.
    pub erased: u64,
    /// Clients whose erasure was cut off: `rollbook erase` goes on with it.
    pub unfinished: Vec<String>,
    /// Where the master key came from; `None` where none is needed.
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

/// How far a projection is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Projected {
    /// Its name.
    pub name: String,
    /// The position that it has folded up to.
    pub position: Position,
    /// How many positions that is behind the head.
    pub behind: u64,
}

/// Weeks by what made them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Weeks {
    /// By an allocation.
    pub allocated: u64,
    /// By an answer.
    pub submitted: u64,
    /// By a migration.
    pub migrated: u64,
}

/// A recorded comparison of both views.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = RecordedParity))]
pub struct Parity {
    /// The head that it looked at.
    pub at: Position,
    /// Differences without a class.
    pub unexplained: u64,
}

/// The last import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Imported {
    /// Where it is recorded.
    pub position: Position,
    /// SHA-256 over its events, in hexadecimal.
    pub digest: String,
    /// How many documents each collection of the export had.
    pub collections: BTreeMap<String, u32>,
}

impl Imported {
    fn of(import: &ImportState) -> Self {
        let collections = import
            .collections
            .iter()
            .map(|exported| (exported.collection.name().to_owned(), exported.documents))
            .collect();
        Self { position: import.position, digest: import.digest.clone(), collections }
    }
}

/// A batch, as far as it got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Batch {
    /// SHA-256 over its events, in hexadecimal.
    pub digest: String,
    /// The definition's name.
    pub kind: String,
    /// The rules that it was planned with.
    pub rules: String,
    /// The head before it.
    pub base: Position,
    /// Where its end is recorded; `None` while it is not through.
    pub applied_at: Option<Position>,
    /// Series that it was about.
    pub series: u64,
    /// Weeks that it made.
    pub created: u64,
    /// Responses that it linked to their own week.
    pub linked: u64,
    /// Weekless responses that it linked.
    pub adopted: u64,
    /// Events that were there already.
    pub skipped: u64,
}

impl Batch {
    fn of(batch: &BatchState) -> Self {
        let BatchState { digest, kind, rules, base, applied_at, counts, .. } = batch.clone();
        let BatchCounts { series, created, linked, adopted, skipped } = counts;
        Self { digest, kind, rules, base, applied_at, series, created, linked, adopted, skipped }
    }
}

/// A recorded validation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Validated {
    /// Where it is recorded.
    pub position: Position,
    /// The head that it looked at.
    pub at: Position,
    /// The batch that was applied last; empty when there was none.
    pub digest: String,
    /// Whether every check held.
    pub green: bool,
    /// The checks.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<super::schemas::RecordedCheck>))]
    pub checks: Vec<CheckOutcome>,
}

impl Validated {
    /// What an event puts on record, where it is a validation.
    pub(super) fn recorded(position: Position, event: Event) -> Option<Self> {
        match event {
            Event::ValidationRecorded { digest, at, checks } => {
                Some(Self::of(&ValidationState { position, at, digest, checks }))
            }
            _ => None,
        }
    }

    fn of(validation: &ValidationState) -> Self {
        let ValidationState { position, at, digest, checks } = validation.clone();
        Self { position, at, digest, green: validation.all_green(), checks }
    }
}

/// The status of a store. Folds nothing: a projection that is behind is reported as it is.
///
/// # Errors
/// When the store cannot be read.
pub fn status(store: &Store) -> Result<Status, StoreError> {
    let head = store.log().head();
    let checkpoints = store.runtime().checkpoints()?;
    if store.runtime().is_current(head)? {
        return current_status(store);
    }
    let (control, counts) = tracked_in_memory(store)?;
    Ok(report(store, head, &checkpoints, &control, counts, None))
}

/// How a store stands that others write to meanwhile: folds first, then looks at rows of one position.
///
/// # Errors
/// When the store cannot be read or folded.
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
    let projected = |(name, position): &(ProjectionName, Position)| Projected {
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
        import: control.import.as_ref().map(Imported::of),
        weeks: Weeks {
            allocated: counts.allocated,
            submitted: counts.submitted_weeks,
            migrated: counts.migrated,
        },
        answered: counts.answered,
        batches: control.batches.iter().map(Batch::of).collect(),
        validation: control.validation.as_ref().map(Validated::of),
        parity: control.parity.map(|(at, unexplained)| Parity { at, unexplained }),
        switch: Serving::of(&control.switch, clients),
        legacy_retired: control.legacy_retired,
        next: next(control),
        sealing: Sealing::of(store),
        documents: counts.documents,
        events: counts.events,
    }
}

/// The tracker's rows as the next command will fold them, without writing them.
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

/// The format that the store says it has; its directory was opened, so the text is there.
fn format_of(store: &Store) -> Option<u32> {
    let text = std::fs::read_to_string(store.directory().join("FORMAT")).ok()?;
    text.split_whitespace().nth(1)?.parse().ok()
}

/// One line: what to do next.
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
        Err(SwitchRejection::Red(red)) => format!("find out why these are red, then rollbook migrate validate: {red}"),
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

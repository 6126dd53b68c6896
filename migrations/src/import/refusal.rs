//! Refuses an import that would lose data: one of an older export, or one that removes many documents
//! or answers.

use std::collections::BTreeSet;

use rollbook_domain::series::Series;
use rollbook_domain::{Collection, Event, StreamId, Timestamp};
use rollbook_log::Log;
use rollbook_projections::tracker::{self, Tracker};
use rollbook_projections::views::{self, PrecreatedView};
use rollbook_projections::{ProjectionError, Snapshot};
use serde::{Deserialize, Serialize};

use super::ImportPlan;
use crate::error::MigrationError;

/// The number of unanswered documents that an import may remove without being asked to.
pub const FEW_REMOVALS: usize = 5;

/// How many documents the error names.
const NAMED: usize = 3;

/// A document that an export no longer has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Removal {
    /// Whether it is a response, or a week with a response. These are listed first.
    #[serde(skip)]
    is_unanswered: bool,
    /// The name of the collection.
    pub collection: String,
    /// The id of the document.
    pub id: String,
    /// Whether it is a response, or a week with a response.
    pub answered: bool,
}

impl Removal {
    /// The same document, which was answered since.
    pub(super) fn with_an_answer(self) -> Self {
        Self { is_unanswered: false, answered: true, ..self }
    }
}

/// Returns the documents that a plan removes: answered ones first, then by collection and id. A
/// document that only moves to another stream is not removed.
///
/// # Errors
/// If the rows cannot be read.
pub(super) fn removals(
    plan: &ImportPlan,
    snapshot: &Snapshot,
) -> Result<Vec<Removal>, ProjectionError> {
    let mut kept: BTreeSet<(Collection, &str)> = BTreeSet::new();
    let mut removed: BTreeSet<(Collection, &str, &StreamId)> = BTreeSet::new();
    for event in &plan.events {
        match &event.event {
            Event::DocumentRemoved { collection, id } => {
                removed.insert((*collection, id, &event.stream));
            }
            Event::DocumentImported(document) | Event::DocumentChanged(document) => {
                kept.insert((document.collection, &document.id));
            }
            _ => {}
        }
    }
    removed.retain(|(collection, id, _)| !kept.contains(&(*collection, *id)));
    let answered = answered(&removed, snapshot)?;
    let mut removals: Vec<Removal> = (removed.into_iter())
        .map(|(collection, id, _)| {
            let answered = collection == Collection::FormResponses || answered.contains(id);
            let is_unanswered = !answered;
            Removal {
                is_unanswered,
                collection: collection.name().to_owned(),
                id: id.to_owned(),
                answered,
            }
        })
        .collect();
    removals.sort();
    removals.dedup();
    Ok(removals)
}

/// The ids of the removed assignments that have a response, or are completed without one.
fn answered(
    removed: &BTreeSet<(Collection, &str, &StreamId)>,
    snapshot: &Snapshot,
) -> Result<BTreeSet<String>, ProjectionError> {
    let of_assignments: BTreeSet<(&StreamId, &str)> = (removed.iter())
        .filter(|(collection, ..)| *collection == Collection::CheckInAssignments)
        .map(|(_, id, stream)| (*stream, *id))
        .collect();
    let mut answered = BTreeSet::new();
    if of_assignments.is_empty() {
        return Ok(answered);
    }
    let (rows, _) = snapshot.rows::<PrecreatedView>()?;
    views::each_series(&rows, &mut |stream, series: Series| {
        for item in series.items.iter().filter(|item| item.is_completed()) {
            let id = item.document_id();
            if of_assignments.contains(&(&stream, id)) {
                answered.insert(id.to_owned());
            }
        }
        Ok(())
    })?;
    Ok(answered)
}

/// Refuses a plan that changes a store back to an older export. An export without a time passes.
///
/// # Errors
/// [`MigrationError::OlderExport`]; if the rows or the log cannot be read.
pub(super) fn require_newer(
    plan: &ImportPlan,
    log: &Log,
    snapshot: &Snapshot,
) -> Result<(), MigrationError> {
    let exported = plan.completed_at;
    if plan.events.is_empty() || exported == Timestamp::EPOCH {
        return Ok(());
    }
    let (rows, _) = snapshot.rows::<Tracker>()?;
    let Some(import) = tracker::control(&rows)?.import else { return Ok(()) };
    match log.at(import.position)?.map(|recorded| recorded.occurred_at) {
        Some(last) if exported < last => Err(MigrationError::OlderExport { exported, last }),
        _ => Ok(()),
    }
}

/// Refuses the removal of any answered document, or of more than [`FEW_REMOVALS`].
///
/// # Errors
/// [`MigrationError::Removals`].
pub(super) fn require_few(removals: &[Removal]) -> Result<(), MigrationError> {
    let answered = removals.iter().filter(|removal| removal.answered).count();
    if answered == 0 && removals.len() <= FEW_REMOVALS {
        return Ok(());
    }
    let name = |removal: &Removal| format!("{}/{}", removal.collection, removal.id);
    let first = removals.iter().take(NAMED).map(name).collect();
    Err(MigrationError::Removals { removed: removals.len(), answered, first })
}

//! The tracker: how far the migration is, and which view serves whom. Owns the folded control stream and the counts of what
//! the log holds.

use std::collections::BTreeMap;

use rollbook_domain::control::Control;
use rollbook_domain::event::Origin;
use rollbook_domain::{Collection, Event, EventRecord, Position, StreamId};
use serde::{Deserialize, Serialize};

use crate::error::ProjectionError;
use crate::rows::{RowChanges, RowSource, read_row};
use crate::runtime::Projection;

/// The tracker projection.
pub struct Tracker;

/// Counts over the whole log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Events by name.
    pub events: BTreeMap<String, u64>,
    /// Documents that an import holds now, by collection.
    pub documents: BTreeMap<String, u64>,
    /// Weeks made by an allocation.
    pub allocated: u64,
    /// Weeks made by an answer.
    pub submitted_weeks: u64,
    /// Weeks made by a migration.
    pub migrated: u64,
    /// Answers given here.
    pub answered: u64,
    /// The last position counted.
    pub position: Position,
}

impl Counts {
    fn count(&mut self, recorded: &EventRecord) {
        match self.events.get_mut(recorded.event.name()) {
            Some(count) => *count += 1,
            None => {
                self.events.insert(recorded.event.name().to_owned(), 1);
            }
        }
        self.position = recorded.position;
        match &recorded.event {
            Event::DocumentImported(document) if is_counted(document.collection) => {
                *self.documents.entry(document.collection.name().to_owned()).or_default() += 1;
            }
            Event::DocumentRemoved { collection, .. } if is_counted(*collection) => {
                let count = self.documents.entry(collection.name().to_owned()).or_default();
                *count = count.saturating_sub(1);
            }
            Event::AssignmentCreated { origin, .. } => match origin {
                Origin::Allocation => self.allocated += 1,
                Origin::Submission => self.submitted_weeks += 1,
                Origin::Migration => self.migrated += 1,
            },
            Event::ResponseSubmitted { .. } => self.answered += 1,
            _ => {}
        }
    }
}

/// One feedback document may stand in several streams; how many there are is not counted here.
fn is_counted(collection: Collection) -> bool {
    collection != Collection::CoachFeedback
}

const CONTROL: &[u8] = b"control";
const COUNTS: &[u8] = b"counts";

impl Projection for Tracker {
    fn name(&self) -> &'static str {
        "tracker"
    }

    fn version(&self) -> u32 {
        1
    }

    fn fold(
        &self,
        rows: &mut RowChanges<'_>,
        commit: &[EventRecord],
    ) -> Result<(), ProjectionError> {
        for recorded in commit.iter().filter(|recorded| recorded.stream == StreamId::Control) {
            rows.row::<Control>(CONTROL)?.apply(recorded.position, &recorded.event);
        }
        let counts = rows.row::<Counts>(COUNTS)?;
        commit.iter().for_each(|recorded| counts.count(recorded));
        Ok(())
    }
}

/// The control stream, folded.
///
/// # Errors
/// When the rows cannot be read.
pub fn control(source: &dyn RowSource) -> Result<Control, ProjectionError> {
    Ok(read_row(source, CONTROL)?.unwrap_or_default())
}

/// The counts.
///
/// # Errors
/// When the rows cannot be read.
pub fn counts(source: &dyn RowSource) -> Result<Counts, ProjectionError> {
    Ok(read_row(source, COUNTS)?.unwrap_or_default())
}

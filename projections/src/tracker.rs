//! The tracker projection: the folded control stream (imports, batches, validation, the switch) and
//! counts over the complete log.
//!
//! | row | key | value |
//! | --- | --- | --- |
//! | control | `control` | [`Control`] |
//! | counts | `counts` | [`Counts`] |

use std::collections::BTreeMap;

use rollbook_domain::control::Control;
use rollbook_domain::event::Origin;
use rollbook_domain::{Collection, Event, EventRecord, Position, StreamId};
use serde::{Deserialize, Serialize};

use crate::error::ProjectionError;
use crate::projection::Projection;
use crate::rows::{RowChanges, RowSource, read_row};

/// The tracker projection.
pub struct Tracker;

/// Counts over the complete log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Events by name.
    pub events: BTreeMap<String, u64>,
    /// Documents of the last import, by collection.
    pub documents: BTreeMap<String, u64>,
    /// Weeks created by an allocation.
    pub allocated: u64,
    /// Weeks created by an early response.
    pub submitted_weeks: u64,
    /// Weeks created by a migration.
    pub migrated: u64,
    /// Responses that were submitted to Rollbook, not imported.
    pub answered: u64,
    /// The position of the last counted event.
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

/// Feedback documents are not counted: one document may be stored in several streams.
fn is_counted(collection: Collection) -> bool {
    collection != Collection::CoachFeedback
}

const CONTROL: &[u8] = b"control";
const COUNTS: &[u8] = b"counts";

impl Projection for Tracker {
    const NAME: &'static str = "tracker";
    const VERSION: u32 = 2;

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

/// The folded control stream.
///
/// # Errors
/// If the rows cannot be read.
pub fn control(source: &dyn RowSource) -> Result<Control, ProjectionError> {
    Ok(read_row(source, CONTROL)?.unwrap_or_default())
}

/// The counts.
///
/// # Errors
/// If the rows cannot be read.
pub fn counts(source: &dyn RowSource) -> Result<Counts, ProjectionError> {
    Ok(read_row(source, COUNTS)?.unwrap_or_default())
}

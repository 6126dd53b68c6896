//! How the number of a series' stored weeks follows from its events.

use rollbook_domain::series::Series;
use rollbook_domain::{Collection, Event, Position, StreamId};
use rollbook_log::Log;

use crate::error::MigrationError;

/// Whether an event adopts or withdraws stored weeks, or is a correction, which may create or remove
/// one.
pub(super) fn changes_stored_weeks(event: &Event) -> bool {
    matches!(
        event,
        Event::SeriesWithdrawn { .. }
            | Event::AssignmentWithdrawn { .. }
            | Event::DuplicateWithdrawn { .. }
            | Event::DocumentAdopted { .. }
            | Event::ResponsePlaced(_)
            | Event::CorrectionUndone { .. }
            | Event::WeekNumberSet(_)
    )
}

/// How a series' stored weeks follow from what was imported and created.
#[derive(Default)]
pub(super) struct Recount {
    /// Withdrawn from the client.
    pub(super) withdrawn: u64,
    /// Created by corrections.
    pub(super) corrected: u64,
    /// Imported or created, and not stored for another reason.
    pub(super) merged: i64,
}

/// Counts the stored weeks of a series up to a position.
pub(super) fn recount(
    log: &Log,
    stream: &StreamId,
    at: Position,
) -> Result<Recount, MigrationError> {
    let mut series = Series::default();
    let (mut count, mut added) = (Recount::default(), 0_i64);
    for recorded in log.stream_until(stream, 0, at)? {
        let before = series.items.iter().count();
        series.apply(stream, &recorded.event);
        let after = series.items.iter().count();
        match &recorded.event {
            Event::DocumentAdopted { .. } => {}
            event if changes_stored_weeks(event) => {
                count.withdrawn += before.saturating_sub(after) as u64;
                count.corrected += after.saturating_sub(before) as u64;
            }
            Event::DocumentImported(document)
                if document.collection == Collection::CheckInAssignments =>
            {
                added += 1;
            }
            Event::DocumentRemoved { collection: Collection::CheckInAssignments, .. } => added -= 1,
            Event::AssignmentCreated { .. } => added += 1,
            _ => {}
        }
    }
    let stored = series.items.iter().count() as u64;
    count.merged = added
        .saturating_add_unsigned(count.corrected)
        .saturating_sub_unsigned(count.withdrawn)
        .saturating_sub_unsigned(stored);
    Ok(count)
}

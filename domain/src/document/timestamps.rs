//! Validation of the timestamps in a document.

use super::assignment::RawAssignment;
use super::field::Raw;
use super::response::RawResponse;
use crate::collection::Collection;
use crate::json::JsonText;

/// A timestamp field with a value that is not a timestamp.
#[derive(Debug, thiserror::Error)]
#[error("the field {field:?} has the value {value}, which is not a timestamp")]
pub struct BadTimestamp {
    /// The field.
    pub field: &'static str,
    /// Its value as JSON.
    pub value: String,
}

/// Checks the timestamps of a document. A missing timestamp and null are valid.
///
/// # Errors
/// Names the first field that is neither null nor an instant in one of the export's three forms
/// (`docs/spec/legacy-export.md`).
pub fn check_timestamps(collection: Collection, body: &JsonText) -> Result<(), BadTimestamp> {
    let bad = |field: &'static str, raw: Raw<'_>| match raw.instant() {
        Ok(_) => Ok(()),
        Err(()) => Err(BadTimestamp {
            field,
            value: raw.0.map(|raw| raw.get().to_owned()).unwrap_or_default(),
        }),
    };
    match collection {
        Collection::CheckInAssignments => {
            let raw: RawAssignment<'_> = body.read().unwrap_or_default();
            bad("dueDate", raw.due_date)?;
            bad("assignedAt", raw.assigned_at)?;
            bad("completedAt", raw.completed_at)?;
            bad("pausedUntil", raw.paused_until)
        }
        Collection::FormResponses => {
            let raw: RawResponse<'_> = body.read().unwrap_or_default();
            bad("submittedAt", raw.submitted_at)
        }
        _ => Ok(()),
    }
}

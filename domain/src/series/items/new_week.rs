//! Weeks that Rollbook creates, in the shape of a stored document.

use super::item::Item;
use crate::document::{Field, StoredAssignment};
use crate::event::{RunTerms, Terms};
use crate::time::Timestamp;

/// A week made here, in the shape of a stored document. What it has in common with `near` is not held twice.
pub fn made_week(
    document: String,
    form: &str,
    week: u32,
    due: Timestamp,
    terms: &RunTerms,
    near: Option<&Item>,
) -> StoredAssignment {
    StoredAssignment {
        document,
        legacy_id: String::new(),
        due: Field::Is(due),
        status: String::new(),
        completed_at: None,
        response: Field::Null,
        score: None,
        stored_week: Some(week),
        paused_until: None,
        coach_responded: false,
        extension_granted: false,
        shared: terms.fields(form, near.map(|item| &item.stored.shared)),
    }
}

/// What a stored week would pass on to the weeks made from it.
pub fn terms_of(stored: &StoredAssignment) -> Terms {
    Terms {
        stored_client: stored.client.clone(),
        coach: stored.coach.clone(),
        title: stored.title.clone(),
        description: stored.description.clone(),
        assigned_by: (!stored.assigned_by.is_empty()).then(|| stored.assigned_by.clone()),
        assigned_at: stored.assigned_at,
        window: stored.window.clone(),
        recurring: stored.recurring,
        total_weeks: stored.total_weeks,
    }
}

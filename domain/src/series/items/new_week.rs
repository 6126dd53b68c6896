//! Weeks that Rollbook creates, in the shape of a stored document.

use super::item::Item;
use crate::document::{Field, StoredAssignment};
use crate::event::{RunTerms, Terms};
use crate::time::Timestamp;

/// Creates a week in the shape of a stored document. If its shared fields equal those of `near`,
/// both share one allocation.
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
        opened: false,
        total_weeks_capped: false,
        shared: terms.fields(form, near.map(|item| &item.stored.shared)),
    }
}

/// Returns the terms that weeks created from this one inherit.
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

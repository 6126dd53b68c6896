//! Assignment documents: one stored week of a series.

use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::field::{Field, Raw};
use crate::json::JsonText;
use crate::number::Number;
use crate::time::Timestamp;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawAssignment<'a> {
    #[serde(borrow)]
    id: Raw<'a>,
    #[serde(borrow)]
    client_id: Raw<'a>,
    #[serde(borrow)]
    coach_id: Raw<'a>,
    #[serde(borrow)]
    form_id: Raw<'a>,
    #[serde(borrow)]
    form_title: Raw<'a>,
    #[serde(borrow)]
    description: Raw<'a>,
    #[serde(borrow)]
    pub(super) due_date: Raw<'a>,
    #[serde(borrow)]
    status: Raw<'a>,
    #[serde(borrow)]
    assigned_by: Raw<'a>,
    #[serde(borrow)]
    pub(super) assigned_at: Raw<'a>,
    #[serde(borrow)]
    pub(super) completed_at: Raw<'a>,
    #[serde(borrow)]
    response_id: Raw<'a>,
    #[serde(borrow)]
    score: Raw<'a>,
    #[serde(borrow)]
    is_recurring: Raw<'a>,
    #[serde(borrow)]
    recurring_week: Raw<'a>,
    #[serde(borrow)]
    total_weeks: Raw<'a>,
    #[serde(borrow)]
    check_in_window: Raw<'a>,
    #[serde(borrow)]
    pub(super) paused_until: Raw<'a>,
    #[serde(borrow)]
    coach_responded: Raw<'a>,
    #[serde(borrow)]
    extension_granted: Raw<'a>,
}

/// What the weeks of a run have in common. A row holds it once for all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedFields {
    /// The client id as stored: any of the client's identities.
    pub client: String,
    /// The coach's id; empty when missing.
    pub coach: String,
    /// The form's id; may be empty.
    pub form: String,
    /// The form's title; may be empty.
    pub title: String,
    /// The description; may be empty.
    pub description: String,
    /// Who assigned it; empty reads as `Coach`.
    pub assigned_by: String,
    /// When it was assigned.
    pub assigned_at: Option<Timestamp>,
    /// Whether it recurs.
    pub recurring: bool,
    /// The number of weeks; 1 when missing.
    pub total_weeks: u32,
    /// The check-in window, any JSON; `None` when missing or null.
    pub window: Option<JsonText>,
}

/// An assignment document: what both views read of one stored week, imported or made later.
///
/// It reads as if the [`SharedFields`] were its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAssignment {
    /// The document id; the v5 assignment id for a week that no import brought.
    pub document: String,
    /// The old "legacy id"; empty when the document has none. Not unique.
    pub legacy_id: String,
    /// The due date.
    pub due: Field<Timestamp>,
    /// The stored status; empty when missing.
    pub status: String,
    /// When it was completed.
    pub completed_at: Option<Timestamp>,
    /// The response's id.
    pub response: Field<String>,
    /// The score.
    pub score: Option<Number>,
    /// The week as stored; `None` reads as 1.
    pub stored_week: Option<u32>,
    /// Until when it rests.
    pub paused_until: Option<Timestamp>,
    /// Whether the document says that the coach responded.
    pub coach_responded: bool,
    /// Whether an extension was granted.
    pub extension_granted: bool,
    /// What it has in common with other weeks.
    pub shared: Arc<SharedFields>,
}

impl Deref for StoredAssignment {
    type Target = SharedFields;

    fn deref(&self) -> &SharedFields {
        &self.shared
    }
}

impl StoredAssignment {
    /// Reads a document. What has another type than expected reads as missing; the document itself stays as it was stored.
    pub fn read(document: &str, body: &JsonText) -> Self {
        let raw: RawAssignment<'_> = body.read().unwrap_or_default();
        let shared = SharedFields {
            client: raw.client_id.text(),
            coach: raw.coach_id.text(),
            form: raw.form_id.text(),
            title: raw.form_title.text(),
            description: raw.description.text(),
            assigned_by: raw.assigned_by.text(),
            assigned_at: raw.assigned_at.instant_or_none(),
            recurring: raw.is_recurring.read().unwrap_or(false),
            total_weeks: raw.total_weeks.read().filter(|weeks| *weeks > 0).unwrap_or(1),
            window: if raw.check_in_window.is_null() {
                None
            } else {
                raw.check_in_window.0.and_then(|raw| JsonText::parse(raw.get()).ok())
            },
        };
        Self {
            document: document.to_owned(),
            legacy_id: raw.id.text(),
            due: raw.due_date.field(raw.due_date.instant_or_none()),
            status: raw.status.text(),
            completed_at: raw.completed_at.instant_or_none(),
            response: raw.response_id.field(raw.response_id.read()),
            score: raw.score.read(),
            stored_week: raw.recurring_week.read().filter(|week| *week > 0),
            paused_until: raw.paused_until.instant_or_none(),
            coach_responded: raw.coach_responded.read().unwrap_or(false),
            extension_granted: raw.extension_granted.read().unwrap_or(false),
            shared: Arc::new(shared),
        }
    }

    /// The id by which the old system called it: its legacy id, or its document id.
    pub fn public_id(&self) -> &str {
        if self.legacy_id.is_empty() { &self.document } else { &self.legacy_id }
    }

    /// The week it is meant for.
    pub fn week(&self) -> u32 {
        self.stored_week.unwrap_or(1)
    }

    /// The response's id, when it has one.
    pub fn response_id(&self) -> Option<&str> {
        self.response.value().map(String::as_str).filter(|id| !id.is_empty())
    }

    /// Whether it is answered, or stored as if it were.
    pub fn is_completed(&self) -> bool {
        self.status == "completed" || self.completed_at.is_some() || self.response_id().is_some()
    }
}

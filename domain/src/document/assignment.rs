//! Assignment documents: one stored week of a series.

use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::field::{Field, Raw};
use crate::json::JsonText;
use crate::limits::{MOST_WEEKS, cap_weeks};
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

/// The fields that the weeks of a run have in common. A row stores them once for all weeks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedFields {
    /// The stored client id, which is any of the client's identities.
    pub client: String,
    /// The coach's id; empty if missing.
    pub coach: String,
    /// The form's id; may be empty.
    pub form: String,
    /// The form's title; may be empty.
    pub title: String,
    /// The description; may be empty.
    pub description: String,
    /// Who assigned it; lists show an empty value as `Coach`.
    pub assigned_by: String,
    /// When it was assigned.
    pub assigned_at: Option<Timestamp>,
    /// Whether the form recurs weekly.
    pub recurring: bool,
    /// The number of weeks, at most [`MOST_WEEKS`]; 1 if missing.
    pub total_weeks: u32,
    /// The check-in window, any JSON; `None` if missing or null.
    pub window: Option<JsonText>,
}

/// An assignment document: the fields of one stored week that the views read. The week was imported
/// or created by Rollbook.
///
/// It dereferences to its [`SharedFields`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAssignment {
    /// The document id; for a week that was not imported, the derived assignment id (UUIDv5).
    pub document: String,
    /// The legacy id of the old application; empty if the document has none. Not unique.
    pub legacy_id: String,
    /// The due date.
    pub due: Field<Timestamp>,
    /// The stored status; empty if missing.
    pub status: String,
    /// When it was completed.
    pub completed_at: Option<Timestamp>,
    /// The response's id.
    pub response: Field<String>,
    /// The score.
    pub score: Option<Number>,
    /// The stored week; `None` means week 1.
    pub stored_week: Option<u32>,
    /// When its pause ends.
    pub paused_until: Option<Timestamp>,
    /// The document's own flag that the coach gave feedback.
    pub coach_responded: bool,
    /// Whether an extension was granted.
    pub extension_granted: bool,
    /// Whether an event opened the week or granted an extension, and no later event marked it as
    /// missed. Imports never set it.
    pub opened: bool,
    /// Whether the document has more weeks than [`MOST_WEEKS`], so that `total_weeks` is less.
    pub total_weeks_capped: bool,
    /// The fields it has in common with other weeks.
    pub shared: Arc<SharedFields>,
}

impl Deref for StoredAssignment {
    type Target = SharedFields;

    fn deref(&self) -> &SharedFields {
        &self.shared
    }
}

impl StoredAssignment {
    /// Reads a document. A field of an unexpected type counts as missing; the stored document does
    /// not change.
    pub fn read(document: &str, body: &JsonText) -> Self {
        let raw: RawAssignment<'_> = body.read().unwrap_or_default();
        let total_weeks = raw.total_weeks.whole().filter(|weeks| *weeks > 0).unwrap_or(1_u64);
        let shared = SharedFields {
            client: raw.client_id.text(),
            coach: raw.coach_id.text(),
            form: raw.form_id.text(),
            title: raw.form_title.text(),
            description: raw.description.text(),
            assigned_by: raw.assigned_by.text(),
            assigned_at: raw.assigned_at.instant_or_none(),
            recurring: raw.is_recurring.read().unwrap_or(false),
            total_weeks: u32::try_from(total_weeks).map_or(MOST_WEEKS, cap_weeks),
            window: if raw.check_in_window.is_null() {
                None
            } else {
                // A part of canonical text is canonical.
                raw.check_in_window.0.map(|raw| JsonText::from_canonical(raw.get()))
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
            stored_week: raw.recurring_week.week(),
            paused_until: raw.paused_until.instant_or_none(),
            coach_responded: raw.coach_responded.read().unwrap_or(false),
            extension_granted: raw.extension_granted.read().unwrap_or(false),
            opened: false,
            total_weeks_capped: total_weeks > u64::from(MOST_WEEKS),
            shared: Arc::new(shared),
        }
    }

    /// The id that the old application showed: the legacy id, or else the document id.
    #[inline]
    pub fn public_id(&self) -> &str {
        if self.legacy_id.is_empty() { &self.document } else { &self.legacy_id }
    }

    /// The week, from 1.
    #[inline]
    pub fn week(&self) -> u32 {
        self.stored_week.unwrap_or(1)
    }

    /// The id of its response, if it has one.
    #[inline]
    pub fn response_id(&self) -> Option<&str> {
        self.response.value().map(String::as_str).filter(|id| !id.is_empty())
    }

    /// The same week without a response and without a status.
    pub fn unanswered(&self) -> Self {
        Self {
            status: String::new(),
            completed_at: None,
            response: Field::Null,
            score: None,
            opened: false,
            ..self.clone()
        }
    }

    /// Whether it has a response or is stored as completed.
    #[inline]
    pub fn is_completed(&self) -> bool {
        self.status == "completed" || self.completed_at.is_some() || self.response_id().is_some()
    }
}

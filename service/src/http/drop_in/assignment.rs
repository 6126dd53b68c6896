//! An assignment in the form of the old application, and the selection of a list.

use rollbook_domain::document::{Field, StoredAssignment};
use rollbook_domain::status::{Clock, Status};
use rollbook_domain::{JsonText, Number};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::shapes::CheckInStatus;

/// A stored week of a series.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Assignment {
    /// The id of the document or of the assignment.
    pub id: String,
    /// The id of the client's document.
    pub client_id: String,
    /// The coach.
    pub coach_id: String,
    /// The form.
    pub form_id: String,
    /// The form's title.
    pub form_title: String,
    /// The description.
    pub description: String,
    /// The due date; null if the stored week has none.
    #[schema(format = DateTime)]
    pub due_date: Option<String>,
    /// The status, as lists show it.
    #[schema(value_type = CheckInStatus)]
    pub status: Status,
    /// The run of the series, from 1.
    pub run: u32,
    /// The week, from 1.
    pub recurring_week: u32,
    /// The number of weeks in the run.
    pub total_weeks: u32,
    /// Whether the form recurs.
    pub is_recurring: bool,
    /// Who assigned it: a coach's id or a name.
    pub assigned_by: String,
    /// The time of the assignment.
    #[schema(format = DateTime)]
    pub assigned_at: Option<String>,
    /// The time of completion.
    #[schema(format = DateTime)]
    pub completed_at: Option<String>,
    /// The response.
    pub response_id: Option<String>,
    /// The response's score.
    #[schema(value_type = Option<f64>)]
    pub score: Option<Number>,
    /// The check-in window, as stored.
    #[schema(value_type = serde_json::Value)]
    pub check_in_window: Option<JsonText>,
    /// The end of the pause.
    #[schema(format = DateTime)]
    pub paused_until: Option<String>,
    /// Whether a coach gave feedback on the response.
    pub coach_responded: bool,
    /// Whether an extension was granted.
    pub extension_granted: bool,
    /// The note of the coach. Only the client's coach sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub coach_notes: Option<String>,
}

impl Assignment {
    /// Describes a stored week of a client.
    pub(super) fn of(client: &str, run: u32, stored: &StoredAssignment, clock: &Clock) -> Self {
        let due = stored.due.value().copied();
        let status = clock.status_of(stored, due.unwrap_or(clock.now));
        let text = |instant: rollbook_domain::Timestamp| instant.to_milliseconds_text();
        Self {
            id: stored.document.clone(),
            client_id: client.to_owned(),
            coach_id: stored.coach.clone(),
            form_id: stored.form.clone(),
            form_title: stored.title.clone(),
            description: stored.description.clone(),
            due_date: due.map(text),
            status,
            run,
            recurring_week: stored.week(),
            total_weeks: stored.total_weeks,
            is_recurring: stored.recurring,
            assigned_by: stored.assigned_by.clone(),
            assigned_at: stored.assigned_at.map(text),
            completed_at: stored.completed_at.map(text),
            response_id: if let Field::Is(id) = &stored.response { Some(id.clone()) } else { None },
            score: stored.score,
            check_in_window: stored.window.clone(),
            paused_until: stored.paused_until.filter(|until| *until > clock.now).map(text),
            coach_responded: stored.coach_responded,
            extension_granted: stored.extension_granted,
            coach_notes: None,
        }
    }
}

/// The selection and the page of assignments.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Only assignments of this coach.
    #[param(required = false)]
    pub(super) coach_id: Option<String>,
    /// Only assignments of this client, by any id.
    #[param(required = false)]
    pub(super) client_id: Option<String>,
    /// Only assignments with this status.
    #[param(required = false, value_type = CheckInStatus, inline)]
    pub(super) status: Option<Status>,
    /// The maximum number on a page, 1 to 200; the default is 50.
    #[param(required = false, minimum = 1, maximum = 200)]
    pub(super) limit: Option<usize>,
    /// The `nextCursor` of the previous page.
    #[param(required = false)]
    pub(super) cursor: Option<String>,
}

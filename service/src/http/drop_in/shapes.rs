//! Schemas that several endpoints share, and those of the views' bodies. The projections write
//! these bodies; a test compares them with the schemas.

use rollbook_domain::Position;
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::super::answer::At;

/// A view's answer.
#[derive(Debug, ToSchema)]
#[schema(example = json!({
    "success": true,
    "data": {
        "checkins": [{
            "id": "week-1", "documentId": "BsgOVS4feC4WVue2auE6", "clientId": "ada", "title": "Habits Review",
            "description": "Complete your assigned check-in", "dueDate": "2026-01-05T09:00:00.000Z", "status": "pending",
            "formId": "habits", "assignedBy": "Robin Doe", "assignedAt": "2026-01-03T06:03:00.000Z", "isRecurring": true,
            "recurringWeek": 1, "totalWeeks": 52, "checkInWindow": null, "coachResponded": false, "extensionGranted": false
        }],
        "summary": {"total": 1, "pending": 1, "completed": 0, "overdue": 0}
    }
}))]
pub struct CheckIns {
    /// Always true.
    pub success: bool,
    /// The list.
    pub data: CheckInData,
}

/// The list and its summary.
#[derive(Debug, ToSchema)]
pub struct CheckInData {
    /// The check-ins by due date.
    pub checkins: Vec<CheckIn>,
    /// The summary.
    pub summary: CheckInSummary,
}

/// How many check-ins a list has.
#[derive(Debug, ToSchema)]
pub struct CheckInSummary {
    /// All.
    pub total: u64,
    /// Of these, pending.
    pub pending: u64,
    /// Of these, completed.
    pub completed: u64,
    /// Of these, overdue by the view's own rule.
    pub overdue: u64,
}

/// A check-in's status as lists show it.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum CheckInStatus {
    /// Answered.
    Completed,
    /// Marked missed, or the next week's window is open.
    Missed,
    /// Due longer ago than the grace.
    Overdue,
    /// None of these.
    Pending,
}

/// One check-in of a view.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct CheckIn {
    /// The id to answer it by.
    pub id: String,
    /// The stored document behind it.
    pub document_id: String,
    /// The stored client id. The pre-created view leaves it out.
    #[schema(required = false, nullable = false)]
    pub client_id: Option<String>,
    /// The title.
    pub title: String,
    /// The description.
    pub description: String,
    /// When it is due.
    #[schema(format = DateTime)]
    pub due_date: String,
    /// Its status.
    pub status: CheckInStatus,
    /// The form.
    pub form_id: String,
    /// Who assigned it: a name, or an id that does not belong to a coach.
    pub assigned_by: String,
    /// When it was assigned.
    #[schema(format = DateTime)]
    pub assigned_at: String,
    /// When it was completed; absent if it was not.
    #[schema(format = DateTime, required = false, nullable = false)]
    pub completed_at: Option<String>,
    /// The score; absent when unset or zero.
    #[schema(required = false, nullable = false)]
    pub score: Option<f64>,
    /// Whether the form recurs.
    pub is_recurring: bool,
    /// The week, from 1.
    pub recurring_week: u32,
    /// How many weeks the run has.
    pub total_weeks: u32,
    /// The check-in window, as stored.
    pub check_in_window: Value,
    /// The response; absent or null while there is none.
    #[schema(required = false)]
    pub response_id: Option<String>,
    /// Until when it is paused; absent if it is not.
    #[schema(format = DateTime, required = false, nullable = false)]
    pub paused_until: Option<String>,
    /// Whether a coach answered the response.
    pub coach_responded: bool,
    /// Whether the client was given more time.
    pub extension_granted: bool,
}

/// The answer of a write that has nothing else to say.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"success": true, "message": "Check-in marked as missed"}))]
pub struct Done {
    /// Always true.
    pub success: bool,
    /// What happened.
    pub message: &'static str,
}

impl Done {
    /// Done, at a position.
    pub(super) fn at(position: Position, message: &'static str) -> At<Self> {
        At { position, body: Self { success: true, message } }
    }
}

/// The header that makes it safe to send a write again.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IdempotencyKey {
    /// The caller's own name for this request, 1 to 255 visible ASCII characters. The same request
    /// under the same key gets the same answer, and nothing is written again; another request under
    /// the key is rejected (422).
    #[param(
        rename = "Idempotency-Key",
        required = false,
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]([ -~]*[!-~])?$"
    )]
    pub idempotency_key: Option<String>,
}

//! Schemas that several endpoints share, and the schemas of the lists. The projections render the
//! lists. A test compares them with the schemas.

use rollbook_domain::Position;
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::super::answer::At;

/// The list of a view.
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

/// The number of check-ins in a list.
#[derive(Debug, ToSchema)]
pub struct CheckInSummary {
    /// All check-ins.
    pub total: u64,
    /// Pending check-ins.
    pub pending: u64,
    /// Completed check-ins.
    pub completed: u64,
    /// Overdue check-ins, by the rule of the view.
    pub overdue: u64,
}

/// A check-in's status as lists show it.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum CheckInStatus {
    /// It has a response, or is stored as completed.
    Completed,
    /// It was marked as missed, or the window of the next week is open.
    Missed,
    /// The grace period after its due date is over.
    Overdue,
    /// None of these.
    Pending,
}

/// One check-in of a view.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct CheckIn {
    /// The id for a response.
    pub id: String,
    /// The id of the stored document.
    pub document_id: String,
    /// The stored client id. The pre-created view leaves it out.
    #[schema(required = false, nullable = false)]
    pub client_id: Option<String>,
    /// The title.
    pub title: String,
    /// The description.
    pub description: String,
    /// The due date.
    #[schema(format = DateTime)]
    pub due_date: String,
    /// The status.
    pub status: CheckInStatus,
    /// The form.
    pub form_id: String,
    /// Who assigned it: a name, or an id that does not belong to a coach.
    pub assigned_by: String,
    /// The time of the assignment.
    #[schema(format = DateTime)]
    pub assigned_at: String,
    /// The time of completion; absent if it is not completed.
    #[schema(format = DateTime, required = false, nullable = false)]
    pub completed_at: Option<String>,
    /// The score; absent when unset or zero.
    #[schema(required = false, nullable = false)]
    pub score: Option<f64>,
    /// Whether the form recurs.
    pub is_recurring: bool,
    /// The week, from 1.
    pub recurring_week: u32,
    /// The number of weeks in the run.
    pub total_weeks: u32,
    /// The check-in window, as stored.
    pub check_in_window: Value,
    /// The response; absent or null while there is none.
    #[schema(required = false)]
    pub response_id: Option<String>,
    /// The end of the pause; absent if it is not paused.
    #[schema(format = DateTime, required = false, nullable = false)]
    pub paused_until: Option<String>,
    /// Whether a coach gave feedback on the response.
    pub coach_responded: bool,
    /// Whether an extension was granted.
    pub extension_granted: bool,
}

/// The response to a write without any other content.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"success": true, "message": "Check-in marked as missed"}))]
pub struct Done {
    /// Always true.
    pub success: bool,
    /// The result as a sentence.
    pub message: &'static str,
}

impl Done {
    /// Makes the response for a write at a position.
    pub(super) fn at(position: Position, message: &'static str) -> At<Self> {
        At { position, body: Self { success: true, message } }
    }
}

/// The header that makes it safe to repeat a write.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IdempotencyKey {
    /// An id that the caller chooses for this request, 1 to 255 visible ASCII characters. The same
    /// request with the same key gets the same response, and nothing is written again. Another
    /// request with the same key is rejected (422).
    #[param(
        rename = "Idempotency-Key",
        required = false,
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]([ -~]*[!-~])?$"
    )]
    pub idempotency_key: Option<String>,
}

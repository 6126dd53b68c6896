//! POST `/api/check-in-assignments`: a coach allocates a form for a number of weeks. This module
//! turns the old application's fields into an [`AllocationRequest`].

use axum::extract::State;
use chrono::NaiveTime;
use rollbook_application::code::Code;
use rollbook_application::operations::{self, AllocationRequest};
use rollbook_application::store::{Outcome, Store};
use rollbook_domain::calendar::Zone;
use rollbook_domain::event::AssignedStatus;
use rollbook_domain::series::decide::time_of_day;
use rollbook_domain::{Event, JsonText};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::answer::At;
use super::super::caller::WriteRequest;
use super::super::error::{ApiError, DropInRefusal, DropInRefusals};
use super::super::extract::Body;
use super::super::service::Service;
use super::{week, when};

/// An allocation of a form to a client.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"formId": "habits", "clientId": "ada", "coachId": "robin", "duration": 12, "firstCheckInDate": "2026-03-02"}))]
pub struct AllocationBody {
    /// The form.
    #[schema(required = true, nullable = false, min_length = 1)]
    form_id: Option<String>,
    /// The client, by any id.
    #[schema(required = true, nullable = false, min_length = 1)]
    client_id: Option<String>,
    /// The client's coach.
    #[schema(required = true, nullable = false, min_length = 1)]
    coach_id: Option<String>,
    /// `once` creates one week; the default is `weekly`.
    frequency: Option<Frequency>,
    /// The number of weeks, 1 to 520; the default is 4. With `extend`, the number of additional
    /// weeks.
    #[serde(default, deserialize_with = "crate::http::integer::optional")]
    #[schema(minimum = 1, maximum = 520)]
    duration: Option<u32>,
    /// The first week is due on the Monday after this date; the default is today.
    start_date: Option<String>,
    /// The first due date. Another weekday than Monday moves to the next Monday.
    first_check_in_date: Option<String>,
    /// The local time at which every week is due; the default is 09:00.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "09:00")]
    due_time: Option<String>,
    /// The initial status of the weeks; the default is open.
    status: Option<Status>,
    /// Who assigned it: a coach's id, or a name.
    assigned_by: Option<String>,
    /// The title; the default is the title of the form.
    title: Option<String>,
    /// The description.
    description: Option<String>,
    /// The check-in window, stored unchanged.
    #[schema(value_type = Option<serde_json::Value>)]
    check_in_window: Option<JsonText>,
    /// Extends a run that still has open weeks, instead of refusing the allocation.
    #[serde(default)]
    extend: bool,
}

/// The frequency of check-ins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Frequency {
    /// A single week.
    Once,
    /// Every week.
    Weekly,
}

/// A stored status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = AssignedStatus)]
pub enum Status {
    /// Open.
    Pending,
    /// Open; another name of `pending`.
    Active,
    /// Paused.
    Inactive,
    /// Overdue. Lists also derive this status from the due date.
    Overdue,
    /// Missed.
    Missed,
    /// Completed without a response.
    Completed,
}

impl From<Status> for AssignedStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Pending => Self::Pending,
            Status::Active => Self::Active,
            Status::Inactive => Self::Inactive,
            Status::Overdue => Self::Overdue,
            Status::Missed => Self::Missed,
            Status::Completed => Self::Completed,
        }
    }
}

/// The result of an allocation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllocationResult {
    /// Always true.
    success: bool,
    /// The result as a sentence.
    message: &'static str,
    /// The assignment of the first new week.
    assignment_id: Option<Uuid>,
    /// The new weeks.
    assignments: Vec<AllocatedWeek>,
}

/// A new week.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllocatedWeek {
    /// The id of the assignment.
    id: Uuid,
    /// The week, from 1.
    recurring_week: u32,
    /// The due date.
    #[schema(format = DateTime)]
    due_date: String,
}

impl AllocationResult {
    fn of(outcome: &Outcome) -> Self {
        let weeks = outcome.events().iter().filter_map(|written| match &written.event {
            Event::AssignmentCreated { assignment, week, due, .. } => Some(AllocatedWeek {
                id: *assignment,
                recurring_week: *week,
                due_date: due.to_milliseconds_text(),
            }),
            _ => None,
        });
        let assignments: Vec<AllocatedWeek> = weeks.collect();
        let assignment_id = assignments.first().map(|week| week.id);
        Self {
            success: true,
            message: "Check-in assigned successfully",
            assignment_id,
            assignments,
        }
    }
}

/// Allocates a form to a client. Every week is stored as its own assignment.
#[utoipa::path(
    post,
    path = "/api/check-in-assignments",
    operation_id = "allocate",
    tag = "assignments",
    params(super::shapes::IdempotencyKey),
    request_body = AllocationBody,
    responses(
        (status = 200, description = "The created weeks.", body = AllocationResult, headers(("x-rollbook-position" = u64, description = "The position of the event"))),
        (status = 404, description = "The client, the form or the coach does not exist.", body = DropInRefusal),
        (status = 409, description = "A run of the form still has open weeks.", body = DropInRefusal),
        DropInRefusals
    )
)]
pub async fn allocate(
    State(service): State<Service>,
    writing: WriteRequest,
    Body(wanted): Body<AllocationBody>,
) -> Result<At<AllocationResult>, ApiError> {
    let given = |field: &Option<String>| field.clone().filter(|id| !id.is_empty());
    let (Some(form), Some(client), Some(coach)) =
        (given(&wanted.form_id), given(&wanted.client_id), given(&wanted.coach_id))
    else {
        return Err(ApiError::bad_request(
            Code::MissingFields,
            "Missing required fields: formId, clientId, coachId",
        ));
    };
    let allocate = move |store: &Store| -> Result<_, ApiError> {
        let reading = &store.reading();
        let request = week::as_coach(reading, &writing, &client, Some(&coach))?;
        let wanted = wanted.request((client, form, coach), reading.zone()?)?;
        let outcome = operations::allocate(reading, &wanted, &request)?.outcome;
        Ok(At { position: week::position(reading, &outcome), body: AllocationResult::of(&outcome) })
    };
    service.blocking(allocate).await
}

impl AllocationBody {
    fn request(
        self,
        (client, form, coach): (String, String, String),
        zone: Zone,
    ) -> Result<AllocationRequest, ApiError> {
        let date = |field: &'static str, text: Option<String>| {
            text.map(|text| when::date(field, &text, zone)).transpose()
        };
        let first_due = date("firstCheckInDate", self.first_check_in_date)?;
        let start = date("startDate", self.start_date)?;
        let text = self.due_time.as_deref().unwrap_or("09:00");
        let due_time = time_of_day(text)
            .and_then(|(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0))
            .ok_or_else(|| {
                ApiError::bad_request(
                    Code::BadTime,
                    format!("dueTime is no time of day: {text:?}. Write it like 09:00"),
                )
            })?;
        Ok(AllocationRequest {
            client,
            form,
            coach,
            first_due,
            start,
            due_time,
            weeks: self.duration.unwrap_or(4),
            once: self.frequency == Some(Frequency::Once),
            extend: self.extend,
            status: self.status.map(Into::into),
            title: self.title,
            description: self.description.unwrap_or_default(),
            assigned_by: self.assigned_by.filter(|who| !who.is_empty()),
            window: self.check_in_window,
            allow_unknown: false,
        })
    }
}

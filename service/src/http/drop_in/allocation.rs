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
use super::super::caller::Writing;
use super::super::error::{ApiError, DropInRefusal, DropInRefusals};
use super::super::extract::Body;
use super::super::service::Service;
use super::{week, when};

/// A form for a client.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"formId": "habits", "clientId": "ada", "coachId": "robin", "duration": 12, "firstCheckInDate": "2026-03-02"}))]
pub struct Wanted {
    /// The form.
    #[schema(required = true, nullable = false, min_length = 1)]
    form_id: Option<String>,
    /// The client, by any id.
    #[schema(required = true, nullable = false, min_length = 1)]
    client_id: Option<String>,
    /// The client's coach.
    #[schema(required = true, nullable = false, min_length = 1)]
    coach_id: Option<String>,
    /// `once` makes one week; default `weekly`.
    frequency: Option<Frequency>,
    /// How many weeks, 1 to 520; default 4. With `extend`, how many more.
    #[serde(default, deserialize_with = "crate::http::integer::optional")]
    #[schema(minimum = 1, maximum = 520)]
    duration: Option<u32>,
    /// The first due is on the Monday strictly after this date; default today.
    start_date: Option<String>,
    /// The first due date, moved to the next Monday unless it is one.
    first_check_in_date: Option<String>,
    /// The local time at which every week is due; default 09:00.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "09:00")]
    due_time: Option<String>,
    /// The status that the weeks begin with; default to be answered.
    status: Option<Status>,
    /// Who assigned it: a coach's id, or a name.
    assigned_by: Option<String>,
    /// The title; default the form's.
    title: Option<String>,
    /// The description.
    description: Option<String>,
    /// The check-in window, kept as it is.
    #[schema(value_type = Option<serde_json::Value>)]
    check_in_window: Option<JsonText>,
    /// Where a run of the form has open weeks: make it longer instead of refusing.
    #[serde(default)]
    extend: bool,
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Frequency {
    /// One week only.
    Once,
    /// Every week.
    Weekly,
}

/// A stored status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = AssignedStatus)]
pub enum Status {
    /// To be answered.
    Pending,
    /// The same, by its other name.
    Active,
    /// It rests.
    Inactive,
    /// Late; lists count that from the due date themselves.
    Overdue,
    /// Missed.
    Missed,
    /// Done, without an answer.
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

/// What was allocated.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Allocated {
    /// Always true.
    success: bool,
    /// What happened.
    message: &'static str,
    /// The first new week's assignment.
    assignment_id: Option<Uuid>,
    /// Every new week.
    assignments: Vec<AllocatedWeek>,
}

/// A new week.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllocatedWeek {
    /// The assignment.
    id: Uuid,
    /// The week, from 1.
    recurring_week: u32,
    /// When it is due.
    #[schema(format = DateTime)]
    due_date: String,
}

impl Allocated {
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

/// Allocate a form to a client. Every week is stored at once.
#[utoipa::path(
    post,
    path = "/api/check-in-assignments",
    operation_id = "allocate",
    tag = "assignments",
    params(super::shapes::IdempotencyKey),
    request_body = Wanted,
    responses(
        (status = 200, description = "The new weeks.", body = Allocated, headers(("x-rollbook-position" = u64, description = "The position it was given"))),
        (status = 404, description = "No such client, form or coach.", body = DropInRefusal),
        (status = 409, description = "A run of the form still has open weeks.", body = DropInRefusal),
        DropInRefusals
    )
)]
pub async fn allocate(
    State(service): State<Service>,
    writing: Writing,
    Body(wanted): Body<Wanted>,
) -> Result<At<Allocated>, ApiError> {
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
        Ok(At { position: week::position(reading, &outcome), body: Allocated::of(&outcome) })
    };
    service.blocking(allocate).await
}

impl Wanted {
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

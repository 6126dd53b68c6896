//! PATCH and DELETE `/api/check-in-assignments/{id}`: a coach's corrections of one week. Each
//! correction is an event of its own, and all corrections of one request are one commit.

use axum::extract::State;
use rollbook_application::code::Code;
use rollbook_application::store::{SeriesCommand, Store, WeekRef};
use rollbook_domain::series::decide::Correction;
use rollbook_domain::{Event, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::answer::At;
use super::super::caller::WriteRequest;
use super::super::error::{ApiError, DropInRefusal, DropInRefusals};
use super::super::extract::{Body, PathOf, QueryOf};
use super::super::service::Service;
use super::allocation::Status;
use super::assignments::{self, One};
use super::week::{self, As};
use super::when;

/// The fields to correct. Absent fields stay unchanged. An unknown field is refused, so that a
/// typing mistake never loses a correction.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"dueDate": "2026-01-12T09:00:00Z", "coachNotes": "moved by a week"}))]
pub struct Patch {
    /// The status. A week with a response keeps its status.
    status: Option<Status>,
    /// The due date.
    due_date: Option<String>,
    /// The note. It replaces the previous note; an empty text removes it.
    #[serde(alias = "notes")]
    coach_notes: Option<String>,
    /// The coach who makes the correction.
    coach_id: Option<String>,
}

/// Corrects a week.
#[utoipa::path(
    patch,
    path = "/api/check-in-assignments/{id}",
    operation_id = "correctAssignment",
    tag = "assignments",
    params(("id" = String, Path, description = "Any id of the assignment, including earlier ones."), super::shapes::IdempotencyKey),
    request_body = Patch,
    responses(
        (status = 200, description = "The current state of the assignment.", body = One, headers(("x-rollbook-position" = u64, description = "The position of the response"))),
        (status = 404, description = "No assignment has this id.", body = DropInRefusal),
        DropInRefusals
    )
)]
pub async fn correct(
    State(service): State<Service>,
    writing: WriteRequest,
    PathOf(id): PathOf<String>,
    Body(patch): Body<Patch>,
) -> Result<At<One>, ApiError> {
    if patch.status.is_none() && patch.due_date.is_none() && patch.coach_notes.is_none() {
        return Err(ApiError::bad_request(
            Code::NothingToCorrect,
            "Give a status, a dueDate or coachNotes",
        ));
    }
    let asked = service.asked();
    let correct = move |store: &Store| -> Result<_, ApiError> {
        let reading = &store.reading();
        let zone = reading.zone()?;
        let due: Option<Timestamp> = patch
            .due_date
            .as_deref()
            .map(|text| when::instant("dueDate", text, zone))
            .transpose()?;
        let correction =
            Correction { due, status: patch.status.map(Into::into), note: patch.coach_notes };
        let command = |run, week| SeriesCommand::Correct { run, week, correction };
        let (named, _outcome) =
            week::command(reading, &writing, &id, As::Coach(patch.coach_id.as_deref()), command)?;
        // A new reading: the response contains the week after the correction.
        assignments::one(&store.reading(), writing.caller(), &named, asked)
    };
    service.blocking(correct).await
}

/// The coach of a withdrawal.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct By {
    /// The coach.
    #[param(required = false)]
    coach_id: Option<String>,
}

/// The result of withdrawing a week.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WithdrawalResult {
    /// Always true.
    success: bool,
    /// The result as a sentence.
    message: &'static str,
    /// Whether the response was cleared, so that the week is pending again. The response stays in
    /// the history.
    cleared: bool,
}

/// Withdraws a week. If it has a response, the response is cleared and the week is pending again.
#[utoipa::path(
    delete,
    path = "/api/check-in-assignments/{id}",
    operation_id = "withdrawAssignment",
    tag = "assignments",
    params(("id" = String, Path, description = "Any id of the assignment, including earlier ones."), By, super::shapes::IdempotencyKey),
    responses(
        (status = 200, description = "The assignment is withdrawn or cleared.", body = WithdrawalResult, headers(("x-rollbook-position" = u64, description = "The position of the event"))),
        (status = 404, description = "No assignment has this id.", body = DropInRefusal),
        DropInRefusals
    )
)]
pub async fn withdraw(
    State(service): State<Service>,
    writing: WriteRequest,
    PathOf(id): PathOf<String>,
    QueryOf(by): QueryOf<By>,
) -> Result<At<WithdrawalResult>, ApiError> {
    let withdraw = move |store: &Store| -> Result<_, ApiError> {
        let reading = &store.reading();
        let reason = by
            .coach_id
            .as_ref()
            .map_or_else(|| "withdrawn".to_owned(), |coach| format!("withdrawn by coach {coach}"));
        let (named, request) =
            week::request(reading, &writing, &id, As::Coach(by.coach_id.as_deref()))?;
        let (WeekRef { run, week, .. }, assignment) = reading.named_assignment(&id)?;
        let command = SeriesCommand::WithdrawWeek { run, week, assignment, reason };
        let outcome = reading.command(&named.stream, &command, &request)?;
        let last = outcome.events().last().map(|written| &written.event);
        // In a withdrawn series, the week is withdrawn together with its response.
        let cleared =
            matches!(last, Some(Event::ResponseCleared { .. } | Event::DuplicateCleared { .. }));
        let message = if cleared {
            "Check-in response cleared successfully"
        } else {
            "Check-in assignment deleted successfully"
        };
        Ok(At {
            position: week::position(reading, &outcome),
            body: WithdrawalResult { success: true, message, cleared },
        })
    };
    service.blocking(withdraw).await
}

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
use super::super::caller::Writing;
use super::super::error::{ApiError, DropInRefusal, DropInRefusals};
use super::super::extract::{Body, PathOf, QueryOf};
use super::super::service::Service;
use super::allocation::Status;
use super::assignments::{self, One};
use super::week::{self, As};
use super::when;

/// What is to be corrected. What is not named stays; a field that is not listed here is refused, so that no correction is lost to a
/// slip of the keyboard.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"dueDate": "2026-01-12T09:00:00Z", "coachNotes": "moved by a week"}))]
pub struct Patch {
    /// The status. An answered week keeps its own.
    status: Option<Status>,
    /// The due date.
    due_date: Option<String>,
    /// A note, in place of the one before; empty takes it away.
    #[serde(alias = "notes")]
    coach_notes: Option<String>,
    /// The coach who corrects.
    coach_id: Option<String>,
}

/// Correct a week.
#[utoipa::path(
    patch,
    path = "/api/check-in-assignments/{id}",
    operation_id = "correctAssignment",
    tag = "assignments",
    params(("id" = String, Path, description = "Any id that ever named the assignment."), super::shapes::IdempotencyKey),
    request_body = Patch,
    responses(
        (status = 200, description = "The assignment as it is now.", body = One, headers(("x-rollbook-position" = u64, description = "The position the answer is of"))),
        (status = 404, description = "No such assignment.", body = DropInRefusal),
        DropInRefusals
    )
)]
pub async fn correct(
    State(service): State<Service>,
    writing: Writing,
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
        // A new reading: the answer is the week after the correction.
        assignments::one(&store.reading(), writing.caller(), &named, asked)
    };
    service.blocking(correct).await
}

/// Who withdraws.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct By {
    /// The coach.
    #[param(required = false)]
    coach_id: Option<String>,
}

/// What became of a withdrawn week.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Withdrawn {
    /// Always true.
    success: bool,
    /// What happened.
    message: &'static str,
    /// Whether its answer was cleared, and the week is to be answered again; the response stays in the history.
    cleared: bool,
}

/// Withdraw a week. An answered one is cleared back to pending.
#[utoipa::path(
    delete,
    path = "/api/check-in-assignments/{id}",
    operation_id = "withdrawAssignment",
    tag = "assignments",
    params(("id" = String, Path, description = "Any id that ever named the assignment."), By, super::shapes::IdempotencyKey),
    responses(
        (status = 200, description = "It is withdrawn, or cleared.", body = Withdrawn, headers(("x-rollbook-position" = u64, description = "The position it was given"))),
        (status = 404, description = "No such assignment.", body = DropInRefusal),
        DropInRefusals
    )
)]
pub async fn withdraw(
    State(service): State<Service>,
    writing: Writing,
    PathOf(id): PathOf<String>,
    QueryOf(by): QueryOf<By>,
) -> Result<At<Withdrawn>, ApiError> {
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
        // In a series that was withdrawn, the week goes with its answer.
        let cleared =
            matches!(last, Some(Event::ResponseCleared { .. } | Event::DuplicateCleared { .. }));
        let message = if cleared {
            "Check-in response cleared successfully"
        } else {
            "Check-in assignment deleted successfully"
        };
        Ok(At {
            position: week::position(reading, &outcome),
            body: Withdrawn { success: true, message, cleared },
        })
    };
    service.blocking(withdraw).await
}

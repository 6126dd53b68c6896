//! `/api/check-in-assignments/series…`: pauses, resumes and withdraws a complete run. This module
//! defines the bodies of the old application. The rules are in the domain.

use axum::extract::State;
use rollbook_application::code::Code;
use rollbook_application::store::{Outcome, SeriesCommand, Store};
use rollbook_domain::Event;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::answer::At;
use super::super::caller::WriteRequest;
use super::super::error::{ApiError, DropInRefusal, DropInRefusals};
use super::super::extract::Body;
use super::super::service::Service;
use super::shapes::Done;
use super::week;

/// The series of a request.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = NamedSeries, example = json!({"clientId": "ada", "formId": "habits", "coachId": "robin"}))]
pub struct Which {
    /// The client, by any id.
    #[schema(required = true, nullable = false, min_length = 1)]
    client_id: Option<String>,
    /// The form.
    #[schema(required = true, nullable = false, min_length = 1)]
    form_id: Option<String>,
    /// The client's coach.
    #[schema(required = true, nullable = false, min_length = 1)]
    coach_id: Option<String>,
}

/// A request to pause a series.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"clientId": "ada", "formId": "habits", "coachId": "robin", "pauseWeeks": 2}))]
pub struct PauseBody {
    #[serde(flatten)]
    which: Which,
    /// The length of the pause in weeks, 1 to 52.
    #[serde(default, deserialize_with = "crate::http::integer::optional")]
    #[schema(required = true, nullable = false, minimum = 1, maximum = 52)]
    pause_weeks: Option<u32>,
}

/// A request to withdraw a series.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"clientId": "ada", "formId": "habits", "coachId": "robin", "preserveHistory": true}))]
pub struct WithdrawalBody {
    #[serde(flatten)]
    which: Which,
    /// Whether weeks with a response stay in the views; the default is true. The history keeps all
    /// events in either case.
    preserve_history: Option<bool>,
}

impl Which {
    fn named(self) -> Result<(String, String, String), ApiError> {
        let given = |field: Option<String>| field.filter(|id| !id.is_empty());
        match (given(self.client_id), given(self.form_id), given(self.coach_id)) {
            (Some(client), Some(form), Some(coach)) => Ok((client, form, coach)),
            _ => Err(ApiError::bad_request(
                Code::MissingFields,
                "Missing required fields: clientId, formId, coachId",
            )),
        }
    }
}

/// The result of a pause.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PauseResult {
    /// Always true.
    success: bool,
    /// The result as a sentence.
    message: &'static str,
    /// The number of moved weeks.
    moved: usize,
    /// The end of the pause.
    #[schema(format = DateTime)]
    paused_until: Option<String>,
}

impl PauseResult {
    fn of(outcome: &Outcome) -> Self {
        let paused = outcome.events().iter().find_map(|written| match &written.event {
            Event::SeriesPaused { until, moved, .. } => {
                Some((moved.len(), until.to_milliseconds_text()))
            }
            _ => None,
        });
        let (moved, paused_until) = paused.unzip();
        Self { success: true, message: "Series paused", moved: moved.unwrap_or(0), paused_until }
    }
}

/// Pauses a series: its unanswered weeks with a due date from now on move.
#[utoipa::path(
    post,
    path = "/api/check-in-assignments/series/pause",
    operation_id = "pauseSeries",
    tag = "series",
    params(super::shapes::IdempotencyKey),
    request_body = PauseBody,
    responses(
        (status = 200, description = "The series is paused.", body = PauseResult, headers(("x-rollbook-position" = u64, description = "The position of the event"))),
        (status = 404, description = "The series does not exist.", body = DropInRefusal),
        DropInRefusals
    )
)]
pub async fn pause(
    State(service): State<Service>,
    writing: WriteRequest,
    Body(pausing): Body<PauseBody>,
) -> Result<At<PauseResult>, ApiError> {
    let (client, form, coach) = pausing.which.named()?;
    let Some(weeks @ 1..) = pausing.pause_weeks else {
        return Err(ApiError::bad_request(Code::OutOfRange, "pauseWeeks is at least 1"));
    };
    let pause = move |store: &Store| -> Result<_, ApiError> {
        let reading = &store.reading();
        let paused = week::series_command(
            reading,
            &writing,
            (&client, &form),
            &coach,
            &SeriesCommand::Pause { weeks },
        );
        let outcome = match paused {
            Ok((_, outcome)) => outcome,
            Err(error) if error.code() == Code::NothingToPause => Outcome::Nothing,
            Err(error) => return Err(error),
        };
        Ok(At { position: week::position(reading, &outcome), body: PauseResult::of(&outcome) })
    };
    service.blocking(pause).await
}

/// Resumes a series: its latest pause is undone.
#[utoipa::path(
    post,
    path = "/api/check-in-assignments/series/unpause",
    operation_id = "unpauseSeries",
    tag = "series",
    params(super::shapes::IdempotencyKey),
    request_body = Which,
    responses(
        (status = 200, description = "The series is resumed.", body = Done, headers(("x-rollbook-position" = u64, description = "The position of the event"))),
        (status = 404, description = "The series does not exist.", body = DropInRefusal),
        DropInRefusals
    )
)]
pub async fn unpause(
    State(service): State<Service>,
    writing: WriteRequest,
    Body(which): Body<Which>,
) -> Result<At<Done>, ApiError> {
    let (client, form, coach) = which.named()?;
    let unpause = move |store: &Store| -> Result<_, ApiError> {
        let reading = &store.reading();
        let (_, outcome) = week::series_command(
            reading,
            &writing,
            (&client, &form),
            &coach,
            &SeriesCommand::Resume,
        )?;
        Ok(Done::at(week::position(reading, &outcome), "Series resumed"))
    };
    service.blocking(unpause).await
}

/// Withdraws a series from its client.
#[utoipa::path(
    delete,
    path = "/api/check-in-assignments/series",
    operation_id = "withdrawSeries",
    tag = "series",
    params(super::shapes::IdempotencyKey),
    request_body = WithdrawalBody,
    responses(
        (status = 200, description = "The series is withdrawn.", body = Done, headers(("x-rollbook-position" = u64, description = "The position of the event"))),
        (status = 404, description = "The series does not exist.", body = DropInRefusal),
        DropInRefusals
    )
)]
pub async fn withdraw(
    State(service): State<Service>,
    writing: WriteRequest,
    Body(withdrawing): Body<WithdrawalBody>,
) -> Result<At<Done>, ApiError> {
    let keep_answered = withdrawing.preserve_history.unwrap_or(true);
    let (client, form, coach) = withdrawing.which.named()?;
    let withdraw = move |store: &Store| -> Result<_, ApiError> {
        let reading = &store.reading();
        let command = SeriesCommand::Withdraw {
            keep_answered,
            reason: format!("withdrawn by coach {coach}"),
        };
        let (_, outcome) =
            week::series_command(reading, &writing, (&client, &form), &coach, &command)?;
        Ok(Done::at(week::position(reading, &outcome), "Series withdrawn"))
    };
    service.blocking(withdraw).await
}

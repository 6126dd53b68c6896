//! `/api/client-portal/check-in/{id}`: a client's answer. Owns its shape; that a week is answered once, whoever comes at the same
//! time, is the domain's and the log's.

use axum::extract::State;
use rollbook_application::store::{Outcome, SeriesCommand};
use rollbook_domain::{Event, JsonText, Number};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::super::answer::At;
use super::super::caller::Writing;
use super::super::error::{ApiError, DropInRefusal, DropInRefusals};
use super::super::extract::{Body, PathOf};
use super::super::service::Service;
use super::week::{self, As};

/// The answers of a week.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"responses": [{"questionId": "q1", "question": "How was the week?", "answer": "good", "weight": 5, "score": 8}]}))]
pub struct Response {
    /// The answers, kept as they are.
    #[schema(value_type = Vec<Answer>)]
    responses: JsonText,
    /// The score, 0 to 100. Default: 100 × Σ score·weight ⁄ Σ 10·weight over the answers with both, rounded.
    #[serde(default, deserialize_with = "crate::http::integer::optional")]
    #[schema(maximum = 100)]
    score: Option<u32>,
}

/// One answer, kept as it is sent, further fields too.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Answer {
    /// The question's id.
    #[schema(required = false)]
    pub question_id: Value,
    /// Its text.
    #[schema(required = false)]
    pub question: Value,
    /// What the client says.
    #[schema(required = false)]
    pub answer: Value,
    /// How much it counts: a number; anything else does not count.
    #[schema(required = false)]
    pub weight: Value,
    /// A number, 0 to 10; anything else does not count.
    #[schema(required = false)]
    pub score: Value,
}

/// What became of a response.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"success": true, "message": "Check-in completed successfully", "responseId": "1f0e…", "score": 80}))]
pub struct Responded {
    /// Always true.
    success: bool,
    /// What happened.
    message: &'static str,
    /// The response: this one, or the first one where the week was answered before. Empty where an import had none.
    response_id: String,
    /// Its score; null where nothing was scored.
    #[schema(value_type = Option<f64>)]
    score: Option<Number>,
    /// True where the week was answered before: then nothing was written.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    already_completed: bool,
}

impl Responded {
    fn of(outcome: &Outcome) -> Self {
        let done = |response_id, score| Self {
            success: true,
            message: "Check-in completed successfully",
            response_id,
            score,
            already_completed: false,
        };
        match outcome {
            Outcome::AlreadyCompleted { response, score } => Self {
                message: "Check-in was already completed",
                already_completed: true,
                ..done(response.clone(), *score)
            },
            Outcome::Nothing => done(String::new(), None),
            Outcome::Done { events, .. } => {
                let submitted = events.iter().find_map(|recorded| match &recorded.event {
                    Event::ResponseSubmitted { response, score, .. } => {
                        Some((response.clone(), score.map(Number::from)))
                    }
                    _ => None,
                });
                let (response, score) = submitted.unwrap_or_default();
                done(response, score)
            }
        }
    }
}

/// Answer a week. A week that is not stored yet is stored with its answer. Answering an answered week writes nothing and gives the
/// first response.
#[utoipa::path(
    post,
    path = "/api/client-portal/check-in/{id}",
    operation_id = "respond",
    tag = "check-ins",
    params(("id" = String, Path, description = "Any id that ever named the assignment."), super::shapes::IdempotencyKey),
    request_body = Response,
    responses(
        (status = 200, description = "The response, or the first one.", body = Responded, headers(("x-rollbook-position" = u64, description = "The position it was given"))),
        (status = 404, description = "No such assignment.", body = DropInRefusal),
        DropInRefusals
    )
)]
pub async fn respond(
    State(service): State<Service>,
    writing: Writing,
    PathOf(id): PathOf<String>,
    Body(Response { responses, score }): Body<Response>,
) -> Result<At<Responded>, ApiError> {
    let respond = move |store: &rollbook_application::store::Store| -> Result<_, ApiError> {
        let answer = |run, week| SeriesCommand::Respond { run, week, answers: responses, score };
        let (_, outcome) = week::command(store, &writing, &id, As::Client, answer)?;
        Ok(At { position: week::position(store, &outcome), body: Responded::of(&outcome) })
    };
    service.blocking(respond).await
}

//! `/api/client-portal/check-in/{id}`: a client's response. This module defines the bodies. The
//! domain and the log ensure that a week is answered only once.

use axum::extract::State;
use rollbook_application::operations;
use rollbook_application::store::Store;
use rollbook_domain::{JsonText, Number};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::super::answer::At;
use super::super::caller::WriteRequest;
use super::super::error::{ApiError, DropInRefusal, DropInRefusals};
use super::super::extract::{Body, PathOf};
use super::super::service::Service;
use super::week::{self, As};

/// The response to a week.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"responses": [{"questionId": "q1", "question": "How was the week?", "answer": "good", "weight": 5, "score": 8}]}))]
pub struct Response {
    /// The answers, stored unchanged.
    #[schema(value_type = Vec<Answer>)]
    responses: JsonText,
    /// The score, 0 to 100. The default is 100 × Σ score·weight ⁄ Σ 10·weight over the answers with
    /// both, rounded.
    #[serde(default, deserialize_with = "crate::http::integer::optional")]
    #[schema(maximum = 100)]
    score: Option<u32>,
}

/// One answer. It is stored unchanged, including additional fields.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Answer {
    /// The id of the question.
    #[schema(required = false)]
    pub question_id: Value,
    /// The text of the question.
    #[schema(required = false)]
    pub question: Value,
    /// The client's answer.
    #[schema(required = false)]
    pub answer: Value,
    /// The weight, a number. An answer with any other value does not count for the score.
    #[schema(required = false)]
    pub weight: Value,
    /// The score, a number from 0 to 10. An answer with any other value does not count for the
    /// score.
    #[schema(required = false)]
    pub score: Value,
}

/// The result of a response.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"success": true, "message": "Check-in completed successfully", "responseId": "1f0e…", "score": 80}))]
pub struct ResponseResult {
    /// Always true.
    success: bool,
    /// The result as a sentence.
    message: &'static str,
    /// The id of the response: this one, or the first one if the week was answered before. Empty if
    /// an import stored the week as completed without a response.
    response_id: String,
    /// The score; null if no answer has a score.
    #[schema(value_type = Option<f64>)]
    score: Option<Number>,
    /// Whether the week was answered before. Then nothing was written.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    already_completed: bool,
}

impl ResponseResult {
    fn of(response: operations::Response) -> Self {
        let already_completed = response.already_completed;
        let message = if already_completed {
            "Check-in was already completed"
        } else {
            "Check-in completed successfully"
        };
        let (response_id, score) = (response.id, response.score);
        Self { success: true, message, response_id, score, already_completed }
    }
}

/// Submits a response to a week. A week that is not stored yet is stored in the same commit. If the
/// week has a response already, nothing is written and the first response is returned.
#[utoipa::path(
    post,
    path = "/api/client-portal/check-in/{id}",
    operation_id = "respond",
    tag = "check-ins",
    params(("id" = String, Path, description = "Any id of the assignment, including earlier ones."), super::shapes::IdempotencyKey),
    request_body = Response,
    responses(
        (status = 200, description = "The new response, or the first response of a week that was answered before.", body = ResponseResult, headers(("x-rollbook-position" = u64, description = "The position of the event"))),
        (status = 404, description = "No assignment has this id.", body = DropInRefusal),
        DropInRefusals
    )
)]
pub async fn respond(
    State(service): State<Service>,
    writing: WriteRequest,
    PathOf(id): PathOf<String>,
    Body(Response { responses, score }): Body<Response>,
) -> Result<At<ResponseResult>, ApiError> {
    service.blocking(move |store| answer(store, &writing, &id, responses, score)).await
}

fn answer(
    store: &Store,
    writing: &WriteRequest,
    id: &str,
    answers: JsonText,
    score: Option<u32>,
) -> Result<At<ResponseResult>, ApiError> {
    let reading = &store.reading();
    let (week, request) = week::request(reading, writing, id, As::Client)?;
    let response = operations::respond(reading, &week, answers, score, &request)?;
    let position = response.last_position.unwrap_or_else(|| store.log().head());
    Ok(At { position, body: ResponseResult::of(response) })
}

#[cfg(test)]
mod tests {
    use chrono::NaiveTime;
    use rollbook_application::operations::{AllocationRequest, allocate};
    use rollbook_application::store::{ReadCounts, Request};
    use rollbook_domain::{Actor, Event};

    use super::*;
    use crate::access::Caller;

    fn allocated(store: &Store) -> String {
        let wanted = AllocationRequest {
            client: "ada".to_owned(),
            form: "habits".to_owned(),
            coach: "robin".to_owned(),
            first_due: None,
            start: None,
            due_time: NaiveTime::default(),
            weeks: 4,
            once: false,
            extend: false,
            status: None,
            title: None,
            description: String::new(),
            assigned_by: None,
            window: None,
            allow_unknown: true,
        };
        let actor = Actor::Admin("test".to_owned());
        let request = Request { actor, now: Store::now(), key: None, cause: None };
        let outcome = allocate(&store.reading(), &wanted, &request).unwrap().outcome;
        let first = outcome.events().first().unwrap();
        let Event::AssignmentCreated { assignment, .. } = first.event else { panic!("{first:?}") };
        assignment.to_string()
    }

    #[test]
    fn a_client_s_answer_takes_one_snapshot_and_does_not_fold_the_series_again() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("store"), true).unwrap();
        let id = allocated(&store);
        // The allocation has put the series into the cache.
        let before = store.read_counts();
        let writing = WriteRequest::by(Caller::client("ada"), Some("key"));
        let answers = JsonText::parse("[]").unwrap();
        let answered = answer(&store, &writing, &id, answers, Some(80)).unwrap();
        assert_eq!(answered.position, store.log().head());
        let after = store.read_counts();
        let counts = ReadCounts {
            snapshots: after.snapshots - before.snapshots,
            series_folds: after.series_folds - before.series_folds,
            control_folds: after.control_folds - before.control_folds,
            commits_read: after.commits_read - before.commits_read,
        };
        assert_eq!(
            counts,
            ReadCounts { snapshots: 1, series_folds: 0, control_folds: 0, commits_read: 0 }
        );
        let other = WriteRequest::by(Caller::client("ben"), None);
        let refused = answer(&store, &other, &id, JsonText::parse("[]").unwrap(), None);
        assert_eq!(refused.unwrap_err().code(), rollbook_application::code::Code::Forbidden);
    }
}

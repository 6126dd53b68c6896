//! POST `/api/coach-feedback`: a coach gives feedback on a response. Additional fields from the
//! front end are stored with the coach's words.

use std::collections::BTreeMap;

use axum::extract::State;
use rollbook_application::code::Code;
use rollbook_application::operations::{FeedbackRequest, give_feedback};
use rollbook_application::store::Store;
use rollbook_domain::JsonText;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::super::answer::At;
use super::super::caller::WriteRequest;
use super::super::error::{ApiError, DropInRefusal, DropInRefusals};
use super::super::extract::Body;
use super::super::service::Service;
use super::shapes::Done;
use super::week::{self, client_of};

/// A coach's feedback. Additional fields, such as `feedbackType` and `questionId`, are stored.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"responseId": "2tOmF32nl0g8Dh76Gz1n", "coachId": "robin", "content": "Well done"}))]
pub struct Feedback {
    /// The response.
    #[schema(required = true, nullable = false, min_length = 1)]
    response_id: Option<String>,
    /// The coach.
    #[schema(required = true, nullable = false, min_length = 1)]
    coach_id: Option<String>,
    /// The coach's words.
    #[schema(required = true, nullable = false, min_length = 1)]
    content: Option<String>,
    #[serde(flatten)]
    #[schema(value_type = Object)]
    further: BTreeMap<String, Value>,
}

/// Gives feedback on a response, as the client's coach.
#[utoipa::path(
    post,
    path = "/api/coach-feedback",
    operation_id = "giveFeedback",
    tag = "assignments",
    params(super::shapes::IdempotencyKey),
    request_body = Feedback,
    responses(
        (status = 200, description = "The feedback is recorded.", body = Done, headers(("x-rollbook-position" = u64, description = "The position of the event"))),
        (status = 404, description = "No response has this id.", body = DropInRefusal),
        DropInRefusals
    )
)]
pub async fn give(
    State(service): State<Service>,
    writing: WriteRequest,
    Body(feedback): Body<Feedback>,
) -> Result<At<Done>, ApiError> {
    let given = |field: &Option<String>| field.clone().filter(|text| !text.trim().is_empty());
    let (Some(response), Some(coach)) = (given(&feedback.response_id), given(&feedback.coach_id))
    else {
        return Err(ApiError::bad_request(
            Code::MissingFields,
            "Missing required fields: responseId, coachId",
        ));
    };
    let Some(text) = feedback.text() else {
        return Err(ApiError::bad_request(Code::MissingFields, "Missing required field: content"));
    };
    let give = move |store: &Store| -> Result<_, ApiError> {
        let reading = &store.reading();
        let stream = week::found(reading, writing.caller(), reading.response(&response))?;
        let request = week::as_coach(reading, &writing, client_of(&stream), Some(&coach))?;
        week::is_its_coach(reading, &stream, Some(&coach))?;
        let feedback = FeedbackRequest { response, coach, text, allow_unknown: false };
        let outcome = give_feedback(reading, &stream, feedback, &request)?;
        Ok(Done::at(week::position(reading, &outcome), "Feedback saved"))
    };
    service.blocking(give).await
}

impl Feedback {
    /// Returns the coach's words; with additional fields, all of them as one JSON object.
    fn text(&self) -> Option<String> {
        let content = self.content.clone().filter(|text| !text.trim().is_empty())?;
        if self.further.is_empty() {
            return Some(content);
        }
        let mut whole = self.further.clone();
        whole.insert("content".to_owned(), Value::from(content));
        Some(JsonText::from_value(&whole.into_iter().collect()).as_str().to_owned())
    }
}

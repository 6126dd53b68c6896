//! OpenFeature's remote evaluation protocol (OFREP): the switch as a feature flag. This module has
//! the protocol's bodies, errors and caching.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use axum::response::{IntoResponse, Response};
use rollbook_application::reports::switch::{Evaluation, evaluate};
use rollbook_application::store::Store;
use rollbook_domain::event::View;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::answer::POSITION;
use super::error::{ApiError, NativeRefusals};
use super::extract::PathOf;
use super::service::Service;
use crate::access::{Caller, Permission};

/// The only flag: whether the pre-created view serves a client.
pub const FLAG: &str = "use-pre-created-assignments";

/// The context of an evaluation.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"context": {"targetingKey": "ada"}}))]
pub struct EvaluationRequest {
    /// The context.
    #[schema(value_type = EvaluationContext)]
    pub context: Option<Value>,
}

/// The client. Other fields are ignored.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct EvaluationContext {
    /// The client, by document id or authUid.
    #[schema(min_length = 1)]
    pub targeting_key: String,
}

/// A flag's value, and the reason for it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"key": "use-pre-created-assignments", "value": true, "reason": "SPLIT", "variant": "precreated"}))]
pub struct EvaluationSuccess {
    /// The flag.
    pub key: &'static str,
    /// Whether the pre-created view serves this client.
    pub value: bool,
    /// `STATIC`: all clients have this view; `SPLIT`: a percentage decided; `TARGETING_MATCH`: the
    /// client is named.
    pub reason: &'static str,
    /// The view's name.
    pub variant: &'static str,
}

/// Every flag.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkEvaluationSuccess {
    /// The flags.
    pub flags: Vec<EvaluationSuccess>,
}

/// Why a flag was not evaluated, in the protocol's own form.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"key": "use-pre-created-assignments", "errorCode": "TARGETING_KEY_MISSING", "errorDetails": "context.targetingKey is the client's id"}))]
pub struct EvaluationFailure {
    /// The flag, if the request named one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub key: Option<String>,
    /// `PARSE_ERROR`, `INVALID_CONTEXT`, `TARGETING_KEY_MISSING` or `FLAG_NOT_FOUND`.
    pub error_code: &'static str,
    /// An explanation for people.
    pub error_details: &'static str,
}

/// The status, the error code and the text of a failure.
type Failed = (StatusCode, &'static str, &'static str);

/// Evaluates the flag for a client.
#[utoipa::path(
    post,
    path = "/ofrep/v1/evaluate/flags/{key}",
    operation_id = "evaluateFlag",
    tag = "ofrep",
    params(
        ("key" = String, Path, description = "The flag.", example = "use-pre-created-assignments"),
        ("if-none-match" = Option<String>, Header, description = "The ETag of the response that you have.")
    ),
    request_body(content = EvaluationRequest, content_type = "application/json"),
    responses(
        (status = 200, description = "The value of the flag.", body = EvaluationSuccess, headers(("etag" = String, description = "A new ETag for each value"), ("x-rollbook-position" = u64, description = "The position of the response"))),
        (status = 304, description = "The value did not change."),
        (status = 400, description = "The body or the context is invalid.", body = EvaluationFailure),
        NativeRefusals,
        (status = 404, description = "The flag does not exist.", body = EvaluationFailure),
    )
)]
pub async fn evaluate_flag(
    State(service): State<Service>,
    caller: Caller,
    PathOf(key): PathOf<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    if key != FLAG {
        return Ok(failure(
            Some(key),
            (
                StatusCode::NOT_FOUND,
                "FLAG_NOT_FOUND",
                "the flag here is use-pre-created-assignments",
            ),
        ));
    }
    let client = match targeting_key(&body) {
        Ok(client) => client,
        Err(failed) => return Ok(failure(Some(key), failed)),
    };
    let served = served(&service, caller, client).await?;
    Ok(cached(&headers, served.position, &evaluation(&served)))
}

/// Evaluates every flag for a client.
#[utoipa::path(
    post,
    path = "/ofrep/v1/evaluate/flags",
    operation_id = "evaluateFlags",
    tag = "ofrep",
    params(("if-none-match" = Option<String>, Header, description = "The ETag of the response that you have.")),
    request_body(content = EvaluationRequest, content_type = "application/json"),
    responses(
        (status = 200, description = "The values of the flags.", body = BulkEvaluationSuccess, headers(("etag" = String, description = "A new ETag for each set of values"), ("x-rollbook-position" = u64, description = "The position of the response"))),
        (status = 304, description = "The values did not change."),
        (status = 400, description = "The body or the context is invalid.", body = EvaluationFailure),
        NativeRefusals,
    )
)]
pub async fn evaluate_flags(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let client = match targeting_key(&body) {
        Ok(client) => client,
        Err(failed) => return Ok(failure(None, failed)),
    };
    let served = served(&service, caller, client).await?;
    Ok(cached(
        &headers,
        served.position,
        &BulkEvaluationSuccess { flags: vec![evaluation(&served)] },
    ))
}

fn targeting_key(body: &[u8]) -> Result<String, Failed> {
    let bad = |code, details| (StatusCode::BAD_REQUEST, code, details);
    let value: Value =
        serde_json::from_slice(body).map_err(|_| bad("PARSE_ERROR", "the body is no JSON"))?;
    let Value::Object(mut request) = value else {
        return Err(bad("PARSE_ERROR", "the body is not an object"));
    };
    let missing = bad("TARGETING_KEY_MISSING", "context.targetingKey is the client's id");
    let context = match request.remove("context") {
        None => return Err(missing),
        Some(Value::Object(context)) => context,
        Some(_) => return Err(bad("INVALID_CONTEXT", "context is not an object")),
    };
    match context.get("targetingKey") {
        Some(Value::String(key)) if !key.is_empty() => Ok(key.clone()),
        Some(Value::String(_)) | None => Err(missing),
        Some(_) => Err(bad("INVALID_CONTEXT", "context.targetingKey is not text")),
    }
}

async fn served(service: &Service, caller: Caller, client: String) -> Result<Evaluation, ApiError> {
    let work = move |store: &Store| -> Result<Evaluation, ApiError> {
        caller.authorize(store, Permission::Flag(&client))?;
        Ok(evaluate(store, &client)?)
    };
    service.blocking(work).await
}

fn evaluation(served: &Evaluation) -> EvaluationSuccess {
    EvaluationSuccess {
        key: FLAG,
        value: served.view == View::Precreated,
        reason: served.reason.name(),
        variant: served.view.name(),
    }
}

fn failure(key: Option<String>, (status, error_code, error_details): Failed) -> Response {
    (status, Json(EvaluationFailure { key, error_code, error_details })).into_response()
}

/// Returns the response, or 304 if the caller has it already. The tag depends only on the body, so
/// events that change no flag do not change it.
fn cached(headers: &HeaderMap, position: u64, answer: &impl Serialize) -> Response {
    // Serializing texts and booleans cannot fail.
    let body = serde_json::to_vec(answer).unwrap_or_default();
    let digest: String =
        Sha256::digest(&body).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{digest}\"");
    let known = headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let has_it = known
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == tag || known == "*");
    let mut response = match has_it {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([("content-type", "application/json")], body).into_response(),
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response.headers_mut().insert(POSITION, HeaderValue::from(position));
    response
}

//! The two forms of an error: the old application's `{"success": false, "message": …}` under
//! `/api`, and RFC 9457 everywhere else; and which of them the OpenAPI document adds to every
//! endpoint.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use rollbook_application::code::Code;
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use super::ApiError;

/// An error in the old application's form.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"success": false, "message": "Assignment not found"}))]
pub struct DropInRefusal {
    /// Always false.
    #[schema(default = false)]
    pub success: bool,
    /// The reason.
    pub message: String,
}

/// The errors that any drop-in endpoint may answer with.
#[derive(IntoResponses)]
pub enum DropInRefusals {
    /// The request is invalid, or the rules forbid it.
    #[response(status = 400)]
    BadRequest(DropInRefusal),
    /// Authentication required.
    #[response(status = 401)]
    Unauthenticated(DropInRefusal),
    /// The caller has no permission, or the thing does not exist.
    #[response(status = 403)]
    Forbidden(DropInRefusal),
    /// The request came too slowly.
    #[response(status = 408)]
    TooSlow(DropInRefusal),
    /// A concurrent request changed the same thing.
    #[response(status = 409)]
    Conflict(DropInRefusal),
    /// The body is too large.
    #[response(status = 413)]
    TooLarge(DropInRefusal),
    /// The content type is not JSON.
    #[response(status = 415)]
    NoJson(DropInRefusal),
    /// The Idempotency-Key was used for another request.
    #[response(status = 422)]
    KeyReused(DropInRefusal),
    /// Too many requests.
    #[response(status = 429)]
    TooMany(DropInRefusal),
    /// The service failed.
    #[response(status = 500)]
    Failed(DropInRefusal),
    /// The store cannot be read or written now.
    #[response(status = 503)]
    Unavailable(DropInRefusal),
}

/// The errors that any native endpoint may answer with.
#[derive(IntoResponses)]
pub enum NativeRefusals {
    /// Not authenticated.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(Problem),
    /// The caller has no permission, or the thing does not exist.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
}

/// An error in the form of RFC 9457.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"type": "about:blank", "title": "Not Found", "status": 404, "code": "unknown_id", "detail": "Assignment not found"}))]
pub struct Problem {
    /// Always `about:blank`: `code` distinguishes errors.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The status in words.
    pub title: String,
    /// The status.
    pub status: u16,
    /// A stable name for programs.
    pub code: &'static str,
    /// The reason.
    pub detail: String,
    /// The next step, if `detail` does not contain it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub next_step: Option<String>,
}

/// [`render`] writes the body, because the form depends on the path.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes an error in the form of its path and returns its code. Other answers are not changed.
pub fn render(response: &mut Response, is_drop_in: bool, is_head: bool) -> Option<Code> {
    let refusal = response.extensions_mut().remove::<ApiError>()?;
    let (media_type, text) = if is_drop_in { refusal.drop_in() } else { refusal.problem() };
    *response.body_mut() = if is_head { axum::body::Body::empty() } else { text.into() };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    if refusal.status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = refusal.retry_after_seconds {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    Some(refusal.code)
}

impl ApiError {
    /// The whole text for the caller, as the native form shows it.
    pub fn text(&self) -> String {
        match (&self.whole, &self.detail) {
            (Some(whole), _) => whole.to_string(),
            (None, Some(detail)) => format!("{}. {detail}", self.message),
            (None, None) => self.message.clone(),
        }
    }

    fn drop_in(&self) -> (&'static str, String) {
        ("application/json", json(&DropInRefusal { success: false, message: self.message.clone() }))
    }

    fn problem(&self) -> (&'static str, String) {
        let title = self.status.canonical_reason().unwrap_or_default().to_owned();
        let problem = Problem {
            kind: "about:blank",
            title,
            status: self.status.as_u16(),
            code: self.code.name(),
            detail: self.text(),
            next_step: self.next.as_ref().map(ToString::to_string),
        };
        ("application/problem+json", json(&problem))
    }
}

fn json(value: &impl Serialize) -> String {
    // Serializing texts and numbers cannot fail.
    serde_json::to_string(value).unwrap_or_default()
}

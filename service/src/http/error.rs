//! Refusals: why a request is not done, in one type for every endpoint. Owns the one place where errors of the layers below get a
//! status, a stable code and a text for the caller, and the two forms in which they are told: the old application's
//! `{"success": false, "message": …}` under `/api`, RFC 9457 everywhere else. The layers below know no HTTP.
//!
//! What failed here, as opposed to what was asked wrongly, is told to nobody but the log.

use std::error::Error;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use rollbook_application::backup::BackupError;
use rollbook_application::code::{Code, Coded};
use rollbook_application::evidence::EvidenceError;
use rollbook_application::operations::OperationError;
use rollbook_application::store::StoreError;
use rollbook_domain::series::decide::Rejection;
use rollbook_log::{AppendError, LogError};
use rollbook_migrations::MigrationError;
use rollbook_projections::ProjectionError;
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use crate::access::Denied;
use crate::telemetry::request::request_id_text;

/// Why a request is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    status: StatusCode,
    code: Code,
    message: String,
    detail: Option<String>,
    retry_after_seconds: Option<u64>,
    whole: Option<Box<str>>,
    next: Option<Box<str>>,
}

impl Refusal {
    /// A refusal with a stable code and a text for the caller.
    pub fn new(status: StatusCode, code: Code, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            detail: None,
            retry_after_seconds: None,
            whole: None,
            next: None,
        }
    }

    /// What was asked makes no sense: 400.
    pub fn bad_request(code: Code, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// No such thing: 404.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, Code::UnknownId, message)
    }

    /// As things are, it cannot be done: 409.
    pub fn conflict(code: Code, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// A mistake in the service itself: 500. What is known of it went to the log.
    pub fn mistake() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            Code::Internal,
            "Something went wrong here. The service's log says what",
        )
    }

    /// Something failed here: 500. The cause goes to the log.
    pub fn internal(cause: &dyn Error) -> Self {
        tracing::error!(request_id = request_id_text(), cause = %chain(cause), "a request failed");
        Self::mistake()
    }

    /// The store cannot be read or written: 503. The cause goes to the log.
    pub fn unavailable(cause: &dyn Error) -> Self {
        tracing::error!(request_id = request_id_text(), cause = %chain(cause), "the store is unavailable");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            Code::StoreUnavailable,
            "The store cannot be read or written now. The service's log says why",
        )
    }

    /// With more about this one case. Only the native form tells it.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// With the time after which asking again makes sense (`Retry-After`), in whole seconds, 1 at least.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        Self {
            retry_after_seconds: Some(
                wait.as_millis().div_ceil(1000).max(1).try_into().unwrap_or(u64::MAX),
            ),
            ..self
        }
    }

    /// With what to do next. Only the native form tells it.
    #[must_use]
    pub fn with_next(self, next: impl Into<String>) -> Self {
        Self { next: Some(next.into().into()), ..self }
    }

    /// Too many at once: 503, to be tried again.
    pub fn too_many(message: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::Overloaded, message)
            .retry_after(Duration::from_secs(1))
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What the caller reads.
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// An error and what lies behind it, in one line for the log.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let cause = source.to_string();
        if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
        next = source.source();
    }
    text
}

/// A refusal as the old application told it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"success": false, "message": "Assignment not found"}))]
pub struct DropInRefusal {
    /// Always false.
    #[schema(default = false)]
    pub success: bool,
    /// Why not.
    pub message: String,
}

/// The refusals that any drop-in endpoint may answer with.
#[derive(IntoResponses)]
pub enum DropInRefusals {
    /// What was asked makes no sense, or the rules forbid it.
    #[response(status = 400)]
    BadRequest(DropInRefusal),
    /// Authentication required.
    #[response(status = 401)]
    Unauthenticated(DropInRefusal),
    /// Another's data, existing or not.
    #[response(status = 403)]
    Forbidden(DropInRefusal),
    /// The request came too slowly.
    #[response(status = 408)]
    TooSlow(DropInRefusal),
    /// Others changed it at the same time.
    #[response(status = 409)]
    Conflict(DropInRefusal),
    /// The body is too large.
    #[response(status = 413)]
    TooLarge(DropInRefusal),
    /// The body is not called JSON.
    #[response(status = 415)]
    NoJson(DropInRefusal),
    /// The Idempotency-Key was used for another request.
    #[response(status = 422)]
    KeyReused(DropInRefusal),
    /// Too many requests.
    #[response(status = 429)]
    TooMany(DropInRefusal),
    /// Something failed here.
    #[response(status = 500)]
    Failed(DropInRefusal),
    /// The store cannot be read or written now.
    #[response(status = 503)]
    Unavailable(DropInRefusal),
}

/// A refusal as RFC 9457 has it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"type": "about:blank", "title": "Not Found", "status": 404, "code": "unknown_id", "detail": "Assignment not found"}))]
pub struct Problem {
    /// Always `about:blank`: `code` tells refusals apart.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The status in words.
    pub title: String,
    /// The status.
    pub status: u16,
    /// A stable name for programs.
    pub code: &'static str,
    /// Why not.
    pub detail: String,
    /// What to do next, where `detail` does not say so itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub next_step: Option<String>,
}

/// The answer is written by [`render`], which knows the path it is for.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes a refusal in the form that the path asked for speaks, and says its code; other answers stay as they are.
pub fn render(response: &mut Response, is_drop_in: bool, is_head: bool) -> Option<Code> {
    let refusal = response.extensions_mut().remove::<Refusal>()?;
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

impl Refusal {
    fn drop_in(&self) -> (&'static str, String) {
        ("application/json", json(&DropInRefusal { success: false, message: self.message.clone() }))
    }

    fn problem(&self) -> (&'static str, String) {
        let detail = match (&self.whole, &self.detail) {
            (Some(whole), _) => whole.to_string(),
            (None, Some(detail)) => format!("{}. {detail}", self.message),
            (None, None) => self.message.clone(),
        };
        let title = self.status.canonical_reason().unwrap_or_default().to_owned();
        let problem = Problem {
            kind: "about:blank",
            title,
            status: self.status.as_u16(),
            code: self.code.name(),
            detail,
            next_step: self.next.as_ref().map(ToString::to_string),
        };
        ("application/problem+json", json(&problem))
    }
}

fn json(value: &impl Serialize) -> String {
    // Strings and numbers: nothing that can fail to be written.
    serde_json::to_string(value).unwrap_or_default()
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Unauthenticated(why) => {
                tracing::debug!(request_id = request_id_text(), why, "not authenticated");
                Self::new(
                    StatusCode::UNAUTHORIZED,
                    Code::Unauthenticated,
                    "Authentication required",
                )
            }
            Denied::Forbidden => Self::new(
                StatusCode::FORBIDDEN,
                Code::Forbidden,
                "You may not do that, or there is no such thing",
            ),
            Denied::Store(error) => error.into(),
            Denied::Unavailable(error) => {
                tracing::error!(request_id = request_id_text(), cause = %chain(&error), "callers cannot be checked");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    Code::AccessUnavailable,
                    "Who you are cannot be checked now. Try again in a moment",
                )
            }
            other => Self::unavailable(&other),
        }
    }
}

impl Refusal {
    /// Client errors carry the whole text and the next step. Failures of the service describe nothing to the caller.
    fn told(self, whole: String, next: Option<String>) -> Self {
        match self.status.is_client_error() {
            true => {
                Self { whole: Some(whole.into()), next: next.map(Into::into).or(self.next), ..self }
            }
            false => self,
        }
    }

    fn of_store(error: StoreError) -> Self {
        match error {
            StoreError::Refused(refused) => refused.into(),
            StoreError::Append(error) => error.into(),
            StoreError::UnknownAssignment(_) => Self::not_found("Assignment not found"),
            StoreError::UnknownResponse(_) => Self::not_found("Response not found"),
            StoreError::UnknownClient(_) => Self::not_found("Client not found"),
            StoreError::UnknownForm(_) => Self::not_found("Form not found"),
            StoreError::UnknownCoach(_) => Self::not_found("Coach not found"),
            StoreError::UnknownSeries(_) | StoreError::NoSeries(_) => {
                Self::not_found("Series not found")
            }
            StoreError::UnknownId(_) => Self::not_found("Nothing here has this id"),
            StoreError::AmbiguousDigest(_) => {
                Self::bad_request(Code::AmbiguousId, error.to_string())
            }
            StoreError::Range(message) => Self::bad_request(Code::Usage, message),
            StoreError::Switch(refused) => Self::conflict(Code::SwitchRefused, refused.to_string()),
            StoreError::Contended(_) => {
                Self::conflict(Code::Contended, "Others changed this at the same time. Try again")
            }
            StoreError::Projection(ProjectionError::BeyondHead { .. })
            | StoreError::Log(LogError::BeyondHead { .. }) => {
                Self::bad_request(Code::BeyondHead, error.to_string())
            }
            StoreError::Log(_) | StoreError::Projection(_) => Self::unavailable(&error),
            StoreError::Erasures { .. } | StoreError::Body(_) => Self::internal(&error),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        let (whole, next) = (error.to_string(), error.next_step());
        Self::of_store(error).told(whole, next)
    }
}

impl From<MigrationError> for Refusal {
    fn from(error: MigrationError) -> Self {
        let text = error.to_string();
        let refusal = match error {
            MigrationError::Append(error) => error.into(),
            MigrationError::Interrupted => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                Code::Interrupted,
                "The service is about to end; this stopped at a commit boundary, and the same request goes on later",
            ),
            MigrationError::Log(_) | MigrationError::Projection(_) => Self::unavailable(&error),
            _ if error.is_refusal() => Self::conflict(error.code(), text.clone()),
            _ if error.is_bad_batch() => Self::bad_request(error.code(), text.clone()),
            _ => Self::internal(&error),
        };
        refusal.told(text, None)
    }
}

impl From<OperationError> for Refusal {
    fn from(error: OperationError) -> Self {
        match error {
            OperationError::Store(error) => error.into(),
            OperationError::Migration(error) => error.into(),
            OperationError::Scratch(_) => Self::internal(&error),
        }
    }
}

impl From<BackupError> for Refusal {
    fn from(error: BackupError) -> Self {
        let text = error.to_string();
        let refusal = match error {
            _ if error.is_refusal() => Self::conflict(error.code(), text.clone()),
            BackupError::Name { .. } => Self::bad_request(Code::Usage, text.clone()),
            _ => Self::internal(&error),
        };
        refusal.told(text, None)
    }
}

impl From<EvidenceError> for Refusal {
    fn from(error: EvidenceError) -> Self {
        let text = error.to_string();
        let refusal = match error {
            EvidenceError::Store(error) => return error.into(),
            EvidenceError::Proof(_) => Self::internal(&error),
            _ if error.is_refusal() => Self::conflict(error.code(), text.clone()),
            _ => Self::internal(&error),
        };
        refusal.told(text, None)
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Self::internal(&error)
    }
}

impl From<LogError> for Refusal {
    fn from(error: LogError) -> Self {
        StoreError::from(error).into()
    }
}

impl From<AppendError> for Refusal {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::KeyReused { .. } => {
                let message = "This Idempotency-Key was used for another request. Use a new key for a new request";
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, Code::KeyReused, message)
            }
            AppendError::TooLarge { limit_bytes, .. } => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                Code::TooLarge,
                format!("At most {limit_bytes} bytes can be stored at once"),
            ),
            AppendError::BadName { .. } => {
                Self::bad_request(Code::BadName, "No id and no key may contain a NUL character")
            }
            AppendError::VersionConflict { .. } | AppendError::DuplicateEvent { .. } => {
                Self::conflict(Code::Contended, "Others changed this at the same time. Try again")
            }
            AppendError::ClientErased { .. } => Self::conflict(
                Code::ClientErased,
                "This client was erased; nothing more is recorded of them",
            )
            .with_detail(error.to_string()),
            AppendError::Overloaded { .. } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                Code::Overloaded,
                "Too much is waiting to be written. Try again in a moment",
            ),
            AppendError::Closed | AppendError::Storage(_) => Self::unavailable(&error),
            AppendError::Empty | AppendError::Encode(_) => Self::internal(&error),
        }
    }
}

impl From<Rejection> for Refusal {
    fn from(refused: Rejection) -> Self {
        let code = refused.code();
        match refused {
            Rejection::NoSuchWeek { .. } => {
                Self::not_found("Assignment not found").with_detail(refused.to_string())
            }
            Rejection::NoSuchSeries(_) => Self::not_found("Series not found"),
            Rejection::NoSuchResponse { .. } => Self::not_found("Response not found"),
            Rejection::Completed(_) => {
                Self::bad_request(code, "This check-in is already completed")
            }
            Rejection::AlreadyMissed(_) => {
                Self::bad_request(code, "This check-in is already marked as missed")
            }
            Rejection::NotOverdue { .. } => Self::bad_request(
                code,
                "A check-in can be marked as missed from 3 days after its due date on",
            ),
            Rejection::NoComment => Self::bad_request(code, "The reason \"other\" needs a comment"),
            Rejection::ShortReason { least, .. } => Self::bad_request(
                code,
                format!(
                    "The text needs at least {least} {}",
                    if least == 1 { "character" } else { "characters" }
                ),
            ),
            Rejection::OpenWeeks { open, .. } => Self::conflict(
                code,
                format!(
                    "This form is still allocated to the client, with {open} open weeks. Withdraw it, or extend it with \"extend\": true"
                ),
            ),
            Rejection::OutOfRange { .. }
            | Rejection::TextTooLong { .. }
            | Rejection::TooDeep { .. } => Self::bad_request(code, refused.to_string()),
            Rejection::NothingToPause(_) => {
                Self::bad_request(code, "No unanswered check-in of this series is due from now on")
            }
            Rejection::NoPause => Self::bad_request(code, "No active pause found for this series"),
            Rejection::StillOpen(_) => Self::bad_request(code, "This check-in is still open"),
            Rejection::BadAnswers(why) => Self::bad_request(
                code,
                "responses must be a list of {questionId, question, answer, weight, score}",
            )
            .with_detail(why),
        }
    }
}

//! The error of every endpoint: a status, a stable code and a text for the caller. `convert` makes
//! it from the errors of the layers below, which know no HTTP; `form` writes it in one of two
//! forms.
//!
//! **Invariant: server-side failures are described in the log only, never to the caller.**

mod convert;
mod form;

use std::error::Error;
use std::time::Duration;

use axum::http::StatusCode;
use rollbook_application::code::Code;

pub use self::form::{DropInRefusal, DropInRefusals, NativeRefusals, Problem, render};
use crate::telemetry::request::request_id_text;
use crate::telemetry::targets;

/// The error of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    code: Code,
    message: String,
    detail: Option<String>,
    retry_after_seconds: Option<u64>,
    whole: Option<Box<str>>,
    next: Option<Box<str>>,
}

impl ApiError {
    /// An error with a stable code and a text for the caller.
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

    /// The request is invalid: 400.
    pub fn bad_request(code: Code, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// No such thing: 404.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, Code::UnknownId, message)
    }

    /// The request conflicts with the current state: 409.
    pub fn conflict(code: Code, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// A bug in the service: 500. The log has the details.
    pub fn mistake() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            Code::Internal,
            "Something went wrong here. The service's log says what",
        )
    }

    /// Something failed here: 500. The cause goes to the log.
    pub fn internal(cause: &dyn Error) -> Self {
        tracing::error!(target: targets::HTTP, request_id = request_id_text(), cause = %chain(cause), "a request failed");
        Self::mistake()
    }

    /// The store cannot be read or written: 503. The cause goes to the log.
    pub fn unavailable(cause: &dyn Error) -> Self {
        tracing::error!(target: targets::HTTP, request_id = request_id_text(), cause = %chain(cause), "the store is unavailable");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            Code::StoreUnavailable,
            "The store cannot be read or written now. The service's log says why",
        )
    }

    /// With more about this case. Only the native form shows it.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// With the time after which asking again makes sense (`Retry-After`), in whole seconds, 1 at
    /// least.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        Self {
            retry_after_seconds: Some(
                wait.as_millis().div_ceil(1000).max(1).try_into().unwrap_or(u64::MAX),
            ),
            ..self
        }
    }

    /// With the next step. Only the native form shows it.
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

    /// The text for the caller.
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// An error and its causes, in one line for the log.
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

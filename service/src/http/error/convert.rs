//! Converts errors of the layers below to errors of the service: the status, the code and the text.

use axum::http::StatusCode;
use rollbook_application::backup::BackupError;
use rollbook_application::code::{Code, Coded};
use rollbook_application::evidence::EvidenceError;
use rollbook_application::operations::OperationError;
use rollbook_application::operations::import::ImportsError;
use rollbook_application::store::StoreError;
use rollbook_domain::series::decide::Rejection;
use rollbook_log::{AppendError, LogError};
use rollbook_migrations::MigrationError;
use rollbook_migrations::export_reader::ImportError;
use rollbook_projections::ProjectionError;

use super::{ApiError, chain};
use crate::access::AccessDenied;
use crate::http::next_step;
use crate::telemetry::request::request_id_text;
use crate::telemetry::targets;

impl From<AccessDenied> for ApiError {
    fn from(denied: AccessDenied) -> Self {
        match denied {
            AccessDenied::Unauthenticated(why) => {
                tracing::debug!(target: targets::ACCESS, request_id = request_id_text(), why, "not authenticated");
                Self::new(
                    StatusCode::UNAUTHORIZED,
                    Code::Unauthenticated,
                    "Authentication required",
                )
            }
            AccessDenied::Forbidden => Self::new(
                StatusCode::FORBIDDEN,
                Code::Forbidden,
                "You may not do that, or there is no such thing",
            ),
            AccessDenied::Store(error) => error.into(),
            AccessDenied::Unavailable(error) => {
                tracing::error!(target: targets::HTTP, request_id = request_id_text(), cause = %chain(&error), "callers cannot be checked");
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

impl ApiError {
    /// Adds the text. A client error gets the full text and the next step. A failure of the service
    /// tells the caller nothing.
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
            StoreError::UnknownCorrection(_) => Self::not_found("Correction not found"),
            StoreError::UnknownClient(_) => Self::not_found("Client not found"),
            StoreError::UnknownForm(_) => Self::not_found("Form not found"),
            StoreError::UnknownCoach(_) => Self::not_found("Coach not found"),
            StoreError::NotAClient(_) => Self::conflict(Code::NotAClient, error.to_string()),
            StoreError::UnknownSeries(_) | StoreError::NoSeries(_) => {
                Self::not_found("Series not found")
            }
            StoreError::UnknownId(_) => Self::not_found("Nothing here has this id"),
            StoreError::AmbiguousDigest(_) => {
                Self::bad_request(Code::AmbiguousId, error.to_string())
            }
            StoreError::UnfitDocument(_) => {
                Self::bad_request(Code::UnfitDocument, error.to_string())
            }
            StoreError::IdentityTaken { .. } => {
                Self::conflict(Code::IdentityTaken, error.to_string())
            }
            StoreError::Range(message) => Self::bad_request(Code::Usage, message),
            StoreError::Switch(refused) => Self::conflict(Code::SwitchRefused, refused.to_string()),
            StoreError::Acceptance(refused) => {
                let status = match refused.code() {
                    Code::UnknownFinding => StatusCode::NOT_FOUND,
                    Code::FindingsDiffer => StatusCode::CONFLICT,
                    _ => StatusCode::BAD_REQUEST,
                };
                Self::new(status, refused.code(), refused.to_string())
            }
            StoreError::Contended(_) => {
                Self::conflict(Code::Contended, "Others changed this at the same time. Try again")
            }
            StoreError::Projection(ProjectionError::BeyondHead { .. })
            | StoreError::Log(LogError::BeyondHead { .. }) => {
                Self::bad_request(Code::BeyondHead, error.to_string())
            }
            StoreError::Log(_) | StoreError::Projection(_) => Self::unavailable(&error),
            StoreError::Body(_) => Self::internal(&error),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let (whole, next) = (error.to_string(), next_step::of_store(&error));
        Self::of_store(error).told(whole, next)
    }
}

impl From<MigrationError> for ApiError {
    fn from(error: MigrationError) -> Self {
        let (text, next) = (error.to_string(), next_step::of_migration(&error));
        let refusal = match error {
            MigrationError::Append(error) => error.into(),
            MigrationError::Interrupted => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                Code::Interrupted,
                "The service is about to end; this stopped at a commit boundary, and the same request goes on later",
            ),
            MigrationError::NoSeriesOf { .. } => Self::not_found(text.clone()),
            MigrationError::Log(_) | MigrationError::Projection(_) => Self::unavailable(&error),
            _ if error.is_refusal() => Self::conflict(error.code(), text.clone()),
            _ if error.is_bad_batch() => Self::bad_request(error.code(), text.clone()),
            _ => Self::internal(&error),
        };
        refusal.told(text, next)
    }
}

impl From<ImportError> for ApiError {
    fn from(error: ImportError) -> Self {
        let (text, next) = (error.to_string(), next_step::of_import(&error));
        let refusal = match error {
            ImportError::Unreadable { .. } => Self::bad_request(
                Code::BadBody,
                "The body could not be read to its end. Nothing was written",
            ),
            _ => Self::bad_request(error.code(), text.clone()).told(text, None),
        };
        Self { next: next.map(Into::into), ..refusal }
    }
}

impl From<ImportsError> for ApiError {
    fn from(error: ImportsError) -> Self {
        match error {
            ImportsError::Export(error) => error.into(),
            ImportsError::Migration(error) => error.into(),
            ImportsError::Running { .. } => Self::conflict(Code::ImportRunning, error.to_string())
                .with_next("GET /v1/imports shows how far it is"),
            ImportsError::Record(_) => Self::internal(&error),
        }
    }
}

impl From<OperationError> for ApiError {
    fn from(error: OperationError) -> Self {
        match error {
            OperationError::Store(error) => error.into(),
            OperationError::Migration(error) => error.into(),
            OperationError::Scratch(_) => Self::internal(&error),
        }
    }
}

impl From<BackupError> for ApiError {
    fn from(error: BackupError) -> Self {
        let (text, next) = (error.to_string(), next_step::of_backup(&error));
        let refusal = match error {
            _ if error.is_refusal() => Self::conflict(error.code(), text.clone()),
            BackupError::Name { .. } => Self::bad_request(Code::Usage, text.clone()),
            _ => Self::internal(&error),
        };
        refusal.told(text, next)
    }
}

impl From<EvidenceError> for ApiError {
    fn from(error: EvidenceError) -> Self {
        let (text, next) = (error.to_string(), next_step::of_evidence(&error));
        let refusal = match error {
            EvidenceError::Store(error) => return error.into(),
            EvidenceError::Proof(_) => Self::internal(&error),
            _ if error.is_refusal() => Self::conflict(error.code(), text.clone()),
            _ => Self::internal(&error),
        };
        refusal.told(text, next)
    }
}

impl From<std::io::Error> for ApiError {
    fn from(error: std::io::Error) -> Self {
        Self::internal(&error)
    }
}

impl From<LogError> for ApiError {
    fn from(error: LogError) -> Self {
        StoreError::from(error).into()
    }
}

impl From<AppendError> for ApiError {
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

impl From<Rejection> for ApiError {
    fn from(refused: Rejection) -> Self {
        let code = refused.code();
        match refused {
            Rejection::NoSuchWeek { .. }
            | Rejection::NoSuchAssignment { .. }
            | Rejection::NotADocument { .. } => {
                Self::not_found("Assignment not found").with_detail(refused.to_string())
            }
            Rejection::NoSuchSeries(_) => Self::not_found("Series not found"),
            Rejection::NoSuchResponse { .. } => Self::not_found("Response not found"),
            Rejection::NotHolding { .. } => {
                Self::not_found("Correction not found").with_detail(refused.to_string())
            }
            Rejection::ResponseNotHeld(_)
            | Rejection::ResponseHeld { .. }
            | Rejection::ResponseWasCleared(_)
            | Rejection::WeekHasResponse { .. }
            | Rejection::WeekHasDocument { .. }
            | Rejection::OnlyBase { .. }
            | Rejection::LinkedToWeek { .. }
            | Rejection::LaterCorrection { .. }
            | Rejection::ChangedSince { .. } => Self::conflict(code, refused.to_string()),
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

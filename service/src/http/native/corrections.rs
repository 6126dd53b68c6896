//! `/v1/corrections`: correcting what is stored wrongly, and the corrections that hold.

use axum::extract::State;
use rollbook_application::operations::{CorrectionReport, CorrectionRequest, correct, stream_of};
use rollbook_application::reports::corrections::{HeldCorrection, corrections};
use rollbook_application::store::{Store, StoreError};
use rollbook_domain::Timestamp;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::access::{Caller, Permission};
use crate::http::answer::At;
use crate::http::caller::Writing;
use crate::http::drop_in::shapes::IdempotencyKey;
use crate::http::error::{ApiError, NativeRefusals, Problem};
use crate::http::extract::{Body, QueryOf};
use crate::http::service::Service;

/// What to correct.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[schema(example = json!({"kind": "move-response", "response": "ada-answer-2", "week": 5, "reason": "answered the wrong week", "dry_run": true}))]
pub enum CorrectionBody {
    /// Move a response to another week of its series.
    MoveResponse {
        /// The response.
        response: String,
        /// The week.
        #[schema(minimum = 1)]
        week: u32,
        /// The run; without one, that of the week that holds the response.
        run: Option<u32>,
        /// Why; sealed like everything personal.
        #[schema(min_length = 1)]
        reason: String,
        /// Write nothing, and tell what would change in both views.
        #[serde(default)]
        #[schema(required = false)]
        dry_run: bool,
        /// When it happened, RFC 3339; now without one.
        #[schema(value_type = Option<String>, format = DateTime)]
        at: Option<Timestamp>,
    },
    /// Bind a response that no week holds to a week of its series.
    AdoptResponse {
        /// The response.
        response: String,
        /// The week.
        #[schema(minimum = 1)]
        week: u32,
        /// The run; without one, the first.
        run: Option<u32>,
        /// Why; sealed like everything personal.
        #[schema(min_length = 1)]
        reason: String,
        /// Write nothing, and tell what would change in both views.
        #[serde(default)]
        #[schema(required = false)]
        dry_run: bool,
        /// When it happened, RFC 3339; now without one.
        #[schema(value_type = Option<String>, format = DateTime)]
        at: Option<Timestamp>,
    },
    /// Undo a correction: what it changed is as without it.
    Undo {
        /// The id of the correction.
        correction: Uuid,
        /// Why; sealed like everything personal.
        #[schema(min_length = 1)]
        reason: String,
        /// Write nothing, and tell what would change in both views.
        #[serde(default)]
        #[schema(required = false)]
        dry_run: bool,
        /// When it happened, RFC 3339; now without one.
        #[schema(value_type = Option<String>, format = DateTime)]
        at: Option<Timestamp>,
    },
}

impl CorrectionBody {
    /// The request, whether it is only tried, and its time.
    fn split(self) -> (CorrectionRequest, bool, Option<Timestamp>) {
        match self {
            Self::MoveResponse { response, week, run, reason, dry_run, at } => {
                (CorrectionRequest::MoveResponse { response, week, run, reason }, dry_run, at)
            }
            Self::AdoptResponse { response, week, run, reason, dry_run, at } => {
                (CorrectionRequest::AdoptResponse { response, week, run, reason }, dry_run, at)
            }
            Self::Undo { correction, reason, dry_run, at } => {
                (CorrectionRequest::Undo { correction, reason }, dry_run, at)
            }
        }
    }
}

/// Correct what is stored wrongly, or undo a correction.
///
/// Both views change, and history shows the correction with its reason. A coach may correct what their clients have.
#[utoipa::path(
    post,
    path = "/v1/corrections",
    operation_id = "makeCorrection",
    tag = "operations",
    params(IdempotencyKey),
    request_body = CorrectionBody,
    responses(
        (status = 200, description = "What was written, or what would change.", body = CorrectionReport, headers(("x-rollbook-position" = u64, description = "Where it is recorded"))),
        (status = 400, description = "A body that does not fit.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
        (status = 404, description = "No such response, week or correction.", content_type = "application/problem+json", body = Problem),
        (status = 409, description = "The rules refuse it.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn make(
    State(service): State<Service>,
    writing: Writing,
    Body(body): Body<CorrectionBody>,
) -> Result<At<CorrectionReport>, ApiError> {
    let work = move |store: &Store| -> Result<At<CorrectionReport>, ApiError> {
        let reading = &store.reading();
        let (wanted, dry_run, at) = body.split();
        let stream = match stream_of(reading, &wanted) {
            Err(unknown @ (StoreError::UnknownResponse(_) | StoreError::UnknownCorrection(_))) => {
                writing.caller().authorize_in(reading, Permission::Absence)?;
                return Err(unknown.into());
            }
            stream => stream?,
        };
        let client = stream.client().unwrap_or_default();
        let mut request = writing.request(reading, Permission::CoachOf { client, coach: None })?;
        request.now = at.unwrap_or(request.now);
        let report = correct(reading, &stream, &wanted, &request, dry_run)?;
        let last = report.events.iter().rev().find_map(|recorded| recorded.position);
        Ok(At { position: last.unwrap_or_else(|| store.log().head()), body: report })
    };
    service.blocking(work).await
}

/// Whose corrections.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CorrectionsQuery {
    /// Only those of this client, by any id. A coach must name one.
    #[param(required = false, example = "ada")]
    client: Option<String>,
}

/// The corrections that hold.
#[utoipa::path(
    get,
    path = "/v1/corrections",
    operation_id = "listCorrections",
    tag = "operations",
    params(CorrectionsQuery),
    responses(
        (status = 200, description = "Those that were not undone, by series.", body = Vec<HeldCorrection>, headers(("x-rollbook-position" = u64, description = "The head of the log"))),
        (status = 400, description = "An invalid query.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
    )
)]
pub async fn list(
    State(service): State<Service>,
    caller: Caller,
    QueryOf(query): QueryOf<CorrectionsQuery>,
) -> Result<At<Vec<HeldCorrection>>, ApiError> {
    let work = move |store: &Store| -> Result<At<Vec<HeldCorrection>>, ApiError> {
        let reading = &store.reading();
        let client = query.client.as_deref();
        let permission = client
            .map_or(Permission::AllEvents, |client| Permission::CoachOf { client, coach: None });
        caller.authorize_in(reading, permission)?;
        Ok(At { position: store.log().head(), body: corrections(reading, client)? })
    };
    service.blocking(work).await
}

//! `/v1/corrections`: corrects stored data, and lists the corrections in force.

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
use crate::http::caller::WriteRequest;
use crate::http::drop_in::shapes::IdempotencyKey;
use crate::http::error::{ApiError, NativeRefusals, Problem};
use crate::http::extract::{Body, QueryOf};
use crate::http::service::Service;

/// A correction to make or to undo.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[schema(example = json!({"kind": "move-response", "response": "ada-answer-2", "week": 5, "reason": "answered the wrong week", "dry_run": true}))]
pub enum CorrectionBody {
    /// Moves a response to another week of its series.
    MoveResponse {
        /// The response.
        response: String,
        /// The week.
        #[schema(minimum = 1)]
        week: u32,
        /// The run; the default is that of the week that holds the response.
        run: Option<u32>,
        /// The reason. It is stored encrypted, as personal data.
        #[schema(min_length = 1)]
        reason: String,
        /// Writes nothing, and returns the changes in both views.
        #[serde(default)]
        #[schema(required = false)]
        dry_run: bool,
        /// The time of the event, RFC 3339; the default is now.
        #[schema(value_type = Option<String>, format = DateTime)]
        at: Option<Timestamp>,
    },
    /// Adopts a response that no week holds into a week of its series.
    AdoptResponse {
        /// The response.
        response: String,
        /// The week.
        #[schema(minimum = 1)]
        week: u32,
        /// The run; the default is the first one.
        run: Option<u32>,
        /// The reason. It is stored encrypted, as personal data.
        #[schema(min_length = 1)]
        reason: String,
        /// Writes nothing, and returns the changes in both views.
        #[serde(default)]
        #[schema(required = false)]
        dry_run: bool,
        /// The time of the event, RFC 3339; the default is now.
        #[schema(value_type = Option<String>, format = DateTime)]
        at: Option<Timestamp>,
    },
    /// Sets the number of a stored document's week.
    SetWeek {
        /// The document, by any of its ids.
        document: String,
        /// The week; it must be free.
        #[schema(minimum = 1)]
        week: u32,
        /// The reason. It is stored encrypted, as personal data.
        #[schema(min_length = 1)]
        reason: String,
        /// Writes nothing, and returns the changes in both views.
        #[serde(default)]
        #[schema(required = false)]
        dry_run: bool,
        /// The time of the event, RFC 3339; the default is now.
        #[schema(value_type = Option<String>, format = DateTime)]
        at: Option<Timestamp>,
    },
    /// Undoes a correction: the weeks are as if it had never been made.
    Undo {
        /// The id of the correction.
        correction: Uuid,
        /// The reason. It is stored encrypted, as personal data.
        #[schema(min_length = 1)]
        reason: String,
        /// Writes nothing, and returns the changes in both views.
        #[serde(default)]
        #[schema(required = false)]
        dry_run: bool,
        /// The time of the event, RFC 3339; the default is now.
        #[schema(value_type = Option<String>, format = DateTime)]
        at: Option<Timestamp>,
    },
}

impl CorrectionBody {
    /// Returns the request, whether it is a dry run, and its time.
    fn split(self) -> (CorrectionRequest, bool, Option<Timestamp>) {
        match self {
            Self::MoveResponse { response, week, run, reason, dry_run, at } => {
                (CorrectionRequest::MoveResponse { response, week, run, reason }, dry_run, at)
            }
            Self::AdoptResponse { response, week, run, reason, dry_run, at } => {
                (CorrectionRequest::AdoptResponse { response, week, run, reason }, dry_run, at)
            }
            Self::SetWeek { document, week, reason, dry_run, at } => {
                (CorrectionRequest::SetWeek { document, week, reason }, dry_run, at)
            }
            Self::Undo { correction, reason, dry_run, at } => {
                (CorrectionRequest::Undo { correction, reason }, dry_run, at)
            }
        }
    }
}

/// Corrects stored data, or undoes a correction.
///
/// Both views change, and the history shows the correction with its reason. A coach may correct the
/// series of the coach's own clients.
#[utoipa::path(
    post,
    path = "/v1/corrections",
    operation_id = "makeCorrection",
    tag = "operations",
    params(IdempotencyKey),
    request_body = CorrectionBody,
    responses(
        (status = 200, description = "The written events, or the changes of a dry run.", body = CorrectionReport, headers(("x-rollbook-position" = u64, description = "The position of the event"))),
        (status = 400, description = "The body is invalid.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
        (status = 404, description = "The response, the document, the week or the correction does not exist.", content_type = "application/problem+json", body = Problem),
        (status = 409, description = "A rule forbids the correction.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn make(
    State(service): State<Service>,
    writing: WriteRequest,
    Body(body): Body<CorrectionBody>,
) -> Result<At<CorrectionReport>, ApiError> {
    let work = move |store: &Store| -> Result<At<CorrectionReport>, ApiError> {
        let reading = &store.reading();
        let (wanted, dry_run, at) = body.split();
        let stream = match stream_of(reading, &wanted) {
            Err(
                unknown @ (StoreError::UnknownResponse(_)
                | StoreError::UnknownAssignment(_)
                | StoreError::UnknownCorrection(_)),
            ) => {
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

/// The selection of corrections.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CorrectionsQuery {
    /// Only the corrections of this client, by any id. A coach must give one.
    #[param(required = false, example = "ada")]
    client: Option<String>,
}

/// Lists the corrections in force.
#[utoipa::path(
    get,
    path = "/v1/corrections",
    operation_id = "listCorrections",
    tag = "operations",
    params(CorrectionsQuery),
    responses(
        (status = 200, description = "The corrections in force, by series.", body = Vec<HeldCorrection>, headers(("x-rollbook-position" = u64, description = "The head of the log"))),
        (status = 400, description = "The query is invalid.", content_type = "application/problem+json", body = Problem),
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

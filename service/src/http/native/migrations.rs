//! `/v1/migrations` and `/v1/parity`: plan, apply, validate, compare. A started operation runs to
//! its end even if the caller disconnects. The same batch, sent again, adds the events that are
//! still missing.

use std::io::Read;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_DISPOSITION, ETAG, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use rollbook_application::code::Code;
use rollbook_application::operations::migration::{self, Plan};
use rollbook_application::reports;
use rollbook_application::reports::migration::{PlanReport, ValidationReport};
use rollbook_application::reports::status::RecordedValidation;
use rollbook_application::store::Store;
use rollbook_domain::{Position, Timestamp};
use rollbook_migrations::apply::ApplyReport;
use rollbook_migrations::monitor::Monitor;
use rollbook_migrations::parity::ParityReport;
use rollbook_migrations::rules::Options;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::chunks::{CHUNK_BYTES, Chunk, answer};
use super::operations::{operate, require_operator};
use super::plan_query::PlanQuery;
use super::query::optional_span;
use super::shapes::{AppliedBatch, Parity, ValidationOutcome};
use super::upload::{NDJSON, Upload};
use crate::access::{Caller, Permission};
use crate::http::answer::{At, POSITION};
use crate::http::caller::WriteRequest;
use crate::http::drop_in::shapes::IdempotencyKey;
use crate::http::error::{ApiError, NativeRefusals, Problem};
use crate::http::extract::QueryOf;
use crate::http::service::Service;

/// Marks the response to a repeated request with the same idempotency key.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Plans the migration and returns the batch file, for review and for applying. Changes nothing.
///
/// The same state of the store gives the same digest, which is also the `ETag`.
#[utoipa::path(
    get,
    path = "/v1/migrations/plan",
    operation_id = "planMigration",
    tag = "migrations",
    params(PlanQuery),
    responses(
        (status = 200, description = "The batch file: a header line, then one event per line.", content_type = "application/x-ndjson", body = String,
            headers(("x-rollbook-position" = u64, description = "The position of the plan"), ("etag" = String, description = "The digest of the batch"))),
        (status = 400, description = "The query is invalid.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
        (status = 409, description = "Nothing was imported, no series needs a migration, or the batch to undo was not applied or has no inverse.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn plan(
    State(service): State<Service>,
    caller: Caller,
    QueryOf(query): QueryOf<PlanQuery>,
) -> Result<Response, ApiError> {
    let Plan { mut file, directory, report, position } =
        planned(&service, caller, query.options()?).await?;
    let chunk: Chunk = Box::new(move |_store| {
        let _until_it_is_sent = &directory;
        let mut bytes = vec![0; CHUNK_BYTES];
        let read = file.read(&mut bytes)?;
        bytes.truncate(read);
        Ok((read > 0).then_some(bytes))
    });
    let mut response = answer(service, NDJSON, chunk).await?;
    let headers = response.headers_mut();
    headers.insert(POSITION, HeaderValue::from(position));
    let named =
        |text: String| HeaderValue::try_from(text).map_err(|error| ApiError::internal(&error));
    headers.insert(ETAG, named(format!("\"{}\"", report.digest))?);
    headers.insert(
        CONTENT_DISPOSITION,
        named(format!("attachment; filename=\"{}\"", report.file.display()))?,
    );
    Ok(response)
}

/// Plans the migration and returns its figures and obstacles, as `rollbook migrate plan --json`
/// prints them. Changes nothing.
#[utoipa::path(
    get,
    path = "/v1/migrations/plan/report",
    operation_id = "planMigrationReport",
    tag = "migrations",
    params(PlanQuery),
    responses(
        (status = 200, description = "The figures and the obstacles of the plan.", body = PlanReport,
            headers(("x-rollbook-position" = u64, description = "The position of the plan"))),
        (status = 400, description = "The query is invalid.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
        (status = 409, description = "Nothing was imported, no series needs a migration, or the batch to undo was not applied or has no inverse.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn plan_report(
    State(service): State<Service>,
    caller: Caller,
    QueryOf(query): QueryOf<PlanQuery>,
) -> Result<At<PlanReport>, ApiError> {
    let Plan { report, position, .. } = planned(&service, caller, query.options()?).await?;
    Ok(At { position, body: report })
}

async fn planned(service: &Service, caller: Caller, options: Options) -> Result<Plan, ApiError> {
    require_operator(service, caller).await?;
    let work = move |store: &Store, _watch: &Monitor<'_>| migration::plan_aside(store, options);
    operate(service, work).await
}

/// The time of applying.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ApplyQuery {
    /// The time of the events, RFC 3339; the default is now.
    #[param(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// Applies a batch file. Events that the store already has are left out and counted.
///
/// Before the first event is written, the complete file is checked and every series is planned
/// again. If the store drifted, the request is refused and the difference is named.
/// The operation continues if the caller disconnects. If the service stops meanwhile, the same file
/// resumes it.
#[utoipa::path(
    post,
    path = "/v1/migrations/apply",
    operation_id = "applyMigration",
    tag = "migrations",
    params(ApplyQuery, IdempotencyKey),
    request_body(content((String = "application/x-ndjson"), (String = "text/plain")), description = "The batch file."),
    responses(
        (status = 200, description = "The result of this run.", body = AppliedBatch, headers(("x-rollbook-position" = u64, description = "The head of the log"))),
        (status = 400, description = "The body is not a batch file, is damaged, or has another kind or format.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
        (status = 409, description = "The batch is empty, the store drifted or has another time zone, or another batch is unfinished.", content_type = "application/problem+json", body = Problem),
        (status = 413, description = "The file is above the limit.", content_type = "application/problem+json", body = Problem),
        (status = 415, description = "The body is neither application/x-ndjson nor text/plain.", content_type = "application/problem+json", body = Problem),
        (status = 422, description = "The idempotency key was used for another request.", content_type = "application/problem+json", body = Problem),
        (status = 503, description = "The service is shutting down. The same file resumes the operation later.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn apply(
    State(service): State<Service>,
    writing: WriteRequest,
    QueryOf(query): QueryOf<ApplyQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<At<ApplyReport>, ApiError> {
    require_operator(&service, writing.caller().clone()).await?;
    let upload = Upload::receive(&service, &headers, body).await?;
    let work = move |store: &Store, watch: &Monitor<'_>| -> Result<At<ApplyReport>, ApiError> {
        let mut request = writing.request(&store.reading(), Permission::Migrate)?;
        request.now = query.at.unwrap_or(request.now);
        let applied = migration::apply(store, &upload.batch()?, &request, watch)?;
        Ok(At { position: applied.head, body: applied })
    };
    operate(&service, work).await
}

/// The grace period of a comparison.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CompareQuery {
    /// The grace period before a week is overdue in the pre-created view, such as `3d`. The legacy
    /// view always uses 3d.
    #[serde(default, deserialize_with = "optional_span")]
    #[param(value_type = Option<String>, pattern = "^[0-9]{1,9}(d|h|m|s|ms)$", example = "3d")]
    overdue_after: Option<i64>,
}

impl CompareQuery {
    pub(super) fn milliseconds(&self, service: &Service) -> i64 {
        self.overdue_after.unwrap_or(service.asked().overdue_after_milliseconds)
    }
}

/// Runs the thirteen checks and records the result. A red check is a result, not an error.
#[utoipa::path(
    post,
    path = "/v1/migrations/validations",
    operation_id = "validateMigration",
    tag = "migrations",
    params(CompareQuery, IdempotencyKey),
    responses(
        (status = 200, description = "The result of every check, with its findings.", body = ValidationOutcome,
            headers(("x-rollbook-position" = u64, description = "The position that was checked"), ("idempotency-replayed" = Option<String>, description = "`true` if this repeats the response to an earlier request"))),
        (status = 400, description = "The query is invalid.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
        (status = 409, description = "Nothing was imported.", content_type = "application/problem+json", body = Problem),
        (status = 422, description = "The idempotency key was used for another request.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn validate(
    State(service): State<Service>,
    writing: WriteRequest,
    QueryOf(query): QueryOf<CompareQuery>,
) -> Result<Response, ApiError> {
    require_operator(&service, writing.caller().clone()).await?;
    let grace = query.milliseconds(&service);
    let work =
        move |store: &Store, watch: &Monitor<'_>| -> Result<(ValidationReport, bool), ApiError> {
            let request = writing.request(&store.reading(), Permission::Migrate)?;
            Ok(migration::validate(store, grace, &request, watch)?)
        };
    let (report, replayed) = operate(&service, work).await?;
    let mut response = At { position: report.validation.at, body: report }.into_response();
    if replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// The selection of a page of validations.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ValidationsQuery {
    /// Only validations that were recorded after this position: the `next` of the previous page.
    #[serde(default)]
    #[param(required = false)]
    after: Position,
    /// The maximum number of validations, 1 to 1000; the default is 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// A page of recorded validations, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct ValidationPage {
    /// The validations.
    pub validations: Vec<RecordedValidation>,
    /// The `after` of the next page; null on the last.
    pub next: Option<Position>,
}

/// Returns a page of the recorded validations.
#[utoipa::path(
    get,
    path = "/v1/migrations/validations",
    operation_id = "listValidations",
    tag = "migrations",
    params(ValidationsQuery),
    responses(
        (status = 200, description = "The page.", body = ValidationPage, headers(("x-rollbook-position" = u64, description = "The head of the log"))),
        (status = 400, description = "The query is invalid.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
    )
)]
pub async fn validations(
    State(service): State<Service>,
    caller: Caller,
    QueryOf(query): QueryOf<ValidationsQuery>,
) -> Result<At<ValidationPage>, ApiError> {
    let limit = query.limit.unwrap_or(100);
    if !(1..=1000).contains(&limit) {
        return Err(ApiError::bad_request(Code::BadQuery, "limit is 1 to 1000"));
    }
    let work = move |store: &Store| -> Result<At<ValidationPage>, ApiError> {
        caller.authorize(store, Permission::Migrate)?;
        let position = store.log().head();
        let mut validations = reports::migration::validations(store, query.after)?;
        let more = validations.len() > limit;
        validations.truncate(limit);
        let next = validations.last().map(|last| last.position).filter(|_| more);
        Ok(At { position, body: ValidationPage { validations, next } })
    };
    service.blocking(work).await
}

/// Compares both views of every client at every instant at which a view can change. Records
/// nothing.
#[utoipa::path(
    get,
    path = "/v1/parity",
    operation_id = "compareViews",
    tag = "migrations",
    params(CompareQuery),
    responses(
        (status = 200, description = "The differences by class, with examples, and the unexplained differences.", body = Parity,
            headers(("x-rollbook-position" = u64, description = "The position that was checked"))),
        (status = 400, description = "The query is invalid.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
    )
)]
pub async fn parity(
    State(service): State<Service>,
    caller: Caller,
    QueryOf(query): QueryOf<CompareQuery>,
) -> Result<At<ParityReport>, ApiError> {
    require_operator(&service, caller).await?;
    let grace = query.milliseconds(&service);
    let work = move |store: &Store, watch: &Monitor<'_>| -> Result<At<ParityReport>, ApiError> {
        let position = store.log().head();
        Ok(At { position, body: migration::parity(store, grace, watch)? })
    };
    operate(&service, work).await
}

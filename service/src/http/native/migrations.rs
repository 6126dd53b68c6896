//! `/v1/migrations` and `/v1/parity`: plan, apply, validate, compare. An operation that has begun
//! runs to its end even if the caller disconnects. The same batch, sent again, adds the events that
//! are still missing.

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
use rollbook_application::reports::status::Validated;
use rollbook_application::store::Store;
use rollbook_domain::{Position, Timestamp};
use rollbook_migrations::apply::ApplyReport;
use rollbook_migrations::monitor::Monitor;
use rollbook_migrations::parity::ParityReport;
use rollbook_migrations::rules::DueRule;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::chunks::{CHUNK_BYTES, Chunk, answer};
use super::operations::{operate, require_operator};
use super::query::optional_span;
use super::shapes::{AppliedBatch, Due, Parity, ValidationOutcome};
use super::upload::{NDJSON, Upload};
use crate::access::{Caller, Permission};
use crate::http::answer::{At, POSITION};
use crate::http::caller::Writing;
use crate::http::drop_in::shapes::IdempotencyKey;
use crate::http::error::{ApiError, NativeRefusals, Problem};
use crate::http::extract::QueryOf;
use crate::http::service::Service;

/// Marks an answer that repeats an earlier one under the same key.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// By which rule it is planned.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PlanQuery {
    /// When a made week is due: on its Monday at 09:00, as clients saw, or on the base's weekday.
    #[serde(default)]
    #[param(value_type = Due, inline)]
    due: DueRule,
}

/// Plan the migration: the batch file, to be reviewed and applied. Changes nothing.
///
/// The same state of the store gives the same digest, which is also the `ETag`.
#[utoipa::path(
    get,
    path = "/v1/migrations/plan",
    operation_id = "planMigration",
    tag = "migrations",
    params(PlanQuery),
    responses(
        (status = 200, description = "The batch file: a header line, then one event a line.", content_type = "application/x-ndjson", body = String,
            headers(("x-rollbook-position" = u64, description = "The position it was planned at"), ("etag" = String, description = "The batch's digest"))),
        (status = 400, description = "A query that does not fit.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
        (status = 409, description = "Nothing was imported, or no series lacks anything.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn plan(
    State(service): State<Service>,
    caller: Caller,
    QueryOf(query): QueryOf<PlanQuery>,
) -> Result<Response, ApiError> {
    let Plan { mut file, directory, report, position } =
        planned(&service, caller, query.due).await?;
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

/// What the plan holds, and what it leaves as it is: what `rollbook migrate plan --json` prints. Changes nothing.
#[utoipa::path(
    get,
    path = "/v1/migrations/plan/report",
    operation_id = "planMigrationReport",
    tag = "migrations",
    params(PlanQuery),
    responses(
        (status = 200, description = "The figures, and the obstacles.", body = PlanReport,
            headers(("x-rollbook-position" = u64, description = "The position it was planned at"))),
        (status = 400, description = "A query that does not fit.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
        (status = 409, description = "Nothing was imported, or no series lacks anything.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn plan_report(
    State(service): State<Service>,
    caller: Caller,
    QueryOf(query): QueryOf<PlanQuery>,
) -> Result<At<PlanReport>, ApiError> {
    let Plan { report, position, .. } = planned(&service, caller, query.due).await?;
    Ok(At { position, body: report })
}

async fn planned(service: &Service, caller: Caller, due: DueRule) -> Result<Plan, ApiError> {
    require_operator(service, caller).await?;
    operate(service, move |store: &Store, _watch: &Monitor<'_>| migration::plan_aside(store, due))
        .await
}

/// When it happened.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ApplyQuery {
    /// When it happened, RFC 3339; now without one.
    #[param(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// Apply a batch file: what is there already is skipped and counted.
///
/// It is checked whole, and every series is planned again, before the first event is written: a store that drifted is refused and named.
/// Whoever goes away meanwhile finds it done; when the service ends meanwhile, the same file goes on where it stopped.
#[utoipa::path(
    post,
    path = "/v1/migrations/apply",
    operation_id = "applyMigration",
    tag = "migrations",
    params(ApplyQuery, IdempotencyKey),
    request_body(content((String = "application/x-ndjson"), (String = "text/plain")), description = "The batch file."),
    responses(
        (status = 200, description = "What was done now.", body = AppliedBatch, headers(("x-rollbook-position" = u64, description = "The head of the log"))),
        (status = 400, description = "No batch file, a damaged one, or one of another kind or format.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
        (status = 409, description = "The batch is empty, the store drifted or has another time zone, or another batch is unfinished.", content_type = "application/problem+json", body = Problem),
        (status = 413, description = "A file above the limit.", content_type = "application/problem+json", body = Problem),
        (status = 415, description = "A body that is neither application/x-ndjson nor text/plain.", content_type = "application/problem+json", body = Problem),
        (status = 422, description = "The key was used for another request.", content_type = "application/problem+json", body = Problem),
        (status = 503, description = "The service is about to end; the same file goes on later.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn apply(
    State(service): State<Service>,
    writing: Writing,
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

/// By which grace the views are compared.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CompareQuery {
    /// When the pre-created view calls a week overdue, such as `3d`; the legacy view always after 3d.
    #[serde(default, deserialize_with = "optional_span")]
    #[param(value_type = Option<String>, pattern = "^[0-9]{1,9}(d|h|m|s|ms)$", example = "3d")]
    overdue_after: Option<i64>,
}

impl CompareQuery {
    fn milliseconds(&self, service: &Service) -> i64 {
        self.overdue_after.unwrap_or(service.asked().overdue_after_milliseconds)
    }
}

/// Run the thirteen checks, and put them on record. A red check is an answer, not a refusal.
#[utoipa::path(
    post,
    path = "/v1/migrations/validations",
    operation_id = "validateMigration",
    tag = "migrations",
    params(CompareQuery, IdempotencyKey),
    responses(
        (status = 200, description = "Every check, with what it names.", body = ValidationOutcome,
            headers(("x-rollbook-position" = u64, description = "The position it looked at"), ("idempotency-replayed" = Option<String>, description = "`true` when it is told again"))),
        (status = 400, description = "A query that does not fit.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
        (status = 409, description = "Nothing was imported.", content_type = "application/problem+json", body = Problem),
        (status = 422, description = "The key was used for another request.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn validate(
    State(service): State<Service>,
    writing: Writing,
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

/// Which page of the validations.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ValidationsQuery {
    /// Only those recorded after this position: the `next` of the page before.
    #[serde(default)]
    #[param(required = false)]
    after: Position,
    /// At most so many, 1 to 1000; 100 without it.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// A page of recorded validations, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct ValidationPage {
    /// The validations.
    pub validations: Vec<Validated>,
    /// The `after` of the next page; null on the last.
    pub next: Option<Position>,
}

/// The validations on record, a page at a time.
#[utoipa::path(
    get,
    path = "/v1/migrations/validations",
    operation_id = "listValidations",
    tag = "migrations",
    params(ValidationsQuery),
    responses(
        (status = 200, description = "The page.", body = ValidationPage, headers(("x-rollbook-position" = u64, description = "The head of the log"))),
        (status = 400, description = "A query that does not fit.", content_type = "application/problem+json", body = Problem),
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

/// Compare both views of every client, at every instant at which they may change. Puts nothing on record.
#[utoipa::path(
    get,
    path = "/v1/parity",
    operation_id = "compareViews",
    tag = "migrations",
    params(CompareQuery),
    responses(
        (status = 200, description = "Differences by class, with examples, and what no class explains.", body = Parity,
            headers(("x-rollbook-position" = u64, description = "The position it looked at"))),
        (status = 400, description = "A query that does not fit.", content_type = "application/problem+json", body = Problem),
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

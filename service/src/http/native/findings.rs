//! `/v1/migrations/findings` and `/v1/migrations/acceptances`: lists what the checks find, accepts
//! findings, and withdraws acceptances.

use axum::extract::State;
use rollbook_application::code::Code;
use rollbook_application::operations::acceptance::{
    self, AcceptRequest, AcceptanceReport, Selection,
};
use rollbook_application::reports::findings::{FindingPage, FindingQuery, FindingState, findings};
use rollbook_application::store::Store;
use rollbook_domain::Timestamp;
use rollbook_migrations::monitor::Monitor;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::migrations::CompareQuery;
use super::operations::{operate, require_operator};
use super::query::optional_span;
use crate::access::{Caller, Permission};
use crate::http::answer::At;
use crate::http::caller::WriteRequest;
use crate::http::error::{ApiError, NativeRefusals, Problem};
use crate::http::extract::{Body, QueryOf};
use crate::http::service::Service;

/// The most findings in one response.
const MOST_FINDINGS: usize = 10_000;

/// The selection of a page of findings.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FindingsQuery {
    /// Only findings of this check.
    check: Option<String>,
    /// Only findings in this state.
    #[param(inline)]
    state: Option<FindingState>,
    /// The number of findings to skip: the `next` of the previous page.
    #[serde(default)]
    #[param(required = false)]
    after: u64,
    /// The maximum number of findings, 1 to 10000; the default is 100.
    #[param(minimum = 1, maximum = 10_000)]
    limit: Option<usize>,
    /// The grace period before a week is overdue in the pre-created view, such as `3d`.
    #[serde(default, deserialize_with = "optional_span")]
    #[param(value_type = Option<String>, pattern = "^[0-9]{1,9}(d|h|m|s|ms)$", example = "3d")]
    overdue_after: Option<i64>,
}

/// Runs the checks, records nothing, and returns a page of their findings with ids.
#[utoipa::path(
    get,
    path = "/v1/migrations/findings",
    operation_id = "listFindings",
    tag = "migrations",
    params(FindingsQuery),
    responses(
        (status = 200, description = "The page.", body = FindingPage, headers(("x-rollbook-position" = u64, description = "The position that was checked"))),
        (status = 400, description = "The query is invalid.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
        (status = 404, description = "No check has this name.", content_type = "application/problem+json", body = Problem),
        (status = 409, description = "Nothing was imported.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn list(
    State(service): State<Service>,
    caller: Caller,
    QueryOf(query): QueryOf<FindingsQuery>,
) -> Result<At<FindingPage>, ApiError> {
    let FindingsQuery { check, state, after, limit, overdue_after } = query;
    let limit = limit.unwrap_or(100);
    if !(1..=MOST_FINDINGS).contains(&limit) {
        return Err(ApiError::bad_request(Code::BadQuery, "limit is 1 to 10000"));
    }
    require_operator(&service, caller).await?;
    let overdue_after_milliseconds =
        overdue_after.unwrap_or(service.asked().overdue_after_milliseconds);
    let limit = Some(limit);
    let query = FindingQuery { check, state, after, limit, overdue_after_milliseconds };
    let now = service.now();
    let work = move |store: &Store, watch: &Monitor<'_>| -> Result<At<FindingPage>, ApiError> {
        let page = findings(store, &query, now, watch)?;
        Ok(At { position: page.at, body: page })
    };
    operate(&service, work).await
}

/// Findings to accept, or acceptances to withdraw.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[schema(example = json!({"kind": "check", "check": "weeks-complete", "expected": 0, "reason": "these runs ended early"}))]
pub enum AcceptanceBody {
    /// Accepts findings by id.
    Findings {
        /// The ids.
        findings: Vec<String>,
        /// The reason. History and certificate show it; it is not encrypted.
        #[schema(min_length = 1)]
        reason: String,
        /// The time of the event, RFC 3339; the default is now.
        #[schema(value_type = Option<String>, format = DateTime)]
        at: Option<Timestamp>,
    },
    /// Accepts every open finding of a check.
    Check {
        /// The name of the check.
        check: String,
        /// The number of its open findings. Another number is refused.
        expected: u64,
        /// The reason. History and certificate show it; it is not encrypted.
        #[schema(min_length = 1)]
        reason: String,
        /// The time of the event, RFC 3339; the default is now.
        #[schema(value_type = Option<String>, format = DateTime)]
        at: Option<Timestamp>,
    },
    /// Withdraws the acceptance of findings.
    Withdraw {
        /// The ids.
        findings: Vec<String>,
        /// The reason. History shows it; it is not encrypted.
        #[schema(min_length = 1)]
        reason: String,
        /// The time of the event, RFC 3339; the default is now.
        #[schema(value_type = Option<String>, format = DateTime)]
        at: Option<Timestamp>,
    },
}

/// Accepts findings of the checks by id or by check, or withdraws acceptances.
///
/// A check whose findings are all accepted counts as green in the next validation. A repeated
/// request accepts nothing twice.
#[utoipa::path(
    post,
    path = "/v1/migrations/acceptances",
    operation_id = "acceptFindings",
    tag = "migrations",
    params(CompareQuery),
    request_body = AcceptanceBody,
    responses(
        (status = 200, description = "The findings that are accepted now, or no longer.", body = AcceptanceReport, headers(("x-rollbook-position" = u64, description = "The position of the event, or the head of the log if nothing was written"))),
        (status = 400, description = "The body is invalid, or has no reason.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
        (status = 404, description = "No check finds this now, no check has this name, or the finding is not accepted.", content_type = "application/problem+json", body = Problem),
        (status = 409, description = "The check has another number of open findings, or nothing was imported.", content_type = "application/problem+json", body = Problem),
        (status = 413, description = "The body is too large.", content_type = "application/problem+json", body = Problem),
        (status = 415, description = "The body is not application/json.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn accept(
    State(service): State<Service>,
    writing: WriteRequest,
    QueryOf(query): QueryOf<CompareQuery>,
    Body(body): Body<AcceptanceBody>,
) -> Result<At<AcceptanceReport>, ApiError> {
    require_operator(&service, writing.caller().clone()).await?;
    let overdue_after_milliseconds = query.milliseconds(&service);
    let work =
        move |store: &Store, watch: &Monitor<'_>| -> Result<At<AcceptanceReport>, ApiError> {
            let mut request = writing.request(&store.reading(), Permission::Migrate)?;
            let (selection, reason, at) = match body {
                AcceptanceBody::Withdraw { findings, reason, at } => {
                    request.now = at.unwrap_or(request.now);
                    let withdrawn = acceptance::withdraw(store, &findings, &reason, &request)?;
                    return Ok(answer(store, withdrawn));
                }
                AcceptanceBody::Findings { findings, reason, at } => {
                    (Selection::Findings(findings), reason, at)
                }
                AcceptanceBody::Check { check, expected, reason, at } => {
                    (Selection::Check { check, expected }, reason, at)
                }
            };
            request.now = at.unwrap_or(request.now);
            let wanted = AcceptRequest { selection, reason, overdue_after_milliseconds };
            let accepted = acceptance::accept(store, &wanted, &request, watch)?;
            Ok(answer(store, accepted))
        };
    operate(&service, work).await
}

fn answer(store: &Store, report: AcceptanceReport) -> At<AcceptanceReport> {
    At { position: report.position.unwrap_or_else(|| store.log().head()), body: report }
}

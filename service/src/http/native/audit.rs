//! `/v1/audit`: the totals of the store, and the findings in its data.

use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use rollbook_application::reports;
use rollbook_application::reports::resolution::Resolution;
use rollbook_domain::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use super::operations::{operate, require_operator};
use crate::access::Caller;
use crate::http::answer::POSITION;
use crate::http::error::{ApiError, NativeRefusals, Problem};
use crate::http::extract::QueryOf;
use crate::http::service::Service;

/// The format and the time of an audit.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// The format.
    #[serde(default)]
    #[param(inline)]
    format: Format,
    /// The time of the audit, RFC 3339; the default is now. Whether a pause is over depends on it.
    #[param(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// The format of an audit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JSON, for programs.
    #[default]
    Json,
    /// Markdown.
    Md,
}

/// Returns the request that resolves a finding, or the next step if no request does.
fn endpoint(resolution: &Resolution) -> String {
    let placing = |kind: &str, response: &str, week: Option<u32>| {
        let week = week.map_or_else(|| "N".to_owned(), |week| week.to_string());
        format!("POST /v1/corrections with kind {kind}, response {response}, week {week}")
    };
    match resolution {
        Resolution::MoveResponse { response, week } => placing("move-response", response, *week),
        Resolution::AdoptResponse { response, week } => placing("adopt-response", response, *week),
        Resolution::SetWeek { document, week } => {
            let week = week.map_or_else(|| "N".to_owned(), |week| week.to_string());
            format!("POST /v1/corrections with kind set-week, document {document}, week {week}")
        }
        Resolution::WeekTaken { week, held } => format!(
            "week {week} has the response {held}: move that one first, clear it with DELETE /api/check-in-assignments/{{id}}"
        ),
        Resolution::ClearWeek(assignment) => {
            format!("DELETE /api/check-in-assignments/{assignment}")
        }
        Resolution::SetDue(assignment) => {
            format!("PATCH /api/check-in-assignments/{assignment} with a dueDate")
        }
        Resolution::PutClient(client) => format!("PUT /v1/clients/{client}?merge=true"),
        Resolution::Migrate => "GET /v1/migrations/plan, then POST /v1/migrations/apply".to_owned(),
        Resolution::Undo(correction) => format!(
            "POST /v1/corrections with kind undo, correction {correction}, or leave the correction"
        ),
        Resolution::Accept => {
            "no request: both views can be used with it; correct the export to resolve it"
                .to_owned()
        }
        Resolution::CorrectExport => {
            "no request: correct the export, and import it again".to_owned()
        }
    }
}

/// Audits the store: totals, responses by week, counts by client, findings. The audit names
/// documents and contains no answers.
#[utoipa::path(
    get,
    path = "/v1/audit",
    operation_id = "audit",
    tag = "operations",
    params(AuditQuery),
    responses(
        (status = 200, description = "The audit.", content((serde_json::Value = "application/json"), (String = "text/markdown")),
            headers(("x-rollbook-position" = u64, description = "The head of the log"))),
        (status = 400, description = "The query is invalid.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
    )
)]
pub async fn audit(
    State(service): State<Service>,
    caller: Caller,
    QueryOf(query): QueryOf<AuditQuery>,
) -> Result<Response, ApiError> {
    let now = query.at.unwrap_or_else(|| service.now());
    require_operator(&service, caller).await?;
    let work = move |store: &rollbook_application::store::Store,
                     _watch: &rollbook_migrations::monitor::Monitor<'_>|
          -> Result<_, ApiError> {
        let position = store.log().head();
        let mut report = reports::audit::audit(store, now)?;
        reports::resolution::resolve(&store.reading(), &mut report, &endpoint)?;
        let json = |error| ApiError::internal(&std::io::Error::from(error));
        Ok(match query.format {
            Format::Md => (position, "text/markdown; charset=utf-8", report.to_markdown()),
            Format::Json => {
                (position, "application/json", serde_json::to_string(&report).map_err(json)? + "\n")
            }
        })
    };
    let (position, kind, text) = operate(&service, work).await?;
    let mut response = text.into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(POSITION, HeaderValue::from(position));
    Ok(response)
}

//! `/v1/clients/{id}/seen`: the list that a client saw at an instant.

use axum::extract::State;
use rollbook_application::store::{PastView, Store};
use rollbook_domain::Timestamp;
use rollbook_projections::entry::ListParameters;
use serde::Deserialize;
use utoipa::IntoParams;

use super::query::optional_span;
use super::shapes::SeenList;
use crate::access::{Caller, Permission};
use crate::http::answer::At;
use crate::http::error::{ApiError, NativeRefusals, Problem};
use crate::http::extract::{PathOf, QueryOf};
use crate::http::service::Service;

/// The instant of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SeenQuery {
    /// The instant, RFC 3339. It means the last position that was recorded by then.
    #[param(value_type = String, format = DateTime, example = "2026-01-15T09:30:00Z")]
    at: Timestamp,
    /// The grace period before a week is overdue in the pre-created view, such as `3d`.
    #[serde(default, deserialize_with = "optional_span")]
    #[param(value_type = Option<String>, pattern = "^[0-9]{1,9}(d|h|m|s|ms)$", example = "3d")]
    overdue_after: Option<i64>,
}

/// Returns what a client saw at an instant: the view that served the client, the position, and the
/// list. The response contains the exceptions of the switch, so the caller needs the permission for
/// both.
#[utoipa::path(
    get,
    path = "/v1/clients/{id}/seen",
    operation_id = "tellWhatWasSeen",
    tag = "views",
    params(("id" = String, Path, description = "The client, by any id.", example = "ada"), SeenQuery),
    responses(
        (status = 200, description = "The list that the client saw.", body = SeenList, headers(("x-rollbook-position" = u64, description = "The position of the response"))),
        (status = 400, description = "The query is invalid.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
    )
)]
pub async fn of_client(
    State(service): State<Service>,
    caller: Caller,
    PathOf(client): PathOf<String>,
    QueryOf(query): QueryOf<SeenQuery>,
) -> Result<At<PastView>, ApiError> {
    let grace = query.overdue_after.unwrap_or(service.asked().overdue_after_milliseconds);
    let work = move |store: &Store| -> Result<At<PastView>, ApiError> {
        caller.authorize(store, Permission::CheckIns(&client))?;
        caller.authorize(store, Permission::ReadSwitch)?;
        let seen = store
            .seen(&client, ListParameters { now: query.at, overdue_after_milliseconds: grace })?;
        Ok(At { position: seen.position, body: seen })
    };
    service.blocking(work).await
}

//! `/v1/switch`: which view serves whom, and changing it.

use std::time::Duration;

use axum::extract::State;
use rollbook_application::code::Code;
use rollbook_application::operations::switch::{SwitchRequest, switch};
use rollbook_application::reports::switch::{Serving, Switched, serving};
use rollbook_application::store::Store;
use rollbook_domain::Timestamp;
use rollbook_domain::event::View;
use serde::Deserialize;
use utoipa::ToSchema;

use super::shapes::ViewName;
use crate::access::{Caller, Permission};
use crate::http::answer::At;
use crate::http::caller::Writing;
use crate::http::drop_in::shapes::IdempotencyKey;
use crate::http::error::{ApiError, NativeRefusals, Problem};
use crate::http::extract::Body;
use crate::http::service::Service;

/// Which view serves whom.
#[utoipa::path(
    get,
    path = "/v1/switch",
    operation_id = "showSwitch",
    tag = "operations",
    responses(
        (status = 200, description = "How it stands.", body = Serving, headers(("x-rollbook-position" = u64, description = "The position the answer is of"))),
        NativeRefusals,
    )
)]
pub async fn show(State(service): State<Service>, caller: Caller) -> Result<At<Serving>, ApiError> {
    let work = move |store: &Store| -> Result<At<Serving>, ApiError> {
        caller.authorize(store, Permission::ReadSwitch)?;
        let (serving, position) = serving(store)?;
        Ok(At { position, body: serving })
    };
    service.blocking(work).await
}

/// How long a switch makes answers for those who will ask next, before it is acknowledged.
const PREPARING: Duration = Duration::from_millis(10);

/// What to switch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"view": "precreated", "percent": 10, "reason": "first tenth"}))]
pub struct SwitchBody {
    /// The view to serve.
    #[schema(value_type = ViewName)]
    view: View,
    /// Only that part of all clients, by a hash of their ids; the rest have the other view.
    #[serde(default, deserialize_with = "crate::http::integer::optional")]
    #[schema(minimum = 0, maximum = 100)]
    percent: Option<u8>,
    /// Only these clients, by any id; they keep their view whatever the percentage.
    #[serde(default)]
    #[schema(required = false)]
    clients: Vec<String>,
    /// Why; history shows it.
    #[schema(min_length = 1)]
    reason: String,
    /// Override the guard; on record with the reason.
    #[serde(default)]
    #[schema(required = false)]
    force: bool,
    /// When it happened, RFC 3339; now without one.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// Switch which view serves whom, from the next request on.
///
/// Without `percent` and `clients` it is for everybody, and forgets every exception. Giving anybody the pre-created view needs a
/// recorded validation that is all green and newer than the last batch, or `force`. SwitchRequest back needs nothing but the reason.
#[utoipa::path(
    put,
    path = "/v1/switch",
    operation_id = "switchView",
    tag = "operations",
    params(IdempotencyKey),
    request_body = SwitchBody,
    responses(
        (status = 200, description = "Before and after.", body = Switched, headers(("x-rollbook-position" = u64, description = "Where it is recorded"))),
        (status = 400, description = "A body that does not fit.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
        (status = 404, description = "A client that nobody knows.", content_type = "application/problem+json", body = Problem),
        (status = 409, description = "The guard refuses.", content_type = "application/problem+json", body = Problem),
        (status = 413, description = "A body that is too large.", content_type = "application/problem+json", body = Problem),
        (status = 415, description = "A body that is not application/json.", content_type = "application/problem+json", body = Problem),
        (status = 422, description = "The key was used for another request.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn put(
    State(service): State<Service>,
    writing: Writing,
    Body(body): Body<SwitchBody>,
) -> Result<At<Switched>, ApiError> {
    let SwitchBody { view, percent, clients, reason, force, at } = body;
    let answers = service.clone();
    let work = move |store: &Store| -> Result<At<Switched>, ApiError> {
        let reading = &store.reading();
        let mut request = writing.request(reading, Permission::Switch)?;
        if percent.is_some() && !clients.is_empty() {
            return Err(ApiError::bad_request(
                Code::Usage,
                "percent and clients say two things; give one of them",
            ));
        }
        request.now = at.unwrap_or(request.now);
        let wanted = SwitchRequest { view, percent, clients, reason, force };
        let switched = switch(reading, &wanted, &request)?;
        // The next requests find their answers made. What fails here has no part in the switch, and fails again for who reads.
        let _for_who_reads = answers.view_cache().prepare(store, answers.now(), PREPARING);
        Ok(At { position: switched.position.unwrap_or_else(|| store.log().head()), body: switched })
    };
    service.blocking(work).await
}

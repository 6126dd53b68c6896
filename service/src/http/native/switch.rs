//! `/v1/switch`: reads and changes which view serves which clients.

use std::time::Duration;

use axum::extract::State;
use rollbook_application::code::Code;
use rollbook_application::operations::switch::{SwitchRequest, switch};
use rollbook_application::reports::switch::{SwitchReport, SwitchStatus, serving};
use rollbook_application::store::Store;
use rollbook_domain::Timestamp;
use rollbook_domain::event::View;
use serde::Deserialize;
use utoipa::ToSchema;

use super::shapes::ViewName;
use crate::access::{Caller, Permission};
use crate::http::answer::At;
use crate::http::caller::WriteRequest;
use crate::http::drop_in::shapes::IdempotencyKey;
use crate::http::error::{ApiError, NativeRefusals, Problem};
use crate::http::extract::Body;
use crate::http::service::Service;

/// Returns which view serves which clients.
#[utoipa::path(
    get,
    path = "/v1/switch",
    operation_id = "showSwitch",
    tag = "operations",
    responses(
        (status = 200, description = "The state of the switch.", body = SwitchStatus, headers(("x-rollbook-position" = u64, description = "The position of the response"))),
        NativeRefusals,
    )
)]
pub async fn show(
    State(service): State<Service>,
    caller: Caller,
) -> Result<At<SwitchStatus>, ApiError> {
    let work = move |store: &Store| -> Result<At<SwitchStatus>, ApiError> {
        caller.authorize(store, Permission::ReadSwitch)?;
        let (serving, position) = serving(store)?;
        Ok(At { position, body: serving })
    };
    service.blocking(work).await
}

/// How long a switch fills the view cache before it is acknowledged.
const PREPARING: Duration = Duration::from_millis(10);

/// A switch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"view": "precreated", "percent": 10, "reason": "first tenth"}))]
pub struct SwitchBody {
    /// The view to serve.
    #[schema(value_type = ViewName)]
    view: View,
    /// Only this percentage of all clients, chosen by a hash of the client id. The other view
    /// serves the rest.
    #[serde(default, deserialize_with = "crate::http::integer::optional")]
    #[schema(minimum = 0, maximum = 100)]
    percent: Option<u8>,
    /// Only these clients, by any id. They keep this view at any percentage.
    #[serde(default)]
    #[schema(required = false)]
    clients: Vec<String>,
    /// The reason. The history shows it.
    #[schema(min_length = 1)]
    reason: String,
    /// Overrides the guard. The event records this with the reason.
    #[serde(default)]
    #[schema(required = false)]
    force: bool,
    /// The time of the event, RFC 3339; the default is now.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// Switches which view serves which clients, starting with the next request.
///
/// Without `percent` and `clients` the switch applies to every client and removes every exception.
/// A switch to the pre-created view needs a recorded validation that is green and newer than the
/// last batch, or `force`. A switch back to the legacy view needs only a reason.
#[utoipa::path(
    put,
    path = "/v1/switch",
    operation_id = "switchView",
    tag = "operations",
    params(IdempotencyKey),
    request_body = SwitchBody,
    responses(
        (status = 200, description = "The state before and after the switch.", body = SwitchReport, headers(("x-rollbook-position" = u64, description = "The position of the event"))),
        (status = 400, description = "The body is invalid.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
        (status = 404, description = "No client has this id.", content_type = "application/problem+json", body = Problem),
        (status = 409, description = "The guard refuses the switch.", content_type = "application/problem+json", body = Problem),
        (status = 413, description = "The body is too large.", content_type = "application/problem+json", body = Problem),
        (status = 415, description = "The body is not application/json.", content_type = "application/problem+json", body = Problem),
        (status = 422, description = "The idempotency key was used for another request.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn put(
    State(service): State<Service>,
    writing: WriteRequest,
    Body(body): Body<SwitchBody>,
) -> Result<At<SwitchReport>, ApiError> {
    let SwitchBody { view, percent, clients, reason, force, at } = body;
    let answers = service.clone();
    let work = move |store: &Store| -> Result<At<SwitchReport>, ApiError> {
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
        // Fill the view cache for the next requests. A failure here does not affect the switch; a
        // reader gets the same error.
        let _for_who_reads = answers.view_cache().prepare(store, answers.now(), PREPARING);
        Ok(At { position: switched.position.unwrap_or_else(|| store.log().head()), body: switched })
    };
    service.blocking(work).await
}

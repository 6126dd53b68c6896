//! `/api/client-portal/check-ins`: the check-ins of a client, in the view that serves the client or
//! in the pre-created view.

use axum::extract::State;
use rollbook_application::code::Code;
use rollbook_application::store::{Store, ViewChoice};
use rollbook_domain::event::View;
use serde::Deserialize;
use utoipa::IntoParams;

use super::super::answer::ViewResponse;
use super::super::error::{ApiError, DropInRefusals};
use super::super::extract::QueryOf;
use super::super::service::Service;
use super::shapes::CheckIns;
use crate::access::{Caller, Permission};

/// The client of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct Whose {
    /// The client, by document id or authUid.
    #[param(required = true, min_length = 1, example = "ada")]
    client_id: Option<String>,
}

/// Returns a client's check-ins, in the view that serves this client.
#[utoipa::path(
    get,
    path = "/api/client-portal/check-ins",
    operation_id = "listCheckIns",
    tag = "check-ins",
    params(Whose),
    responses(
        (status = 200, description = "The check-ins and their view.", content_type = "application/json", body = CheckIns,
            headers(("x-rollbook-view" = String, description = "legacy or precreated"), ("x-rollbook-position" = u64, description = "The position of the response"))),
        DropInRefusals
    )
)]
pub async fn list(
    State(service): State<Service>,
    caller: Caller,
    QueryOf(whose): QueryOf<Whose>,
) -> Result<ViewResponse, ApiError> {
    answer(service, caller, whose, ViewChoice::Live).await
}

/// Returns a client's check-ins in the pre-created view, whichever view serves the client.
#[utoipa::path(
    get,
    path = "/api/client-portal/check-ins-precreated",
    operation_id = "listPrecreatedCheckIns",
    tag = "check-ins",
    params(Whose),
    responses(
        (status = 200, description = "The check-ins.", content_type = "application/json", body = CheckIns,
            headers(("x-rollbook-view" = String, description = "precreated"), ("x-rollbook-position" = u64, description = "The position of the response"))),
        DropInRefusals
    )
)]
pub async fn list_precreated(
    State(service): State<Service>,
    caller: Caller,
    QueryOf(whose): QueryOf<Whose>,
) -> Result<ViewResponse, ApiError> {
    answer(service, caller, whose, ViewChoice::View(View::Precreated)).await
}

async fn answer(
    service: Service,
    caller: Caller,
    whose: Whose,
    asking: ViewChoice,
) -> Result<ViewResponse, ApiError> {
    let Some(client) = whose.client_id.filter(|client| !client.is_empty()) else {
        return Err(ApiError::bad_request(Code::NoClient, "Client ID is required"));
    };
    let now = service.now();
    // This is the most frequent request. A cached body needs no blocking thread and no disk access.
    if caller.is_admin()
        && let Some(cached) = service.view_cache().cached(service.store(), asking, &client, now)
    {
        return Ok(cached.into());
    }
    let answers = service.clone();
    let work = move |store: &Store| -> Result<ViewResponse, ApiError> {
        caller.authorize(store, Permission::CheckIns(&client))?;
        Ok(answers.view_cache().answer(store, asking, &client, now)?.into())
    };
    service.blocking(work).await
}

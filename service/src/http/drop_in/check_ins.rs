//! `/api/client-portal/check-ins`: what a client sees, and which view answers on which path.

use axum::extract::State;
use rollbook_application::code::Code;
use rollbook_application::store::{Store, ViewChoice};
use rollbook_domain::event::View;
use serde::Deserialize;
use utoipa::IntoParams;

use super::super::answer::Viewed;
use super::super::error::{ApiError, DropInRefusals};
use super::super::extract::QueryOf;
use super::super::service::Service;
use super::shapes::CheckIns;
use crate::access::{Caller, Permission};

/// Whose check-ins.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct Whose {
    /// The client, by document id or authUid.
    #[param(required = true, min_length = 1, example = "ada")]
    client_id: Option<String>,
}

/// A client's check-ins, from the view that the switch serves this client.
#[utoipa::path(
    get,
    path = "/api/client-portal/check-ins",
    operation_id = "listCheckIns",
    tag = "check-ins",
    params(Whose),
    responses(
        (status = 200, description = "The check-ins, and the view they are from.", content_type = "application/json", body = CheckIns,
            headers(("x-rollbook-view" = String, description = "legacy or precreated"), ("x-rollbook-position" = u64, description = "The position of the answer"))),
        DropInRefusals
    )
)]
pub async fn list(
    State(service): State<Service>,
    caller: Caller,
    QueryOf(whose): QueryOf<Whose>,
) -> Result<Viewed, ApiError> {
    answer(service, caller, whose, ViewChoice::Live).await
}

/// A client's check-ins from the pre-created view, whatever the switch says.
#[utoipa::path(
    get,
    path = "/api/client-portal/check-ins-precreated",
    operation_id = "listPrecreatedCheckIns",
    tag = "check-ins",
    params(Whose),
    responses(
        (status = 200, description = "The check-ins.", content_type = "application/json", body = CheckIns,
            headers(("x-rollbook-view" = String, description = "precreated"), ("x-rollbook-position" = u64, description = "The position of the answer"))),
        DropInRefusals
    )
)]
pub async fn list_precreated(
    State(service): State<Service>,
    caller: Caller,
    QueryOf(whose): QueryOf<Whose>,
) -> Result<Viewed, ApiError> {
    answer(service, caller, whose, ViewChoice::View(View::Precreated)).await
}

async fn answer(
    service: Service,
    caller: Caller,
    whose: Whose,
    asking: ViewChoice,
) -> Result<Viewed, ApiError> {
    let Some(client) = whose.client_id.filter(|client| !client.is_empty()) else {
        return Err(ApiError::bad_request(Code::NoClient, "Client ID is required"));
    };
    let now = service.now();
    // The most frequent request: from the cache it costs no blocking thread and no disk access.
    if caller.is_admin()
        && let Some(cached) = service.view_cache().cached(service.store(), asking, &client, now)
    {
        return Ok(cached.into());
    }
    let answers = service.clone();
    let work = move |store: &Store| -> Result<Viewed, ApiError> {
        caller.authorize(store, Permission::CheckIns(&client))?;
        Ok(answers.view_cache().answer(store, asking, &client, now)?.into())
    };
    service.blocking(work).await
}

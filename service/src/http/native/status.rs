//! `/v1/status`: the status of the store.

use axum::extract::State;
use rollbook_application::reports::status::{Status, current_status};
use rollbook_application::store::Store;

use crate::access::{Caller, Permission};
use crate::http::answer::At;
use crate::http::error::{ApiError, NativeRefusals};
use crate::http::service::Service;

/// Returns the status of the store and the next step, as `rollbook status --json` prints them.
#[utoipa::path(
    get,
    path = "/v1/status",
    operation_id = "status",
    tag = "operations",
    responses(
        (status = 200, description = "The status.", body = Status, headers(("x-rollbook-position" = u64, description = "The head of the log"))),
        NativeRefusals,
    )
)]
pub async fn status(
    State(service): State<Service>,
    caller: Caller,
) -> Result<At<Status>, ApiError> {
    let work = move |store: &Store| -> Result<At<Status>, ApiError> {
        caller.authorize(store, Permission::Status)?;
        let status = current_status(store)?;
        Ok(At { position: status.head, body: status })
    };
    service.blocking(work).await
}

//! `/healthz` and `/readyz`: liveness and readiness. Both need no authentication and reveal nothing
//! else.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rollbook_application::code::Code;
use rollbook_application::store::Store;
use rollbook_application::store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{ApiError, Problem};
use super::service::Service;

/// How long readiness waits for projections.
const FOLDED_WITHIN: Duration = Duration::from_secs(2);

/// The state of the service.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok` or `ready`.
    #[schema(example = "ok")]
    pub status: &'static str,
}

/// Tells whether the process is alive.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "healthz",
    tag = "health",
    security(()),
    responses((status = 200, description = "The service is alive.", body = Health))
)]
pub async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Tells whether the service can serve requests: the directory exists, the log accepts writes, and
/// the projections have folded all events.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "readyz",
    tag = "health",
    security(()),
    responses(
        (status = 200, description = "The service is ready.", body = Health),
        (status = 503, description = "The service is not ready. The code is `draining`, `store_unavailable` or `behind`.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn readyz(State(service): State<Service>) -> Result<Json<Health>, ApiError> {
    if service.is_draining() {
        return Err(ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            Code::Draining,
            "The service is about to end",
        ));
    }
    let ready = tokio::time::timeout(FOLDED_WITHIN, service.blocking(is_ready)).await;
    ready.unwrap_or_else(|_late| {
        Err(ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            Code::Behind,
            "Projections have not caught up yet",
        ))
    })?;
    Ok(Json(Health { status: "ready" }))
}

/// Folds outstanding commits, as any read does.
fn is_ready(store: &Store) -> Result<(), StoreError> {
    store.log().require_sound()?;
    store.catch_up(&|_, _| {})?;
    Ok(())
}

//! `/metrics`: the metrics of `telemetry`, for Prometheus.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use rollbook_application::code::Code;

use super::error::{ApiError, NativeRefusals, Problem};
use super::service::Service;
use crate::access::{Caller, Permission};
use crate::telemetry::{metrics, store_metrics};

/// The metrics, in the text form of OpenMetrics, which Prometheus reads.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "getMetrics",
    tag = "operation",
    responses(
        (status = 200, description = "The metrics.", content_type = "application/openmetrics-text", body = String),
        NativeRefusals,
        (status = 404, description = "The metrics are disabled.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn read(State(service): State<Service>, caller: Caller) -> Result<Response, ApiError> {
    let figures = service.metrics().clone();
    figures.subscribers.set(i64::try_from(service.permits().subscribed()).unwrap_or(i64::MAX));
    let may = service.blocking(move |store| -> Result<String, ApiError> {
        caller.authorize(store, Permission::Metrics)?;
        Ok(store_metrics::exposition(&figures, store))
    });
    let text = may.await?;
    if !service.settings().metrics.enabled {
        return Err(ApiError::new(
            StatusCode::NOT_FOUND,
            Code::NoMetrics,
            "Metrics are switched off (metrics.enabled)",
        ));
    }
    Ok(([(CONTENT_TYPE, metrics::MEDIA_TYPE)], text).into_response())
}

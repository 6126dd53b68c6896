//! `/v1/checkpoints`: signs the log.

use axum::extract::State;
use rollbook_application::evidence::Notary;
use rollbook_application::reports::evidence::CheckpointReport;
use rollbook_application::store::Store;
use rollbook_migrations::monitor::Monitor;

use super::operations::{operate, require_operator};
use crate::http::answer::At;
use crate::http::caller::WriteRequest;
use crate::http::error::{ApiError, NativeRefusals, Problem};
use crate::http::service::Service;
use crate::telemetry::request::request_id_text;
use crate::telemetry::targets;

/// Signs a checkpoint of the Merkle tree over all events, and stores it. Keep a copy elsewhere.
///
/// The signing key is the file beside the store. The first checkpoint generates it. A log that
/// contradicts an earlier checkpoint is not signed.
#[utoipa::path(
    post,
    path = "/v1/checkpoints",
    operation_id = "signCheckpoint",
    tag = "operations",
    responses(
        (status = 200, description = "The checkpoint.", body = CheckpointReport, headers(("x-rollbook-position" = u64, description = "The number of events in the checkpoint"))),
        NativeRefusals,
        (status = 409, description = "The log contradicts a signed checkpoint.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn sign(
    State(service): State<Service>,
    writing: WriteRequest,
) -> Result<At<CheckpointReport>, ApiError> {
    require_operator(&service, writing.caller().clone()).await?;
    let work = move |store: &Store,
                     _watch: &Monitor<'_>|
          -> Result<At<CheckpointReport>, ApiError> {
        store.catch_up(&|_, _| {})?;
        let notary = Notary::open(store, None)?;
        if let Some(path) = notary.made() {
            tracing::warn!(target: targets::HTTP, request_id = request_id_text(), path = %path.display(), key = %notary.verifier(), "the signing key of this store was drawn; keep a copy of it");
        }
        let signed = CheckpointReport::of(&notary, &notary.checkpoint(store.log().head())?);
        Ok(At { position: signed.size, body: signed })
    };
    operate(&service, work).await
}

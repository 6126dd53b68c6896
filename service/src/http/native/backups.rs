//! `/v1/backups`: takes backups while reads and writes continue, and lists them. The settings of
//! the service define the directory of backups; a request cannot. Restoring, erasing and verifying
//! need a stopped service.

use axum::extract::State;
use rollbook_application::backup::{BackupReport, BackupRequest, Backups, ListedBackup};
use rollbook_application::store::Store;
use rollbook_domain::Timestamp;
use rollbook_migrations::monitor::Monitor;
use serde::Deserialize;
use utoipa::ToSchema;

use super::operations::{operate, require_operator};
use crate::access::{Caller, Permission};
use crate::http::answer::At;
use crate::http::caller::WriteRequest;
use crate::http::error::{ApiError, NativeRefusals, Problem};
use crate::http::extract::OptionalBody;
use crate::http::service::Service;

/// The options of a backup.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "before-precreate"}))]
pub struct BackupBody {
    /// The name; the default is `pre-migration-YYYYMMDD_HHMMSS`.
    #[schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-][A-Za-z0-9_.-]*$")]
    name: Option<String>,
    /// The time for the name and the event, RFC 3339; the default is now.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

impl Service {
    /// Returns the directory of backups.
    fn backups(&self) -> Backups {
        match &self.settings().backups {
            Some(directory) => Backups::at(directory),
            None => Backups::of(self.store().directory()),
        }
    }
}

/// Takes a backup while reads and writes continue.
///
/// The backup contains every write that was acknowledged before it started. The response is sent
/// when the backup is complete and recorded. Each name can be used once.
#[utoipa::path(
    post,
    path = "/v1/backups",
    operation_id = "takeBackup",
    tag = "operations",
    request_body = Option<BackupBody>,
    responses(
        (status = 200, description = "The backup and its manifest.", body = BackupReport, headers(("x-rollbook-position" = u64, description = "The position of the event"))),
        (status = 400, description = "The body is invalid, or the name is not allowed for a backup.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
        (status = 409, description = "A backup has this name, or another process uses the directory of backups.", content_type = "application/problem+json", body = Problem),
        (status = 413, description = "The body is too large.", content_type = "application/problem+json", body = Problem),
        (status = 415, description = "The body is not application/json.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn take(
    State(service): State<Service>,
    writing: WriteRequest,
    OptionalBody(body): OptionalBody<BackupBody>,
) -> Result<At<BackupReport>, ApiError> {
    require_operator(&service, writing.caller().clone()).await?;
    let backups = service.backups();
    let work = move |store: &Store, _watch: &Monitor<'_>| -> Result<At<BackupReport>, ApiError> {
        let request = writing.request(&store.reading(), Permission::Migrate)?;
        let wanted = BackupRequest {
            name: body.name,
            actor: request.actor,
            now: body.at.unwrap_or(request.now),
        };
        let created = store.back_up(&backups, &wanted, &|_, _, _| {})?;
        Ok(At { position: created.position, body: created })
    };
    operate(&service, work).await
}

/// Lists the backups, oldest first. An interrupted backup is not listed.
#[utoipa::path(
    get,
    path = "/v1/backups",
    operation_id = "listBackups",
    tag = "operations",
    responses(
        (status = 200, description = "Each backup with its state and its manifest.", body = [ListedBackup], headers(("x-rollbook-position" = u64, description = "The head of the log"))),
        NativeRefusals,
    )
)]
pub async fn list(
    State(service): State<Service>,
    caller: Caller,
) -> Result<At<Vec<ListedBackup>>, ApiError> {
    let backups = service.backups();
    let work = move |store: &Store| -> Result<At<Vec<ListedBackup>>, ApiError> {
        caller.authorize(store, Permission::Migrate)?;
        Ok(At { position: store.log().head(), body: backups.list()? })
    };
    service.blocking(work).await
}

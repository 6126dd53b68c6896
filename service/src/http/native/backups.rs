//! `/v1/backups`: takes backups while others read and write, and lists them. The service's settings
//! say where backups go, never a request. Restoring, erasing and verifying need the store closed.

use axum::extract::State;
use rollbook_application::backup::{Backups, Created, Listed, Wanted};
use rollbook_application::store::Store;
use rollbook_domain::Timestamp;
use rollbook_migrations::monitor::Monitor;
use serde::Deserialize;
use utoipa::ToSchema;

use super::operations::{operate, require_operator};
use crate::access::{Caller, Permission};
use crate::http::answer::At;
use crate::http::caller::Writing;
use crate::http::error::{ApiError, NativeRefusals, Problem};
use crate::http::extract::OptionalBody;
use crate::http::service::Service;

/// What backup to take.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "before-precreate"}))]
pub struct BackupBody {
    /// Its name; `pre-migration-YYYYMMDD_HHMMSS` without one.
    #[schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-][A-Za-z0-9_.-]*$")]
    name: Option<String>,
    /// When it is taken, RFC 3339, for its name and the record; now without one.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

impl Service {
    /// The directory of backups.
    fn backups(&self) -> Backups {
        match &self.settings().backups {
            Some(directory) => Backups::at(directory),
            None => Backups::of(self.store().directory()),
        }
    }
}

/// Take a backup while others read and write.
///
/// The backup holds everything that was acknowledged when it began. The answer comes when it is
/// complete and recorded. A name can be used once.
#[utoipa::path(
    post,
    path = "/v1/backups",
    operation_id = "takeBackup",
    tag = "operations",
    request_body = Option<BackupBody>,
    responses(
        (status = 200, description = "What it holds.", body = Created, headers(("x-rollbook-position" = u64, description = "Where it is on record"))),
        (status = 400, description = "A body that does not fit, or no name for a backup.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
        (status = 409, description = "The name is taken, or another process works in the directory of backups.", content_type = "application/problem+json", body = Problem),
        (status = 413, description = "A body that is too large.", content_type = "application/problem+json", body = Problem),
        (status = 415, description = "A body that is not application/json.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn take(
    State(service): State<Service>,
    writing: Writing,
    OptionalBody(body): OptionalBody<BackupBody>,
) -> Result<At<Created>, ApiError> {
    require_operator(&service, writing.caller().clone()).await?;
    let backups = service.backups();
    let work = move |store: &Store, _watch: &Monitor<'_>| -> Result<At<Created>, ApiError> {
        let request = writing.request(&store.reading(), Permission::Migrate)?;
        let wanted =
            Wanted { name: body.name, actor: request.actor, now: body.at.unwrap_or(request.now) };
        let created = store.back_up(&backups, &wanted, &|_, _, _| {})?;
        Ok(At { position: created.position, body: created })
    };
    operate(&service, work).await
}

/// The backups there are, oldest first; what was cut off while it was taken is not among them.
#[utoipa::path(
    get,
    path = "/v1/backups",
    operation_id = "listBackups",
    tag = "operations",
    responses(
        (status = 200, description = "Each with its manifest, and whether its files are there.", body = [Listed], headers(("x-rollbook-position" = u64, description = "The head of the log"))),
        NativeRefusals,
    )
)]
pub async fn list(
    State(service): State<Service>,
    caller: Caller,
) -> Result<At<Vec<Listed>>, ApiError> {
    let backups = service.backups();
    let work = move |store: &Store| -> Result<At<Vec<Listed>>, ApiError> {
        caller.authorize(store, Permission::Migrate)?;
        Ok(At { position: store.log().head(), body: backups.list()? })
    };
    service.blocking(work).await
}

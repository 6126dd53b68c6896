//! `/v1/imports`: imports an export while the service serves, any number of times. The body is written
//! to a file in the store's directory as it arrives. The file has no name, because its content is
//! personal: it is gone when the request or the process ends. The same export, sent again, adds what
//! is still missing.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use rollbook_application::code::Code;
use rollbook_application::operations::import::RunningImport;
use rollbook_application::reports::imports::{ImportFailure, ImportProgress};
use rollbook_application::reports::schemas::Import;
use rollbook_application::store::Store;
use rollbook_domain::calendar::Zone;
use rollbook_migrations::import::{ImportOptions, ImportReport};
use rollbook_migrations::monitor::Monitor;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;

use super::operations::{operate, require_operator};
use super::upload::EXPORT;
use crate::access::{Caller, Permission};
use crate::http::answer::At;
use crate::http::caller::WriteRequest;
use crate::http::error::{ApiError, NativeRefusals, Problem};
use crate::http::extract::{PathOf, QueryOf};
use crate::http::service::Service;

/// The id of the import.
const IMPORT: HeaderName = HeaderName::from_static("x-rollbook-import");

/// The options of an import.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// The time zone of the old server's calendar arithmetic, an IANA name. The store keeps it from
    /// the first import on; the default of a new store is UTC.
    #[serde(default, deserialize_with = "optional_zone")]
    #[param(value_type = Option<String>, example = "Europe/London")]
    legacy_timezone: Option<Zone>,
    /// Whether collections that Rollbook does not know are skipped. The report counts them.
    #[serde(default)]
    #[param(required = false)]
    skip_unknown: bool,
    /// Whether to write nothing and to report what the import would do.
    #[serde(default)]
    #[param(required = false)]
    dry_run: bool,
    /// Whether an export may be older than the one that was imported last.
    #[serde(default)]
    #[param(required = false)]
    allow_older: bool,
    /// Whether documents that the export no longer has are removed, also if they are many or have
    /// answers.
    #[serde(default)]
    #[param(required = false)]
    allow_removals: bool,
}

fn optional_zone<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Zone>, D::Error> {
    let name = Option::<String>::deserialize(from)?;
    name.map(|name| name.parse().map_err(D::Error::custom)).transpose()
}

/// Imports an export of the old application while the service serves.
///
/// The body has the files of the export, one after another in any order, as `cat export/*.json`
/// writes them. The whole export is read and checked before the first event is written. One import
/// runs at a time. Answers that are given meanwhile are kept: a week that is answered while the
/// import would remove it stays, and is listed as `kept`.
/// The import continues if the caller disconnects after the first event; `GET /v1/imports` shows how
/// far it is. If the service stops meanwhile, the same export resumes it.
#[utoipa::path(
    post,
    path = "/v1/imports",
    operation_id = "importExport",
    tag = "migrations",
    params(ImportQuery),
    request_body(content = String, content_type = "application/json", description = "The files of the export, one after another."),
    responses(
        (status = 200, description = "The result of this run.", body = Import,
            headers(("x-rollbook-position" = u64, description = "The head of the log"), ("x-rollbook-import" = String, description = "The id of the import"))),
        (status = 400, description = "The query is invalid, the body ended early, or the export cannot be read, failed or is incomplete.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
        (status = 409, description = "Another import runs, the export is older than the last one or would remove too much, or the store keeps another time zone.", content_type = "application/problem+json", body = Problem),
        (status = 413, description = "The export is above the limit.", content_type = "application/problem+json", body = Problem),
        (status = 415, description = "The body is not application/json.", content_type = "application/problem+json", body = Problem),
        (status = 503, description = "The service is shutting down. The same export resumes the import later.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn import(
    State(service): State<Service>,
    writing: WriteRequest,
    QueryOf(query): QueryOf<ImportQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    require_operator(&service, writing.caller().clone()).await?;
    EXPORT.admit(&service, &headers)?;
    let imports = service.imports().clone();
    let (now, dry_run) = (service.now(), query.dry_run);
    let begin = move |store: &Store| -> Result<_, ApiError> {
        let file = nameless_file(store.directory());
        let file = file.map_err(|error| ApiError::unavailable(&error))?;
        Ok((imports.begin(now, dry_run)?, file))
    };
    let (running, file) = service.blocking(begin).await?;
    let id = HeaderValue::try_from(running.id()).map_err(|error| ApiError::internal(&error))?;
    let received = EXPORT.receive(&service, file, body, &|bytes| running.received(bytes)).await;
    let ended = service.clone();
    let file = match received {
        Ok(file) => file,
        Err(refusal) => {
            let close = move |_: &Store| close(running, &ended, Err(refusal)).map(drop);
            return service.blocking(close).await.map(IntoResponse::into_response);
        }
    };
    let options = ImportOptions {
        zone: query.legacy_timezone,
        allow_older: query.allow_older,
        allow_removals: query.allow_removals,
        dry_run,
    };
    let work = move |store: &Store, watch: &Monitor<'_>| -> Result<ImportReport, ApiError> {
        let import = || {
            // The caller may have lost the permission while the body arrived.
            writing.request(&store.reading(), Permission::Migrate)?;
            let export = running.read(file, query.skip_unknown)?;
            Ok(running.import(store, export, &options, watch)?)
        };
        let imported = import();
        close(running, &ended, imported)
    };
    let report = operate(&service, work).await?;
    let mut response = At { position: report.head, body: report }.into_response();
    response.headers_mut().insert(IMPORT, id);
    Ok(response)
}

/// A file without a name that only the owner may read. It is gone when it is closed.
fn nameless_file(directory: &Path) -> io::Result<File> {
    let file = tempfile::tempfile_in(directory)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

/// Records how an import ended.
fn close(
    running: RunningImport,
    service: &Service,
    result: Result<ImportReport, ApiError>,
) -> Result<ImportReport, ApiError> {
    match &result {
        Ok(report) => running.end(service.now(), Ok(report.clone())),
        // The record says that it was interrupted.
        Err(refusal) if refusal.code() == Code::Interrupted => drop(running),
        Err(refusal) => running.end(service.now(), Err(failure(refusal))),
    }
    result
}

fn failure(refusal: &ApiError) -> ImportFailure {
    ImportFailure { code: refusal.code().name().to_owned(), message: refusal.text() }
}

/// Lists the imports on record, newest first: those into this running service, and before.
#[utoipa::path(
    get,
    path = "/v1/imports",
    operation_id = "listImports",
    tag = "migrations",
    responses(
        (status = 200, description = "Each import, with its state and how far it is.", body = [ImportProgress], headers(("x-rollbook-position" = u64, description = "The head of the log"))),
        NativeRefusals,
    )
)]
pub async fn list(
    State(service): State<Service>,
    caller: Caller,
) -> Result<At<Vec<ImportProgress>>, ApiError> {
    let imports = service.imports().clone();
    let work = move |store: &Store| -> Result<At<Vec<ImportProgress>>, ApiError> {
        caller.authorize(store, Permission::Migrate)?;
        Ok(At { position: store.log().head(), body: imports.list() })
    };
    service.blocking(work).await
}

/// Returns one import: its state, how far it is, and its report once it is done.
#[utoipa::path(
    get,
    path = "/v1/imports/{id}",
    operation_id = "getImport",
    tag = "migrations",
    params(("id" = String, Path, description = "The id of the import: `x-rollbook-import`, or one of the list.")),
    responses(
        (status = 200, description = "The import.", body = ImportProgress, headers(("x-rollbook-position" = u64, description = "The head of the log"))),
        NativeRefusals,
        (status = 404, description = "No import on record has this id.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn get(
    State(service): State<Service>,
    caller: Caller,
    PathOf(id): PathOf<String>,
) -> Result<At<ImportProgress>, ApiError> {
    let imports = service.imports().clone();
    let work = move |store: &Store| -> Result<At<ImportProgress>, ApiError> {
        caller.authorize(store, Permission::Migrate)?;
        let found = imports.get(&id).ok_or_else(|| ApiError::not_found("Import not found"))?;
        Ok(At { position: store.log().head(), body: found })
    };
    service.blocking(work).await
}

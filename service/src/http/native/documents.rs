//! `/v1/clients/{id}`, `/v1/coaches/{id}` and `/v1/forms/{id}`: puts and returns the document of a
//! client, a coach or a form.

use axum::extract::State;
use axum::http::StatusCode;
use rollbook_application::operations::{DocumentChange, DocumentKind, PutReport, PutRequest, put};
use rollbook_application::reports::documents::{DocumentReport, document};
use rollbook_application::store::Store;
use rollbook_domain::{JsonText, Timestamp};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::{Caller, Permission};
use crate::http::answer::At;
use crate::http::caller::WriteRequest;
use crate::http::drop_in::shapes::IdempotencyKey;
use crate::http::error::{ApiError, NativeRefusals, Problem};
use crate::http::extract::{JsonBody, PathOf, QueryOf};
use crate::http::service::Service;

/// How to put a document.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct PutQuery {
    /// Changes only the given fields of the stored document (RFC 7396: objects are merged,
    /// and null removes a field). The lists of a new client are then open. The default is to
    /// replace the whole document.
    #[param(required = false)]
    merge: bool,
    /// The time of the event, RFC 3339; the default is now.
    #[param(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// A status and a document.
type Put = (StatusCode, At<PutReport>);

async fn put_document(
    service: &Service,
    writing: WriteRequest,
    (kind, id): (DocumentKind, String),
    PutQuery { merge, at }: PutQuery,
    document: JsonText,
) -> Result<Put, ApiError> {
    let work = move |store: &Store| -> Result<Put, ApiError> {
        let reading = &store.reading();
        let mut request = writing.request(reading, Permission::Documents)?;
        request.now = at.unwrap_or(request.now);
        let report = put(reading, &PutRequest { kind, id, document, merge }, &request)?;
        let status = match report.change {
            DocumentChange::Created => StatusCode::CREATED,
            DocumentChange::Changed | DocumentChange::Unchanged => StatusCode::OK,
        };
        Ok((status, At { position: report.position, body: report }))
    };
    service.blocking(work).await
}

async fn show_document(
    service: &Service,
    caller: Caller,
    kind: DocumentKind,
    id: String,
) -> Result<At<DocumentReport>, ApiError> {
    let work = move |store: &Store| -> Result<At<DocumentReport>, ApiError> {
        let reading = &store.reading();
        caller.authorize_in(reading, Permission::Documents)?;
        let body = document(reading, kind, &id)?;
        Ok(At { position: body.position, body })
    };
    service.blocking(work).await
}

/// Adds a client, or changes the client's document.
///
/// The client can be allocated forms at once. The `authUid` must not be that of another client. A
/// later import replaces the document only if the export is newer.
#[utoipa::path(
    put,
    path = "/v1/clients/{id}",
    operation_id = "putClient",
    tag = "operations",
    params(("id" = String, Path, description = "The document id.", example = "cleo"), PutQuery, IdempotencyKey),
    request_body(content = std::collections::HashMap<String, serde_json::Value>, description = "The fields of the document.", content_type = "application/json"),
    responses(
        (status = 200, description = "The document was changed, or is the same.", body = PutReport, headers(("x-rollbook-position" = u64, description = "The position of the document"))),
        (status = 201, description = "There was no such document.", body = PutReport, headers(("x-rollbook-position" = u64, description = "The position of the document"))),
        (status = 400, description = "The document cannot be stored.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
        (status = 409, description = "Another client has the id or the `authUid`.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn put_client(
    State(service): State<Service>,
    writing: WriteRequest,
    PathOf(id): PathOf<String>,
    QueryOf(query): QueryOf<PutQuery>,
    JsonBody(body): JsonBody,
) -> Result<Put, ApiError> {
    put_document(&service, writing, (DocumentKind::Client, id), query, body).await
}

/// Adds a coach, or changes the coach's document.
///
/// The coach can allocate forms at once.
#[utoipa::path(
    put,
    path = "/v1/coaches/{id}",
    operation_id = "putCoach",
    tag = "operations",
    params(("id" = String, Path, description = "The document id.", example = "lee"), PutQuery, IdempotencyKey),
    request_body(content = std::collections::HashMap<String, serde_json::Value>, description = "The fields of the document.", content_type = "application/json"),
    responses(
        (status = 200, description = "The document was changed, or is the same.", body = PutReport, headers(("x-rollbook-position" = u64, description = "The position of the document"))),
        (status = 201, description = "There was no such document.", body = PutReport, headers(("x-rollbook-position" = u64, description = "The position of the document"))),
        (status = 400, description = "The document cannot be stored.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
    )
)]
pub async fn put_coach(
    State(service): State<Service>,
    writing: WriteRequest,
    PathOf(id): PathOf<String>,
    QueryOf(query): QueryOf<PutQuery>,
    JsonBody(body): JsonBody,
) -> Result<Put, ApiError> {
    put_document(&service, writing, (DocumentKind::Coach, id), query, body).await
}

/// Adds a form, or changes its document.
///
/// The form can be allocated at once. Weeks that were allocated before keep their title.
#[utoipa::path(
    put,
    path = "/v1/forms/{id}",
    operation_id = "putForm",
    tag = "operations",
    params(("id" = String, Path, description = "The document id.", example = "sleep"), PutQuery, IdempotencyKey),
    request_body(content = std::collections::HashMap<String, serde_json::Value>, description = "The fields of the document.", content_type = "application/json"),
    responses(
        (status = 200, description = "The document was changed, or is the same.", body = PutReport, headers(("x-rollbook-position" = u64, description = "The position of the document"))),
        (status = 201, description = "There was no such document.", body = PutReport, headers(("x-rollbook-position" = u64, description = "The position of the document"))),
        (status = 400, description = "The document cannot be stored.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
    )
)]
pub async fn put_form(
    State(service): State<Service>,
    writing: WriteRequest,
    PathOf(id): PathOf<String>,
    QueryOf(query): QueryOf<PutQuery>,
    JsonBody(body): JsonBody,
) -> Result<Put, ApiError> {
    put_document(&service, writing, (DocumentKind::Form, id), query, body).await
}

/// Returns the document of a client.
#[utoipa::path(
    get,
    path = "/v1/clients/{id}",
    operation_id = "showClient",
    tag = "operations",
    params(("id" = String, Path, description = "The client, by document id or authUid.", example = "ada")),
    responses(
        (status = 200, description = "The document.", body = DocumentReport, headers(("x-rollbook-position" = u64, description = "The position of the document"))),
        NativeRefusals,
        (status = 404, description = "No client has this id.", content_type = "application/problem+json", body = Problem),
        (status = 409, description = "The client was erased.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn show_client(
    State(service): State<Service>,
    caller: Caller,
    PathOf(id): PathOf<String>,
) -> Result<At<DocumentReport>, ApiError> {
    show_document(&service, caller, DocumentKind::Client, id).await
}

/// Returns the document of a coach.
#[utoipa::path(
    get,
    path = "/v1/coaches/{id}",
    operation_id = "showCoach",
    tag = "operations",
    params(("id" = String, Path, description = "The document id.", example = "robin")),
    responses(
        (status = 200, description = "The document.", body = DocumentReport, headers(("x-rollbook-position" = u64, description = "The position of the document"))),
        NativeRefusals,
        (status = 404, description = "No coach document has this id.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn show_coach(
    State(service): State<Service>,
    caller: Caller,
    PathOf(id): PathOf<String>,
) -> Result<At<DocumentReport>, ApiError> {
    show_document(&service, caller, DocumentKind::Coach, id).await
}

/// Returns the document of a form.
#[utoipa::path(
    get,
    path = "/v1/forms/{id}",
    operation_id = "showForm",
    tag = "operations",
    params(("id" = String, Path, description = "The document id.", example = "habits")),
    responses(
        (status = 200, description = "The document.", body = DocumentReport, headers(("x-rollbook-position" = u64, description = "The position of the document"))),
        NativeRefusals,
        (status = 404, description = "No form document has this id.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn show_form(
    State(service): State<Service>,
    caller: Caller,
    PathOf(id): PathOf<String>,
) -> Result<At<DocumentReport>, ApiError> {
    show_document(&service, caller, DocumentKind::Form, id).await
}

//! `/v1/clients/{id}/check-ins` and `/v1/check-ins`: the list of one client, or of all clients that
//! the caller may see, in any view, at any time and as of any position.

use axum::extract::State;
use axum::response::Response;
use rollbook_application::reports::check_ins::{Which, line};
use rollbook_application::reports::moment::Moment;
use rollbook_application::store::StoreError;
use rollbook_application::store::{Store, ViewChoice};
use rollbook_domain::{Position, Timestamp};
use rollbook_projections::entry::ListParameters;
use serde::Deserialize;
use utoipa::IntoParams;

use super::chunks::{CHUNK_BYTES, Chunk, answer};
use super::query::{optional_span, reach};
use crate::access::{AccessDenied, Caller, Permission, Visible};
use crate::http::answer::{POSITION, VIEW, ViewResponse};
use crate::http::drop_in::shapes::CheckIns;
use crate::http::error::{ApiError, NativeRefusals, Problem};
use crate::http::extract::{PathOf, QueryOf};
use crate::http::service::Service;

/// The view, the time and the position of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ViewQuery {
    /// The view. `live` is the view that serves the client.
    #[serde(default)]
    #[param(inline)]
    view: Which,
    /// The time of the list, RFC 3339; the default is now.
    #[param(value_type = Option<String>, format = DateTime, example = "2026-01-15T09:30:00Z")]
    at: Option<Timestamp>,
    /// Reads the store as of this position, or as of the last position that was recorded by this
    /// time (RFC 3339).
    #[param(value_type = Option<String>, pattern = "^([0-9]{1,19}|[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]+([Zz]|[+-][0-9:]+))$", example = "12")]
    as_of: Option<Moment>,
    /// The grace period before a week is overdue, such as `3d`. The legacy view always uses 3d.
    #[serde(default, deserialize_with = "optional_span")]
    #[param(value_type = Option<String>, pattern = "^[0-9]{1,9}(d|h|m|s|ms)$", example = "3d")]
    overdue_after: Option<i64>,
    /// Waits until the response contains at least this position, to read your own writes on another
    /// node.
    min_position: Option<Position>,
}

impl ViewQuery {
    fn asking(&self) -> ViewChoice {
        self.view.into()
    }

    fn asked(&self, service: &Service) -> ListParameters {
        let ListParameters { now, overdue_after_milliseconds } = service.asked();
        ListParameters {
            now: self.at.unwrap_or(now),
            overdue_after_milliseconds: self.overdue_after.unwrap_or(overdue_after_milliseconds),
        }
    }

    async fn wait(&self, service: &Service) -> Result<(), ApiError> {
        match self.min_position {
            Some(position) => reach(service, position).await,
            None => Ok(()),
        }
    }

    fn position(&self, store: &Store) -> Result<Option<Position>, StoreError> {
        self.as_of.map(|moment| moment.position(store)).transpose()
    }
}

/// Returns the check-ins of a client, in any view.
///
/// The same `at` and the same position always give the same response.
#[utoipa::path(
    get,
    path = "/v1/clients/{id}/check-ins",
    operation_id = "viewCheckIns",
    tag = "views",
    params(("id" = String, Path, description = "The client, by document id or authUid.", example = "ada"), ViewQuery),
    responses(
        (status = 200, description = "The list and its view.", content_type = "application/json", body = CheckIns,
            headers(("x-rollbook-view" = String, description = "legacy or precreated"), ("x-rollbook-position" = u64, description = "The position of the response"))),
        (status = 400, description = "The query is invalid, or the position is beyond the head.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
        (status = 504, description = "The requested position was not reached before the timeout.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn of_client(
    State(service): State<Service>,
    caller: Caller,
    PathOf(client): PathOf<String>,
    QueryOf(query): QueryOf<ViewQuery>,
) -> Result<ViewResponse, ApiError> {
    let (asking, asked) = (query.asking(), query.asked(&service));
    let may = {
        let client = client.clone();
        move |store: &Store| caller.authorize(store, Permission::CheckIns(&client)).map(drop)
    };
    service.blocking::<_, AccessDenied>(may).await?;
    query.wait(&service).await?;
    let work = move |store: &Store| -> Result<ViewResponse, ApiError> {
        let answered = store.check_ins(asking, &client, asked, query.position(store)?)?;
        Ok(ViewResponse {
            view: answered.view,
            position: answered.position,
            body: answered.body.into(),
        })
    };
    service.blocking(work).await
}

/// Returns the check-ins of all clients that the caller may see, one line per client.
#[utoipa::path(
    get,
    path = "/v1/check-ins",
    operation_id = "viewAllCheckIns",
    tag = "views",
    params(ViewQuery),
    responses(
        (status = 200, description = "A line a client document, in id order: {\"clientId\", \"body\"}.", content_type = "application/x-ndjson", body = String,
            headers(("x-rollbook-position" = u64, description = "The position of the response"))),
        (status = 400, description = "The query is invalid, or the position is beyond the head.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
        (status = 504, description = "The requested position was not reached before the timeout.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn of_everyone(
    State(service): State<Service>,
    caller: Caller,
    QueryOf(query): QueryOf<ViewQuery>,
) -> Result<Response, ApiError> {
    let (asking, asked) = (query.asking(), query.asked(&service));
    let may = move |store: &Store| match caller.sees(store)? {
        Visible::Clients(clients) if clients.is_empty() => Err(AccessDenied::Forbidden),
        visible => Ok(visible),
    };
    let visible = service.blocking(may).await?;
    query.wait(&service).await?;
    let everyone = move |store: &Store| -> Result<_, ApiError> {
        let mut everyone = store.all_clients(asking, asked, query.position(store)?)?;
        let position = everyone.position();
        let chunk: Chunk = Box::new(move |store| {
            let mut bytes = Vec::new();
            while bytes.len() < CHUNK_BYTES {
                let Some((client, answered)) =
                    everyone.next_of(store, |client| visible.holds(client))?
                else {
                    break;
                };
                bytes.extend_from_slice(line(&client, &answered).as_bytes());
            }
            Ok((!bytes.is_empty()).then_some(bytes))
        });
        Ok((position, chunk))
    };
    let (position, chunk) = service.blocking(everyone).await?;
    let mut response = answer(service, "application/x-ndjson", chunk).await?;
    response.headers_mut().insert(POSITION, position.into());
    if let ViewChoice::View(view) = asking {
        response.headers_mut().insert(VIEW, axum::http::HeaderValue::from_static(view.name()));
    }
    Ok(response)
}

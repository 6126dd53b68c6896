//! `/v1/history/{id}`: the events of anything that has an id.

use axum::extract::State;
use axum::http::header::HeaderValue;
use axum::response::Response;
use rollbook_application::reports::history::{ExplainedEvent, Subject, redact_events};
use rollbook_application::store::Store;
use rollbook_application::store::StoreError;
use serde::Deserialize;
use utoipa::IntoParams;

use super::chunks::{answer, lines};
use super::query::joined;
use crate::access::{Caller, Permission};
use crate::http::answer::POSITION;
use crate::http::error::{ApiError, NativeRefusals, Problem};
use crate::http::extract::{PathOf, QueryOf};
use crate::http::service::Service;

/// The content of a history.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// Includes answers, comments and imported documents. By default, `[…]` replaces them.
    #[serde(default)]
    #[param(required = false)]
    with_answers: bool,
}

/// Returns the events of an assignment, response, client, coach, form, series, event, batch or
/// import.
///
/// An id with slashes can be in the path unescaped (`/v1/history/series/ada/weekly`), or escaped as
/// one segment.
#[utoipa::path(
    get,
    path = "/v1/history/{id}",
    operation_id = "tellHistory",
    tag = "events",
    params(("id" = String, Path, description = "Any id, the name of a stream, or the first digits of a digest.", example = "ada"), HistoryQuery),
    responses(
        (status = 200, description = "One event per line, in the order of the log.", content_type = "application/x-ndjson", body = String,
            headers(("x-rollbook-position" = u64, description = "The head of the log"))),
        (status = 400, description = "The query is invalid, or several digests start with these digits.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
        (status = 404, description = "Nothing has this id.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn tell(
    State(service): State<Service>,
    caller: Caller,
    PathOf(segments): PathOf<Vec<(String, String)>>,
    QueryOf(query): QueryOf<HistoryQuery>,
) -> Result<Response, ApiError> {
    let id = joined(&segments);
    let tell = move |store: &Store| -> Result<_, ApiError> {
        let head = store.log().head();
        let subject = find(store, &caller, &id)?;
        require(store, &caller, &subject, query.with_answers)?;
        Ok((
            head,
            lines(
                redact_events(subject.events(store)?, query.with_answers)
                    .map(|event| event.map(ExplainedEvent::of)),
            ),
        ))
    };
    let (head, chunk) = service.blocking(tell).await?;
    let mut response = answer(service, "application/x-ndjson", chunk).await?;
    response.headers_mut().insert(POSITION, HeaderValue::from(head));
    Ok(response)
}

/// Resolves an id. A caller without the permission does not learn whether the id exists.
fn find(store: &Store, caller: &Caller, id: &str) -> Result<Subject, ApiError> {
    match Subject::find(store, id) {
        Ok(subject) => Ok(subject),
        Err(error @ StoreError::AmbiguousDigest(_)) => {
            caller.authorize(store, Permission::BatchHistory)?;
            Err(error.into())
        }
        Err(
            error @ (StoreError::UnknownId(_)
            | StoreError::UnknownSeries(_)
            | StoreError::NoSeries(_)),
        ) => {
            caller.authorize(store, Permission::Absence)?;
            Err(error.into())
        }
        Err(error) => Err(error.into()),
    }
}

fn require(
    store: &Store,
    caller: &Caller,
    subject: &Subject,
    with_answers: bool,
) -> Result<(), ApiError> {
    match subject.streams() {
        Some(streams) => streams.into_iter().try_for_each(|stream| {
            Ok(caller.authorize(store, Permission::Stream(stream)).map(drop)?)
        }),
        None => {
            let wanted =
                if with_answers { Permission::AllEvents } else { Permission::BatchHistory };
            Ok(caller.authorize(store, wanted).map(drop)?)
        }
    }
}

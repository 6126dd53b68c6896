//! `/v1/events` and `/v1/streams/{stream}`: pages of events in the order of the log. `live` follows
//! new events.

use axum::extract::State;
use axum::http::header::{HeaderName, HeaderValue};
use axum::response::Response;
use rollbook_application::code::Code;
use rollbook_application::reports::history::{ExplainedEvent, without_answers};
use rollbook_application::store::Store;
use rollbook_application::store::StoreError;
use rollbook_domain::{EventRecord, Position, StreamId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::chunks::{answer, lines};
use super::query::{joined, require_reached};
use super::shapes::RecordedEvent;
use crate::access::{Caller, Permission};
use crate::http::answer::{At, POSITION};
use crate::http::error::{ApiError, NativeRefusals, Problem};
use crate::http::extract::{PathOf, QueryOf};
use crate::http::service::Service;

/// The cursor of the next page.
pub const NEXT: HeaderName = HeaderName::from_static("x-rollbook-next");

/// The default number of events on a page of a stream.
const PAGE: u64 = 100;
const LONGEST_PAGE: u64 = 1000;

/// The selection of events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// Only events after this position, which is the cursor: the position of the last event that
    /// you have.
    #[serde(default)]
    #[param(required = false)]
    after: Position,
    /// Only events of this stream.
    #[param(value_type = Option<String>, pattern = "^(control|(client|coach|form)/([^/%]|%2F|%25)*|series/([^/%]|%2F|%25)*/([^/%]|%2F|%25)*)$", example = "series/ada/weekly")]
    stream: Option<StreamId>,
    /// The maximum number of events; the default is all events up to the head.
    #[param(minimum = 1)]
    limit: Option<u64>,
    /// Includes answers, comments and imported documents. By default, `[…]` replaces them.
    #[serde(default)]
    #[param(required = false)]
    with_answers: bool,
}

/// Returns events as JSON lines, starting after a cursor.
///
/// The position of the last line is the next cursor. With `limit`, the header `x-rollbook-next` has
/// it if there are more events.
#[utoipa::path(
    get,
    path = "/v1/events",
    operation_id = "listEvents",
    tag = "events",
    params(EventsQuery),
    responses(
        (status = 200, description = "One event per line.", content_type = "application/x-ndjson", body = String,
            headers(("x-rollbook-position" = u64, description = "The head of the log"), ("x-rollbook-next" = u64, description = "The `after` of the next page, if there is one"))),
        (status = 400, description = "The query is invalid, or the cursor is beyond the head.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
    )
)]
pub async fn list(
    State(service): State<Service>,
    caller: Caller,
    QueryOf(query): QueryOf<EventsQuery>,
) -> Result<Response, ApiError> {
    let EventsQuery { after, stream, limit, with_answers } = query;
    if limit == Some(0) {
        return Err(ApiError::bad_request(Code::BadQuery, "limit is at least 1"));
    }
    let read = move |store: &Store| -> Result<_, ApiError> {
        caller
            .authorize(store, stream.as_ref().map_or(Permission::AllEvents, Permission::Stream))?;
        let head = store.log().head();
        require_reached(after, head)?;
        let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let (events, next) = read(store, after, head, stream.as_ref(), limit)?;
        Ok((
            head,
            next,
            lines(events.map(move |event| event.map(|event| shown(event, with_answers)))),
        ))
    };
    let (head, next, chunk) = service.blocking(read).await?;
    let mut response = answer(service, "application/x-ndjson", chunk).await?;
    response.headers_mut().insert(POSITION, HeaderValue::from(head));
    if let Some(next) = next {
        response.headers_mut().insert(NEXT, HeaderValue::from(next));
    }
    Ok(response)
}

/// Returns an event as responses show it.
pub(super) fn shown(event: EventRecord, with_answers: bool) -> ExplainedEvent {
    ExplainedEvent::of(if with_answers { event } else { without_answers(event) })
}

type Events = Box<dyn Iterator<Item = Result<EventRecord, StoreError>> + Send>;

/// Reads the events of a page, and the cursor of the next one.
fn read(
    store: &Store,
    after: Position,
    head: Position,
    stream: Option<&StreamId>,
    limit: usize,
) -> Result<(Events, Option<Position>), StoreError> {
    let log = store.log();
    Ok(match stream {
        Some(stream) => {
            let mut events = log.stream_until(stream, 0, head)?;
            events.retain(|event| event.position > after);
            let is_whole = events.len() <= limit;
            events.truncate(limit);
            let next = events.last().map(|last| last.position).filter(|_| !is_whole);
            (Box::new(events.into_iter().map(Ok)), next)
        }
        None => {
            let next = after.saturating_add(limit as u64);
            let events = log.commits_after(after).flat_map(|commit| match commit {
                Ok(events) => events.into_iter().map(Ok).collect::<Vec<_>>(),
                Err(error) => vec![Err(error.into())],
            });
            (Box::new(events.take(limit)), Some(next).filter(|next| *next < head))
        }
    })
}

/// The selection of a page of a stream.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StreamQuery {
    /// Only events after this version: the `next` of the previous page.
    #[serde(default)]
    #[param(required = false)]
    after: u64,
    /// The maximum number of events, 1 to 1000; the default is 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u64>,
    /// Includes answers, comments and imported documents. By default, `[…]` replaces them.
    #[serde(default)]
    #[param(required = false)]
    with_answers: bool,
}

/// A page of a stream.
#[derive(Debug, Serialize, ToSchema)]
pub struct StreamPage {
    /// The stream.
    #[schema(value_type = String, example = "series/ada/weekly")]
    pub stream: StreamId,
    /// The number of events in the stream.
    pub version: u64,
    /// The events of this page, by version.
    #[schema(value_type = Vec<RecordedEvent>)]
    pub events: Vec<ExplainedEvent>,
    /// The `after` of the next page; null on the last.
    pub next: Option<u64>,
}

/// Returns a page of one stream.
///
/// The name can be in the path unescaped (`/v1/streams/series/ada/weekly`), or escaped as one
/// segment.
#[utoipa::path(
    get,
    path = "/v1/streams/{stream}",
    operation_id = "readStream",
    tag = "events",
    params(("stream" = String, Path, pattern = "^(control|(client|coach|form)/([^/%]|%2F|%25)*|series/([^/%]|%2F|%25)*/([^/%]|%2F|%25)*)$", description = "series/<client>/<form>, client/<id>, coach/<id>, form/<id> or control.", example = "control"), StreamQuery),
    responses(
        (status = 200, description = "The page.", body = StreamPage, headers(("x-rollbook-position" = u64, description = "The head of the log"))),
        (status = 400, description = "The name of the stream or the query is invalid.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
        (status = 404, description = "The stream has no events.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn of_stream(
    State(service): State<Service>,
    caller: Caller,
    PathOf(segments): PathOf<Vec<(String, String)>>,
    QueryOf(query): QueryOf<StreamQuery>,
) -> Result<At<StreamPage>, ApiError> {
    let name = joined(&segments);
    let stream: StreamId =
        name.parse().map_err(|error| ApiError::bad_request(Code::BadStream, format!("{error}")))?;
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=LONGEST_PAGE).contains(&limit) {
        return Err(ApiError::bad_request(Code::BadQuery, format!("limit is 1 to {LONGEST_PAGE}")));
    }
    let read = move |store: &Store| -> Result<At<StreamPage>, ApiError> {
        caller.authorize(store, Permission::Stream(&stream))?;
        let (log, head) = (store.log(), store.log().head());
        let version = log.stream_version(&stream)?;
        if version == 0 {
            return Err(ApiError::not_found("This stream has no events"));
        }
        let until = usize::try_from(limit).unwrap_or(usize::MAX);
        let events = log.stream_until(&stream, query.after, head)?.into_iter().take(until);
        let events: Vec<ExplainedEvent> =
            events.map(|event| shown(event, query.with_answers)).collect();
        let next = events.last().map(|last| last.recorded.version).filter(|last| *last < version);
        Ok(At { position: head, body: StreamPage { stream, version, events, next } })
    };
    service.blocking(read).await
}

//! `/v1/events/live`: server-sent events. The stream continues from stored events to new ones
//! without gaps and without repeats: an event's id is its position, which a reconnecting client
//! sends back (`Last-Event-ID`).
//!
//! A slow reader holds no thread, and no more memory than one chunk of the log (about 1 MiB, or one
//! commit): the log is not read ahead of the client.

use std::convert::Infallible;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream, StreamExt};
use rollbook_application::code::Code;
use rollbook_application::reports::history::ExplainedEvent;
use rollbook_application::store::Store;
use rollbook_domain::{Position, StreamId};
use rollbook_log::Tail;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::IntoParams;

use super::events::shown;
use super::query::require_reached;
use super::shapes::LiveEvent;
use crate::access::{AccessDenied, Caller, Permission};
use crate::http::answer::POSITION;
use crate::http::error::{ApiError, NativeRefusals, Problem};
use crate::http::extract::QueryOf;
use crate::http::service::Service;
use crate::telemetry::request::{going_on_for, request_id, request_id_text};
use crate::telemetry::targets;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Tells proxies not to buffer the response, which would delay events.
const NO_BUFFERING: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
/// The maximum number of events in one read.
const EVENTS_A_CHUNK: usize = 256;

/// The start and the stream of live events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LiveQuery {
    /// Only events after this position. The header `Last-Event-ID` takes precedence. The default is
    /// to start with the first event.
    #[serde(default)]
    #[param(required = false)]
    after: Position,
    /// Only events of this stream.
    #[param(value_type = Option<String>, pattern = "^(control|(client|coach|form)/([^/%]|%2F|%25)*|series/([^/%]|%2F|%25)*/([^/%]|%2F|%25)*)$", example = "control")]
    stream: Option<StreamId>,
    /// Includes answers, comments and imported documents. By default, `[…]` replaces them.
    #[serde(default)]
    #[param(required = false)]
    with_answers: bool,
}

/// Follows events: stored events first, then new events as they are recorded.
///
/// Each event has its position as `id` and its JSON as `data`. Without new events, a comment is
/// sent every few seconds. The response does not end.
#[utoipa::path(
    get,
    path = "/v1/events/live",
    operation_id = "followEvents",
    tag = "events",
    params(LiveQuery, ("last-event-id" = Option<String>, Header, pattern = "^[0-9]{0,19}$", description = "The position of the last event that you have; empty if you have none.")),
    responses(
        (status = 200, description = "An endless stream of server-sent events.", content_type = "text/event-stream", body = LiveEvent,
            headers(("x-rollbook-position" = u64, description = "The head of the log at the start"))),
        (status = 400, description = "The query or the Last-Event-ID is invalid or beyond the head.", content_type = "application/problem+json", body = Problem),
        NativeRefusals,
        (status = 503, description = "Too many subscribers, or the service is shutting down.", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn follow(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    QueryOf(query): QueryOf<LiveQuery>,
) -> Result<Response, ApiError> {
    let LiveQuery { after, stream, with_answers } = query;
    let after = last_event_id(&headers)?.unwrap_or(after);
    let wanted = stream.clone();
    let may = move |store: &Store| {
        caller
            .authorize(store, wanted.as_ref().map_or(Permission::AllEvents, Permission::Stream))
            .map(drop)
    };
    service.blocking::<_, AccessDenied>(may).await?;
    let head = service.store().log().head();
    require_reached(after, head)?;
    let full = || ApiError::too_many("Too many subscribers of live events. Try again in a moment");
    let subscribed = service.permits().subscribe().ok_or_else(full)?;
    let keep_alive =
        KeepAlive::new().interval(service.settings().timeouts.heartbeat).text("heartbeat");
    let tail = service.store().log().tail(after);
    let following = Subscription { service, tail, stream, with_answers, _subscribed: subscribed };
    let mut response = Sse::new(events(following)).keep_alive(keep_alive).into_response();
    let headers = response.headers_mut();
    headers.insert(POSITION, HeaderValue::from(head));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(NO_BUFFERING.0, NO_BUFFERING.1);
    Ok(response)
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<Position>, ApiError> {
    // A client without any event sends an empty header.
    let Some(id) = headers.get(LAST_EVENT_ID).filter(|id| !id.is_empty()) else { return Ok(None) };
    let read = id.to_str().ok().and_then(|id| id.trim().parse().ok());
    read.map(Some).ok_or_else(|| {
        ApiError::bad_request(
            Code::BadLastEventId,
            "Last-Event-ID is the position of an event, a whole number",
        )
    })
}

struct Subscription {
    service: Service,
    tail: Tail,
    stream: Option<StreamId>,
    with_answers: bool,
    _subscribed: OwnedSemaphorePermit,
}

fn events(following: Subscription) -> impl Stream<Item = Result<Event, Infallible>> {
    let id = request_id();
    stream::unfold(following, move |following| {
        going_on_for(id.clone(), async move {
            let (events, following) = following.next().await?;
            Some((stream::iter(events), following))
        })
    })
    .flatten()
    .map(Ok)
}

impl Subscription {
    /// Returns the next events; `None` if the service shuts down or the log cannot be read. The
    /// response ends then, and a client that reconnects continues from there.
    async fn next(self) -> Option<(Vec<Event>, Self)> {
        let Self { service, mut tail, stream, with_answers, _subscribed } = self;
        tokio::select! {
            biased;
            () = service.drained() => return None,
            _head = service.store().log().head_beyond(tail.position()) => {}
        }
        let read = move |_store: &Store| -> Result<_, ApiError> {
            let events = chunk(&mut tail, stream.as_ref(), with_answers)?;
            Ok((events, tail, stream))
        };
        match service.blocking(read).await {
            Ok((events, tail, stream)) => {
                Some((events, Self { service, tail, stream, with_answers, _subscribed }))
            }
            Err(refusal) => {
                tracing::error!(
                    target: targets::HTTP,
                    request_id = request_id_text(),
                    code = refusal.code().name(),
                    "live events are cut off"
                );
                None
            }
        }
    }
}

fn chunk(
    tail: &mut Tail,
    stream: Option<&StreamId>,
    with_answers: bool,
) -> Result<Vec<Event>, ApiError> {
    let mut events = Vec::new();
    let mut seen = 0;
    while seen < EVENTS_A_CHUNK {
        let Some(commit) = tail.try_next()? else { break };
        seen += commit.len();
        for recorded in commit
            .into_iter()
            .filter(|recorded| stream.is_none_or(|stream| recorded.stream == *stream))
        {
            events.push(event(&shown(recorded, with_answers))?);
        }
    }
    Ok(events)
}

fn event(told: &ExplainedEvent) -> Result<Event, ApiError> {
    let data = serde_json::to_string(told).map_err(|error| ApiError::internal(&error))?;
    Ok(Event::default().id(told.recorded.position.to_string()).data(data))
}

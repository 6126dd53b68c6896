//! The function around every request: the request id, admission, limits of time and size, the form
//! of errors, and one line in the log. It is one function and not a stack of layers, so it reads
//! from top to bottom and adds little cost to the live view. `router` defines the limits of a
//! route.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CONNECTION, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{extract::DefaultBodyLimit, routing::MethodRouter};
use futures_util::FutureExt;
use rollbook_application::code::Code;

use super::admission::Peer;
use super::answer;
use super::body::LimitedBody;
use super::error::{self, ApiError};
use super::limits::{Class, RouteLimits};
use super::request_id::{REQUEST_ID, RequestId};
use super::service::Service;
use crate::access::RoleNote;
use crate::telemetry::request::working_for;
use crate::telemetry::targets;
use crate::telemetry::{RequestLabels, Route};

/// Surrounds the handlers of a route.
pub fn surround_handlers(
    handlers: MethodRouter<Service>,
    service: &Service,
    limits: RouteLimits,
) -> MethodRouter<Service> {
    let surroundings = Surroundings { service: service.clone(), limits };
    // This module limits bodies. The framework's own limit would refuse large batch files.
    handlers
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(surroundings, surround))
}

/// The state of the function around the handlers of a route.
#[derive(Clone)]
struct Surroundings {
    service: Service,
    limits: RouteLimits,
}

/// The facts about a request for the log and the metrics.
struct About {
    id: RequestId,
    method: &'static str,
    route: Route,
    /// Whether errors have the form of the old application.
    is_drop_in: bool,
    is_head: bool,
    began: Instant,
    role: RoleNote,
}

impl About {
    fn of(request: &Request) -> Self {
        Self {
            id: RequestId::of(request.headers()),
            method: method(request.method()),
            route: Route::of(request.extensions().get::<MatchedPath>()),
            is_drop_in: request.uri().path().starts_with("/api/"),
            is_head: request.method() == Method::HEAD,
            began: Instant::now(),
            role: RoleNote::default(),
        }
    }
}

/// Returns the name of a known method. An invented method must not become a label.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Counts a request while it is in flight, even if its client disconnects.
struct UnderWay<'s>(&'s Service);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.metrics().in_flight.dec();
    }
}

/// Handles a request, from its headers to the headers of the response.
async fn surround(
    State(Surroundings { service, limits }): State<Surroundings>,
    mut request: Request,
    next: Next,
) -> Response {
    let about = About::of(&request);
    let trace = service
        .traces()
        .map(|traces| traces.begin(about.method, about.route.as_str(), request.headers()));
    let _under_way = UnderWay(&service);
    let admitted = admit(&service, limits, &request);

    request.extensions_mut().insert(about.role.clone());
    let mut response = match admitted {
        Ok(()) => working_for(about.id.header(), limited(&service, limits, request, next)).await,
        Err(refusal) => refusal.into_response(),
    };

    let code = error::render(&mut response, about.is_drop_in, about.is_head);
    response.headers_mut().insert(REQUEST_ID, about.id.header());
    let view = response.headers().get(answer::VIEW).and_then(|view| view.to_str().ok());
    if let Some(trace) = trace {
        trace.end(response.status().as_u16(), about.id.as_str(), view);
    }
    record(&service, &about, response.status(), code, view);
    response
}

/// Admits a request by checks that do not depend on its content.
fn admit(service: &Service, limits: RouteLimits, request: &Request) -> Result<(), ApiError> {
    let under_way = service.metrics().in_flight.inc() + 1;
    if limits.class == Class::Always {
        return Ok(());
    }
    if let Some(peer) = request.extensions().get::<Peer>() {
        service.admission().admit(*peer, request.headers())?;
    }
    service.admission().admit_one_more(under_way)?;
    if limits.needs_store {
        service.admission().require_store(service.store(), limits.class != Class::Read)
    } else {
        Ok(())
    }
}

/// Runs the handler within its limits of time and size. A panic ends this request only.
async fn limited(
    service: &Service,
    limits: RouteLimits,
    mut request: Request,
    next: Next,
) -> Response {
    let timeouts = &service.settings().timeouts;
    let bytes = limits.body_bytes(&service.settings().limits);
    let measured = LimitedBody::new(&mut request, bytes, limits.body_time(timeouts));
    let handled = async {
        match measured.as_ref().and_then(LimitedBody::refusal) {
            Some(refusal) => {
                drop(request);
                refusal.into_response()
            }
            None => within(limits.time(timeouts), next.run(request)).await,
        }
    };
    let mut response = handled.await;
    let Some(measured) = measured else { return response };
    if let Some(refusal) = measured.refusal() {
        response = refusal.into_response();
    }
    if measured.is_given_up() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    } else {
        measured.hear_out().await;
    }
    response
}

async fn within(time: Duration, handler: impl Future<Output = Response>) -> Response {
    let caught = AssertUnwindSafe(handler).catch_unwind();
    let refusal = match tokio::time::timeout(time, caught).await {
        Ok(Ok(response)) => return response,
        // The panic hook has logged the location.
        Ok(Err(_panic)) => ApiError::mistake(),
        Err(_elapsed) => {
            let message = "This took too long and was given up. A write may have been done: ask again under the same Idempotency-Key";
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, Code::Timeout, message)
                .retry_after(Duration::from_secs(1))
        }
    };
    refusal.into_response()
}

/// Counts the request and logs one line about it.
fn record(
    service: &Service,
    about: &About,
    status: StatusCode,
    code: Option<Code>,
    view: Option<&str>,
) {
    let duration_seconds = about.began.elapsed().as_secs_f64();
    let metrics = service.metrics();
    let code = code.map(Code::name);
    code.into_iter().for_each(|code| metrics.refusal(code));
    match view {
        Some("legacy") => metrics.read("legacy"),
        Some("precreated") => metrics.read("precreated"),
        _ => {}
    }
    let (request_id, method, route, role) =
        (about.id.as_str(), about.method, about.route.as_str(), about.role.get().copied());
    let status_code = status.as_u16();
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(target: targets::REQUEST, request_id, method, route, status = status_code, duration_seconds, role, view, code, "answered")
        };
    }
    if status.is_server_error() {
        line!(warn)
    } else {
        line!(info)
    }
    let labels = RequestLabels { method, route: about.route.clone(), status: class(status) };
    metrics.request(&labels, duration_seconds);
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use tower_service::Service as _;

    use super::*;
    use crate::access::Access;
    use crate::configuration::{self, SettingFlags};
    use crate::http::Clock;
    use crate::http::native::chunks;
    use crate::telemetry::Telemetry;
    use crate::telemetry::request::request_id_text;
    use rollbook_application::store::Store;

    async fn panics() {
        panic!("a secret of a caller");
    }

    async fn blocks_and_panics(State(service): State<Service>) -> Result<(), ApiError> {
        service.blocking(|_| -> Result<(), ApiError> { panic!("a secret of a caller") }).await
    }

    /// A service over an empty store, with routes that misbehave.
    fn misbehaving(directory: &std::path::Path) -> Router {
        let mut flags = SettingFlags::default();
        flags.values.insert("timeouts.request", "101ms".into());
        flags.values.insert("timeouts.behind", "100ms".into());
        let settings = configuration::load(&flags, Some(directory.as_os_str())).unwrap().settings;
        let store = Arc::new(Store::open(directory, true).unwrap());
        let access = Arc::new(Access::new(&settings.access, directory).unwrap());
        let service = Service::new(store, access, Clock::System, settings, Telemetry::quiet());
        let within = |handler, limits| surround_handlers(handler, &service, limits);
        let read = |handler| within(handler, RouteLimits::READ);
        let router = Router::new()
            .route("/v1/panics", read(get(panics)))
            .route("/api/panics", read(get(panics)))
            .route("/v1/blocks", read(get(blocks_and_panics)))
            .route("/v1/names", read(get(names)))
            .route("/v1/names-again", read(get(names_again)))
            .route("/v1/never", read(get(std::future::pending::<()>)))
            .route("/healthz", within(get(|| async { "well" }), RouteLimits::ALWAYS));
        router.with_state(service)
    }

    /// What a message about the request would name, from a thread that blocks.
    async fn names(State(service): State<Service>) -> Result<String, ApiError> {
        service
            .blocking(|_| -> Result<_, ApiError> { Ok(request_id_text().unwrap_or_default()) })
            .await
    }

    /// The same, three times, each when the one before is sent.
    async fn names_again(State(service): State<Service>) -> Result<Response, ApiError> {
        let mut left = 3;
        let chunk = move |_: &Store| {
            left -= 1;
            Ok((left >= 0).then(|| request_id_text().unwrap_or_default().into_bytes()))
        };
        chunks::answer(service, "text/plain", Box::new(chunk)).await
    }

    async fn ask(router: &Router, path: &str) -> (StatusCode, String) {
        let response =
            router.clone().call(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        assert!(response.headers().contains_key(REQUEST_ID));
        let status = response.status();
        (
            status,
            String::from_utf8(to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec())
                .unwrap(),
        )
    }

    #[tokio::test]
    async fn a_panic_is_500_without_what_it_said_and_hurts_no_other_request() {
        let directory = tempfile::tempdir().unwrap();
        let router = misbehaving(&directory.path().join("store"));
        for path in ["/v1/panics", "/v1/blocks", "/api/panics"] {
            let (status, text) = ask(&router, path).await;
            assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
            assert!(!text.contains("secret"), "{text}");
            assert_eq!(text.contains("\"success\":false"), path.starts_with("/api/"), "{text}");
        }
        assert_eq!(ask(&router, "/healthz").await, (StatusCode::OK, "well".to_owned()));
    }

    #[tokio::test]
    async fn the_id_of_a_request_is_known_on_every_thread_that_works_for_it() {
        let directory = tempfile::tempdir().unwrap();
        let router = misbehaving(&directory.path().join("store"));
        for (path, named) in
            [("/v1/names", "told-42"), ("/v1/names-again", "told-42told-42told-42")]
        {
            let request =
                Request::get(path).header(REQUEST_ID, "told-42").body(Body::empty()).unwrap();
            let response = router.clone().call(request).await.unwrap();
            assert_eq!(to_bytes(response.into_body(), 1 << 10).await.unwrap(), named);
        }
        assert_eq!(request_id_text(), None);
    }

    #[tokio::test]
    async fn what_takes_too_long_is_503() {
        let directory = tempfile::tempdir().unwrap();
        let (status, text) = ask(&misbehaving(&directory.path().join("store")), "/v1/never").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(text.contains("\"code\":\"timeout\""), "{text}");
    }
}

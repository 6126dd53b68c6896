//! What surrounds every request, from its headers to its answer's. Owns the order: an id, the gate, time and size limits, the handler,
//! the form of a refusal, and what is told of it all. One function rather than a stack of layers, so that it reads from top to bottom
//! and costs the live view next to nothing.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CONNECTION, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Router, extract::DefaultBodyLimit};
use futures_util::FutureExt;
use rollbook_application::code::Code;

use super::answer;
use super::body::Measured;
use super::error::{self, Refusal};
use super::gate::Peer;
use super::request_id::{REQUEST_ID, RequestId};
use super::service::Service;
use crate::access::RoleNote;
use crate::telemetry::request::working_for;
use crate::telemetry::{RequestLabels, Route};

/// The parts of the service that are treated differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Must answer however much else there is to do.
    Health,
    /// Answers whether the store is there or not.
    WithoutStore,
    /// Takes as long as an operator's operation takes, and a whole batch.
    Operation,
    /// The old application's endpoints, which refuse in its form.
    DropIn,
    /// Everything else.
    Native,
}

/// Operations that stand alone.
const OPERATIONS: [&str; 4] = ["/v1/parity", "/v1/audit", "/v1/backups", "/v1/checkpoints"];

impl Part {
    fn of(path: &str) -> Self {
        match path {
            "/healthz" | "/readyz" => Self::Health,
            "/metrics" | "/openapi.json" => Self::WithoutStore,
            _ if path.starts_with("/docs") => Self::WithoutStore,
            _ if path.starts_with("/v1/migrations/") || OPERATIONS.contains(&path) => {
                Self::Operation
            }
            _ if path.starts_with("/api/") => Self::DropIn,
            _ => Self::Native,
        }
    }
}

/// Wraps all routes.
pub fn wrap(router: Router, service: Service) -> Router {
    // Bodies are measured here: the framework's own limit would only get in the way of batches.
    router
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(service, surround))
}

/// A request, as far as it is told of.
struct About {
    id: RequestId,
    method: &'static str,
    route: Route,
    /// What of the service it is for.
    part: Part,
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
            part: Part::of(request.uri().path()),
            is_head: request.method() == Method::HEAD,
            began: Instant::now(),
            role: RoleNote::default(),
        }
    }

    fn writes(&self) -> bool {
        !matches!(self.method, "GET" | "HEAD" | "OPTIONS")
    }
}

/// One of the methods that routes have: what a caller makes up is no label.
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

/// Counts a request for as long as it is under way, also when its client goes away.
struct UnderWay<'s>(&'s Service);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.metrics().in_flight.dec();
    }
}

/// The way of a request, from top to bottom.
async fn surround(State(service): State<Service>, mut request: Request, next: Next) -> Response {
    let about = About::of(&request);
    let trace = service
        .traces()
        .map(|traces| traces.begin(about.method, about.route.as_str(), request.headers()));
    let _under_way = UnderWay(&service);
    let admitted = admit(&service, &about, &request);

    request.extensions_mut().insert(about.role.clone());
    let mut response = match admitted {
        Ok(()) => working_for(about.id.header(), limited(&service, &about, request, next)).await,
        Err(refusal) => refusal.into_response(),
    };

    let code = error::render(&mut response, about.part == Part::DropIn, about.is_head);
    response.headers_mut().insert(REQUEST_ID, about.id.header());
    let view = response.headers().get(answer::VIEW).and_then(|view| view.to_str().ok());
    if let Some(trace) = trace {
        trace.end(response.status().as_u16(), about.id.as_str(), view);
    }
    tell(&service, &about, response.status(), code, view);
    response
}

/// What needs no look at the request's meaning.
fn admit(service: &Service, about: &About, request: &Request) -> Result<(), Refusal> {
    let under_way = service.metrics().in_flight.inc() + 1;
    if about.part == Part::Health {
        return Ok(());
    }
    if let Some(peer) = request.extensions().get::<Peer>() {
        service.gate().admit(*peer, request.headers())?;
    }
    service.gate().admit_one_more(under_way)?;
    if about.part == Part::WithoutStore {
        Ok(())
    } else {
        service.gate().require_store(service.store(), about.writes())
    }
}

/// The handler, within its limits of time and size. A mistake in it is its own end, and nobody else's.
async fn limited(service: &Service, about: &About, mut request: Request, next: Next) -> Response {
    let (limits, timeouts) = (&service.settings().limits, &service.settings().timeouts);
    let (bytes, body_time, time) = match about.part {
        Part::Operation => (limits.batch_bytes, timeouts.operation, timeouts.operation),
        _ => (limits.body_bytes, timeouts.body, timeouts.request),
    };
    let measured = Measured::new(&mut request, bytes, body_time);
    let handled = async {
        match measured.as_ref().and_then(Measured::refusal) {
            Some(refusal) => {
                drop(request);
                refusal.into_response()
            }
            None => within(time, next.run(request)).await,
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
        // What it said went to the log, as far as it may.
        Ok(Err(_panic)) => Refusal::mistake(),
        Err(_elapsed) => {
            let message = "This took too long and was given up. A write may have been done: ask again under the same Idempotency-Key";
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, Code::Timeout, message)
                .retry_after(Duration::from_secs(1))
        }
    };
    refusal.into_response()
}

/// Counts the request and says one line of it.
fn tell(
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
            tracing::$level!(target: "rollbook::request", request_id, method, route, status = status_code, duration_seconds, role, view, code, "answered")
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

    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use tower_service::Service as _;

    use super::*;
    use crate::access::Access;
    use crate::configuration::{self, SettingFlags};
    use crate::http::Clock;
    use crate::http::native::portions;
    use crate::telemetry::Telemetry;
    use crate::telemetry::request::request_id_text;
    use rollbook_application::store::Store;

    async fn panics() {
        panic!("a secret of a caller");
    }

    async fn blocks_and_panics(State(service): State<Service>) -> Result<(), Refusal> {
        service.blocking(|_| -> Result<(), Refusal> { panic!("a secret of a caller") }).await
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
        let router = Router::new()
            .route("/v1/panics", get(panics))
            .route("/api/panics", get(panics))
            .route("/v1/blocks", get(blocks_and_panics));
        let router = router
            .route("/v1/names", get(names))
            .route("/v1/names-again", get(names_again))
            .route("/v1/never", get(std::future::pending::<()>))
            .route("/healthz", get(|| async { "well" }));
        wrap(router.with_state(service.clone()), service)
    }

    /// What a message about the request would name, from a thread that blocks.
    async fn names(State(service): State<Service>) -> Result<String, Refusal> {
        service
            .blocking(|_| -> Result<_, Refusal> { Ok(request_id_text().unwrap_or_default()) })
            .await
    }

    /// The same, three times, each when the one before is sent.
    async fn names_again(State(service): State<Service>) -> Result<Response, Refusal> {
        let mut left = 3;
        let portion = move |_: &Store| {
            left -= 1;
            Ok((left >= 0).then(|| request_id_text().unwrap_or_default().into_bytes()))
        };
        portions::answer(service, "text/plain", Box::new(portion)).await
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

//! Runs the connections and shuts down gracefully. After a signal, no new connection is accepted.
//! Each open connection gets one more response, with `connection: close`. A request is cut off only
//! if the drain timeout ends before its response.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONNECTION, HeaderValue};
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::timeout;
use tokio_io_timeout::TimeoutWriter;

use super::admission::Peer;
use super::service::Service;
use crate::configuration::Settings;
use crate::telemetry::Metrics;
use crate::telemetry::targets;

/// Limits and timeouts of connections.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Server {
    /// The timeout for the headers of a request, and for a connection without a request.
    pub header_timeout: Duration,
    /// The timeout for a client that does not read its response.
    pub send_timeout: Duration,
    /// The maximum number of headers of a request.
    pub most_headers: usize,
    /// The largest request line with all headers, in bytes.
    pub header_bytes: usize,
    /// The maximum number of connections.
    pub connections: usize,
    /// After the signal: the time in which a connection without a request may still send one.
    pub idle_drain: Duration,
    /// After the signal: the time in which started requests must end.
    pub drain: Duration,
}

/// The maximum of `idle_drain`.
const IDLE_DRAIN_LIMIT: Duration = Duration::from_secs(1);

impl Server {
    /// Reads the limits from the settings.
    pub fn new(settings: &Settings) -> Self {
        let Settings { limits, timeouts, .. } = settings;
        Self {
            header_timeout: timeouts.headers,
            send_timeout: timeouts.send,
            most_headers: limits.headers,
            header_bytes: limits.header_bytes,
            connections: limits.connections,
            idle_drain: IDLE_DRAIN_LIMIT.min(timeouts.drain),
            drain: timeouts.drain,
        }
    }
}

/// The phase of the service, as connections see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    /// Each response is the last one on its connection.
    Draining,
    /// Connections without a request are closed.
    Closing,
}

/// Serves until `end` resolves, then drains: see [`Server`].
///
/// # Errors
/// If connections can no longer be accepted.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    service: &Service,
    server: Server,
    end: impl Future<Output = ()>,
) -> io::Result<()> {
    let phase = watch::Sender::new(Phase::Serving);
    // Every connection holds an end of this channel, which closes after the last connection.
    let (alive, mut all_through) = mpsc::channel::<Infallible>(1);
    let places = Arc::new(Semaphore::new(server.connections.min(Semaphore::MAX_PERMITS)));
    let accept = |stream, peer: SocketAddr, place| {
        let peer = Peer(peer.ip().to_canonical());
        let connected = ConnectionState {
            phase: phase.subscribe(),
            _alive: alive.clone(),
            _place: place,
            _open: Open::of(service.metrics()),
        };
        tokio::spawn(connection(stream, peer, router.clone(), server, connected));
    };
    let mut end = pin!(end);
    loop {
        tokio::select! {
            () = &mut end => break,
            accepted = next(&listener, &places) => match accepted {
                Ok((stream, peer, place)) => accept(stream, peer, Some(place)),
                Err(error) => wait_out(&error).await?,
            },
        }
    }
    service.drain();
    phase.send_replace(Phase::Draining);
    accept_the_queued(listener, accept)?;
    drop(alive);
    tracing::info!(target: targets::HTTP, "draining");
    let through = timeout(server.idle_drain, all_through.recv()).await;
    if through.is_err() {
        phase.send_replace(Phase::Closing);
        if timeout(server.drain, all_through.recv()).await.is_err() {
            tracing::warn!(
                target: targets::HTTP,
                seconds = server.drain.as_secs(),
                "some requests did not end in time and are cut off"
            );
        }
    }
    Ok(())
}

/// Waits for a free connection slot, then for the next connection.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

/// Handles an error of `accept`. A connection that closed early is harmless. After too many open
/// files, it waits.
async fn wait_out(error: &io::Error) -> io::Result<()> {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted, InvalidInput,
    };
    match error.kind() {
        InvalidInput => {
            Err(io::Error::new(error.kind(), "the listening socket is no longer valid"))
        }
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted => Ok(()),
        _ => {
            tracing::error!(target: targets::HTTP, %error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(100)).await;
            Ok(())
        }
    }
}

/// Accepts the connections in the system's queue, because closing the socket would reset them.
fn accept_the_queued(
    listener: TcpListener,
    mut accept: impl FnMut(TcpStream, SocketAddr, Option<OwnedSemaphorePermit>),
) -> io::Result<()> {
    let listener = listener.into_std()?;
    while let Ok((stream, peer)) = listener.accept() {
        stream.set_nonblocking(true)?;
        accept(TcpStream::from_std(stream)?, peer, None);
    }
    Ok(())
}

/// The state of an open connection.
struct ConnectionState {
    phase: watch::Receiver<Phase>,
    _alive: mpsc::Sender<Infallible>,
    _place: Option<OwnedSemaphorePermit>,
    _open: Open,
}

/// Counts a connection while it is open.
struct Open(Arc<Metrics>);

impl Open {
    fn of(metrics: &Arc<Metrics>) -> Self {
        metrics.connections.inc();
        Self(metrics.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections.dec();
    }
}

async fn connection(
    stream: TcpStream,
    peer: Peer,
    router: Router,
    server: Server,
    mut connected: ConnectionState,
) {
    // Send each response at once. Waiting for more data would only delay it.
    let _unsupported = stream.set_nodelay(true);
    let told = connected.phase.clone();
    let answer = hyper::service::service_fn(move |request: Request<Incoming>| {
        answer(router.clone(), peer, request, told.clone())
    });
    // Without this timeout, a client that stops reading would keep its connection slot forever.
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(server.send_timeout));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(server.header_timeout)
        .max_headers(server.most_headers)
        .max_buf_size(server.header_bytes)
        .serve_connection(TokioIo::new(Box::pin(stream)), answer);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = is_closing(&mut connected.phase) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(target: targets::HTTP, %error, "a connection ended");
    }
}

async fn is_closing(phase: &mut watch::Receiver<Phase>) {
    // If the sender is dropped, serving has ended, which also means closing.
    let _over = phase.wait_for(|phase| *phase == Phase::Closing).await;
}

async fn answer(
    router: Router,
    peer: Peer,
    mut request: Request<Incoming>,
    phase: watch::Receiver<Phase>,
) -> Result<Response<Body>, Infallible> {
    use tower_service::Service as _;
    let mut router = router;
    request.extensions_mut().insert(peer);
    // A router is always ready, so there is no need to poll it.
    let mut response = router.call(request.map(Body::new)).await?;
    if *phase.borrow() > Phase::Serving {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

//! Limits on request bodies: the size and the time. If a body is too large, the rest is read and
//! discarded for a while, because a client that is still sending would lose the response if the
//! connection were closed.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::{Request, StatusCode};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use rollbook_application::code::Code;
use tokio::time::{Instant, Sleep, timeout_at};

use super::error::ApiError;

/// The number of bytes beyond the limit that are read and discarded, so that the response arrives.
const HEARD_OUT_BYTES: u64 = 16 << 20;

/// Why a body was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    TooLarge,
    TooSlow,
}

#[derive(Debug, thiserror::Error)]
#[error("the body was {0:?}")]
struct Unread(Fault);

#[derive(Debug, Default)]
struct Shared {
    fault: Option<Fault>,
    /// The part of the body that the handler did not read.
    rest: Option<Body>,
}

/// The state of a request's body outside the handler.
#[derive(Clone, Debug)]
pub struct LimitedBody {
    shared: Arc<Mutex<Shared>>,
    limit_bytes: u64,
    deadline: Instant,
}

struct MeasuredBody {
    body: Option<Body>,
    read_bytes: u64,
    about: LimitedBody,
    too_late: Pin<Box<Sleep>>,
}

impl LimitedBody {
    /// Puts a limit on a request's body; `None` when it has none.
    pub fn new(request: &mut Request<Body>, limit_bytes: usize, limit: Duration) -> Option<Self> {
        if request.body().is_end_stream() {
            return None;
        }
        let deadline = Instant::now() + limit;
        let measured = Self { shared: Arc::default(), limit_bytes: limit_bytes as u64, deadline };
        let announced = request.body().size_hint().lower();
        let body = std::mem::take(request.body_mut());
        let about = measured.clone();
        if announced > measured.limit_bytes {
            // Pass none of its bytes on.
            measured.lock().fault = Some(Fault::TooLarge);
        }
        let too_late = Box::pin(tokio::time::sleep_until(deadline));
        *request.body_mut() =
            Body::new(MeasuredBody { body: Some(body), read_bytes: 0, about, too_late });
        Some(measured)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the error of the body, if there is one. Before the handler runs, the announced size
    /// decides.
    pub fn refusal(&self) -> Option<ApiError> {
        let too_slow = || {
            ApiError::new(
                StatusCode::REQUEST_TIMEOUT,
                Code::SlowBody,
                "The body took too long to arrive",
            )
        };
        match self.lock().fault? {
            Fault::TooSlow => Some(too_slow()),
            Fault::TooLarge => {
                let message = format!("The body is larger than {} bytes", self.limit_bytes);
                Some(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, Code::TooLarge, message))
            }
        }
    }

    /// Whether the connection may be closed, because the client was too slow.
    pub fn is_given_up(&self) -> bool {
        self.lock().fault == Some(Fault::TooSlow)
    }

    /// Reads and discards what the handler did not read, up to a limit.
    pub async fn hear_out(&self) {
        let Some(mut rest) = self.lock().rest.take() else { return };
        let mut left = HEARD_OUT_BYTES + self.limit_bytes;
        let read = async {
            while let Some(Ok(frame)) =
                std::future::poll_fn(|context| Pin::new(&mut rest).poll_frame(context)).await
            {
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                match left.checked_sub(bytes) {
                    Some(less) => left = less,
                    None => break,
                }
            }
        };
        let _given_up = timeout_at(self.deadline, read).await;
    }
}

impl HttpBody for MeasuredBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let fault = |fault| {
            this.about.lock().fault = Some(fault);
            Poll::Ready(Some(Err(axum::Error::new(Unread(fault)))))
        };
        if this.about.lock().fault == Some(Fault::TooLarge) {
            return fault(Fault::TooLarge);
        }
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        match Pin::new(body).poll_frame(context) {
            Poll::Pending if this.too_late.as_mut().poll(context).is_ready() => {
                fault(Fault::TooSlow)
            }
            Poll::Ready(Some(Ok(frame))) => {
                this.read_bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                if this.read_bytes > this.about.limit_bytes {
                    fault(Fault::TooLarge)
                } else {
                    Poll::Ready(Some(Ok(frame)))
                }
            }
            other => other,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(HttpBody::size_hint).unwrap_or_default()
    }
}

impl Drop for MeasuredBody {
    fn drop(&mut self) {
        self.about.lock().rest = self.body.take().filter(|body| !body.is_end_stream());
    }
}

//! Knows which request a piece of work is for, on every thread that works for it. Log lines can
//! name the request, and no other layer passes ids around for that.

use axum::http::HeaderValue;

tokio::task_local! {
    static WORKING_FOR: HeaderValue;
}

/// Does asynchronous work for the request with this id.
pub async fn working_for<W: Future>(id: HeaderValue, work: W) -> W::Output {
    WORKING_FOR.scope(id, work).await
}

/// Continues a request's work after its handler has returned, as streamed answers do.
pub async fn going_on_for<W: Future>(id: Option<HeaderValue>, work: W) -> W::Output {
    match id {
        Some(id) => working_for(id, work).await,
        None => work.await,
    }
}

/// The same work, to be done on another thread for the same request.
pub fn carried<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let id = request_id();
    move || match id {
        Some(id) => WORKING_FOR.sync_scope(id, work),
        None => work(),
    }
}

/// The id of the request that this work is for; `None` for work without a request.
pub fn request_id() -> Option<HeaderValue> {
    WORKING_FOR.try_with(Clone::clone).ok()
}

/// The same as text, for messages.
pub fn request_id_text() -> Option<String> {
    request_id()?.to_str().ok().map(str::to_owned)
}

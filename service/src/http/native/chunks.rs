//! Long responses, streamed in chunks. Memory stays bounded and no thread waits, however slowly a
//! client reads. If a response cannot be completed, its connection is closed, so that it never
//! looks complete.

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, TryStreamExt};
use rollbook_application::store::Store;
use rollbook_application::store::StoreError;
use serde::Serialize;

use crate::http::error::ApiError;
use crate::http::service::Service;
use crate::telemetry::request::{going_on_for, request_id, request_id_text};
use crate::telemetry::targets;

/// The size up to which lines are buffered before they are sent, in bytes.
pub const CHUNK_BYTES: usize = 64 << 10;

/// Produces the next chunk; `None` after the last. It blocks. It runs only after the client has
/// read the previous chunk.
pub type Chunk = Box<dyn FnMut(&Store) -> Result<Option<Vec<u8>>, ApiError> + Send>;

/// Starts a streamed response. The first chunk is produced before anything is sent, so an immediate
/// failure is an ordinary error.
///
/// # Errors
/// The error of the first chunk.
pub async fn answer(
    service: Service,
    kind: &'static str,
    chunk: Chunk,
) -> Result<Response, ApiError> {
    let (first, chunk) = next(&service, chunk).await?;
    let rest = first.is_some().then_some((service, chunk));
    let id = request_id();
    let rest = stream::try_unfold(rest, move |state| {
        going_on_for(id.clone(), async move {
            let Some((service, chunk)) = state else { return Ok(None) };
            match next(&service, chunk).await {
                Ok((Some(bytes), chunk)) => Ok(Some((bytes, Some((service, chunk))))),
                Ok((None, _)) => Ok(None),
                Err(refusal) => {
                    tracing::error!(
                        target: targets::HTTP,
                        request_id = request_id_text(),
                        code = refusal.code().name(),
                        "a long answer is cut off"
                    );
                    Err(std::io::Error::other(refusal.code().name()))
                }
            }
        })
    });
    let first = stream::iter(first.map(Ok::<Bytes, std::io::Error>));
    let mut response = Body::from_stream(futures_util::StreamExt::chain(first, rest.into_stream()))
        .into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(response)
}

async fn next(service: &Service, mut chunk: Chunk) -> Result<(Option<Bytes>, Chunk), ApiError> {
    service
        .blocking(move |store| -> Result<_, ApiError> {
            let bytes = chunk(store)?;
            Ok((bytes.map(Bytes::from), chunk))
        })
        .await
}

/// Formats values as chunks of JSON lines.
pub fn lines<T: Serialize>(
    mut values: impl Iterator<Item = Result<T, StoreError>> + Send + 'static,
) -> Chunk {
    Box::new(move |_store| {
        let mut bytes = Vec::new();
        while bytes.len() < CHUNK_BYTES {
            let Some(value) = values.next() else { break };
            serde_json::to_writer(&mut bytes, &value?)
                .map_err(|error| ApiError::internal(&error))?;
            bytes.push(b'\n');
        }
        Ok((!bytes.is_empty()).then_some(bytes))
    })
}

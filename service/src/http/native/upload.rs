//! Receives a batch file. It is written to a temporary file as it arrives, so memory does not grow
//! with it. The file is deleted at the end of the request.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use futures_util::StreamExt;
use rollbook_application::code::Code;
use rollbook_migrations::MigrationError;
use rollbook_migrations::batch::Batch;
use tempfile::TempDir;

use crate::http::error::ApiError;
use crate::http::service::Service;

/// The media type of batch files.
pub const NDJSON: &str = "application/x-ndjson";
/// The size of the write buffer, in bytes.
const GATHERED_BYTES: usize = 1 << 20;

/// A received file.
pub struct Upload {
    directory: TempDir,
}

impl Upload {
    /// Receives a body.
    ///
    /// # Errors
    /// 413 above the limit, 415 for another media type, 400 if the body ends early.
    pub async fn receive(
        service: &Service,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Self, ApiError> {
        let limit = service.settings().limits.batch_bytes as u64;
        require_ndjson(headers)?;
        let announced = headers
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok())
            .and_then(|length| length.parse::<u64>().ok());
        if announced.is_some_and(|bytes| bytes > limit) {
            return Err(too_large(limit));
        }
        let upload =
            Self { directory: tempfile::tempdir().map_err(|error| ApiError::unavailable(&error))? };
        let mut file =
            File::create(upload.path()).map_err(|error| ApiError::unavailable(&error))?;
        let (mut chunks, mut gathered, mut received) = (body.into_data_stream(), Vec::new(), 0_u64);
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_broken| {
                ApiError::bad_request(Code::BadBody, "The body could not be read to its end")
            })?;
            received += chunk.len() as u64;
            if received > limit {
                return Err(too_large(limit));
            }
            gathered.extend_from_slice(&chunk);
            if gathered.len() >= GATHERED_BYTES {
                (file, gathered) = write(service, file, gathered).await?;
            }
        }
        write(service, file, gathered).await?;
        Ok(upload)
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("batch.ndjson")
    }

    /// Opens the batch in the file and checks it completely. Errors call it "the batch", because
    /// the sender does not know the name of the temporary file.
    ///
    /// # Errors
    /// As [`Batch::open`].
    pub fn batch(&self) -> Result<Batch, MigrationError> {
        Batch::open(&self.path()).map_err(|error| error.about(Path::new("the batch")))
    }
}

async fn write(
    service: &Service,
    mut file: File,
    mut gathered: Vec<u8>,
) -> Result<(File, Vec<u8>), ApiError> {
    let work = move |_store: &_| -> Result<_, std::io::Error> {
        file.write_all(&gathered)?;
        gathered.clear();
        Ok((file, gathered))
    };
    service.blocking(work).await
}

fn require_ndjson(headers: &HeaderMap) -> Result<(), ApiError> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    // Some programs can only send plain text.
    if [NDJSON, "text/plain"].iter().any(|taken| kind.eq_ignore_ascii_case(taken)) {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::NoNdjson,
        "Send the batch file as content-type: application/x-ndjson",
    ))
}

fn too_large(limit: u64) -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        Code::TooLarge,
        format!("A batch file may have {limit} bytes here"),
    )
}

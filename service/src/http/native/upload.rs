//! Receives the files of an operator: a batch, or an export. A file is written to disk as it arrives,
//! so memory does not grow with it, and it is deleted at the end of the request.

use std::fs::File;
use std::io::{Seek as _, Write};
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use futures_util::StreamExt;
use rollbook_application::code::Code;
use rollbook_migrations::MigrationError;
use rollbook_migrations::batch::Batch;
use tempfile::TempDir;

use crate::configuration::Limits;
use crate::http::error::ApiError;
use crate::http::service::Service;

/// The media type of batch files.
pub const NDJSON: &str = "application/x-ndjson";
/// The size of the write buffer, in bytes.
const GATHERED_BYTES: usize = 1 << 20;

/// A kind of files that an operator sends.
pub struct FileKind {
    /// The kind with its article, to begin a sentence.
    name: &'static str,
    media_types: &'static [&'static str],
    /// The refusal of another media type.
    other_type: (Code, &'static str),
    limit: fn(&Limits) -> usize,
}

/// A batch file. Some programs can only send plain text.
const BATCH: FileKind = FileKind {
    name: "A batch file",
    media_types: &[NDJSON, "text/plain"],
    other_type: (Code::NoNdjson, "Send the batch file as content-type: application/x-ndjson"),
    limit: |limits| limits.batch_bytes,
};

/// An export.
pub const EXPORT: FileKind = FileKind {
    name: "An export",
    media_types: &["application/json"],
    other_type: (Code::NoJson, "Send the files of the export as content-type: application/json"),
    limit: |limits| limits.export_bytes,
};

impl FileKind {
    /// Refuses a request by its headers, before its body is read.
    ///
    /// # Errors
    /// 413 above the limit, 415 for another media type.
    pub fn admit(&self, service: &Service, headers: &HeaderMap) -> Result<(), ApiError> {
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !self.media_types.iter().any(|taken| kind.eq_ignore_ascii_case(taken)) {
            let (code, text) = self.other_type;
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code, text));
        }
        let announced = headers
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok())
            .and_then(|length| length.parse::<u64>().ok());
        self.require_small(service, announced.unwrap_or_default())
    }

    fn require_small(&self, service: &Service, bytes: u64) -> Result<(), ApiError> {
        let limit = (self.limit)(&service.settings().limits) as u64;
        if bytes <= limit {
            return Ok(());
        }
        Err(ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            Code::TooLarge,
            format!("{} may have {limit} bytes here", self.name),
        ))
    }

    /// Writes a body to an empty file and returns the file, at its start. `progress` is called with
    /// the number of bytes received so far.
    ///
    /// # Errors
    /// 413 above the limit, 400 if the body ends early, 503 if the file cannot be written.
    pub async fn receive(
        &self,
        service: &Service,
        mut file: File,
        body: Body,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<File, ApiError> {
        let (mut chunks, mut gathered, mut received) = (body.into_data_stream(), Vec::new(), 0_u64);
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_broken| {
                ApiError::bad_request(Code::BadBody, "The body could not be read to its end")
            })?;
            received += chunk.len() as u64;
            self.require_small(service, received)?;
            gathered.extend_from_slice(&chunk);
            if gathered.len() >= GATHERED_BYTES {
                (file, gathered) = write(service, file, gathered).await?;
                progress(received);
            }
        }
        let (mut file, _) = write(service, file, gathered).await?;
        progress(received);
        file.rewind().map_err(|error| ApiError::unavailable(&error))?;
        Ok(file)
    }
}

/// A received batch file.
pub struct Upload {
    directory: TempDir,
}

impl Upload {
    /// Receives a batch file.
    ///
    /// # Errors
    /// 413 above the limit, 415 for another media type, 400 if the body ends early.
    pub async fn receive(
        service: &Service,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Self, ApiError> {
        BATCH.admit(service, headers)?;
        let upload =
            Self { directory: tempfile::tempdir().map_err(|error| ApiError::unavailable(&error))? };
        let file = File::create(upload.path()).map_err(|error| ApiError::unavailable(&error))?;
        BATCH.receive(service, file, body, &|_| {}).await?;
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

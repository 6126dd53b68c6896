//! Reports on imports into a running service.

use rollbook_domain::Timestamp;
use rollbook_migrations::import::ImportReport;
use serde::{Deserialize, Serialize};

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum ImportState {
    /// The export is being received, checked or appended.
    Running,
    /// It ended, and its report is final.
    Done,
    /// It was refused or failed; `error` says why.
    Failed,
    /// The caller or the service went away before its end. Sending the export again resumes it.
    Interrupted,
}

/// Why an import was refused or failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportFailure {
    /// The stable code.
    pub code: String,
    /// The text.
    pub message: String,
}

/// An import into a running service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportProgress {
    /// The id of the import.
    pub id: String,
    /// How far it is.
    pub state: ImportState,
    /// When the request came.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub started_at: Timestamp,
    /// When it ended; null while it runs, and if the service was killed.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub ended_at: Option<Timestamp>,
    /// Whether it only says what an import would do.
    pub dry_run: bool,
    /// The number of bytes of the export that arrived so far.
    pub bytes_received: u64,
    /// The number of documents that were read so far.
    pub documents_read: u64,
    /// The number of planned events whose commits are done.
    pub events_done: u64,
    /// The number of planned events; null until the export is read and checked.
    pub events_planned: Option<u64>,
    /// Why it was refused or failed.
    pub error: Option<ImportFailure>,
    /// The report of an import that is done; null after a restart of the service.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<super::schemas::Import>))]
    pub report: Option<ImportReport>,
}

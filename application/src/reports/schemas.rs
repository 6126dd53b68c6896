//! OpenAPI schemas of types that reports contain and that are defined in crates without OpenAPI.

use serde_json::Value;
use utoipa::ToSchema;

/// A view.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum ViewName {
    /// Weeks generated when someone looks.
    Legacy,
    /// Every week stored as its own assignment.
    Precreated,
}

/// Something that the migration leaves as it is.
#[derive(Debug, ToSchema)]
#[schema(example = json!({"series": "series/ada/weekly", "obstacle": "week-holds-another", "response": "r7", "week": 3}))]
pub struct LeftAsItIs {
    /// The series' stream.
    pub series: String,
    /// Why: `no-week-one`, `no-base-due`, `week-holds-another` or `week-outside`.
    pub obstacle: String,
    /// The response that is not linked.
    #[schema(required = false)]
    pub response: Option<String>,
    /// Its week.
    #[schema(required = false)]
    pub week: Option<u32>,
}

/// One check on record.
#[derive(Debug, ToSchema)]
pub struct RecordedCheck {
    /// Its name.
    pub name: String,
    /// Whether it held.
    pub green: bool,
    /// What was seen, in one line.
    pub detail: String,
}

/// The manifest of a backup.
#[derive(Debug, ToSchema)]
pub struct BackupManifest {
    /// The format's version.
    pub rollbook_backup: u64,
    /// The backup's name when it was made.
    pub name: String,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// The version of the rollbook that made it.
    pub rollbook: String,
    /// The store's id.
    pub store: String,
    /// The store's format.
    pub store_format: u32,
    /// The position of the last event in it.
    pub head: u64,
    /// When that event was recorded.
    #[schema(format = DateTime)]
    pub head_recorded_at: Option<String>,
    /// SHA-256 over the stored bytes of all commits.
    pub log_digest: String,
    /// The root of the Merkle tree over all events, base64.
    pub merkle_root: String,
    /// The rows of every projection: name, version, rows, digest.
    pub projections: Vec<Value>,
    /// Clients, documents by collection, events by name.
    pub counts: Value,
    /// Every file: path, bytes, SHA-256, whether it is shared with an earlier backup.
    pub files: Vec<Value>,
    /// Bytes that no earlier backup had.
    pub bytes_new: u64,
    /// Bytes of files that are shared with earlier backups.
    pub bytes_shared: u64,
}

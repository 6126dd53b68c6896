//! OpenAPI schemas for types in reports that other crates define without OpenAPI.

use serde_json::Value;
use utoipa::ToSchema;

/// The name of a view.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum ViewName {
    /// The legacy view: weeks are generated when the list is read.
    Legacy,
    /// The pre-created view: every week is stored as its own assignment.
    Precreated,
}

/// Something that the migration leaves unchanged.
#[derive(Debug, ToSchema)]
#[schema(example = json!({"series": "series/ada/weekly", "obstacle": "week-holds-another", "response": "r7", "week": 3}))]
pub struct LeftAsItIs {
    /// The stream of the series.
    pub series: String,
    /// The reason: `no-week-one`, `no-base-due`, `week-holds-another`, `week-outside`, `paused`,
    /// `week-doubled`, `reopen-requested`, `due-in-the-past` or `changed-since`.
    pub obstacle: String,
    /// The response that is not linked.
    #[schema(required = false)]
    pub response: Option<String>,
    /// The run that stays as it is, or whose week stays as it is.
    #[schema(required = false)]
    pub run: Option<u32>,
    /// The week of that response, or the week that stays as it is.
    #[schema(required = false)]
    pub week: Option<u32>,
    /// The due date that the week would have.
    #[schema(required = false, format = DateTime)]
    pub due: Option<String>,
}

/// The recorded result of one check.
#[derive(Debug, ToSchema)]
pub struct RecordedCheck {
    /// The name of the check.
    pub name: String,
    /// Whether the check passed.
    pub green: bool,
    /// The result in one line.
    pub detail: String,
}

/// The manifest of a backup.
#[derive(Debug, ToSchema)]
pub struct BackupManifest {
    /// The version of the manifest's format.
    pub rollbook_backup: u64,
    /// The name of the backup at its creation.
    pub name: String,
    /// The time of creation.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// The Rollbook release that created the backup.
    pub rollbook: String,
    /// The id of the store.
    pub store: String,
    /// The format version of the store.
    pub store_format: u32,
    /// The position of the last event in the backup.
    pub head: u64,
    /// The time at which that event was recorded.
    #[schema(format = DateTime)]
    pub head_recorded_at: Option<String>,
    /// SHA-256 over the stored bytes of all commits.
    pub log_digest: String,
    /// The root of the Merkle tree over all events, base64.
    pub merkle_root: String,
    /// Each projection: name, version, number of rows, digest.
    pub projections: Vec<Value>,
    /// The number of clients, of documents by collection, and of events by name.
    pub counts: Value,
    /// Each file: path, size in bytes, SHA-256, and whether it is shared with an earlier backup.
    pub files: Vec<Value>,
    /// The size of the files that no earlier backup has, in bytes.
    pub bytes_new: u64,
    /// The size of the files that are shared with earlier backups, in bytes.
    pub bytes_shared: u64,
}

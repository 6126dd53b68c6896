//! OpenAPI schemas for types in reports that other crates define without OpenAPI.

use std::collections::BTreeMap;

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
    /// `week-doubled`, `reopen-requested`, `due-in-the-past`,
    /// `number-taken`, `number-linked` or `changed-since`.
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

/// The result of an import, or of its dry run.
#[derive(Debug, ToSchema)]
#[schema(example = json!({"dry_run": false, "refused": null, "removals": [], "kept": [], "digest": "3f9a1c…",
    "collections": {"clients": {"imported": 26, "changed": 0, "removed": 0, "unchanged": 0, "kept": 0, "erased": 0}},
    "appended": 127, "legacy_timezone": "UTC", "skipped": {}, "puts": [], "adopted": [], "head": 127}))]
pub struct Import {
    /// Whether this was a dry run: nothing was written.
    pub dry_run: bool,
    /// Why the import is refused without further options; only in a dry run.
    pub refused: Option<String>,
    /// The documents that the export no longer has: those with an answer first.
    pub removals: Vec<RemovedDocument>,
    /// The weeks that the export no longer has and that stay, because they were answered here while
    /// the import ran.
    pub kept: Vec<RemovedDocument>,
    /// SHA-256 over the planned events, in hexadecimal.
    pub digest: String,
    /// What was done with each collection.
    pub collections: BTreeMap<String, ImportedCollection>,
    /// The events that this run appended; in a dry run, those that the import would append.
    pub appended: u64,
    /// The old server's zone, as the store keeps it.
    pub legacy_timezone: String,
    /// The unknown collections that were not imported, with their number of documents.
    pub skipped: BTreeMap<String, u64>,
    /// The documents that a person put into the store and that the export has with another content.
    pub puts: Vec<PutDocument>,
    /// The documents that became weeks which were made before.
    pub adopted: Vec<AdoptedDocument>,
    /// The head of the log after the import.
    pub head: u64,
}

/// A document that an export no longer has.
#[derive(Debug, ToSchema)]
pub struct RemovedDocument {
    /// The collection.
    pub collection: String,
    /// The id.
    pub id: String,
    /// Whether it is a response, or a week with a response.
    pub answered: bool,
}

/// What an import did with the documents of one collection.
#[derive(Debug, ToSchema)]
pub struct ImportedCollection {
    /// New documents.
    pub imported: u64,
    /// Changed documents.
    pub changed: u64,
    /// Documents that are gone or belong to another client or form.
    pub removed: u64,
    /// Documents that the store has already.
    pub unchanged: u64,
    /// Documents that a person put into the store after the export was written. They stay as they
    /// are.
    pub kept: u64,
    /// Documents of erased clients, which are not imported.
    pub erased: u64,
}

/// A document that a person put into the store, and that an export has with another content.
#[derive(Debug, ToSchema)]
pub struct PutDocument {
    /// The collection.
    pub collection: String,
    /// The id.
    pub id: String,
    /// Whether the put stays, because it is not older than the export. Otherwise the document of the
    /// export replaces it.
    pub kept: bool,
}

/// A document that became a week.
#[derive(Debug, ToSchema)]
pub struct AdoptedDocument {
    /// The stream of the series.
    pub series: String,
    /// The week.
    pub week: u32,
    /// The id of the document.
    pub document: String,
    /// The id of the assignment that it became.
    pub assignment: String,
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

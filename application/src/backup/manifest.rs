//! The manifest of a backup: its figures, and the SHA-256 of every file. This module defines the
//! format and checks a manifest against `SHA256SUMS`.
//!
//! Format 1 is one JSON object with names in snake_case. `SHA256SUMS` has a line for every file of
//! the manifest, and one for the manifest itself, in the format of `sha256sum`. It is derived from
//! the manifest, so a change of either file is detected.

use std::collections::BTreeMap;
use std::path::Path;

use rollbook_domain::{Position, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{BackupError, Finding};

/// The current format version.
pub const FORMAT: u64 = 1;
/// The name of the manifest file.
pub const MANIFEST: &str = "manifest.json";
/// The name of the checksum file.
pub const SUMS: &str = "SHA256SUMS";
/// The name of the report file.
pub const REPORT: &str = "REPORT.md";

/// The manifest of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The format version of the manifest.
    pub rollbook_backup: u64,
    /// The name of the backup at its creation.
    pub name: String,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The Rollbook release that created the backup.
    pub rollbook: String,
    /// The id of the store.
    pub store: Uuid,
    /// The format version of the store.
    pub store_format: u32,
    /// The position of the last event in the backup.
    pub head: Position,
    /// The time at which that event was recorded; `None` without events.
    pub head_recorded_at: Option<Timestamp>,
    /// SHA-256 over the stored bytes of all commits: `rollbook_log::Log::digest`.
    pub log_digest: String,
    /// The root of the Merkle tree over all events, base64 as in a checkpoint.
    pub merkle_root: String,
    /// The rows of every projection, folded up to the head.
    pub projections: Vec<ProjectionDigest>,
    /// The number of clients, documents and events.
    pub counts: Counts,
    /// Every file but the manifest and `SHA256SUMS`, in the order of their paths.
    pub files: Vec<FileEntry>,
    /// The size of the files that no earlier backup has, in bytes.
    pub bytes_new: u64,
    /// The size of the files that are shared with earlier backups, in bytes.
    pub bytes_shared: u64,
}

/// The rows of a projection at the head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectionDigest {
    /// The name of the projection.
    pub name: String,
    /// The version of its rows. Rows of different versions cannot be compared.
    pub version: u32,
    /// The number of rows.
    pub rows: u64,
    /// SHA-256 over the rows, in hexadecimal.
    pub digest: String,
}

/// The number of clients, documents and events in a backup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// The number of client documents.
    pub clients: u64,
    /// The number of imported documents, by collection.
    pub documents: BTreeMap<String, u64>,
    /// The number of events, by name.
    pub events: BTreeMap<String, u64>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// The path in the backup, with `/` as the separator.
    pub path: String,
    /// The size in bytes.
    pub bytes: u64,
    /// The SHA-256, in hexadecimal.
    pub sha256: String,
    /// Whether an earlier backup has the same file.
    pub shared: bool,
}

impl Manifest {
    /// Returns the bytes of the manifest file.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        // Serializing texts and numbers cannot fail.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Returns the text of the `SHA256SUMS` file for this manifest.
    pub(super) fn to_sums(&self, own_digest: &str) -> String {
        let mut lines: Vec<(&str, &str)> =
            self.files.iter().map(|file| (file.path.as_str(), file.sha256.as_str())).collect();
        lines.push((MANIFEST, own_digest));
        lines.sort_unstable();
        lines.iter().map(|(path, digest)| format!("{digest}  {path}\n")).collect()
    }

    /// Reads the manifest of a backup. Also returns the SHA-256 of its file.
    ///
    /// # Errors
    /// [`BackupError::Damaged`] if a file is missing or was changed; [`BackupError::Newer`].
    pub(super) fn read(backup: &Path, name: &str) -> Result<(Self, String), BackupError> {
        let damaged = |file: &str, what: String| BackupError::Damaged {
            name: name.to_owned(),
            findings: vec![Finding { file: file.to_owned(), what }],
        };
        let read = |file: &str| {
            std::fs::read(backup.join(file)).map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => damaged(file, "is missing".to_owned()),
                _ => damaged(file, format!("cannot be read: {error}")),
            })
        };
        let bytes = read(MANIFEST)?;
        let format: Format = serde_json::from_slice(&bytes)
            .map_err(|error| damaged(MANIFEST, format!("is no manifest: {error}")))?;
        if format.rollbook_backup > FORMAT {
            return Err(BackupError::Newer {
                name: name.to_owned(),
                found: format.rollbook_backup,
                known: FORMAT,
            });
        }
        let manifest: Self = serde_json::from_slice(&bytes)
            .map_err(|error| damaged(MANIFEST, format!("is no manifest: {error}")))?;
        let digest = const_hex::encode(Sha256::digest(&bytes));
        let sums = read(SUMS)?;
        if sums != manifest.to_sums(&digest).as_bytes() {
            let says = String::from_utf8_lossy(&sums)
                .lines()
                .find_map(|line| line.strip_suffix(MANIFEST).map(|sum| sum.trim() == digest));
            return Err(match says {
                Some(true) => damaged(
                    SUMS,
                    format!("is not what {MANIFEST} says: it was edited or cut short"),
                ),
                _ => damaged(
                    MANIFEST,
                    format!(
                        "is not the file that {SUMS} names: one of the two was edited or cut short"
                    ),
                ),
            });
        }
        Ok((manifest, digest))
    }
}

/// The field that every format has.
#[derive(Deserialize)]
struct Format {
    rollbook_backup: u64,
}

//! The manifest of a backup: its figures, and the SHA-256 of every file. This module has the
//! format, and checks a manifest against `SHA256SUMS`.
//!
//! Format 1, one JSON object, snake_case. `SHA256SUMS` has a line for every file of the manifest
//! and one for the manifest itself, in the form of `sha256sum`; it follows from the manifest, so
//! that an edit of either is seen.

use std::collections::BTreeMap;
use std::path::Path;

use rollbook_domain::{Position, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{BackupError, Finding};

/// The only format so far.
pub const FORMAT: u64 = 1;
/// The manifest's file.
pub const MANIFEST: &str = "manifest.json";
/// The file of checksums.
pub const SUMS: &str = "SHA256SUMS";
/// The report's file.
pub const REPORT: &str = "REPORT.md";

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The format's version.
    pub rollbook_backup: u64,
    /// The backup's name when it was made.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// The version of the rollbook that made it.
    pub rollbook: String,
    /// The store's id.
    pub store: Uuid,
    /// The store's format.
    pub store_format: u32,
    /// The position of the last event in it.
    pub head: Position,
    /// When that was recorded; `None` without events.
    pub head_recorded_at: Option<Timestamp>,
    /// SHA-256 over the stored bytes of all commits, as `rollbook_log::Log::digest` has it.
    pub log_digest: String,
    /// The root of the Merkle tree over all events, in base64 as in a checkpoint.
    pub merkle_root: String,
    /// The rows of every projection, folded up to the head.
    pub projections: Vec<ProjectionDigest>,
    /// What is in it, counted.
    pub counts: Counts,
    /// Every file but the manifest and `SHA256SUMS`, in the order of their paths.
    pub files: Vec<FileEntry>,
    /// Bytes that no earlier backup had.
    pub bytes_new: u64,
    /// Bytes of files that are shared with earlier backups.
    pub bytes_shared: u64,
}

/// The rows of a projection at the head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectionDigest {
    /// Its name.
    pub name: String,
    /// The version of its code; rows of different versions do not compare.
    pub version: u32,
    /// How many rows.
    pub rows: u64,
    /// SHA-256 over them, in hexadecimal.
    pub digest: String,
}

/// Figures for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Client documents.
    pub clients: u64,
    /// Documents that imports hold, by collection.
    pub documents: BTreeMap<String, u64>,
    /// Events by name.
    pub events: BTreeMap<String, u64>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Its path below the backup, with `/`.
    pub path: String,
    /// How large it is.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// Whether an earlier backup had it already.
    pub shared: bool,
}

impl Manifest {
    /// The bytes of the manifest's file.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        // Strings and numbers: nothing that can fail to be written.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// The text of `SHA256SUMS` that goes with it.
    pub(super) fn to_sums(&self, own_digest: &str) -> String {
        let mut lines: Vec<(&str, &str)> =
            self.files.iter().map(|file| (file.path.as_str(), file.sha256.as_str())).collect();
        lines.push((MANIFEST, own_digest));
        lines.sort_unstable();
        lines.iter().map(|(path, digest)| format!("{digest}  {path}\n")).collect()
    }

    /// Reads the manifest of a backup; also the SHA-256 of its file.
    ///
    /// # Errors
    /// [`BackupError::Damaged`] naming the file that is missing or not as it was written;
    /// [`BackupError::Newer`].
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

/// What every format has.
#[derive(Deserialize)]
struct Format {
    rollbook_backup: u64,
}

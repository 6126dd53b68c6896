//! The erasure ledger of a directory of backups: one file per erasure, in `erasures/` beside the
//! backups. A restore reads it and erases the same clients again.
//!
//! A file contains ids and the operator's reason, and no erased content. A damaged file stops a
//! restore, and the error names the file.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rollbook_domain::{Actor, Timestamp};
use rollbook_log::{MasterKeySource, OpenOptions, durable};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::operations::erase::{ErasureRecord, erasures};
use crate::store::{Store, StoreError};

/// The directory in a directory of backups.
pub const ERASURES: &str = "erasures";
/// The only format so far.
const FORMAT: u32 = 1;

/// An error of the erasure ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A file of the ledger cannot be read or written.
    #[error(
        "cannot read or write the erasure ledger: {path}; put the file back from a copy, or check the directory"
    )]
    File {
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The store with the recorded erasures cannot be read, or the restored store cannot be
    /// written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The content of a file. The names and the order of the fields are part of the file format and
/// never change.
#[derive(Serialize, Deserialize)]
struct Entry {
    rollbook_erasure: u32,
    store: Uuid,
    erasure: Uuid,
    client: String,
    ids: Vec<String>,
    reason: String,
    at: Timestamp,
    actor: Actor,
}

/// The file: an entry and its SHA-256.
#[derive(Serialize, Deserialize)]
struct LedgerFile {
    #[serde(flatten)]
    entry: Entry,
    sha256: String,
}

impl From<&ErasureRecord> for Entry {
    fn from(record: &ErasureRecord) -> Self {
        let ErasureRecord { store, erasure, client, ids, reason, at, actor } = record.clone();
        Self { rollbook_erasure: FORMAT, store, erasure, client, ids, reason, at, actor }
    }
}

impl From<Entry> for ErasureRecord {
    fn from(entry: Entry) -> Self {
        let Entry { rollbook_erasure: _, store, erasure, client, ids, reason, at, actor } = entry;
        Self { store, erasure, client, ids, reason, at, actor }
    }
}

fn digest(entry: &Entry) -> String {
    // Serializing texts, numbers and ids cannot fail.
    const_hex::encode(Sha256::digest(serde_json::to_vec(entry).unwrap_or_default()))
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> LedgerError {
    let path = path.to_owned();
    move |source| LedgerError::File { path, source }
}

/// Records every erasure of a store in a directory of backups.
///
/// # Errors
/// If the log cannot be read or the directory cannot be written.
pub fn record(store: &Store, backups: &Path) -> Result<(), LedgerError> {
    erasures(store)?.iter().try_for_each(|record| write(backups, record).map(drop))
}

/// Records the erasures in each of these directories that exists. Returns those directories.
///
/// # Errors
/// As [`record`].
pub fn record_in_existing(
    store: &Store,
    directories: &[PathBuf],
) -> Result<Vec<PathBuf>, LedgerError> {
    let existing: Vec<PathBuf> =
        directories.iter().filter(|directory| directory.is_dir()).cloned().collect();
    existing.iter().try_for_each(|directory| record(store, directory))?;
    Ok(existing)
}

/// Writes one entry and renames it atomically. An existing entry stays.
fn write(backups: &Path, record: &ErasureRecord) -> Result<PathBuf, LedgerError> {
    let directory = backups.join(ERASURES);
    let path = directory.join(format!("{}-{}.json", record.store, record.erasure));
    if path.exists() {
        return Ok(path);
    }
    durable::create_directories(&directory).map_err(failed(&directory))?;
    let entry = Entry::from(record);
    let signed = LedgerFile { sha256: digest(&entry), entry };
    let mut text =
        serde_json::to_vec(&signed).map_err(std::io::Error::from).map_err(failed(&path))?;
    text.push(b'\n');
    durable::write_atomically(&path, 0o666, &text).map_err(failed(&path))?;
    Ok(path)
}

/// Reads every erasure in the ledger of a directory of backups, in the order of file names.
///
/// # Errors
/// If a file cannot be read, or was changed.
pub fn read(backups: &Path) -> Result<Vec<ErasureRecord>, LedgerError> {
    let directory = backups.join(ERASURES);
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed(&directory)(source)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed(&directory))?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(|path| read_one(path)).collect()
}

/// Reads every erasure that a directory records: a store, or a directory of backups. A store is
/// opened with the master key beside it, or else with the given one, because its key may differ
/// from the key of its backups.
///
/// # Errors
/// If the directory does not exist, or its content cannot be read.
pub fn known_to(
    directory: &Path,
    master_key: &MasterKeySource,
) -> Result<Vec<ErasureRecord>, LedgerError> {
    if !directory.join("FORMAT").is_file() {
        fs::read_dir(directory).map_err(failed(directory))?;
        return read(directory);
    }
    let beside = MasterKeySource::beside(directory);
    let master_key =
        if beside.exists() { MasterKeySource::File(beside) } else { master_key.clone() };
    let store = Store::open_with(directory, OpenOptions { master_key, ..OpenOptions::default() })?;
    Ok(erasures(&store)?)
}

fn read_one(path: &Path) -> Result<ErasureRecord, LedgerError> {
    let invalid =
        |what: &str| failed(path)(std::io::Error::new(ErrorKind::InvalidData, what.to_owned()));
    let text = fs::read(path).map_err(failed(path))?;
    let signed: LedgerFile =
        serde_json::from_slice(&text).map_err(|error| invalid(&error.to_string()))?;
    if signed.entry.rollbook_erasure != FORMAT {
        return Err(invalid("it has a format that only a newer rollbook reads"));
    }
    if digest(&signed.entry) != signed.sha256 {
        return Err(invalid("its SHA-256 does not hold: somebody edited it"));
    }
    Ok(signed.entry.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> ErasureRecord {
        ErasureRecord {
            store: Uuid::from_u128(1),
            erasure: Uuid::from_u128(2),
            client: "ada".to_owned(),
            ids: vec!["ada".to_owned(), "uid".to_owned()],
            reason: "asked to be".to_owned(),
            at: Timestamp::EPOCH,
            actor: Actor::Admin("ops".to_owned()),
        }
    }

    #[test]
    fn what_is_written_is_read_back_once_and_an_edited_one_is_refused_by_its_name() {
        let backups = tempfile::tempdir().unwrap();
        assert_eq!(read(backups.path()).unwrap(), []);
        let path = write(backups.path(), &sample()).unwrap();
        assert_eq!(write(backups.path(), &sample()).unwrap(), path);
        assert_eq!(read(backups.path()).unwrap(), [sample()]);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("uid", "uie")).unwrap();
        let refused = read(backups.path()).unwrap_err();
        assert!(refused.to_string().contains(path.to_str().unwrap()), "{refused}");
        let cause = std::error::Error::source(&refused).unwrap().to_string();
        assert!(cause.contains("edited"), "{cause}");
    }
}

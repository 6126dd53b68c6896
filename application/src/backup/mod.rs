//! Backups: copies of a store, each with a manifest, which can be verified and restored. `create`
//! takes one of an open store, `check` and `verify` check one, `restore` makes a store from one,
//! `prune` removes old ones. `erasure_ledger` records erased clients beside the backups.
//!
//! A backup is a directory:
//!
//! | file | what |
//! | --- | --- |
//! | `db/…` | the files of RocksDB, from a checkpoint; files that the previous backup has too are
//! hard links |
//! | files beside the database | see [`attachments`] |
//! | `REPORT.md` | a report for people |
//! | `manifest.json` | see [`manifest`]; written last |
//! | `SHA256SUMS` | the checksums of every file and of the manifest, for `sha256sum -c` |
//!
//! A backup has no `FORMAT` file, so that it cannot be opened as a store and written to.
//!
//! **Invariant: if a directory with a backup's name exists, the backup is complete.** It is built
//! under a name that begins with a dot, synced, and renamed. **Invariant: a damaged file is refused
//! and named**: nothing is restored from a file whose SHA-256 differs from the manifest's.

pub mod attachments;
mod check;
mod copy;
mod create;
pub mod erasure_ledger;
mod error;
mod list;
pub mod manifest;
#[cfg(test)]
mod manifest_golden;
mod name;
mod prune;
mod report;
mod restore;
mod verify;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rollbook_log::{MasterKeySource, durable};

pub use create::{BackupReport, BackupRequest};
pub use error::{BackupError, Finding};
pub use list::{ListedBackup, State};
pub use manifest::Manifest;
pub use prune::PruneReport;
pub use report::size;
pub use restore::RestoreReport;
pub use verify::{BackupVerification, ComparedRows};

/// Receives the progress: the step, and the bytes or events that are done and in total.
pub type Progress<'a> = &'a (dyn Fn(&str, u64, u64) + Sync);

/// A directory of backups.
#[derive(Clone, Debug)]
pub struct Backups {
    directory: PathBuf,
}

impl Backups {
    /// The backups in a directory. The directory need not exist yet.
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// The default directory for the backups of a store: `<data>-backups`, beside it.
    pub fn of(data: &Path) -> Self {
        // `.` and `..` have no name of their own.
        let named = if data.file_name().is_none() { fs::canonicalize(data).ok() } else { None };
        let data = named.as_deref().unwrap_or(data);
        let mut name = data.file_name().unwrap_or(data.as_os_str()).to_owned();
        name.push("-backups");
        Self { directory: data.with_file_name(name) }
    }

    /// Returns the default source of a backup's master key: beside the target of the restore, or
    /// else beside the store that the directory of backups is named after.
    fn master_key(&self, named: &MasterKeySource, data: &Path) -> MasterKeySource {
        if !matches!(named, MasterKeySource::Beside) || MasterKeySource::beside(data).exists() {
            return match named {
                MasterKeySource::Beside => MasterKeySource::File(MasterKeySource::beside(data)),
                named => named.clone(),
            };
        }
        MasterKeySource::File(MasterKeySource::beside(
            self.store_beside().as_deref().unwrap_or(data),
        ))
    }

    /// Returns the path of the store that the directory is named after. The store may not exist.
    fn store_beside(&self) -> Option<PathBuf> {
        let whole = fs::canonicalize(&self.directory).unwrap_or_else(|_| self.directory.clone());
        let name = whole.file_name()?.to_string_lossy().into_owned();
        Some(whole.with_file_name(name.strip_suffix("-backups")?))
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the directory of the backup with a name.
    ///
    /// # Errors
    /// If the name is invalid, or no backup has it.
    fn existing(&self, name: &str) -> Result<PathBuf, BackupError> {
        name::require(name)?;
        let path = self.directory.join(name);
        if path.is_dir() {
            Ok(path)
        } else {
            Err(BackupError::Unknown { name: name.to_owned(), directory: self.directory.clone() })
        }
    }

    /// Takes the lock for creating or removing backups.
    fn lock_to_write(&self) -> Result<File, BackupError> {
        durable::create_directories(&self.directory)
            .map_err(BackupError::file("make", &self.directory))?;
        let path = self.directory.join(LOCK);
        let opened =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = opened.map_err(BackupError::file("write", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => {
                Err(BackupError::Busy { directory: self.directory.clone() })
            }
            Err(TryLockError::Error(source)) => Err(BackupError::file("lock", &path)(source)),
        }
    }

    /// Takes the lock for reading a backup, so that nobody removes it meanwhile. `None` on a
    /// read-only disk, where no lock is needed.
    fn lock_to_read(&self) -> Result<Option<File>, BackupError> {
        let path = self.directory.join(LOCK);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(BackupError::file("read", &path)(source)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => {
                Err(BackupError::Busy { directory: self.directory.clone() })
            }
            Err(TryLockError::Error(source)) => Err(BackupError::file("lock", &path)(source)),
        }
    }
}

/// The name of the lock file.
const LOCK: &str = "LOCK";

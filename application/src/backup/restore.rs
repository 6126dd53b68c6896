//! Restores a backup as a store. The store is built in a temporary directory and renamed. Only
//! files that match the manifest are used. Clients who were erased after the backup are erased
//! before the store appears.

use std::fs;
use std::path::{Path, PathBuf};

use rollbook_domain::Position;
use rollbook_log::{Log, LogError, MasterKeySource, OpenOptions, StagedDirectory};
use serde::Serialize;

use super::erasure_ledger::{self, LedgerError};
use super::manifest::{Manifest, REPORT};
use super::{BackupError, Backups, Progress, check, copy};
use crate::operations::erase::{ErasureRecord, erase_again};
use crate::store::Store;

/// A restored store.
#[derive(Clone, Debug, Serialize)]
pub struct RestoreReport {
    /// The name of the backup.
    pub name: String,
    /// The directory of the store.
    pub data: String,
    /// The head of the log.
    pub head: Position,
    /// The number of copied bytes.
    pub bytes: u64,
    /// The copy of the master key beside the store, if the caller named no key.
    pub master_key: Option<PathBuf>,
    /// The number of clients who were erased after the backup and are erased in the store too.
    pub forgotten_again: u64,
}

impl Backups {
    /// Restores a backup into a new directory. Clients who were erased after the backup are erased
    /// before the store appears. The erasures come from this directory, the store beside it, and
    /// `erasures` (directories of stores or of backups).
    ///
    /// # Errors
    /// If a file of the backup differs from the manifest, the directory exists, or a file cannot be
    /// written. Then there is no store.
    pub fn restore(
        &self,
        name: &str,
        data: &Path,
        master_key: &MasterKeySource,
        erasures: &[PathBuf],
        progress: Progress<'_>,
    ) -> Result<RestoreReport, BackupError> {
        let path = self.existing(name)?;
        let _not_taken_away = self.lock_to_read()?;
        let (manifest, _) = Manifest::read(&path, name)?;
        check::lengths(&path, &manifest)?;
        let beside = StagedDirectory::begin(data)?;
        let key = self.master_key(master_key, data);
        let (log, bytes) = build(&path, &manifest, beside.path(), &key, progress)?;
        let sealed = log.sealing().sealed;
        // Close the log before its directory is renamed.
        drop(log);
        let forgotten_again = self
            .forget_again(beside.path(), &key, erasures, progress)
            .map_err(|error| BackupError::Forget(Box::new(error)))?;
        // If the caller named no key, the key is copied beside the restored store. It is written
        // first, so the store never exists without its key.
        let is_unnamed = sealed && matches!(master_key, MasterKeySource::Beside);
        let master_key =
            if is_unnamed { key.copy_beside(data).map_err(LogError::from)? } else { None };
        beside.publish()?;
        Ok(RestoreReport {
            name: name.to_owned(),
            data: data.display().to_string(),
            head: manifest.head,
            bytes,
            master_key,
            forgotten_again,
        })
    }
}

impl Backups {
    /// Erases the clients in the ledger of this directory, of the store beside it, and of `erasures`.
    fn forget_again(
        &self,
        restored: &Path,
        key: &MasterKeySource,
        erasures: &[PathBuf],
        progress: Progress<'_>,
    ) -> Result<u64, LedgerError> {
        let mut records = erasure_ledger::read(&self.directory)?;
        records.extend(self.store_beside().map(|old| erased_in(&old, key)).unwrap_or_default());
        for directory in erasures {
            records.extend(erasure_ledger::known_to(directory, key)?);
        }
        let store = Store::open_with(
            restored,
            OpenOptions { master_key: key.clone(), ..OpenOptions::default() },
        )?;
        let count =
            erase_again(&store, &records, &|done, of| progress("forgetting again", done, of))?;
        Ok(count)
    }
}

/// Returns the recorded erasures of a store; none if the store cannot be opened, because it may be
/// in use or be the reason for the restore. The directory's ledger has what it erased while the
/// directory existed.
fn erased_in(old: &Path, key: &MasterKeySource) -> Vec<ErasureRecord> {
    erasure_ledger::known_to(old, key).unwrap_or_default()
}

/// Copies the files of a backup into an empty directory and opens it as a store. Also returns the
/// number of copied bytes.
pub(super) fn build(
    backup: &Path,
    manifest: &Manifest,
    to: &Path,
    master_key: &MasterKeySource,
    progress: Progress<'_>,
) -> Result<(Log, u64), BackupError> {
    let of_the_store = || manifest.files.iter().filter(|file| file.path != REPORT);
    let all: u64 = of_the_store().map(|file| file.bytes).sum();
    let mut done = 0;
    for file in of_the_store() {
        let target = to.join(&file.path);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(BackupError::file("make", parent))?;
        }
        let content = copy::copy(&backup.join(&file.path), &target)?;
        if let Some(finding) = check::compare(file, &content) {
            return Err(BackupError::Damaged {
                name: manifest.name.clone(),
                findings: vec![finding],
            });
        }
        done += content.bytes;
        progress("copying files", done, all);
    }
    Log::found(to)?;
    let log =
        Log::open(to, OpenOptions { master_key: master_key.clone(), ..OpenOptions::default() })?;
    if (log.store_id(), log.head()) != (manifest.store, manifest.head) {
        let what = format!(
            "store {} with head {} instead of {} with {}",
            log.store_id(),
            log.head(),
            manifest.store,
            manifest.head
        );
        return Err(BackupError::Differs { name: manifest.name.clone(), what });
    }
    Ok((log, done))
}

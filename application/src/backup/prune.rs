//! Removes old backups. A backup is renamed before its files are removed, so a partly removed
//! backup is never taken for a backup.

use std::fs;
use std::path::Path;

use rollbook_log::durable;
use serde::Serialize;

use super::{BackupError, Backups, State};

/// The result of pruning.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PruneReport {
    /// The remaining backups, newest first.
    pub kept: Vec<String>,
    /// The removed backups.
    pub removed: Vec<String>,
    /// The damaged backups. They are neither counted nor removed.
    pub damaged: Vec<String>,
    /// The removed leftovers of killed runs.
    pub leftovers: Vec<String>,
}

/// The suffix of a directory that is being built, see [`rollbook_log::StagedDirectory`].
const BUILDING: &str = ".building";
/// The prefix of a backup that is being removed.
const REMOVED: &str = ".removed-";

impl Backups {
    /// Keeps the newest `keep` complete backups. Removes older complete ones, and leftovers of
    /// killed runs.
    ///
    /// # Errors
    /// If another process works in the directory, or it cannot be read or written.
    pub fn prune(&self, keep: usize) -> Result<PruneReport, BackupError> {
        if !self.directory.exists() {
            return Ok(PruneReport::default());
        }
        let _nobody_else = self.lock_to_write()?;
        let mut pruned =
            PruneReport { leftovers: self.clear_leftovers()?, ..PruneReport::default() };
        pruned.damaged = self
            .list()?
            .into_iter()
            .filter(|listed| listed.state == State::Damaged)
            .map(|listed| listed.name)
            .collect();
        for (place, (name, _)) in self.whole()?.into_iter().enumerate() {
            if place < keep {
                pruned.kept.push(name);
            } else {
                // After this rename it is no longer a backup.
                let hidden = self.directory.join(format!("{REMOVED}{name}"));
                let path = self.directory.join(&name);
                durable::rename(&path, &hidden).map_err(BackupError::file("remove", &path))?;
                remove(&hidden)?;
                pruned.removed.push(name);
            }
        }
        Ok(pruned)
    }

    /// Removes incomplete and partly removed backups. The caller holds the lock.
    pub(super) fn clear_leftovers(&self) -> Result<Vec<String>, BackupError> {
        let mut cleared = Vec::new();
        for entry in
            fs::read_dir(&self.directory).map_err(BackupError::file("read", &self.directory))?
        {
            let entry = entry.map_err(BackupError::file("read", &self.directory))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(REMOVED) || (name.starts_with('.') && name.ends_with(BUILDING)) {
                remove(&entry.path())?;
                cleared.push(name);
            }
        }
        Ok(cleared)
    }
}

fn remove(path: &Path) -> Result<(), BackupError> {
    fs::remove_dir_all(path).map_err(BackupError::file("remove", path))
}

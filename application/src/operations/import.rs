//! Imports into a store that is open for others: one at a time, each with a record of how far it
//! is. The migrations crate does the work.
//!
//! The records are in a file in the store's directory, so that they outlive the process: an import
//! that still runs according to the file was interrupted. They have no content of documents. An
//! interrupted import needs no clean-up: the same export, sent again, appends what is missing.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rollbook_domain::Timestamp;
use rollbook_log::durable;
use rollbook_migrations::MigrationError;
use rollbook_migrations::export_reader::{Export, ImportError, read_texts};
use rollbook_migrations::import::{self, ImportOptions, ImportReport};
use rollbook_migrations::monitor::Monitor;
use uuid::Uuid;

use crate::reports::imports::{ImportFailure, ImportProgress, ImportState};
use crate::store::Store;

/// The file of the records, in the store's directory.
const FILE: &str = "imports.json";
/// Only the owner may read it.
const MODE: u32 = 0o600;
/// The number of imports that are on record.
const KEPT: usize = 20;

/// Why an import did not start, or failed.
#[derive(Debug, thiserror::Error)]
pub enum ImportsError {
    /// Another import runs in this store.
    #[error("import {id} is running; one import runs at a time")]
    Running {
        /// The id of the import that runs.
        id: String,
    },
    /// The record of an import cannot be written.
    #[error("cannot write the record of the import")]
    Record(#[source] std::io::Error),
    /// The export cannot be read, failed or is incomplete.
    #[error(transparent)]
    Export(#[from] ImportError),
    /// The export cannot be imported.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

/// The imports into one store, oldest first.
#[derive(Debug)]
pub struct Imports {
    file: PathBuf,
    records: Mutex<Vec<ImportProgress>>,
}

impl Imports {
    /// The imports on record in a store's directory, which is not changed. If the file of the
    /// records cannot be read, there are none, and the error is returned for a warning: nothing
    /// depends on them, and the next import replaces the file.
    pub fn of(directory: &Path) -> (Self, Option<std::io::Error>) {
        let file = directory.join(FILE);
        let read = std::fs::read(&file).and_then(|text| Ok(serde_json::from_slice(&text)?));
        let (mut records, unreadable): (Vec<ImportProgress>, _) = match read {
            Ok(records) => (records, None),
            Err(none) if none.kind() == std::io::ErrorKind::NotFound => (Vec::new(), None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let running = records.iter_mut().filter(|record| record.state == ImportState::Running);
        running.for_each(|record| record.state = ImportState::Interrupted);
        (Self { file, records: Mutex::new(records) }, unreadable)
    }

    /// The imports on record, newest first.
    pub fn list(&self) -> Vec<ImportProgress> {
        self.records.lock().iter().rev().cloned().collect()
    }

    /// An import by its id.
    pub fn get(&self, id: &str) -> Option<ImportProgress> {
        self.records.lock().iter().find(|record| record.id == id).cloned()
    }

    /// Records the start of an import, unless another one runs.
    ///
    /// # Errors
    /// [`ImportsError::Running`]; [`ImportsError::Record`] if the record cannot be
    /// written.
    pub fn begin(
        self: &Arc<Self>,
        now: Timestamp,
        dry_run: bool,
    ) -> Result<RunningImport, ImportsError> {
        let mut records = self.records.lock();
        if let Some(running) = records.iter().find(|record| record.state == ImportState::Running) {
            return Err(ImportsError::Running { id: running.id.clone() });
        }
        let id = Uuid::now_v7().to_string();
        let mut begun = records.clone();
        begun.push(ImportProgress {
            id: id.clone(),
            state: ImportState::Running,
            started_at: now,
            ended_at: None,
            dry_run,
            bytes_received: 0,
            documents_read: 0,
            events_done: 0,
            events_planned: None,
            error: None,
            report: None,
        });
        let excess = begun.len().saturating_sub(KEPT);
        begun.drain(..excess);
        self.write(&begun).map_err(ImportsError::Record)?;
        *records = begun;
        Ok(RunningImport { imports: self.clone(), id })
    }

    /// Writes the records without the reports, which name documents and can be long.
    fn write(&self, records: &[ImportProgress]) -> std::io::Result<()> {
        let without_reports: Vec<ImportProgress> = records
            .iter()
            .map(|record| ImportProgress { report: None, ..record.clone() })
            .collect();
        let text = serde_json::to_vec(&without_reports)?;
        durable::write_atomically(&self.file, MODE, &text)
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut ImportProgress)) {
        if let Some(record) = self.records.lock().iter_mut().find(|record| record.id == id) {
            change(record);
        }
    }
}

/// An import that runs. If it is dropped before its end, it was interrupted.
#[derive(Debug)]
pub struct RunningImport {
    imports: Arc<Imports>,
    id: String,
}

impl RunningImport {
    /// The id of the import.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Records how much of the export has arrived.
    pub fn received(&self, bytes: u64) {
        self.imports.change(&self.id, |record| record.bytes_received = bytes);
    }

    /// Reads and checks the export: the texts of its files, one after another.
    ///
    /// # Errors
    /// As [`read_texts`].
    pub fn read(&self, texts: impl Read, skip_unknown: bool) -> Result<Export, ImportsError> {
        let progress = |read| self.imports.change(&self.id, |record| record.documents_read = read);
        Ok(read_texts(texts, skip_unknown, &progress)?)
    }

    /// Imports the export while others write.
    ///
    /// # Errors
    /// As [`import::import`].
    pub fn import(
        &self,
        store: &Store,
        export: Export,
        options: &ImportOptions,
        watch: &Monitor<'_>,
    ) -> Result<ImportReport, ImportsError> {
        let progress = |done, planned| {
            self.imports.change(&self.id, |record| {
                record.events_done = done;
                record.events_planned = Some(planned);
            });
            (watch.progress)(done, planned);
        };
        let monitor = Monitor { progress: &progress, interrupted: watch.interrupted };
        Ok(import::import(store.runtime(), export, options, &monitor)?)
    }

    /// Records the end. The record in memory counts if the file cannot be written: after a restart
    /// the import is then interrupted, and sending the export again does no harm.
    pub fn end(self, now: Timestamp, result: Result<ImportReport, ImportFailure>) {
        self.imports.change(&self.id, |record| {
            record.ended_at = Some(now);
            match result {
                Ok(report) => {
                    record.state = ImportState::Done;
                    record.report = Some(report);
                }
                Err(error) => {
                    record.state = ImportState::Failed;
                    record.error = Some(error);
                }
            }
        });
    }
}

impl Drop for RunningImport {
    fn drop(&mut self) {
        self.imports.change(&self.id, |record| {
            if record.state == ImportState::Running {
                record.state = ImportState::Interrupted;
            }
        });
        let records = self.imports.records.lock();
        // See `end`.
        let _unwritten = self.imports.write(&records);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imports(directory: &Path) -> Arc<Imports> {
        let (imports, unreadable) = Imports::of(directory);
        assert!(unreadable.is_none(), "{unreadable:?}");
        Arc::new(imports)
    }

    fn states(imports: &Imports) -> Vec<ImportState> {
        imports.list().iter().map(|record| record.state).collect()
    }

    #[test]
    fn one_import_runs_at_a_time_and_the_end_of_each_is_on_record() {
        let home = tempfile::tempdir().unwrap();
        let all = imports(home.path());
        let first = all.begin(Timestamp::EPOCH, false).unwrap();
        let refused = all.begin(Timestamp::EPOCH, false).unwrap_err();
        assert!(matches!(refused, ImportsError::Running { id } if id == first.id()));
        let failure = ImportFailure { code: "import".to_owned(), message: "no".to_owned() };
        first.end(Timestamp::EPOCH, Err(failure.clone()));
        drop(all.begin(Timestamp::EPOCH, true).unwrap());
        let _killed = std::mem::ManuallyDrop::new(all.begin(Timestamp::EPOCH, false).unwrap());
        let running = [ImportState::Running, ImportState::Interrupted, ImportState::Failed];
        assert_eq!(states(&all), running);
        let after = imports(home.path());
        let killed = [ImportState::Interrupted, ImportState::Interrupted, ImportState::Failed];
        assert_eq!(states(&after), killed);
        assert_eq!(after.list()[2].error, Some(failure));
        assert!(after.begin(Timestamp::EPOCH, false).is_ok());
    }

    #[test]
    fn the_newest_records_stay_and_a_damaged_file_is_told() {
        let home = tempfile::tempdir().unwrap();
        let all = imports(home.path());
        let begun: Vec<String> = (0..=KEPT)
            .map(|_| all.begin(Timestamp::EPOCH, true).unwrap().id().to_owned())
            .collect();
        assert_eq!(all.list().len(), KEPT);
        assert!(all.get(&begun[0]).is_none() && all.get(&begun[KEPT]).is_some());
        std::fs::write(home.path().join(FILE), "{").unwrap();
        let (none, unreadable) = Imports::of(home.path());
        assert_eq!(none.list(), []);
        assert!(unreadable.is_some());
    }
}

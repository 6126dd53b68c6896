//! Takes a backup of an open store while reads and writes continue. The steps, in order:
//!
//! 1. Take a checkpoint of the database in the store's directory. Its table files are hard links.
//! 2. Copy its files into the backup and compute their SHA-256. Hard-link the files that the
//!    previous backup has.
//! 3. Open the checkpoint as a store, fold it up to its head, and read head, digests and counts
//!    from it.
//! 4. Write the report, `SHA256SUMS` and, last, the manifest. Sync everything and rename the
//!    directory to the backup's name.
//! 5. Append `BackupTaken` to the control stream, with the SHA-256 of the manifest as its cause.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::TryLockError;

use rollbook_domain::{Actor, Event, NewEvent, Position, StreamId, Timestamp};
use rollbook_log::{Commit, Log, LogError, OpenOptions, StagedDirectory, durable};
use rollbook_projections::Runtime;
use rollbook_projections::directory::{self, Directory};
use rollbook_projections::rows::RowSource;
use rollbook_projections::tracker::{self, Tracker};
use rollbook_projections::tree::{self, Tree};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::manifest::{
    Counts, FORMAT, FileEntry, MANIFEST, Manifest, ProjectionDigest, REPORT, SUMS,
};
use super::{BackupError, Backups, Progress, attachments, copy, erasure_ledger, name, report};
use crate::store::Store;

/// The options of a new backup.
#[derive(Clone, Debug)]
pub struct BackupRequest {
    /// The name; `None` for `pre-migration-YYYYMMDD_HHMMSS` of `now` in UTC.
    pub name: Option<String>,
    /// Who takes the backup.
    pub actor: Actor,
    /// The current time.
    pub now: Timestamp,
}

/// A new backup.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = TakenBackup))]
pub struct BackupReport {
    /// The name of the backup.
    pub name: String,
    /// The directory of the backup.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub directory: PathBuf,
    /// SHA-256 of the manifest. The store records it.
    pub manifest_digest: String,
    /// The position of the `BackupTaken` event, which is after the backup's head.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub position: Position,
    /// The manifest of the backup.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::reports::schemas::BackupManifest))]
    pub manifest: Manifest,
}

/// The name of the checkpoint's directory in the store's directory while a backup is taken.
const CHECKPOINT: &str = ".backup-in-progress";

impl Store {
    /// Takes a backup of every commit that is acknowledged before this call, and possibly of some
    /// later ones. Reads and writes continue. One backup runs at a time.
    ///
    /// # Errors
    /// If the name is taken, the store is damaged, or a file cannot be written. Then there is no
    /// backup, except after [`BackupError::NotRecorded`].
    pub fn back_up(
        &self,
        backups: &Backups,
        wanted: &BackupRequest,
        progress: Progress<'_>,
    ) -> Result<BackupReport, BackupError> {
        let _nobody_else = backups.lock_to_write()?;
        let _no_other = match self.backup_lock().try_lock() {
            Ok(guard) => guard,
            // The files of a run that panicked are removed below.
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(BackupError::Busy { directory: backups.directory().to_owned() });
            }
        };
        backups.clear_leftovers()?;
        let name = free_name(backups, wanted)?;
        let beside = StagedDirectory::begin(&backups.directory().join(&name))?;
        // Events that are folded here need not be folded again in the checkpoint.
        self.runtime().catch_up(&|done, of| progress("folding", done, of))?;
        let checkpoint = Checkpoint::of(self)?;
        let files = copy_files(backups, self, &checkpoint.0, beside.path(), progress)?;
        let options = OpenOptions { master_key: self.log().master_key(), ..OpenOptions::default() };
        let manifest = manifest(&name, wanted.now, (&checkpoint.0, options), files, progress)?;
        let (manifest, manifest_digest) = write_manifest(manifest, beside.path())?;
        drop(checkpoint);
        // Write the ledger before the backup appears, so a restore erases every client that is
        // erased by now.
        erasure_ledger::record(self, backups.directory())
            .map_err(|error| BackupError::Forget(Box::new(error)))?;
        beside.publish()?;
        let position = self.record(&manifest, &manifest_digest, wanted)?;
        Ok(BackupReport {
            directory: backups.directory().join(&name),
            name,
            manifest_digest,
            position,
            manifest,
        })
    }

    fn record(
        &self,
        manifest: &Manifest,
        digest: &str,
        wanted: &BackupRequest,
    ) -> Result<Position, BackupError> {
        let event = Event::BackupTaken { name: manifest.name.clone(), at: manifest.head };
        let events =
            vec![NewEvent { stream: StreamId::Control, id: None, occurred_at: wanted.now, event }];
        let commit = Commit {
            events,
            expected: Vec::new(),
            actor: wanted.actor.clone(),
            cause: digest.to_owned(),
            key: None,
        };
        let not_recorded = |source| BackupError::NotRecorded {
            name: manifest.name.clone(),
            head: manifest.head,
            source,
        };
        Ok(self.ordering().append(commit).map_err(not_recorded)?.last)
    }
}

/// Returns the requested name, or a name made from the time. A second backup in the same second
/// gets a number.
fn free_name(backups: &Backups, wanted: &BackupRequest) -> Result<String, BackupError> {
    let is_free = |name: &str| backups.directory().join(name).symlink_metadata().is_err();
    if let Some(given) = &wanted.name {
        name::require(given)?;
        let taken = || BackupError::NameTaken {
            name: given.clone(),
            directory: backups.directory().to_owned(),
        };
        return if is_free(given) { Ok(given.clone()) } else { Err(taken()) };
    }
    let instant = name::of_instant(wanted.now);
    let numbered = (2..).map(|number: u32| format!("{instant}-{number}"));
    let mut names = std::iter::once(instant.clone()).chain(numbered);
    Ok(names.find(|name| is_free(name)).unwrap_or(instant))
}

/// A checkpoint of the database in the store's directory. Dropping it deletes the directory.
struct Checkpoint(PathBuf);

impl Checkpoint {
    fn of(store: &Store) -> Result<Self, BackupError> {
        let path = store.directory().join(CHECKPOINT);
        // A killed process may have left a checkpoint.
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(BackupError::file("remove", &path)(error));
            }
            _ => {}
        }
        fs::create_dir(&path).map_err(BackupError::file("make", &path))?;
        let checkpoint = Self(path);
        store.log().checkpoint(&checkpoint.0)?;
        Ok(checkpoint)
    }
}

impl Drop for Checkpoint {
    fn drop(&mut self) {
        // The next backup removes what is left.
        let _left = fs::remove_dir_all(&self.0);
    }
}

/// The files of the latest backup of the same store, by path.
struct Earlier {
    backup: PathBuf,
    files: HashMap<String, FileEntry>,
}

impl Earlier {
    fn find(backups: &Backups, store: Uuid) -> Result<Option<Self>, BackupError> {
        let latest = backups.whole()?.into_iter().find(|(_, manifest)| manifest.store == store);
        Ok(latest.map(|(name, manifest)| Self {
            backup: backups.directory().join(name),
            files: manifest.files.into_iter().map(|file| (file.path.clone(), file)).collect(),
        }))
    }

    /// Hard-links a file of the new backup to the same file of this one. It reads both, so that
    /// damage does not spread.
    fn share(
        &self,
        from: &Path,
        path: &str,
        to: &Path,
    ) -> Result<Option<copy::Content>, BackupError> {
        let Some(held) = self.files.get(path) else { return Ok(None) };
        let size = fs::metadata(from).map_err(BackupError::file("read", from))?.len();
        if size != held.bytes {
            return Ok(None);
        }
        let content = copy::content(from)?;
        let mine = self.backup.join(path);
        let is_same = content.sha256 == held.sha256 && copy::content(&mine)? == content;
        Ok((is_same && copy::share(&mine, to)).then_some(content))
    }
}

fn copy_files(
    backups: &Backups,
    store: &Store,
    checkpoint: &Path,
    to: &Path,
    progress: Progress<'_>,
) -> Result<Vec<FileEntry>, BackupError> {
    let earlier = Earlier::find(backups, store.log().store_id())?;
    let db = checkpoint.join("db");
    let mut sources = Vec::new();
    for entry in fs::read_dir(&db).map_err(BackupError::file("read", &db))? {
        let entry = entry.map_err(BackupError::file("read", &db))?;
        sources.push((format!("db/{}", entry.file_name().to_string_lossy()), entry.path()));
    }
    // Take these files from the checkpoint, so that they match its database.
    let attached =
        attachments::NAMES.iter().map(|name| ((*name).to_owned(), checkpoint.join(name)));
    sources.extend(attached.filter(|(_, path)| path.is_file()));
    sources.sort();
    fs::create_dir(to.join("db")).map_err(BackupError::file("make", to))?;
    let (mut files, all) = (Vec::with_capacity(sources.len()), sources.len() as u64);
    for (path, source) in sources {
        let target = to.join(&path);
        let shared = match &earlier {
            Some(earlier) if path.ends_with(".sst") => earlier.share(&source, &path, &target)?,
            _ => None,
        };
        let is_shared = shared.is_some();
        let content = shared.map_or_else(|| copy::copy(&source, &target), Ok)?;
        files.push(FileEntry {
            path,
            bytes: content.bytes,
            sha256: content.sha256,
            shared: is_shared,
        });
        progress("copying files", files.len() as u64, all);
    }
    Ok(files)
}

/// Opens the checkpoint as a store, folds it up to its head, and builds the manifest.
fn manifest(
    name: &str,
    now: Timestamp,
    (checkpoint, options): (&Path, OpenOptions),
    files: Vec<FileEntry>,
    progress: Progress<'_>,
) -> Result<Manifest, BackupError> {
    let unsound = |error: LogError| match error {
        LogError::Corrupt(_) | LogError::DamagedFile { .. } => BackupError::UnsoundStore(error),
        other => other.into(),
    };
    Log::found(checkpoint)?;
    let log = Log::open(checkpoint, options).map_err(unsound)?;
    let runtime = Runtime::new(log, rollbook_projections::all());
    let head = runtime.catch_up(&|done, of| progress("folding the backup", done, of))?;
    let mut projections = Vec::new();
    for projection in rollbook_projections::all() {
        let (rows, digest) = runtime.digest(projection.name())?;
        projections.push(ProjectionDigest {
            name: projection.name().to_string(),
            version: projection.version(),
            rows,
            digest,
        });
    }
    let sum =
        |shared| files.iter().filter(|file| file.shared == shared).map(|file| file.bytes).sum();
    Ok(Manifest {
        rollbook_backup: FORMAT,
        name: name.to_owned(),
        created_at: now,
        rollbook: env!("CARGO_PKG_VERSION").to_owned(),
        store: runtime.log().store_id(),
        store_format: Log::FORMAT,
        head,
        head_recorded_at: runtime.log().at(head)?.map(|last| last.recorded_at),
        log_digest: const_hex::encode(runtime.log().digest(head).map_err(unsound)?),
        merkle_root: merkle_root(&runtime, head)?,
        projections,
        counts: counts(&runtime)?,
        bytes_new: sum(false),
        bytes_shared: sum(true),
        files,
    })
}

/// Returns the root of the Merkle tree over all events of a folded store.
pub(super) fn merkle_root(runtime: &Runtime, head: Position) -> Result<String, BackupError> {
    let snapshot = runtime.snapshot()?;
    let (rows, _) = snapshot.rows::<Tree>()?;
    Ok(tree::head_at(&rows, head)?.root.to_string())
}

fn counts(runtime: &Runtime) -> Result<Counts, BackupError> {
    let snapshot = runtime.snapshot()?;
    let (rows, _) = snapshot.rows::<Tracker>()?;
    let tracker::Counts { events, documents, .. } = tracker::counts(&rows)?;
    let mut clients = 0;
    snapshot.rows::<Directory>()?.0.scan(directory::keys::ALL_CLIENTS, &mut |_, _| {
        clients += 1;
        Ok(())
    })?;
    Ok(Counts { clients, documents, events })
}

/// Writes the report, the checksums and the manifest, in this order, so that a directory with a
/// manifest is complete.
fn write_manifest(mut manifest: Manifest, to: &Path) -> Result<(Manifest, String), BackupError> {
    let content = copy::write(&to.join(REPORT), report::markdown(&manifest).as_bytes())?;
    manifest.bytes_new += content.bytes;
    manifest.files.push(FileEntry {
        path: REPORT.to_owned(),
        bytes: content.bytes,
        sha256: content.sha256,
        shared: false,
    });
    manifest.files.sort_by(|a, b| a.path.cmp(&b.path));
    let partial = to.join(format!("{MANIFEST}.partial"));
    let written = copy::write(&partial, &manifest.to_bytes())?;
    copy::write(&to.join(SUMS), manifest.to_sums(&written.sha256).as_bytes())?;
    let path = to.join(MANIFEST);
    durable::rename(&partial, &path).map_err(BackupError::file("write", &path))?;
    Ok((manifest, written.sha256))
}

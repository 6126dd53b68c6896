//! Faults for tests: a sync that fails once, and a power cut. Only with the feature
//! `fault-injection`.
//!
//! A test watches a directory with [`Faults::watch`]. Every sync point of the log below that
//! directory (the database's syncs and every call in `durable`) is then counted from 1. A [`Plan`]
//! fails one of them, or cuts the power at one:
//!
//! - The sync does not happen, it returns an error, and so does every later one.
//! - [`Faults::lay`] writes what is left after the cut into a new directory, to be opened from
//!   there.
//!
//! `disk` models the disk. A file has the bytes that it had at its last sync, a directory the
//! entries that it had at its last sync. RocksDB opens its files itself, so its syncs cannot be
//! intercepted one by one. Its directory instead has the state of the last sync that the log asked
//! RocksDB for, a state in which RocksDB had nothing unsynced. Writes after that sync are missing
//! completely.
//!
//! A real disk may also keep a part of what was not synced. [`Survivors`] selects the extremes:
//! nothing unsynced survives, only the database's writes survive, or only the writes to the files
//! around it do.

mod disk;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::sync_kind::SyncKind;
use disk::Disk;

/// What goes wrong, and at which sync point. Points are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Nothing: the points are only counted.
    Count,
    /// The sync with this number fails; later ones work again.
    FailOnce(usize),
    /// The power is cut just before the sync with this number.
    CutAt(usize),
}

/// Which unsynced writes a power cut leaves on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survivors {
    /// None.
    SyncedOnly,
    /// Those of the database, the directory `db`. The files around it lose theirs.
    Database,
    /// Those of all files except the database, which loses its own.
    Files,
}

/// A sync that was attempted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncPoint {
    /// What it makes durable.
    pub kind: SyncKind,
    /// Its path, relative to the watched directory.
    pub path: PathBuf,
}

/// Watches the syncs below a directory, until it is dropped.
pub struct Faults {
    watch: Arc<Watch>,
}

struct Watch {
    root: PathBuf,
    plan: Plan,
    state: Mutex<State>,
}

struct State {
    points: Vec<SyncPoint>,
    struck: bool,
    /// What is durable.
    synced: Disk,
    /// What was written when the power was cut.
    written: Option<Disk>,
}

static WATCHES: Mutex<Vec<Arc<Watch>>> = Mutex::new(Vec::new());
/// The number of watches, readable without the lock.
static COUNT: AtomicUsize = AtomicUsize::new(0);

impl Faults {
    /// Watches a directory. Everything in it counts as durable now.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn watch(root: &Path, plan: Plan) -> io::Result<Self> {
        let state =
            State { points: Vec::new(), struck: false, synced: Disk::of(root)?, written: None };
        let watch = Arc::new(Watch { root: root.to_owned(), plan, state: Mutex::new(state) });
        WATCHES.lock().push(watch.clone());
        COUNT.fetch_add(1, Ordering::Release);
        Ok(Self { watch })
    }

    /// The sync points so far.
    pub fn points(&self) -> Vec<SyncPoint> {
        self.watch.state.lock().points.clone()
    }

    /// Whether the planned fault has happened.
    pub fn struck(&self) -> bool {
        self.watch.state.lock().struck
    }

    /// Writes the content of the watched directory after the power cut into `to`.
    ///
    /// # Errors
    /// If there was no cut, or `to` cannot be written.
    pub fn lay(&self, survivors: Survivors, to: &Path) -> io::Result<()> {
        let state = self.watch.state.lock();
        let written =
            state.written.as_ref().ok_or_else(|| io::Error::other("there was no power cut"))?;
        let (files, database) = match survivors {
            Survivors::SyncedOnly => (&state.synced, &state.synced),
            Survivors::Database => (&state.synced, written),
            Survivors::Files => (written, &state.synced),
        };
        disk::lay(files, database, to)
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        WATCHES.lock().retain(|watch| !Arc::ptr_eq(watch, &self.watch));
        COUNT.fetch_sub(1, Ordering::Release);
    }
}

/// The watch over a path.
fn watch_over(path: &Path) -> Option<Arc<Watch>> {
    if COUNT.load(Ordering::Acquire) == 0 {
        return None;
    }
    WATCHES.lock().iter().find(|watch| path.starts_with(&watch.root)).cloned()
}

/// Runs a sync, unless a plan fails it: then the result is what `refused` makes of the error.
pub(crate) fn at<E>(
    kind: SyncKind,
    path: &Path,
    refused: impl FnOnce(io::Error) -> E,
    sync: impl FnOnce() -> Result<(), E>,
) -> Result<(), E> {
    let Some(watch) = watch_over(path) else { return sync() };
    if let Err(error) = watch.reach(kind, path) {
        return Err(refused(error));
    }
    sync()?;
    watch.synced(kind, path);
    Ok(())
}

/// Notes that the content of a directory is durable, because its owner syncs it.
pub(crate) fn synced_by_itself(directory: &Path) {
    if let Some(watch) = watch_over(directory) {
        watch.synced(SyncKind::Checkpoint, directory);
    }
}

impl Watch {
    /// Counts a sync point. Fails if the plan says so, and always after a power cut.
    fn reach(&self, kind: SyncKind, path: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        if state.written.is_some() {
            return Err(io::Error::other("the power was cut"));
        }
        let path = path.strip_prefix(&self.root).unwrap_or(path).to_owned();
        state.points.push(SyncPoint { kind, path });
        let number = state.points.len();
        if self.plan == Plan::FailOnce(number) {
            state.struck = true;
            return Err(io::Error::other("an injected fault failed this sync"));
        }
        if self.plan == Plan::CutAt(number) {
            state.struck = true;
            state.written = Some(Disk::of(&self.root)?);
            return Err(io::Error::other("the power was cut"));
        }
        Ok(())
    }

    /// Notes what a sync has made durable.
    fn synced(&self, kind: SyncKind, path: &Path) {
        let mut state = self.state.lock();
        if state.written.is_some() {
            return;
        }
        let noted = match kind {
            SyncKind::File => state.synced.sync_file(path),
            SyncKind::Directory => state.synced.sync_directory(path),
            // Durable with the sync of the directory that follows.
            SyncKind::Rename => Ok(()),
            SyncKind::WriteAheadLog | SyncKind::TableFiles | SyncKind::Checkpoint => {
                state.synced.sync_tree(path)
            }
        };
        // A file that cannot be read here makes the test's picture of the disk wrong.
        assert!(noted.is_ok(), "cannot note a sync of {}: {noted:?}", path.display());
    }
}

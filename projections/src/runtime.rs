//! The runtime: keeps projections current. Owns checkpoints, generations, rebuilding beside and promoting; it is the only
//! writer of rows.
//!
//! **Invariant: rows and the checkpoint they were folded up to are written in one batch**, so a crash repeats nothing and skips
//! nothing. **Invariant: a reader sees one generation, whole**, and it is promoted only when it has caught up.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rollbook_domain::{Position, Recorded};
use rollbook_log::{Log, LogError, RowBatch, RowSnapshot};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::ProjectionError;
use crate::rows::{LiveRows, RowChanges, StoredRows, decode};

/// A projection: rows by key, folded from events.
pub trait Projection: Send + Sync {
    /// Its name, unique for ever.
    fn name(&self) -> &'static str;

    /// Raised with every change to what its rows hold; older rows are then built again beside the old ones.
    fn version(&self) -> u32;

    /// Folds one commit. Deterministic, without a clock; each row depends only on its own events, in the order of the log.
    ///
    /// # Errors
    /// When a row cannot be read.
    fn fold(&self, rows: &mut RowChanges<'_>, commit: &[Recorded]) -> Result<(), ProjectionError>;
}

/// How far a projection is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    version: u32,
    generation: u32,
    checkpoint: Position,
}

/// After so many events, rows and checkpoints are written.
const EVENTS_A_BATCH: usize = 16_384;
/// After so many decoded rows in memory, too.
const ROWS_A_BATCH: usize = 4_096;
/// How many decoded commits may wait for the fold.
const COMMITS_AHEAD: usize = 256;

/// Called with (events done, events to do) while folding.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Sync);

/// What a rebuild did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rebuilt {
    /// The projection.
    pub projection: String,
    /// The position both generations were compared at.
    pub position: Position,
    /// How many rows it has.
    pub rows: u64,
    /// SHA-256 over the rows that events had built as they arrived.
    pub digest_before: String,
    /// SHA-256 over the rows built from position 1.
    pub digest_after: String,
    /// Whether they are the same, byte for byte.
    pub identical: bool,
}

/// Keeps a set of projections current.
pub struct Runtime {
    log: Log,
    projections: Vec<Box<dyn Projection>>,
    folding: Mutex<()>,
}

/// One generation that is being folded into.
struct Target<'r> {
    projection: &'r dyn Projection,
    state: State,
    /// Whether its state is the projection's, or one that is built beside it.
    active: bool,
}

fn state_key(name: &str, active: bool) -> Vec<u8> {
    format!("{}/{name}", if active { "state" } else { "building" }).into_bytes()
}

fn row_prefix(name: &str, generation: u32) -> Vec<u8> {
    let mut prefix = format!("rows/{name}/").into_bytes();
    prefix.extend_from_slice(&generation.to_be_bytes());
    prefix
}

/// A consistent look at every projection's rows.
pub struct Snapshot {
    rows: RowSnapshot,
}

impl Snapshot {
    /// The rows of a projection, and the position they are folded up to.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn of(&self, name: &str) -> Result<(StoredRows<'_>, Position), ProjectionError> {
        let state = read_state(&self.rows, name, true)?;
        Ok((StoredRows::new(&self.rows, row_prefix(name, state.generation)), state.checkpoint))
    }
}

fn read_state(rows: &RowSnapshot, name: &str, active: bool) -> Result<State, ProjectionError> {
    let key = state_key(name, active);
    Ok(rows.get(&key)?.map(|bytes| decode(&key, &bytes)).transpose()?.unwrap_or_default())
}

fn put_state(batch: &mut RowBatch, name: &str, active: bool, state: State) -> Result<(), ProjectionError> {
    let mut bytes = Vec::new();
    rollbook_log::binary::write(&state, &mut bytes).map_err(|source| ProjectionError::Encode(Box::new(source)))?;
    batch.put(&state_key(name, active), &bytes);
    Ok(())
}

impl Runtime {
    /// A runtime over a log. Folds nothing yet.
    pub fn new(log: Log, projections: Vec<Box<dyn Projection>>) -> Self {
        Self { log, projections, folding: Mutex::new(()) }
    }

    /// The log behind it.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The names of the projections, in order.
    pub fn names(&self) -> Vec<&'static str> {
        self.projections.iter().map(|projection| projection.name()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        // Nothing is kept behind the lock: a fold that panicked has written nothing.
        self.folding.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every projection's checkpoint, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn checkpoints(&self) -> Result<Vec<(&'static str, Position)>, ProjectionError> {
        let rows = self.log.rows().snapshot();
        self.names().into_iter().map(|name| Ok((name, read_state(&rows, name, true)?.checkpoint))).collect()
    }

    /// Whether every projection has folded up to `position`, with this version of its code.
    fn is_current(&self, position: Position) -> Result<bool, ProjectionError> {
        let rows = self.log.rows().snapshot();
        for projection in &self.projections {
            let state = read_state(&rows, projection.name(), true)?;
            if state.checkpoint < position || (state.version != projection.version() && position > 0) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Folds every event up to the head as it is now, and gives back that head. Writes nothing when there is nothing to fold.
    ///
    /// # Errors
    /// When the log or the rows cannot be read or written.
    pub fn catch_up(&self, progress: Progress<'_>) -> Result<Position, ProjectionError> {
        let head = self.log.head();
        if self.is_current(head)? {
            return Ok(head);
        }
        let _folding = self.lock();
        let mut current = Vec::new();
        for projection in &self.projections {
            let state = read_state(&self.log.rows().snapshot(), projection.name(), true)?;
            if state.version == projection.version() {
                current.push(Target { projection: projection.as_ref(), state, active: true });
            } else {
                self.build(projection.as_ref(), state, head, progress)?;
            }
        }
        self.fold(&mut current, head, progress)?;
        Ok(head)
    }

    /// A consistent look at rows that have folded at least what the log held when this was called.
    ///
    /// # Errors
    /// As [`Runtime::catch_up`].
    pub fn snapshot(&self) -> Result<Snapshot, ProjectionError> {
        self.catch_up(&|_, _| {})?;
        Ok(Snapshot { rows: self.log.rows().snapshot() })
    }

    /// Builds a projection's rows beside the old ones, from position 1, and promotes them. The old ones serve meanwhile.
    fn build(&self, projection: &dyn Projection, old: State, head: Position, progress: Progress<'_>) -> Result<(), ProjectionError> {
        let name = projection.name();
        let beside = self.beside(projection, old)?;
        let mut targets = [Target { projection, state: beside, active: false }];
        self.fold(&mut targets, head, progress)?;
        let [Target { state: built, .. }] = targets;
        self.promote(name, old, built)
    }

    /// Where building beside begins, or goes on after it was cut off.
    fn beside(&self, projection: &dyn Projection, old: State) -> Result<State, ProjectionError> {
        let begun = read_state(&self.log.rows().snapshot(), projection.name(), false)?;
        let fresh = State { version: projection.version(), generation: old.generation + 1, checkpoint: 0 };
        Ok(if begun.version == fresh.version && begun.generation == fresh.generation { begun } else { fresh })
    }

    fn promote(&self, name: &str, old: State, built: State) -> Result<(), ProjectionError> {
        let mut batch = RowBatch::new();
        batch.delete_prefix(&row_prefix(name, old.generation));
        put_state(&mut batch, name, true, built)?;
        batch.delete(&state_key(name, false));
        Ok(self.log.rows().write(&batch)?)
    }

    /// Builds the rows of one projection again from position 1, compares them with those that serve, and promotes them.
    ///
    /// # Errors
    /// When there is no such projection, or the log or the rows cannot be read or written.
    pub fn rebuild(&self, name: &str, progress: Progress<'_>) -> Result<Rebuilt, ProjectionError> {
        let unknown = || ProjectionError::Unknown { name: name.to_owned(), known: self.names().join(", ") };
        let projection = self.projections.iter().find(|projection| projection.name() == name).ok_or_else(unknown)?;
        let projection = projection.as_ref();
        self.catch_up(&|_, _| {})?;
        // First without the lock, so that the old rows stay fresh; then the rest under it.
        let old = read_state(&self.log.rows().snapshot(), name, true)?;
        let fresh = State { version: projection.version(), generation: old.generation + 1, checkpoint: 0 };
        let mut cleared = RowBatch::new();
        cleared.delete_prefix(&row_prefix(name, fresh.generation));
        self.log.rows().write(&cleared)?;
        let mut beside = [Target { projection, state: fresh, active: false }];
        self.fold(&mut beside, self.log.head(), progress)?;
        let _folding = self.lock();
        let head = self.log.head();
        let old = read_state(&self.log.rows().snapshot(), name, true)?;
        let mut serving = [Target { projection, state: old, active: true }];
        self.fold(&mut serving, head, &|_, _| {})?;
        self.fold(&mut beside, head, &|_, _| {})?;
        let ([Target { state: old, .. }], [Target { state: built, .. }]) = (serving, beside);
        let snapshot = self.log.rows().snapshot();
        let (rows, digest_before) = digest_rows(&snapshot, &row_prefix(name, old.generation))?;
        let (_, digest_after) = digest_rows(&snapshot, &row_prefix(name, built.generation))?;
        drop(snapshot);
        self.promote(name, old, built)?;
        let identical = digest_before == digest_after;
        Ok(Rebuilt { projection: name.to_owned(), position: head, rows, digest_before, digest_after, identical })
    }

    /// How many rows a projection has, and SHA-256 over them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn digest(&self, name: &str) -> Result<(u64, String), ProjectionError> {
        let rows = self.log.rows().snapshot();
        let state = read_state(&rows, name, true)?;
        digest_rows(&rows, &row_prefix(name, state.generation))
    }

    /// Folds the log into every target, up to `until`. One thread decodes while this one folds.
    fn fold(&self, targets: &mut [Target<'_>], until: Position, progress: Progress<'_>) -> Result<(), ProjectionError> {
        let Some(from) = targets.iter().map(|target| target.state.checkpoint).min().filter(|from| *from < until) else { return Ok(()) };
        let (sender, receiver) = sync_channel(COMMITS_AHEAD);
        std::thread::scope(|scope| {
            scope.spawn(move || self.decode(from, until, &sender));
            let mut folding = Folding { runtime: self, targets, from, until };
            folding.run(&receiver, progress)
        })
    }

    fn decode(&self, from: Position, until: Position, sender: &SyncSender<Result<Vec<Recorded>, LogError>>) {
        for commit in self.log.commits_after(from) {
            let through = commit.as_ref().is_ok_and(|commit| commit.last().is_some_and(|last| last.position >= until));
            // Whoever folds may have stopped at an error of its own.
            if sender.send(commit).is_err() || through {
                return;
            }
        }
    }
}

struct Folding<'r, 't, 'p> {
    runtime: &'r Runtime,
    targets: &'t mut [Target<'p>],
    from: Position,
    until: Position,
}

impl Folding<'_, '_, '_> {
    fn run(&mut self, commits: &Receiver<Result<Vec<Recorded>, LogError>>, progress: Progress<'_>) -> Result<(), ProjectionError> {
        let rows = self.runtime.log.rows();
        loop {
            let sources: Vec<LiveRows<'_>> = (self.targets.iter())
                .map(|target| LiveRows::new(&rows, row_prefix(target.projection.name(), target.state.generation)))
                .collect();
            let mut changes: Vec<RowChanges<'_>> = sources.iter().map(|source| RowChanges::new(source)).collect();
            let reached = self.fold_batch(commits, &mut changes)?;
            let mut batch = RowBatch::new();
            for (target, changes) in self.targets.iter_mut().zip(changes) {
                let name = target.projection.name();
                changes.write_to(&row_prefix(name, target.state.generation), &mut batch)?;
                target.state.checkpoint = target.state.checkpoint.max(reached.unwrap_or(self.until));
                target.state.version = target.projection.version();
                put_state(&mut batch, name, target.active, target.state)?;
            }
            rows.write(&batch)?;
            let done = self.targets.iter().map(|target| target.state.checkpoint).min().unwrap_or(self.until);
            progress(done.saturating_sub(self.from), self.until - self.from);
            if reached.is_none_or(|reached| reached >= self.until) {
                return Ok(());
            }
        }
    }

    /// Folds commits until a batch is full; the last position, or `None` when there are no more.
    fn fold_batch(
        &mut self,
        commits: &Receiver<Result<Vec<Recorded>, LogError>>,
        changes: &mut [RowChanges<'_>],
    ) -> Result<Option<Position>, ProjectionError> {
        let mut events = 0;
        let mut reached = self.from;
        while let Ok(commit) = commits.recv() {
            let commit = commit?;
            events += commit.len();
            reached = commit.last().map_or(reached, |last| last.position);
            for (target, changes) in self.targets.iter().zip(changes.iter_mut()) {
                if reached > target.state.checkpoint {
                    target.projection.fold(changes, &commit)?;
                }
            }
            let held: usize = changes.iter().map(RowChanges::len).sum();
            if events >= EVENTS_A_BATCH || held >= ROWS_A_BATCH || reached >= self.until {
                return Ok(Some(reached));
            }
        }
        Ok((events > 0).then_some(reached))
    }
}

fn digest_rows(rows: &RowSnapshot, prefix: &[u8]) -> Result<(u64, String), ProjectionError> {
    let mut digest = Sha256::new();
    let mut count = 0;
    for row in rows.scan(prefix)? {
        let (key, value) = row?;
        let key = key.get(prefix.len()..).unwrap_or_default();
        for part in [key, &value] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        count += 1;
    }
    Ok((count, hex(&digest.finalize())))
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

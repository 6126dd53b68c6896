//! The runtime keeps projections current and is the only writer of rows.
//!
//! This file has catching up with the log, building a new version beside the old one, and
//! promoting it. `fold` writes rows from commits, `rebuild` and `compare` check rows against a
//! fresh fold, `snapshot` reads rows, `state` stores checkpoints, `current` remembers how far they are, `locks` decides which runtime may
//! fold.
//!
//! **Invariant: rows and their checkpoint are written in one batch**, so a crash neither repeats
//! nor skips an event. **Invariant: a reader sees one complete generation of every projection, all
//! at one position**; a generation is promoted only when it has caught up.

mod compare;
mod current;
mod fold;
mod fold_memory;
mod locks;
mod rebuild;
mod snapshot;
mod state;

use std::sync::Arc;

use rollbook_domain::Position;
use rollbook_log::{Log, Ordering, RowBatch};

pub use self::compare::{RowsComparison, StrayRows};
pub use self::rebuild::Rebuilt;
pub use self::snapshot::Snapshot;

use self::current::Current;
use self::fold::{Target, fold};
use self::fold_memory::FoldMemory;
use self::locks::Locks;
use self::state::{Role, State, find_state, put_state, row_prefix, serving, state_key};
use crate::error::ProjectionError;
use crate::projection::{DynProjection, ProjectionName};

/// The runtime calls this with (events done, events to do) while it folds. The callback must not
/// take a snapshot of the same store.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Sync);

/// Keeps a set of projections current. Several runtimes over one log take turns in folding.
pub struct Runtime {
    log: Log,
    ordering: Arc<dyn Ordering>,
    projections: Vec<Box<dyn DynProjection>>,
    names: Arc<[ProjectionName]>,
    locks: Arc<Locks>,
    current: Current,
}

impl Runtime {
    /// A runtime over a log that orders its commits itself. It does not fold anything yet.
    pub fn new(log: Log, projections: Vec<Box<dyn DynProjection>>) -> Self {
        let ordering = Arc::new(log.clone());
        Self::ordered_by(ordering, log, projections)
    }

    /// A runtime over a log whose commits are ordered elsewhere. `log` is the copy of this node:
    /// `ordering` must append every commit to it, at the same positions, before it acknowledges the
    /// commit. Only `ordering` may append to it.
    pub fn ordered_by(
        ordering: Arc<dyn Ordering>,
        log: Log,
        projections: Vec<Box<dyn DynProjection>>,
    ) -> Self {
        let locks = Locks::of(&log);
        let names = projections.iter().map(|projection| projection.name()).collect();
        Self { log, ordering, projections, names, locks, current: Current::default() }
    }

    /// The log of this node, for reading. Commits are appended through [`Runtime::ordering`].
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Appends commits. What it has acknowledged can be read in [`Runtime::log`].
    pub fn ordering(&self) -> &dyn Ordering {
        &*self.ordering
    }

    /// The names of the projections, in order.
    pub fn names(&self) -> &[ProjectionName] {
        &self.names
    }

    /// Every projection's checkpoint, by name; 0 for a projection that is not folded yet.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn checkpoints(&self) -> Result<Vec<(ProjectionName, Position)>, ProjectionError> {
        let rows = self.log.rows().snapshot();
        self.names.iter().map(|name| Ok((*name, serving(&rows, *name)?.checkpoint))).collect()
    }

    /// The projection with this name.
    fn kept(&self, name: ProjectionName) -> Result<&dyn DynProjection, ProjectionError> {
        let found = self.projections.iter().find(|projection| projection.name() == name);
        found.map(AsRef::as_ref).ok_or(ProjectionError::Missing { name: name.as_str() })
    }

    /// Whether every projection is folded up to `position` by its current version, so that a read
    /// folds nothing.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn is_current(&self, position: Position) -> Result<bool, ProjectionError> {
        let promotions = self.locks.promotions();
        if self.current.covers(position, promotions) {
            return Ok(true);
        }
        let rows = self.log.rows().snapshot();
        for projection in &self.projections {
            let state = serving(&rows, projection.name())?;
            if state.checkpoint < position
                || (state.version != projection.version() && position > 0)
            {
                return Ok(false);
            }
        }
        self.current.reached(position, promotions);
        Ok(true)
    }

    /// Folds every event up to the present head of the log and returns that head. Writes nothing
    /// if there is nothing to fold.
    ///
    /// # Errors
    /// If the log or the rows cannot be read or written.
    pub fn catch_up(&self, progress: Progress<'_>) -> Result<Position, ProjectionError> {
        let head = self.log.head();
        if self.is_current(head)? {
            return Ok(head);
        }
        let mut memory = self.locks.folding();
        // While this thread waited, another one may have folded further: fold all events that are
        // there by now in one batch.
        let head = self.log.head();
        self.fold_all(head, &mut memory, progress)?;
        self.current.reached(head, self.locks.promotions());
        Ok(head)
    }

    /// Folds every projection up to `head`. Projections whose rows have another version are first
    /// built beside the old rows and promoted. The caller holds the lock of folding.
    fn fold_all(
        &self,
        head: Position,
        memory: &mut FoldMemory,
        progress: Progress<'_>,
    ) -> Result<(), ProjectionError> {
        let snapshot = self.log.rows().snapshot();
        let (mut current, mut beside, mut old) = (Vec::new(), Vec::new(), Vec::new());
        for projection in self.projections.iter().map(AsRef::as_ref) {
            let state = serving(&snapshot, projection.name())?;
            if state.version == projection.version() {
                current.push(Target { projection, state, role: Role::Serving });
            } else if head > 0 {
                old.push(state);
                beside.push(Target {
                    projection,
                    state: self.beside(projection, state, true)?,
                    role: Role::Building,
                });
            }
        }
        drop(snapshot);
        if !beside.is_empty() {
            fold((&self.log, &self.log), &mut beside, head, None, progress)?;
            let built: Vec<_> = beside
                .iter()
                .zip(old)
                .map(|(built, old)| (built.projection.name(), old, built.state))
                .collect();
            self.promote(&built)?;
        }
        fold((&self.log, &self.log), &mut current, head, Some(memory), progress)
    }

    /// A consistent view of the rows, folded at least up to the head at the time of this call.
    ///
    /// # Errors
    /// As [`Runtime::catch_up`].
    pub fn snapshot(&self) -> Result<Snapshot, ProjectionError> {
        let folded = self.catch_up(&|_, _| {})?;
        Ok(self.snapshot_at(folded))
    }

    /// A view of the rows as they are. This folds nothing, so the rows may be behind the log, or
    /// missing.
    pub fn unfolded(&self) -> Snapshot {
        self.snapshot_at(self.log.head())
    }

    fn snapshot_at(&self, head: Position) -> Snapshot {
        Snapshot {
            rows: self.log.rows().snapshot(),
            kept: Arc::clone(&self.names),
            is_empty: head == 0,
        }
    }

    /// The state in which building beside starts. With `resume`, an interrupted build of the same
    /// version continues; rows that were built for another version are removed.
    fn beside(
        &self,
        projection: &dyn DynProjection,
        old: State,
        resume: bool,
    ) -> Result<State, ProjectionError> {
        let name = projection.name();
        let fresh =
            State { version: projection.version(), generation: old.generation + 1, checkpoint: 0 };
        match find_state(&self.log.rows().snapshot(), name, Role::Building)? {
            Some(begun)
                if resume
                    && begun.version == fresh.version
                    && begun.generation == fresh.generation =>
            {
                Ok(begun)
            }
            Some(begun) => {
                let mut batch = RowBatch::new();
                batch.delete_prefix(&row_prefix(name, begun.generation));
                batch.delete(&state_key(name, Role::Building));
                self.log.rows().write(&batch)?;
                Ok(fresh)
            }
            None => Ok(fresh),
        }
    }

    /// Makes generations that were built beside, as (name, old, built), visible to readers, all at
    /// once, and removes the old ones.
    fn promote(&self, built: &[(ProjectionName, State, State)]) -> Result<(), ProjectionError> {
        let mut batch = RowBatch::new();
        for (name, old, built) in built {
            batch.delete_prefix(&row_prefix(*name, old.generation));
            put_state(&mut batch, *name, Role::Serving, *built)?;
            batch.delete(&state_key(*name, Role::Building));
        }
        self.log.rows().write(&batch)?;
        self.locks.promoted();
        Ok(())
    }
}

//! The runtime: keeps projections current. Owns catching up, building a new version beside the old one, and promoting; it is
//! the only writer of rows. `fold` folds, `rebuild` compares with a fresh fold, `state` knows keys and checkpoints, `locks` who
//! may fold.
//!
//! **Invariant: rows and the checkpoint they were folded up to are written in one batch**, so a crash repeats nothing and skips
//! nothing. **Invariant: a reader sees one generation, whole, of every projection at one position**; a generation is promoted only
//! when it has caught up.

mod compare;
mod fold;
mod locks;
mod rebuild;
mod state;

use std::sync::Arc;

use rollbook_domain::{EventRecord, Position};
use rollbook_log::{LeafHash, Log, RowBatch};

pub use self::compare::{Compared, StrayRows};
pub use self::rebuild::{Rebuilt, hex};
pub use self::state::Snapshot;

use self::fold::{Target, fold};
use self::locks::Locks;
use self::state::{Role, State, find_state, put_state, row_prefix, serving, state_key};
use crate::error::ProjectionError;
use crate::rows::RowChanges;

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
    fn fold(
        &self,
        rows: &mut RowChanges<'_>,
        commit: &[EventRecord],
    ) -> Result<(), ProjectionError>;

    /// Whether it folds the hashes of what is stored, beside what was decoded from it. They cost reading nothing, and hashing everything.
    fn wants_leaves(&self) -> bool {
        false
    }

    /// Folds the leaf hashes of one commit's events, the first of which has this position; called only where they are wanted.
    ///
    /// # Errors
    /// When a row cannot be read, or is not what was written.
    fn fold_leaves(
        &self,
        _rows: &mut RowChanges<'_>,
        _first: Position,
        _leaves: &[LeafHash],
    ) -> Result<(), ProjectionError> {
        Ok(())
    }
}

/// Called with (events done, events to do) while folding. It must not ask the same store for a snapshot.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Sync);

/// Keeps a set of projections current. Several over one log in one process take turns in folding.
pub struct Runtime {
    log: Log,
    projections: Vec<Box<dyn Projection>>,
    locks: Arc<Locks>,
}

impl Runtime {
    /// A runtime over a log. Folds nothing yet.
    pub fn new(log: Log, projections: Vec<Box<dyn Projection>>) -> Self {
        let locks = Locks::of(&log);
        Self { log, projections, locks }
    }

    /// The log behind it.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The names of the projections, in order.
    pub fn names(&self) -> Vec<&'static str> {
        self.projections.iter().map(|projection| projection.name()).collect()
    }

    /// Every projection's checkpoint, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn checkpoints(&self) -> Result<Vec<(&'static str, Position)>, ProjectionError> {
        let rows = self.log.rows().snapshot();
        self.names().into_iter().map(|name| Ok((name, serving(&rows, name)?.checkpoint))).collect()
    }

    /// Whether every projection has folded up to `position`, with this version of its code.
    fn is_current(&self, position: Position) -> Result<bool, ProjectionError> {
        let rows = self.log.rows().snapshot();
        for projection in &self.projections {
            let state = serving(&rows, projection.name())?;
            if state.checkpoint < position
                || (state.version != projection.version() && position > 0)
            {
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
        let _folding = self.locks.folding();
        // Whoever had the lock before may have folded further: one batch then takes all events there are by now.
        let head = self.log.head();
        self.fold_all(head, progress)?;
        Ok(head)
    }

    /// Folds every projection up to `head`; what has another version is built beside first. The caller holds the lock.
    fn fold_all(&self, head: Position, progress: Progress<'_>) -> Result<(), ProjectionError> {
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
            fold(&self.log, &self.log, &mut beside, head, progress)?;
            let built: Vec<_> = beside
                .iter()
                .zip(old)
                .map(|(built, old)| (built.projection.name(), old, built.state))
                .collect();
            self.promote(&built)?;
        }
        fold(&self.log, &self.log, &mut current, head, progress)
    }

    /// A consistent look at rows that have folded at least what the log held when this was called.
    ///
    /// # Errors
    /// As [`Runtime::catch_up`].
    pub fn snapshot(&self) -> Result<Snapshot, ProjectionError> {
        self.catch_up(&|_, _| {})?;
        Ok(Snapshot { rows: self.log.rows().snapshot() })
    }

    /// A look at the rows as they are, folding nothing: what they lack stays lacking.
    pub fn unfolded(&self) -> Snapshot {
        Snapshot { rows: self.log.rows().snapshot() }
    }

    /// Where building beside begins, or, with `resume`, goes on after it was cut off. What was built for another version is cleared.
    fn beside(
        &self,
        projection: &dyn Projection,
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

    /// Lets generations serve that were built beside (name, old, built), all at once, and takes the old ones away.
    fn promote(&self, built: &[(&str, State, State)]) -> Result<(), ProjectionError> {
        let mut batch = RowBatch::new();
        for (name, old, built) in built {
            batch.delete_prefix(&row_prefix(name, old.generation));
            put_state(&mut batch, name, Role::Serving, *built)?;
            batch.delete(&state_key(name, Role::Building));
        }
        Ok(self.log.rows().write(&batch)?)
    }
}

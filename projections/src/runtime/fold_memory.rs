//! What folding keeps in memory from one catch-up to the next: decoded rows, and the memory of a
//! batch. It belongs to the lock of folding, so one thread at a time uses it.
//!
//! **Invariant: a cached row is the stored row.** The caches of a projection are valid for one state
//! (version, generation and checkpoint). A fold takes them out and puts them back after its rows are
//! written, with the new state. If it fails, they are dropped.

use std::collections::HashMap;

use rollbook_log::RowBatch;

use super::state::State;
use crate::projection::ProjectionName;
use crate::row_cache::RowCache;

/// Decoded rows by projection, and the memory of a batch.
#[derive(Default)]
pub(super) struct FoldMemory {
    caches: HashMap<ProjectionName, (State, RowCache)>,
    /// Empty between folds; its memory is reused.
    pub(super) batch: RowBatch,
}

impl FoldMemory {
    /// Takes the cached rows of a projection in this state; an empty cache if there are none.
    pub(super) fn take(&mut self, name: ProjectionName, state: State) -> RowCache {
        let cached = self.caches.remove(&name).filter(|(cached, _)| *cached == state);
        cached.map(|(_, rows)| rows).unwrap_or_default()
    }

    /// Caches the rows of a projection, which are stored in this state.
    pub(super) fn put(&mut self, name: ProjectionName, state: State, rows: RowCache) {
        self.caches.insert(name, (state, rows));
    }

    /// Drops all cached rows.
    pub(super) fn clear(&mut self) {
        self.caches.clear();
    }
}

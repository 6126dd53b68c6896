//! The locks that let only one runtime at a time fold into a store. Two runtimes that fold the
//! same events into the same rows would count them twice.
//!
//! The locks belong to an open log, not to a runtime: several runtimes may share one log, so a lock
//! in each of them would exclude nothing. `rollbook-log` knows nothing of folding, so the table
//! from open logs to their locks is here. It has to be a `static`, because two runtimes over one
//! log have nothing else in common. Entries disappear with the last runtime over their log.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rollbook_log::Log;

use super::fold_memory::FoldMemory;

/// The locks of one open log. The log makes sure that no other process has the store open.
#[derive(Default)]
pub(super) struct Locks {
    folding: Mutex<FoldMemory>,
    rebuilding: Mutex<()>,
    promotions: AtomicU64,
}

static KNOWN: Mutex<BTreeMap<u64, Weak<Locks>>> = Mutex::new(BTreeMap::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A fold that panicked has written nothing and has taken what it cached with it, so a poisoned
    // lock protects sound state.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Locks {
    /// The locks that all runtimes over this open log share. A copy of the store, such as a
    /// restored backup, is another log with its own locks.
    pub(super) fn of(log: &Log) -> Arc<Self> {
        let mut known = lock(&KNOWN);
        known.retain(|_, locks| locks.strong_count() > 0);
        let entry = known.entry(log.opening()).or_default();
        entry.upgrade().unwrap_or_else(|| {
            let locks = Arc::new(Self::default());
            *entry = Arc::downgrade(&locks);
            locks
        })
    }

    /// Hold this while folding or promoting rows that readers see.
    pub(super) fn folding(&self) -> MutexGuard<'_, FoldMemory> {
        lock(&self.folding)
    }

    /// The number of promotions of rows since the log was opened.
    pub(super) fn promotions(&self) -> u64 {
        self.promotions.load(Ordering::Acquire)
    }

    /// Counts a promotion. The caller holds the lock of folding.
    pub(super) fn promoted(&self) {
        self.promotions.fetch_add(1, Ordering::AcqRel);
    }

    /// Hold this during a complete rebuild. Take it before [`Locks::folding`].
    pub(super) fn rebuilding(&self) -> MutexGuard<'_, ()> {
        lock(&self.rebuilding)
    }
}

//! Who may fold. Owns that of all runtimes over one store only one folds at a time: two that fold the same events into the
//! same rows would count them twice.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rollbook_log::Log;

/// The locks of one store. The log sees to it that no other process has the store open.
#[derive(Default)]
pub(super) struct Locks {
    folding: Mutex<()>,
    rebuilding: Mutex<()>,
}

static KNOWN: Mutex<BTreeMap<u64, Weak<Locks>>> = Mutex::new(BTreeMap::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing is left half done behind these locks: a fold that panicked has written nothing.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Locks {
    /// The locks that every runtime over this opening of a store shares. A copy of the store, such as a restored backup, has its own.
    pub(super) fn of(log: &Log) -> Arc<Self> {
        let mut known = lock(&KNOWN);
        known.retain(|_, locks| locks.strong_count() > 0);
        let held = known.entry(log.opening()).or_default();
        held.upgrade().unwrap_or_else(|| {
            let locks = Arc::new(Self::default());
            *held = Arc::downgrade(&locks);
            locks
        })
    }

    /// Held while rows that serve are folded or promoted.
    pub(super) fn folding(&self) -> MutexGuard<'_, ()> {
        lock(&self.folding)
    }

    /// Held, before [`Locks::folding`], during a whole rebuild.
    pub(super) fn rebuilding(&self) -> MutexGuard<'_, ()> {
        lock(&self.rebuilding)
    }
}

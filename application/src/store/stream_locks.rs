//! Locks that serialize commands on one stream, or with one idempotency key, so that a command does
//! not decide on a state that another one is about to change. They only save work: the log checks
//! the expected versions and the key of every commit.

use std::hash::{DefaultHasher, Hash, Hasher};

use parking_lot::{Mutex, MutexGuard};

/// The number of locks. Two streams that share a lock wait for each other, which only costs time.
const LOCKS: usize = 256;

/// A fixed number of locks. The hash of a stream or of a key selects its lock.
pub(super) struct StreamLocks(Vec<Mutex<()>>);

impl Default for StreamLocks {
    fn default() -> Self {
        Self((0..LOCKS).map(|_| Mutex::new(())).collect())
    }
}

impl StreamLocks {
    /// Waits for the lock of a stream or of an idempotency key.
    pub(super) fn lock(&self, name: &impl Hash) -> Option<MutexGuard<'_, ()>> {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % LOCKS as u64).ok()?;
        self.0.get(index).map(Mutex::lock)
    }
}

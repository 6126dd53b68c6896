//! Locks that make commands on one stream wait for each other, so that they do not decide on a
//! state that another one is about to change. They only save work: the log checks the expected
//! versions of every commit.

use std::hash::{DefaultHasher, Hash, Hasher};

use parking_lot::{Mutex, MutexGuard};
use rollbook_domain::StreamId;

/// How many locks there are. Two streams that share one wait for each other, which costs time and
/// nothing else.
const LOCKS: usize = 256;

/// A fixed number of locks; a stream's hash says which one is its own.
pub(super) struct StreamLocks(Vec<Mutex<()>>);

impl Default for StreamLocks {
    fn default() -> Self {
        Self((0..LOCKS).map(|_| Mutex::new(())).collect())
    }
}

impl StreamLocks {
    /// Waits for the lock of a stream.
    pub(super) fn lock(&self, stream: &StreamId) -> Option<MutexGuard<'_, ()>> {
        let mut hasher = DefaultHasher::new();
        stream.hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % LOCKS as u64).ok()?;
        self.0.get(index).map(Mutex::lock)
    }
}

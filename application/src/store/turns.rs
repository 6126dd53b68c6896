//! Turns: commands on one stream are decided one after another in this process. Owns that many at once do not decide in vain,
//! again and again; that two decisions never collide is the log's, which checks versions whoever writes.

use std::hash::{DefaultHasher, Hash, Hasher};

use parking_lot::{Mutex, MutexGuard};
use rollbook_domain::StreamId;

/// So many streams can be decided at once; two that share a turn wait for each other, which costs time and nothing else.
const TURNS: usize = 256;

/// Who is deciding.
pub(super) struct Turns(Vec<Mutex<()>>);

impl Default for Turns {
    fn default() -> Self {
        Self((0..TURNS).map(|_| Mutex::new(())).collect())
    }
}

impl Turns {
    /// Waits for the turn of a stream.
    pub(super) fn take(&self, stream: &StreamId) -> Option<MutexGuard<'_, ()>> {
        let mut hasher = DefaultHasher::new();
        stream.hash(&mut hasher);
        let turn = usize::try_from(hasher.finish() % TURNS as u64).ok()?;
        self.0.get(turn).map(Mutex::lock)
    }
}

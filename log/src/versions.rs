//! The writer's cache of stream versions.
//!
//! The cache includes commits that are accepted but not yet written. It must therefore not evict
//! entries between deciding and writing, and must be cleared when a write fails.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use rollbook_domain::event::Version;

/// The maximum number of entries. Beyond it the cache is cleared.
const CACHED_STREAMS: usize = 65_536;

/// Versions by stream name.
#[derive(Default)]
pub(crate) struct Versions(HashMap<String, Version, RandomState>);

impl Versions {
    /// The version of a stream, if it is cached.
    pub(crate) fn get(&self, stream: &str) -> Option<Version> {
        self.0.get(stream).copied()
    }

    /// Sets the version of a stream after an accepted commit.
    pub(crate) fn set(&mut self, stream: &str, version: Version) {
        match self.0.get_mut(stream) {
            Some(cached) => *cached = version,
            None => drop(self.0.insert(stream.to_owned(), version)),
        }
    }

    /// Clears the cache if it is full. Call this only while every accepted commit is written.
    pub(crate) fn make_room(&mut self) {
        if self.0.len() > CACHED_STREAMS {
            self.clear();
        }
    }

    /// Clears the cache.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

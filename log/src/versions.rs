//! The versions of streams as the writer's latest decisions left them. Owns what is remembered of them, and when it is forgotten.
//!
//! What was decided and not yet written is among them, so nothing may be forgotten between the two, and all must be when it could not be
//! written.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use rollbook_domain::event::Version;

/// How many are remembered; when there are more, all are forgotten and read again as needed.
const REMEMBERED_STREAMS: usize = 65_536;

/// Versions by stream name.
#[derive(Default)]
pub(crate) struct Versions(HashMap<String, Version, RandomState>);

impl Versions {
    /// The version of a stream, if it is remembered.
    pub(crate) fn get(&self, stream: &str) -> Option<Version> {
        self.0.get(stream).copied()
    }

    /// Remembers the version that a decision leaves a stream at.
    pub(crate) fn set(&mut self, stream: &str, version: Version) {
        match self.0.get_mut(stream) {
            Some(remembered) => *remembered = version,
            None => drop(self.0.insert(stream.to_owned(), version)),
        }
    }

    /// Forgets all when there are too many. Only while everything that was decided is written.
    pub(crate) fn make_room(&mut self) {
        if self.0.len() > REMEMBERED_STREAMS {
            self.forget();
        }
    }

    /// Forgets all: what was decided last could not be written.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }
}

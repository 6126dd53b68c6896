//! What is given to the log and what it answers. Owns the types of a proposed commit; deciding on one is the writer's.

use std::fmt;

use rollbook_domain::event::{NewEvent, Position, Version};
use rollbook_domain::{Actor, StreamId};

/// Events to append together, all or nothing, in this order.
#[derive(Clone, Debug)]
pub struct Commit {
    /// The events, at least one.
    pub events: Vec<NewEvent>,
    /// What each of these streams must be at for the commit to be valid; also streams that it writes nothing to.
    /// A stream that is not named may be at any version.
    pub expected: Vec<(StreamId, ExpectedVersion)>,
    /// On whose behalf.
    pub actor: Actor,
    /// A request id, or the digest of a batch.
    pub cause: String,
    /// Makes appending it twice the same as appending it once.
    pub key: Option<IdempotencyKey>,
}

/// A name for a request, permanent: the log never forgets one.
///
/// The same key with the same request is answered as it was the first time, and nothing is written; the same key with another
/// request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The name. No NUL in it.
    pub key: String,
    /// SHA-256 of the request, by the caller's own canonical form of it.
    pub request: [u8; 32],
}

/// What a stream must be at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedVersion {
    /// Anything.
    Any,
    /// It has no events yet.
    NoStream,
    /// It has exactly this many.
    Exact(Version),
}

impl ExpectedVersion {
    /// Whether a stream at this version is as expected.
    pub fn admits(self, actual: Version) -> bool {
        match self {
            Self::Any => true,
            Self::NoStream => actual == 0,
            Self::Exact(version) => actual == version,
        }
    }
}

impl fmt::Display for ExpectedVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any version"),
            Self::NoStream => f.write_str("no events"),
            Self::Exact(version) => write!(f, "version {version}"),
        }
    }
}

/// Where a commit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The position of its first event.
    pub first: Position,
    /// The position of its last event.
    pub last: Position,
    /// Whether it stood there already, under its key, and nothing was written now.
    pub repeated: bool,
}

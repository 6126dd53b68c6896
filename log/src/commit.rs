//! A commit that a caller submits, and its result. The writer decides whether to accept it.

use std::fmt;

use rollbook_domain::event::{NewEvent, Position, Version};
use rollbook_domain::{Actor, StreamId};

/// Events to append atomically, in this order.
#[derive(Clone, Debug)]
pub struct Commit {
    /// The events, at least one.
    pub events: Vec<NewEvent>,
    /// The expected versions of streams, also of streams that it does not write to. Streams that
    /// are not listed may have any version.
    pub expected: Vec<(StreamId, ExpectedVersion)>,
    /// The actor.
    pub actor: Actor,
    /// The cause: a request id, or the digest of a batch.
    pub cause: String,
    /// Makes appending the commit idempotent.
    pub key: Option<IdempotencyKey>,
}

/// A permanent name for a request: the log never removes one.
///
/// A commit with a used key and the same request gets the first result, and nothing is written.
/// With another request it is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The name, without NUL.
    pub key: String,
    /// SHA-256 of the request in the caller's canonical form.
    pub request: [u8; 32],
}

/// The expected version of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedVersion {
    /// Any version.
    Any,
    /// The stream has no events.
    NoStream,
    /// The stream has exactly this number of events.
    Exact(Version),
}

impl ExpectedVersion {
    /// Whether a stream at this version matches.
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

/// The positions of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitReceipt {
    /// The position of its first event.
    pub first: Position,
    /// The position of its last event.
    pub last: Position,
    /// Whether it was already in the log, with the same key, and nothing was written.
    pub repeated: bool,
}

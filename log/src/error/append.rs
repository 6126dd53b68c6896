//! Errors of appending a commit.

use std::sync::Arc;

use rollbook_domain::event::{Position, Version};
use uuid::Uuid;

use super::corruption::DecodeError;
use super::log::LogError;
use crate::commit::ExpectedVersion;

/// Why a commit was not appended. The log is unchanged, with one exception: after
/// [`AppendError::Storage`] with [`LogError::Poisoned`] inside, the commit may be there, complete,
/// when the store is opened again. Its idempotency key shows whether it is.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AppendError {
    /// A commit without events.
    #[error("a commit needs at least one event")]
    Empty,
    /// A commit above the limit.
    #[error("the commit has {bytes} bytes, the limit is {limit_bytes}; split it")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit_bytes: usize,
    },
    /// A stream or key name with a NUL in it.
    #[error("{name:?} contains a NUL character; no stream or key may")]
    BadName {
        /// The name.
        name: String,
    },
    /// The stream is not at the version that the commit was decided on.
    #[error(
        "the stream {stream} is at version {actual}, the commit expected {expected}; read it again and decide again"
    )]
    VersionConflict {
        /// The stream.
        stream: String,
        /// What the commit expected.
        expected: ExpectedVersion,
        /// What the stream is at.
        actual: Version,
    },
    /// An event with this id is already in the log, or is in the commit twice.
    #[error("an event with the id {id} is already in the log; every event is appended once")]
    DuplicateEvent {
        /// The id.
        id: Uuid,
    },
    /// The idempotency key was used for another request.
    #[error(
        "the key {key:?} was used for another request (positions {first} to {last}); use a new key for a new request"
    )]
    KeyReused {
        /// The key.
        key: String,
        /// First position of the commit under that key.
        first: Position,
        /// Last position of the commit under that key.
        last: Position,
    },
    /// The client was erased.
    #[error("the client of {stream} was erased; no more events are recorded for them")]
    ClientErased {
        /// The stream.
        stream: String,
    },
    /// Too many bytes are waiting to be written.
    #[error(
        "{queued_bytes} bytes are waiting to be written, the limit is {limit_bytes}; try again in a moment"
    )]
    Overloaded {
        /// The bytes that are waiting.
        queued_bytes: usize,
        /// The limit.
        limit_bytes: usize,
    },
    /// The log was closed before the commit was answered.
    #[error(
        "the log was closed before it answered; open it and send the commit again under its key"
    )]
    Closed,
    /// The commit does not encode.
    #[error("the commit does not encode")]
    Encode(#[source] Arc<DecodeError>),
    /// The store failed.
    #[error("the commit was not acknowledged")]
    Storage(
        /// The cause.
        #[source]
        Arc<LogError>,
    ),
}

impl From<LogError> for AppendError {
    fn from(error: LogError) -> Self {
        Self::Storage(Arc::new(error))
    }
}

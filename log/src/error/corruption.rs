//! Damage of stored commits, and stored bytes that do not decode.

use rollbook_domain::event::Position;
use rollbook_domain::stream::StreamIdError;

/// A stored commit that is damaged or missing.
#[derive(Debug, thiserror::Error)]
#[error("position {position}: {kind}; restore a backup, and keep this store for analysis")]
pub struct Corruption {
    /// The first position that cannot be read.
    pub position: Position,
    /// How it is damaged.
    #[source]
    pub kind: CorruptionKind,
}

/// How a stored commit is damaged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CorruptionKind {
    /// The record is shorter than its header says.
    #[error("the record is cut short, {bytes} bytes are left")]
    Torn {
        /// The bytes that are left.
        bytes: usize,
    },
    /// The bytes differ from those that were written.
    #[error("the record's checksum is {found:08x}, {stored:08x} was stored with it")]
    BadChecksum {
        /// The checksum stored with the record.
        stored: u32,
        /// The checksum of the bytes as they are.
        found: u32,
    },
    /// No record has the position, although the log continues after it or an index refers to it.
    #[error("no record has this position")]
    MissingRecord,
    /// The checksum is right, but the bytes do not decode.
    #[error("the record does not decode")]
    Undecodable {
        /// The reason.
        #[source]
        source: DecodeError,
    },
    /// A newer rollbook wrote the record.
    #[error("the record has version {version}, which only a newer rollbook reads")]
    NewerVersion {
        /// The record's version.
        version: u8,
    },
    /// A malformed index entry.
    #[error("an entry of the index {index} is malformed")]
    Index {
        /// The index.
        index: &'static str,
    },
}

/// Why stored bytes do not decode, or a commit does not encode.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The binary encoding.
    #[error("the binary encoding is invalid")]
    Binary(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// More bytes than the value has.
    #[error("{bytes} bytes follow the value")]
    Trailing {
        /// The number of bytes.
        bytes: usize,
    },
    /// A point in time outside the calendar.
    #[error("{seconds} s and {nanoseconds} ns since 1970 are not a point in time")]
    Instant {
        /// Seconds since 1970.
        seconds: i64,
        /// Nanoseconds.
        nanoseconds: u32,
    },
    /// An invalid stream name.
    #[error("a stream name is invalid")]
    StreamName(#[source] StreamIdError),
    /// An event that refers to an entry beyond the commit's stream table.
    #[error("an event refers to entry {index} of the stream table, which has no such entry")]
    StreamIndex {
        /// The index.
        index: u32,
    },
    /// Header and payload disagree.
    #[error("the header says {header} events, the payload has {payload}")]
    EventCount {
        /// Events by the header.
        header: u32,
        /// Events in the payload.
        payload: usize,
    },
    /// Bytes that are not a leaf of the tree.
    #[error("the bytes are not a leaf: {0}")]
    Leaf(&'static str),
    /// A sealed value that was changed, or was sealed under another key.
    #[error(
        "its personal content does not open: it was changed, or the keyring belongs to another store"
    )]
    DoesNotOpen,
    /// A sealed value without a key.
    #[error(
        "its personal content is sealed and the keyring has no key for {stream}; copy the keyring back from the latest backup"
    )]
    NoKey {
        /// The stream.
        stream: String,
    },
    /// A value that could not be sealed.
    #[error("its personal content could not be sealed")]
    Unsealable,
    /// More bytes than a record can have.
    #[error("{bytes} bytes are more than a record can hold")]
    TooLarge {
        /// The size.
        bytes: usize,
    },
}

//! What can go wrong. Owns the error types and their texts: each names the thing, the reason and the operator's next step.

use std::path::PathBuf;
use std::sync::Arc;

use rollbook_domain::event::{Position, Version};
use rollbook_domain::stream::StreamIdError;
use uuid::Uuid;

use crate::commit::ExpectedVersion;
use crate::keyring::KeyringError;

/// Why the log cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The directory holds something else.
    #[error(
        "{dir} is no rollbook store: {why}; name a store, or a new or empty directory to import into"
    )]
    NotAStore {
        /// The directory.
        dir: PathBuf,
        /// What was found instead.
        why: &'static str,
    },
    /// There is no store, and none was to be made.
    #[error(
        "there is no rollbook store in {dir}; import an export into it first, or name the right directory"
    )]
    Missing {
        /// The directory.
        dir: PathBuf,
    },
    /// Another process has the store open.
    #[error(
        "the store {dir} is in use by another process; stop that one, or wait until it has finished"
    )]
    InUse {
        /// The directory.
        dir: PathBuf,
    },
    /// Another process made a store in the directory after this one had found none.
    #[error(
        "another process made a store in {dir} in the meantime; nothing was written: run the command again"
    )]
    MadeMeanwhile {
        /// The directory.
        dir: PathBuf,
    },
    /// The directory was deleted, moved or replaced under the open store.
    #[error(
        "the store {dir} is gone, or another stands in its place; put it back where it was, or restore a backup and start again"
    )]
    Lost {
        /// The directory.
        dir: PathBuf,
    },
    /// The store was written by a newer rollbook.
    #[error(
        "the store {dir} has format {found}, this rollbook reads formats up to {supported}; use the newer rollbook that wrote it"
    )]
    NewerStore {
        /// The directory.
        dir: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that can be read.
        supported: u32,
    },
    /// The store can be read but not written.
    #[error(
        "the store {dir} cannot be written; give this user write permission, or mount the file system for writing"
    )]
    ReadOnly {
        /// The directory.
        dir: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// A place that must be free.
    #[error("{path} exists already; give a new directory: nothing is ever put over another")]
    Exists {
        /// The place.
        path: PathBuf,
    },
    /// Another process builds a directory for the same place.
    #[error("another process is building in {path}; wait until it has finished")]
    BeingBuilt {
        /// Where it builds.
        path: PathBuf,
    },
    /// The operating system refused an access to a file.
    #[error(
        "cannot {doing} {path}; check the path, its permissions and the free space, then run again"
    )]
    File {
        /// What was attempted.
        doing: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// The database inside the store does not open.
    #[error(
        "the database of the store {dir} does not open; free space if the disk is full, else restore a backup"
    )]
    Database {
        /// The store's directory.
        dir: PathBuf,
        /// What the database said.
        #[source]
        source: EngineError,
    },
    /// A file of the database is not what was written.
    #[error(
        "{path} is damaged at byte {offset}: {what}; restore a backup, and keep this store for analysis"
    )]
    DamagedFile {
        /// The file.
        path: PathBuf,
        /// Where the damaged part begins, in bytes from the start.
        offset: u64,
        /// What is wrong with it.
        what: String,
    },
    /// The database failed.
    #[error("the database failed to {doing}; check the disk and its free space, then run again")]
    Engine {
        /// What was attempted.
        doing: &'static str,
        /// What the database said.
        #[source]
        source: EngineError,
    },
    /// A stored commit is damaged or missing.
    #[error("the log is damaged at position {}", .0.position)]
    Corrupt(
        /// Where and how.
        #[from]
        #[source]
        Corruption,
    ),
    /// An earlier write failed, and the log takes no more.
    #[error(
        "the log stopped taking writes when one failed; what was acknowledged is safe: free disk space or mend the disk, then run again"
    )]
    Poisoned(
        /// The failure.
        #[source]
        Arc<LogError>,
    ),
    /// A file whose content was to go away is still open.
    #[error(
        "{path} is not gone, because somebody in this process still reads it; run the command again"
    )]
    StillRead {
        /// The file.
        path: PathBuf,
    },
    /// The keyring or the master key.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// A position that is not the last of a commit, where only such a one makes sense.
    #[error("position {position} lies inside the commit of positions {first} to {last}; name {last} or {}", first - 1)]
    InsideCommit {
        /// The position asked for.
        position: Position,
        /// The commit's first position.
        first: Position,
        /// The commit's last position.
        last: Position,
    },
    /// A position that the log has not reached.
    #[error("position {position} is beyond the head {head} of the log; name one up to {head}")]
    BeyondHead {
        /// The position asked for.
        position: Position,
        /// The head.
        head: Position,
    },
    /// The writer's thread could not be started.
    #[error("cannot start the writer's thread; raise the limit of threads, then run again")]
    Thread(
        /// What the operating system said.
        #[source]
        std::io::Error,
    ),
}

/// What the database inside the store said.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct EngineError(EngineFailure);

#[derive(Debug, thiserror::Error)]
enum EngineFailure {
    #[error(transparent)]
    RocksDb(rocksdb::Error),
    #[error("the column family {0} is missing")]
    MissingFamily(&'static str),
}

impl EngineError {
    pub(crate) fn missing_family(name: &'static str) -> Self {
        Self(EngineFailure::MissingFamily(name))
    }
}

impl From<rocksdb::Error> for EngineError {
    fn from(error: rocksdb::Error) -> Self {
        Self(EngineFailure::RocksDb(error))
    }
}

/// A stored commit that is damaged or missing: which position, and how.
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
        /// What is left.
        bytes: usize,
    },
    /// The bytes are not those that were written.
    #[error("the record's checksum is {found:08x}, {stored:08x} was stored with it")]
    BadChecksum {
        /// The checksum stored with the record.
        stored: u32,
        /// The checksum of the bytes as they are.
        found: u32,
    },
    /// No record holds the position, though the log goes on behind it or an index knows it.
    #[error("no record holds this position")]
    MissingRecord,
    /// The bytes are those that were written, and do not decode.
    #[error("the record does not decode")]
    Undecodable {
        /// Why not.
        #[source]
        source: DecodeError,
    },
    /// A newer rollbook wrote the record.
    #[error("the record has version {version}, which only a newer rollbook reads")]
    NewerVersion {
        /// The record's version.
        version: u8,
    },
    /// An index entry has a shape that is never written.
    #[error("an entry of the index {index} is malformed")]
    Index {
        /// Which index.
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
        /// How many.
        bytes: usize,
    },
    /// An instant outside the calendar.
    #[error("{seconds} s and {nanoseconds} ns since 1970 are no instant")]
    Instant {
        /// Seconds since 1970.
        seconds: i64,
        /// Nanoseconds.
        nanoseconds: u32,
    },
    /// A stream name that names no stream.
    #[error("a stream name is invalid")]
    StreamName(#[source] StreamIdError),
    /// An event of a stream that the commit's table does not have.
    #[error("an event names entry {index} of the stream table, which it does not have")]
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
    /// Bytes that are no leaf of the tree.
    #[error("the bytes are no leaf: {0}")]
    Leaf(&'static str),
    /// A sealed value that is not what was sealed, or not under this key.
    #[error(
        "its personal content does not open: it is not what was sealed here, or the keyring is another store's"
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
    /// More than the header can count.
    #[error("{bytes} bytes are more than a record can hold")]
    TooLarge {
        /// How large.
        bytes: usize,
    },
}

/// Why a commit was not appended. The log is as it was, except after [`AppendError::Storage`] with [`LogError::Poisoned`] inside:
/// then the commit may turn out to be there when the store is opened again, whole, and its key tells.
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
        "the stream {stream} is at version {actual}, the commit expected {expected}; read it again and decide anew"
    )]
    VersionConflict {
        /// The stream.
        stream: String,
        /// What the commit expected.
        expected: ExpectedVersion,
        /// What the stream is at.
        actual: Version,
    },
    /// An event with this id is in the log already, or twice in the commit.
    #[error("an event with the id {id} is in the log already; every event is appended once")]
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
    #[error("the client of {stream} was erased; nothing more is recorded of them")]
    ClientErased {
        /// The stream.
        stream: String,
    },
    /// Too much is waiting to be written.
    #[error(
        "{queued_bytes} bytes are waiting to be written, the limit is {limit_bytes}; try again in a moment"
    )]
    Overloaded {
        /// What is waiting.
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
        /// How.
        #[source]
        Arc<LogError>,
    ),
}

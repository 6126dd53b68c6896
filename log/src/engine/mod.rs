//! The storage engine behind the log: ordered keys and values in column families, written in atomic
//! batches. `layout` defines the keys and values.
//!
//! [`Engine`] lists everything that the log needs from it. [`Rocks`] is the implementation on
//! RocksDB. The log is compiled against the type [`StoreEngine`], so every call is static and costs
//! nothing. With the cargo feature `fault-injection` that type is [`faulty::FaultyEngine`], which
//! lets tests fail a sync or cut the power at it.

#[cfg(feature = "fault-injection")]
mod faulty;
mod rocks;
mod scrub;
mod settings;
mod table_files;

use std::collections::HashSet;
use std::path::Path;

use crate::error::{EngineError, LogError};
#[cfg(not(feature = "fault-injection"))]
use rocks::Rocks;

/// The engine that stores use.
#[cfg(not(feature = "fault-injection"))]
pub(crate) type StoreEngine = Rocks;
/// The engine that stores use: with faults, for tests.
#[cfg(feature = "fault-injection")]
pub(crate) type StoreEngine = faulty::FaultyEngine<rocks::Rocks>;

/// The column families; see `layout`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Commits by position.
    Records,
    /// Commits by stream and version.
    Streams,
    /// Positions by event id.
    Ids,
    /// Answers by idempotency key.
    Keys,
    /// Head and store id.
    Meta,
    /// The projections' rows.
    Rows,
}

impl Family {
    /// Every family, in the order of the variants.
    pub(crate) const ALL: [Self; 6] =
        [Self::Records, Self::Streams, Self::Ids, Self::Keys, Self::Meta, Self::Rows];

    /// The name in the database.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Streams => "streams",
            Self::Ids => "ids",
            Self::Keys => "keys",
            Self::Meta => "meta",
            Self::Rows => "rows",
        }
    }
}

/// How a cursor is used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To read a few entries.
    Lookup,
    /// To read most of the family: reads ahead and does not fill the cache.
    Scan,
}

/// An open database.
pub(crate) trait Engine: Sized + Send + Sync {
    /// A position in a family.
    type Cursor<'a>: Cursor
    where
        Self: 'a;
    /// Changes that are written together.
    type Batch<'a>: Batch
    where
        Self: 'a;
    /// The database as it was at one moment.
    type Snapshot<'a>
    where
        Self: 'a;

    /// Opens an existing database without changing a byte of it.
    fn open_to_read(dir: &Path, db_dir: &Path) -> Result<Self, LogError>;

    /// Opens a database for writing. With `create` it creates a missing one.
    fn open_to_write(dir: &Path, db_dir: &Path, create: bool) -> Result<Self, LogError>;

    /// The database's own id.
    fn identity(&self) -> Result<Vec<u8>, LogError>;

    /// Whether it was opened for writing.
    fn is_writable(&self) -> bool;

    /// Calls `read` with the value of a key, without copying the value. `None` if there is no such
    /// key.
    fn get<T>(
        &self,
        family: Family,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> T,
    ) -> Result<Option<T>, LogError>;

    /// A cursor over a family.
    fn cursor(&self, family: Family, purpose: Purpose) -> Result<Self::Cursor<'_>, LogError>;

    /// A view of the database that later writes do not change.
    fn snapshot(&self) -> Self::Snapshot<'_>;

    /// The value of a key in a snapshot.
    fn get_in(
        &self,
        snapshot: &Self::Snapshot<'_>,
        family: Family,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, LogError>;

    /// A cursor over a family in a snapshot, up to the key `end`.
    fn cursor_in<'a>(
        &'a self,
        snapshot: &'a Self::Snapshot<'a>,
        family: Family,
        end: Option<Vec<u8>>,
    ) -> Result<Self::Cursor<'a>, LogError>;

    /// An empty batch.
    fn batch(&self, capacity_bytes: usize) -> Self::Batch<'_>;

    /// Copies the database as it is now into a new directory. Table files become hard links where
    /// the file system supports them. Writing continues meanwhile.
    fn checkpoint(&self, to: &Path) -> Result<(), LogError>;

    /// Makes all logged writes so far durable, in the write-ahead log.
    fn sync(&self) -> Result<(), LogError>;

    /// Makes all writes so far durable, in table files.
    ///
    /// Table files have checksums for every block, whereas an unfinished write at the end of the
    /// write-ahead log is dropped. A store that was closed cleanly therefore cannot lose its end
    /// unnoticed, and the next opening has nothing to replay.
    fn settle(&self) -> Result<(), LogError>;

    /// The names of the table files that are part of the database.
    fn table_files(&self) -> Result<HashSet<String>, LogError>;

    /// Writes everything into new table files and removes the old files and the old write-ahead
    /// log.
    fn scrub(&self) -> Result<(), LogError>;
}

/// A position in a family. After a move, [`Cursor::item`] is `None` at the end and after an error.
pub(crate) trait Cursor {
    /// Moves to the first key that is not before `key`.
    fn seek(&mut self, key: impl AsRef<[u8]>);
    /// Moves to the last key that is not after `key`.
    fn seek_for_prev(&mut self, key: impl AsRef<[u8]>);
    /// Moves to the first key.
    fn seek_to_first(&mut self);
    /// Moves to the last key.
    fn seek_to_last(&mut self);
    /// Moves to the next key.
    fn next(&mut self);
    /// Moves to the previous key.
    fn prev(&mut self);
    /// The key and the value at this position.
    fn item(&self) -> Option<(&[u8], &[u8])>;
    /// The error that ended the iteration, if any.
    fn status(&self) -> Result<(), EngineError>;
}

/// Changes that are written together.
pub(crate) trait Batch {
    /// Sets a key.
    fn put(&mut self, family: Family, key: &[u8], value: &[u8]) -> Result<(), LogError>;

    /// Removes a key.
    fn delete(&mut self, family: Family, key: &[u8]) -> Result<(), LogError>;

    /// Removes the keys from `start` up to and not including `end`.
    fn delete_range(&mut self, family: Family, start: &[u8], end: &[u8]) -> Result<(), LogError>;

    /// Writes the batch without the write-ahead log: for data that can be derived again. A crash
    /// loses the batches that are in no table file, newest first and each one completely, provided
    /// that all of them write to one family.
    fn write_unlogged(self) -> Result<(), LogError>;

    /// Writes the batch. With `sync` it is durable on return.
    fn write(self, sync: bool) -> Result<(), LogError>;
}

/// Makes an engine's error a [`LogError`] that says what was attempted.
pub(crate) fn failed<E: Into<EngineError>>(doing: &'static str) -> impl FnOnce(E) -> LogError {
    move |source| LogError::Engine { doing, source: source.into() }
}

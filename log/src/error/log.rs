//! Errors of opening, reading and writing the log.

use std::path::PathBuf;
use std::sync::Arc;

use rollbook_domain::event::Position;

use super::corruption::Corruption;
use super::engine::EngineError;
use crate::keyring::KeyringError;

/// Why the log cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The directory holds something else.
    #[error(
        "{dir} is not a rollbook store: {why}; name a store, or a new or empty directory to import into"
    )]
    NotAStore {
        /// The directory.
        dir: PathBuf,
        /// Why it is not a store.
        why: &'static str,
    },
    /// There is no store, and the caller did not ask to create one.
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
    /// Another process created a store in the directory after this one had found none.
    #[error(
        "another process created a store in {dir} in the meantime; nothing was written: try again"
    )]
    MadeMeanwhile {
        /// The directory.
        dir: PathBuf,
    },
    /// The directory was deleted, moved or replaced under the open store.
    #[error(
        "the store {dir} is gone or was replaced by another; put it back, or restore a backup, and start again"
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
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },
    /// A path that must not exist.
    #[error("{path} already exists; name a new directory: existing ones are never overwritten")]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// Another process is building a directory for the same path.
    #[error("another process is building in {path}; wait until it has finished")]
    BeingBuilt {
        /// Where it is building.
        path: PathBuf,
    },
    /// The operating system refused an access to a file.
    #[error(
        "cannot {doing} {path}; check the path, its permissions and the free space, then try again"
    )]
    File {
        /// What was attempted.
        doing: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// The operating system's error.
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
        /// The database's error.
        #[source]
        source: EngineError,
    },
    /// The process may not open as many files as the database has.
    #[error(
        "the store {dir} needs up to {needed} open files, and this process may open {limit}; raise its limit of open files, then try again"
    )]
    OpenFiles {
        /// The store's directory.
        dir: PathBuf,
        /// How many files it needs.
        needed: u64,
        /// How many the process may open.
        limit: u64,
    },
    /// A file of the database is damaged.
    #[error(
        "{path} is damaged at byte {offset}: {what}; restore a backup, and keep this store for analysis"
    )]
    DamagedFile {
        /// The file.
        path: PathBuf,
        /// Offset of the damaged part, in bytes.
        offset: u64,
        /// What is wrong with it.
        what: String,
    },
    /// The database failed.
    #[error("the database failed to {doing}; check the disk and its free space, then try again")]
    Engine {
        /// What was attempted.
        doing: &'static str,
        /// The database's error.
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
    /// An earlier write failed. The log accepts no writes until it is opened again.
    #[error(
        "the log accepts no more writes because one failed; acknowledged commits are safe: free disk space or repair the disk, then open the store again"
    )]
    Poisoned(
        /// The failure.
        #[source]
        Arc<LogError>,
    ),
    /// An old file that must be deleted still has a reader.
    #[error("{path} was not deleted because a reader in this process still has it open; try again")]
    StillRead {
        /// The file.
        path: PathBuf,
    },
    /// The keyring or the master key.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// A position inside a commit, where the last position of a commit is required.
    #[error("position {position} is inside the commit of positions {first} to {last}; name {last} or {}", first - 1)]
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
    #[error("cannot start the writer thread; raise the limit of threads, then try again")]
    Thread(
        /// The operating system's error.
        #[source]
        std::io::Error,
    ),
}

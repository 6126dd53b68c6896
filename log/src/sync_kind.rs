//! The kinds of sync points.

/// What a sync makes durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SyncKind {
    /// The content of a file.
    File,
    /// The entries of a directory.
    Directory,
    /// A rename that publishes a file or a directory.
    Rename,
    /// The database's write-ahead log.
    WriteAheadLog,
    /// The database's table files.
    TableFiles,
    /// A copy of the database.
    Checkpoint,
}

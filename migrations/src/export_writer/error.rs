//! Why an export cannot be written.

use std::path::PathBuf;

/// Why an export was not written. Nothing of it remains in the directory.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The directory contains something.
    #[error("{} is not empty", .path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// The path is not that of a directory, or of a new one.
    #[error("{} is not a directory that an export can be written to", .path.display())]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
    /// Writing failed.
    #[error("{doing} {} failed: {source}", .path.display())]
    Write {
        /// The operation, such as `syncing`.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// The store cannot be read.
    #[error("the store cannot be read: {0}")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
}

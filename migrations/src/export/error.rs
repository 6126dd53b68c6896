//! Why an export cannot be written, and what to do next.

use std::path::PathBuf;

/// Why an export was not written. Nothing of it is left in the directory.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The directory holds something.
    #[error("{} is not empty; name a new or an empty directory, so that nothing there is overwritten", path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// Something else has the name.
    #[error("{} is no directory that an export can be written to; name a new or an empty directory", path.display())]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
    /// Writing failed.
    #[error("{doing} {} failed: {source}; make room or name a directory that this user may write to, and export again", path.display())]
    Write {
        /// What was being done.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// The store cannot be read.
    #[error("the store cannot be read: {0}")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
}

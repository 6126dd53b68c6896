//! Errors of backups. An error about damage names every damaged file.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rollbook_domain::Position;
use rollbook_log::{AppendError, LogError};
use rollbook_projections::ProjectionError;

use super::erasure_ledger::LedgerError;
use crate::code::{Code, Coded};

/// An error of taking, verifying or restoring a backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store, or the restored store, cannot be read or written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Rows cannot be folded or read.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
    /// A file cannot be read or written.
    #[error(
        "cannot {doing} {path}; check the path, its permissions and the free space, then run again"
    )]
    File {
        /// The attempted action.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// The name is not allowed for a backup.
    #[error(
        "{name:?} is no name for a backup; use up to 100 letters, digits, - _ and ., and no . first"
    )]
    Name {
        /// The given name.
        name: String,
    },
    /// No backup has this name.
    #[error("there is no backup {name} in {directory}")]
    Unknown {
        /// The name.
        name: String,
        /// The directory that was searched.
        directory: PathBuf,
    },
    /// Another backup has this name.
    #[error("there is a backup {name} in {directory} already")]
    NameTaken {
        /// The name.
        name: String,
        /// The directory.
        directory: PathBuf,
    },
    /// Another process is taking, checking or removing a backup in the directory.
    #[error(
        "another backup is being taken, checked or removed in {directory}; wait until it has finished"
    )]
    Busy {
        /// The directory.
        directory: PathBuf,
    },
    /// A newer Rollbook release took the backup.
    #[error(
        "the backup {name} has format {found}, this rollbook reads format {known}; use the newer rollbook that made it"
    )]
    Newer {
        /// The backup.
        name: String,
        /// The format version of the backup.
        found: u64,
        /// The newest format version that this build reads.
        known: u64,
    },
    /// Files of the backup differ from the manifest.
    #[error("the backup {name} is damaged: {}; restore another one, and keep this one for analysis", .findings.first().map(Finding::to_string).unwrap_or_default())]
    Damaged {
        /// The backup.
        name: String,
        /// Each damaged file.
        findings: Vec<Finding>,
    },
    /// The restored content differs from the manifest.
    #[error(
        "the backup {name} does not give back what its manifest says: {what}; restore another one, and keep this one for analysis"
    )]
    Differs {
        /// The backup.
        name: String,
        /// The difference.
        what: String,
    },
    /// The store is damaged, so a backup of it would be damaged too.
    #[error("the store is damaged, no backup was taken")]
    UnsoundStore(#[source] LogError),
    /// Clients who were erased after the backup could not be erased in the restored store.
    #[error("nothing was restored: clients who were erased since could not be erased again")]
    Forget(#[source] Box<LedgerError>),
    /// The erasure ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The backup is complete, but the store could not record it.
    #[error(
        "the backup {name} is complete, but the store did not record it (head {head}); make the store writable again"
    )]
    NotRecorded {
        /// The backup.
        name: String,
        /// The head of the log in the backup.
        head: Position,
        /// The cause.
        #[source]
        source: AppendError,
    },
}

/// A damaged file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = BackupFinding))]
pub struct Finding {
    /// The path of the file in the backup.
    pub file: String,
    /// The damage.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.file, self.what)
    }
}

impl BackupError {
    /// Makes an error of the file system for a path.
    pub(super) fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { doing, path, source }
    }

    /// Whether a rule forbids the request, as opposed to a failure.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::NameTaken { .. }
                | Self::Busy { .. }
                | Self::Log(LogError::Exists { .. } | LogError::BeingBuilt { .. })
        )
    }
}

impl Coded for BackupError {
    fn code(&self) -> Code {
        match self {
            Self::Name { .. } => Code::Usage,
            Self::Unknown { .. } => Code::UnknownBackup,
            Self::NameTaken { .. } => Code::BackupExists,
            Self::Busy { .. } => Code::Busy,
            Self::Newer { .. } => Code::NewerBackup,
            Self::Damaged { .. } | Self::Differs { .. } => Code::DamagedBackup,
            Self::UnsoundStore(_) => Code::Damaged,
            Self::NotRecorded { .. } => Code::NotRecorded,
            Self::Forget(_) | Self::Ledger(LedgerError::File { .. }) => Code::Erasures,
            Self::Ledger(LedgerError::Store(error)) => error.code(),
            Self::File { .. } => Code::File,
            Self::Log(error) => error.code(),
            Self::Projection(error) => error.code(),
        }
    }
}

//! Errors of backups. Every damaged file is named.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rollbook_domain::Position;
use rollbook_log::{AppendError, LogError};
use rollbook_projections::ProjectionError;

use super::erasure_ledger::LedgerError;
use crate::code::{Code, Coded};

/// Why a backup was not taken, is not good, or was not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store, or the one that was restored, could not be read or written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Rows could not be folded or read.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
    /// The file system refused.
    #[error(
        "cannot {doing} {path}; check the path, its permissions and the free space, then run again"
    )]
    File {
        /// What was attempted.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// No name for a backup.
    #[error(
        "{name:?} is no name for a backup; use up to 100 letters, digits, - _ and ., and no . first"
    )]
    Name {
        /// What was given.
        name: String,
    },
    /// No backup of that name.
    #[error("there is no backup {name} in {directory}")]
    Unknown {
        /// The name.
        name: String,
        /// Where it was looked for.
        directory: PathBuf,
    },
    /// A name that is taken.
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
    /// A newer rollbook made it.
    #[error(
        "the backup {name} has format {found}, this rollbook reads format {known}; use the newer rollbook that made it"
    )]
    Newer {
        /// The backup.
        name: String,
        /// Its format.
        found: u64,
        /// What can be read.
        known: u64,
    },
    /// Files of the backup are not what was written.
    #[error("the backup {name} is damaged: {}; restore another one, and keep this one for analysis", .findings.first().map(Finding::to_string).unwrap_or_default())]
    Damaged {
        /// The backup.
        name: String,
        /// Every file that is not as it should be.
        findings: Vec<Finding>,
    },
    /// What the backup gives back is not what the manifest says.
    #[error(
        "the backup {name} does not give back what its manifest says: {what}; restore another one, and keep this one for analysis"
    )]
    Differs {
        /// The backup.
        name: String,
        /// What differs.
        what: String,
    },
    /// The store is damaged, and a backup of it would be too.
    #[error("the store is damaged, no backup was taken")]
    UnsoundStore(#[source] LogError),
    /// Clients who were erased since the backup could not be erased again.
    #[error("nothing was restored: clients who were erased since could not be erased again")]
    Forget(#[source] Box<LedgerError>),
    /// The erasure ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The backup is complete, but the store has no record of it.
    #[error(
        "the backup {name} is complete, but the store did not record it (head {head}); make the store writable again"
    )]
    NotRecorded {
        /// The backup.
        name: String,
        /// The head it holds.
        head: Position,
        /// Why not.
        #[source]
        source: AppendError,
    },
}

/// A file of a backup that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = BackupFinding))]
pub struct Finding {
    /// The file, below the backup's directory.
    pub file: String,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.file, self.what)
    }
}

impl BackupError {
    /// An error of the file system on a path.
    pub(super) fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { doing, path, source }
    }

    /// Whether a rule forbids the request, rather than something having failed.
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

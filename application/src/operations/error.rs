//! Errors of operations that need both a store and a migration.

use rollbook_log::LogError;
use rollbook_migrations::MigrationError;
use rollbook_projections::ProjectionError;

use crate::store::StoreError;

/// An error of an operation.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// A read or a command on the store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A batch cannot be planned, read, applied or validated.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// A temporary file cannot be created or read.
    #[error("cannot use a temporary file")]
    Scratch(#[source] std::io::Error),
}

impl From<LogError> for OperationError {
    fn from(error: LogError) -> Self {
        Self::Store(error.into())
    }
}

impl From<ProjectionError> for OperationError {
    fn from(error: ProjectionError) -> Self {
        Self::Store(error.into())
    }
}

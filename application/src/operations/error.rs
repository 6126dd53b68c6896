//! Errors of operations that need both a store and a migration.

use rollbook_log::LogError;
use rollbook_migrations::MigrationError;
use rollbook_projections::ProjectionError;

use crate::store::StoreError;

/// Why an operation failed or was refused.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// A read or a command on the store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A batch was not planned, read, applied or validated.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// A temporary file cannot be made or read.
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

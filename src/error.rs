//! What can go wrong in the application. Owns the one error enum of this crate and the exit code of each.

use rollbook_domain::control::SwitchRefused;
use rollbook_domain::series::decide::Refused;
use rollbook_log::{AppendError, LogError};
use rollbook_projections::ProjectionError;

/// Why something asked of a store was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store cannot be opened or read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A commit was not appended.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// Rows could not be folded or read.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
    /// A command on a series is refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// A switch is refused.
    #[error(transparent)]
    Switch(#[from] SwitchRefused),
    /// No such assignment.
    #[error("no assignment has the id {0:?}; give its own id, its document's, the old legacy id, or <base>_week_<n>")]
    UnknownAssignment(String),
    /// No such response.
    #[error("no response has the id {0:?}; `rollbook history` of its assignment shows the response's id")]
    UnknownResponse(String),
    /// A stream that is no series.
    #[error("{0} is no series; write series/<client>/<form>")]
    NoSeries(String),
    /// Others were faster every time.
    #[error("other writers changed {0} each time this was decided; try again")]
    Contended(String),
    /// Output could not be written.
    #[error("the output could not be written")]
    Output(#[from] std::io::Error),
}

impl StoreError {
    /// The exit code of the command line: 1 failed, 3 refused.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(_) | Self::Switch(_) => 3,
            _ => 1,
        }
    }
}

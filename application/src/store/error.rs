//! Errors of a store: opening, reading, deciding and appending. Each boundary above has its own enum and may hold this one.

use std::path::PathBuf;

use rollbook_domain::control::SwitchRejection;
use rollbook_domain::series::decide::Rejection;
use rollbook_log::{AppendError, LogError};
use rollbook_projections::ProjectionError;

use crate::code::{Code, Coded};

/// Why a read or a command on a store failed or was refused.
#[derive(Debug, thiserror::Error)]
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
    Refused(#[from] Rejection),
    /// A switch is refused.
    #[error(transparent)]
    Switch(#[from] SwitchRejection),
    /// No such assignment.
    #[error(
        "no assignment has the id {0:?}; give its own id, its document's, the old legacy id, or <base>_week_<n>"
    )]
    UnknownAssignment(String),
    /// No such response.
    #[error(
        "no response has the id {0:?}; `rollbook history` of its assignment shows the response's id"
    )]
    UnknownResponse(String),
    /// A stream that is no series.
    #[error("{0} is no series; write series/<client>/<form>")]
    NoSeries(String),
    /// Other writers changed the stream every time the command was decided.
    #[error("other writers changed {0} each time this was decided; try again")]
    Contended(String),
    /// The erasure ledger in a directory of backups cannot be read or written.
    #[error(
        "cannot read or write what backups are told of erasures: {path}; put the file back from a copy, or check the directory"
    )]
    Erasures {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// No such client.
    #[error("no client document has the id or authUid {0:?}")]
    UnknownClient(String),
    /// No such form.
    #[error("no form document has the id {0:?}")]
    UnknownForm(String),
    /// No such coach.
    #[error("no coach document has the id {0:?}")]
    UnknownCoach(String),
    /// A series without events.
    #[error("there is no {0}; `rollbook history client/<id>` lists what a client has")]
    UnknownSeries(String),
    /// An id that names nothing in this store.
    #[error(
        "nothing here has the id {0:?}: no assignment, response, client, coach, form, series, event or batch; a batch may be named by the first 6 or more digits of its digest"
    )]
    UnknownId(String),
    /// Several batches share the beginning of a digest.
    #[error("{0:?} is the beginning of several digests; give more of it")]
    AmbiguousDigest(String),
    /// A range of positions whose end is before its beginning.
    #[error("{0}")]
    Range(String),
    /// A rendered body is not JSON: a defect of this build.
    #[error("the view rendered a body that is not JSON")]
    Body(#[source] serde_json::Error),
}

impl StoreError {
    /// What to do next, where the message does not say so itself.
    pub fn next_step(&self) -> Option<String> {
        match self {
            Self::Refused(refused) => refused_next(refused),
            Self::Append(AppendError::KeyReused { .. }) => {
                Some("a new --key, or none, makes this a new request".to_owned())
            }
            Self::UnknownClient(_) => {
                Some("`rollbook view legacy --all` lists every client document".to_owned())
            }
            Self::UnknownForm(_) | Self::UnknownCoach(_) => Some(
                "import an export that has it, or give --allow-unknown where the command takes it"
                    .to_owned(),
            ),
            Self::Log(error) | Self::Projection(ProjectionError::Log(error)) => log_next(error),
            Self::Append(AppendError::Storage(error)) => log_next(error),
            Self::Projection(ProjectionError::Row { .. } | ProjectionError::TreeRow { .. }) => {
                Some("`rollbook rebuild --all` builds the rows again from the log".to_owned())
            }
            Self::Projection(ProjectionError::CutShort { .. }) => {
                Some("`rollbook verify` checks the log".to_owned())
            }
            _ => None,
        }
    }
}

fn log_next(error: &LogError) -> Option<String> {
    match error {
        LogError::Missing { dir } => {
            Some(format!("rollbook --data {} import EXPORT_DIR", dir.display()))
        }
        _ => None,
    }
}

fn refused_next(refused: &Rejection) -> Option<String> {
    Some(match refused {
        Rejection::NoSuchWeek { .. } => "`rollbook history` of the series shows the weeks there are".to_owned(),
        Rejection::Completed(_) => {
            "`rollbook history` shows the answer; `rollbook withdraw --assignment ID` sets the week back to pending".to_owned()
        }
        Rejection::AlreadyMissed(_) => "`rollbook reopen ID` opens the week again".to_owned(),
        Rejection::NotOverdue { due, .. } => {
            let from = due.plus_milliseconds(rollbook_domain::status::OVERDUE_AFTER_MILLISECONDS);
            format!("it can be marked missed from {from} on")
        }
        Rejection::NoComment => "say it with --comment".to_owned(),
        Rejection::ShortReason { .. } => "write a longer text".to_owned(),
        Rejection::TextTooLong { .. } => "write a shorter text".to_owned(),
        Rejection::OutOfRange { least, most, .. } => format!("give a number from {least} to {most}"),
        Rejection::NothingToPause(_) => "`rollbook view live --client ID` shows what is due".to_owned(),
        Rejection::NoPause => "`rollbook history` of the series shows its pauses".to_owned(),
        Rejection::StillOpen(_) => "`rollbook respond ID` answers it".to_owned(),
        Rejection::NoSuchResponse { .. } => "`rollbook history` of the assignment shows its response".to_owned(),
        _ => return None,
    })
}

impl Coded for StoreError {
    fn code(&self) -> Code {
        match self {
            Self::Log(error) => error.code(),
            Self::Append(error) => error.code(),
            Self::Projection(error) => error.code(),
            Self::Refused(error) => error.code(),
            Self::Switch(error) => error.code(),
            Self::Contended(_) => Code::Contended,
            Self::UnknownAssignment(_)
            | Self::UnknownResponse(_)
            | Self::UnknownClient(_)
            | Self::UnknownForm(_)
            | Self::UnknownCoach(_)
            | Self::UnknownSeries(_)
            | Self::UnknownId(_)
            | Self::NoSeries(_) => Code::UnknownId,
            Self::AmbiguousDigest(_) => Code::AmbiguousId,
            Self::Range(_) => Code::Usage,
            Self::Erasures { .. } => Code::Erasures,
            Self::Body(_) => Code::Internal,
        }
    }
}

//! Errors of verification.

use std::error::Error;

use rollbook_application::code::{Code, Coded};
use rollbook_application::store::StoreError;
use rollbook_log::LogError;
use rollbook_projections::ProjectionError;

/// Why a verification failed.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The store cannot be read for a reason other than damage.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store is damaged.
    #[error("the store is damaged{}; {} of {head} positions were read", .position.map(|at| format!(" at position {at}")).unwrap_or_default(), .read)]
    Damaged {
        /// The first damaged position; `None` if only rows are damaged.
        position: Option<u64>,
        /// The number of positions that could be read.
        read: u64,
        /// The head.
        head: u64,
        /// All findings, one line each.
        findings: Vec<String>,
    },
    /// Nothing is damaged, but an erasure was interrupted: rows and files still have what was folded
    /// from the client's data.
    #[error("the log is intact, and the erasure of {} is not finished: rows and files were not cleared", .clients.join(", "))]
    UnfinishedErasure {
        /// The clients, each by the id of the client document.
        clients: Vec<String>,
    },
}

impl VerifyError {
    /// The next step.
    pub fn next_step(&self) -> Option<String> {
        match self {
            // The command line has the next step after an error of a store.
            Self::Store(_) => None,
            Self::UnfinishedErasure { clients } => {
                let client = clients.first().map(String::as_str).unwrap_or_default();
                Some(format!(
                    "`rollbook erase --client {client} --reason TEXT --yes` finishes it, and writes no second event"
                ))
            }
            Self::Damaged { position: Some(_), .. } => {
                Some("keep this store for analysis and restore a backup".to_owned())
            }
            Self::Damaged { position: None, .. } => Some("rebuild the rows with `rollbook rebuild --all`; if more than rows is damaged, keep this store for analysis and restore a backup".to_owned()),
        }
    }
}

impl From<LogError> for VerifyError {
    fn from(error: LogError) -> Self {
        Self::Store(error.into())
    }
}

impl From<ProjectionError> for VerifyError {
    fn from(error: ProjectionError) -> Self {
        Self::Store(error.into())
    }
}

/// The chain of sources of an error, nearest first, without repetitions.
pub fn causes(outer: &dyn Error) -> Vec<String> {
    let mut causes = Vec::new();
    let mut error = outer;
    while let Some(source) = error.source() {
        let text = source.to_string();
        // A transparent error repeats the text of its source.
        if causes.last() != Some(&text) && text != outer.to_string() {
            causes.push(text);
        }
        error = source;
    }
    causes
}

impl Coded for VerifyError {
    fn code(&self) -> Code {
        match self {
            Self::Store(error) => error.code(),
            Self::Damaged { .. } => Code::Damaged,
            Self::UnfinishedErasure { .. } => Code::ErasureUnfinished,
        }
    }
}

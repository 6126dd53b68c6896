//! Errors of a store: opening, reading, deciding and appending. Each boundary above defines its own
//! enum and may wrap this one.

use rollbook_domain::control::{AcceptanceRejection, SwitchRejection};
use rollbook_domain::series::decide::Rejection;
use rollbook_log::{AppendError, LogError};
use rollbook_projections::ProjectionError;

use crate::code::{Code, Coded};

/// An error of a read or a command on a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be opened or read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A commit was not appended.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// Rows cannot be folded or read.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
    /// A rule forbids a command on a series.
    #[error(transparent)]
    Refused(#[from] Rejection),
    /// A rule forbids a switch.
    #[error(transparent)]
    Switch(#[from] SwitchRejection),
    /// A rule forbids to accept findings, or to withdraw an acceptance.
    #[error(transparent)]
    Acceptance(#[from] AcceptanceRejection),
    /// No assignment has this id.
    #[error(
        "no assignment has the id {0:?}; give its own id, its document's, the old legacy id, or <base>_week_<n>"
    )]
    UnknownAssignment(String),
    /// No response has this id.
    #[error("no response has the id {0:?}")]
    UnknownResponse(String),
    /// No correction has this id.
    #[error("there is no correction {0}")]
    UnknownCorrection(String),
    /// The stream is not a series.
    #[error("{0} is not a series; write series/<client>/<form>")]
    NoSeries(String),
    /// Other writers changed the stream at every attempt.
    #[error("other writers changed {0} each time this was decided; try again")]
    Contended(String),
    /// No client has this id.
    #[error("no client document has the id or authUid {0:?}")]
    UnknownClient(String),
    /// No form has this id.
    #[error("no form document has the id {0:?}")]
    UnknownForm(String),
    /// No coach has this id.
    #[error("no coach document has the id {0:?}")]
    UnknownCoach(String),
    /// The id is that of a coach or an administrator, and only clients can be erased.
    #[error(
        "{0:?} is not a client but a coach or an administrator: their words are sealed with the keys of the clients whom they are about, and go with them"
    )]
    NotAClient(String),
    /// The series has no events.
    #[error("there is no {0}")]
    UnknownSeries(String),
    /// Nothing in the store has this id.
    #[error(
        "nothing here has the id {0:?}: no assignment, response, client, coach, form, series, event or batch; a batch may be named by the first 6 or more digits of its digest"
    )]
    UnknownId(String),
    /// Several batches share the beginning of a digest.
    #[error("{0:?} is the beginning of several digests; give more of it")]
    AmbiguousDigest(String),
    /// The document of a client, a coach or a form cannot be stored. The text says why.
    #[error("the document cannot be stored: {0}")]
    UnfitDocument(String),
    /// Another client has the identity that a document would give to a client.
    #[error("{identity:?} is an id or the authUid of the client {client:?} already")]
    IdentityTaken {
        /// The id or the `authUid`.
        identity: String,
        /// The client that has it.
        client: String,
    },
    /// The end of a range of positions is before its start.
    #[error("{0}")]
    Range(String),
    /// A rendered body is not JSON. This is a defect of this build.
    #[error("the view rendered a body that is not JSON")]
    Body(#[source] serde_json::Error),
}

impl Coded for StoreError {
    fn code(&self) -> Code {
        match self {
            Self::Log(error) => error.code(),
            Self::Append(error) => error.code(),
            Self::Projection(error) => error.code(),
            Self::Refused(error) => error.code(),
            Self::Switch(error) => error.code(),
            Self::Acceptance(error) => error.code(),
            Self::Contended(_) => Code::Contended,
            Self::NotAClient(_) => Code::NotAClient,
            Self::UnknownAssignment(_)
            | Self::UnknownResponse(_)
            | Self::UnknownCorrection(_)
            | Self::UnknownClient(_)
            | Self::UnknownForm(_)
            | Self::UnknownCoach(_)
            | Self::UnknownSeries(_)
            | Self::UnknownId(_)
            | Self::NoSeries(_) => Code::UnknownId,
            Self::AmbiguousDigest(_) => Code::AmbiguousId,
            Self::UnfitDocument(_) => Code::UnfitDocument,
            Self::IdentityTaken { .. } => Code::IdentityTaken,
            Self::Range(_) => Code::Usage,
            Self::Body(_) => Code::Internal,
        }
    }
}

//! Errors of keys, checkpoints, proofs and certificates.

use std::path::PathBuf;

use rollbook_log::LogError;
use rollbook_migrations::certificate::CertificateError;
use rollbook_projections::ProjectionError;
use rollbook_proofs::{KeyError, ProofError};

use crate::code::{Code, Coded};
use crate::store::StoreError;

/// An error of making or verifying a checkpoint, a proof or a certificate.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A proof or a checkpoint cannot be made.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// A file cannot be read or written.
    #[error("cannot {doing} {}; check the path and its permissions", .path.display())]
    File {
        /// The attempted action.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// The file does not contain a key.
    #[error("{} holds no key", .path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: KeyError,
    },
    /// Other users have the permission to read the signing key.
    #[error("{} may be read by others than its owner; run `chmod 600` on it, and think of the key as known", .path.display())]
    OpenKey {
        /// The file.
        path: PathBuf,
    },
    /// The store was signed before, but the signing key is missing.
    #[error("checkpoints of this store are signed by {stored}, and there is no signing key in {}", .path.display())]
    KeyGone {
        /// The path that was tried.
        path: PathBuf,
        /// The key that signed before.
        stored: String,
    },
    /// The key is not the one that signed before.
    #[error("checkpoints of this store are signed by {stored}, not by {given}")]
    OtherKey {
        /// The key that signed before.
        stored: String,
        /// The given key.
        given: String,
    },
    /// The store has no key yet.
    #[error("this store has no key yet")]
    NoKeyYet,
    /// The log contradicts a signed checkpoint.
    #[error("the log of {head} events contradicts the checkpoint {}, signed at {size}; nothing is signed", .path.display())]
    Contradicted {
        /// The file of the checkpoint.
        path: PathBuf,
        /// The number of events in the checkpoint.
        size: u64,
        /// The head of the log.
        head: u64,
    },
    /// A proof file does not verify.
    #[error("{} is refused", .path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Box<ProofError>,
    },
    /// The new certificate does not verify.
    #[error("the certificate cannot be made")]
    Certificate(#[source] CertificateError),
    /// There is nothing to certify: the batch was not applied.
    #[error("there is no migration to certify: no such batch was applied")]
    NotApplied,
    /// There is nothing to certify: no validation ran after the batch.
    #[error("there is no migration to certify: no validation ran after the batch")]
    NotValidated,
    /// There is nothing to certify: the log has no `BatchPlanned` event at the expected position.
    #[error("there is no migration to certify: the event with its id does not plan a batch")]
    NotPlanned,
    /// A certificate does not verify.
    #[error("{} is refused", .path.display())]
    CertificateRefused {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Box<CertificateError>,
    },
    /// The certificates are for different batches.
    #[error("the certificates are of two batches, {one} and {other}")]
    TwoBatches {
        /// The digest in one certificate.
        one: String,
        /// The digest in another certificate.
        other: String,
    },
    /// The file is not a proof.
    #[error("{} is not a proof: it begins with neither c2sp.org/tlog-proof@v1 nor rollbook-consistency-proof 1", .path.display())]
    NoProof {
        /// The file.
        path: PathBuf,
    },
    /// The leaf of the proof is not an event.
    #[error("{} is refused: it does not prove an event of the log at that position", .path.display())]
    NoEvent {
        /// The file.
        path: PathBuf,
    },
}

impl EvidenceError {
    /// Whether a rule forbids the request, as opposed to a failure.
    pub fn is_refusal(&self) -> bool {
        !matches!(self, Self::Store(_) | Self::File { .. } | Self::NoKeyYet)
    }
}

impl From<LogError> for EvidenceError {
    fn from(error: LogError) -> Self {
        Self::Store(error.into())
    }
}

impl From<ProjectionError> for EvidenceError {
    fn from(error: ProjectionError) -> Self {
        Self::Store(error.into())
    }
}

impl Coded for EvidenceError {
    fn code(&self) -> Code {
        match self {
            Self::Store(error) => error.code(),
            Self::File { .. } => Code::File,
            Self::NoKeyYet
            | Self::NoKey { .. }
            | Self::KeyGone { .. }
            | Self::OtherKey { .. }
            | Self::OpenKey { .. } => Code::Key,
            Self::Contradicted { .. } => Code::Contradicted,
            Self::NotApplied | Self::NotValidated | Self::NotPlanned | Self::Certificate(_) => {
                Code::NothingToCertify
            }
            Self::CertificateRefused { .. } | Self::TwoBatches { .. } => Code::CertificateRefused,
            Self::Proof(_) | Self::Refused { .. } | Self::NoProof { .. } | Self::NoEvent { .. } => {
                Code::ProofRefused
            }
        }
    }
}

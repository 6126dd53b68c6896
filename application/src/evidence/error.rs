//! Errors of keys, checkpoints, proofs and certificates.

use std::path::PathBuf;

use rollbook_log::LogError;
use rollbook_migrations::certificate::CertificateError;
use rollbook_projections::ProjectionError;
use rollbook_proofs::{KeyError, ProofError};

use crate::code::{Code, Coded};
use crate::store::StoreError;

/// Why a checkpoint or a proof was not made or not believed.
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
        /// What was attempted.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// A file that is no key.
    #[error("{} holds no key", .path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: KeyError,
    },
    /// A signing key that others may read.
    #[error("{} may be read by others than its owner; run `chmod 600` on it, and think of the key as known", .path.display())]
    OpenKey {
        /// The file.
        path: PathBuf,
    },
    /// The store was signed before, and the key is not where it was.
    #[error("checkpoints of this store are signed by {stored}, and there is no signing key in {}", .path.display())]
    KeyGone {
        /// Where it was looked for.
        path: PathBuf,
        /// The key that signed.
        stored: String,
    },
    /// Another key than the one that signed before.
    #[error("checkpoints of this store are signed by {stored}, not by {given}")]
    OtherKey {
        /// The key that signed.
        stored: String,
        /// The key that was given.
        given: String,
    },
    /// No key yet.
    #[error("this store has no key yet")]
    NoKeyYet,
    /// The log is not what it was signed to be.
    #[error("the log of {head} events contradicts the checkpoint {}, signed at {size}; nothing is signed", .path.display())]
    Contradicted {
        /// The checkpoint.
        path: PathBuf,
        /// Its size.
        size: u64,
        /// The head of the log.
        head: u64,
    },
    /// A proof file does not verify.
    #[error("{} is refused", .path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<ProofError>,
    },
    /// The certificate would not verify.
    #[error("the certificate cannot be made")]
    Certificate(#[source] CertificateError),
    /// No migration to certify: there is no such batch.
    #[error("there is no migration to certify: no such batch was applied")]
    NotApplied,
    /// No migration to certify: no validation came after the batch.
    #[error("there is no migration to certify: it was not validated since")]
    NotValidated,
    /// No migration to certify: the log does not plan the batch where it should.
    #[error("there is no migration to certify: the event of its id plans no batch")]
    NotPlanned,
    /// A certificate does not verify.
    #[error("{} is refused", .path.display())]
    CertificateRefused {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<CertificateError>,
    },
    /// Certificates of two batches.
    #[error("the certificates are of two batches, {one} and {other}")]
    TwoBatches {
        /// The digest in one of them.
        one: String,
        /// The digest in another.
        other: String,
    },
    /// A file that is neither kind of proof.
    #[error("{} is not a proof: it begins with neither c2sp.org/tlog-proof@v1 nor rollbook-consistency-proof 1", .path.display())]
    NoProof {
        /// The file.
        path: PathBuf,
    },
    /// The bytes that a proof is about are no event.
    #[error("{} is refused: it does not prove an event of the log at that position", .path.display())]
    NoEvent {
        /// The file.
        path: PathBuf,
    },
}

impl EvidenceError {
    /// Whether it is a refusal rather than a failure.
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

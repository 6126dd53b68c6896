//! The errors of this crate.

/// The reason for which a checkpoint, a proof or a certificate is rejected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The bytes are not a file of this kind.
    #[error("{what} is malformed: {why}; get the file again from its source")]
    Malformed {
        /// The kind of file.
        what: &'static str,
        /// The defect.
        why: &'static str,
    },
    /// The content is valid, but Rollbook would write it with other bytes.
    #[error(
        "the file is not in canonical form: its content would be written with other bytes; get the file again from its source"
    )]
    NotCanonical,
    /// The checkpoint has no signature by the expected key.
    #[error(
        "the checkpoint is not signed by {key}; use the verifier key of the log that signed it"
    )]
    NotSigned {
        /// The expected key.
        key: String,
    },
    /// The signature does not match the text.
    #[error(
        "the checkpoint's signature by {key} is invalid: the text or the signature was changed"
    )]
    BadSignature {
        /// The key that the signature names.
        key: String,
    },
    /// The file names a key other than the trusted one.
    #[error("the file names the key {found}, but the trusted key is {trusted}")]
    OtherKey {
        /// The key in the file.
        found: String,
        /// The trusted key.
        trusted: String,
    },
    /// The leaf is not at this position in the tree.
    #[error(
        "the proof does not connect the event at position {position} with the signed root: the event or the proof was changed"
    )]
    NotIncluded {
        /// The position that the proof names.
        position: u64,
    },
    /// The older tree is not a prefix of the newer one.
    #[error(
        "the proof does not show that the tree of {older} events is a prefix of the tree of {newer} events"
    )]
    NotConsistent {
        /// The size of the older tree.
        older: u64,
        /// The size of the newer tree.
        newer: u64,
    },
    /// The checkpoints belong to different logs.
    #[error("the checkpoints belong to different logs, {older} and {newer}")]
    OtherLog {
        /// The origin of the older checkpoint.
        older: String,
        /// The origin of the newer checkpoint.
        newer: String,
    },
    /// A checkpoint could not be signed.
    #[error("the checkpoint could not be signed")]
    Signing(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ProofError {
    /// Creates [`ProofError::Malformed`].
    pub(crate) fn malformed(what: &'static str, why: &'static str) -> Self {
        Self::Malformed { what, why }
    }
}

/// The reason for which a text is not a valid key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is not a verifier key.
    #[error("{0:?} is not a verifier key; a verifier key is one line of the form name+hash+base64")]
    Verifier(String),
    /// The text is not a signing key. The error does not repeat it, because it may be nearly a
    /// secret key.
    #[error(
        "the text is not a signing key; a signing key is one line that begins with PRIVATE+KEY+"
    )]
    Signing,
    /// The name is not valid for a key.
    #[error(
        "{0:?} is not a valid name for a key: it must not be empty and must not contain spaces or +"
    )]
    Name(String),
}

//! Why a proof is refused. Owns the error types and their texts.

/// Why a checkpoint, a proof or a certificate is not believed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// Bytes that no such file has.
    #[error("{what} is malformed: {why}; get the file again from where it was made")]
    Malformed {
        /// What was read.
        what: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The same content in other bytes: nothing that rollbook writes.
    #[error(
        "the file does not have the bytes that its content is written with; get it again from where it was made"
    )]
    NotCanonical,
    /// Signed by somebody else, or by nobody.
    #[error("the checkpoint is not signed by {key}; give the verifier key of the log that made it")]
    NotSigned {
        /// The key that should have signed.
        key: String,
    },
    /// A signature that does not fit the text.
    #[error(
        "the checkpoint's signature by {key} does not hold: the text or the signature was changed"
    )]
    BadSignature {
        /// The key that is said to have signed.
        key: String,
    },
    /// The file brings another key than the one that is trusted.
    #[error("the file names the key {found}, and the key to be trusted is {trusted}")]
    OtherKey {
        /// The key in the file.
        found: String,
        /// The key that was given.
        trusted: String,
    },
    /// The leaf is not in the tree at that place.
    #[error(
        "the proof does not lead from the event at position {position} to the signed root: the event or the proof was changed"
    )]
    NotIncluded {
        /// The position that the proof is about.
        position: u64,
    },
    /// The older tree is no prefix of the newer one.
    #[error(
        "the proof does not show that the tree of {newer} events begins with the tree of {older} events"
    )]
    NotConsistent {
        /// Size of the older tree.
        older: u64,
        /// Size of the newer tree.
        newer: u64,
    },
    /// Two checkpoints of two logs.
    #[error("the checkpoints are of two logs, {older} and {newer}")]
    OtherLog {
        /// Origin of the older checkpoint.
        older: String,
        /// Origin of the newer checkpoint.
        newer: String,
    },
    /// A checkpoint could not be signed.
    #[error("the checkpoint could not be signed")]
    Signing(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ProofError {
    /// Something malformed.
    pub(crate) fn malformed(what: &'static str, why: &'static str) -> Self {
        Self::Malformed { what, why }
    }
}

/// Why text is no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No verifier key.
    #[error(
        "{0:?} is no verifier key; it is one line, name+hash+base64, as `rollbook checkpoint --public-key` prints it"
    )]
    Verifier(String),
    /// No signing key. The text is not repeated: it may be almost one.
    #[error(
        "this is no signing key; it is one line that begins with PRIVATE+KEY+, as `rollbook checkpoint` makes it"
    )]
    Signing,
    /// A name that no key may have.
    #[error("{0:?} cannot be a key's name: it must not be empty, nor have spaces or + in it")]
    Name(String),
}

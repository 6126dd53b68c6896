//! Checkpoints: signing, reading and checking signed tree heads.
//!
//! The formats are C2SP `tlog-checkpoint` and `signed-note`, without extension lines.

use signed_note::{Note, NoteError, VerifierList};
use tlog_tiles::Checkpoint;

use crate::error::ProofError;
use crate::hash::Hash;
use crate::key::{SigningKey, VerifierKey};

/// A tree head: the number of leaves and the root hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeHead {
    /// The number of events, which is the position of the last event.
    pub size: u64,
    /// The root hash.
    pub root: Hash,
}

/// A checkpoint with its signatures, as text. Reading checks the form, and
/// [`SignedCheckpoint::check`] checks the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    text: String,
    origin: String,
    head: TreeHead,
}

/// The kind of file in error texts.
const CHECKPOINT: &str = "a checkpoint";

impl SignedCheckpoint {
    /// Signs a tree head. `origin` is the permanent and unique name of the log.
    ///
    /// # Errors
    /// If `origin` is not a valid line of a checkpoint, or signing fails.
    pub fn sign(origin: &str, head: TreeHead, key: &SigningKey) -> Result<Self, ProofError> {
        let malformed =
            || ProofError::malformed(CHECKPOINT, "its origin is empty or has more than one line");
        if origin.chars().any(char::is_control) {
            return Err(malformed());
        }
        let checkpoint =
            Checkpoint::new(origin, head.size, head.root.into(), "").map_err(|_| malformed())?;
        let signing = |error: NoteError| ProofError::Signing(Box::new(error));
        let mut note = Note::new(&checkpoint.to_bytes(), &[]).map_err(signing)?;
        note.add_sigs(&[key.signer()]).map_err(signing)?;
        Self::read(&String::from_utf8_lossy(&note.to_bytes()))
    }

    /// Reads a signed checkpoint.
    ///
    /// # Errors
    /// If the text is not a signed checkpoint, or has extension lines, which Rollbook never writes.
    pub fn read(text: &str) -> Result<Self, ProofError> {
        let malformed = |why| ProofError::malformed(CHECKPOINT, why);
        let note =
            Note::from_bytes(text.as_bytes()).map_err(|_| malformed("it is not a signed note"))?;
        let checkpoint = Checkpoint::from_bytes(note.text())
            .map_err(|_| malformed("its text does not consist of origin, size and root"))?;
        if !checkpoint.extension().is_empty() {
            return Err(malformed("it has lines after the root"));
        }
        if note.to_bytes() != text.as_bytes() {
            return Err(ProofError::NotCanonical);
        }
        let head = TreeHead { size: checkpoint.size(), root: Hash::from(*checkpoint.hash()) };
        Ok(Self { text: text.to_owned(), origin: checkpoint.origin().to_owned(), head })
    }

    /// Checks that this key signed the checkpoint, and returns its tree head.
    ///
    /// # Errors
    /// [`ProofError::NotSigned`], [`ProofError::BadSignature`].
    pub fn check(&self, key: &VerifierKey) -> Result<TreeHead, ProofError> {
        let note = Note::from_bytes(self.text.as_bytes())
            .map_err(|_| ProofError::malformed(CHECKPOINT, "it is not a signed note"))?;
        match note.verify(&VerifierList::new(vec![Box::new(key.verifier().clone())])) {
            Ok(_signed) => Ok(self.head),
            Err(NoteError::InvalidSignature { .. }) => {
                Err(ProofError::BadSignature { key: key.to_string() })
            }
            Err(_) => Err(ProofError::NotSigned { key: key.to_string() }),
        }
    }

    /// Returns the name of the log.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Returns the unverified tree head. Trust it only after [`SignedCheckpoint::check`].
    pub fn claimed(&self) -> TreeHead {
        self.head
    }

    /// Returns the file's text: the checkpoint, an empty line and the signatures.
    pub fn text(&self) -> &str {
        &self.text
    }
}

//! Checkpoints: what the log says its tree is, signed. Owns signing, reading and checking them, in the formats C2SP
//! `tlog-checkpoint` and `signed-note`, without extension lines.

use signed_note::{Note, NoteError, VerifierList};
use tlog_tiles::Checkpoint;

use crate::error::ProofError;
use crate::hash::Hash;
use crate::key::{SigningKey, VerifierKey};

/// A tree: how many leaves it has, and its root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeHead {
    /// How many events it has: the position of the last one.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

/// A checkpoint with its signatures, as text. Reading one checks its form; [`SignedCheckpoint::check`] checks who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    text: String,
    origin: String,
    head: TreeHead,
}

/// What is read.
const CHECKPOINT: &str = "a checkpoint";

impl SignedCheckpoint {
    /// Signs what the tree is. `origin` names the log, for ever and for it alone.
    ///
    /// # Errors
    /// When `origin` cannot stand in a checkpoint, or signing fails.
    pub fn sign(origin: &str, head: TreeHead, key: &SigningKey) -> Result<Self, ProofError> {
        let malformed =
            || ProofError::malformed(CHECKPOINT, "its origin is empty or more than a line");
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
    /// When it is none, or has extension lines, which no rollbook writes.
    pub fn read(text: &str) -> Result<Self, ProofError> {
        let malformed = |why| ProofError::malformed(CHECKPOINT, why);
        let note =
            Note::from_bytes(text.as_bytes()).map_err(|_| malformed("it is no signed note"))?;
        let checkpoint = Checkpoint::from_bytes(note.text())
            .map_err(|_| malformed("its text is not origin, size and root"))?;
        if !checkpoint.extension().is_empty() {
            return Err(malformed("it has lines after the root"));
        }
        if note.to_bytes() != text.as_bytes() {
            return Err(ProofError::NotCanonical);
        }
        let head = TreeHead { size: checkpoint.size(), root: Hash::from(*checkpoint.hash()) };
        Ok(Self { text: text.to_owned(), origin: checkpoint.origin().to_owned(), head })
    }

    /// Refuses unless this key signed it.
    ///
    /// # Errors
    /// [`ProofError::NotSigned`], [`ProofError::BadSignature`].
    pub fn check(&self, key: &VerifierKey) -> Result<TreeHead, ProofError> {
        let note = Note::from_bytes(self.text.as_bytes())
            .map_err(|_| ProofError::malformed(CHECKPOINT, "it is no signed note"))?;
        match note.verify(&VerifierList::new(vec![Box::new(key.verifier().clone())])) {
            Ok(_signed) => Ok(self.head),
            Err(NoteError::InvalidSignature { .. }) => {
                Err(ProofError::BadSignature { key: key.to_string() })
            }
            Err(_) => Err(ProofError::NotSigned { key: key.to_string() }),
        }
    }

    /// The log that it is of.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What it says the tree is; believe it only after [`SignedCheckpoint::check`].
    pub fn claimed(&self) -> TreeHead {
        self.head
    }

    /// The checkpoint as it is written: text, an empty line, signatures.
    pub fn text(&self) -> &str {
        &self.text
    }
}

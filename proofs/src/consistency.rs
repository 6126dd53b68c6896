//! Proof that an older tree is a prefix of a newer one: its text form and the offline check.
//!
//! C2SP defines no file for such a proof. This format follows `tlog-proof`:
//!
//! ```text
//! rollbook-consistency-proof 1
//! key <the verifier key>
//! <base64 of a hash, one a line, as RFC 6962 section 2.1.2 orders them>
//!
//! <the older signed checkpoint>
//!
//! <the newer signed checkpoint>
//! ```

use crate::checkpoint::{SignedCheckpoint, TreeHead};
use crate::error::ProofError;
use crate::hash::Hash;
use crate::inclusion::trusted_key;
use crate::key::VerifierKey;
use crate::tree;

/// The first line of the file.
pub const FIRST_LINE: &str = "rollbook-consistency-proof 1";
const PROOF: &str = "a consistency proof";

/// A proof that the older tree is a prefix of the newer one: no event of the older tree was
/// changed, removed or moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// The older tree.
    pub older: SignedCheckpoint,
    /// The newer tree.
    pub newer: SignedCheckpoint,
    /// The nodes of the proof.
    pub nodes: Vec<Hash>,
    /// The key that the file names as the signer of both trees.
    pub key: VerifierKey,
}

impl ConsistencyProof {
    /// Returns the file's text.
    pub fn to_text(&self) -> String {
        let mut text = format!("{FIRST_LINE}\nkey {}\n", self.key);
        for hash in &self.nodes {
            text.push_str(&format!("{hash}\n"));
        }
        text.push('\n');
        text.push_str(self.older.text());
        text.push('\n');
        text.push_str(self.newer.text());
        text
    }

    /// Reads a file's text without verifying it.
    ///
    /// # Errors
    /// If the text is not a consistency proof, or not in the form in which it is written.
    pub fn read(text: &str) -> Result<Self, ProofError> {
        let malformed = |why| ProofError::malformed(PROOF, why);
        // A checkpoint has exactly one empty line: the one before its signatures.
        let parts: Vec<&str> = text.split("\n\n").collect();
        let [lines, older, older_signatures, newer, newer_signatures] = parts.as_slice() else {
            return Err(malformed("it does not consist of nodes and two checkpoints"));
        };
        let mut lines = lines.split('\n');
        if lines.next() != Some(FIRST_LINE) {
            return Err(malformed("its first line is not rollbook-consistency-proof 1"));
        }
        let key = lines
            .next()
            .and_then(|line| line.strip_prefix("key "))
            .and_then(|key| key.parse().ok());
        let proof = Self {
            older: SignedCheckpoint::read(&format!("{older}\n\n{older_signatures}\n"))?,
            newer: SignedCheckpoint::read(&format!("{newer}\n\n{newer_signatures}"))?,
            nodes: lines.map(str::parse).collect::<Result<_, _>>()?,
            key: key.ok_or_else(|| malformed("it has no key"))?,
        };
        if proof.to_text() == text { Ok(proof) } else { Err(ProofError::NotCanonical) }
    }

    /// Checks that the key signed both trees, that both belong to one log, and that the older is a
    /// prefix of the newer. Returns both tree heads.
    ///
    /// Without `trusted`, the key in the file is used. That proves that the file is intact, but not
    /// who created it.
    ///
    /// # Errors
    /// The reason for which the proof is rejected.
    pub fn check(&self, trusted: Option<&VerifierKey>) -> Result<(TreeHead, TreeHead), ProofError> {
        let key = trusted_key(trusted, &self.key)?;
        let (older, newer) = (self.older.check(key)?, self.newer.check(key)?);
        if self.older.origin() != self.newer.origin() {
            let (older, newer) = (self.older.origin().to_owned(), self.newer.origin().to_owned());
            return Err(ProofError::OtherLog { older, newer });
        }
        tree::check_consistency(&self.nodes, older, newer)?;
        Ok((older, newer))
    }
}

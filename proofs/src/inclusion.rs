//! Proof that the log contains an event: its text form and the offline check.
//!
//! The format is C2SP `tlog-proof`, version 1:
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra <base64 of: "rollbook-event 1\n", the verifier key, "\n", the leaf's bytes>
//! index <position - 1>
//! <base64 of a hash, one a line, from the leaf's sibling up>
//!
//! <the signed checkpoint>
//! ```

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::checkpoint::{SignedCheckpoint, TreeHead};
use crate::error::ProofError;
use crate::hash::{Hash, leaf_hash};
use crate::key::VerifierKey;
use crate::tree;

/// The first line of the file.
pub const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// The prefix of the extra data.
const EXTRA: &str = "rollbook-event 1\n";
const PROOF: &str = "an event's proof";

/// A proof that an event is stored at a position of the log, with the event's stored bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventProof {
    /// The event's position.
    pub position: u64,
    /// The leaf: the event's stored bytes.
    pub leaf: Vec<u8>,
    /// The path from the leaf to the root.
    pub path: Vec<Hash>,
    /// The signed tree head that contains the event.
    pub checkpoint: SignedCheckpoint,
    /// The key that the file names as the signer of the checkpoint.
    pub key: VerifierKey,
}

impl EventProof {
    /// Returns the file's text.
    pub fn to_text(&self) -> String {
        let extra = [EXTRA.as_bytes(), self.key.to_string().as_bytes(), b"\n", &self.leaf].concat();
        let mut text = format!(
            "{FIRST_LINE}\nextra {}\nindex {}\n",
            BASE64_STANDARD.encode(extra),
            self.position.wrapping_sub(1)
        );
        for hash in &self.path {
            text.push_str(&format!("{hash}\n"));
        }
        text.push('\n');
        text.push_str(self.checkpoint.text());
        text
    }

    /// Reads a file's text without verifying it.
    ///
    /// # Errors
    /// If the text is not such a proof, or not in the form in which it is written.
    pub fn read(text: &str) -> Result<Self, ProofError> {
        let malformed = |why| ProofError::malformed(PROOF, why);
        let rest = text.strip_prefix(FIRST_LINE).and_then(|rest| rest.strip_prefix('\n'));
        let rest = rest.ok_or_else(|| malformed("its first line is not c2sp.org/tlog-proof@v1"))?;
        let (lines, checkpoint) =
            rest.split_once("\n\n").ok_or_else(|| malformed("it has no checkpoint"))?;
        let mut lines = lines.split('\n');
        let extra = lines
            .next()
            .and_then(|line| line.strip_prefix("extra "))
            .ok_or_else(|| malformed("it has no extra data"))?;
        let extra =
            BASE64_STANDARD.decode(extra).map_err(|_| malformed("its extra data is not base64"))?;
        let extra = extra
            .strip_prefix(EXTRA.as_bytes())
            .ok_or_else(|| malformed("its extra data does not describe an event"))?;
        let end = extra
            .iter()
            .position(|&byte| byte == b'\n')
            .ok_or_else(|| malformed("its extra data has no key"))?;
        let (key, leaf) = extra.split_at(end);
        let key = std::str::from_utf8(key)
            .ok()
            .and_then(|key| key.parse().ok())
            .ok_or_else(|| malformed("its key is not a verifier key"))?;
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(|index| index.parse::<u64>().ok());
        let position = index
            .and_then(|index| index.checked_add(1))
            .ok_or_else(|| malformed("it has no index"))?;
        let path = lines.map(str::parse).collect::<Result<Vec<Hash>, _>>()?;
        let leaf = leaf.get(1..).unwrap_or_default().to_vec();
        let proof =
            Self { position, leaf, path, checkpoint: SignedCheckpoint::read(checkpoint)?, key };
        if proof.to_text() == text { Ok(proof) } else { Err(ProofError::NotCanonical) }
    }

    /// Checks that the signed tree contains the event at its position. Returns the tree head.
    ///
    /// Without `trusted`, the key in the file is used. That proves that the file is intact, but not
    /// who created it.
    ///
    /// # Errors
    /// The reason for which the proof is rejected.
    pub fn check(&self, trusted: Option<&VerifierKey>) -> Result<TreeHead, ProofError> {
        let head = self.checkpoint.check(trusted_key(trusted, &self.key)?)?;
        tree::check_inclusion(&self.path, self.position, leaf_hash(&self.leaf), head)?;
        Ok(head)
    }
}

/// Returns the key to check with: the trusted key, if there is one. The file must name the same
/// key.
///
/// # Errors
/// [`ProofError::OtherKey`].
pub fn trusted_key<'k>(
    trusted: Option<&'k VerifierKey>,
    found: &'k VerifierKey,
) -> Result<&'k VerifierKey, ProofError> {
    match trusted {
        Some(trusted) if trusted != found => {
            Err(ProofError::OtherKey { found: found.to_string(), trusted: trusted.to_string() })
        }
        _ => Ok(found),
    }
}

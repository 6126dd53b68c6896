//! The migration certificate: one file that shows somebody without the store what a migration did to it. Owns its format and its
//! offline check; making one needs a store and its signing key, and is the application's.
//!
//! A certificate is one JSON object, printed as `serde_json` prints it pretty, with a newline behind it; any other bytes are refused. It
//! shows, each signed or proved by what is signed:
//!
//! - the tree before the batch and the tree after it, and that the one begins with the other: nothing before was altered
//! - the events `BatchPlanned`, `BatchApplied` and `ValidationRecorded`, whole, with the path of each to the root after
//!
//! What stands beside them for a person to read, the batch and the checks, must be what those events say.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rollbook_domain::event::CheckOutcome;
use rollbook_domain::{Event, Position, StreamId};
use rollbook_log::{DecodeError, Leaf};
use rollbook_proofs::inclusion::trusted_key;
use rollbook_proofs::{
    ConsistencyProof, Hash, ProofError, SignedCheckpoint, TreeHead, VerifierKey, leaf_hash, tree,
};
use serde::{Deserialize, Serialize};

use crate::validate::CHECKS;

/// The only format so far.
pub const FORMAT: u64 = 1;

/// Why a certificate is not made or not believed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// No certificate.
    #[error("it is no certificate of a migration")]
    Malformed(#[source] serde_json::Error),
    /// A checkpoint or a proof in it.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// A newer format.
    #[error(
        "it has format {0}, this rollbook reads format {FORMAT}; use the rollbook that made it"
    )]
    Newer(u64),
    /// A leaf that is none.
    #[error("what it shows as {what} is no such event")]
    Leaf {
        /// The event's name.
        what: &'static str,
        /// Why it cannot be read.
        #[source]
        source: Option<DecodeError>,
    },
    /// Parts that do not belong together.
    #[error("{0}")]
    Contradiction(&'static str),
    /// A check that was not green.
    #[error(
        "the recorded validation is not green: {0}; mend what it names and run `rollbook migrate validate` again"
    )]
    Red(String),
}

/// One event of the control stream, whole, with its path to the root after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvedEvent {
    /// Its position.
    pub position: Position,
    /// Its leaf, base64: all that is stored of it.
    pub leaf: String,
    /// The path from the leaf up.
    pub path: Vec<Hash>,
}

impl ProvedEvent {
    /// An event with its proof.
    pub fn new(position: Position, leaf: &[u8], path: Vec<Hash>) -> Self {
        Self { position, leaf: BASE64_STANDARD.encode(leaf), path }
    }

    /// What happened, once it is shown to stand in the tree.
    fn event(&self, what: &'static str, head: TreeHead) -> Result<Event, CertificateError> {
        let refused = |source| CertificateError::Leaf { what, source };
        let bytes = BASE64_STANDARD.decode(&self.leaf).map_err(|_| refused(None))?;
        tree::check_inclusion(&self.path, self.position, leaf_hash(&bytes), head)?;
        let leaf = Leaf::read(&bytes).map_err(|source| refused(Some(source)))?;
        if leaf.position != self.position || leaf.stream != StreamId::Control.to_string() {
            return Err(refused(None));
        }
        leaf.event().map_err(|source| refused(Some(source)))
    }
}

/// A certificate as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The format's version.
    pub rollbook_certificate: u64,
    /// The batch, for a person to read.
    pub batch: BatchShown,
    /// The checks, for a person to read.
    pub checks: Vec<CheckOutcome>,
    /// The key that signed both trees.
    pub key: VerifierKey,
    /// The signed checkpoint before the batch.
    pub before: String,
    /// A signed checkpoint after the validation.
    pub after: String,
    /// What shows that the tree after begins with the tree before.
    pub consistency: Vec<Hash>,
    /// `BatchPlanned`.
    pub planned: ProvedEvent,
    /// `BatchApplied`.
    pub applied: ProvedEvent,
    /// `ValidationRecorded`.
    pub validated: ProvedEvent,
}

/// What batch it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchShown {
    /// Its digest: the same wherever the batch was applied.
    pub digest: String,
    /// The definition's name.
    pub kind: String,
    /// The rules it was planned with.
    pub rules: String,
    /// Weeks that applying it created.
    pub created: u64,
    /// Responses that it linked.
    pub linked: u64,
    /// Responses that it adopted.
    pub adopted: u64,
}

/// What a certificate shows that was believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certified {
    /// The log.
    pub origin: String,
    /// The batch.
    pub batch: BatchShown,
    /// How many events the log had before.
    pub before: u64,
    /// How many it had after.
    pub after: u64,
    /// The position that was validated.
    pub validated_at: Position,
    /// The checks, all green.
    pub checks: Vec<CheckOutcome>,
    /// The key that signed.
    pub key: VerifierKey,
}

impl Certificate {
    /// The file's text.
    pub fn to_text(&self) -> String {
        // Strings and numbers: nothing that can fail to be written.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Reads a file's text. Nothing of it is believed yet.
    ///
    /// # Errors
    /// When it is no certificate, or not as it would be written.
    pub fn read(text: &str) -> Result<Self, CertificateError> {
        #[derive(Deserialize)]
        struct Format {
            rollbook_certificate: u64,
        }
        let format: Format = serde_json::from_str(text).map_err(CertificateError::Malformed)?;
        if format.rollbook_certificate != FORMAT {
            return Err(CertificateError::Newer(format.rollbook_certificate));
        }
        let certificate: Self = serde_json::from_str(text).map_err(CertificateError::Malformed)?;
        if certificate.to_text() == text {
            Ok(certificate)
        } else {
            Err(ProofError::NotCanonical.into())
        }
    }

    /// Refuses unless everything in it holds. Without `trusted` the key is the one that the file brings: that shows the file to be
    /// whole, not who made it.
    ///
    /// # Errors
    /// Why it is not believed.
    pub fn check(&self, trusted: Option<&VerifierKey>) -> Result<Certified, CertificateError> {
        let key = trusted_key(trusted, &self.key)?;
        let (before, after) =
            (SignedCheckpoint::read(&self.before)?, SignedCheckpoint::read(&self.after)?);
        let origin = after.origin().to_owned();
        let proof = ConsistencyProof {
            older: before,
            newer: after,
            nodes: self.consistency.clone(),
            key: key.clone(),
        };
        let (before, after) = proof.check(Some(key))?;
        let story = Story {
            planned: self.planned.event("BatchPlanned", after)?,
            applied: self.applied.event("BatchApplied", after)?,
            validated: self.validated.event("ValidationRecorded", after)?,
        };
        let (batch, checks, validated_at) = story.told(self, before)?;
        if (&batch, &checks) != (&self.batch, &self.checks) {
            return Err(CertificateError::Contradiction(
                "the batch or the checks it shows are not those of the events it proves",
            ));
        }
        require_green(&checks)?;
        Ok(Certified {
            origin,
            batch,
            before: before.size,
            after: after.size,
            validated_at,
            checks,
            key: key.clone(),
        })
    }
}

/// Refuses unless these are all the checks there are, and green.
fn require_green(checks: &[CheckOutcome]) -> Result<(), CertificateError> {
    if !checks.iter().map(|check| check.name.as_str()).eq(CHECKS) {
        return Err(CertificateError::Contradiction(
            "the recorded validation is not of the twelve checks",
        ));
    }
    let red: Vec<&str> =
        checks.iter().filter(|check| !check.green).map(|check| check.name.as_str()).collect();
    if red.is_empty() { Ok(()) } else { Err(CertificateError::Red(red.join(", "))) }
}

/// The three events.
struct Story {
    planned: Event,
    applied: Event,
    validated: Event,
}

impl Story {
    /// What the events say, if they are of one migration and in its order.
    fn told(
        &self,
        proved: &Certificate,
        before: TreeHead,
    ) -> Result<(BatchShown, Vec<CheckOutcome>, Position), CertificateError> {
        let (batch, checks) = shown(&self.planned, &self.applied, &self.validated)?;
        let (Event::BatchPlanned { base, .. }, Event::ValidationRecorded { at, .. }) =
            (&self.planned, &self.validated)
        else {
            return Err(CertificateError::Contradiction("its events are not those of a migration"));
        };
        if *base != before.size {
            return Err(CertificateError::Contradiction(
                "the checkpoint before is not of the log that the batch was planned on",
            ));
        }
        let [planned_at, applied_at, recorded_at] =
            [proved.planned.position, proved.applied.position, proved.validated.position];
        if !(*base < planned_at
            && planned_at < applied_at
            && applied_at <= *at
            && *at < recorded_at)
        {
            return Err(CertificateError::Contradiction(
                "the log was not planned for, applied to and validated in this order",
            ));
        }
        Ok((batch, checks, *at))
    }
}

/// What the events of a migration say.
///
/// # Errors
/// When they are not those three, or not of one batch.
pub fn shown(
    planned: &Event,
    applied: &Event,
    validated: &Event,
) -> Result<(BatchShown, Vec<CheckOutcome>), CertificateError> {
    let not = |what| CertificateError::Leaf { what, source: None };
    let Event::BatchPlanned { digest, kind, rules, .. } = planned else {
        return Err(not("BatchPlanned"));
    };
    let Event::BatchApplied { digest: applied, created, linked, adopted, .. } = applied else {
        return Err(not("BatchApplied"));
    };
    let Event::ValidationRecorded { digest: validated, checks, .. } = validated else {
        return Err(not("ValidationRecorded"));
    };
    if applied != digest || validated != digest {
        return Err(CertificateError::Contradiction("its events are of different batches"));
    }
    let (digest, kind, rules) = (digest.clone(), kind.clone(), rules.clone());
    Ok((
        BatchShown { digest, kind, rules, created: *created, linked: *linked, adopted: *adopted },
        checks.clone(),
    ))
}

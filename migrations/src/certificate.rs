//! The migration certificate: a file that proves, without the store, what a migration did to it.
//! This module defines the format and the offline check. Making a certificate needs a store and its
//! signing key, so the application does it.
//!
//! A certificate is one JSON object in the layout of `serde_json`'s pretty printer, followed by a
//! newline; other bytes are rejected. It contains, signed or proved by what is signed:
//!
//! - the trees before and after the batch, and a proof that the second extends the first, so no
//!   earlier event was altered
//! - the complete events `BatchPlanned`, `BatchApplied` (or `WeeksChanged`) and
//!   `ValidationRecorded` (with accepted findings `QualifiedValidationRecorded`), with the path of
//!   each to the root after
//!
//! The readable part, the batch, the checks and the accepted findings, must agree with those events.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rollbook_domain::event::{AcceptedFindings, CheckOutcome, QualifiedValidation};
use rollbook_domain::{Event, Position, StreamId};
use rollbook_log::{DecodeError, Leaf};
use rollbook_proofs::inclusion::trusted_key;
use rollbook_proofs::{
    ConsistencyProof, Hash, ProofError, SignedCheckpoint, TreeHead, VerifierKey, leaf_hash, tree,
};
use serde::{Deserialize, Serialize};

use crate::validate::CHECKS;

/// The newest format. Format 1 has the first twelve checks, format 2 all. Format 3 is format 2 for a
/// batch that changes weeks (the batch has the field `changed`) or for a validation with accepted
/// findings (the field `accepted`).
pub const FORMAT: u64 = 3;

/// The number of checks of a certificate of format 1.
const CHECKS_OF_FORMAT_1: usize = 12;

/// The format of a certificate with this batch, these checks and accepted findings.
pub fn format_of(
    batch: &BatchSummary,
    checks: &[CheckOutcome],
    accepted: &[AcceptedFindings],
) -> u64 {
    match (batch.changed, checks.len(), accepted) {
        (0, CHECKS_OF_FORMAT_1, []) => 1,
        (0, _, []) => 2,
        _ => FORMAT,
    }
}

/// The names of the checks of a certificate of a format.
fn checks_of(format: u64) -> &'static [&'static str] {
    let count = if format == 1 { CHECKS_OF_FORMAT_1 } else { CHECKS.len() };
    CHECKS.get(..count).unwrap_or(&CHECKS)
}

/// Why a certificate cannot be made or is rejected.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The text is not a certificate.
    #[error("it is not a certificate of a migration")]
    Malformed(#[source] serde_json::Error),
    /// A checkpoint or a proof in it is invalid.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The certificate has a format that this build cannot read.
    #[error("it has format {0}; this build reads formats 1 to {FORMAT}")]
    Newer(u64),
    /// A leaf is not the expected event.
    #[error("the event that it gives as {what} is of another kind")]
    Leaf {
        /// The name of the expected event.
        what: &'static str,
        /// The cause, if the leaf cannot be decoded.
        #[source]
        source: Option<DecodeError>,
    },
    /// Parts of it contradict each other.
    #[error("{0}")]
    Contradiction(&'static str),
    /// Checks were red.
    #[error("the recorded validation is not green: {0}")]
    Red(String),
}

/// A complete event of the control stream with its path to the root after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvedEvent {
    /// Its position.
    pub position: Position,
    /// Its leaf in base64: everything that is stored of it.
    pub leaf: String,
    /// The path from the leaf up.
    pub path: Vec<Hash>,
}

impl ProvedEvent {
    /// An event with its proof.
    pub fn new(position: Position, leaf: &[u8], path: Vec<Hash>) -> Self {
        Self { position, leaf: BASE64_STANDARD.encode(leaf), path }
    }

    /// The event, after checking that the tree contains it.
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
    /// The batch, for readers.
    pub batch: BatchSummary,
    /// The checks, for readers.
    pub checks: Vec<CheckOutcome>,
    /// The accepted findings, for readers: which, by whom and why. Only in format 3.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<AcceptedFindings>,
    /// The key that signed both trees.
    pub key: VerifierKey,
    /// The signed checkpoint before the batch.
    pub before: String,
    /// A signed checkpoint after the validation.
    pub after: String,
    /// The proof that the tree after extends the tree before.
    pub consistency: Vec<Hash>,
    /// `BatchPlanned`.
    pub planned: ProvedEvent,
    /// `BatchApplied`, or `WeeksChanged` for a batch that changes weeks.
    pub applied: ProvedEvent,
    /// `ValidationRecorded`, or `QualifiedValidationRecorded` if findings were accepted.
    pub validated: ProvedEvent,
}

/// The batch that a certificate is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchSummary {
    /// Its digest, which is the same on every store.
    pub digest: String,
    /// The kind of migration.
    pub kind: String,
    /// The rules it was planned with.
    pub rules: String,
    /// Weeks created.
    pub created: u64,
    /// Responses linked to the week that they state.
    pub linked: u64,
    /// Responses without a week linked to the week that names them.
    pub adopted: u64,
    /// Weeks changed. Absent for a batch that adds weeks.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub changed: u64,
}

// Serde passes a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The contents of a certificate that passed the check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifiedCertificate {
    /// The log.
    pub origin: String,
    /// The batch.
    pub batch: BatchSummary,
    /// The number of events before the batch.
    pub before: u64,
    /// The number of events after the validation.
    pub after: u64,
    /// The position that was validated.
    pub validated_at: Position,
    /// The checks, all green.
    pub checks: Vec<CheckOutcome>,
    /// The accepted findings: which, by whom and why. A check is green with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<AcceptedFindings>,
    /// The key that signed.
    pub key: VerifierKey,
}

impl Certificate {
    /// The file's text.
    pub fn to_text(&self) -> String {
        // Serializing strings and numbers cannot fail.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Parses the text of a file. It proves nothing until [`Certificate::check`] succeeds.
    ///
    /// # Errors
    /// If it is not a certificate, or not in its exact layout.
    pub fn read(text: &str) -> Result<Self, CertificateError> {
        #[derive(Deserialize)]
        struct Format {
            rollbook_certificate: u64,
        }
        let format: Format = serde_json::from_str(text).map_err(CertificateError::Malformed)?;
        if !(1..=FORMAT).contains(&format.rollbook_certificate) {
            return Err(CertificateError::Newer(format.rollbook_certificate));
        }
        let certificate: Self = serde_json::from_str(text).map_err(CertificateError::Malformed)?;
        if certificate.to_text() == text {
            Ok(certificate)
        } else {
            Err(ProofError::NotCanonical.into())
        }
    }

    /// Checks every signature, proof and statement. Without `trusted`, signatures are checked with
    /// the key in the file, which proves that the file is consistent but not who made it.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn check(
        &self,
        trusted: Option<&VerifierKey>,
    ) -> Result<VerifiedCertificate, CertificateError> {
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
        let events = MigrationEvents {
            planned: self.planned.event("BatchPlanned", after)?,
            applied: self.applied.event("BatchApplied", after)?,
            validated: self.validated.event("ValidationRecorded", after)?,
        };
        let (Summary { batch, checks, accepted }, validated_at) = events.summarize(self, before)?;
        if (&batch, &checks, &accepted) != (&self.batch, &self.checks, &self.accepted) {
            return Err(CertificateError::Contradiction(
                "the batch, the checks or the accepted findings it shows are not those of the events it proves",
            ));
        }
        let is_newest = self.rollbook_certificate == FORMAT;
        if is_newest != (batch.changed > 0 || !accepted.is_empty()) {
            return Err(CertificateError::Contradiction(
                "its format is not the one for what the batch changed and what was accepted",
            ));
        }
        require_green(self.rollbook_certificate, &checks)?;
        Ok(VerifiedCertificate {
            origin,
            batch,
            before: before.size,
            after: after.size,
            validated_at,
            checks,
            accepted,
            key: key.clone(),
        })
    }
}

/// Checks that these are all checks of a format, and that each is green.
fn require_green(format: u64, checks: &[CheckOutcome]) -> Result<(), CertificateError> {
    if !checks.iter().map(|check| check.name.as_str()).eq(checks_of(format).iter().copied()) {
        return Err(CertificateError::Contradiction(
            "the recorded validation does not have all checks of its format",
        ));
    }
    let red: Vec<&str> =
        checks.iter().filter(|check| !check.green).map(|check| check.name.as_str()).collect();
    if red.is_empty() { Ok(()) } else { Err(CertificateError::Red(red.join(", "))) }
}

/// The three events.
struct MigrationEvents {
    planned: Event,
    applied: Event,
    validated: Event,
}

impl MigrationEvents {
    /// What the events say, if they belong to one migration and are in its order.
    fn summarize(
        &self,
        proved: &Certificate,
        before: TreeHead,
    ) -> Result<(Summary, Position), CertificateError> {
        let summary = summarize(&self.planned, &self.applied, &self.validated)?;
        let (
            Event::BatchPlanned { base, .. },
            Event::ValidationRecorded { at, .. }
            | Event::QualifiedValidationRecorded(QualifiedValidation { at, .. }),
        ) = (&self.planned, &self.validated)
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
        Ok((summary, *at))
    }
}

/// What the events of a migration record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The batch.
    pub batch: BatchSummary,
    /// The checks.
    pub checks: Vec<CheckOutcome>,
    /// The accepted findings.
    pub accepted: Vec<AcceptedFindings>,
}

/// The batch, the checks and the accepted findings that the events of a migration record.
///
/// # Errors
/// If they are other events, or of different batches.
pub fn summarize(
    planned: &Event,
    applied: &Event,
    validated: &Event,
) -> Result<Summary, CertificateError> {
    let not = |what| CertificateError::Leaf { what, source: None };
    let Event::BatchPlanned { digest, kind, rules, .. } = planned else {
        return Err(not("BatchPlanned"));
    };
    let ((created, linked, adopted, changed), applied) = match applied {
        Event::BatchApplied { digest, created, linked, adopted, .. } => {
            ((*created, *linked, *adopted, 0), digest)
        }
        Event::WeeksChanged { digest, changed, .. } => ((0, 0, 0, *changed), digest),
        _ => return Err(not("BatchApplied")),
    };
    let (validated, checks, accepted) = match validated {
        Event::ValidationRecorded { digest, checks, .. } => (digest, checks, Vec::new()),
        Event::QualifiedValidationRecorded(QualifiedValidation {
            digest,
            checks,
            accepted,
            ..
        }) => (digest, checks, accepted.clone()),
        _ => return Err(not("ValidationRecorded")),
    };
    if applied != digest || validated != digest {
        return Err(CertificateError::Contradiction("its events are of different batches"));
    }
    let (digest, kind, rules) = (digest.clone(), kind.clone(), rules.clone());
    let batch = BatchSummary { digest, kind, rules, created, linked, adopted, changed };
    Ok(Summary { batch, checks: checks.clone(), accepted })
}

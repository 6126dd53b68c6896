//! Comparison of signed checkpoints with the log: the checkpoints in the store, and those kept
//! elsewhere. A checkpoint that does not match tells between which positions the log was altered.

use rollbook_application::evidence::{origin, recorded, verifier_key};
use rollbook_application::store::Store;
use rollbook_log::LeafHash;
use rollbook_proofs::{SignedCheckpoint, TreeHead, VerifierKey};

use super::Request;
use super::findings::DamageReport;

/// A trusted checkpoint, with the name of its file.
struct TrustedCheckpoint {
    name: String,
    head: TreeHead,
}

/// The trusted checkpoints in order of size, compared while the log is read.
pub(super) struct SignedCheckpoints {
    checkpoints: Vec<TrustedCheckpoint>,
    /// How many were compared so far.
    reached: usize,
    /// The size of the last one that matches.
    last_match: u64,
    verified: u64,
    /// Ranges of positions that do not match a checkpoint, with the name of its file.
    mismatches: Vec<(u64, u64, String)>,
}

impl SignedCheckpoints {
    /// Reads all checkpoints. A file that is not a checkpoint signed by the key is a finding.
    pub(super) fn of(store: &Store, request: &Request<'_>, report: &mut DamageReport) -> Self {
        let mut all: Vec<(String, SignedCheckpoint)> = Vec::new();
        match recorded(store.directory()) {
            Ok(found) => {
                for one in found {
                    match one.read() {
                        Ok(signed) => all.push((one.path.display().to_string(), signed)),
                        Err(error) => report.line(with_causes(&error)),
                    }
                }
            }
            Err(error) => report.line(with_causes(&error)),
        }
        all.extend(request.checkpoints.iter().cloned());
        let key = match &request.key {
            Some(key) => Some(key.clone()),
            None => verifier_key(store.directory()).unwrap_or_else(|error| {
                report.line(with_causes(&error));
                None
            }),
        };
        let mut checkpoints: Vec<TrustedCheckpoint> = all
            .into_iter()
            .filter_map(|(name, signed)| trusted(store, name, &signed, key.as_ref(), report))
            .collect();
        checkpoints.sort_by_key(|checkpoint| checkpoint.head.size);
        Self { checkpoints, reached: 0, last_match: 0, verified: 0, mismatches: Vec::new() }
    }

    /// Passes leaves to `take`, split where a checkpoint ends, and compares the tree head that
    /// `take` returns there.
    pub(super) fn compare(
        &mut self,
        first: u64,
        leaves: &[LeafHash],
        mut take: impl FnMut(u64, &[LeafHash]) -> Option<TreeHead>,
    ) {
        let (mut first, mut leaves) = (first, leaves);
        while let Some(due) = self
            .checkpoints
            .get(self.reached)
            .filter(|due| due.head.size < first + leaves.len() as u64)
        {
            let here = usize::try_from((due.head.size + 1).saturating_sub(first))
                .unwrap_or(usize::MAX)
                .min(leaves.len());
            let (now, later) = leaves.split_at(here);
            let (head, name) = (due.head, due.name.clone());
            // `None` means that leaves are missing: another finding reports that.
            match take(first, now) {
                Some(found) if found == head => {
                    self.last_match = head.size;
                    self.verified += 1;
                }
                Some(_different) => self.mismatches.push((self.last_match + 1, head.size, name)),
                None => {}
            }
            self.reached += 1;
            first += here as u64;
            leaves = later;
        }
        take(first, leaves);
    }

    /// Reports the mismatches after the log was read up to `head`.
    pub(super) fn finish(&self, head: u64, report: &mut DamageReport) {
        for (from, until, name) in &self.mismatches {
            report.within(
                *from,
                *until,
                &format!("the log does not match the signed checkpoint {name}: an event here was changed, inserted, removed or moved"),
            );
        }
        for due in self.checkpoints.iter().filter(|due| due.head.size > head) {
            report.at(
                head + 1,
                due.head.size,
                &format!(
                    "{} is signed for events up to here, but the log ends before: events were removed",
                    due.name
                ),
            );
        }
    }

    /// How many checkpoints match.
    pub(super) fn verified(&self) -> u64 {
        self.verified
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut error = error;
    while let Some(source) = error.source() {
        text.push_str(&format!(": {source}"));
        error = source;
    }
    text
}

fn trusted(
    store: &Store,
    name: String,
    signed: &SignedCheckpoint,
    key: Option<&VerifierKey>,
    report: &mut DamageReport,
) -> Option<TrustedCheckpoint> {
    if signed.origin() != origin(store) {
        report.line(format!("{name} is a checkpoint of {}, not of this store", signed.origin()));
        return None;
    }
    let Some(key) = key else {
        report.line(format!(
            "{name} cannot be checked: the store's file verifier-key is missing; give the key with --key"
        ));
        return None;
    };
    match signed.check(key) {
        Ok(head) => Some(TrustedCheckpoint { name, head }),
        Err(error) => {
            report.line(format!("{name}: {error}"));
            None
        }
    }
}

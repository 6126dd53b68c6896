//! Checkpoints against the log: those that the store recorded, and those that somebody kept elsewhere. Owns which must hold and between
//! which positions something was altered when one does not.

use rollbook_application::evidence::{origin, recorded, verifier_key};
use rollbook_application::store::Store;
use rollbook_log::LeafHash;
use rollbook_proofs::{SignedCheckpoint, TreeHead, VerifierKey};

use super::{Request, Wrong};

/// A checkpoint that must hold, with the name of its file.
struct Due {
    name: String,
    head: TreeHead,
}

/// Checkpoints in the order of their sizes, as the log is read.
pub(super) struct SignedCheckpoints {
    due: Vec<Due>,
    /// How many of them were reached.
    reached: usize,
    /// The size of the last one that holds.
    holds: u64,
    verified: u64,
    refuted: Vec<(u64, u64, String)>,
}

impl SignedCheckpoints {
    /// Reads all of them; what is no checkpoint, or not signed by the key, is wrong.
    pub(super) fn of(store: &Store, request: &Request<'_>, wrong: &mut Wrong) -> Self {
        let mut all: Vec<(String, SignedCheckpoint)> = Vec::new();
        match recorded(store.directory()) {
            Ok(found) => {
                for one in found {
                    match one.read() {
                        Ok(signed) => all.push((one.path.display().to_string(), signed)),
                        Err(error) => wrong.line(with_causes(&error)),
                    }
                }
            }
            Err(error) => wrong.line(with_causes(&error)),
        }
        all.extend(request.checkpoints.iter().cloned());
        let key = match &request.key {
            Some(key) => Some(key.clone()),
            None => verifier_key(store.directory()).unwrap_or_else(|error| {
                wrong.line(with_causes(&error));
                None
            }),
        };
        let mut due: Vec<Due> = all
            .into_iter()
            .filter_map(|(name, signed)| trusted(store, name, &signed, key.as_ref(), wrong))
            .collect();
        due.sort_by_key(|due| due.head.size);
        Self { due, reached: 0, holds: 0, verified: 0, refuted: Vec::new() }
    }

    /// Hands leaves to `take`, cut where a checkpoint ends, and compares what it says the tree is there.
    pub(super) fn before(
        &mut self,
        first: u64,
        leaves: &[LeafHash],
        mut take: impl FnMut(u64, &[LeafHash]) -> Option<TreeHead>,
    ) {
        let (mut first, mut leaves) = (first, leaves);
        while let Some(due) =
            self.due.get(self.reached).filter(|due| due.head.size < first + leaves.len() as u64)
        {
            let here = usize::try_from((due.head.size + 1).saturating_sub(first))
                .unwrap_or(usize::MAX)
                .min(leaves.len());
            let (now, later) = leaves.split_at(here);
            let (head, name) = (due.head, due.name.clone());
            // Nothing can be said of a tree that leaves are missing from: what is missing is named elsewhere.
            match take(first, now) {
                Some(found) if found == head => {
                    self.holds = head.size;
                    self.verified += 1;
                }
                Some(_other) => self.refuted.push((self.holds + 1, head.size, name)),
                None => {}
            }
            self.reached += 1;
            first += here as u64;
            leaves = later;
        }
        take(first, leaves);
    }

    /// Says what does not hold, the log being read to its head.
    pub(super) fn finish(&self, head: u64, wrong: &mut Wrong) {
        for (from, until, name) in &self.refuted {
            wrong.within(
                *from,
                *until,
                &format!("the log is not what {name} signed: an event here was changed, inserted, removed or moved"),
            );
        }
        for due in self.due.iter().filter(|due| due.head.size > head) {
            wrong.at(
                head + 1,
                due.head.size,
                &format!(
                    "{} signed events up to here, and the log ends before: events were removed",
                    due.name
                ),
            );
        }
    }

    /// How many hold.
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
    wrong: &mut Wrong,
) -> Option<Due> {
    if signed.origin() != origin(store) {
        wrong.line(format!("{name} is a checkpoint of {}, not of this store", signed.origin()));
        return None;
    }
    let Some(key) = key else {
        wrong.line(format!(
            "{name} cannot be checked: the store's verifier-key is gone; give the key with --key"
        ));
        return None;
    };
    match signed.check(key) {
        Ok(head) => Some(Due { name, head }),
        Err(error) => {
            wrong.line(format!("{name}: {error}"));
            None
        }
    }
}

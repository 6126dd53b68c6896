//! The state of the control stream: imports, batches, validations, and the view switch.
//!
//! This module folds control events into [`Control`]. `switch` defines which view serves which
//! client; `switch_decision` decides whether a switch is allowed.

mod acceptance;
mod switch;
mod switch_decision;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::acceptance::AcceptanceRejection;
pub use self::switch::{MovedClients, Switch, bucket, moved};
pub use self::switch_decision::SwitchRejection;
use crate::event::{
    Acceptance, CheckOutcome, Event, ExportedCollection, Position, QualifiedValidation,
};
use crate::json::JsonText;

/// The state of one batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchState {
    /// The digest in hexadecimal.
    pub digest: String,
    /// The name of its definition.
    pub kind: String,
    /// The rules of the plan.
    pub rules: String,
    /// The head of the log before the batch.
    pub base: Position,
    /// SHA-256 over the stored bytes up to `base`.
    pub log_digest: String,
    /// SHA-256 over every response at `base`.
    pub responses_digest: String,
    /// The number of these responses.
    pub responses: u64,
    /// The position of its `BatchApplied` event; `None` while the batch is incomplete.
    pub applied_at: Option<Position>,
    /// What applying it did; all zero until it is completely applied.
    pub counts: BatchCounts,
}

/// The counts of a batch that was applied. Serialized as an array of six numbers, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[u64; 6]", into = "[u64; 6]")]
pub struct BatchCounts {
    /// Series that the migration concerns.
    pub series: u64,
    /// Weeks created.
    pub created: u64,
    /// Responses linked to the week that they state.
    pub linked: u64,
    /// Responses without a week linked to the week that names them.
    pub adopted: u64,
    /// Events that were left out: the store already had them, or no longer had a place for them.
    pub skipped: u64,
    /// Weeks changed.
    pub changed: u64,
}

impl BatchCounts {
    /// Whether the batch added and changed nothing.
    pub fn is_empty(&self) -> bool {
        self.created + self.linked + self.adopted + self.changed == 0
    }
}

impl From<[u64; 6]> for BatchCounts {
    fn from([series, created, linked, adopted, skipped, changed]: [u64; 6]) -> Self {
        Self { series, created, linked, adopted, skipped, changed }
    }
}

impl From<BatchCounts> for [u64; 6] {
    fn from(counts: BatchCounts) -> Self {
        let BatchCounts { series, created, linked, adopted, skipped, changed } = counts;
        [series, created, linked, adopted, skipped, changed]
    }
}

/// The last recorded validation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidationState {
    /// The position of its event.
    pub position: Position,
    /// The validated head of the log.
    pub at: Position,
    /// The batch's digest; empty if no batch was applied.
    pub digest: String,
    /// The result of every check.
    pub checks: Vec<CheckOutcome>,
    /// The number of accepted findings that it found.
    pub accepted: u64,
}

impl ValidationState {
    /// The validation that an event records; `None` for any other event.
    pub fn recorded(position: Position, event: &Event) -> Option<Self> {
        let (digest, at, checks, accepted) = match event {
            Event::ValidationRecorded { digest, at, checks } => (digest, at, checks, &[][..]),
            Event::QualifiedValidationRecorded(QualifiedValidation {
                digest,
                at,
                checks,
                accepted,
            }) => (digest, at, checks, accepted.as_slice()),
            _ => return None,
        };
        Some(Self {
            position,
            at: *at,
            digest: digest.clone(),
            checks: checks.clone(),
            accepted: accepted.iter().map(|accepted| accepted.findings.len() as u64).sum(),
        })
    }

    /// Whether every check passed.
    pub fn all_green(&self) -> bool {
        self.checks.iter().all(|check| check.green)
    }
}

/// The last completed import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportState {
    /// The position of its event.
    pub position: Position,
    /// SHA-256 over its events.
    pub digest: String,
    /// The files of the export.
    pub collections: Vec<ExportedCollection>,
    /// The content of `BACKUP_SUMMARY.json`, if the export had it.
    pub summary: Option<JsonText>,
}

/// The folded control stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// The old server's time zone; `None` before the first import.
    pub legacy_timezone: Option<String>,
    /// The last import.
    pub import: Option<ImportState>,
    /// All batches in the order in which they began.
    pub batches: Vec<BatchState>,
    /// The last validation.
    pub validation: Option<ValidationState>,
    /// The last parity check: the compared head of the log, and the number of unexplained
    /// differences.
    pub parity: Option<(Position, u64)>,
    /// Which view serves which client.
    pub switch: Switch,
    /// The last recorded stage and its note. No command of this release records a stage.
    pub stage: Option<(String, String)>,
    /// Whether the legacy view was retired. No command of this release retires it.
    pub legacy_retired: bool,
    /// The findings that are accepted, by id, each with the position of the event that accepted it.
    pub accepted: BTreeMap<String, Position>,
    /// The position of the last event that withdrew an acceptance.
    pub acceptance_withdrawn: Option<Position>,
}

impl Control {
    /// Folds one event of the control stream. Events of other streams change nothing.
    pub fn apply(&mut self, position: Position, event: &Event) {
        match event {
            Event::ImportCompleted { digest, legacy_timezone, collections, summary } => {
                self.legacy_timezone = Some(legacy_timezone.clone());
                self.import = Some(ImportState {
                    position,
                    digest: digest.clone(),
                    collections: collections.clone(),
                    summary: summary.clone(),
                });
            }
            Event::BatchPlanned {
                digest,
                kind,
                rules,
                base,
                log_digest,
                responses_digest,
                responses,
            } => self.batches.push(BatchState {
                digest: digest.clone(),
                kind: kind.clone(),
                rules: rules.clone(),
                base: *base,
                log_digest: log_digest.clone(),
                responses_digest: responses_digest.clone(),
                responses: *responses,
                applied_at: None,
                counts: BatchCounts::default(),
            }),
            Event::BatchApplied { digest, series, created, linked, adopted, skipped } => {
                let (series, created, linked) = (*series, *created, *linked);
                let (adopted, skipped, changed) = (*adopted, *skipped, 0);
                let counts = BatchCounts { series, created, linked, adopted, skipped, changed };
                self.complete(digest, position, counts);
            }
            Event::WeeksChanged { digest, series, changed, skipped } => {
                let (series, changed, skipped) = (*series, *changed, *skipped);
                let counts = BatchCounts { series, changed, skipped, ..BatchCounts::default() };
                self.complete(digest, position, counts);
            }
            Event::ResponsesAttested { digest, responses, responses_digest } => {
                if let Some(batch) = self.batches.iter_mut().find(|batch| batch.digest == *digest) {
                    batch.responses = *responses;
                    batch.responses_digest.clone_from(responses_digest);
                }
            }
            Event::ValidationRecorded { .. } | Event::QualifiedValidationRecorded(_) => {
                self.validation = ValidationState::recorded(position, event);
            }
            Event::FindingsAccepted(Acceptance { findings, .. }) => (self.accepted)
                .extend(findings.iter().map(|finding| (finding.id.clone(), position))),
            Event::AcceptanceWithdrawn { findings, .. } => {
                self.accepted.retain(|id, _| !findings.contains(id));
                self.acceptance_withdrawn = Some(position);
            }
            Event::ParityRecorded { at, unexplained, .. } => {
                self.parity = Some((*at, *unexplained))
            }
            Event::ViewSwitched { view, audience, .. } => {
                self.switch = self.switch.switched_to(*view, audience)
            }
            Event::StageRecorded { stage, note } => {
                self.stage = Some((stage.clone(), note.clone()))
            }
            Event::LegacyRetired { .. } => self.legacy_retired = true,
            _ => {}
        }
    }

    /// Records that a batch is complete.
    fn complete(&mut self, digest: &str, position: Position, counts: BatchCounts) {
        if let Some(batch) = self.batches.iter_mut().find(|batch| batch.digest == digest) {
            batch.applied_at = Some(position);
            batch.counts = counts;
        }
    }

    /// The last completed batch that added or changed something.
    pub fn last_applied(&self) -> Option<&BatchState> {
        self.applied().max_by_key(|batch| batch.applied_at)
    }

    /// The last completed batch of a kind of migration that added or changed something.
    pub fn last_applied_of(&self, kind: &str) -> Option<&BatchState> {
        self.applied().filter(|batch| batch.kind == kind).max_by_key(|batch| batch.applied_at)
    }

    fn applied(&self) -> impl Iterator<Item = &BatchState> {
        self.batches.iter().filter(|batch| batch.applied_at.is_some() && !batch.counts.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_a_batch_are_stored_as_an_array() {
        let counts =
            BatchCounts { series: 1, created: 2, linked: 3, adopted: 4, skipped: 5, changed: 6 };
        assert_eq!(serde_json::to_string(&counts).unwrap(), "[1,2,3,4,5,6]");
        assert_eq!(serde_json::from_str::<BatchCounts>("[1,2,3,4,5,6]").unwrap(), counts);
    }
}

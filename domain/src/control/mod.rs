//! The state of the control stream: imports, batches, validations, and the view switch.
//!
//! This module folds control events into [`Control`]. `switch` defines which view serves which
//! client; `switch_decision` decides whether a switch is allowed.

mod switch;
mod switch_decision;

use serde::{Deserialize, Serialize};

pub use self::switch::{Switch, bucket};
pub use self::switch_decision::SwitchRejection;
use crate::event::{CheckOutcome, Event, ExportedCollection, Position};
use crate::json::JsonText;

/// One batch, as far as it got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchState {
    /// Its digest, in hexadecimal.
    pub digest: String,
    /// The definition's name.
    pub kind: String,
    /// The rules it was planned with.
    pub rules: String,
    /// The head of the log before it.
    pub base: Position,
    /// SHA-256 over the stored bytes up to `base`.
    pub log_digest: String,
    /// SHA-256 over every response at `base`.
    pub responses_digest: String,
    /// How many responses that was.
    pub responses: u64,
    /// Where `BatchApplied` stands; `None` while it is not through.
    pub applied_at: Option<Position>,
    /// (series, created, linked, adopted, skipped).
    pub counts: (u64, u64, u64, u64, u64),
}

/// The last recorded validation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidationState {
    /// Where it is recorded.
    pub position: Position,
    /// The head it looked at.
    pub at: Position,
    /// The batch; empty when none was applied.
    pub digest: String,
    /// Every check.
    pub checks: Vec<CheckOutcome>,
}

impl ValidationState {
    /// Whether every check held.
    pub fn all_green(&self) -> bool {
        self.checks.iter().all(|check| check.green)
    }
}

/// The last completed import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportState {
    /// Where it is recorded.
    pub position: Position,
    /// SHA-256 over its events.
    pub digest: String,
    /// What the export held.
    pub collections: Vec<ExportedCollection>,
    /// `BACKUP_SUMMARY.json`.
    pub summary: Option<JsonText>,
}

/// The control stream, folded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// The old server's time zone, once something was imported.
    pub legacy_timezone: Option<String>,
    /// The last import.
    pub import: Option<ImportState>,
    /// Batches, in the order in which they were begun.
    pub batches: Vec<BatchState>,
    /// The last validation.
    pub validation: Option<ValidationState>,
    /// The last parity: where it was compared, and how much was unexplained.
    pub parity: Option<(Position, u64)>,
    /// Which view serves whom.
    pub switch: Switch,
    /// The last recorded stage and its remark.
    pub stage: Option<(String, String)>,
    /// Whether the legacy view was retired.
    pub legacy_retired: bool,
}

impl Control {
    /// Folds one event of the control stream.
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
                counts: (0, 0, 0, 0, 0),
            }),
            Event::BatchApplied { digest, series, created, linked, adopted, skipped } => {
                if let Some(batch) = self.batches.iter_mut().find(|batch| batch.digest == *digest) {
                    batch.applied_at = Some(position);
                    batch.counts = (*series, *created, *linked, *adopted, *skipped);
                }
            }
            Event::ResponsesAttested { digest, responses, responses_digest } => {
                if let Some(batch) = self.batches.iter_mut().find(|batch| batch.digest == *digest) {
                    batch.responses = *responses;
                    batch.responses_digest.clone_from(responses_digest);
                }
            }
            Event::ValidationRecorded { digest, at, checks } => {
                self.validation = Some(ValidationState {
                    position,
                    at: *at,
                    digest: digest.clone(),
                    checks: checks.clone(),
                });
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

    /// The batch that was applied last.
    pub fn last_applied(&self) -> Option<&BatchState> {
        self.batches
            .iter()
            .filter(|batch| batch.applied_at.is_some())
            .max_by_key(|batch| batch.applied_at)
    }
}

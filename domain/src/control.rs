//! The control stream folded: what was imported, applied and validated, and which view serves whom. Owns the switch and the
//! guard before it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::event::{Audience, CheckOutcome, Event, ExportedCollection, Position, View};
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
    /// What applying it did; all zero until it is completely applied.
    pub counts: BatchCounts,
}

/// The counts of a batch that was applied. Serialized as an array of five numbers, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, u64, u64, u64, u64)", into = "(u64, u64, u64, u64, u64)")]
pub struct BatchCounts {
    /// Series that the migration concerns.
    pub series: u64,
    /// Weeks created.
    pub created: u64,
    /// Responses linked to the week that they state.
    pub linked: u64,
    /// Responses without a week linked to the week that names them.
    pub adopted: u64,
    /// Events that the store already had.
    pub skipped: u64,
}

impl From<(u64, u64, u64, u64, u64)> for BatchCounts {
    fn from((series, created, linked, adopted, skipped): (u64, u64, u64, u64, u64)) -> Self {
        Self { series, created, linked, adopted, skipped }
    }
}

impl From<BatchCounts> for (u64, u64, u64, u64, u64) {
    fn from(counts: BatchCounts) -> Self {
        let BatchCounts { series, created, linked, adopted, skipped } = counts;
        (series, created, linked, adopted, skipped)
    }
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

/// Which view serves whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// Serves whoever no exception names.
    pub default: View,
    /// That part of all clients, by hash, has the other view.
    pub other_percent: u8,
    /// Clients by document id.
    pub clients: BTreeMap<String, View>,
    /// How often it was switched.
    pub switched: u64,
}

impl Default for Switch {
    fn default() -> Self {
        Self { default: View::Legacy, other_percent: 0, clients: BTreeMap::new(), switched: 0 }
    }
}

/// A client's place among a hundred: the first eight bytes of the SHA-256 of the client's document id, modulo 100.
pub fn bucket(client: &str) -> u8 {
    let digest = Sha256::digest(client.as_bytes());
    let eight = digest.iter().take(8).fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
    // Below 100 by the modulus.
    #[allow(clippy::cast_possible_truncation)]
    let bucket = (eight % 100) as u8;
    bucket
}

impl Switch {
    /// The view that serves a client, by document id.
    pub fn view_for(&self, client: &str) -> View {
        match self.clients.get(client) {
            Some(view) => *view,
            // Without a percentage nobody's place matters.
            None if self.other_percent == 0 => self.default,
            None => self.view_of_bucket(bucket(client)),
        }
    }

    fn view_of_bucket(&self, bucket: u8) -> View {
        if bucket < self.other_percent { self.default.other() } else { self.default }
    }

    /// The switch after a `ViewSwitched`.
    pub fn switched_to(&self, view: View, audience: &Audience) -> Self {
        let mut next = Self { switched: self.switched + 1, ..self.clone() };
        match audience {
            Audience::Everyone => {
                next.default = view;
                next.other_percent = 0;
                next.clients.clear();
            }
            Audience::Percent(percent) => {
                next.default = view.other();
                next.other_percent = *percent;
            }
            Audience::Clients(clients) => {
                next.clients.extend(clients.iter().map(|client| (client.clone(), view)))
            }
        }
        next
    }

    /// Whether `next` gives anybody the pre-created view who does not have it now.
    fn widens_precreated(&self, next: &Self) -> bool {
        let widened =
            |before: View, after: View| before == View::Legacy && after == View::Precreated;
        (0..100).any(|bucket| widened(self.view_of_bucket(bucket), next.view_of_bucket(bucket)))
            || self
                .clients
                .keys()
                .chain(next.clients.keys())
                .any(|client| widened(self.view_for(client), next.view_for(client)))
    }
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

/// Why a switch is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SwitchRefused {
    /// No reason given.
    #[error("a switch needs a reason that history can show; say it with --reason")]
    NoReason,
    /// More than everybody.
    #[error("{0} per cent is more than everybody; give 0 to 100")]
    Percent(u8),
    /// No validation at all.
    #[error(
        "nothing was validated yet; run `rollbook migrate validate` first, or override with --force and a reason"
    )]
    NotValidated,
    /// A batch or import came after the last validation.
    #[error(
        "the last validation (position {validated}) is older than the last batch (position {batch}); run `rollbook migrate validate` again, or override with --force and a reason"
    )]
    Stale {
        /// Where the validation is recorded.
        validated: Position,
        /// Where the batch is.
        batch: Position,
    },
    /// A batch was begun and not finished.
    #[error(
        "batch {0} was begun and is not through; run `rollbook migrate apply` with the same file again"
    )]
    Unfinished(String),
    /// The last validation was red.
    #[error(
        "the last validation is red: {0}; see `rollbook migrate validate`, or override with --force and a reason"
    )]
    Red(String),
    /// The legacy view is gone.
    #[error("the legacy view was retired; there is nothing to switch back to")]
    Retired,
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
                counts: BatchCounts::default(),
            }),
            Event::BatchApplied { digest, series, created, linked, adopted, skipped } => {
                if let Some(batch) = self.batches.iter_mut().find(|batch| batch.digest == *digest) {
                    batch.applied_at = Some(position);
                    let (series, created, linked) = (*series, *created, *linked);
                    let (adopted, skipped) = (*adopted, *skipped);
                    batch.counts = BatchCounts { series, created, linked, adopted, skipped };
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

    /// Decides a switch.
    ///
    /// # Errors
    /// When the reason is missing, or somebody would get the pre-created view without a green validation newer than the last
    /// batch and `force` is not set. Switching back needs nothing but a reason.
    pub fn decide_switch(
        &self,
        view: View,
        audience: Audience,
        reason: &str,
        force: bool,
    ) -> Result<Event, SwitchRefused> {
        if reason.trim().is_empty() {
            return Err(SwitchRefused::NoReason);
        }
        if let Audience::Percent(percent @ 101..) = audience {
            return Err(SwitchRefused::Percent(percent));
        }
        let next = self.switch.switched_to(view, &audience);
        if self.legacy_retired && view == View::Legacy {
            return Err(SwitchRefused::Retired);
        }
        let guard = if self.switch.widens_precreated(&next) { self.guard() } else { Ok(()) };
        let forced = match guard {
            Ok(()) => false,
            Err(_) if force => true,
            Err(refused) => return Err(refused),
        };
        Ok(Event::ViewSwitched { view, audience, reason: reason.to_owned(), forced })
    }

    fn guard(&self) -> Result<(), SwitchRefused> {
        if let Some(unfinished) = self.batches.iter().find(|batch| batch.applied_at.is_none()) {
            return Err(SwitchRefused::Unfinished(unfinished.digest.clone()));
        }
        let validation = self.validation.as_ref().ok_or(SwitchRefused::NotValidated)?;
        let imported = self.import.as_ref().map(|import| import.position);
        let batch = self
            .batches
            .iter()
            .filter_map(|batch| batch.applied_at)
            .chain(imported)
            .max()
            .unwrap_or(0);
        if validation.at < batch {
            return Err(SwitchRefused::Stale { validated: validation.at, batch });
        }
        let red: Vec<&str> = validation
            .checks
            .iter()
            .filter(|check| !check.green)
            .map(|check| check.name.as_str())
            .collect();
        if red.is_empty() { Ok(()) } else { Err(SwitchRefused::Red(red.join(", "))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_a_batch_are_stored_as_an_array() {
        let counts = BatchCounts { series: 1, created: 2, linked: 3, adopted: 4, skipped: 5 };
        assert_eq!(serde_json::to_string(&counts).unwrap(), "[1,2,3,4,5]");
        assert_eq!(serde_json::from_str::<BatchCounts>("[1,2,3,4,5]").unwrap(), counts);
    }

    fn validated(green: bool) -> Control {
        let mut control = Control::default();
        let check = CheckOutcome { name: "response-count".into(), green, detail: String::new() };
        control.apply(
            3,
            &Event::ValidationRecorded { digest: String::new(), at: 2, checks: vec![check] },
        );
        control
    }

    #[test]
    fn the_pre_created_view_needs_a_green_validation_newer_than_the_last_batch() {
        let decide = |control: &Control, force| {
            control.decide_switch(View::Precreated, Audience::Everyone, "go", force)
        };
        assert_eq!(decide(&Control::default(), false), Err(SwitchRefused::NotValidated));
        assert_eq!(
            decide(&validated(false), false),
            Err(SwitchRefused::Red("response-count".into()))
        );
        assert!(decide(&validated(true), false).is_ok());
        let mut stale = validated(true);
        stale.apply(
            4,
            &Event::ImportCompleted {
                digest: String::new(),
                legacy_timezone: "UTC".into(),
                collections: vec![],
                summary: None,
            },
        );
        assert_eq!(decide(&stale, false), Err(SwitchRefused::Stale { validated: 2, batch: 4 }));
        assert!(matches!(decide(&stale, true), Ok(Event::ViewSwitched { forced: true, .. })));
    }

    #[test]
    fn switching_back_needs_only_a_reason_and_forgets_every_exception() {
        let mut control = validated(true);
        for (audience, forced) in
            [(Audience::Percent(30), false), (Audience::Clients(vec!["a".into()]), false)]
        {
            let event = control.decide_switch(View::Precreated, audience, "trial", forced).unwrap();
            control.apply(9, &event);
        }
        assert_eq!(control.switch.view_for("a"), View::Precreated);
        let served = (0..1000)
            .filter(|n| control.switch.view_for(&format!("client-{n}")) == View::Precreated)
            .count();
        assert!((200..400).contains(&served), "{served} of 1000 at 30 per cent");
        control.validation = None;
        assert_eq!(
            control.decide_switch(View::Legacy, Audience::Everyone, " ", false),
            Err(SwitchRefused::NoReason)
        );
        let back =
            control.decide_switch(View::Legacy, Audience::Everyone, "rollback", false).unwrap();
        control.apply(10, &back);
        assert!((0..1000).all(|n| control.switch.view_for(&format!("client-{n}")) == View::Legacy));
        assert_eq!(control.switch.view_for("a"), View::Legacy);
    }
}

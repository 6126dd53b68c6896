//! The corrections of a series: what each changed, and what undoing it restores.
//!
//! A correction changes weeks as a person says. The weeks as they were without it are kept beside
//! it and follow the imports that come later, so undoing it gives the weeks as if the correction
//! had never been made. Deciders are in `decide/repair`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::items::{Item, Items};
use crate::document::{Field, StoredAssignment};
use crate::event::{LinkKind, WeekOfRun};
use crate::number::Number;
use crate::time::Timestamp;

/// A correction that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectionState {
    /// Its id.
    pub id: Uuid,
    /// The response that it placed.
    pub response: String,
    /// The week that it placed the response in.
    pub to: WeekOfRun,
    /// The documents of the weeks that it changed; the week that it changed to is last.
    pub documents: Vec<String>,
    /// Documents whose import changed since in what the correction replaces. The correction goes
    /// on holding.
    pub overtaken: BTreeSet<String>,
    /// The changed weeks as they are without the correction. A week that it created is not here.
    pub(super) before: Items,
    /// The link of the response without the correction.
    pub(super) linked: Option<(u32, u32, LinkKind)>,
}

impl CorrectionState {
    /// Whether both change the same week, or place the same response.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.response == other.response
            || self.documents.iter().any(|document| other.documents.contains(document))
    }

    /// Whether the correction created the week that this document stores.
    pub(super) fn made(&self, document: &str) -> bool {
        self.documents.last().is_some_and(|last| last == document)
            && self.before.document(document).is_none()
    }

    /// Whether undoing this correction gives back the link of its response to this week.
    pub fn would_link(&self, run: u32, week: u32) -> bool {
        self.linked.is_some_and(|(linked, to, _)| (linked, to) == (run, week))
    }
}

/// The corrections of a series.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corrections {
    /// How many were ever made, so that each gets its own id.
    pub made: u32,
    /// Those that hold, in the order of the log.
    pub(super) holding: Vec<CorrectionState>,
    /// The responses that were cleared: they count for no week any more.
    cleared: BTreeSet<String>,
}

impl Corrections {
    /// Iterates over the corrections that hold, in the order of the log.
    pub fn iter(&self) -> impl Iterator<Item = &CorrectionState> {
        self.holding.iter()
    }

    /// Returns the correction with this id, if it holds.
    pub fn get(&self, id: Uuid) -> Option<&CorrectionState> {
        self.holding.iter().find(|corrected| corrected.id == id)
    }

    /// Returns the latest correction that placed this response.
    pub fn of_response(&self, response: &str) -> Option<&CorrectionState> {
        self.holding.iter().rev().find(|corrected| corrected.response == response)
    }

    /// Returns the last later correction that overlaps one.
    pub(super) fn later_than(&self, earlier: &CorrectionState) -> Option<&CorrectionState> {
        let later = self.holding.iter().rev().take_while(|corrected| corrected.id != earlier.id);
        later.filter(|later| later.overlaps(earlier)).last()
    }

    /// Whether a response was cleared.
    pub fn is_cleared(&self, response: &str) -> bool {
        self.cleared.contains(response)
    }

    pub(super) fn cleared(&mut self, response: &str) {
        if !response.is_empty() {
            self.cleared.insert(response.to_owned());
        }
    }

    /// An import brought a version of a document.
    pub(super) fn stored(&mut self, stored: &StoredAssignment) {
        for corrected in &mut self.holding {
            if !corrected.documents.contains(&stored.document) {
                continue;
            }
            let was = corrected.before.document(&stored.document).cloned();
            corrected.before.store(stored.clone());
            let now = corrected.before.document(&stored.document);
            if now.map(answer) != was.as_ref().map(answer) {
                corrected.overtaken.insert(stored.document.clone());
            }
        }
    }

    /// An import no longer has a document.
    pub(super) fn removed(&mut self, document: &str) {
        for corrected in &mut self.holding {
            if corrected.documents.iter().any(|changed| changed == document) {
                corrected.before.remove(document);
                corrected.overtaken.insert(document.to_owned());
            }
        }
    }

    /// An import changed or removed a response.
    pub(super) fn response_changed(&mut self, response: &str) {
        for corrected in self.holding.iter_mut().filter(|held| held.response == response) {
            corrected.overtaken.insert(response.to_owned());
        }
    }
}

/// The response, completion time, score and status of a week.
type Answer<'a> = (&'a Field<String>, Option<Timestamp>, Option<Number>, &'a str);

/// What a placed response replaces in a week.
fn answer(item: &Item) -> Answer<'_> {
    let stored = &item.stored;
    (&stored.response, stored.completed_at, stored.score, &stored.status)
}

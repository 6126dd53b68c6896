//! The corrections of a series: what each changed, and what undoing it restores.
//!
//! A correction changes weeks as a person says. The weeks as they were without it are kept beside
//! it and follow the imports that come later, so undoing it gives the weeks as if the correction
//! had never been made. Deciders are in `decide/repair`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::items::{Item, Items};
use super::state::Series;
use crate::document::{Field, StoredAssignment};
use crate::event::{Event, LinkKind, WeekOfRun};
use crate::number::Number;
use crate::time::Timestamp;

/// A correction that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corrected {
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
    before: Items,
    /// The link of the response without the correction.
    linked: Option<(u32, u32, LinkKind)>,
}

impl Corrected {
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
    holding: Vec<Corrected>,
    /// The responses that were cleared: they count for no week any more.
    cleared: BTreeSet<String>,
}

impl Corrections {
    /// Iterates over the corrections that hold, in the order of the log.
    pub fn iter(&self) -> impl Iterator<Item = &Corrected> {
        self.holding.iter()
    }

    /// Returns the correction with this id, if it holds.
    pub fn get(&self, id: Uuid) -> Option<&Corrected> {
        self.holding.iter().find(|corrected| corrected.id == id)
    }

    /// Returns the latest correction that placed this response.
    pub fn of_response(&self, response: &str) -> Option<&Corrected> {
        self.holding.iter().rev().find(|corrected| corrected.response == response)
    }

    /// Returns the last later correction that overlaps one.
    pub(super) fn later_than(&self, earlier: &Corrected) -> Option<&Corrected> {
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

impl Series {
    /// Folds a placed response. `make` returns the week if no document stores it.
    pub(super) fn place(&mut self, event: &Event, make: impl FnOnce(&Self) -> Option<Item>) {
        let Event::ResponsePlaced { correction, response, run, week, completed_at, score, .. } =
            event
        else {
            return;
        };
        self.corrections.made += 1;
        let target = self.items.week(*run, *week).map(|item| item.stored.document.clone());
        let mut documents: Vec<String> = self
            .items
            .iter()
            .filter(|item| item.stored.response_id() == Some(response))
            .map(|item| item.stored.document.clone())
            .filter(|document| Some(document) != target.as_ref())
            .collect();
        let mut before = Items::default();
        for document in documents.iter().chain(&target) {
            if let Some(item) = self.items.document(document) {
                before.insert(item.clone());
            }
        }
        for document in &documents {
            if let Some(item) = self.items.document_mut(document) {
                item.clear();
            }
        }
        match target {
            Some(document) => {
                if let Some(item) = self.items.document_mut(&document) {
                    item.place(response, *completed_at, *score);
                }
                documents.push(document);
            }
            None => {
                if let Some(mut item) = make(self) {
                    item.place(response, *completed_at, *score);
                    documents.push(item.stored.document.clone());
                    self.items.insert(item);
                }
            }
        }
        let link = (*run, *week, LinkKind::Linked);
        let linked = self.linked.insert(response.clone(), link);
        self.corrections.holding.push(Corrected {
            id: *correction,
            response: response.clone(),
            to: WeekOfRun { run: *run, week: *week },
            documents,
            overtaken: BTreeSet::new(),
            before,
            linked,
        });
    }

    /// Folds the undoing of a correction.
    pub(super) fn undo(&mut self, id: Uuid) {
        let holding = &mut self.corrections.holding;
        let Some(at) = holding.iter().position(|corrected| corrected.id == id) else { return };
        let corrected = holding.remove(at);
        for document in &corrected.documents {
            self.restore(&corrected, document);
        }
        match corrected.linked {
            Some(linked) => self.linked.insert(corrected.response, linked),
            None => self.linked.remove(&corrected.response),
        };
    }

    /// Gives a week back the answer that it has without a correction. A week that was answered
    /// otherwise since then keeps its answer.
    fn restore(&mut self, corrected: &Corrected, document: &str) {
        let before = corrected.before.document(document);
        match (self.items.document_mut(document), before) {
            (Some(item), _)
                if item.stored.response_id().is_some_and(|held| held != corrected.response) => {}
            (Some(item), Some(before)) => item.restore_answer(before),
            (Some(_), None) => {
                self.items.take(document);
            }
            (None, Some(before)) => {
                if !self.items.is_withdrawn(document) {
                    self.items.insert(before.clone());
                }
            }
            (None, None) => {}
        }
    }
}

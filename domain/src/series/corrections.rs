//! The corrections of a series: what each changed, and what undoing it restores.
//!
//! A correction changes weeks as a person says. The weeks as they were without it are kept beside
//! it and follow the imports that come later, so undoing it gives the weeks as if the correction
//! had never been made. Deciders are in `decide/repair`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::items::{Item, Items, Keeps};
use crate::document::{Field, StoredAssignment};
use crate::event::{LinkKind, WeekOfRun};
use crate::number::Number;
use crate::time::Timestamp;

/// What a correction changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Corrected {
    /// The week of a response.
    Response,
    /// The number of a document's week.
    Number,
}

/// A correction that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectionState {
    /// Its id.
    pub id: Uuid,
    /// What it changed.
    pub corrected: Corrected,
    /// The response that it placed; for a number, the response of the document, empty without one.
    pub response: String,
    /// The week that it placed the response in, or that the document stands for.
    pub to: WeekOfRun,
    /// The documents of the weeks that it changed; the week that it changed to is last. For a
    /// number, every id of the document, its own first.
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
        (!self.response.is_empty() && self.response == other.response)
            || self.week_before().is_some_and(|week| week == other.to)
            || other.week_before().is_some_and(|week| week == self.to)
            || self.documents.iter().any(|document| other.documents.contains(document))
    }

    /// The week that a document stood for before its number was set.
    pub fn week_before(&self) -> Option<WeekOfRun> {
        let item = self.before.document(self.documents.first()?)?;
        let week = WeekOfRun { run: item.run, week: item.week() };
        (self.corrected == Corrected::Number).then_some(week)
    }

    /// Whether the correction created the week that this document stores.
    pub(super) fn made(&self, document: &str) -> bool {
        self.corrected == Corrected::Response
            && self.documents.last().is_some_and(|last| last == document)
            && self.before.document(document).is_none()
    }

    /// The id of a changed week that a document stores: the document's own, or that of the
    /// assignment that it became.
    fn changed(&self, document: &str) -> Option<String> {
        let is_changed = |id: &str| self.documents.iter().any(|changed| changed == id);
        let stored = self.before.document(document).map(|item| item.stored.document.as_str());
        stored.into_iter().chain([document]).find(|id| is_changed(id)).map(str::to_owned)
    }

    /// Gives a changed week the id under which it is stored now.
    fn rename(&mut self, from: &str, to: String) {
        if let Some(changed) = self.documents.iter_mut().find(|changed| *changed == from) {
            *changed = to;
        }
    }

    /// Whether undoing this correction gives back the link of its response to this week.
    pub fn would_link(&self, run: u32, week: u32) -> bool {
        self.corrected == Corrected::Response
            && self.linked.is_some_and(|(linked, to, _)| (linked, to) == (run, week))
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
        let placed = |held: &&CorrectionState| {
            held.corrected == Corrected::Response && held.response == response
        };
        self.holding.iter().rev().find(placed)
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
            let Some(changed) = corrected.changed(&stored.document) else { continue };
            let was = corrected.before.document(&stored.document).cloned();
            corrected.before.store(stored.clone());
            let now = corrected.before.document(&stored.document).cloned();
            let (is, earlier) = (now.as_ref(), was.as_ref());
            let is_same = match corrected.corrected {
                Corrected::Response => is.map(answer) == earlier.map(answer),
                Corrected::Number => is.map(Item::week) == earlier.map(Item::week),
            };
            if !is_same {
                corrected.overtaken.insert(stored.document.clone());
            }
            // A document that is for another week now has left the week that it had become.
            if let Some(now) = now {
                corrected.rename(&changed, now.stored.document);
            }
        }
    }

    /// The document that holds a placed response stands for another week from now on.
    pub(super) fn follow(&mut self, response: &str, to: WeekOfRun) {
        let placed = self.holding.iter_mut().rev().find(|held| {
            held.corrected == Corrected::Response
                && !response.is_empty()
                && held.response == response
        });
        if let Some(placed) = placed {
            placed.to = to;
        }
    }

    /// An import removed a document. A week that had adopted it remains.
    pub(super) fn removed(&mut self, document: &str) {
        for corrected in &mut self.holding {
            let Some(changed) = corrected.changed(document) else { continue };
            let held = corrected.before.document(document);
            let ids =
                held.map(|item| (item.stored.document.clone(), item.alias().map(str::to_owned)));
            corrected.before.remove(document);
            corrected.overtaken.insert(document.to_owned());
            if let Some((id, Some(alias))) = ids {
                corrected.rename(&changed, if id == document { alias } else { id });
            }
        }
    }

    /// A document became the week that was made with the id `assignment`. `made` and `imported` are
    /// both before that; `made` is missing where only changes of the week are kept.
    pub(super) fn adopted(
        &mut self,
        assignment: &str,
        keeps: Keeps,
        made: Option<&Item>,
        imported: &Item,
    ) {
        let (run, week, document) = (imported.run, imported.week(), &imported.stored.document);
        // A number that was set is restored by the document's own id.
        let placed = |held: &&mut CorrectionState| held.corrected == Corrected::Response;
        for corrected in self.holding.iter_mut().filter(placed) {
            let has_made = corrected.documents.iter().any(|id| id == assignment);
            if !has_made && !corrected.documents.contains(document) {
                continue;
            }
            if corrected.before.document(assignment).is_none() {
                let open = || {
                    let stored = imported.stored.unanswered();
                    Item::made(run, StoredAssignment { document: assignment.to_owned(), ..stored })
                };
                // Without a correction that created the week, the document alone stands for it.
                let made = made.cloned().filter(|_| !has_made);
                corrected.before.insert(made.unwrap_or_else(open));
            }
            if corrected.before.document(document).is_none() {
                corrected.before.insert(imported.clone());
            }
            corrected.before.adopt((run, week), assignment, document, keeps, None);
            let Some(kept) = corrected.before.document(document) else { continue };
            let kept = kept.stored.document.clone();
            for id in [assignment, document.as_str()] {
                corrected.rename(id, kept.clone());
            }
        }
    }

    /// An import changed or removed a response.
    pub(super) fn response_changed(&mut self, response: &str) {
        let placed = |held: &&mut CorrectionState| {
            held.corrected == Corrected::Response && held.response == response
        };
        for corrected in self.holding.iter_mut().filter(placed) {
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

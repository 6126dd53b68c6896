//! The stored weeks of a series.
//!
//! This module keeps the weeks in order and finds, adds and removes them. `item` defines one week
//! and its changes, `overrides` which of its fields events changed, `adoption` makes a document a
//! week that was there before, `precedence` picks one of several documents for the same week,
//! `shift` moves weeks when a series is paused or resumed, and `new_week` creates weeks.

mod adoption;
mod alias;
mod item;
mod new_week;
mod overrides;
mod precedence;
mod shift;

use std::collections::BTreeSet;

pub use self::adoption::Keeps;
pub use self::alias::Alias;
pub use self::item::Item;
pub use self::new_week::{made_week, terms_of};
pub(super) use self::overrides::Overrides;
pub use self::precedence::replaces;
use crate::document::StoredAssignment;

/// The stored weeks of one series, ordered by (run, week, document). A week may have duplicates:
/// several documents for the same week.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Items {
    pub(super) held: Vec<Item>,
    /// Withdrawn documents: a later import does not add them again.
    pub(super) withdrawn: BTreeSet<String>,
    /// Adopted weeks as they were made.
    pub(super) parked: Vec<Item>,
}

impl Items {
    /// Iterates over all items, duplicates included.
    pub fn iter(&self) -> impl Iterator<Item = &Item> {
        self.held.iter()
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    fn place(&self, run: u32, week: u32, document: &str) -> Result<usize, usize> {
        self.held.binary_search_by(|item| {
            (item.run, item.week(), item.stored.document.as_str()).cmp(&(run, week, document))
        })
    }

    /// Adds an item. An existing item with the same run, week and document stays.
    pub fn insert(&mut self, item: Item) {
        if let Err(at) = self.place(item.run, item.week(), &item.stored.document) {
            self.held.insert(at, item);
        }
    }

    /// Stores an imported document and keeps the changes made to an earlier version of it.
    pub fn store(&mut self, stored: StoredAssignment) {
        if self.withdrawn.contains(&stored.document) {
            return;
        }
        let Some(mut stored) = self.store_adopted(stored) else { return };
        let earlier = self
            .held
            .iter()
            .position(|item| item.stored.document == stored.document)
            .map(|at| self.held.remove(at));
        let (mut run, mut covered, mut alias) = (1, Overrides::default(), None);
        if let Some(earlier) = earlier {
            // A document that moved to another week is no longer the week that adopted it.
            if earlier.week() == stored.week() {
                alias = earlier.alias;
            } else if let Some(assignment) = earlier.alias() {
                self.parked.retain(|made| made.stored.document != assignment);
            }
            (run, covered) = (earlier.run, earlier.covered);
            covered.carry(earlier.stored, &mut stored);
        }
        self.insert(Item { run, imported: true, stored, covered, alias });
    }

    /// Removes a document that an import no longer has. A week with a response given here stays.
    pub fn remove(&mut self, document: &str) {
        if self.remove_adopted(document) {
            return;
        }
        self.held.retain(|item| {
            !(item.imported && item.stored.document == document) || item.answered_here()
        });
    }

    /// Keeps the items for which `keep` holds. An import may add the others again.
    pub fn retain(&mut self, keep: impl FnMut(&Item) -> bool) {
        self.held.retain(keep);
    }

    /// Removes the items for which `taken` holds, permanently.
    pub fn withdraw(&mut self, taken: impl Fn(&Item) -> bool) {
        let (withdrawn, parked) = (&mut self.withdrawn, &mut self.parked);
        self.held.retain(|item| {
            let is_taken = taken(item);
            if is_taken && item.imported {
                withdrawn.insert(item.stored.document.clone());
            }
            if let Some(alias) = item.alias().filter(|_| is_taken) {
                withdrawn.insert(alias.to_owned());
                parked.retain(|made| !item.has_id(&made.stored.document));
            }
            !is_taken
        });
    }

    /// Iterates over the items of one week, duplicates included.
    pub fn of_week(&self, run: u32, week: u32) -> impl Iterator<Item = &Item> {
        let from = self.held.partition_point(|item| (item.run, item.week()) < (run, week));
        self.held.iter().skip(from).take_while(move |item| item.run == run && item.week() == week)
    }

    /// Returns the item that represents a week: rule 9 of `docs/spec/legacy-view.md` picks one of
    /// its duplicates.
    pub fn week(&self, run: u32, week: u32) -> Option<&Item> {
        self.of_week(run, week).reduce(|held, item| if replaces(item, held) { item } else { held })
    }

    /// Returns the item that represents a week, mutably.
    pub fn week_mut(&mut self, run: u32, week: u32) -> Option<&mut Item> {
        let document = self.week(run, week)?.stored.document.clone();
        self.at_mut(run, week, &document)
    }

    fn at_mut(&mut self, run: u32, week: u32, document: &str) -> Option<&mut Item> {
        let at = self.place(run, week, document).ok()?;
        self.held.get_mut(at)
    }

    /// Returns the item of a week with this response, or else the item that represents the week if
    /// it has no response. So an answer that only one of the two folds knows never clears an answer
    /// of the other fold.
    pub fn answered_mut(&mut self, run: u32, week: u32, response: &str) -> Option<&mut Item> {
        let named =
            self.of_week(run, week).find(|item| item.stored.response_id() == Some(response));
        let meant = named
            .or_else(|| self.week(run, week).filter(|item| item.stored.response_id().is_none()));
        let document = meant?.stored.document.clone();
        self.at_mut(run, week, &document)
    }

    /// Returns the item of a week that has this id, mutably.
    pub fn with_id_mut(&mut self, run: u32, week: u32, id: &str) -> Option<&mut Item> {
        self.held.iter_mut().find(|item| (item.run, item.week()) == (run, week) && item.has_id(id))
    }

    /// Returns the last item: the greatest week of the latest run.
    pub fn latest(&self) -> Option<&Item> {
        self.held.last()
    }

    /// Returns the item with this id: that of the stored week, or the other id of an adopted one.
    pub fn document(&self, document: &str) -> Option<&Item> {
        self.held.iter().find(|item| item.has_id(document))
    }

    /// Returns the item with this document id, mutably. The caller must not change its week.
    pub(in crate::series) fn document_mut(&mut self, document: &str) -> Option<&mut Item> {
        self.held.iter_mut().find(|item| item.stored.document == document)
    }

    /// Removes the item with this document id. An import may add the document again.
    pub(in crate::series) fn take(&mut self, document: &str) -> Option<Item> {
        let at = self.held.iter().position(|item| item.stored.document == document)?;
        Some(self.held.remove(at))
    }

    /// Whether the document was withdrawn.
    pub(in crate::series) fn is_withdrawn(&self, document: &str) -> bool {
        self.withdrawn.contains(document)
    }

    /// Iterates over the item that represents each (run, week), in order.
    pub fn shown(&self) -> impl Iterator<Item = &Item> {
        self.held.chunk_by(|a, b| (a.run, a.week()) == (b.run, b.week())).filter_map(|week| {
            week.iter().reduce(|held, item| if replaces(item, held) { item } else { held })
        })
    }

    /// Returns the base of a run: the item of its first week with the earliest due date.
    pub fn base(&self, run: u32) -> Option<&Item> {
        let first = self.held.iter().find(|item| item.run == run)?;
        self.of_week(run, first.week()).min_by_key(|item| {
            let due = item.stored.due.value().copied();
            (due.is_none(), due, item.document_id())
        })
    }

    /// Iterates over all items of a run, mutably.
    pub fn run_mut(&mut self, run: u32) -> impl Iterator<Item = &mut Item> {
        self.held.iter_mut().filter(move |item| item.run == run)
    }
}

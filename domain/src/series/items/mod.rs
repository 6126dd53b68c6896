//! The stored weeks of a series.
//!
//! This module keeps the weeks in order and finds, adds and removes them. `item` defines one week
//! and its changes, `precedence` picks one of several documents for the same week, `shift` moves
//! weeks when a series is paused or resumed, and `new_week` creates weeks.

mod item;
mod new_week;
mod precedence;
mod shift;

use std::collections::BTreeSet;

pub use self::item::Item;
pub(super) use self::item::Overrides;
pub use self::new_week::{made_week, terms_of};
pub use self::precedence::replaces;
use crate::document::StoredAssignment;

/// The stored weeks of one stream, in the order of (run, week, document).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Items {
    pub(super) held: Vec<Item>,
    /// Documents that were taken away here: no later import brings them back.
    pub(super) withdrawn: BTreeSet<String>,
}

impl Items {
    /// All of them, doubles included.
    pub fn iter(&self) -> impl Iterator<Item = &Item> {
        self.held.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    fn place(&self, run: u32, week: u32, document: &str) -> Result<usize, usize> {
        self.held.binary_search_by(|item| {
            (item.run, item.week(), item.stored.document.as_str()).cmp(&(run, week, document))
        })
    }

    /// Adds a week that no import brought; one that is there already stays.
    pub fn insert(&mut self, item: Item) {
        if let Err(at) = self.place(item.run, item.week(), &item.stored.document) {
            self.held.insert(at, item);
        }
    }

    /// Stores a document, keeping what happened to an earlier form of it.
    pub fn store(&mut self, mut stored: StoredAssignment) {
        if self.withdrawn.contains(&stored.document) {
            return;
        }
        let earlier = self
            .held
            .iter()
            .position(|item| item.stored.document == stored.document)
            .map(|at| self.held.remove(at));
        let (mut run, mut covered) = (1, Overrides::default());
        if let Some(earlier) = earlier {
            (run, covered) = (earlier.run, earlier.covered);
            covered.carry(earlier.stored, &mut stored);
        }
        self.insert(Item { run, imported: true, stored, covered });
    }

    /// An import no longer has the document. A week that was answered here stays.
    pub fn remove(&mut self, document: &str) {
        self.held.retain(|item| {
            !(item.imported && item.stored.document == document) || item.answered_here()
        });
    }

    /// Keeps the items for which `keep` holds; an import may bring the others back.
    pub fn retain(&mut self, keep: impl FnMut(&Item) -> bool) {
        self.held.retain(keep);
    }

    /// Takes away, for good, the items for which `taken` holds.
    pub fn withdraw(&mut self, taken: impl Fn(&Item) -> bool) {
        let withdrawn = &mut self.withdrawn;
        self.held.retain(|item| {
            let is_taken = taken(item);
            if is_taken && item.imported {
                withdrawn.insert(item.stored.document.clone());
            }
            !is_taken
        });
    }

    /// The items of one week, doubles included.
    pub fn of_week(&self, run: u32, week: u32) -> impl Iterator<Item = &Item> {
        let from = self.held.partition_point(|item| (item.run, item.week()) < (run, week));
        self.held.iter().skip(from).take_while(move |item| item.run == run && item.week() == week)
    }

    /// The item that stands for a week: rule 9 among its doubles.
    pub fn week(&self, run: u32, week: u32) -> Option<&Item> {
        self.of_week(run, week).reduce(|held, item| if replaces(item, held) { item } else { held })
    }

    /// The same, to change it.
    pub fn week_mut(&mut self, run: u32, week: u32) -> Option<&mut Item> {
        let document = self.week(run, week)?.stored.document.clone();
        self.at_mut(run, week, &document)
    }

    fn at_mut(&mut self, run: u32, week: u32, document: &str) -> Option<&mut Item> {
        let at = self.place(run, week, document).ok()?;
        self.held.get_mut(at)
    }

    /// The item of a week that has this response, else the one that stands for the week, unless that has another one: what only one
    /// fold knows to be answered takes no answer away from the other.
    pub fn answered_mut(&mut self, run: u32, week: u32, response: &str) -> Option<&mut Item> {
        let named =
            self.of_week(run, week).find(|item| item.stored.response_id() == Some(response));
        let meant = named
            .or_else(|| self.week(run, week).filter(|item| item.stored.response_id().is_none()));
        let document = meant?.stored.document.clone();
        self.at_mut(run, week, &document)
    }

    /// The last item: of the latest run, the greatest week.
    pub fn latest(&self) -> Option<&Item> {
        self.held.last()
    }

    /// The item with this document id.
    pub fn document(&self, document: &str) -> Option<&Item> {
        self.held.iter().find(|item| item.stored.document == document)
    }

    /// The item that answers for each (run, week), in order.
    pub fn shown(&self) -> impl Iterator<Item = &Item> {
        self.held.chunk_by(|a, b| (a.run, a.week()) == (b.run, b.week())).filter_map(|week| {
            week.iter().reduce(|held, item| if replaces(item, held) { item } else { held })
        })
    }

    /// The base of a run: week 1 with the earliest due, else its first week.
    pub fn base(&self, run: u32) -> Option<&Item> {
        let due =
            |item: &&Item| (item.stored.due.value().is_none(), item.stored.due.value().copied());
        let first = self.held.iter().find(|item| item.run == run)?;
        self.of_week(run, first.week()).min_by_key(due)
    }

    /// Every item of a run, to change it.
    pub fn run_mut(&mut self, run: u32) -> impl Iterator<Item = &mut Item> {
        self.held.iter_mut().filter(move |item| item.run == run)
    }
}

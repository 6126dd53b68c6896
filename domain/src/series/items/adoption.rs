//! Adoption: an imported document becomes a week that was made before it came.
//!
//! The two items of the week become one. In the pre-created view it keeps the id of the assignment,
//! in the legacy view the id of the document; the other id is its alias. The week as it was made is
//! set aside, so that it stands again when an import removes the document or moves it to another
//! week.

use super::{Item, Items};
use crate::document::StoredAssignment;

/// The id that an adopted week keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// The id of the assignment.
    Assignment,
    /// The id of the document.
    Document,
}

impl Items {
    /// Makes a document the week that was made with the id `assignment`. Does nothing if the
    /// document is not stored for this week, or if the week that keeps its id is not.
    pub fn adopt(
        &mut self,
        (run, week): (u32, u32),
        assignment: &str,
        document: &str,
        keeps: Keeps,
    ) {
        let Ok(at) = self.place(run, week, document) else { return };
        let made = self.place(run, week, assignment).ok();
        if made.is_none() && keeps == Keeps::Assignment {
            return;
        }
        // Only imported documents are adopted, and each only once.
        if !self.held.get(at).is_some_and(|item| item.imported && item.alias.is_none()) {
            return;
        }
        let mut adopted = self.held.remove(at);
        if let Some(at) = self.place(run, week, assignment).ok().filter(|_| made.is_some()) {
            let made = self.held.remove(at);
            adopted.take_over(&made);
            self.parked.push(made);
        }
        let kept = match keeps {
            Keeps::Assignment => assignment,
            Keeps::Document => document,
        };
        let other = if keeps == Keeps::Assignment { document } else { assignment };
        kept.clone_into(&mut adopted.stored.document);
        adopted.alias = Some(other.to_owned());
        self.insert(adopted);
    }

    /// Stores a new version of an adopted document. Returns it if it is for another week: then the
    /// week that had adopted it stands as it was made.
    pub(super) fn store_adopted(&mut self, stored: StoredAssignment) -> Option<StoredAssignment> {
        let adopted = |item: &Item| item.alias.as_deref() == Some(&stored.document);
        let Some(at) = self.held.iter().position(adopted) else { return Some(stored) };
        let earlier = self.held.remove(at);
        if earlier.week() != stored.week() {
            self.part(earlier);
            return Some(stored);
        }
        let Item { run, covered, alias, .. } = earlier;
        let mut stored = stored;
        stored.document.clone_from(&earlier.stored.document);
        covered.carry(earlier.stored, &mut stored);
        self.insert(Item { run, imported: true, stored, covered, alias });
        None
    }

    /// Removes an adopted document. Returns whether there is one.
    pub(super) fn remove_adopted(&mut self, document: &str) -> bool {
        let adopted = |item: &Item| item.alias.as_deref() == Some(document);
        let Some(at) = self.held.iter().position(adopted) else { return false };
        let earlier = self.held.remove(at);
        self.part(earlier);
        true
    }

    /// Restores a week as it was made, with the changes that were made to it since.
    fn part(&mut self, adopted: Item) {
        let is_made = |item: &Item| item.stored.document == adopted.stored.document;
        let Some(at) = self.parked.iter().position(is_made) else { return };
        let mut made = self.parked.remove(at);
        adopted.covered.carry(adopted.stored, &mut made.stored);
        made.covered = adopted.covered.or(made.covered);
        self.insert(made);
    }
}

impl Item {
    /// Takes over what was done to the week that was made, where it says more than the document. A
    /// response that the client gave here stays. One that a migration linked stays if the document
    /// has none of its own.
    fn take_over(&mut self, made: &Item) {
        let taken = made.covered.beside(self.covered, self.is_completed());
        let mut stored = self.stored.clone();
        taken.carry(made.stored.clone(), &mut stored);
        self.stored = stored;
        self.covered = taken.or(self.covered);
    }
}

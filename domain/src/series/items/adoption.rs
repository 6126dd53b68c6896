//! Adoption: an imported document becomes a week that was made before it came.
//!
//! The two items of the week become one. In the pre-created view it keeps the id of the assignment,
//! in the legacy view the id of the document; the other id is its alias. The week as it was made is
//! set aside, so that it stands again when an import removes the document or moves it to another
//! week.

use super::{Alias, Item, Items};
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
    /// Makes a document the week that was made with the id `assignment`. If that week is not stored,
    /// `overlaid` holds the changes that were made to it. Does nothing if the document is not stored
    /// for this week, if the week that keeps its id is not, or if the client answered both here.
    /// Returns whether the document is that week now.
    pub fn adopt(
        &mut self,
        (run, week): (u32, u32),
        assignment: &str,
        document: &str,
        keeps: Keeps,
        overlaid: Option<&Item>,
    ) -> bool {
        let Ok(at) = self.place(run, week, document) else { return false };
        let made = self.place(run, week, assignment).ok();
        if made.is_none() && keeps == Keeps::Assignment {
            return false;
        }
        // Only imported documents are adopted, and each only once.
        if !self.held.get(at).is_some_and(|item| item.imported && item.alias.is_none()) {
            return false;
        }
        // The client answered both here: neither answer may hide the other.
        let answered = |at: usize| self.held.get(at).is_some_and(Item::answered_here);
        if answered(at) && made.is_some_and(answered) {
            return false;
        }
        let mut adopted = self.held.remove(at);
        if let Some(at) = self.place(run, week, assignment).ok().filter(|_| made.is_some()) {
            let made = self.held.remove(at);
            adopted.take_over(&made);
            self.parked.push(made);
        } else if let Some(overlaid) = overlaid {
            adopted.take_over(overlaid);
        }
        let kept = match keeps {
            Keeps::Assignment => assignment,
            Keeps::Document => document,
        };
        kept.clone_into(&mut adopted.stored.document);
        adopted.alias = Some(match keeps {
            Keeps::Assignment => Alias::Document(document.to_owned()),
            Keeps::Document => Alias::Assignment(assignment.to_owned()),
        });
        self.insert(adopted);
        true
    }

    /// Copies an item of `others`, with the week that its document became as it was made.
    pub(in crate::series) fn insert_from(&mut self, others: &Self, item: &Item) {
        let of_item = others.parked.iter().filter(|made| item.has_id(&made.stored.document));
        self.parked.extend(of_item.cloned());
        self.insert(item.clone());
    }

    /// Gives the week as it was made, which a document has become, the answer that it has in
    /// `others`.
    pub(in crate::series) fn restore_parked(&mut self, assignment: &str, others: &Self) {
        let is_made = |item: &&Item| item.stored.document == assignment;
        if let Some(earlier) = others.parked.iter().find(is_made)
            && let Some(made) = self.parked.iter_mut().find(|item| is_made(&&**item))
        {
            made.restore_answer(earlier);
        }
    }

    /// Stores a new version of an adopted document, and returns it if there is none. If the document
    /// is now for another week, the week that had adopted it stands as it was made, and what was
    /// done to the document moves with it, as with any document.
    pub(super) fn store_adopted(&mut self, stored: StoredAssignment) -> Option<StoredAssignment> {
        let adopted = |item: &Item| item.is_adopted(&stored.document);
        let Some(at) = self.held.iter().position(adopted) else { return Some(stored) };
        let mut earlier = self.held.remove(at);
        let mut stored = stored;
        if earlier.week() == stored.week() {
            stored.document.clone_from(&earlier.stored.document);
        } else {
            self.unpark(&earlier.stored.document, Item::lose_answer);
            earlier.covered.keep_link();
            earlier.alias = None;
        }
        let Item { run, covered, alias, .. } = earlier;
        covered.carry(earlier.stored, &mut stored);
        self.insert(Item { run, imported: true, stored, covered, alias });
        None
    }

    /// Removes an adopted document. Returns whether there is one. In the legacy view the week stays
    /// if the client answered it here, with the id of the assignment.
    pub(super) fn remove_adopted(&mut self, document: &str) -> bool {
        let kept = |item: &Item| {
            let is_kept = item.stored.document == document && item.answered_here();
            is_kept.then_some(item.alias.as_ref()).flatten().cloned()
        };
        let adopted = |item: &Item| item.is_adopted(document) || kept(item).is_some();
        let Some(at) = self.held.iter().position(adopted) else { return false };
        let mut earlier = self.held.remove(at);
        if let Some(Alias::Assignment(assignment)) = kept(&earlier) {
            self.parked.retain(|made| made.stored.document != assignment);
            earlier.stored.document = assignment;
            self.insert(Item { imported: false, alias: None, ..earlier });
            return true;
        }
        let id = earlier.stored.document.clone();
        self.unpark(&id, |made| {
            earlier.covered.carry(earlier.stored, &mut made.stored);
            made.covered = earlier.covered.or(made.covered);
        });
        true
    }

    /// Restores a week as it was made, after a change.
    fn unpark(&mut self, assignment: &str, change: impl FnOnce(&mut Item)) {
        let is_made = |item: &Item| item.stored.document == assignment;
        let Some(at) = self.parked.iter().position(is_made) else { return };
        let mut made = self.parked.remove(at);
        change(&mut made);
        self.insert(made);
    }
}

impl Item {
    /// Whether this week adopted a document and kept the id of its assignment.
    fn is_adopted(&self, document: &str) -> bool {
        matches!(&self.alias, Some(Alias::Document(adopted)) if adopted == document)
    }

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

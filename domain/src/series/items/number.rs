//! The number of a document's week: setting it, and keeping it when the document is imported again.
//!
//! A document that takes the place of a week that was made before has both ids from then on, as an
//! adopted one. The week as it was made is set aside, and stands again when the document leaves it.

use uuid::Uuid;

use super::overrides::{AnswerChange, AnswerSource};
use super::{Alias, Item, Items, Keeps};
use crate::document::StoredAssignment;

/// The week that a document gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::series) struct Number {
    /// The stored number; `None` if there is none, which counts as week 1.
    pub(in crate::series) stored: Option<u32>,
    /// Whether the number overrides that of the imported document.
    pub(in crate::series) is_set: bool,
    /// The id of the made assignment whose place the document takes.
    pub(in crate::series) replaces: Option<String>,
}

impl Items {
    /// Gives a document another week. Returns the ids that the document had, and that of a made
    /// week that it set aside; none if there is no such document.
    pub(in crate::series) fn renumber(
        &mut self,
        document: &str,
        number: &Number,
        keeps: Keeps,
    ) -> Vec<String> {
        let is_meant = |item: &Item| item.imported && item.document_id() == document;
        let Some(at) = self.held.iter().position(is_meant) else { return Vec::new() };
        let mut item = self.held.remove(at);
        let mut ids = vec![document.to_owned()];
        if let Some(assignment) = item.assignment_id().map(str::to_owned) {
            self.unpark(&assignment, Item::lose_answer);
            ids.push(assignment);
        }
        document.clone_into(&mut item.stored.document);
        item.alias = None;
        item.stored.stored_week = number.stored;
        item.covered.number = number.is_set;
        if let Some(assignment) = &number.replaces {
            let made = |item: &Item| !item.imported && item.stored.document == *assignment;
            if let Some(at) = self.held.iter().position(made) {
                let made = self.held.remove(at);
                self.parked.push(made);
            }
            ids.push(assignment.clone());
            item.alias = Some(match keeps {
                Keeps::Assignment => {
                    assignment.clone_into(&mut item.stored.document);
                    Alias::Document(document.to_owned())
                }
                Keeps::Document => Alias::Assignment(assignment.clone()),
            });
        }
        self.insert(item);
        ids
    }

    /// Removes the number of a document and the made weeks whose place it has, for a comparison
    /// without it. Returns its response; empty if it has none.
    pub(in crate::series) fn forget_number(
        &mut self,
        document: &str,
        replaces: Option<Uuid>,
    ) -> String {
        let is_meant = |item: &Item| item.imported && item.document_id() == document;
        let Some(at) = self.held.iter().position(is_meant) else { return String::new() };
        let mut item = self.held.remove(at);
        let made = [item.assignment_id().map(str::to_owned), replaces.map(|id| id.to_string())];
        let is_made = |other: &Item| {
            !other.imported && made.iter().flatten().any(|id| *id == other.stored.document)
        };
        self.held.retain(|other| !is_made(other));
        self.parked.retain(|other| !is_made(other));
        document.clone_into(&mut item.stored.document);
        (item.alias, item.stored.stored_week, item.covered.number) = (None, None, false);
        let response = item.stored.response_id().unwrap_or_default().to_owned();
        self.held.push(item);
        response
    }
}

impl Item {
    /// Whether an event set the number of the week.
    pub fn has_set_number(&self) -> bool {
        self.covered.number
    }

    /// Whether a migration linked the response to the week by the response's own week.
    pub fn is_linked(&self) -> bool {
        self.covered.answer == Some(AnswerChange::Given(AnswerSource::Migration))
    }

    /// Whether an event set the due date of the week.
    pub fn has_set_due(&self) -> bool {
        self.covered.due
    }

    /// The id of the assignment, of a week that adopted a document or took the place of one that
    /// was made before.
    pub fn assignment_id(&self) -> Option<&str> {
        match &self.alias {
            Some(Alias::Document(_)) => Some(&self.stored.document),
            Some(Alias::Assignment(assignment)) => Some(assignment),
            None => None,
        }
    }

    /// The number as it is stored, and what it stands for.
    pub(in crate::series) fn number(&self) -> Number {
        Number {
            stored: self.stored.stored_week,
            is_set: self.covered.number,
            replaces: self.assignment_id().map(str::to_owned),
        }
    }

    /// Gives a new version of the document the number that an event set.
    pub(super) fn keep_number(&self, stored: &mut StoredAssignment) {
        if self.covered.number {
            stored.stored_week = self.stored.stored_week;
        }
    }
}

//! Folding the events of corrections: a response is placed in a week, or that is undone.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::corrections::CorrectionState;
use super::items::{Item, Items};
use super::state::Series;
use crate::event::{LinkKind, Placement, WeekOfRun};

impl Series {
    /// Folds a placed response. `make` returns the week if no document stores it.
    pub(super) fn place(
        &mut self,
        placement: &Placement,
        make: impl FnOnce(&Self) -> Option<Item>,
    ) {
        let Placement { correction, response, run, week, completed_at, score, .. } = placement;
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
                before.insert_from(&self.items, item);
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
        self.corrections.holding.push(CorrectionState {
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
    fn restore(&mut self, corrected: &CorrectionState, document: &str) {
        let before = corrected.before.document(document);
        match (self.items.document_mut(document), before) {
            (Some(item), _)
                if item.stored.response_id().is_some_and(|held| held != corrected.response) => {}
            (Some(item), Some(before)) => {
                item.restore_answer(before);
                for id in [Some(document), before.alias()].into_iter().flatten() {
                    self.items.restore_parked(id, &corrected.before);
                }
            }
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

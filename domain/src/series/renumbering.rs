//! Folding a week's number that is set, and the undoing of it.

use std::collections::BTreeSet;

use super::corrections::{Corrected, CorrectionState};
use super::items::{Items, Keeps, Number};
use super::state::Series;
use crate::event::{NumberSetting, WeekOfRun};

impl Series {
    /// Folds a number that was set.
    pub(super) fn set_number(&mut self, setting: &NumberSetting, keeps: Keeps) {
        let NumberSetting { correction, document, run, week, replaces, restores, .. } = setting;
        let replaces = replaces.map(|assignment| assignment.to_string());
        let number = Number { stored: *week, is_set: !restores, replaces };
        let mut before = Items::default();
        let mut response = String::new();
        if let Some(item) = self.items.document(document) {
            before.insert(item.clone());
            item.stored.response_id().unwrap_or_default().clone_into(&mut response);
        }
        let documents = self.items.renumber(document, &number, keeps);
        let to = WeekOfRun { run: *run, week: setting.is() };
        self.asked_to_reopen.remove(&(*run, setting.was()));
        self.asked_to_reopen.remove(&(*run, setting.is()));
        let linked = self.linked.get(&response).copied();
        self.follow(&response, to);
        let Some(id) = *correction else { return };
        self.corrections.made += 1;
        self.corrections.holding.push(CorrectionState {
            id,
            corrected: Corrected::Number,
            response,
            to,
            documents,
            overtaken: BTreeSet::new(),
            before,
            linked,
        });
    }

    /// The link of a response and the corrections that placed it name the week that its document
    /// stands for now.
    fn follow(&mut self, response: &str, to: WeekOfRun) {
        if let Some((run, week, _)) = self.linked.get_mut(response) {
            (*run, *week) = (to.run, to.week);
        }
        self.corrections.follow(response, to);
    }

    /// Gives a document the number that it has without a correction.
    pub(super) fn undo_number(&mut self, corrected: &CorrectionState, keeps: Keeps) {
        let Some(document) = corrected.documents.first() else { return };
        let Some(before) = corrected.before.document(document) else { return };
        let number = before.number();
        self.items.renumber(document, &number, keeps);
        self.asked_to_reopen.remove(&(corrected.to.run, corrected.to.week));
        self.asked_to_reopen.remove(&(before.run, before.week()));
        let to = WeekOfRun { run: before.run, week: before.week() };
        self.corrections.follow(&corrected.response, to);
        if let Some(linked) = corrected.linked {
            self.linked.insert(corrected.response.clone(), linked);
        }
    }
}

//! One stored week, and the changes that events make to it.
//!
//! An imported document and later changes are kept apart, so that importing the document again does
//! not undo a change.

use super::alias::Alias;
use super::overrides::{AnswerChange, AnswerSource, Overrides, set_total_weeks, set_window};
use crate::document::{Field, StoredAssignment};
use crate::event::AssignedStatus;
use crate::json::JsonText;
use crate::number::Number;
use crate::time::Timestamp;

/// One stored week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The run it belongs to, from 1.
    pub run: u32,
    /// Whether the week was imported.
    pub imported: bool,
    /// The current state of the week.
    pub stored: StoredAssignment,
    pub(in crate::series) covered: Overrides,
    /// The other id of an adopted week.
    pub alias: Option<Alias>,
}

impl Item {
    /// Creates a week that was not imported.
    pub fn made(run: u32, stored: StoredAssignment) -> Self {
        Self { run, imported: false, stored, covered: Overrides::default(), alias: None }
    }

    /// Whether this is the id of the stored week: its own, or the other id of an adopted one.
    #[inline]
    pub fn has_id(&self, id: &str) -> bool {
        self.stored.document == id || self.alias() == Some(id)
    }

    /// The other id of an adopted week.
    #[inline]
    pub fn alias(&self) -> Option<&str> {
        self.alias.as_ref().map(Alias::id)
    }

    /// The id of the document, also of a week that adopted it and has the id of the assignment. It
    /// is the same in both views.
    #[inline]
    pub fn document_id(&self) -> &str {
        match &self.alias {
            Some(Alias::Document(document)) => document,
            _ => &self.stored.document,
        }
    }

    /// Whether a response that names this assignment means this week: by one of its ids, or by its
    /// legacy id.
    pub fn is_named(&self, name: &str) -> bool {
        !name.is_empty() && (self.has_id(name) || self.stored.legacy_id == name)
    }

    /// The week, from 1.
    #[inline]
    pub fn week(&self) -> u32 {
        self.stored.week()
    }

    /// Whether it has a response or is stored as completed.
    #[inline]
    pub fn is_completed(&self) -> bool {
        self.stored.is_completed()
    }

    /// A completed week keeps its status.
    fn set_status(&mut self, status: &str) {
        if !self.is_completed() {
            status.clone_into(&mut self.stored.status);
            self.covered.status = true;
        }
    }

    fn set_due(&mut self, due: Option<Timestamp>) {
        self.stored.due = due.map_or(Field::Null, Field::Is);
        self.covered.due = true;
    }

    fn set_paused_until(&mut self, until: Option<Timestamp>) {
        self.stored.paused_until = until;
        self.covered.paused_until = true;
    }

    /// Sets the response that the client submitted.
    pub fn answer(
        &mut self,
        response: &str,
        submitted_at: Option<Timestamp>,
        score: Option<Number>,
    ) {
        self.set_answer(response, submitted_at, score, AnswerSource::Client);
    }

    /// Sets the imported response that a migration linked.
    pub fn link(&mut self, response: &str, completed_at: Option<Timestamp>, score: Option<Number>) {
        self.set_answer(response, completed_at, score, AnswerSource::Migration);
    }

    /// Sets the response that a correction placed here.
    pub fn place(
        &mut self,
        response: &str,
        completed_at: Option<Timestamp>,
        score: Option<Number>,
    ) {
        self.set_answer(response, completed_at, score, AnswerSource::Correction);
    }

    /// Takes the response, completion time, score and status of an earlier state of the week.
    pub(in crate::series) fn restore_answer(&mut self, earlier: &Self) {
        let stored = &mut self.stored;
        stored.response.clone_from(&earlier.stored.response);
        stored.completed_at = earlier.stored.completed_at;
        stored.score = earlier.stored.score;
        stored.status.clone_from(&earlier.stored.status);
        self.covered.answer = earlier.covered.answer;
        self.covered.status = earlier.covered.status;
    }

    fn set_answer(
        &mut self,
        response: &str,
        at: Option<Timestamp>,
        score: Option<Number>,
        by: AnswerSource,
    ) {
        self.set_status("completed");
        self.stored.opened = false;
        self.stored.response = Field::Is(response.to_owned());
        self.stored.completed_at = at;
        self.stored.score = score;
        self.covered.answer = Some(AnswerChange::Given(by));
    }

    /// Clears the response and sets the week back to pending.
    pub fn clear(&mut self) {
        self.stored.response = Field::Null;
        self.stored.completed_at = None;
        self.stored.score = None;
        "pending".clone_into(&mut self.stored.status);
        self.covered.answer = Some(AnswerChange::Cleared);
        self.covered.status = true;
    }

    /// Sets the status that a coach assigned. A week with a response keeps its status. A week that
    /// is completed without a response is cleared first.
    pub fn assign_status(&mut self, status: AssignedStatus) {
        if self.stored.response_id().is_some() {
            return;
        }
        if self.is_completed() {
            self.clear();
        }
        self.set_status(status.name());
        if status == AssignedStatus::Missed {
            self.stored.opened = false;
        }
    }

    /// Sets the due date.
    pub fn reschedule(&mut self, due: Option<Timestamp>) {
        self.set_due(due);
    }

    /// Sets the check-in window.
    pub fn set_window(&mut self, window: Option<&JsonText>) {
        set_window(&mut self.stored, window);
        self.covered.window = true;
    }

    /// Removes the check-in window, for a comparison without it.
    pub(in crate::series) fn forget_window(&mut self) {
        set_window(&mut self.stored, None);
        self.covered.window = false;
    }

    /// Removes the due date, for a comparison without it.
    pub(in crate::series) fn forget_due(&mut self) {
        self.stored.due = Field::Null;
        self.covered.due = false;
    }

    /// Marks the week as missed.
    pub fn mark_missed(&mut self) {
        self.set_status("missed");
        self.stored.opened = false;
    }

    /// Opens the week for the client: an extension, and no mark as missed.
    pub fn reopen(&mut self) {
        self.set_status("active");
        self.open();
    }

    /// Grants an extension and opens the week. A mark as missed is cleared.
    pub fn extend(&mut self) {
        if self.stored.status == "missed" {
            self.set_status("active");
        }
        self.open();
    }

    fn open(&mut self) {
        self.stored.opened = !self.is_completed();
        self.stored.extension_granted = true;
        self.covered.extension_granted = true;
    }

    /// Pauses the week until an instant, with a new due date.
    pub fn pause(&mut self, until: Timestamp, due: Option<Timestamp>) {
        self.set_status("inactive");
        self.set_due(due);
        self.set_paused_until(Some(until));
    }

    /// Ends the pause and restores the due date.
    pub fn resume(&mut self, due: Option<Timestamp>) {
        self.set_status("active");
        self.set_due(due);
        self.set_paused_until(None);
    }

    /// Sets the number of weeks of the run.
    pub fn set_total_weeks(&mut self, total_weeks: u32) {
        set_total_weeks(&mut self.stored, total_weeks);
        self.covered.total_weeks = true;
    }

    /// Removes a response that the client gave here: it moved with the document of the week.
    pub(super) fn lose_answer(&mut self) {
        if self.answered_here() {
            self.clear();
            self.covered.answer = None;
        }
    }

    /// Whether the client submitted the response to Rollbook, or a correction placed it.
    pub fn answered_here(&self) -> bool {
        matches!(
            self.covered.answer,
            Some(AnswerChange::Given(AnswerSource::Client | AnswerSource::Correction))
        )
    }
}

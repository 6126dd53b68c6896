//! One stored week, and the changes that events make to it.
//!
//! An imported document and later changes are kept apart, so that importing the document again
//! does not undo a change.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::document::{Field, StoredAssignment};
use crate::event::AssignedStatus;
use crate::number::Number;
use crate::time::Timestamp;

/// Which fields of a week are no longer its document's, because something happened here after it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::series) struct Overrides {
    answer: Option<AnswerChange>,
    due: bool,
    status: bool,
    paused_until: bool,
    extension_granted: bool,
    total_weeks: bool,
}

/// Where an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum AnswerSource {
    /// The client gave it here. It outlives the document it was given to.
    Client,
    /// A migration found it among the imported responses.
    Migration,
}

/// How response, time and score came to be what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum AnswerChange {
    Given(AnswerSource),
    Cleared,
}

impl Overrides {
    /// Carries over into a new form of the document what happened to the earlier one.
    pub(super) fn carry(self, earlier: StoredAssignment, stored: &mut StoredAssignment) {
        if self.answer.is_some() {
            stored.response = earlier.response;
            stored.completed_at = earlier.completed_at;
            stored.score = earlier.score;
        }
        if self.due {
            stored.due = earlier.due;
        }
        if self.status {
            stored.status = earlier.status;
        }
        if self.paused_until {
            stored.paused_until = earlier.paused_until;
        }
        stored.extension_granted |= self.extension_granted;
        if self.total_weeks {
            set_total_weeks(stored, earlier.shared.total_weeks);
        }
    }
}

fn set_total_weeks(stored: &mut StoredAssignment, total_weeks: u32) {
    let shared = Arc::make_mut(&mut stored.shared);
    shared.total_weeks = total_weeks;
    shared.recurring |= total_weeks > 1;
}

/// One stored week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The run it belongs to, from 1.
    pub run: u32,
    /// Whether an import brought it.
    pub imported: bool,
    /// The week as it is now.
    pub stored: StoredAssignment,
    pub(in crate::series) covered: Overrides,
}

impl Item {
    /// A week that no import brought.
    pub fn made(run: u32, stored: StoredAssignment) -> Self {
        Self { run, imported: false, stored, covered: Overrides::default() }
    }

    /// The week, from 1.
    pub fn week(&self) -> u32 {
        self.stored.week()
    }

    /// Whether the document said so, or an answer came later.
    pub fn is_completed(&self) -> bool {
        self.stored.is_completed()
    }

    /// A status says nothing against an answer: an answered week keeps its own.
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

    /// The client answered it here.
    pub fn answer(
        &mut self,
        response: &str,
        submitted_at: Option<Timestamp>,
        score: Option<Number>,
    ) {
        self.set_answer(response, submitted_at, score, AnswerSource::Client);
    }

    /// A migration found its response among the imported ones.
    pub fn link(&mut self, response: &str, completed_at: Option<Timestamp>, score: Option<Number>) {
        self.set_answer(response, completed_at, score, AnswerSource::Migration);
    }

    fn set_answer(
        &mut self,
        response: &str,
        at: Option<Timestamp>,
        score: Option<Number>,
        by: AnswerSource,
    ) {
        self.set_status("completed");
        self.stored.response = Field::Is(response.to_owned());
        self.stored.completed_at = at;
        self.stored.score = score;
        self.covered.answer = Some(AnswerChange::Given(by));
    }

    /// Its answer no longer counts.
    pub fn clear(&mut self) {
        self.stored.response = Field::Null;
        self.stored.completed_at = None;
        self.stored.score = None;
        "pending".clone_into(&mut self.stored.status);
        self.covered.answer = Some(AnswerChange::Cleared);
        self.covered.status = true;
    }

    /// A coach gave it a status. An answer is stronger; without one, what was done is done no more.
    pub fn assign_status(&mut self, status: AssignedStatus) {
        if self.stored.response_id().is_some() {
            return;
        }
        if self.is_completed() {
            self.clear();
        }
        self.set_status(status.name());
    }

    /// It is due at another time.
    pub fn reschedule(&mut self, due: Option<Timestamp>) {
        self.set_due(due);
    }

    /// It was marked missed.
    pub fn mark_missed(&mut self) {
        self.set_status("missed");
    }

    /// It was opened again.
    pub fn reopen(&mut self) {
        self.set_status("active");
    }

    /// It rests until then, and is due later.
    pub fn pause(&mut self, until: Timestamp, due: Option<Timestamp>) {
        self.set_status("inactive");
        self.set_due(due);
        self.set_paused_until(Some(until));
    }

    /// It no longer rests, and is due as it was.
    pub fn resume(&mut self, due: Option<Timestamp>) {
        self.set_status("active");
        self.set_due(due);
        self.set_paused_until(None);
    }

    /// The client has more time.
    pub fn extend(&mut self) {
        self.stored.extension_granted = true;
        self.covered.extension_granted = true;
    }

    /// Its run has another number of weeks.
    pub fn set_total_weeks(&mut self, total_weeks: u32) {
        set_total_weeks(&mut self.stored, total_weeks);
        self.covered.total_weeks = true;
    }

    /// Whether the client answered it here.
    pub(super) fn answered_here(&self) -> bool {
        self.covered.answer == Some(AnswerChange::Given(AnswerSource::Client))
    }
}

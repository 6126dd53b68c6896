//! One stored week, and the changes that events make to it.
//!
//! An imported document and later changes are kept apart, so that importing the document again does
//! not undo a change.

use std::sync::Arc;

use super::alias::Alias;
use crate::document::{Field, StoredAssignment};
use crate::event::AssignedStatus;
use crate::limits::cap_weeks;
use crate::number::Number;
use crate::time::Timestamp;

/// The fields of a week that later events have changed. They override the imported document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::series) struct Overrides {
    answer: Option<AnswerChange>,
    due: bool,
    status: bool,
    paused_until: bool,
    extension_granted: bool,
    total_weeks: bool,
}

/// The source of a week's response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AnswerSource {
    /// The client submitted it to Rollbook. It stays even if an import removes the document.
    Client,
    /// A migration linked an imported response.
    Migration,
    /// A correction placed it here. It stays even if an import removes the document.
    Correction,
}

/// The last change of a week's response, completion time and score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AnswerChange {
    Given(AnswerSource),
    Cleared,
}

/// The bits of [`Overrides`] in a row, and the numbers of an [`AnswerChange`] from bit 5 on.
impl Overrides {
    const ANSWERS: [Option<AnswerChange>; 5] = [
        None,
        Some(AnswerChange::Given(AnswerSource::Client)),
        Some(AnswerChange::Given(AnswerSource::Migration)),
        Some(AnswerChange::Given(AnswerSource::Correction)),
        Some(AnswerChange::Cleared),
    ];
    const ANSWER_BIT: u32 = 5;

    /// The form in a row: 8 bits.
    pub(in crate::series) fn to_bits(self) -> u16 {
        let answer = match self.answer {
            None => 0,
            Some(AnswerChange::Given(AnswerSource::Client)) => 1,
            Some(AnswerChange::Given(AnswerSource::Migration)) => 2,
            Some(AnswerChange::Given(AnswerSource::Correction)) => 3,
            Some(AnswerChange::Cleared) => 4,
        };
        u16::from(self.due)
            | u16::from(self.status) << 1
            | u16::from(self.paused_until) << 2
            | u16::from(self.extension_granted) << 3
            | u16::from(self.total_weeks) << 4
            | answer << Self::ANSWER_BIT
    }

    /// Reads the form in a row; `None` if it is not one.
    pub(in crate::series) fn from_bits(bits: u16) -> Option<Self> {
        let has = |bit: u32| bits & (1 << bit) != 0;
        Some(Self {
            answer: *Self::ANSWERS.get(usize::from(bits >> Self::ANSWER_BIT))?,
            due: has(0),
            status: has(1),
            paused_until: has(2),
            extension_granted: has(3),
            total_weeks: has(4),
        })
    }
}

impl Overrides {
    /// Copies the changed fields of the earlier version into a new version of the document.
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
        stored.opened = earlier.opened;
        if self.total_weeks {
            set_total_weeks(stored, earlier.shared.total_weeks);
        }
    }
}

impl Overrides {
    /// The changes of a made week that still count beside those of the document that becomes it. At
    /// most one of the two was answered here: see [`super::Items::adopt`].
    pub(super) fn beside(self, of_document: Self, is_completed: bool) -> Self {
        let answer = match self.answer {
            // A response that was given here counts more than one that a migration linked.
            Some(AnswerChange::Given(AnswerSource::Client | AnswerSource::Correction)) => {
                self.answer
            }
            Some(AnswerChange::Given(AnswerSource::Migration)) if !is_completed => self.answer,
            // The response that was cleared is not the one of the document.
            Some(AnswerChange::Given(AnswerSource::Migration) | AnswerChange::Cleared) | None => {
                None
            }
        };
        Self {
            answer,
            due: self.due && !of_document.due,
            status: self.status && (answer.is_some() || !(of_document.status || is_completed)),
            paused_until: self.paused_until && !of_document.paused_until,
            extension_granted: self.extension_granted,
            total_weeks: self.total_weeks && !of_document.total_weeks,
        }
    }

    /// Leaves a migration's link behind: it belongs to a week, not to a document.
    pub(super) fn keep_link(&mut self) {
        if self.answer == Some(AnswerChange::Given(AnswerSource::Migration)) {
            (self.answer, self.status) = (None, false);
        }
    }

    /// The changes of both.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            answer: self.answer.or(other.answer),
            due: self.due || other.due,
            status: self.status || other.status,
            paused_until: self.paused_until || other.paused_until,
            extension_granted: self.extension_granted || other.extension_granted,
            total_weeks: self.total_weeks || other.total_weeks,
        }
    }
}

fn set_total_weeks(stored: &mut StoredAssignment, total_weeks: u32) {
    let shared = Arc::make_mut(&mut stored.shared);
    shared.total_weeks = cap_weeks(total_weeks);
    shared.recurring |= total_weeks > 1;
}

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

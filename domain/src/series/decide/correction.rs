//! A coach's corrections of one week: its status, its due date and its note.

use super::{Decider, Rejection};
use crate::event::{AssignedStatus, Event};
use crate::limits::{REASON_BYTES, check_text};
use crate::personal::Personal;
use crate::time::Timestamp;

/// A coach's correction of a week. A field that is `None` stays unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Correction {
    /// The new due date.
    pub due: Option<Timestamp>,
    /// The new status.
    pub status: Option<AssignedStatus>,
    /// The new note.
    pub note: Option<String>,
}

impl Decider<'_> {
    /// Changes the status of a week. The current status appends nothing.
    ///
    /// # Errors
    /// If there is no such week, or the week has a response. Only clearing the response
    /// ([`Decider::withdraw_week`]) sets such a week back.
    pub fn assign_status(
        &self,
        run: u32,
        week: u32,
        status: AssignedStatus,
    ) -> Result<Vec<Event>, Rejection> {
        let (stored, mut events) = self.week(run, week)?;
        if stored.response_id().is_some() {
            return if status == AssignedStatus::Completed {
                Ok(Vec::new())
            } else {
                Err(Rejection::Completed(week))
            };
        }
        let has = if stored.is_completed() { "completed" } else { stored.status.as_str() };
        let has = if has.is_empty() { "pending" } else { has };
        if has == status.name() {
            return Ok(Vec::new());
        }
        events.push(Event::StatusAssigned { run, week, status });
        Ok(events)
    }

    /// Writes a note on a week. It replaces the previous note.
    ///
    /// # Errors
    /// If there is no such week, or the note is too long.
    pub fn write_note(&self, run: u32, week: u32, note: String) -> Result<Vec<Event>, Rejection> {
        check_text("the note", &note, REASON_BYTES)?;
        let (_, mut events) = self.week(run, week)?;
        events.push(Event::NoteWritten { run, week, note: Personal::new(note) });
        Ok(events)
    }

    /// Changes the due date of a week. The current due date appends nothing.
    ///
    /// # Errors
    /// If there is no such week.
    pub fn reschedule(&self, run: u32, week: u32, due: Timestamp) -> Result<Vec<Event>, Rejection> {
        let (stored, mut events) = self.week(run, week)?;
        if stored.due.value() == Some(&due) {
            return Ok(Vec::new());
        }
        events.push(Event::AssignmentRescheduled { run, week, due });
        Ok(events)
    }

    /// Applies all parts of a correction in one commit.
    ///
    /// # Errors
    /// The errors of [`Decider::reschedule`], [`Decider::assign_status`] and
    /// [`Decider::write_note`].
    pub fn correct(
        &self,
        run: u32,
        week: u32,
        correction: &Correction,
    ) -> Result<Vec<Event>, Rejection> {
        let parts = [
            correction.due.map(|due| self.reschedule(run, week, due)),
            correction.status.map(|status| self.assign_status(run, week, status)),
            correction.note.clone().map(|note| self.write_note(run, week, note)),
        ];
        let mut events = Vec::new();
        for part in parts.into_iter().flatten() {
            // Each part would create a week that is not stored yet; create it only once.
            for event in part? {
                if !events.contains(&event) {
                    events.push(event);
                }
            }
        }
        Ok(events)
    }
}

//! A coach's corrections of one week: its status, its due date and its note.

use super::{Decider, Rejection};
use crate::event::{AssignedStatus, Event};
use crate::personal::Personal;
use crate::time::Timestamp;

/// What a coach corrects of a week; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Correction {
    /// The due date.
    pub due: Option<Timestamp>,
    /// The status.
    pub status: Option<AssignedStatus>,
    /// The coach's note.
    pub note: Option<String>,
}

impl Decider<'_> {
    /// Corrects a status; the one it has already writes nothing.
    ///
    /// # Errors
    /// When there is no such week, or it is answered: only clearing the answer takes that back.
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

    /// Notes something on a week, in place of what was noted before.
    ///
    /// # Errors
    /// When there is no such week.
    pub fn write_note(&self, run: u32, week: u32, note: String) -> Result<Vec<Event>, Rejection> {
        let (_, mut events) = self.week(run, week)?;
        events.push(Event::NoteWritten { run, week, note: Personal::new(note) });
        Ok(events)
    }

    /// Corrects a due date; the date it has already writes nothing.
    ///
    /// # Errors
    /// When there is no such week.
    pub fn reschedule(&self, run: u32, week: u32, due: Timestamp) -> Result<Vec<Event>, Rejection> {
        let (stored, mut events) = self.week(run, week)?;
        if stored.due.value() == Some(&due) {
            return Ok(Vec::new());
        }
        events.push(Event::AssignmentRescheduled { run, week, due });
        Ok(events)
    }

    /// A coach's corrections of one week, together.
    ///
    /// # Errors
    /// As each of them: [`Decider::reschedule`], [`Decider::assign_status`], [`Decider::write_note`].
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
            // Each of them makes a week that is not stored yet; once is enough.
            for event in part? {
                if !events.contains(&event) {
                    events.push(event);
                }
            }
        }
        Ok(events)
    }
}

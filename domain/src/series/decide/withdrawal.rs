//! Withdrawing a run or a single week from the client.

use super::{Decider, Rejection};
use crate::document::StoredAssignment;
use crate::event::Event;
use crate::limits::{REASON_BYTES, check_text};
use crate::personal::Personal;
use crate::series::items::Item;

impl Decider<'_> {
    /// Withdraws the latest run from the client.
    ///
    /// # Errors
    /// If there is no run, or the reason is empty or too long.
    pub fn withdraw(&self, keep_answered: bool, reason: String) -> Result<Vec<Event>, Rejection> {
        let run = self.series.latest_run();
        self.base(run)?;
        if reason.trim().is_empty() {
            return Err(Rejection::ShortReason { least: 1, has: 0 });
        }
        check_text("the reason", &reason, REASON_BYTES)?;
        Ok(vec![Event::SeriesWithdrawn { run, keep_answered, reason: Personal::new(reason) }])
    }

    /// Withdraws one week; or, if the week is completed, clears its response and sets it back to
    /// pending. In a withdrawn run no week can be pending, so clearing the response also withdraws
    /// the week. If several assignments are stored for the week, only the one that represents it is
    /// meant: see [`Decider::withdraw_assignment`].
    ///
    /// # Errors
    /// If there is no such week, or the reason is too long.
    pub fn withdraw_week(
        &self,
        run: u32,
        week: u32,
        reason: String,
    ) -> Result<Vec<Event>, Rejection> {
        check_text("the reason", &reason, REASON_BYTES)?;
        let (stored, mut events) = self.week(run, week)?;
        let reason = Personal::new(reason);
        if self.series.items.of_week(run, week).count() > 1 {
            return Ok(self.withdraw_one(run, week, &stored, reason));
        }
        if stored.is_completed() {
            let response = stored.response_id().unwrap_or_default().to_owned();
            events.push(Event::ResponseCleared { run, week, response, reason: reason.clone() });
        }
        if !stored.is_completed() || self.is_over(run) {
            events.push(Event::AssignmentWithdrawn { run, week, reason });
        }
        Ok(events)
    }

    /// Withdraws one stored assignment of a week; or, if it is completed, clears what it holds. The
    /// other assignments of the week stay as they are. If the week has no others, this is
    /// [`Decider::withdraw_week`].
    ///
    /// # Errors
    /// If there is no such week, if the week has other assignments and not this one, or if the
    /// reason is too long.
    pub fn withdraw_assignment(
        &self,
        run: u32,
        week: u32,
        assignment: &str,
        reason: String,
    ) -> Result<Vec<Event>, Rejection> {
        let of_week: Vec<&Item> = self.series.items.of_week(run, week).collect();
        match (of_week.iter().find(|item| item.has_id(assignment)), of_week.len()) {
            (_, 0) | (Some(_), 1) => self.withdraw_week(run, week, reason),
            (Some(item), _) => {
                check_text("the reason", &reason, REASON_BYTES)?;
                Ok(self.withdraw_one(run, week, &item.stored, Personal::new(reason)))
            }
            (None, _) => {
                let (series, assignment) = (self.name(), assignment.to_owned());
                Err(Rejection::NoSuchAssignment { series, week, assignment })
            }
        }
    }

    /// Withdraws or clears one of several stored assignments of a week.
    fn withdraw_one(
        &self,
        run: u32,
        week: u32,
        stored: &StoredAssignment,
        reason: Personal<String>,
    ) -> Vec<Event> {
        let assignment = || stored.document.clone();
        let mut events = Vec::new();
        if stored.is_completed() {
            events.push(Event::DuplicateCleared {
                run,
                week,
                assignment: assignment(),
                response: stored.response_id().unwrap_or_default().to_owned(),
                reason: reason.clone(),
            });
        }
        if !stored.is_completed() || self.is_over(run) {
            let assignment = assignment();
            events.push(Event::DuplicateWithdrawn { run, week, assignment, reason });
        }
        events
    }
}

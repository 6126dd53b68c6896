//! Withdrawing a run or a single week from the client.

use super::{Decider, Rejection};
use crate::event::Event;
use crate::limits::{REASON_BYTES, check_text};
use crate::personal::Personal;

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
    /// pending. In a withdrawn run no week can be pending, so clearing the last response also
    /// withdraws the week.
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
        let answered =
            self.series.items.of_week(run, week).filter(|item| item.is_completed()).count();
        if answered > 0 {
            let response = stored.response_id().unwrap_or_default().to_owned();
            events.push(Event::ResponseCleared { run, week, response, reason: reason.clone() });
        }
        if answered == 0 || (answered == 1 && self.is_over(run)) {
            events.push(Event::AssignmentWithdrawn { run, week, reason });
        }
        Ok(events)
    }
}

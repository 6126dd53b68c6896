//! Late weeks: marking them missed, granting more time, and reopening them.

use super::{Decider, Rejection};
use crate::event::{Event, MissedReason};
use crate::limits::{REASON_BYTES, check_text};
use crate::personal::Personal;
use crate::status::{OVERDUE_AFTER_MILLISECONDS, Status};

impl Decider<'_> {
    /// Marks a week as missed.
    ///
    /// # Errors
    /// If the week is completed or already marked, is not three days overdue, the reason `other`
    /// has no comment, or the comment is too long.
    pub fn miss(
        &self,
        run: u32,
        week: u32,
        reason: MissedReason,
        comment: Option<String>,
    ) -> Result<Vec<Event>, Rejection> {
        check_text("the comment", comment.as_deref().unwrap_or_default(), REASON_BYTES)?;
        let (stored, mut events) = self.unanswered(run, week)?;
        if stored.status == "missed" {
            return Err(Rejection::AlreadyMissed(week));
        }
        let comment = comment.filter(|comment| !comment.trim().is_empty());
        if reason == MissedReason::Other && comment.is_none() {
            return Err(Rejection::NoComment);
        }
        let due = stored.due.value().copied().unwrap_or(self.now);
        if due.plus_milliseconds(OVERDUE_AFTER_MILLISECONDS) > self.now {
            return Err(Rejection::NotOverdue { week, due });
        }
        events.push(Event::AssignmentMissed {
            run,
            week,
            reason,
            comment: comment.map(Personal::new),
        });
        Ok(events)
    }

    /// Grants more time for a week. A second grant appends nothing, unless the week was missed
    /// meanwhile.
    ///
    /// # Errors
    /// If the week is completed, or the reason has fewer than ten characters or is too long.
    pub fn extend(&self, run: u32, week: u32, reason: String) -> Result<Vec<Event>, Rejection> {
        const LEAST: usize = 10;
        check_text("the reason", &reason, REASON_BYTES)?;
        let (stored, mut events) = self.unanswered(run, week)?;
        let has = reason.trim().chars().count();
        if has < LEAST {
            return Err(Rejection::ShortReason { least: LEAST, has });
        }
        if stored.extension_granted && self.status(&stored) != Status::Missed {
            return Ok(Vec::new());
        }
        events.push(Event::ExtensionGranted { run, week, reason: Personal::new(reason) });
        Ok(events)
    }

    /// Opens a week for the client, as the coach. Opening an open week again appends nothing.
    ///
    /// # Errors
    /// If the week is completed.
    pub fn reopen(&self, run: u32, week: u32) -> Result<Vec<Event>, Rejection> {
        let (stored, mut events) = self.unanswered(run, week)?;
        if stored.opened && stored.extension_granted && self.status(&stored) != Status::Missed {
            return Ok(Vec::new());
        }
        events.push(Event::AssignmentReopened { run, week });
        Ok(events)
    }

    /// Records a client's request to reopen a closed week. A second request for the same week
    /// appends nothing, until the week changes.
    ///
    /// # Errors
    /// If the week is completed or still open, or the reason is too long.
    pub fn request_reopen(
        &self,
        run: u32,
        week: u32,
        reason: String,
    ) -> Result<Vec<Event>, Rejection> {
        check_text("the reason", &reason, REASON_BYTES)?;
        let (stored, mut events) = self.unanswered(run, week)?;
        if self.status(&stored) != Status::Missed {
            return Err(Rejection::StillOpen(week));
        }
        if self.series.asked_to_reopen.contains(&(run, week)) {
            return Ok(Vec::new());
        }
        events.push(Event::ReopenRequested { run, week, reason: Personal::new(reason) });
        Ok(events)
    }
}

//! Status and horizon at a given time: one rule for every view.
//!
//! This module defines the order of the cases. The `calendar` module does the date arithmetic.

use serde::{Deserialize, Serialize};

use crate::calendar::Zone;
use crate::document::StoredAssignment;
use crate::time::Timestamp;

/// The status of a check-in as lists show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It has a response or is stored as completed.
    Completed,
    /// It is marked as missed, or the next week's window is open.
    Missed,
    /// Its due date passed longer ago than the grace period.
    Overdue,
    /// None of the other cases.
    Pending,
}

/// The grace period of three days, in milliseconds: the rule of the legacy view and the default of
/// the pre-created view.
pub const OVERDUE_AFTER_MILLISECONDS: i64 = 3 * 24 * 60 * 60 * 1000;

/// The time, time zone and grace period that statuses are computed with.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// The time of the query.
    pub now: Timestamp,
    /// The old server's time zone.
    pub zone: Zone,
    /// The grace period in milliseconds: how long after its due date a check-in becomes overdue.
    /// With 0, it is overdue if the due date is strictly before `now`.
    pub overdue_after_milliseconds: i64,
}

impl Clock {
    /// Creates a clock with the legacy view's grace period of three days.
    pub fn new(now: Timestamp, zone: Zone) -> Self {
        Self { now, zone, overdue_after_milliseconds: OVERDUE_AFTER_MILLISECONDS }
    }

    /// Returns the status of a stored week with this due date. A week that an event opened is not
    /// missed because the next week's window is open. Source: "An action is visible in the view
    /// that serves" in `docs/spec/http-reads.md`.
    #[inline]
    pub fn status_of(&self, stored: &StoredAssignment, due: Timestamp) -> Status {
        let (completed, missed) = (stored.is_completed(), stored.status == "missed");
        match self.status(completed, missed, due) {
            Status::Missed if stored.opened && !missed => {
                if self.is_overdue(due) {
                    Status::Overdue
                } else {
                    Status::Pending
                }
            }
            status => status,
        }
    }

    /// Returns the status: the first case that holds. Source: rule 7 of `docs/spec/legacy-view.md`
    /// and rule 4 of `docs/spec/precreated-view.md`.
    #[inline]
    pub fn status(&self, completed: bool, marked_missed: bool, due: Timestamp) -> Status {
        if completed {
            Status::Completed
        } else if marked_missed || self.next_window_is_open(due) {
            Status::Missed
        } else if self.is_overdue(due) {
            Status::Overdue
        } else {
            Status::Pending
        }
    }

    fn next_window_is_open(&self, due: Timestamp) -> bool {
        // The window opens within seven days after the Monday of the due date's week. Outside that
        // range the result needs no calendar arithmetic.
        const DAY: i64 = 24 * 60 * 60;
        let late_by = self.now.seconds().saturating_sub(due.seconds());
        if late_by > 8 * DAY {
            true
        } else if late_by < -8 * DAY {
            false
        } else {
            self.now >= self.zone.next_window_opens(due)
        }
    }

    fn is_overdue(&self, due: Timestamp) -> bool {
        if self.overdue_after_milliseconds == 0 {
            due < self.now
        } else {
            due.plus_milliseconds(self.overdue_after_milliseconds) <= self.now
        }
    }

    /// Returns the range of due dates, both ends included, of the check-ins that a list shows while
    /// they are neither completed nor missed.
    pub fn horizon(&self) -> (Timestamp, Timestamp) {
        self.zone.horizon(self.now)
    }

    /// Returns the range of due dates, both ends included, of the weeks that the legacy view
    /// generates.
    pub fn generation_horizon(&self) -> (Timestamp, Timestamp) {
        Zone::generation_horizon(self.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_case_that_holds_names_the_status() {
        let due: Timestamp = "2026-01-05T09:00:00Z".parse().unwrap();
        let status_at =
            |now: &str| Clock::new(now.parse().unwrap(), Zone::UTC).status(false, false, due);
        assert_eq!(status_at("2026-01-05T09:00:00Z"), Status::Pending);
        assert_eq!(status_at("2026-01-08T08:59:59.999Z"), Status::Pending);
        assert_eq!(status_at("2026-01-08T09:00:00Z"), Status::Overdue);
        assert_eq!(status_at("2026-01-09T09:59:59.999Z"), Status::Overdue);
        assert_eq!(status_at("2026-01-09T10:00:00Z"), Status::Missed);
        assert_eq!(status_at("2027-01-09T10:00:00Z"), Status::Missed);
        let clock = Clock { overdue_after_milliseconds: 0, ..Clock::new(due, Zone::UTC) };
        assert_eq!(clock.status(false, false, due), Status::Pending);
        assert_eq!(clock.status(true, true, due), Status::Completed);
        assert_eq!(clock.status(false, true, due), Status::Missed);
    }
}

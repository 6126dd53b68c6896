//! What depends on *now*: one status rule and one horizon for every view. Owns the order of the cases; the calendar behind
//! them is `calendar`'s.

use serde::{Deserialize, Serialize};

use crate::calendar::Zone;
use crate::time::Timestamp;

/// A check-in's status as a list shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Answered, or stored as if it were.
    Completed,
    /// Marked missed, or the next week's window is open.
    Missed,
    /// Due long enough ago.
    Overdue,
    /// None of these.
    Pending,
}

/// Milliseconds of three days: the legacy view's rule, and the pre-created view's default.
pub const OVERDUE_AFTER_MILLISECONDS: i64 = 3 * 24 * 60 * 60 * 1000;

/// When, where and by which grace statuses are told.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// The instant the list is asked for.
    pub now: Timestamp,
    /// The old server's time zone.
    pub zone: Zone,
    /// How long after its due a check-in becomes overdue, in milliseconds; with 0, due strictly before now.
    pub overdue_after_milliseconds: i64,
}

impl Clock {
    /// A clock with the legacy view's grace of three days.
    pub fn new(now: Timestamp, zone: Zone) -> Self {
        Self { now, zone, overdue_after_milliseconds: OVERDUE_AFTER_MILLISECONDS }
    }

    /// Rule 7 of `docs/spec/legacy-view.md`, rule 4 of `docs/spec/precreated-view.md`: the first case that holds.
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
        // The window opens within the seven days after the due's Monday: outside that, no calendar is needed.
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

    /// The dues that a list shows while they are neither completed nor missed; both ends included.
    pub fn horizon(&self) -> (Timestamp, Timestamp) {
        self.zone.horizon(self.now)
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

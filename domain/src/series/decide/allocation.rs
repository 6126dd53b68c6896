//! Allocating a form to a client: a new run, or more weeks for the current one.

use chrono::{NaiveDate, Timelike, Weekday};

use super::{Decider, Rejection};
use crate::calendar::plus_days;
use crate::document::StoredAssignment;
use crate::event::{AssignedStatus, Event, Origin, RunTerms, Terms};
use crate::series::ids::assignment_id;
use crate::series::items::terms_of;
use crate::status::Status;
use crate::time::Timestamp;

/// The most weeks one run may have: ten years.
pub const MOST_WEEKS: u32 = 520;

/// An allocation as asked for.
#[derive(Clone, Debug)]
pub struct Allocation {
    /// What every week shares.
    pub terms: Terms,
    /// When week 1 is due.
    pub first_due: Timestamp,
    /// The status that the weeks begin with, where it is not to be answered.
    pub status: Option<AssignedStatus>,
    /// Whether a run that still has open weeks is made longer instead.
    pub extend: bool,
}

/// When the first week of an allocation is due: on `first_check_in` moved to the next Monday unless it is one, else on the
/// Monday strictly after `start`. Source: `spec/http-api.md`, POST `/api/check-in-assignments`.
pub fn first_due_date(first_check_in: Option<NaiveDate>, start: NaiveDate) -> NaiveDate {
    use chrono::Datelike;
    let days_to_monday =
        |date: NaiveDate| (7 - i64::from(date.weekday().num_days_from_monday())) % 7;
    match first_check_in {
        Some(date) if date.weekday() == Weekday::Mon => date,
        Some(date) => plus_days(date, days_to_monday(date)),
        None => plus_days(start, 7 - i64::from(start.weekday().num_days_from_monday())),
    }
}

/// A time of day such as `09:00`, as (hour, minute).
pub fn time_of_day(text: &str) -> Option<(u32, u32)> {
    chrono::NaiveTime::parse_from_str(text, "%H:%M").ok().map(|time| (time.hour(), time.minute()))
}

impl Decider<'_> {
    /// Weeks of a run that can still be answered in time: stored ones, and such as an answer would make.
    fn open_weeks(&self, run: u32) -> usize {
        let Some(base) = self.series.items.base(run) else { return 0 };
        let is_open = |stored: &StoredAssignment| {
            matches!(self.status(stored), Status::Pending | Status::Overdue)
        };
        let stored = self
            .series
            .items
            .shown()
            .filter(|item| item.run == run && is_open(&item.stored))
            .count();
        // An import may say any number of weeks; beyond the most that a run may have, none is made.
        let made = (1..=base.stored.total_weeks.min(MOST_WEEKS))
            .filter(|week| self.series.items.week(run, *week).is_none())
            .filter(|week| self.week(run, *week).is_ok_and(|(stored, _)| is_open(&stored)));
        stored + made.count()
    }

    /// Allocates the form: a new run, or a longer one. A run that was withdrawn stays as it is, whatever an import brought to it later.
    ///
    /// # Errors
    /// While the latest run has open weeks, unless it is to be extended; with no weeks, or more than [`MOST_WEEKS`].
    pub fn allocate(&self, allocation: &Allocation) -> Result<Vec<Event>, Rejection> {
        let weeks = allocation.terms.total_weeks;
        let range = |given| Rejection::OutOfRange {
            what: "the number of weeks",
            least: 1,
            most: MOST_WEEKS,
            given,
        };
        if weeks == 0 || weeks > MOST_WEEKS {
            return Err(range(weeks));
        }
        let run = self.series.latest_run();
        let is_new = self.series.items.is_empty() && self.series.runs.is_empty();
        let open = self.open_weeks(run);
        if open > 0 && !allocation.extend {
            return Err(Rejection::OpenWeeks { series: self.name(), run, open });
        }
        if open > 0 && !self.is_over(run) {
            return self.extend_run(run, weeks, range);
        }
        let run = if is_new { 1 } else { run + 1 };
        let terms = allocation.terms.clone().into();
        let mut events: Vec<Event> = (1..=weeks)
            .map(|week| self.allocated(run, week, allocation.first_due, &terms))
            .collect();
        let begins_as = allocation
            .status
            .filter(|status| !matches!(status, AssignedStatus::Pending | AssignedStatus::Active));
        events.extend(begins_as.into_iter().flat_map(|status| {
            (1..=weeks).map(move |week| Event::StatusAssigned { run, week, status })
        }));
        Ok(events)
    }

    fn extend_run(
        &self,
        run: u32,
        weeks: u32,
        range: impl Fn(u32) -> Rejection,
    ) -> Result<Vec<Event>, Rejection> {
        let base = self.base(run)?.stored.clone();
        // A week that was withdrawn is not made again.
        let withdrawn = self
            .series
            .runs
            .get(&run)
            .and_then(|known| known.withdrawn_weeks.iter().max().copied());
        let before = if base.recurring { base.total_weeks } else { 1 }.max(withdrawn.unwrap_or(0));
        let total = before.saturating_add(weeks);
        if total > MOST_WEEKS {
            return Err(range(total));
        }
        let terms = Terms { total_weeks: total, recurring: true, ..terms_of(&base) }.into();
        let first_due = base.due.value().copied().unwrap_or(self.now);
        let mut events = vec![Event::SeriesExtended { run, total_weeks: total }];
        let new = (before + 1..=total).filter(|week| self.series.items.week(run, *week).is_none());
        events.extend(new.map(|week| self.allocated(run, week, first_due, &terms)));
        Ok(events)
    }

    fn allocated(&self, run: u32, week: u32, first_due: Timestamp, terms: &RunTerms) -> Event {
        let assignment = assignment_id(self.client, self.form, run, week);
        let due = self.zone.plus_local_days(first_due, 7 * (i64::from(week) - 1));
        Event::AssignmentCreated {
            assignment,
            run,
            week,
            due,
            origin: Origin::Allocation,
            terms: terms.clone(),
        }
    }
}

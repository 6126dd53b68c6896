//! Allocating a form to a client: a new run, or more weeks for the current one.

use chrono::{NaiveDate, Timelike, Weekday};

use super::{Decider, Rejection};
use crate::calendar::plus_days;
use crate::document::StoredAssignment;
use crate::event::{AssignedStatus, Event, Origin, RunTerms, Terms};
use crate::limits::{
    DESCRIPTION_BYTES, ID_BYTES, MOST_WEEKS, TITLE_BYTES, WINDOW_BYTES, check_json, check_text,
};
use crate::series::ids::assignment_id;
use crate::series::items::terms_of;
use crate::status::Status;
use crate::time::Timestamp;

/// A request to allocate a form to a client.
#[derive(Clone, Debug)]
pub struct Allocation {
    /// The terms that all weeks share.
    pub terms: Terms,
    /// The due date of week 1.
    pub first_due: Timestamp,
    /// The initial status of the weeks; `None` means pending.
    pub status: Option<AssignedStatus>,
    /// Whether to extend the latest run if it still has open weeks.
    pub extend: bool,
}

/// Returns the due date of week 1 of an allocation: the first Monday on or after `first_check_in`,
/// or, without it, the first Monday after `start`. Source: `docs/spec/http-api.md`, POST
/// `/api/check-in-assignments`.
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

/// Parses a time of day such as `09:00` into (hour, minute).
pub fn time_of_day(text: &str) -> Option<(u32, u32)> {
    chrono::NaiveTime::parse_from_str(text, "%H:%M").ok().map(|time| (time.hour(), time.minute()))
}

/// Checks the texts of an allocation, which every week of the run repeats.
fn check_terms(terms: &Terms) -> Result<(), Rejection> {
    check_text("the id of the client", &terms.stored_client, ID_BYTES)?;
    check_text("the id of the coach", &terms.coach, ID_BYTES)?;
    check_text("assignedBy", terms.assigned_by.as_deref().unwrap_or_default(), ID_BYTES)?;
    check_text("the title", &terms.title, TITLE_BYTES)?;
    check_text("the description", &terms.description, DESCRIPTION_BYTES)?;
    match &terms.window {
        Some(window) => check_json("the check-in window", window, WINDOW_BYTES),
        None => Ok(()),
    }
}

impl Decider<'_> {
    /// Counts the weeks of a run that are still open: stored weeks, and weeks that a response would
    /// create.
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
        // An imported document may name any number of weeks; no week beyond the maximum is created.
        let made = (1..=base.stored.total_weeks.min(MOST_WEEKS))
            .filter(|week| self.series.items.week(run, *week).is_none())
            .filter(|week| self.week(run, *week).is_ok_and(|(stored, _)| is_open(&stored)));
        stored + made.count()
    }

    /// Allocates the form: creates a new run or extends the latest one. A withdrawn run is never
    /// extended, even if an import added weeks to it later.
    ///
    /// # Errors
    /// If the latest run has open weeks and must not be extended, if the number of weeks is 0 or
    /// more than [`MOST_WEEKS`], or if a text of the terms is too long.
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
        check_terms(&allocation.terms)?;
        let run = self.series.latest_run();
        let is_new = self.series.items.is_empty() && self.series.runs.is_empty();
        if is_new {
            check_text("the id of the client", self.client, ID_BYTES)?;
            check_text("the id of the form", self.form, ID_BYTES)?;
        }
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
        // A withdrawn week is not created again.
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

//! Decisions on a series: which events a command leads to, given the current state of the series.
//!
//! Every reason to reject a command is here. The caller loads the series and appends the events.
//! The current time is an argument.

mod allocation;
mod correction;
mod missed_week;
mod pause;
mod rejection;
mod response;
mod withdrawal;

pub use self::allocation::{Allocation, MOST_WEEKS, first_due_date, time_of_day};
pub use self::correction::Correction;
pub use self::rejection::Rejection;
pub use self::response::score_of;
use super::ids::assignment_id;
use super::items::{Item, made_week, terms_of};
use super::state::Series;
use crate::calendar::Zone;
use crate::document::StoredAssignment;
use crate::event::{Event, Origin, RunTerms};
use crate::number::Number;
use crate::status::{Clock, Status};
use crate::stream::StreamId;
use crate::time::Timestamp;

/// What an answer leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// These events.
    Now(Vec<Event>),
    /// The week was answered before: nothing is written.
    Before {
        /// The first response.
        response: String,
        /// Its score.
        score: Option<Number>,
    },
}

/// A series to decide on, at an instant.
#[derive(Clone, Copy, Debug)]
pub struct Decider<'a> {
    /// The client's document id.
    pub client: &'a str,
    /// The form's id.
    pub form: &'a str,
    /// The series as it is.
    pub series: &'a Series,
    /// Now.
    pub now: Timestamp,
    /// The old server's zone.
    pub zone: Zone,
}

impl Decider<'_> {
    fn name(&self) -> String {
        StreamId::series(self.client, self.form).to_string()
    }

    fn base(&self, run: u32) -> Result<&Item, Rejection> {
        self.series.items.base(run).ok_or_else(|| Rejection::NoSuchSeries(self.name()))
    }

    /// The week as it stands, or as it would be made for an answer: the events that make it come first in the commit.
    fn week(&self, run: u32, week: u32) -> Result<(StoredAssignment, Vec<Event>), Rejection> {
        if let Some(item) = self.series.items.week(run, week) {
            return Ok((item.stored.clone(), Vec::new()));
        }
        let base = &self.base(run)?.stored;
        let total = base.total_weeks;
        if week == 0 || week > total || !base.recurring || self.series.is_withdrawn(run, week) {
            return Err(Rejection::NoSuchWeek { series: self.name(), run, week, total });
        }
        let (due, terms) = (self.legacy_due(base, week), RunTerms::from(terms_of(base)));
        let assignment = assignment_id(self.client, self.form, run, week);
        let stored = made_week(assignment.to_string(), self.form, week, due, &terms, None);
        Ok((
            stored,
            vec![Event::AssignmentCreated {
                assignment,
                run,
                week,
                due,
                origin: Origin::Submission,
                terms,
            }],
        ))
    }

    /// When the old submission would have said the week is due.
    fn legacy_due(&self, base: &StoredAssignment, week: u32) -> Timestamp {
        let from = base.due.value().copied().unwrap_or(self.now);
        self.zone.weekday_due(from, week.saturating_sub(base.week()) + 1)
    }

    fn unanswered(&self, run: u32, week: u32) -> Result<(StoredAssignment, Vec<Event>), Rejection> {
        let found = self.week(run, week)?;
        if found.0.is_completed() { Err(Rejection::Completed(week)) } else { Ok(found) }
    }

    fn status(&self, stored: &StoredAssignment) -> Status {
        let due = stored.due.value().copied().unwrap_or(self.now);
        Clock::new(self.now, self.zone).status(
            stored.is_completed(),
            stored.status == "missed",
            due,
        )
    }

    /// Whether a run was withdrawn.
    fn is_over(&self, run: u32) -> bool {
        self.series.runs.get(&run).is_some_and(|known| known.withdrawn)
    }

    /// The week as it is, or as an answer would make it.
    ///
    /// # Errors
    /// When there is no such week.
    pub fn assignment(&self, run: u32, week: u32) -> Result<StoredAssignment, Rejection> {
        Ok(self.week(run, week)?.0)
    }
}

//! Decisions on a series: which events a command leads to, given the current state of the series.
//!
//! Every reason to reject a command is here. The caller loads the series and appends the events.
//! The current time is an argument.

mod allocation;
mod correction;
mod missed_week;
mod number;
mod pause;
mod rejection;
mod repair;
mod response;
mod withdrawal;

pub use self::allocation::{Allocation, first_due_date, time_of_day};
pub use self::correction::Correction;
pub use self::rejection::Rejection;
pub use self::repair::Repair;
pub use self::response::score_of;
use super::ids::assignment_id;
use super::items::{Item, made_week, terms_of};
use super::state::Series;
use crate::calendar::Zone;
use crate::document::StoredAssignment;
use crate::event::{Event, Origin, RunTerms};
pub use crate::limits::MOST_WEEKS;
use crate::number::Number;
use crate::status::{Clock, Status};
use crate::stream::StreamId;
use crate::time::Timestamp;

/// The result of a command that is not rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Append these events.
    Append(Vec<Event>),
    /// The week already has a response, or is stored as completed. Nothing is appended.
    AlreadyAnswered {
        /// The first response; empty if the week is stored as completed without one.
        response: String,
        /// Its score.
        score: Option<Number>,
    },
}

/// Decides commands on one series at one instant.
#[derive(Clone, Copy, Debug)]
pub struct Decider<'a> {
    /// The client's document id.
    pub client: &'a str,
    /// The form's id.
    pub form: &'a str,
    /// The current state of the series.
    pub series: &'a Series,
    /// The current time.
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

    /// Returns the stored week, or the generated one with the changes that events made to it, with
    /// the events that store it. These events come first in the commit.
    fn week(&self, run: u32, week: u32) -> Result<(StoredAssignment, Vec<Event>), Rejection> {
        self.week_due(run, week, Self::generated_due)
    }

    /// As [`Decider::week`]; a generated week gets this due date, given its base.
    fn week_due(
        &self,
        run: u32,
        week: u32,
        due: impl Fn(&Self, &StoredAssignment, u32) -> Timestamp,
    ) -> Result<(StoredAssignment, Vec<Event>), Rejection> {
        if let Some(item) = self.series.items.week(run, week) {
            return Ok((item.stored.clone(), Vec::new()));
        }
        let base = &self.base(run)?.stored;
        let total = base.total_weeks;
        if week == 0 || week > total || !base.recurring || self.series.is_withdrawn(run, week) {
            return Err(Rejection::NoSuchWeek { series: self.name(), run, week, total });
        }
        let (due, terms) = (due(self, base, week), RunTerms::from(terms_of(base)));
        let assignment = assignment_id(self.client, self.form, run, week);
        let stored = made_week(assignment.to_string(), self.form, week, due, &terms, None);
        let mut item = Item::made(run, stored);
        self.series.overlays.lay_over(&mut item);
        Ok((
            item.stored,
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

    /// The due date that the old application would have stored on submission.
    fn legacy_due(&self, base: &StoredAssignment, week: u32) -> Timestamp {
        let from = base.due.value().copied().unwrap_or(self.now);
        self.zone.weekday_due(from, week.saturating_sub(base.week()) + 1)
    }

    /// The due date with which the legacy view generates a week: rule 13 of
    /// `docs/spec/legacy-view.md`.
    fn generated_due(&self, base: &StoredAssignment, week: u32) -> Timestamp {
        let from = base.due.value().copied().unwrap_or(self.now);
        self.zone.monday_due(from, week)
    }

    fn unanswered(&self, run: u32, week: u32) -> Result<(StoredAssignment, Vec<Event>), Rejection> {
        let found = self.week(run, week)?;
        if found.0.is_completed() { Err(Rejection::Completed(week)) } else { Ok(found) }
    }

    fn status(&self, stored: &StoredAssignment) -> Status {
        let due = stored.due.value().copied().unwrap_or(self.now);
        Clock::new(self.now, self.zone).status_of(stored, due)
    }

    /// Whether a run was withdrawn.
    fn is_over(&self, run: u32) -> bool {
        self.series.runs.get(&run).is_some_and(|known| known.withdrawn)
    }

    /// Returns the stored week, or the week that a response would create.
    ///
    /// # Errors
    /// If there is no such week.
    pub fn assignment(&self, run: u32, week: u32) -> Result<StoredAssignment, Rejection> {
        Ok(self.week(run, week)?.0)
    }
}

//! Deciders: what a command on a series leads to, given the series as it is. Owns every reason to refuse; loading the series,
//! numbering and storing the events are the caller's. *Now* is an argument.

use super::items::{made_week, terms_of};
use super::{Item, Series, assignment_id, response_id};
use crate::calendar::{Zone, plus_days};
use crate::document::StoredAssignment;
use crate::event::{AssignedStatus, MissedReason, Origin, RunTerms, Terms, WeekDue, WeekMove};
use crate::json::JsonText;
use crate::personal::Personal;
use crate::status::{Clock, OVERDUE_AFTER_MILLISECONDS, Status};
use crate::time::Timestamp;
use crate::{Event, Number};
use chrono::{NaiveDate, Timelike, Weekday};

/// The most weeks one run may have: ten years.
pub const MOST_WEEKS: u32 = 520;

/// Why a command is refused. The texts are for the person who gave it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// No such week.
    #[error("the series {series} has no week {week} in run {run}; it has {total} weeks")]
    NoSuchWeek {
        /// The series.
        series: String,
        /// The run.
        run: u32,
        /// The week asked for.
        week: u32,
        /// How many weeks there are.
        total: u32,
    },
    /// No week at all.
    #[error("{0} has no assignment; allocate it with `rollbook assign` first")]
    NoSuchSeries(String),
    /// The week has an answer.
    #[error("week {0} is answered already")]
    Completed(u32),
    /// The week was marked missed.
    #[error("week {0} is marked missed already")]
    AlreadyMissed(u32),
    /// Too early to call it missed.
    #[error("week {week} is not 3 days overdue yet; it is due {due}")]
    NotOverdue {
        /// The week.
        week: u32,
        /// When it is due.
        due: Timestamp,
    },
    /// `other` says nothing by itself.
    #[error("the reason `other` needs a comment that says which")]
    NoComment,
    /// Too short to mean anything.
    #[error("the reason needs at least {least} characters, and has {has}")]
    ShortReason {
        /// The least.
        least: usize,
        /// The text's.
        has: usize,
    },
    /// A run is still going on.
    #[error(
        "run {run} of {series} still has {open} open weeks; wait for its end, withdraw it, or extend it (--extend)"
    )]
    OpenWeeks {
        /// The series.
        series: String,
        /// The run.
        run: u32,
        /// How many weeks are open.
        open: usize,
    },
    /// A number that makes no sense.
    #[error("{what} must be {least} to {most}, and is {given}")]
    OutOfRange {
        /// Which number.
        what: &'static str,
        /// The least.
        least: u32,
        /// The most.
        most: u32,
        /// What was given.
        given: u32,
    },
    /// Nothing to pause.
    #[error("no unanswered week of {0} is due from now on; there is nothing to pause")]
    NothingToPause(String),
    /// Nothing to take back.
    #[error("No active pause found for this series")]
    NoPause,
    /// A window that is open needs no opening.
    #[error("week {0} is still open; it can be answered as it is")]
    StillOpen(u32),
    /// The response is none of this series.
    #[error("no response {response} in {series}")]
    NoSuchResponse {
        /// The series.
        series: String,
        /// The response.
        response: String,
    },
    /// The answers are no list.
    #[error(
        "the answers must be a JSON array of {{questionId, question, answer, weight, score}}: {0}"
    )]
    BadAnswers(String),
}

/// What an answer leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
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

/// When the first week of an allocation is due: on `first_check_in` moved to the next Monday unless it is one, else on the
/// Monday strictly after `start`. Source: `docs/spec/http-api.md`, POST `/api/check-in-assignments`.
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

/// The score of answers: round(100 × Σ score·weight ⁄ Σ 10·weight) over those with both, 0 to 100; `None` without any.
///
/// # Errors
/// When the JSON is no array of objects.
pub fn score_of(answers: &JsonText) -> Result<Option<u32>, Refused> {
    let list: Vec<serde_json::Map<String, serde_json::Value>> =
        answers.read().map_err(|error| Refused::BadAnswers(error.to_string()))?;
    let number = |answer: &serde_json::Map<String, serde_json::Value>, key: &str| {
        answer.get(key).and_then(serde_json::Value::as_f64)
    };
    let (reached, possible) = list
        .iter()
        .filter_map(|answer| number(answer, "score").zip(number(answer, "weight")))
        .fold((0.0, 0.0), |(reached, possible), (score, weight)| {
            (reached + score * weight, possible + 10.0 * weight)
        });
    if possible <= 0.0 {
        return Ok(None);
    }
    // Within 0 to 100 by the clamp.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let score = (100.0 * reached / possible).round().clamp(0.0, 100.0) as u32;
    Ok(Some(score))
}

impl Decider<'_> {
    fn name(&self) -> String {
        crate::StreamId::series(self.client, self.form).to_string()
    }

    fn base(&self, run: u32) -> Result<&Item, Refused> {
        self.series.items.base(run).ok_or_else(|| Refused::NoSuchSeries(self.name()))
    }

    /// The week as it stands, or as it would be made for an answer: the events that make it come first in the commit.
    fn week(&self, run: u32, week: u32) -> Result<(StoredAssignment, Vec<Event>), Refused> {
        if let Some(item) = self.series.items.week(run, week) {
            return Ok((item.stored.clone(), Vec::new()));
        }
        let base = &self.base(run)?.stored;
        let total = base.total_weeks;
        if week == 0 || week > total || !base.recurring || self.series.is_withdrawn(run, week) {
            return Err(Refused::NoSuchWeek { series: self.name(), run, week, total });
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

    fn unanswered(&self, run: u32, week: u32) -> Result<(StoredAssignment, Vec<Event>), Refused> {
        let found = self.week(run, week)?;
        if found.0.is_completed() { Err(Refused::Completed(week)) } else { Ok(found) }
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
    pub fn allocate(&self, allocation: &Allocation) -> Result<Vec<Event>, Refused> {
        let weeks = allocation.terms.total_weeks;
        let range = |given| Refused::OutOfRange {
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
            return Err(Refused::OpenWeeks { series: self.name(), run, open });
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
        range: impl Fn(u32) -> Refused,
    ) -> Result<Vec<Event>, Refused> {
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

    /// Takes an answer. A week that is not stored yet is made in the same commit.
    ///
    /// # Errors
    /// When the series has no such week, or the answers are no list, or the score is beyond 100, be the week answered or not. That it is
    /// answered is no error: see [`Answered::Before`].
    pub fn respond(
        &self,
        run: u32,
        week: u32,
        answers: JsonText,
        score: Option<u32>,
    ) -> Result<Answered, Refused> {
        let (stored, mut events) = self.week(run, week)?;
        let computed = score_of(&answers)?;
        if let Some(given @ 101..) = score {
            return Err(Refused::OutOfRange { what: "the score", least: 0, most: 100, given });
        }
        if let Some(response) = stored.response_id() {
            return Ok(Answered::Before { response: response.to_owned(), score: stored.score });
        }
        if stored.is_completed() {
            return Ok(Answered::Before { response: String::new(), score: stored.score });
        }
        let assignment = assignment_id(self.client, self.form, run, week);
        events.push(Event::ResponseSubmitted {
            assignment,
            run,
            week,
            response: response_id(assignment, self.series.submitted + 1).to_string(),
            submitted_at: self.now,
            score: score.or(computed),
            answers: Personal::new(answers),
            legacy_due: self.legacy_due(&self.base(run)?.stored, week),
        });
        Ok(Answered::Now(events))
    }

    /// Marks a week missed.
    ///
    /// # Errors
    /// When it is answered or marked already, not three days overdue, or the reason `other` has no comment.
    pub fn miss(
        &self,
        run: u32,
        week: u32,
        reason: MissedReason,
        comment: Option<String>,
    ) -> Result<Vec<Event>, Refused> {
        let (stored, mut events) = self.unanswered(run, week)?;
        if stored.status == "missed" {
            return Err(Refused::AlreadyMissed(week));
        }
        let comment = comment.filter(|comment| !comment.trim().is_empty());
        if reason == MissedReason::Other && comment.is_none() {
            return Err(Refused::NoComment);
        }
        let due = stored.due.value().copied().unwrap_or(self.now);
        if due.plus_milliseconds(OVERDUE_AFTER_MILLISECONDS) > self.now {
            return Err(Refused::NotOverdue { week, due });
        }
        events.push(Event::AssignmentMissed {
            run,
            week,
            reason,
            comment: comment.map(Personal::new),
        });
        Ok(events)
    }

    /// Grants more time; granting it twice writes nothing.
    ///
    /// # Errors
    /// When the week is answered, or the reason is shorter than ten characters.
    pub fn extend(&self, run: u32, week: u32, reason: String) -> Result<Vec<Event>, Refused> {
        const LEAST: usize = 10;
        let (stored, mut events) = self.unanswered(run, week)?;
        let has = reason.trim().chars().count();
        if has < LEAST {
            return Err(Refused::ShortReason { least: LEAST, has });
        }
        if stored.extension_granted {
            return Ok(Vec::new());
        }
        events.push(Event::ExtensionGranted { run, week, reason: Personal::new(reason) });
        Ok(events)
    }

    /// A coach opens a closed week.
    ///
    /// # Errors
    /// When the week is answered, or not closed.
    pub fn reopen(&self, run: u32, week: u32) -> Result<Vec<Event>, Refused> {
        let (stored, mut events) = self.unanswered(run, week)?;
        if self.status(&stored) != Status::Missed {
            return Err(Refused::StillOpen(week));
        }
        events.push(Event::AssignmentReopened { run, week });
        Ok(events)
    }

    /// A client asks for a closed week.
    ///
    /// # Errors
    /// When the week is answered, or not closed.
    pub fn request_reopen(
        &self,
        run: u32,
        week: u32,
        reason: String,
    ) -> Result<Vec<Event>, Refused> {
        let (stored, mut events) = self.unanswered(run, week)?;
        if self.status(&stored) != Status::Missed {
            return Err(Refused::StillOpen(week));
        }
        events.push(Event::ReopenRequested { run, week, reason: Personal::new(reason) });
        Ok(events)
    }

    /// The week as it is, or as an answer would make it.
    ///
    /// # Errors
    /// When there is no such week.
    pub fn assignment(&self, run: u32, week: u32) -> Result<StoredAssignment, Refused> {
        Ok(self.week(run, week)?.0)
    }

    /// Corrects a status; the one it has already writes nothing.
    ///
    /// # Errors
    /// When there is no such week, or it is answered: only clearing the answer takes that back.
    pub fn assign_status(
        &self,
        run: u32,
        week: u32,
        status: AssignedStatus,
    ) -> Result<Vec<Event>, Refused> {
        let (stored, mut events) = self.week(run, week)?;
        if stored.response_id().is_some() {
            return if status == AssignedStatus::Completed {
                Ok(Vec::new())
            } else {
                Err(Refused::Completed(week))
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
    pub fn write_note(&self, run: u32, week: u32, note: String) -> Result<Vec<Event>, Refused> {
        let (_, mut events) = self.week(run, week)?;
        events.push(Event::NoteWritten { run, week, note: Personal::new(note) });
        Ok(events)
    }

    /// Corrects a due date; the date it has already writes nothing.
    ///
    /// # Errors
    /// When there is no such week.
    pub fn reschedule(&self, run: u32, week: u32, due: Timestamp) -> Result<Vec<Event>, Refused> {
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
    ) -> Result<Vec<Event>, Refused> {
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

    /// Pauses the latest run: its unanswered stored weeks due from now on move by so many weeks, at the same local time.
    ///
    /// # Errors
    /// When nothing would move, or the number of weeks is 0 or more than a year's.
    pub fn pause(&self, pause_weeks: u32) -> Result<Vec<Event>, Refused> {
        const MOST: u32 = 52;
        if pause_weeks == 0 || pause_weeks > MOST {
            return Err(Refused::OutOfRange {
                what: "the number of weeks to pause",
                least: 1,
                most: MOST,
                given: pause_weeks,
            });
        }
        let run = self.series.latest_run();
        let days = 7 * i64::from(pause_weeks);
        let due = |item: &Item| item.stored.due.value().copied();
        let moves = |item: &&Item| {
            item.run == run && !item.is_completed() && due(item).is_some_and(|due| due >= self.now)
        };
        // The doubles of a week move with it: one that stayed would take its place.
        let doubles = |item: &Item| {
            self.series
                .items
                .of_week(run, item.week())
                .filter(|double| !double.is_completed())
                .filter_map(move |double| due(double).map(|due| (double.week(), due)))
        };
        let moved: Vec<WeekMove> = (self.series.items.shown().filter(moves))
            .flat_map(doubles)
            .map(|(week, due)| WeekMove {
                week,
                from: Some(due),
                to: Some(self.zone.plus_local_days(due, days)),
            })
            .collect();
        if moved.is_empty() {
            return Err(Refused::NothingToPause(self.name()));
        }
        Ok(vec![Event::SeriesPaused {
            run,
            pause_weeks,
            until: self.zone.plus_local_days(self.now, days),
            moved,
        }])
    }

    /// Takes back the latest pause: the weeks it moved that are still unanswered are due as before.
    ///
    /// # Errors
    /// When the latest run has no pause.
    pub fn resume(&self) -> Result<Vec<Event>, Refused> {
        let run = self.series.latest_run();
        let moved = self
            .series
            .runs
            .get(&run)
            .and_then(|known| known.pauses.last())
            .ok_or(Refused::NoPause)?;
        let unanswered = |moved: &&WeekMove| {
            self.series.items.week(run, moved.week).is_some_and(|item| !item.is_completed())
        };
        let restored = moved
            .iter()
            .filter(unanswered)
            .map(|moved| WeekDue { week: moved.week, due: moved.from })
            .collect();
        Ok(vec![Event::SeriesResumed { run, restored }])
    }

    /// Takes the latest run away from the client.
    ///
    /// # Errors
    /// When there is none, or no reason is given.
    pub fn withdraw(&self, keep_answered: bool, reason: String) -> Result<Vec<Event>, Refused> {
        let run = self.series.latest_run();
        self.base(run)?;
        if reason.trim().is_empty() {
            return Err(Refused::ShortReason { least: 1, has: 0 });
        }
        Ok(vec![Event::SeriesWithdrawn { run, keep_answered, reason: Personal::new(reason) }])
    }

    /// Takes one week away, or clears its answer back to pending. In a run that was withdrawn but for its answered weeks nothing is
    /// pending: there a week goes with its last answer.
    ///
    /// # Errors
    /// When there is no such week.
    pub fn withdraw_week(
        &self,
        run: u32,
        week: u32,
        reason: String,
    ) -> Result<Vec<Event>, Refused> {
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

    /// A coach answers a response of this series.
    ///
    /// # Errors
    /// When no week here has the response, or the text is empty.
    pub fn give_feedback(
        &self,
        response: &str,
        coach: &str,
        text: String,
    ) -> Result<Vec<Event>, Refused> {
        let known =
            self.series.items.iter().any(|item| item.stored.response_id() == Some(response))
                || self.series.responses.contains_key(response);
        if !known {
            return Err(Refused::NoSuchResponse {
                series: self.name(),
                response: response.to_owned(),
            });
        }
        if text.trim().is_empty() {
            return Err(Refused::ShortReason { least: 1, has: 0 });
        }
        Ok(vec![Event::FeedbackGiven {
            response: response.to_owned(),
            coach: coach.to_owned(),
            text: Personal::new(text),
        }])
    }
}

/// A time of day such as `09:00`, as (hour, minute).
pub fn time_of_day(text: &str) -> Option<(u32, u32)> {
    chrono::NaiveTime::parse_from_str(text, "%H:%M").ok().map(|time| (time.hour(), time.minute()))
}

//! The reasons for which a command on a series is rejected.

use crate::time::Timestamp;

/// Why a command is refused. The texts are for the person who gave it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
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

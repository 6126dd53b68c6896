//! The reasons for which a command on a series is rejected.

use uuid::Uuid;

use crate::time::Timestamp;

/// The reason for which a command on a series is rejected. Its text is for the person who sent the
/// command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The run has no such week.
    #[error("{series} has no week {week} in run {run}; the run has {total} weeks")]
    NoSuchWeek {
        /// The series.
        series: String,
        /// The run.
        run: u32,
        /// The requested week.
        week: u32,
        /// The number of weeks in the run.
        total: u32,
    },
    /// The form is not allocated to the client. The field is the series.
    #[error("{0} has no assignment; allocate the form to the client first")]
    NoSuchSeries(String),
    /// The week is completed.
    #[error("week {0} is already completed")]
    Completed(u32),
    /// The week is already marked as missed.
    #[error("week {0} is already marked as missed")]
    AlreadyMissed(u32),
    /// It is too early to mark the week as missed.
    #[error("week {week} can be marked as missed from 3 days after its due date; it is due {due}")]
    NotOverdue {
        /// The week.
        week: u32,
        /// Its due date.
        due: Timestamp,
    },
    /// The reason `other` has no comment.
    #[error("the reason `other` needs a comment; write the reason in the comment")]
    NoComment,
    /// A text is too short: a reason, or a coach's feedback.
    #[error("the text is too short: it has {has} characters and needs at least {least}")]
    ShortReason {
        /// The minimum number of characters.
        least: usize,
        /// The number of characters of the text.
        has: usize,
    },
    /// The latest run still has open weeks.
    #[error(
        "run {run} of {series} still has {open} open weeks; wait until it ends, withdraw it, or extend it"
    )]
    OpenWeeks {
        /// The series.
        series: String,
        /// The run.
        run: u32,
        /// The number of open weeks.
        open: usize,
    },
    /// A number is out of range. The endpoints of the old application return this text, so its
    /// bytes are frozen.
    #[error("{what} must be {least} to {most}, and is {given}")]
    OutOfRange {
        /// The name of the number.
        what: &'static str,
        /// The minimum.
        least: u32,
        /// The maximum.
        most: u32,
        /// The given number.
        given: u32,
    },
    /// No week can be paused. The field is the series.
    #[error(
        "there is nothing to pause: {0} has no week without a response that is due from now on"
    )]
    NothingToPause(String),
    /// The latest run has no active pause.
    #[error("this series has no active pause")]
    NoPause,
    /// The week is still open, so it cannot be reopened.
    #[error("week {0} is still open, so it cannot be reopened; a response is possible now")]
    StillOpen(u32),
    /// The series has no such response.
    #[error("{series} has no response {response}")]
    NoSuchResponse {
        /// The series.
        series: String,
        /// The response.
        response: String,
    },
    /// The week has other assignments, and not this one: it was withdrawn before, or an import
    /// removed it.
    #[error("week {week} of {series} no longer has the assignment {assignment}, and has another")]
    NoSuchAssignment {
        /// The series.
        series: String,
        /// The week.
        week: u32,
        /// The requested assignment.
        assignment: String,
    },
    /// The answers are not a list of objects. The field is the parser's error.
    #[error(
        "the answers must be a JSON array of {{questionId, question, answer, weight, score}}: {0}"
    )]
    BadAnswers(String),
    /// A text, an id or a JSON value is too long.
    #[error("{what} has {given} bytes; the limit is {limit}")]
    TextTooLong {
        /// What is too long.
        what: &'static str,
        /// The maximum number of bytes.
        limit: usize,
        /// The number of bytes.
        given: usize,
    },
    /// A JSON value is nested too deep.
    #[error("{what} is nested {found} levels deep; the limit is {limit}")]
    TooDeep {
        /// The name of the value.
        what: &'static str,
        /// The maximum number of levels.
        limit: usize,
        /// The number of levels.
        found: usize,
    },
    /// No week holds the response, so it cannot be moved.
    #[error("no week holds the response {0}, so it cannot be moved; it can be adopted by a week")]
    ResponseNotHeld(String),
    /// A week holds the response, so it cannot be adopted.
    #[error(
        "week {week} of run {run} holds the response {response}, so it cannot be adopted; it can be moved"
    )]
    ResponseHeld {
        /// The response.
        response: String,
        /// The run.
        run: u32,
        /// The week.
        week: u32,
    },
    /// The response was cleared from its week.
    #[error("the response {0} was cleared from its week and counts for none")]
    ResponseWasCleared(String),
    /// The week has another response.
    #[error("week {week} of run {run} has the response {response} already")]
    WeekHasResponse {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// Its response.
        response: String,
    },
    /// The series has no such stored document.
    #[error(
        "{series} has no stored document {document}; a week that was made here has no number to set"
    )]
    NotADocument {
        /// The series.
        series: String,
        /// The document.
        document: String,
    },
    /// A document stands for the week.
    #[error("week {week} of run {run} is not free: {document} stands for it")]
    WeekHasDocument {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The document or assignment.
        document: String,
    },
    /// The document is the only one of week 1.
    #[error(
        "{document} is the only document of week 1 of run {run}, from which the other weeks count"
    )]
    OnlyBase {
        /// The document.
        document: String,
        /// The run.
        run: u32,
    },
    /// A migration linked the response to its week by the week that the response states.
    #[error("the response {response} states week {week} itself, so its document stays there")]
    LinkedToWeek {
        /// The response.
        response: String,
        /// The week.
        week: u32,
    },
    /// The series has no such correction, or it was undone.
    #[error("{series} has no correction {correction} that holds; it may have been undone")]
    NotHolding {
        /// The series.
        series: String,
        /// The correction.
        correction: Uuid,
    },
    /// A later correction changes the same week, or places the same response.
    #[error("correction {correction} cannot be undone before the later correction {later}")]
    LaterCorrection {
        /// The correction.
        correction: Uuid,
        /// The later one.
        later: Uuid,
    },
    /// A week that the correction changed has another answer since, or was withdrawn.
    #[error(
        "correction {correction} cannot be undone: week {week} was answered, cleared or withdrawn since"
    )]
    ChangedSince {
        /// The correction.
        correction: Uuid,
        /// The week.
        week: u32,
    },
}

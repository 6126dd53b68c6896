//! The commands on one series.

use rollbook_domain::JsonText;
use rollbook_domain::event::MissedReason;
use rollbook_domain::series::decide::{Allocation, Correction, Repair};

/// A command on one series.
#[derive(Clone, Debug)]
pub enum SeriesCommand {
    /// Allocates the form.
    Allocate(Allocation),
    /// Answers a week.
    Respond {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The answers, a JSON array.
        answers: JsonText,
        /// The score, if it is given.
        score: Option<u32>,
    },
    /// Marks a week as missed.
    Miss {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The reason.
        reason: MissedReason,
        /// The client's words.
        comment: Option<String>,
    },
    /// Grants more time for a week.
    Extend {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The reason.
        reason: String,
    },
    /// Asks to reopen a closed week.
    AskToReopen {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The client's words.
        reason: String,
    },
    /// Corrects a week.
    Correct {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The change.
        correction: Correction,
    },
    /// Opens a closed week.
    Reopen {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
    },
    /// Pauses the latest run.
    Pause {
        /// The length of the pause in weeks.
        weeks: u32,
    },
    /// Undoes the latest pause.
    Resume,
    /// Withdraws the latest run.
    Withdraw {
        /// Whether weeks with a response stay in the views.
        keep_answered: bool,
        /// The reason.
        reason: String,
    },
    /// Withdraws one week, or clears its response.
    WithdrawWeek {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The stored assignment; `None` for the one that represents the week.
        assignment: Option<String>,
        /// The reason.
        reason: String,
    },
    /// Gives feedback on a response.
    Feedback {
        /// The response.
        response: String,
        /// The coach.
        coach: String,
        /// The coach's words.
        text: String,
    },
    /// Corrects stored data, or undoes a correction.
    Repair(Repair),
}

//! The commands on one series.

use rollbook_domain::JsonText;
use rollbook_domain::event::MissedReason;
use rollbook_domain::series::decide::{Allocation, Correction, Repair};

/// A command on one series.
#[derive(Clone, Debug)]
pub enum SeriesCommand {
    /// Allocate the form.
    Allocate(Allocation),
    /// Answer a week.
    Respond {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The answers, a JSON array.
        answers: JsonText,
        /// The score, where it is given.
        score: Option<u32>,
    },
    /// Mark a week missed.
    Miss {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// Why.
        reason: MissedReason,
        /// In the client's words.
        comment: Option<String>,
    },
    /// Grant more time.
    Extend {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// Why.
        reason: String,
    },
    /// Ask for a closed week.
    AskToReopen {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// In the client's words.
        reason: String,
    },
    /// Correct a week.
    Correct {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// What of it.
        correction: Correction,
    },
    /// Open a closed week.
    Reopen {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
    },
    /// Pause the latest run.
    Pause {
        /// For how many weeks.
        weeks: u32,
    },
    /// Take back the latest pause.
    Resume,
    /// Take the latest run away.
    Withdraw {
        /// Whether answered weeks stay in the views.
        keep_answered: bool,
        /// Why.
        reason: String,
    },
    /// Take one week away, or clear its answer.
    WithdrawWeek {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The stored assignment that is meant; `None` means the one that represents the week.
        assignment: Option<String>,
        /// Why.
        reason: String,
    },
    /// Answer a response.
    Feedback {
        /// The response.
        response: String,
        /// The coach.
        coach: String,
        /// The coach's words.
        text: String,
    },
    /// Correct what is stored wrongly, or undo that.
    Repair(Repair),
}

//! Values that the events of a series carry.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::number::Number;
use crate::personal::Personal;
use crate::terms::RunTerms;
use crate::time::Timestamp;

/// Why an assignment was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A coach allocated the form.
    Allocation,
    /// The client responded to a week that was not stored yet.
    Submission,
    /// A migration created it.
    Migration,
}

/// The due date of one week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeekDue {
    /// The week, from 1.
    pub week: u32,
    /// The due date; `None` if the stored week has none.
    pub due: Option<Timestamp>,
}

/// One week of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WeekOfRun {
    /// The run, from 1.
    pub run: u32,
    /// The week, from 1.
    pub week: u32,
}

/// A change of one week's due date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeekMove {
    /// The week, from 1.
    pub week: u32,
    /// The old due date; `None` if the stored week had none.
    pub from: Option<Timestamp>,
    /// The new due date.
    pub to: Option<Timestamp>,
}

/// Why a client missed a week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissedReason {
    /// The client was ill.
    Sick,
    /// The client was travelling.
    Traveling,
    /// An emergency.
    PersonalEmergency,
    /// Another reason, given in the comment.
    Other,
}

impl MissedReason {
    /// All reasons.
    pub const ALL: [Self; 4] = [Self::Sick, Self::Traveling, Self::PersonalEmergency, Self::Other];

    /// The name in stored documents and in requests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sick => "sick",
            Self::Traveling => "traveling",
            Self::PersonalEmergency => "personal_emergency",
            Self::Other => "other",
        }
    }
}

impl std::str::FromStr for MissedReason {
    type Err = UnknownReason;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|reason| reason.name() == text).ok_or(UnknownReason)
    }
}

/// The text is not the name of a [`MissedReason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("reason is not one of sick, traveling, personal_emergency and other")]
pub struct UnknownReason;

/// A status that a coach assigns to a week, as the old application stored it. The `status` module
/// computes the status that a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssignedStatus {
    /// Waiting for a response.
    Pending,
    /// Another name for `Pending`.
    Active,
    /// Paused.
    Inactive,
    /// Late. Lists ignore this value and compute lateness from the due date.
    Overdue,
    /// Missed.
    Missed,
    /// Completed without a response.
    Completed,
}

impl AssignedStatus {
    /// The name in stored documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Overdue => "overdue",
            Self::Missed => "missed",
            Self::Completed => "completed",
        }
    }
}

/// How a migration links a response to its week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// By the week that the response names.
    Linked,
    /// The response names no week, and exactly one stored week names the response.
    Adopted,
}

/// The content of [`super::Event::ResponsePlaced`]. Field names never change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The id of the correction: UUIDv5 of the series and of the number of its corrections.
    pub correction: Uuid,
    /// The response's id.
    pub response: String,
    /// The derived id of the week's assignment (UUIDv5).
    pub assignment: Uuid,
    /// The run.
    pub run: u32,
    /// The week that the response completes from now on.
    pub week: u32,
    /// The weeks that held the response before, and are unanswered from now on; none if no
    /// week held it.
    pub left: Vec<WeekOfRun>,
    /// The time of completion.
    pub completed_at: Option<Timestamp>,
    /// The response's score.
    pub score: Option<Number>,
    /// The due date that the old application would have stored for the week.
    pub legacy_due: Timestamp,
    /// The terms of the week, if it was not stored and is created by this event.
    pub terms: Option<RunTerms>,
    /// The reason.
    pub reason: Personal<String>,
}

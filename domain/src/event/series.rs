//! Values that the events of a series carry.

use serde::{Deserialize, Serialize};

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

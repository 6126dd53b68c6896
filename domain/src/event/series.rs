//! Values that the events of a series carry.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Why a week's assignment was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A coach allocated the form.
    Allocation,
    /// The client answered a week that was not stored yet.
    Submission,
    /// The migration made it.
    Migration,
}

/// One week's due date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeekDue {
    /// The week, from 1.
    pub week: u32,
    /// When it is due; `None` where the stored week has none.
    pub due: Option<Timestamp>,
}

/// One week's move to another due date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeekMove {
    /// The week, from 1.
    pub week: u32,
    /// When it was due; `None` where the stored week had no due date.
    pub from: Option<Timestamp>,
    /// When it is due now.
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
    /// Another reason, which the comment tells.
    Other,
}

/// A status that a coach gives a week, as the old system stored it. What lists show of it is `status`'s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssignedStatus {
    /// To be answered.
    Pending,
    /// The same, by its other name.
    Active,
    /// It rests.
    Inactive,
    /// Late. Lists count that from the due date themselves.
    Overdue,
    /// Missed.
    Missed,
    /// Done, without an answer.
    Completed,
}

impl AssignedStatus {
    /// Its name in stored documents.
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

/// How a migration ties a response to the week it is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// The response's own week says so.
    Linked,
    /// The response has no week; exactly one other stored week names it.
    Adopted,
}

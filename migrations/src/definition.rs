//! The definition of a kind of migration: a rule that finds the events that a series lacks.
//!
//! Planning, batch files, drift detection, applying and validation are the same for every kind; see
//! `docs/write-a-migration.md`. `kinds` lists the implementations.

use std::fmt;

use rollbook_domain::series::Series;
use rollbook_domain::{Event, NewEvent, StreamId, Timestamp};
use serde::{Deserialize, Serialize};

/// One kind of migration with its options.
pub trait Definition: Sync {
    /// The events that a series lacks. The same series and options must give the same events, ids
    /// included, on every machine and at any time: a plan made on one store is applied to others.
    fn plan_series(&self, stream: &StreamId, series: &Series) -> SeriesPlan;

    /// Whether a series already contains the effect of one of these events, or no longer has a
    /// place for it.
    fn is_present(&self, series: &Series, event: &Event) -> bool;
}

/// What one series lacks.
#[derive(Clone, Debug, Default)]
pub struct SeriesPlan {
    /// Whether the migration concerns this series at all.
    pub concerned: bool,
    /// The events, in the order in which they are appended.
    pub events: Vec<NewEvent>,
    /// What remains unmigrated, and why.
    pub obstacles: Vec<Obstacle>,
}

/// Why a part of a series is not migrated although it seems to need it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "obstacle")]
pub enum Obstacle {
    /// There is no stored week 1, so there is no base to count from.
    NoWeekOne,
    /// The base has no due date.
    NoBaseDue,
    /// The week that a response states already has another response.
    WeekHoldsAnother {
        /// The response that is not linked.
        response: String,
        /// The week that it states.
        week: u32,
    },
    /// The series does not have the week that a response states.
    WeekOutside {
        /// The response that is not linked.
        response: String,
        /// The week that it states.
        week: u32,
    },
    /// The run is paused, and resuming it restores the due dates from before the pause.
    Paused {
        /// The run.
        run: u32,
    },
    /// Several assignments are stored for the week.
    WeekDoubled {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
    },
    /// The client asked to reopen the week, and a new due date would drop the request.
    ReopenRequested {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
    },
    /// The new due date is over already.
    DueInThePast {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The new due date.
        due: Timestamp,
    },
    /// The week is not what the batch that is undone made of it.
    ChangedSince {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
    },
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWeekOne => {
                f.write_str("the series has no week 1 to count from, so no week is created")
            }
            Self::NoBaseDue => {
                f.write_str("the base has no due date to count from, so no week is created")
            }
            Self::WeekHoldsAnother { response, week } => write!(
                f,
                "response {response} is for week {week}, which has another response, so it is not linked"
            ),
            Self::WeekOutside { response, week } => write!(
                f,
                "response {response} is for week {week}, which the series does not have, so it is not linked"
            ),
            Self::Paused { run } => write!(f, "run {run} is paused, so its weeks stay as they are"),
            Self::WeekDoubled { run, week } => {
                write!(f, "week {week} of run {run} is stored several times, so it stays as it is")
            }
            Self::ReopenRequested { run, week } => write!(
                f,
                "the client asked to reopen week {week} of run {run}, so it stays as it is"
            ),
            Self::DueInThePast { run, week, due } => write!(
                f,
                "week {week} of run {run} would be due {due}, which is over, so it stays as it is"
            ),
            Self::ChangedSince { run, week } => {
                write!(f, "week {week} of run {run} changed since the batch, so it stays as it is")
            }
        }
    }
}

//! The definition of a kind of migration: a rule that finds the events that a series lacks.
//!
//! Planning, batch files, drift detection, applying and validation are the same for every kind; see
//! `docs/write-a-migration.md`. `kinds` lists the implementations.

use std::fmt;

use rollbook_domain::series::Series;
use rollbook_domain::{Event, NewEvent, StreamId};
use serde::{Deserialize, Serialize};

use crate::rules::Rules;

/// One kind of migration.
pub trait Definition: Sync {
    /// Its stable name, as it is recorded in batch files and in the log.
    fn kind(&self) -> &'static str;

    /// The events that a series lacks. The same series and rules must give the same events, ids
    /// included, on every machine and at any time: a plan made on one store is applied to others.
    fn plan_series(&self, stream: &StreamId, series: &Series, rules: &Rules) -> SeriesPlan;

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
        }
    }
}

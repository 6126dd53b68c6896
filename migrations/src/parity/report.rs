//! The report of a comparison, the classes of differences, and merging the reports of several
//! clients.

use std::collections::BTreeMap;
use std::fmt;

use rollbook_domain::{Position, Timestamp};
use serde::{Deserialize, Serialize};

/// The class of an expected difference between the views. Source: `docs/spec/precreated-view.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A generated week became a stored one with its own id and fields.
    WeekId,
    /// The legacy view does not generate the week (its rule 13).
    GapWeek,
    /// The week of another form hides it (rule 14 of the legacy view).
    FormCollision,
    /// Two series of two identities of a client became one.
    IdentitySplit,
    /// One week has several stored documents or allocations.
    DuplicateAllocation,
    /// Weeks were created on the weekday of their base.
    KeptWeekday,
    /// A week becomes overdue in the pre-created view at another time.
    StatusRule,
    /// A response moved from the wrong week to its own.
    LateLink,
    /// A recorded decision changed the week in one view only, or differently in each.
    ChangedSince,
    /// The summaries count entries that differ.
    Summary,
}

impl Class {
    /// The name of the class: `week-id`, `gap-week`, …
    pub fn name(self) -> &'static str {
        match self {
            Self::WeekId => "week-id",
            Self::GapWeek => "gap-week",
            Self::FormCollision => "form-collision",
            Self::IdentitySplit => "identity-split",
            Self::DuplicateAllocation => "duplicate-allocation",
            Self::KeptWeekday => "kept-weekday",
            Self::StatusRule => "status-rule",
            Self::LateLink => "late-link",
            Self::ChangedSince => "changed-since",
            Self::Summary => "summary",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A difference that no class explains.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UnexplainedDifference {
    /// The client's document id.
    pub client: String,
    /// The first instant at which the views differ.
    pub at: Timestamp,
    /// The form; empty for the summary.
    pub form: String,
    /// The run.
    pub run: u32,
    /// The week.
    pub week: u32,
    /// The field, or which view alone shows the week, with both values.
    pub what: String,
}

/// An example of a class.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Example {
    /// The client's document id.
    pub client: String,
    /// The first instant at which the views differ.
    pub at: Timestamp,
    /// The form; empty for the summary.
    pub form: String,
    /// The run.
    pub run: u32,
    /// The week.
    pub week: u32,
    /// The field, or `entry` if only one view shows the week.
    pub what: String,
    /// What the legacy view shows.
    pub legacy: String,
    /// What the pre-created view shows.
    pub precreated: String,
    /// The event that causes the difference, in words; only for `changed-since`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
}

/// A recorded decision that causes differences.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DecisionSummary {
    /// The position of its event.
    pub position: Position,
    /// The client's document id.
    pub client: String,
    /// The form.
    pub form: String,
    /// The number of fields of weeks that differ because of it.
    pub differences: u64,
    /// The event and one of these weeks: `week 2: extension granted by coach k1 at position 801`.
    pub event: String,
}

/// The most unexplained differences that a shortened report lists. The others are counted.
const MOST_UNEXPLAINED: usize = 100;
/// The most examples of each class.
pub(super) const MOST_EXAMPLES: usize = 3;

/// The most decisions that a report lists.
pub(super) const MOST_DECISIONS: usize = 100;

/// The result of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParityReport {
    /// The number of compared clients.
    pub clients: u64,
    /// The number of compared instants, summed over the clients.
    pub instants: u64,
    /// The number of weeks that differ at some instant, by class; for `summary`, the number of
    /// clients.
    pub differences: BTreeMap<Class, u64>,
    /// Examples of each class, of the first clients.
    pub examples: BTreeMap<Class, Vec<Example>>,
    /// The decisions behind the class `changed-since`; the first of them in the order of the log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<DecisionSummary>,
    /// The number of unexplained differences, one for each week and field, however long it lasts.
    pub unexplained_total: u64,
    /// The first of them.
    pub unexplained: Vec<UnexplainedDifference>,
}

impl ParityReport {
    /// Whether every difference has a class.
    pub fn is_explained(&self) -> bool {
        self.unexplained_total == 0
    }

    /// Merges another report. The order of merging does not matter.
    pub fn absorb(&mut self, other: Self) {
        self.clients += other.clients;
        self.instants += other.instants;
        self.unexplained_total += other.unexplained_total;
        for (class, count) in other.differences {
            *self.differences.entry(class).or_default() += count;
        }
        for (class, examples) in other.examples {
            keep_first(self.examples.entry(class).or_default(), examples, MOST_EXAMPLES);
        }
        keep_first(&mut self.decisions, other.decisions, MOST_DECISIONS);
        self.unexplained.extend(other.unexplained);
    }

    /// The report with the first unexplained differences only; the others are counted.
    #[must_use]
    pub fn shortened(mut self) -> Self {
        self.unexplained.truncate(MOST_UNEXPLAINED);
        self
    }
}

fn keep_first<T: Ord>(held: &mut Vec<T>, more: Vec<T>, most: usize) {
    if !more.is_empty() {
        held.extend(more);
        held.sort();
        held.truncate(most);
    }
}

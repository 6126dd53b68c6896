//! What a comparison says. Owns the classes, the report's shape and how reports of several clients become one; which class a
//! difference has is decided elsewhere.

use std::collections::BTreeMap;
use std::fmt;

use rollbook_domain::Timestamp;
use serde::{Deserialize, Serialize};

/// Why the two views differ where they may. Source: `docs/spec/precreated-view.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Class {
    /// A generated id became a real one, with what a stored week has of its own.
    WeekId,
    /// The legacy view did not generate the week: its rule 13.
    GapWeek,
    /// Another form's week took its place: rule 14 of the legacy view.
    FormCollision,
    /// One client's two identities were two series, and are one.
    IdentitySplit,
    /// Several stored documents, or several allocations, of one week.
    DuplicateAllocation,
    /// Weeks were made on their base's weekday.
    KeptWeekday,
    /// The pre-created view calls a week overdue at another time.
    StatusRule,
    /// A response that the old system had on the wrong week is on its own.
    LateLink,
    /// The summary counts entries that differ.
    Summary,
}

impl Class {
    /// The class's name: `week-id`, `gap-week`, …
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
pub struct Unexplained {
    /// The client's document id.
    pub client: String,
    /// The first instant at which it shows.
    pub at: Timestamp,
    /// The form; empty for the summary.
    pub form: String,
    /// The run.
    pub run: u32,
    /// The week.
    pub week: u32,
    /// The field, or who alone shows the week, with both values.
    pub what: String,
}

/// One difference of a class, to look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Example {
    /// The client's document id.
    pub client: String,
    /// The first instant at which it shows.
    pub at: Timestamp,
    /// The form; empty for the summary.
    pub form: String,
    /// The run.
    pub run: u32,
    /// The week.
    pub week: u32,
    /// The field, or `entry` where only one view shows the week.
    pub what: String,
    /// What the legacy view shows.
    pub legacy: String,
    /// What the pre-created view shows.
    pub precreated: String,
}

/// How many unexplained differences a report names; the others are counted.
pub const MOST_UNEXPLAINED: usize = 100;
/// How many examples a report names of each class.
pub const MOST_EXAMPLES: usize = 3;

/// Both views, compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParityReport {
    /// How many clients were compared.
    pub clients: u64,
    /// At how many instants, all clients together.
    pub instants: u64,
    /// By class: how many weeks differ so at some instant; for `summary`, how many clients.
    pub differences: BTreeMap<Class, u64>,
    /// A few of each class: those of the first clients.
    pub examples: BTreeMap<Class, Vec<Example>>,
    /// How many differences no class explains: one a week and field, however long it lasts.
    pub unexplained_total: u64,
    /// The first of them.
    pub unexplained: Vec<Unexplained>,
}

impl ParityReport {
    /// Whether every difference has a class.
    pub fn is_explained(&self) -> bool {
        self.unexplained_total == 0
    }

    /// Takes another client's report in. The order in which reports come changes nothing.
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
        keep_first(&mut self.unexplained, other.unexplained, MOST_UNEXPLAINED);
    }
}

fn keep_first<T: Ord>(held: &mut Vec<T>, more: Vec<T>, most: usize) {
    if !more.is_empty() {
        held.extend(more);
        held.sort();
        held.truncate(most);
    }
}

//! Changes of weeks that a fold does not store.
//!
//! The legacy view generates most weeks when it is read, and before a migration the pre-created
//! view does not have them either. An event on such a week changes no stored week. This module
//! keeps the change until the week is stored, and the legacy view lays it over the generated entry
//! meanwhile. Source: "An action is visible in the view that serves" in `docs/spec/http-reads.md`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::items::Item;
use crate::event::AssignedStatus;
use crate::json::JsonText;
use crate::time::Timestamp;

/// A change that an event makes to one week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WeekChange {
    /// It has a new due date.
    Due(Timestamp),
    /// A coach assigned a status.
    Status(AssignedStatus),
    /// It was marked as missed.
    Missed,
    /// An extension was granted.
    Extended,
    /// A coach opened it.
    Reopened,
    /// A pause moved it.
    Paused {
        /// When the pause ends.
        until: Timestamp,
        /// The new due date.
        due: Option<Timestamp>,
    },
    /// The pause was undone.
    Resumed {
        /// The restored due date.
        due: Option<Timestamp>,
    },
    /// It has a new check-in window, or none.
    Window(Option<JsonText>),
}

impl WeekChange {
    /// Makes the change to a stored week.
    pub(super) fn apply(&self, item: &mut Item) {
        match self {
            Self::Due(due) => item.reschedule(Some(*due)),
            Self::Status(status) => item.assign_status(*status),
            Self::Missed => item.mark_missed(),
            Self::Extended => item.extend(),
            Self::Reopened => item.reopen(),
            Self::Paused { until, due } => item.pause(*until, *due),
            Self::Resumed { due } => item.resume(*due),
            Self::Window(window) => item.set_window(window.as_ref()),
        }
    }

    /// Whether the other change is of the same kind. The later one of a kind replaces the earlier.
    fn is_kind_of(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// The changes of weeks that are not stored, by run, by week.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlays(BTreeMap<u32, BTreeMap<u32, Vec<WeekChange>>>);

impl Overlays {
    /// Adds a change. At most one change of each kind is kept, in the order of the latest ones.
    pub(super) fn add(&mut self, run: u32, week: u32, change: WeekChange) {
        let changes = self.0.entry(run).or_default().entry(week).or_default();
        changes.retain(|earlier| !earlier.is_kind_of(&change));
        changes.push(change);
    }

    fn of_week(&self, run: u32, week: u32) -> Option<&Vec<WeekChange>> {
        self.0.get(&run)?.get(&week)
    }

    /// Makes the changes of a week to an item, and keeps them.
    pub fn lay_over(&self, item: &mut Item) {
        for change in self.of_week(item.run, item.week()).into_iter().flatten() {
            change.apply(item);
        }
    }

    /// Makes the changes of a week to an item that is stored from now on, and forgets them.
    pub(super) fn move_to(&mut self, item: &mut Item) {
        self.lay_over(item);
        self.forget(item.run, item.week());
    }

    /// Forgets the changes of one week.
    pub(super) fn forget(&mut self, run: u32, week: u32) {
        if let Some(weeks) = self.0.get_mut(&run) {
            weeks.remove(&week);
            if weeks.is_empty() {
                self.0.remove(&run);
            }
        }
    }

    /// The due date that a change gives to a week, before any later change of its pause.
    pub(super) fn due(&self, run: u32, week: u32) -> Option<Timestamp> {
        self.of_week(run, week)?.iter().find_map(|change| match change {
            WeekChange::Due(due) => Some(*due),
            _ => None,
        })
    }

    /// The window that a change gives to a week; `None` if no change does.
    pub(super) fn window(&self, run: u32, week: u32) -> Option<Option<&JsonText>> {
        self.of_week(run, week)?.iter().find_map(|change| match change {
            WeekChange::Window(window) => Some(window.as_ref()),
            _ => None,
        })
    }

    /// Forgets the changes of one week for which `forgets` holds.
    pub(super) fn forget_change(
        &mut self,
        run: u32,
        week: u32,
        forgets: impl Fn(&WeekChange) -> bool,
    ) {
        let Some(changes) = self.0.get_mut(&run).and_then(|weeks| weeks.get_mut(&week)) else {
            return;
        };
        changes.retain(|change| !forgets(change));
        if changes.is_empty() {
            self.forget(run, week);
        }
    }

    /// Forgets the changes of every week of a run.
    pub(super) fn forget_run(&mut self, run: u32) {
        self.0.remove(&run);
    }

    /// Whether a week has changes.
    #[inline]
    pub fn contains(&self, run: u32, week: u32) -> bool {
        self.of_week(run, week).is_some()
    }

    /// Iterates over every due date that a change gives to a week.
    pub fn dues(&self) -> impl Iterator<Item = Timestamp> {
        self.0.values().flat_map(BTreeMap::values).flatten().filter_map(|change| match change {
            WeekChange::Due(due) => Some(*due),
            WeekChange::Paused { due, .. } | WeekChange::Resumed { due } => *due,
            WeekChange::Status(_)
            | WeekChange::Missed
            | WeekChange::Extended
            | WeekChange::Reopened
            | WeekChange::Window(_) => None,
        })
    }

    /// Iterates over the end of every pause of a week.
    pub fn pauses(&self) -> impl Iterator<Item = Timestamp> {
        self.0.values().flat_map(BTreeMap::values).flatten().filter_map(|change| match change {
            WeekChange::Paused { until, .. } => Some(*until),
            _ => None,
        })
    }

    /// Iterates over the (run, week) pairs with changes, in order.
    pub fn weeks(&self) -> impl Iterator<Item = (u32, u32)> {
        self.0.iter().flat_map(|(run, weeks)| weeks.keys().map(|week| (*run, *week)))
    }
}

//! Moving the due dates of weeks when a series is paused or resumed.

use std::collections::BTreeSet;

use super::{Item, Items};
use crate::event::{WeekDue, WeekMove};
use crate::time::Timestamp;

impl Items {
    /// Moves the named weeks and pauses them until an instant. Each duplicate of a week has its own
    /// move. Returns the weeks and new due dates of the moves that no item took.
    pub fn pause(
        &mut self,
        run: u32,
        until: Timestamp,
        moved: &[WeekMove],
    ) -> Vec<(u32, Option<Timestamp>)> {
        let mut shifts: Vec<Shift> =
            moved.iter().map(|to| Shift { week: to.week, from: to.from, to: to.to }).collect();
        // Latest first: a duplicate that moves to another one's due date must not be mistaken for
        // it.
        shifts.sort_by_key(|shift| std::cmp::Reverse(shift.from));
        self.shift(run, &shifts, |item, due| item.pause(until, due))
    }

    /// Moves the restored weeks back, out of the weeks that a pause moved. Returns the weeks and due
    /// dates that no item got back.
    pub fn resume(
        &mut self,
        run: u32,
        moved: &[WeekMove],
        restored: &[WeekDue],
    ) -> Vec<(u32, Option<Timestamp>)> {
        let moved_to = |back: &WeekDue| {
            moved
                .iter()
                .find(|moved| moved.week == back.week && moved.from == back.due)
                .and_then(|moved| moved.to)
        };
        let mut shifts: Vec<Shift> = restored
            .iter()
            .map(|back| Shift { week: back.week, from: moved_to(back), to: back.due })
            .collect();
        shifts.sort_by_key(|shift| shift.to);
        self.shift(run, &shifts, |item, due| item.resume(due))
    }

    /// Changes the items without a response whose due date matches a shift. If no item of a week
    /// matches, because the legacy fold computes its due date differently, the created item that
    /// represents the week gets the earliest new due date of that week's shifts. Returns the week
    /// and the new due date of every shift that changed no item.
    fn shift(
        &mut self,
        run: u32,
        shifts: &[Shift],
        change: impl Fn(&mut Item, Option<Timestamp>),
    ) -> Vec<(u32, Option<Timestamp>)> {
        let is_meant = |item: &Item, shift: &Shift| {
            !item.is_completed() && item.stored.due.value().copied() == shift.from
        };
        let is_known = |week: u32| {
            let mut of_week = shifts.iter().filter(|shift| shift.week == week);
            of_week.any(|shift| self.of_week(run, week).any(|item| is_meant(item, shift)))
        };
        let known: BTreeSet<u32> =
            shifts.iter().map(|shift| shift.week).filter(|week| is_known(*week)).collect();
        let mut left = Vec::new();
        for shift in shifts {
            let item = if known.contains(&shift.week) {
                self.held.iter_mut().find(|item| {
                    (item.run, item.week()) == (run, shift.week) && is_meant(item, shift)
                })
            } else {
                let earliest = shifts
                    .iter()
                    .filter(|other| other.week == shift.week)
                    .map(|other| other.to)
                    .min();
                self.week_mut(run, shift.week).filter(|item| {
                    Some(shift.to) == earliest && !item.is_completed() && !item.imported
                })
            };
            match item {
                Some(item) => change(item, shift.to),
                None => left.push((shift.week, shift.to)),
            }
        }
        left
    }
}

/// A change of one week's due date.
struct Shift {
    week: u32,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

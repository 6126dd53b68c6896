//! Pausing a series and resuming it.

use super::{Decider, Rejection};
use crate::event::{Event, WeekDue, WeekMove};
use crate::series::items::Item;
use crate::time::Timestamp;

impl Decider<'_> {
    /// Pauses the latest run: weeks without a response that are due from now on, stored or
    /// generated, move by `pause_weeks` weeks, at the same local time.
    ///
    /// # Errors
    /// If no week would move, or `pause_weeks` is 0 or more than 52.
    pub fn pause(&self, pause_weeks: u32) -> Result<Vec<Event>, Rejection> {
        const MOST: u32 = 52;
        if pause_weeks == 0 || pause_weeks > MOST {
            return Err(Rejection::OutOfRange {
                what: "the number of weeks to pause",
                least: 1,
                most: MOST,
                given: pause_weeks,
            });
        }
        let run = self.series.latest_run();
        let days = 7 * i64::from(pause_weeks);
        let due = |item: &Item| item.stored.due.value().copied();
        let moves = |item: &&Item| {
            item.run == run && !item.is_completed() && due(item).is_some_and(|due| due >= self.now)
        };
        // Duplicates of a week move with it: a duplicate that stayed would take its place.
        let doubles = |item: &Item| {
            self.series
                .items
                .of_week(run, item.week())
                .filter(|double| !double.is_completed())
                .filter_map(move |double| due(double).map(|due| (double.week(), due)))
        };
        let moved: Vec<WeekMove> = (self.series.items.shown().filter(moves))
            .flat_map(doubles)
            .chain(self.not_stored(run).filter(|(_, due)| *due >= self.now))
            .map(|(week, due)| WeekMove {
                week,
                from: Some(due),
                to: Some(self.zone.plus_local_days(due, days)),
            })
            .collect();
        if moved.is_empty() {
            return Err(Rejection::NothingToPause(self.name()));
        }
        Ok(vec![Event::SeriesPaused {
            run,
            pause_weeks,
            until: self.zone.plus_local_days(self.now, days),
            moved,
        }])
    }

    /// The weeks of a run that are not stored, unanswered, with their due dates.
    fn not_stored(&self, run: u32) -> impl Iterator<Item = (u32, Timestamp)> {
        let base = self.series.items.base(run).map(|base| &base.stored);
        let total = base.filter(|base| base.recurring).map_or(0, |base| base.total_weeks);
        (1..=total).filter_map(move |week| {
            if self.series.items.week(run, week).is_some() {
                return None;
            }
            let stored = self.assignment(run, week).ok()?;
            stored.due.value().filter(|_| !stored.is_completed()).map(|due| (week, *due))
        })
    }

    /// Undoes the latest pause: the weeks it moved get their old due dates back, unless they are
    /// completed.
    ///
    /// # Errors
    /// If the latest run has no pause.
    pub fn resume(&self) -> Result<Vec<Event>, Rejection> {
        let run = self.series.latest_run();
        let moved = self
            .series
            .runs
            .get(&run)
            .and_then(|known| known.pauses.last())
            .ok_or(Rejection::NoPause)?;
        let unanswered = |moved: &&WeekMove| match self.series.items.week(run, moved.week) {
            Some(item) => !item.is_completed(),
            None => self.series.overlays.contains(run, moved.week),
        };
        let restored = moved
            .iter()
            .filter(unanswered)
            .map(|moved| WeekDue { week: moved.week, due: moved.from })
            .collect();
        Ok(vec![Event::SeriesResumed { run, restored }])
    }
}

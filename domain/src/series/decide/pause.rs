//! Pausing a series and resuming it.

use super::{Decider, Rejection};
use crate::event::{Event, WeekDue, WeekMove};
use crate::series::items::Item;

impl Decider<'_> {
    /// Pauses the latest run: stored weeks without a response that are due from now on move by
    /// `pause_weeks` weeks, at the same local time.
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
        let unanswered = |moved: &&WeekMove| {
            self.series.items.week(run, moved.week).is_some_and(|item| !item.is_completed())
        };
        let restored = moved
            .iter()
            .filter(unanswered)
            .map(|moved| WeekDue { week: moved.week, due: moved.from })
            .collect();
        Ok(vec![Event::SeriesResumed { run, restored }])
    }
}

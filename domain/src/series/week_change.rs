//! Whether one state of a series differs from another in one field of one week only.

use super::items::Item;
use super::legacy::LegacySeries;
use super::overlay::WeekChange;
use super::state::Series;
use crate::json::JsonText;
use crate::time::Timestamp;

impl LegacySeries {
    /// Whether this is the earlier state with a new due date for one week, stored or not, and
    /// nothing else.
    pub fn is_rescheduled(&self, earlier: &Self, run: u32, week: u32, due: Timestamp) -> bool {
        let has_due = match self.stored.items.week(run, week) {
            Some(item) => item.stored.due.value() == Some(&due),
            None => self.stored.overlays.due(run, week) == Some(due),
        };
        has_due
            && self.equals_without(earlier, |series| {
                series.asked_to_reopen.remove(&(run, week));
                series.forget(run, week, Item::forget_due, |change| {
                    matches!(change, WeekChange::Due(_))
                });
            })
    }

    /// Whether this is the earlier state with a new check-in window for one week, stored or not,
    /// and nothing else.
    pub fn has_new_window(
        &self,
        earlier: &Self,
        run: u32,
        week: u32,
        window: Option<&JsonText>,
    ) -> bool {
        let has_window = match self.stored.items.week(run, week) {
            Some(item) => item.stored.window.as_ref() == window,
            None => self.stored.overlays.window(run, week) == Some(window),
        };
        has_window
            && self.equals_without(earlier, |series| {
                series.forget(run, week, Item::forget_window, |change| {
                    matches!(change, WeekChange::Window(_))
                });
            })
    }

    fn equals_without(&self, earlier: &Self, forget: impl Fn(&mut Series)) -> bool {
        let mut both = [self.clone(), earlier.clone()];
        both.iter_mut().for_each(|series| forget(&mut series.stored));
        let [later, earlier] = both;
        later == earlier
    }
}

impl Series {
    fn forget(
        &mut self,
        run: u32,
        week: u32,
        of_item: impl Fn(&mut Item),
        of_overlay: impl Fn(&WeekChange) -> bool,
    ) {
        self.overlays.forget_change(run, week, of_overlay);
        if let Some(item) = self.items.week_mut(run, week) {
            of_item(item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collection::Collection;
    use crate::event::{AssignedStatus, Event};
    use crate::imported::Document;
    use crate::personal::Personal;
    use crate::stream::StreamId;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_new_due_date_or_window_is_told_from_every_other_change() {
        let stream = StreamId::series("ada", "weekly");
        let body = r#"{"clientId":"ada","formId":"weekly","isRecurring":true,"recurringWeek":1,"totalWeeks":4,
            "dueDate":"2026-01-07T09:00:00Z"}"#;
        let body = Personal::new(JsonText::parse(body).unwrap());
        let document = Document::new(Collection::CheckInAssignments, "week-1".to_owned(), 0, body);
        let mut earlier = LegacySeries::default();
        earlier.apply(&stream, &Event::DocumentImported(document));
        let due = at("2026-01-05T09:00:00Z");
        let moved = |week, due| Event::AssignmentRescheduled { run: 1, week, due };
        let missed = Event::StatusAssigned { run: 1, week: 1, status: AssignedStatus::Missed };
        // Week 1 is stored, week 3 is not.
        for week in [1, 3] {
            let after = |events: &[Event]| {
                let mut later = earlier.clone();
                events.iter().for_each(|event| later.apply(&stream, event));
                later.is_rescheduled(&earlier, 1, week, due)
            };
            let other = 4 - week;
            assert!(after(&[moved(week, due)]), "{week}");
            assert!(!after(&[]), "{week}");
            assert!(!after(&[moved(week, at("2026-01-06T09:00:00Z"))]), "{week}");
            assert!(!after(&[moved(week, due), moved(other, due)]), "{week}");
            assert!(!after(&[moved(week, due), missed.clone()]), "{week}");

            let given = JsonText::parse(r#"{"enabled":true}"#).unwrap();
            let windows = |week, window: &Option<JsonText>| Event::WindowChanged {
                run: 1,
                week,
                window: window.clone(),
            };
            let new = Some(given.clone());
            let after = |events: &[Event]| {
                let mut later = earlier.clone();
                events.iter().for_each(|event| later.apply(&stream, event));
                later.has_new_window(&earlier, 1, week, Some(&given))
            };
            assert!(after(&[windows(week, &new)]), "{week}");
            assert!(!after(&[]), "{week}");
            assert!(!after(&[windows(week, &new), windows(week, &None)]), "{week}");
            assert!(!after(&[windows(week, &new), windows(other, &new)]), "{week}");
            assert!(!after(&[windows(week, &new), moved(week, due)]), "{week}");
        }
    }
}

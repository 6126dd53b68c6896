//! The migration `window`: it changes the check-in window of weeks from an instant on. Source:
//! `docs/migrations/window.md`.

use rollbook_domain::calendar::Zone;
use rollbook_domain::series::{Series, event_id};
use rollbook_domain::{Event, JsonText, NewEvent, StreamId};

use crate::definition::{Definition, Obstacle, SeriesPlan};
use crate::realign::{week_of, weeks_of};
use crate::rules::Rewindowing;

/// The definition of the migration.
#[derive(Clone, Debug)]
pub struct Window {
    /// The options.
    pub options: Rewindowing,
    /// The old server's time zone.
    pub zone: Zone,
}

impl Definition for Window {
    fn plan_series(&self, stream: &StreamId, series: &Series) -> SeriesPlan {
        let mut plan = SeriesPlan::default();
        let StreamId::Series { client, .. } = stream else { return plan };
        let Rewindowing { window, from, clients, at } = &self.options;
        if !(clients.is_empty() || clients.contains(client)) {
            return plan;
        }
        for run in series.run_numbers() {
            for week in weeks_of(series, run) {
                let Some(stored) = week_of(series, self.zone, run, week) else { continue };
                if stored.due.value().is_none_or(|due| due < from) {
                    continue;
                }
                plan.concerned = true;
                if stored.window == *window {
                    continue;
                }
                if series.items.of_week(run, week).count() > 1 {
                    plan.obstacles.push(Obstacle::WeekDoubled { run, week });
                    continue;
                }
                let [of_run, number, at_text] = [run.to_string(), week.to_string(), at.to_string()];
                let (was, is) = (text(stored.window.as_ref()), text(window.as_ref()));
                let parts = ["rewindowed", &of_run, &number, was, is, &at_text];
                plan.events.push(NewEvent {
                    stream: stream.clone(),
                    id: Some(event_id(stream, &parts)),
                    occurred_at: *at,
                    event: Event::WindowChanged { run, week, window: window.clone() },
                });
            }
        }
        plan
    }

    fn is_present(&self, series: &Series, event: &Event) -> bool {
        has_window(series, self.zone, event)
    }
}

fn text(window: Option<&JsonText>) -> &str {
    window.map_or("null", JsonText::as_str)
}

/// Whether a series already has the new window of an event, or no longer has the week.
pub(crate) fn has_window(series: &Series, zone: Zone, event: &Event) -> bool {
    match event {
        Event::WindowChanged { run, week, window } => {
            week_of(series, zone, *run, *week).is_none_or(|stored| stored.window == *window)
        }
        _ => false,
    }
}

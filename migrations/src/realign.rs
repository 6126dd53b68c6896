//! The migration `realign`: it moves the due dates of open weeks to one day of the week. Source:
//! `docs/migrations/realign.md`.

use std::collections::BTreeSet;

use rollbook_domain::calendar::Zone;
use rollbook_domain::document::StoredAssignment;
use rollbook_domain::series::decide::Decider;
use rollbook_domain::series::{Series, event_id};
use rollbook_domain::{Event, NewEvent, StreamId, Timestamp};

use crate::definition::{Definition, Obstacle, SeriesPlan};
use crate::rules::Realignment;

/// The definition of the migration.
#[derive(Clone, Debug)]
pub struct Realign {
    /// The options.
    pub options: Realignment,
    /// The old server's time zone.
    pub zone: Zone,
}

impl Definition for Realign {
    fn plan_series(&self, stream: &StreamId, series: &Series) -> SeriesPlan {
        let mut plan = SeriesPlan::default();
        let StreamId::Series { client, .. } = stream else { return plan };
        let clients = &self.options.clients;
        if !(clients.is_empty() || clients.contains(client)) {
            return plan;
        }
        for run in series.run_numbers() {
            self.plan_run(stream, series, run, &mut plan);
        }
        plan
    }

    fn is_present(&self, series: &Series, event: &Event) -> bool {
        is_rescheduled(series, self.zone, event)
    }
}

impl Realign {
    fn plan_run(&self, stream: &StreamId, series: &Series, run: u32, plan: &mut SeriesPlan) {
        let Realignment { weekday, time, at, .. } = &self.options;
        let time = time.map(|time| (time.hour, time.minute));
        for week in weeks_of(series, run) {
            let Some(from) = open_due(series, self.zone, run, week).filter(|due| due > at) else {
                continue;
            };
            plan.concerned = true;
            let due = self.zone.day_of_week(from, weekday.days_from_monday(), time);
            if due == from {
                continue;
            }
            if let Some(obstacle) = obstacle(series, run, week) {
                if !plan.obstacles.contains(&obstacle) {
                    plan.obstacles.push(obstacle);
                }
            } else if due <= *at {
                plan.obstacles.push(Obstacle::DueInThePast { run, week, due });
            } else {
                let [number, of_run, was, is, at_text] = [
                    week.to_string(),
                    run.to_string(),
                    from.to_string(),
                    due.to_string(),
                    at.to_string(),
                ];
                let parts = ["realigned", &of_run, &number, &was, &is, &at_text];
                plan.events.push(NewEvent {
                    stream: stream.clone(),
                    id: Some(event_id(stream, &parts)),
                    occurred_at: *at,
                    event: Event::AssignmentRescheduled { run, week, due },
                });
            }
        }
    }
}

/// The weeks of a run, stored and not stored, in order.
pub(crate) fn weeks_of(series: &Series, run: u32) -> BTreeSet<u32> {
    let mut weeks: BTreeSet<u32> =
        series.items.iter().filter(|item| item.run == run).map(|item| item.week()).collect();
    if let Some(base) = series.items.base(run).filter(|base| base.stored.recurring) {
        weeks.extend(1..=base.stored.total_weeks);
    }
    weeks
}

/// Why a week keeps its due date although another is wanted.
fn obstacle(series: &Series, run: u32, week: u32) -> Option<Obstacle> {
    if series.runs.get(&run).is_some_and(|known| !known.pauses.is_empty()) {
        return Some(Obstacle::Paused { run });
    }
    if series.items.of_week(run, week).count() > 1 {
        return Some(Obstacle::WeekDoubled { run, week });
    }
    let is_asked = series.asked_to_reopen.contains(&(run, week));
    is_asked.then_some(Obstacle::ReopenRequested { run, week })
}

/// A week as it is stored or would be generated; `None` if the series has no such week.
pub(crate) fn week_of(
    series: &Series,
    zone: Zone,
    run: u32,
    week: u32,
) -> Option<StoredAssignment> {
    // The client, the form and the time do not influence the due date of a week that has one.
    let decider = Decider { client: "", form: "", series, now: Timestamp::EPOCH, zone };
    let is_due = |item: &rollbook_domain::series::Item| item.stored.due.value().is_some();
    let has_due = match series.items.week(run, week) {
        Some(item) => is_due(item),
        None => series.items.base(run).is_some_and(is_due),
    };
    has_due.then(|| decider.assignment(run, week).ok()).flatten()
}

/// Whether a week is neither answered nor marked as missed.
pub(crate) fn is_open(stored: &StoredAssignment) -> bool {
    !stored.is_completed() && stored.status != "missed"
}

/// The due date of an open week.
pub(crate) fn open_due(series: &Series, zone: Zone, run: u32, week: u32) -> Option<Timestamp> {
    let stored = week_of(series, zone, run, week).filter(is_open)?;
    stored.due.value().copied()
}

/// Whether a series already has the new due date of an event, or no longer has an open week for it.
pub(crate) fn is_rescheduled(series: &Series, zone: Zone, event: &Event) -> bool {
    match event {
        Event::AssignmentRescheduled { run, week, due } => {
            open_due(series, zone, *run, *week).is_none_or(|held| held == *due)
        }
        _ => false,
    }
}

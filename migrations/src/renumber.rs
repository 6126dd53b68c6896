//! The migration `renumber`: it sets the week numbers that contradict the due dates. Source:
//! `docs/migrations/renumber.md`.

use rollbook_domain::calendar::Zone;
use rollbook_domain::event::NumberSetting;
use rollbook_domain::series::decide::{Decider, Rejection};
use rollbook_domain::series::{Item, Series, event_id};
use rollbook_domain::{Event, NewEvent, StreamId};

use crate::definition::{Definition, Obstacle, SeriesPlan};
use crate::rules::Renumbering;

/// The definition of the migration.
#[derive(Clone, Debug)]
pub struct Renumber {
    /// The options.
    pub options: Renumbering,
    /// The old server's time zone.
    pub zone: Zone,
}

impl Definition for Renumber {
    fn plan_series(&self, stream: &StreamId, series: &Series) -> SeriesPlan {
        let mut plan = SeriesPlan::default();
        let StreamId::Series { client, form } = stream else { return plan };
        let clients = &self.options.clients;
        if !(clients.is_empty() || clients.contains(client)) {
            return plan;
        }
        let mut after = series.clone();
        // Each number that is set may free the week of another document.
        loop {
            let mut refused = Vec::new();
            let mut settings = Vec::new();
            let decider =
                Decider { client, form, series: &after, now: self.options.at, zone: self.zone };
            for (document, week) in contradicting(&decider) {
                plan.concerned = true;
                match decider.number_setting(&document, week) {
                    Ok(Some(setting)) => settings.push(setting),
                    Ok(None) => {}
                    Err(reason) => refused.extend(obstacle(&after, &document, week, &reason)),
                }
            }
            let Some(setting) = settings.into_iter().next() else {
                plan.obstacles = refused;
                return plan;
            };
            let event = self.event(stream, setting);
            after.apply(stream, &event.event);
            plan.events.push(event);
        }
    }

    fn is_present(&self, series: &Series, event: &Event) -> bool {
        is_numbered(series, event)
    }
}

impl Renumber {
    fn event(&self, stream: &StreamId, setting: NumberSetting) -> NewEvent {
        let at = self.options.at;
        let number = |week: Option<u32>| week.map_or_else(String::new, |week| week.to_string());
        let [run, was, is, at_text] =
            [setting.run.to_string(), number(setting.from), number(setting.week), at.to_string()];
        let parts = ["renumbered", &run, &setting.document, &was, &is, &at_text];
        NewEvent {
            stream: stream.clone(),
            id: Some(event_id(stream, &parts)),
            occurred_at: at,
            event: Event::WeekNumberSet(setting),
        }
    }
}

/// Whether a series already has the number of an event, or no longer has its document.
pub(crate) fn is_numbered(series: &Series, event: &Event) -> bool {
    match event {
        Event::WeekNumberSet(setting) => {
            let item = series.items.document(&setting.document);
            item.is_none_or(|item| item.stored.stored_week == setting.week)
        }
        _ => false,
    }
}

/// The documents whose number contradicts their due date, each with the week that the date says,
/// in order.
///
/// A number contradicts if it is missing, if another document has it as well, or if it is not in
/// the order of the due dates. Numbers in order stay, so a run that was paused or moved as a whole
/// stays as it is, and so does a number that an event set.
fn contradicting(decider: &Decider<'_>) -> Vec<(String, u32)> {
    let imported: Vec<&Item> = decider.series.items.iter().filter(|item| item.imported).collect();
    let due = |item: &Item| item.stored.due.value().map(|due| decider.zone.monday(*due));
    let contradicts = |item: &Item| {
        item.stored.stored_week.is_none()
            || imported.iter().any(|other| {
                let is_other = other.run == item.run && other.document_id() != item.document_id();
                let (theirs, ours) = (due(other), due(item));
                is_other
                    && (other.week() == item.week()
                        || (other.week() < item.week() && theirs >= ours)
                        || (other.week() > item.week() && theirs <= ours))
            })
    };
    let mut found = Vec::new();
    for item in imported.iter().filter(|item| !item.has_set_number() && contradicts(item)) {
        let document = item.document_id();
        if let Some(week) = decider.week_by_due(document)
            && item.stored.stored_week != Some(week)
        {
            found.push((document.to_owned(), week));
        }
    }
    found
}

/// Why a document keeps its number although its due date says another; `None` if it only repeats
/// that the document counts as week 1, which another document stands for.
fn obstacle(series: &Series, document: &str, week: u32, reason: &Rejection) -> Option<Obstacle> {
    let item = series.items.document(document)?;
    if item.week() == week {
        return None;
    }
    let (document, run) = (document.to_owned(), item.run);
    Some(match reason {
        Rejection::LinkedToWeek { .. } => {
            Obstacle::NumberLinked { document, run, week: item.week() }
        }
        _ => Obstacle::NumberTaken { document, run, week },
    })
}

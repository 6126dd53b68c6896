//! The migration `precreate`: it stores every week of a recurring series as an assignment of its
//! own, and links responses to their weeks. Source: `docs/spec/precreated-view.md`, "What the
//! migration makes".

use std::collections::BTreeSet;

use rollbook_domain::calendar::Zone;
use rollbook_domain::document::StoredResponse;
use rollbook_domain::event::{LinkKind, Origin, RunTerms};
use rollbook_domain::series::items::terms_of;
use rollbook_domain::series::{Series, assignment_id, event_id};
use rollbook_domain::{Event, NewEvent, StreamId, Timestamp};
use uuid::Uuid;

use crate::definition::{Definition, Obstacle, SeriesPlan};
use crate::rules::DueRule;

/// The definition of the migration.
#[derive(Clone, Copy, Debug)]
pub struct Precreate {
    /// The due rule of created weeks.
    pub due: DueRule,
    /// The old server's time zone.
    pub zone: Zone,
}

impl Definition for Precreate {
    fn plan_series(&self, stream: &StreamId, series: &Series) -> SeriesPlan {
        let StreamId::Series { client, form } = stream else { return SeriesPlan::default() };
        let mut planner = Planner {
            stream,
            client,
            form,
            series,
            rules: *self,
            weeks_made: BTreeSet::new(),
            plan: SeriesPlan::default(),
        };
        for run in series.run_numbers() {
            planner.create_weeks(run);
        }
        for response in series.responses.values() {
            planner.link(response);
        }
        planner.plan
    }

    fn is_present(&self, series: &Series, event: &Event) -> bool {
        match event {
            Event::AssignmentCreated { assignment, run, week, .. } => {
                let document = assignment.to_string();
                series.is_withdrawn(*run, *week)
                    || series
                        .items
                        .of_week(*run, *week)
                        .any(|item| item.stored.document == document)
            }
            Event::ResponseLinked { response, run, week, .. } => {
                is_linked(series, response, *run, *week)
                    || has_no_place(series, response, *run, *week)
            }
            _ => false,
        }
    }
}

/// Whether a response was linked to this week. A response that a correction placed elsewhere before
/// it was linked is not.
fn is_linked(series: &Series, response: &str, run: u32, week: u32) -> bool {
    let Some((linked, to, _)) = series.linked.get(response) else { return false };
    let mut corrections = series.corrections.iter();
    (*linked, *to) == (run, week)
        || corrections.any(|held| held.response == response && held.would_link(run, week))
        || series.corrections.of_response(response).is_none()
}

/// Whether a response can no longer be linked to its week, because the week was withdrawn or
/// another response was submitted for it.
fn has_no_place(series: &Series, response: &str, run: u32, week: u32) -> bool {
    match series.items.week(run, week) {
        None => series.is_withdrawn(run, week),
        Some(item) => item.stored.response_id().is_some_and(|held| held != response),
    }
}

/// An import puts all documents of a series into run 1.
const IMPORTED_RUN: u32 = 1;

struct Planner<'a> {
    stream: &'a StreamId,
    client: &'a str,
    form: &'a str,
    series: &'a Series,
    rules: Precreate,
    /// The (run, week) pairs that the plan creates.
    weeks_made: BTreeSet<(u32, u32)>,
    plan: SeriesPlan,
}

impl Planner<'_> {
    fn create_weeks(&mut self, run: u32) {
        let (series, rules) = (self.series, self.rules);
        let Some(base) = series.items.base(run).filter(|base| base.stored.recurring) else {
            return;
        };
        self.plan.concerned = true;
        // If week 1 was withdrawn, the first stored week is the base. The legacy view counts from
        // it as from week 1.
        if base.week() != 1 && !series.is_withdrawn(run, 1) {
            self.plan.obstacles.push(Obstacle::NoWeekOne);
            return;
        }
        let missing: Vec<u32> = (2..=base.stored.total_weeks)
            .filter(|week| {
                series.items.of_week(run, *week).next().is_none()
                    && !series.is_withdrawn(run, *week)
            })
            .collect();
        let Some(base_due) = base.stored.due.value().copied() else {
            if !missing.is_empty() {
                self.plan.obstacles.push(Obstacle::NoBaseDue);
            }
            return;
        };
        let terms = RunTerms::from(terms_of(&base.stored));
        let occurred_at = base.stored.assigned_at.unwrap_or(base_due);
        for week in missing {
            let assignment = assignment_id(self.client, self.form, run, week);
            let due = match rules.due {
                DueRule::Monday => rules.zone.monday_due(base_due, week),
                DueRule::Weekday => rules.zone.weekday_due(base_due, week),
            };
            let (origin, terms) = (Origin::Migration, terms.clone());
            let event = Event::AssignmentCreated { assignment, run, week, due, origin, terms };
            self.push(assignment, occurred_at, event);
            self.weeks_made.insert((run, week));
        }
    }

    fn link(&mut self, response: &StoredResponse) {
        if self.series.linked.contains_key(&response.document) {
            return;
        }
        let target = match response.week {
            Some(week) if week >= 2 => {
                self.week_to_link(response, week).map(|week| (week, LinkKind::Linked))
            }
            Some(_) => None,
            None => self.week_to_adopt(response).map(|week| (week, LinkKind::Adopted)),
        };
        let Some((week, kind)) = target else { return };
        let event = Event::ResponseLinked {
            response: response.document.clone(),
            run: IMPORTED_RUN,
            week,
            named: response.named.clone(),
            kind,
            completed_at: response.submitted_at,
            score: response.score,
        };
        let occurred_at = response.submitted_at.unwrap_or(Timestamp::EPOCH);
        self.push(event_id(self.stream, &["linked", &response.document]), occurred_at, event);
    }

    /// The week that a response states, if the response names an assignment of another week.
    fn week_to_link(&mut self, response: &StoredResponse, week: u32) -> Option<u32> {
        let items = &self.series.items;
        if items.of_week(IMPORTED_RUN, week).any(|item| item.is_named(&response.named)) {
            return None;
        }
        let obstacle = match items.week(IMPORTED_RUN, week) {
            None if self.weeks_made.contains(&(IMPORTED_RUN, week)) => return Some(week),
            None => Obstacle::WeekOutside { response: response.document.clone(), week },
            Some(item) => match item.stored.response_id() {
                Some(held) if held != response.document => {
                    Obstacle::WeekHoldsAnother { response: response.document.clone(), week }
                }
                _ => return Some(week),
            },
        };
        self.plan.obstacles.push(obstacle);
        None
    }

    /// The only stored week that names a response without a week, if the response names another
    /// week.
    fn week_to_adopt(&self, response: &StoredResponse) -> Option<u32> {
        let items = &self.series.items;
        items.iter().find(|item| item.is_named(&response.named))?;
        let mut naming = items.iter().filter(|item| {
            item.run == IMPORTED_RUN && item.stored.response_id() == Some(&response.document)
        });
        match (naming.next(), naming.next()) {
            (Some(item), None) if !item.is_named(&response.named) => Some(item.week()),
            _ => None,
        }
    }

    fn push(&mut self, id: Uuid, occurred_at: Timestamp, event: Event) {
        let stream = self.stream.clone();
        self.plan.events.push(NewEvent { stream, id: Some(id), occurred_at, event });
    }
}

//! The migration `precreate`: every week of a series as its own assignment. Owns what one series lacks, as the events that
//! would add it; reading series, batches and appending are others'. Source: `docs/spec/precreated-view.md`, "What the migration makes".

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use rollbook_domain::calendar::Zone;
use rollbook_domain::document::StoredResponse;
use rollbook_domain::event::{LinkKind, Origin, RunTerms};
use rollbook_domain::series::items::terms_of;
use rollbook_domain::series::{Item, Series, assignment_id, event_id};
use rollbook_domain::{Event, NewEvent, StreamId, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// When a made week is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DueRule {
    /// On the local Monday of its week at 09:00: what clients saw.
    #[default]
    Monday,
    /// On the base's weekday at 09:00.
    Weekday,
}

impl fmt::Display for DueRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Monday => "monday",
            Self::Weekday => "weekday",
        })
    }
}

/// Text that names no due rule.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is no due rule; write monday or weekday")]
pub struct DueRuleError {
    text: String,
}

impl FromStr for DueRule {
    type Err = DueRuleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "monday" => Ok(Self::Monday),
            "weekday" => Ok(Self::Weekday),
            _ => Err(DueRuleError { text: text.to_owned() }),
        }
    }
}

/// What the migration goes by, the same for every series.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// When a made week is due.
    pub due: DueRule,
    /// The old server's time zone.
    pub zone: Zone,
}

/// Why something of a series stays as it is although it looks as if it wanted migrating.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "obstacle")]
pub enum Obstacle {
    /// No stored week 1: there is no base to count from.
    NoWeekOne,
    /// The base has no due date.
    NoBaseDue,
    /// A response's week holds another response already.
    WeekHoldsAnother {
        /// The response that would be linked.
        response: String,
        /// Its week.
        week: u32,
    },
    /// A response's week is not one of the series.
    WeekOutside {
        /// The response that would be linked.
        response: String,
        /// Its week.
        week: u32,
    },
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWeekOne => f.write_str("it has no week 1 to count from; no week is created"),
            Self::NoBaseDue => {
                f.write_str("its base has no due date to count from; no week is created")
            }
            Self::WeekHoldsAnother { response, week } => {
                write!(
                    f,
                    "response {response} is meant for week {week}, which has another; it is not linked"
                )
            }
            Self::WeekOutside { response, week } => {
                write!(
                    f,
                    "response {response} is meant for week {week}, which the series does not have; it is not linked"
                )
            }
        }
    }
}

/// What one series lacks.
#[derive(Clone, Debug, Default)]
pub struct SeriesPlan {
    /// Whether the migration is about this series at all: its base recurs.
    pub concerned: bool,
    /// The events, in the order in which they are appended.
    pub events: Vec<NewEvent>,
    /// How many create a week.
    pub created: u64,
    /// How many link a response to its week.
    pub linked: u64,
    /// How many adopt a weekless response.
    pub adopted: u64,
    /// What stays as it is, and why.
    pub obstacles: Vec<Obstacle>,
}

/// Plans one series. The same series and rules give the same events, ids included, on every machine at any time.
pub fn plan_series(stream: &StreamId, series: &Series, rules: &Rules) -> SeriesPlan {
    let mut plan = SeriesPlan::default();
    let StreamId::Series { client, form } = stream else { return plan };
    let mut weeks_made = BTreeSet::new();
    for run in series.run_numbers() {
        plan.create_weeks(stream, (client, form), series, run, rules, &mut weeks_made);
    }
    for response in series.responses.values() {
        plan.link(stream, series, response, &weeks_made);
    }
    plan
}

impl SeriesPlan {
    fn create_weeks(
        &mut self,
        stream: &StreamId,
        (client, form): (&str, &str),
        series: &Series,
        run: u32,
        rules: &Rules,
        weeks_made: &mut BTreeSet<(u32, u32)>,
    ) {
        let Some(base) = series.items.base(run).filter(|base| base.stored.recurring) else {
            return;
        };
        self.concerned = true;
        if base.week() != 1 {
            self.obstacles.push(Obstacle::NoWeekOne);
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
                self.obstacles.push(Obstacle::NoBaseDue);
            }
            return;
        };
        let terms = RunTerms::from(terms_of(&base.stored));
        for week in missing {
            let assignment = assignment_id(client, form, run, week);
            let event = Event::AssignmentCreated {
                assignment,
                run,
                week,
                due: match rules.due {
                    DueRule::Monday => rules.zone.monday_due(base_due, week),
                    DueRule::Weekday => rules.zone.weekday_due(base_due, week),
                },
                origin: Origin::Migration,
                terms: terms.clone(),
            };
            self.push(stream, assignment, base.stored.assigned_at.unwrap_or(base_due), event);
            self.created += 1;
            weeks_made.insert((run, week));
        }
    }

    fn link(
        &mut self,
        stream: &StreamId,
        series: &Series,
        response: &StoredResponse,
        weeks_made: &BTreeSet<(u32, u32)>,
    ) {
        if series.linked.contains_key(&response.document) {
            return;
        }
        // An import puts all documents of a series into run 1.
        const RUN: u32 = 1;
        let target = match response.week {
            Some(week) if week >= 2 => self
                .week_to_link(series, response, RUN, week, weeks_made)
                .map(|week| (week, LinkKind::Linked)),
            Some(_) => None,
            None => week_to_adopt(series, response, RUN).map(|week| (week, LinkKind::Adopted)),
        };
        let Some((week, kind)) = target else { return };
        let event = Event::ResponseLinked {
            response: response.document.clone(),
            run: RUN,
            week,
            named: response.named.clone(),
            kind,
            completed_at: response.submitted_at,
            score: response.score,
        };
        let occurred_at = response.submitted_at.unwrap_or(Timestamp::EPOCH);
        self.push(stream, event_id(stream, &["linked", &response.document]), occurred_at, event);
        match kind {
            LinkKind::Linked => self.linked += 1,
            LinkKind::Adopted => self.adopted += 1,
        }
    }

    /// The response's own week, where the response names another assignment than that week's.
    fn week_to_link(
        &mut self,
        series: &Series,
        response: &StoredResponse,
        run: u32,
        week: u32,
        weeks_made: &BTreeSet<(u32, u32)>,
    ) -> Option<u32> {
        if series.items.of_week(run, week).any(|item| is_named_by(item, &response.named)) {
            return None;
        }
        let obstacle = match series.items.week(run, week) {
            None if weeks_made.contains(&(run, week)) => return Some(week),
            None => Obstacle::WeekOutside { response: response.document.clone(), week },
            Some(item) => match item.stored.response_id() {
                Some(held) if held != response.document => {
                    Obstacle::WeekHoldsAnother { response: response.document.clone(), week }
                }
                _ => return Some(week),
            },
        };
        self.obstacles.push(obstacle);
        None
    }

    fn push(&mut self, stream: &StreamId, id: Uuid, occurred_at: Timestamp, event: Event) {
        self.events.push(NewEvent { stream: stream.clone(), id: Some(id), occurred_at, event });
    }
}

/// Whether text names this stored week: its document id or its legacy id.
fn is_named_by(item: &Item, name: &str) -> bool {
    !name.is_empty() && (item.stored.document == name || item.stored.legacy_id == name)
}

/// The one stored week that names a weekless response which itself names another.
fn week_to_adopt(series: &Series, response: &StoredResponse, run: u32) -> Option<u32> {
    series.items.iter().find(|item| is_named_by(item, &response.named))?;
    let mut naming = series
        .items
        .iter()
        .filter(|item| item.run == run && item.stored.response_id() == Some(&response.document));
    match (naming.next(), naming.next()) {
        (Some(item), None) if !is_named_by(item, &response.named) => Some(item.week()),
        _ => None,
    }
}

//! Rows of both views in memory: of the fixtures, or of a few documents; migrated, and tampered
//! with.

use std::ops::Range;

use rollbook_domain::series::{Item, Series};
use rollbook_domain::{Actor, Event, EventRecord, NewEvent, StreamId, Timestamp};
use rollbook_migrations::definition::Definition;
use rollbook_migrations::export_reader::{ExportSource, JsonDirectory};
use rollbook_migrations::import::{ImportedState, plan_import};
use rollbook_migrations::parity::{BothRows, ParityReport, ParityRules, RecordedEvents, compare};
use rollbook_migrations::precreate::Precreate;
use rollbook_projections::directory::{self, Directory};
use rollbook_projections::rows::{MemoryRows, RowChanges, read_row};
use rollbook_projections::views::{LegacyView, PrecreatedView, each_series, keys};
use rollbook_projections::{Projection, ProjectionError};
use serde_json::{Value, json};

use crate::support::{read_fixture, small_export};

/// The rows of the directory and of both views in memory, and the events that they were folded
/// from.
#[derive(Clone, Default)]
pub struct Both {
    pub directory: MemoryRows,
    pub legacy: MemoryRows,
    pub precreated: MemoryRows,
    pub log: Vec<EventRecord>,
}

impl RecordedEvents for Both {
    fn of_stream(&self, stream: &StreamId) -> Result<Vec<EventRecord>, ProjectionError> {
        Ok(self.log.iter().filter(|recorded| recorded.stream == *stream).cloned().collect())
    }
}

/// The events as one commit that begins at a position.
pub fn recorded(events: Vec<NewEvent>, from: u64, actor: &Actor) -> Vec<EventRecord> {
    let at = "2026-01-11T00:52:51Z".parse().unwrap();
    let record = |(event, position): (NewEvent, u64)| EventRecord {
        position,
        stream: event.stream,
        version: 1,
        id: event.id.unwrap_or_default(),
        occurred_at: event.occurred_at,
        recorded_at: at,
        actor: actor.clone(),
        cause: format!("commit-{from}"),
        event: event.event,
    };
    events.into_iter().zip(from..).map(record).collect()
}

fn batch_actor() -> Actor {
    Actor::Migration("test".to_owned())
}

pub fn fold(rows: &mut MemoryRows, projection: &impl Projection, events: Vec<NewEvent>) {
    let mut changes = RowChanges::new(rows);
    projection.fold(&mut changes, &recorded(events, 1, &batch_actor())).unwrap();
    let encoded = changes.finish().unwrap();
    rows.absorb(encoded);
}

pub fn event(stream: &StreamId, event: Event) -> Vec<NewEvent> {
    vec![NewEvent { stream: stream.clone(), id: None, occurred_at: Timestamp::EPOCH, event }]
}

impl Both {
    /// Appends one commit of a coach. Returns the positions of its events.
    pub fn decide(&mut self, events: Vec<NewEvent>) -> Range<u64> {
        self.record(events, &Actor::Coach("k1".to_owned()))
    }

    pub fn append(&mut self, events: Vec<NewEvent>) {
        self.record(events, &batch_actor());
    }

    fn record(&mut self, events: Vec<NewEvent>, actor: &Actor) -> Range<u64> {
        let from = self.log.len() as u64 + 1;
        self.log.extend(recorded(events.clone(), from, actor));
        fold(&mut self.directory, &Directory, events.clone());
        fold(&mut self.legacy, &LegacyView, events.clone());
        fold(&mut self.precreated, &PrecreatedView, events);
        from..self.log.len() as u64 + 1
    }

    pub fn migrate(mut self, rules: &ParityRules) -> Self {
        let migration = Precreate { due: rules.due, zone: rules.zone };
        let mut events = Vec::new();
        each_series(&self.precreated, &mut |stream, series: Series| {
            events.extend(migration.plan_series(&stream, &series).events);
            Ok(())
        })
        .unwrap();
        self.append(events);
        self
    }

    pub fn rows(&self) -> BothRows<'_> {
        BothRows {
            directory: &self.directory,
            legacy: &self.legacy,
            precreated: &self.precreated,
            events: self,
        }
    }

    pub fn compare(&self, rules: &ParityRules) -> ParityReport {
        compare(self.rows(), rules, &|_, _| ()).unwrap()
    }

    pub fn clients(&self) -> Vec<String> {
        directory::clients(&self.directory).unwrap()
    }

    pub fn series(&self, stream: &StreamId) -> Series {
        read_row(&self.precreated, &keys::series(stream)).unwrap().unwrap()
    }

    /// Changes stored weeks of the pre-created view behind everybody's back.
    pub fn tamper(&mut self, stream: &StreamId, change: impl FnOnce(&mut Series)) {
        let mut series = self.series(stream);
        change(&mut series);
        let mut changes = RowChanges::new(&self.precreated);
        changes.put(&keys::series(stream), series);
        let encoded = changes.finish().unwrap();
        self.precreated.absorb(encoded);
    }
}

pub fn item(series: &mut Series, week: u32) -> &mut Item {
    series.items.run_mut(1).find(|item| item.stored.week() == week).unwrap()
}

pub fn imported(export: &impl ExportSource) -> Both {
    let mut both = Both::default();
    both.append(plan_import(export.read().unwrap(), &ImportedState::default()).events);
    both
}

pub fn of_fixture(name: &str) -> Both {
    let mut both = Both::default();
    both.append(plan_import(read_fixture(name), &ImportedState::default()).events);
    both
}

pub fn rules_of(name: &str) -> ParityRules {
    let zone = if name == "dirty-london" { "Europe/London" } else { "UTC" };
    ParityRules { zone: zone.parse().unwrap(), ..ParityRules::default() }
}

pub fn figures(report: &ParityReport) -> Vec<(&'static str, u64)> {
    report.differences.iter().map(|(class, count)| (class.name(), *count)).collect()
}

pub fn later(at: Timestamp, milliseconds: i64) -> Timestamp {
    at.plus_milliseconds(milliseconds)
}

pub const HOUR: i64 = 3_600_000;

/// A client who may see lists.
pub fn client(id: &str) -> Value {
    json!({"_id": id, "onboardingStatus": "completed"})
}

pub fn week(id: &str, form: &str, week: u32, total: u32, due: &str) -> Value {
    json!({"_id": id, "id": format!("assignment-{id}"), "clientId": "c1", "formId": form, "formTitle": "Weekly", "isRecurring": true, "recurringWeek": week,
        "totalWeeks": total, "dueDate": due, "assignedAt": "2026-01-01T10:00:00Z", "status": "pending", "coachId": "k1"})
}

pub fn with(mut document: Value, fields: Value) -> Value {
    document.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    document
}

pub fn small(assignments: &[Value], responses: &[Value]) -> Both {
    let clients = [with(client("c1"), json!({"authUid": "u1"})), client("c2")];
    imported(&JsonDirectory::new(small_export(&clients, assignments, responses).path()))
}

pub const MONDAY: &str = "2026-01-05T09:00:00Z";

pub fn series_of(form: &str) -> StreamId {
    StreamId::series("c1", form)
}

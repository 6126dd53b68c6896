//! The past of one client: the events of the client's series, and the rows of both views as they
//! would be without the last decisions.

use std::collections::BTreeMap;

use rollbook_domain::event::Origin;
use rollbook_domain::series::{LegacySeries, Series};
use rollbook_domain::{Event, EventRecord, Position, StreamId};
use rollbook_log::Log;
use rollbook_projections::ProjectionError;
use rollbook_projections::directory::Identity;
use rollbook_projections::views::{keys, legacy_streams};

use super::decision::Decision;
use super::{BothRows, ParityRules};
use crate::definition::Definition;
use crate::precreate::Precreate;

/// The events that the rows of both views were folded from.
pub trait RecordedEvents: Sync {
    /// The events of a stream, in the order of the log.
    ///
    /// # Errors
    /// If the events cannot be read.
    fn of_stream(&self, stream: &StreamId) -> Result<Vec<EventRecord>, ProjectionError>;
}

/// The events of a log up to a position.
pub struct LogUntil<'a> {
    /// The log.
    pub log: &'a Log,
    /// The position that the rows were folded to.
    pub until: Position,
}

impl RecordedEvents for LogUntil<'_> {
    fn of_stream(&self, stream: &StreamId) -> Result<Vec<EventRecord>, ProjectionError> {
        Ok(self.log.stream_until(stream, 0, self.until)?)
    }
}

/// The events of batches in a past with fewer decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Batches {
    /// As they were applied, with what they would add to the past.
    AsApplied,
    /// As they would be planned from the past.
    PlannedAgain,
}

/// Whether a migration appends such an event.
fn is_of_batch(event: &Event) -> bool {
    match event {
        Event::AssignmentCreated { origin, .. } => *origin == Origin::Migration,
        Event::ResponseLinked { .. } => true,
        _ => false,
    }
}

/// The rows of one client.
#[derive(PartialEq)]
pub(super) struct ClientState {
    pub(super) legacy: Vec<LegacySeries>,
    pub(super) precreated: Vec<Series>,
}

pub(super) struct Past {
    /// The streams of the rows of the legacy view, in the order of the rows.
    legacy: Vec<StreamId>,
    /// The streams of the rows of the pre-created view, in the order of the rows.
    precreated: Vec<StreamId>,
    events: BTreeMap<StreamId, Vec<EventRecord>>,
    /// The decisions of all streams, in the order of the log.
    pub(super) decisions: Vec<Decision>,
}

impl Past {
    /// Reads the events of a client.
    pub(super) fn read(rows: &BothRows<'_>, identity: &Identity) -> Result<Self, ProjectionError> {
        let mut legacy = Vec::new();
        for stream in legacy_streams(rows.directory, identity)? {
            if rows.legacy.get(&keys::series(&stream))?.is_some() {
                legacy.push(stream);
            }
        }
        let precreated = precreated_streams(rows, identity)?;
        let mut events = BTreeMap::new();
        for stream in legacy.iter().chain(&precreated) {
            if !events.contains_key(stream) {
                events.insert(stream.clone(), rows.events.of_stream(stream)?);
            }
        }
        let mut decisions: Vec<Decision> =
            events.values().flat_map(|events| Decision::of_stream(events)).collect();
        decisions.sort_by_key(Decision::last);
        Ok(Self { legacy, precreated, events, decisions })
    }

    /// The rows that all events make.
    pub(super) fn whole(&self) -> ClientState {
        self.fold(|_| true)
    }

    /// The rows with the first decisions only, and with the weeks that the migration would have
    /// made of the other events.
    pub(super) fn with_decisions(
        &self,
        count: usize,
        batches: Batches,
        rules: &ParityRules,
    ) -> ClientState {
        let left_out: Vec<Position> =
            (self.decisions.iter().skip(count)).flat_map(|decision| decision.positions()).collect();
        let mut state = self.fold(|recorded| {
            let is_planned_again = batches == Batches::PlannedAgain && is_of_batch(&recorded.event);
            !is_planned_again && !left_out.contains(&recorded.position)
        });
        let migration = Precreate { due: rules.due, zone: rules.zone };
        for (stream, series) in self.precreated.iter().zip(&mut state.precreated) {
            for event in migration.plan_series(stream, series).events {
                series.apply(stream, &event.event);
            }
        }
        state
    }

    fn fold(&self, is_kept: impl Fn(&EventRecord) -> bool) -> ClientState {
        let kept = |stream| {
            self.events.get(stream).into_iter().flatten().filter(|recorded| is_kept(recorded))
        };
        let legacy = self.legacy.iter().map(|stream| {
            let mut series = LegacySeries::default();
            kept(stream).for_each(|recorded| series.apply(stream, &recorded.event));
            series
        });
        let precreated = self.precreated.iter().map(|stream| {
            let mut series = Series::default();
            kept(stream).for_each(|recorded| series.apply(stream, &recorded.event));
            series
        });
        ClientState { legacy: legacy.collect(), precreated: precreated.collect() }
    }
}

fn precreated_streams(
    rows: &BothRows<'_>,
    identity: &Identity,
) -> Result<Vec<StreamId>, ProjectionError> {
    let mut streams = Vec::new();
    for id in &identity.ids {
        rows.precreated.scan(&keys::series_prefix(id), &mut |key, _| {
            let name =
                String::from_utf8_lossy(key.get(keys::ALL_SERIES.len()..).unwrap_or_default())
                    .into_owned();
            match name.parse() {
                Ok(stream) => streams.push(stream),
                Err(source) => {
                    return Err(ProjectionError::Row { key: name, source: Box::new(source) });
                }
            }
            Ok(())
        })?;
    }
    Ok(streams)
}

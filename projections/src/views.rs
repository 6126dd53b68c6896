//! The two views as projections: the same directory, each with series rows of its own kind. Owns folding commits into those
//! rows and reading an answer from them.

use std::marker::PhantomData;

use rollbook_domain::document::StoredAssignment;
use rollbook_domain::event::View;
use rollbook_domain::series::{LegacySeries, Series};
use rollbook_domain::status::Clock;
use rollbook_domain::{Event, EventRecord, StreamId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::directory::{self, Identity, keys};
use crate::entry::{Answer, Asked, name_coaches};
use crate::error::ProjectionError;
use crate::rows::{RowChanges, RowSource, decode};
use crate::runtime::Projection;
use crate::{legacy, precreated};

/// A row that one series stream is folded into.
pub trait SeriesRow: Serialize + DeserializeOwned + Default + Send + 'static {
    /// Whether the event can change the row at all; a row is not even read for one that cannot.
    fn concerns(event: &Event) -> bool;

    /// Folds one event of the stream.
    fn apply(&mut self, stream: &StreamId, event: &Event);
}

impl SeriesRow for Series {
    fn concerns(event: &Event) -> bool {
        !matches!(event, Event::Erased(_))
    }

    fn apply(&mut self, stream: &StreamId, event: &Event) {
        Series::apply(self, stream, event);
    }
}

impl SeriesRow for LegacySeries {
    fn concerns(event: &Event) -> bool {
        LegacySeries::concerns(event)
    }

    fn apply(&mut self, stream: &StreamId, event: &Event) {
        LegacySeries::apply(self, stream, event);
    }
}

/// A view as a projection.
pub struct ViewProjection<S> {
    view: View,
    version: u32,
    series: PhantomData<fn() -> S>,
}

/// The legacy view. Raise the version with every change to what its rows hold.
pub const LEGACY: ViewProjection<LegacySeries> =
    ViewProjection { view: View::Legacy, version: 1, series: PhantomData };
/// The pre-created view. Raise the version with every change to what its rows hold.
pub const PRECREATED: ViewProjection<Series> =
    ViewProjection { view: View::Precreated, version: 1, series: PhantomData };

impl<S: SeriesRow> Projection for ViewProjection<S> {
    fn name(&self) -> &'static str {
        self.view.name()
    }

    fn version(&self) -> u32 {
        self.version
    }

    fn fold(
        &self,
        rows: &mut RowChanges<'_>,
        commit: &[EventRecord],
    ) -> Result<(), ProjectionError> {
        for recorded in commit {
            directory::fold(rows, recorded)?;
        }
        // Events of one stream stand together in a commit: its row is looked up once for all of them.
        for events in commit.chunk_by(|a, b| a.stream == b.stream) {
            if let Some(stream @ StreamId::Series { .. }) =
                events.first().map(|first| &first.stream)
                && events.iter().any(|recorded| S::concerns(&recorded.event))
            {
                let row: &mut S = rows.row(&keys::series(stream))?;
                events.iter().for_each(|recorded| row.apply(stream, &recorded.event));
            }
        }
        Ok(())
    }
}

/// The rows that a client's answer is made of.
pub enum ClientRows {
    /// Of the legacy view.
    Legacy(Vec<LegacySeries>),
    /// Of the pre-created view.
    Precreated(Vec<Series>),
}

impl ClientRows {
    /// The rows of all of a client's identities.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub fn read(
        source: &dyn RowSource,
        view: View,
        identity: &Identity,
    ) -> Result<Self, ProjectionError> {
        Ok(match view {
            View::Legacy => Self::Legacy(legacy_rows(source, identity)?),
            View::Precreated => Self::Precreated(precreated_rows(source, identity)?),
        })
    }

    /// The answer made of them, handed to `then`.
    ///
    /// # Errors
    /// When the names of coaches cannot be read.
    pub fn answer<R>(
        &self,
        source: &dyn RowSource,
        identity: &Identity,
        clock: &Clock,
        then: impl FnOnce(&Answer<'_>) -> R,
    ) -> Result<R, ProjectionError> {
        match self {
            Self::Legacy(rows) => {
                // Its grace is the old system's, whatever is asked.
                let mut answer =
                    legacy::answer(&identity.ids, rows, &Clock::new(clock.now, clock.zone));
                name_coaches(&mut answer.entries, |id| directory::coach(source, id))?;
                Ok(then(&answer))
            }
            Self::Precreated(rows) => Ok(then(&precreated::answer(rows, clock))),
        }
    }

    /// Every stored week of them.
    pub fn stored(&self) -> impl Iterator<Item = &StoredAssignment> {
        let (legacy, precreated) = match self {
            Self::Legacy(rows) => (rows.as_slice(), &[][..]),
            Self::Precreated(rows) => (&[][..], rows.as_slice()),
        };
        let series = legacy.iter().map(|row| &row.stored).chain(precreated);
        series.flat_map(|series| series.items.iter()).map(|item| &item.stored)
    }
}

/// A view's answer for a client id, handed to `then` while the rows it borrows from are there.
///
/// # Errors
/// When the rows cannot be read.
pub fn answer<R>(
    source: &dyn RowSource,
    view: View,
    identity: &Identity,
    asked: Asked,
    then: impl FnOnce(&Answer<'_>) -> R,
) -> Result<R, ProjectionError> {
    if !identity.onboarded {
        return Ok(then(&Answer::default()));
    }
    let clock = asked.clock(directory::zone(source)?);
    ClientRows::read(source, view, identity)?.answer(source, identity, &clock, then)
}

/// The rows that a legacy answer is made of.
///
/// # Errors
/// When the rows cannot be read.
pub fn legacy_rows(
    source: &dyn RowSource,
    identity: &Identity,
) -> Result<Vec<LegacySeries>, ProjectionError> {
    let streams = legacy_streams(source, identity)?;
    let mut rows = Vec::with_capacity(streams.len());
    for stream in streams {
        let key = keys::series(&stream);
        if let Some(bytes) = source.get(&key)? {
            rows.push(decode(&key, &bytes)?);
        }
    }
    Ok(rows)
}

/// The series that hold, or held, documents of a client.
///
/// # Errors
/// When the rows cannot be read.
pub fn legacy_streams(
    source: &dyn RowSource,
    identity: &Identity,
) -> Result<Vec<StreamId>, ProjectionError> {
    let mut streams = Vec::new();
    for id in &identity.ids {
        for stream in directory::stored_streams(source, id)? {
            if !streams.contains(&stream) {
                streams.push(stream);
            }
        }
    }
    Ok(streams)
}

/// The rows that a pre-created answer is made of: one range scan an identity.
///
/// # Errors
/// When the rows cannot be read.
pub fn precreated_rows(
    source: &dyn RowSource,
    identity: &Identity,
) -> Result<Vec<Series>, ProjectionError> {
    let mut rows = Vec::new();
    for id in &identity.ids {
        source.scan(&keys::series_prefix(id), &mut |key, bytes| {
            rows.push(decode(key, bytes)?);
            Ok(())
        })?;
    }
    Ok(rows)
}

/// Every series row of the source, in stream order.
///
/// # Errors
/// When the rows cannot be read, or `visit` fails.
pub fn each_series<S: SeriesRow>(
    source: &dyn RowSource,
    visit: &mut dyn FnMut(StreamId, S) -> Result<(), ProjectionError>,
) -> Result<(), ProjectionError> {
    source.scan(keys::ALL_SERIES, &mut |key, bytes| {
        let name = String::from_utf8_lossy(key.get(keys::ALL_SERIES.len()..).unwrap_or_default())
            .into_owned();
        match name.parse() {
            Ok(stream) => visit(stream, decode(key, bytes)?),
            Err(source) => Err(ProjectionError::Row { key: name, source: Box::new(source) }),
        }
    })
}

//! The two views as projections: one row for each series, of another kind in each view. This module
//! folds commits into those rows and computes an answer from them. Clients, coaches and the zone
//! come from the directory projection.

use rollbook_domain::document::StoredAssignment;
use rollbook_domain::event::View;
use rollbook_domain::series::{LegacySeries, Series};
use rollbook_domain::status::Clock;
use rollbook_domain::{Event, EventRecord, Position, StreamId, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::directory::{self, Directory, Identity};
use crate::entry::{Answer, ListParameters, name_coaches};
use crate::error::ProjectionError;
use crate::projection::Projection;
use crate::rows::{RowChanges, RowSource, StoredRows, decode};
use crate::runtime::Snapshot;
use crate::{legacy, precreated};

/// Keys of the rows of a view.
pub mod keys {
    use rollbook_domain::StreamId;

    /// `s/<stream>`: the series.
    pub fn series(stream: &StreamId) -> Vec<u8> {
        format!("s/{stream}").into_bytes()
    }

    /// `s/series/<client>/`: prefix of the client's series.
    pub fn series_prefix(client: &str) -> Vec<u8> {
        format!("s/{}", StreamId::series_prefix(client)).into_bytes()
    }

    /// Prefix of every series.
    pub const ALL_SERIES: &[u8] = b"s/";
}

/// A row that is folded from one series stream.
pub trait SeriesRow: Serialize + DeserializeOwned + Default + Send + 'static {
    /// Whether the event can change the row. The row is not read for an event that cannot.
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

/// The legacy view. Its rows are [`LegacySeries`].
pub struct LegacyView;

/// The pre-created view. Its rows are [`Series`].
pub struct PrecreatedView;

impl Projection for LegacyView {
    const NAME: &'static str = "legacy";
    /// 2: the directory is a projection of its own. 3: a whole number is one however it is written,
    /// weeks are capped, and requests to reopen a week are known. 4: changes of weeks that are not
    /// stored are kept, and a week that an event opened is not missed; corrections; a week can adopt
    /// a document. 5: numbers of weeks that events set.
    const VERSION: u32 = 5;

    fn fold(
        &self,
        rows: &mut RowChanges<'_>,
        commit: &[EventRecord],
    ) -> Result<(), ProjectionError> {
        fold_series::<LegacySeries>(rows, commit)
    }
}

impl Projection for PrecreatedView {
    const NAME: &'static str = "precreated";
    /// 2: the directory is a projection of its own. 3: a whole number is one however it is written,
    /// weeks are capped, and requests to reopen a week are known. 4: changes of weeks that are not
    /// stored are kept, and a week that an event opened is not missed; corrections; a week can adopt
    /// a document. 5: numbers of weeks that events set.
    const VERSION: u32 = 5;

    fn fold(
        &self,
        rows: &mut RowChanges<'_>,
        commit: &[EventRecord],
    ) -> Result<(), ProjectionError> {
        fold_series::<Series>(rows, commit)
    }
}

fn fold_series<S: SeriesRow>(
    rows: &mut RowChanges<'_>,
    commit: &[EventRecord],
) -> Result<(), ProjectionError> {
    // Events of one stream are adjacent in a commit: look their row up once for all of them.
    for events in commit.chunk_by(|a, b| a.stream == b.stream) {
        if let Some(stream @ StreamId::Series { .. }) = events.first().map(|first| &first.stream)
            && events.iter().any(|recorded| S::concerns(&recorded.event))
        {
            let row: &mut S = rows.row(&keys::series(stream))?;
            events.iter().for_each(|recorded| row.apply(stream, &recorded.event));
        }
    }
    Ok(())
}

/// The rows of a view that was chosen at run time, with the directory at the same position.
#[derive(Clone, Debug)]
pub struct ViewRows<R> {
    /// The view.
    pub view: View,
    /// The rows of the directory.
    pub directory: R,
    /// The series rows of the view.
    pub series: R,
}

impl Snapshot {
    /// The rows of a view and of the directory, and the position up to which they are folded.
    ///
    /// # Errors
    /// As [`Snapshot::rows`].
    pub fn view(
        &self,
        view: View,
    ) -> Result<(ViewRows<StoredRows<'_>>, Position), ProjectionError> {
        let (series, position) = match view {
            View::Legacy => self.rows::<LegacyView>()?,
            View::Precreated => self.rows::<PrecreatedView>()?,
        };
        let (directory, _) = self.rows::<Directory>()?;
        Ok((ViewRows { view, directory, series }, position))
    }
}

/// The series rows from which a client's answer is computed.
pub enum ClientRows {
    /// Rows of the legacy view.
    Legacy(Vec<LegacySeries>),
    /// Rows of the pre-created view.
    Precreated(Vec<Series>),
}

impl ClientRows {
    /// Reads the rows of all of a client's identities.
    ///
    /// # Errors
    /// If the rows cannot be read.
    pub fn read<R: RowSource>(
        rows: &ViewRows<R>,
        identity: &Identity,
    ) -> Result<Self, ProjectionError> {
        Ok(match rows.view {
            View::Legacy => Self::Legacy(legacy_rows(&rows.directory, &rows.series, identity)?),
            View::Precreated => Self::Precreated(precreated_rows(&rows.series, identity)?),
        })
    }

    /// Computes the answer and passes it to `then`. `directory` has the names of the coaches.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn answer<T>(
        &self,
        directory: &dyn RowSource,
        identity: &Identity,
        clock: &Clock,
        then: impl FnOnce(&Answer<'_>) -> T,
    ) -> Result<T, ProjectionError> {
        match self {
            Self::Legacy(rows) => {
                // The legacy view always has the old system's grace period.
                let mut answer =
                    legacy::answer(&identity.ids, rows, &Clock::new(clock.now, clock.zone));
                name_coaches(&mut answer.entries, |id| directory::coach(directory, id))?;
                Ok(then(&answer))
            }
            Self::Precreated(rows) => Ok(then(&precreated::answer(rows, clock))),
        }
    }

    /// Every series of the rows.
    fn series(&self) -> impl Iterator<Item = &Series> {
        let (legacy, precreated) = match self {
            Self::Legacy(rows) => (rows.as_slice(), &[][..]),
            Self::Precreated(rows) => (&[][..], rows.as_slice()),
        };
        legacy.iter().map(|row| &row.stored).chain(precreated)
    }

    /// Every stored week of the rows.
    pub fn stored(&self) -> impl Iterator<Item = &StoredAssignment> {
        self.series().flat_map(|series| series.items.iter()).map(|item| &item.stored)
    }

    /// Iterates over the end of every pause, of stored weeks and of weeks that are not stored.
    pub fn pauses(&self) -> impl Iterator<Item = Timestamp> {
        let stored = self.stored().filter_map(|stored| stored.paused_until);
        stored.chain(self.series().flat_map(|series| series.overlays.pauses()))
    }
}

/// Computes a view's answer for a client and passes it to `then`.
///
/// # Errors
/// If the rows cannot be read.
pub fn answer<R: RowSource, T>(
    rows: &ViewRows<R>,
    identity: &Identity,
    asked: ListParameters,
    then: impl FnOnce(&Answer<'_>) -> T,
) -> Result<T, ProjectionError> {
    if !identity.onboarded {
        return Ok(then(&Answer::default()));
    }
    let clock = asked.clock(directory::zone(&rows.directory)?);
    ClientRows::read(rows, identity)?.answer(&rows.directory, identity, &clock, then)
}

/// Reads the rows from which a legacy answer is computed.
///
/// # Errors
/// If the rows cannot be read.
pub fn legacy_rows(
    directory: &dyn RowSource,
    series: &dyn RowSource,
    identity: &Identity,
) -> Result<Vec<LegacySeries>, ProjectionError> {
    let streams = legacy_streams(directory, identity)?;
    let mut rows = Vec::with_capacity(streams.len());
    for stream in streams {
        let key = keys::series(&stream);
        if let Some(bytes) = series.get(&key)? {
            rows.push(decode(&key, &bytes)?);
        }
    }
    Ok(rows)
}

/// The series that hold, or once held, documents of a client.
///
/// # Errors
/// If the directory cannot be read.
pub fn legacy_streams(
    directory: &dyn RowSource,
    identity: &Identity,
) -> Result<Vec<StreamId>, ProjectionError> {
    let mut streams = Vec::new();
    for id in &identity.ids {
        for stream in directory::stored_streams(directory, id)? {
            if !streams.contains(&stream) {
                streams.push(stream);
            }
        }
    }
    Ok(streams)
}

/// Reads the rows from which a pre-created answer is computed: one range scan for each identity.
///
/// # Errors
/// If the rows cannot be read.
pub fn precreated_rows(
    series: &dyn RowSource,
    identity: &Identity,
) -> Result<Vec<Series>, ProjectionError> {
    let mut rows = Vec::new();
    for id in &identity.ids {
        series.scan(&keys::series_prefix(id), &mut |key, bytes| {
            rows.push(decode(key, bytes)?);
            Ok(())
        })?;
    }
    Ok(rows)
}

/// Calls `visit` with the stream of every series row of a view, in order. It does not decode the rows.
///
/// # Errors
/// If the rows cannot be read.
pub fn each_stream(
    series: &dyn RowSource,
    visit: &mut dyn FnMut(StreamId),
) -> Result<(), ProjectionError> {
    series.scan(keys::ALL_SERIES, &mut |key, _| {
        visit(stream_of(key)?);
        Ok(())
    })
}

/// The stream of a series row, from its key.
fn stream_of(key: &[u8]) -> Result<StreamId, ProjectionError> {
    let name = key.get(keys::ALL_SERIES.len()..).unwrap_or_default();
    let name = String::from_utf8_lossy(name).into_owned();
    name.parse().map_err(|source| ProjectionError::Row { key: name, source: Box::new(source) })
}

/// Calls `visit` with every series row of a view, in stream order.
///
/// # Errors
/// If the rows cannot be read, or `visit` fails.
pub fn each_series<S: SeriesRow>(
    series: &dyn RowSource,
    visit: &mut dyn FnMut(StreamId, S) -> Result<(), ProjectionError>,
) -> Result<(), ProjectionError> {
    series.scan(keys::ALL_SERIES, &mut |key, bytes| visit(stream_of(key)?, decode(key, bytes)?))
}

//! A view as of a past position. Only the client's own streams are folded, in memory. This module
//! decides which streams those are, and which view the switch served at that position.

use std::collections::BTreeSet;

use rollbook_domain::control::Control;
use rollbook_domain::event::View;
use rollbook_domain::series::Series;
use rollbook_domain::{EventRecord, Position, StreamId};

use crate::directory::{self, Directory, Identity};
use crate::error::ProjectionError;
use crate::projection::Projection;
use crate::rows::{MemoryRows, RowChanges, RowSource};
use crate::runtime::Runtime;
use crate::views::{self, LegacyView, PrecreatedView, ViewRows};

/// The state of one client in a store whose log ends at some position.
pub struct ClientState {
    /// The rows of one view that concern the client.
    pub rows: ViewRows<MemoryRows>,
    /// The client that the requested id refers to at that position.
    pub identity: Identity,
    /// The streams that were folded. No other stream can change the client's list in this view.
    pub streams: BTreeSet<StreamId>,
}

/// The state of one client in a store whose log ends at `position`.
///
/// The lists from identities to streams only grow (`directory`), so today's lists contain every
/// stream that mattered at that position.
///
/// # Errors
/// If `position` is beyond the head, or the log or the rows cannot be read.
pub fn client(
    runtime: &Runtime,
    view: View,
    asked: &str,
    position: Position,
) -> Result<ClientState, ProjectionError> {
    require_reached(runtime, position)?;
    let snapshot = runtime.snapshot()?;
    let (today, _) = snapshot.rows::<Directory>()?;
    let mut fold = FoldState::new(runtime, view, position);
    let identity = fold.identity(&today, asked)?;
    for stream in series_streams(runtime, &today, view, &identity)? {
        fold.stream(stream)?;
    }
    for coach in fold.coaches()? {
        fold.stream(StreamId::Coach(coach))?;
    }
    Ok(ClientState { rows: fold.rows, identity, streams: fold.folded })
}

/// [`client`], without the streams.
///
/// # Errors
/// As [`client`].
pub fn rows(
    runtime: &Runtime,
    view: View,
    asked: &str,
    position: Position,
) -> Result<(ViewRows<MemoryRows>, Identity), ProjectionError> {
    let ClientState { rows, identity, .. } = client(runtime, view, asked, position)?;
    Ok((rows, identity))
}

/// The control stream, folded up to a position: imports, batches, validation, switch.
///
/// # Errors
/// As [`client`].
pub fn control(runtime: &Runtime, position: Position) -> Result<Control, ProjectionError> {
    require_reached(runtime, position)?;
    let mut control = Control::default();
    let events = runtime.log().stream_until(&StreamId::Control, 0, position)?;
    events.iter().for_each(|recorded| control.apply(recorded.position, &recorded.event));
    Ok(control)
}

/// The view that the switch served to a client at a position, by the client's identity there.
///
/// # Errors
/// As [`client`].
pub fn live_view(
    runtime: &Runtime,
    asked: &str,
    position: Position,
) -> Result<View, ProjectionError> {
    let control = control(runtime, position)?;
    let snapshot = runtime.snapshot()?;
    let (today, _) = snapshot.rows::<Directory>()?;
    let identity = FoldState::new(runtime, View::Legacy, position).identity(&today, asked)?;
    Ok(control.switch.view_for(identity.canonical()))
}

fn require_reached(runtime: &Runtime, position: Position) -> Result<(), ProjectionError> {
    let head = runtime.log().head();
    if position > head {
        Err(ProjectionError::BeyondHead { asked: position, head })
    } else {
        Ok(())
    }
}

fn series_streams(
    runtime: &Runtime,
    today: &dyn RowSource,
    view: View,
    identity: &Identity,
) -> Result<Vec<StreamId>, ProjectionError> {
    let mut streams = Vec::new();
    for id in &identity.ids {
        streams.extend(match view {
            View::Legacy => directory::stored_streams(today, id)?,
            View::Precreated => runtime.log().streams_with_prefix(&StreamId::series_prefix(id))?,
        });
    }
    Ok(streams)
}

struct FoldState<'r> {
    runtime: &'r Runtime,
    position: Position,
    rows: ViewRows<MemoryRows>,
    folded: BTreeSet<StreamId>,
}

impl<'r> FoldState<'r> {
    fn new(runtime: &'r Runtime, view: View, position: Position) -> Self {
        let (directory, series) = (MemoryRows::default(), MemoryRows::default());
        let rows = ViewRows { view, directory, series };
        Self { runtime, position, rows, folded: BTreeSet::new() }
    }

    /// The client that `asked` refers to, chosen from all clients that it ever referred to.
    fn identity(
        &mut self,
        today: &dyn RowSource,
        asked: &str,
    ) -> Result<Identity, ProjectionError> {
        self.stream(StreamId::Control)?;
        self.stream(StreamId::Client(asked.to_owned()))?;
        for candidate in directory::identity_candidates(today, asked)? {
            self.stream(StreamId::Client(candidate))?;
        }
        directory::identify(&self.rows.directory, asked)
    }

    fn stream(&mut self, stream: StreamId) -> Result<(), ProjectionError> {
        if self.folded.contains(&stream) {
            return Ok(());
        }
        let events = self.runtime.log().stream_until(&stream, 0, self.position)?;
        self.folded.insert(stream);
        fold_into(&mut self.rows.directory, &Directory, &events)?;
        match self.rows.view {
            View::Legacy => fold_into(&mut self.rows.series, &LegacyView, &events),
            View::Precreated => fold_into(&mut self.rows.series, &PrecreatedView, &events),
        }
    }

    /// The ids that assigned one of the folded weeks. The stream of each tells whether it is a
    /// coach.
    fn coaches(&self) -> Result<BTreeSet<String>, ProjectionError> {
        let mut coaches = BTreeSet::new();
        if self.rows.view == View::Legacy {
            views::each_series(
                &self.rows.series,
                &mut |_, series: rollbook_domain::series::LegacySeries| {
                    coaches.extend(assigners(&series.stored));
                    Ok(())
                },
            )?;
        }
        Ok(coaches)
    }
}

fn fold_into<P: Projection>(
    rows: &mut MemoryRows,
    projection: &P,
    events: &[EventRecord],
) -> Result<(), ProjectionError> {
    let mut changes = RowChanges::new(rows);
    projection.fold(&mut changes, events)?;
    let encoded = changes.finish()?;
    rows.absorb(encoded);
    Ok(())
}

fn assigners(series: &Series) -> impl Iterator<Item = String> {
    series.items.iter().map(|item| item.stored.assigned_by.clone()).filter(|id| !id.is_empty())
}

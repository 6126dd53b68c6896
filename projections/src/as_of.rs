//! A view as of a position: folded in memory from just the client's own streams. Owns which streams those are, and which view the
//! switch served there; the folds and the answer are the views' own.

use std::collections::BTreeSet;

use rollbook_domain::control::Control;
use rollbook_domain::event::View;
use rollbook_domain::series::Series;
use rollbook_domain::{Position, StreamId};

use crate::directory::{self, Identity};
use crate::error::ProjectionError;
use crate::rows::{MemoryRows, RowChanges, RowSource};
use crate::runtime::{Projection, Runtime};
use crate::views::{self, LEGACY, PRECREATED};

/// One client as a store that had stopped at a position would have it.
pub struct Folded {
    /// The client's rows of one view.
    pub rows: MemoryRows,
    /// Who is meant by the id that was asked for, there.
    pub identity: Identity,
    /// The streams that were folded: nothing else can change what this client sees in this view.
    pub streams: BTreeSet<StreamId>,
}

/// The rows of one client as a store that had stopped at `position` would have them, and who is meant by `asked` there.
///
/// The lists that lead from an identity to streams only grow (`directory::fold`), so today's lists hold every stream that
/// mattered then.
///
/// # Errors
/// When `position` is beyond the head, or the log or the rows cannot be read.
pub fn folded(
    runtime: &Runtime,
    view: View,
    asked: &str,
    position: Position,
) -> Result<Folded, ProjectionError> {
    require_reached(runtime, position)?;
    let snapshot = runtime.snapshot()?;
    let (today, _) = snapshot.of(view.name())?;
    let mut fold = Folding::new(runtime, view, position);
    let identity = fold.identity(&today, asked)?;
    for stream in series_streams(runtime, &today, view, &identity)? {
        fold.stream(stream)?;
    }
    for coach in fold.coaches()? {
        fold.stream(StreamId::Coach(coach))?;
    }
    Ok(Folded { rows: fold.rows, identity, streams: fold.folded })
}

/// [`folded`], without the streams.
///
/// # Errors
/// As [`folded`].
pub fn rows(
    runtime: &Runtime,
    view: View,
    asked: &str,
    position: Position,
) -> Result<(MemoryRows, Identity), ProjectionError> {
    let Folded { rows, identity, .. } = folded(runtime, view, asked, position)?;
    Ok((rows, identity))
}

/// The control stream as it stood at a position: imports, batches, validation, switch.
///
/// # Errors
/// As [`folded`].
pub fn control(runtime: &Runtime, position: Position) -> Result<Control, ProjectionError> {
    require_reached(runtime, position)?;
    let mut control = Control::default();
    let events = runtime.log().stream_until(&StreamId::Control, 0, position)?;
    events.iter().for_each(|recorded| control.apply(recorded.position, &recorded.event));
    Ok(control)
}

/// The view that the switch served a client at a position, by the identity that the client had there.
///
/// # Errors
/// As [`folded`].
pub fn live_view(
    runtime: &Runtime,
    asked: &str,
    position: Position,
) -> Result<View, ProjectionError> {
    let control = control(runtime, position)?;
    let snapshot = runtime.snapshot()?;
    let (today, _) = snapshot.of(View::Legacy.name())?;
    let identity = Folding::new(runtime, View::Legacy, position).identity(&today, asked)?;
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

struct Folding<'r> {
    runtime: &'r Runtime,
    view: View,
    position: Position,
    rows: MemoryRows,
    folded: BTreeSet<StreamId>,
}

impl<'r> Folding<'r> {
    fn new(runtime: &'r Runtime, view: View, position: Position) -> Self {
        Self { runtime, view, position, rows: MemoryRows::default(), folded: BTreeSet::new() }
    }

    /// Who is meant by `asked`, from everybody who ever may have been.
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
        directory::identify(&self.rows, asked)
    }

    fn stream(&mut self, stream: StreamId) -> Result<(), ProjectionError> {
        if self.folded.contains(&stream) {
            return Ok(());
        }
        let events = self.runtime.log().stream_until(&stream, 0, self.position)?;
        self.folded.insert(stream);
        let before = std::mem::take(&mut self.rows);
        let mut changes = RowChanges::new(&before);
        match self.view {
            View::Legacy => LEGACY.fold(&mut changes, &events)?,
            View::Precreated => PRECREATED.fold(&mut changes, &events)?,
        }
        let encoded = changes.finish()?;
        self.rows = before;
        self.rows.absorb(encoded);
        Ok(())
    }

    /// Everybody who assigned one of the folded weeks; whether that is a coach, the coach's stream tells.
    fn coaches(&self) -> Result<BTreeSet<String>, ProjectionError> {
        let mut coaches = BTreeSet::new();
        if self.view == View::Legacy {
            views::each_series(
                &self.rows,
                &mut |_, series: rollbook_domain::series::LegacySeries| {
                    coaches.extend(assigners(&series.stored));
                    Ok(())
                },
            )?;
        }
        Ok(coaches)
    }
}

fn assigners(series: &Series) -> impl Iterator<Item = String> {
    series.items.iter().map(|item| item.stored.assigned_by.clone()).filter(|id| !id.is_empty())
}

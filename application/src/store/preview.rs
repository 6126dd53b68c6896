//! Computes what a commit would change in a client's lists, without appending it.

use rollbook_domain::event::View;
use rollbook_domain::{Actor, Event, EventRecord, StreamId};
use rollbook_projections::entry::ListParameters;
use rollbook_projections::rows::RowChanges;
use rollbook_projections::views::{self, LegacyView, PrecreatedView};
use rollbook_projections::{Projection, as_of};
use uuid::Uuid;

use super::diff::{EntryChange, between};
use super::{Reading, StoreError};

impl Reading<'_> {
    /// Returns what events of a series would change in the client's list in one view. Writes
    /// nothing.
    ///
    /// # Errors
    /// If the log or the rows cannot be read.
    pub fn preview(
        &self,
        view: View,
        stream: &StreamId,
        events: &[Event],
        asked: ListParameters,
    ) -> Result<Vec<EntryChange>, StoreError> {
        let Some(client) = stream.client() else { return Ok(Vec::new()) };
        let store = self.store();
        let head = store.log().head();
        let as_of::ClientState { mut rows, identity, .. } =
            as_of::client(store.runtime(), view, client, head)?;
        let body = |rows: &views::ViewRows<_>| {
            views::answer(rows, &identity, asked, |answer| answer.to_json())
        };
        let before = body(&rows)?;
        let commit: Vec<EventRecord> = (head + 1..)
            .zip(events)
            .map(|(position, event)| EventRecord {
                position,
                stream: stream.clone(),
                version: 0,
                id: Uuid::nil(),
                occurred_at: asked.now,
                recorded_at: asked.now,
                actor: Actor::System("preview".to_owned()),
                cause: String::new(),
                event: event.clone(),
            })
            .collect();
        let mut changes = RowChanges::new(&rows.series);
        match view {
            View::Legacy => LegacyView.fold(&mut changes, &commit)?,
            View::Precreated => PrecreatedView.fold(&mut changes, &commit)?,
        }
        let changes = changes.finish()?;
        rows.series.absorb(changes);
        between(view, before, body(&rows)?)
    }
}

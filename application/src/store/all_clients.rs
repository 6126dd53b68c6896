//! The lists of all clients, one after the other, from one state of the store: now, or as of a
//! position.

use rollbook_domain::{Collection, Event, Position, StreamId};
use rollbook_projections::entry::ListParameters;
use rollbook_projections::tracker::Tracker;
use rollbook_projections::{ProjectionError, Snapshot};

use super::{Store, ViewAnswer, ViewChoice, answer_in, clients};
use crate::store::StoreError;

/// The rendered lists of all clients, in the order of ids. A reader may be slow: later events do
/// not change the lists.
pub struct AllClients {
    snapshot: Snapshot,
    head: Position,
    clients: std::vec::IntoIter<String>,
    asking: ViewChoice,
    asked: ListParameters,
    position: Option<Position>,
}

impl Store {
    /// Starts reading the list of every client document, now or as of a position.
    ///
    /// # Errors
    /// If the rows cannot be read, or `position` is beyond the head.
    pub fn all_clients(
        &self,
        asking: ViewChoice,
        asked: ListParameters,
        position: Option<Position>,
    ) -> Result<AllClients, StoreError> {
        let snapshot = self.snapshot()?;
        let clients = match position {
            None => with_erased(clients(&snapshot)?, self),
            Some(position) => clients_at(self, position)?,
        };
        let (_, head) = snapshot.rows::<Tracker>()?;
        Ok(AllClients { snapshot, head, clients: clients.into_iter(), asking, asked, position })
    }
}

impl AllClients {
    /// Returns the position of the lists.
    pub fn position(&self) -> Position {
        self.position.unwrap_or(self.head)
    }

    /// Returns the id and the list of the next client; `None` at the end.
    ///
    /// # Errors
    /// If the rows cannot be read.
    pub fn next(&mut self, store: &Store) -> Result<Option<(String, ViewAnswer)>, StoreError> {
        self.next_of(store, |_| true)
    }

    /// Returns the next client for which `wanted` returns true; `None` at the end.
    ///
    /// # Errors
    /// If the rows cannot be read.
    pub fn next_of(
        &mut self,
        store: &Store,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Option<(String, ViewAnswer)>, StoreError> {
        let Some(client) = self.clients.find(|client| wanted(client)) else { return Ok(None) };
        let answered = match self.position {
            Some(_) => store.check_ins(self.asking, &client, self.asked, self.position)?,
            None => {
                let view = store.view_in(&self.snapshot, self.asking, &client, None)?;
                answer_in(&self.snapshot, view, &client, self.asked)?
            }
        };
        Ok(Some((client, answered)))
    }
}

/// Adds erased clients, whose lists are empty.
fn with_erased(mut clients: Vec<String>, store: &Store) -> Vec<String> {
    clients.extend(
        store.log().erasures().into_iter().filter_map(|erasure| erasure.ids.into_iter().next()),
    );
    clients.sort();
    clients.dedup();
    clients
}

/// Returns the ids of the client documents as of a position, in order.
fn clients_at(store: &Store, position: Position) -> Result<Vec<String>, StoreError> {
    let head = store.log().head();
    if position > head {
        return Err(ProjectionError::BeyondHead { asked: position, head }.into());
    }
    let mut clients = Vec::new();
    for stream in store.log().streams_with_prefix("client/")? {
        let StreamId::Client(id) = &stream else { continue };
        let mut is_there = false;
        for recorded in store.log().stream_until(&stream, 0, position)? {
            match recorded.event {
                Event::DocumentImported(document) if document.collection == Collection::Clients => {
                    is_there = true
                }
                Event::DocumentRemoved { collection: Collection::Clients, .. } => is_there = false,
                _ => {}
            }
        }
        if is_there {
            clients.push(id.clone());
        }
    }
    clients.sort();
    Ok(clients)
}

//! Which clients a commit concerns. An event that this module does not know concerns all clients:
//! that costs time, but never serves a stale body.
//!
//! [`Invalidation`] keeps the last position that concerned each client in a fixed table of atomics,
//! indexed by a hash of the client's id. Two clients may share a slot, which only invalidates more
//! than necessary. What holds for all clients is one immutable [`PublishedState`]. A writer notes the
//! events of a commit in the table first and publishes the commit's position afterwards; so
//! whatever a reader finds published is in the table, and readers take no lock.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::{ArcSwapOption, Guard};
use parking_lot::Mutex;
use rollbook_application::store::{Store, StoreError};
use rollbook_domain::control::Switch;
use rollbook_domain::{Event, EventRecord, Position, StreamId};
use rollbook_projections::tracker::{self, Tracker};

/// Slots of the table: 512 KiB. A power of two.
const SLOTS: usize = 1 << 16;

/// What is known about the log up to a position.
#[derive(Clone, Debug)]
pub(super) struct PublishedState {
    /// All events up to this position have been noted.
    pub(super) position: Position,
    /// The last position that concerned all clients.
    pub(super) all_clients: Position,
    /// The switch at `position`.
    pub(super) switch: Switch,
}

/// The slot of a client's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot(usize);

/// The last position that concerned each client.
pub(super) struct Invalidation {
    clients: Box<[AtomicU64]>,
    hasher: RandomState,
    /// `None` until the first [`Invalidation::advance`].
    published: ArcSwapOption<PublishedState>,
    /// One thread advances at a time.
    advancing: Mutex<()>,
}

impl Invalidation {
    /// Knows nothing yet.
    pub(super) fn new() -> Self {
        Self {
            clients: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
            published: ArcSwapOption::empty(),
            advancing: Mutex::new(()),
        }
    }

    /// The slot of a client's id.
    pub(super) fn slot(&self, client: &str) -> Slot {
        Slot(self.hasher.hash_one(client) as usize % SLOTS)
    }

    /// What was published last. Takes no lock.
    pub(super) fn published(&self) -> Guard<Option<Arc<PublishedState>>> {
        self.published.load()
    }

    /// Whether no event after `at` concerned one of these slots. Takes no lock.
    pub(super) fn is_unchanged(&self, slots: &[Slot], at: Position) -> bool {
        slots.iter().all(|Slot(slot)| {
            self.clients.get(*slot).is_some_and(|last| last.load(Ordering::Acquire) <= at)
        })
    }

    /// Notes all commits up to the head, then publishes them. Blocks: it reads the log, and at the
    /// first call the switch.
    ///
    /// # Errors
    /// If the store cannot be read. What was published stays as it was.
    pub(super) fn advance(&self, store: &Store) -> Result<(), StoreError> {
        let is_current = || {
            let published = self.published();
            published.as_ref().is_some_and(|it| it.position >= store.log().head())
        };
        if is_current() {
            return Ok(());
        }
        let _advancing = self.advancing.lock();
        if is_current() {
            return Ok(());
        }
        let Some(published) = self.published.load_full() else {
            self.published.store(Some(Arc::new(first(store)?)));
            return Ok(());
        };
        let mut next = PublishedState::clone(&published);
        for commit in store.log().commits_after(published.position) {
            for recorded in &commit? {
                self.note(&mut next, recorded);
            }
        }
        self.published.store(Some(Arc::new(next)));
        Ok(())
    }

    fn note(&self, next: &mut PublishedState, recorded: &EventRecord) {
        next.position = recorded.position;
        if let Event::ViewSwitched { view, audience, .. } = &recorded.event {
            next.switch = next.switch.switched_to(*view, audience);
        }
        match concerned(&recorded.stream, &recorded.event) {
            AffectedClients::Nobody => {}
            AffectedClients::AllClients => next.all_clients = recorded.position,
            AffectedClients::Clients(ids) => {
                for id in ids.into_iter().flatten() {
                    let Slot(slot) = self.slot(id);
                    if let Some(last) = self.clients.get(slot) {
                        last.store(recorded.position, Ordering::Release);
                    }
                }
            }
        }
    }
}

/// The state to begin with: nothing that was cached before is valid.
fn first(store: &Store) -> Result<PublishedState, StoreError> {
    let snapshot = store.snapshot()?;
    let (rows, position) = snapshot.rows::<Tracker>()?;
    let switch = tracker::control(&rows)?.switch;
    Ok(PublishedState { position, all_clients: position, switch })
}

/// Whose bodies an event may change.
#[derive(Debug, PartialEq, Eq)]
enum AffectedClients<'e> {
    Nobody,
    Clients([Option<&'e str>; 2]),
    AllClients,
}

fn concerned<'e>(stream: &'e StreamId, event: &'e Event) -> AffectedClients<'e> {
    match (stream, event) {
        // A document may change who is whom, the names of coaches, and which series a client has.
        (
            _,
            Event::DocumentImported(_) | Event::DocumentChanged(_) | Event::DocumentRemoved { .. },
        ) => AffectedClients::AllClients,
        (StreamId::Series { client, .. }, Event::AssignmentCreated { terms, .. }) => {
            AffectedClients::Clients([Some(client), Some(&terms.stored_client)])
        }
        (StreamId::Series { client, .. }, _) => AffectedClients::Clients([Some(client), None]),
        (
            StreamId::Control,
            Event::ViewSwitched { .. }
            | Event::BatchPlanned { .. }
            | Event::BatchApplied { .. }
            | Event::WeeksChanged { .. }
            | Event::ValidationRecorded { .. }
            | Event::QualifiedValidationRecorded(_)
            | Event::FindingsAccepted(_)
            | Event::AcceptanceWithdrawn { .. }
            | Event::ParityRecorded { .. }
            | Event::ResponsesAttested { .. }
            | Event::BackupTaken { .. }
            | Event::StageRecorded { .. },
        ) => AffectedClients::Nobody,
        _ => AffectedClients::AllClients,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_is_not_known_here_concerns_all_clients() {
        let backup = Event::BackupTaken { name: "b".into(), at: 1 };
        assert_eq!(concerned(&StreamId::Control, &backup), AffectedClients::Nobody);
        // The same event in an unexpected stream.
        let elsewhere = StreamId::Coach("c".into());
        assert_eq!(concerned(&elsewhere, &backup), AffectedClients::AllClients);
    }

    #[test]
    fn a_body_is_unchanged_until_an_event_of_its_client_is_noted() {
        let invalidation = Invalidation::new();
        let slots = [invalidation.slot("ada"), invalidation.slot("auth-ada")];
        assert!(invalidation.is_unchanged(&slots, 0));
        let [_, Slot(second)] = slots;
        invalidation.clients[second].store(7, Ordering::Release);
        assert!(!invalidation.is_unchanged(&slots, 6));
        assert!(invalidation.is_unchanged(&slots, 7));
    }
}

//! Whom commits concern. Owns which events can change whose rows; in doubt it is everybody's.

use std::collections::HashMap;

use rollbook_application::store::StoreError;
use rollbook_domain::event::{Audience, View};
use rollbook_domain::{Event, EventRecord, Position, StreamId};
use rollbook_log::Log;

/// The most clients that are told apart; beyond that, all are touched and it begins anew.
const MOST_CLIENTS: usize = 100_000;

/// The last position that concerned each client, up to a position of the log.
pub(super) struct Touched {
    position: Position,
    everybody: Position,
    clients: HashMap<String, Position>,
}

impl Touched {
    /// Nothing is known of what was up to this position.
    pub(super) fn since(position: Position) -> Self {
        Self { position, everybody: position, clients: HashMap::new() }
    }

    /// Every commit up to this position was looked at.
    pub(super) fn position(&self) -> Position {
        self.position
    }

    /// Whether nothing that was looked at came after `at` and concerned one of these clients, or everybody.
    pub(super) fn is_unchanged(&self, ids: &[String], at: Position) -> bool {
        at >= self.everybody
            && ids.iter().all(|id| self.clients.get(id).is_none_or(|last| *last <= at))
    }

    /// Looks at every commit up to the head as it is now; tells of switches.
    pub(super) fn look(
        &mut self,
        log: &Log,
        mut switched: impl FnMut(View, &Audience),
    ) -> Result<(), StoreError> {
        if log.head() <= self.position {
            return Ok(());
        }
        for commit in log.commits_after(self.position) {
            let commit = commit?;
            for recorded in &commit {
                if let Event::ViewSwitched { view, audience, .. } = &recorded.event {
                    switched(*view, audience);
                }
                self.note(recorded);
            }
            self.position = commit.last().map_or(self.position, |last| last.position);
        }
        if self.clients.len() > MOST_CLIENTS {
            *self = Self::since(self.position);
        }
        Ok(())
    }

    fn note(&mut self, recorded: &EventRecord) {
        let position = recorded.position;
        match (&recorded.stream, &recorded.event) {
            // An import may change who is whom, what coaches are called, and which series a client has.
            (
                _,
                Event::DocumentImported(_)
                | Event::DocumentChanged(_)
                | Event::DocumentRemoved { .. },
            ) => self.everybody = position,
            (StreamId::Series { client, .. }, Event::AssignmentCreated { terms, .. }) => {
                self.touch(client, position);
                self.touch(&terms.stored_client, position);
            }
            (StreamId::Series { client, .. }, _) => self.touch(client, position),
            (
                StreamId::Control,
                Event::ViewSwitched { .. }
                | Event::BatchPlanned { .. }
                | Event::BatchApplied { .. }
                | Event::ValidationRecorded { .. }
                | Event::ParityRecorded { .. }
                | Event::ResponsesAttested { .. }
                | Event::BackupTaken { .. }
                | Event::StageRecorded { .. },
            ) => {}
            _ => self.everybody = position,
        }
    }

    fn touch(&mut self, client: &str, position: Position) {
        match self.clients.get_mut(client) {
            Some(last) => *last = position,
            None => {
                self.clients.insert(client.to_owned(), position);
            }
        }
    }
}

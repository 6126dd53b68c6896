//! An implementation of `Ordering` in memory: one thread that receives commits. It is the smallest
//! implementation of the contract, written from its clauses and not from the log's code.
//!
//! With [`Sequencer::with_copy`] it plays the part of a cluster: it puts the commits into order,
//! and a log is only the copy of one node. The tests of other crates include this file.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering as Memory};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use rollbook_domain::NewEvent;
use rollbook_domain::Timestamp;
use rollbook_domain::event::{EventRecord, Position, Version};
use rollbook_log::{
    Answer, AppendError, Commit, CommitReceipt, Log, LogError, Ordering, PendingCommit,
};
use uuid::Uuid;

pub struct Sequencer {
    proposals: Mutex<Sender<(Commit, Answer)>>,
    head: Arc<AtomicU64>,
    state: Arc<Mutex<State>>,
}

impl Default for Sequencer {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Sequencer {
    /// Appends every accepted commit to `copy`, an empty log, before it acknowledges the commit.
    /// The copy must give it the same positions: if something else appends to the copy, the
    /// sequencer stops and every later commit fails.
    #[allow(dead_code)]
    pub fn with_copy(copy: Log) -> Self {
        Self::new(Some(copy))
    }

    /// How many commits were accepted.
    #[allow(dead_code)]
    pub fn accepted(&self) -> usize {
        self.state.lock().unwrap().accepted
    }

    fn new(copy: Option<Log>) -> Self {
        let (proposals, incoming) = channel::<(Commit, Answer)>();
        let head = Arc::new(AtomicU64::new(0));
        let state = Arc::new(Mutex::new(State::default()));
        let (published, shared) = (head.clone(), state.clone());
        std::thread::spawn(move || {
            for (commit, answer) in incoming {
                let mut state = shared.lock().unwrap();
                let outcome = state.order(&commit);
                if let (Some(copy), Ok(committed)) = (&copy, &outcome)
                    && !committed.repeated
                {
                    assert_eq!(copy.append(state.last_commit(commit)).unwrap(), *committed);
                }
                published.store(state.head, Memory::Release);
                drop(state);
                answer.send(outcome);
            }
        });
        Self { proposals: Mutex::new(proposals), head, state }
    }
}

impl Ordering for Sequencer {
    fn submit(&self, commit: Commit) -> PendingCommit {
        let (answer, pending) = PendingCommit::channel();
        self.proposals.lock().unwrap().send((commit, answer)).unwrap();
        pending
    }

    fn head(&self) -> Position {
        self.head.load(Memory::Acquire)
    }

    fn events(&self, committed: CommitReceipt) -> Result<Vec<EventRecord>, LogError> {
        let positions = committed.first..=committed.last;
        let state = self.state.lock().unwrap();
        Ok(state
            .events
            .iter()
            .filter(|event| positions.contains(&event.position))
            .cloned()
            .collect())
    }

    fn requested_under(&self, key: &str) -> Result<Option<([u8; 32], CommitReceipt)>, LogError> {
        let known = self.state.lock().unwrap().keys.get(key).copied();
        Ok(known
            .map(|(request, committed)| (request, CommitReceipt { repeated: true, ..committed })))
    }
}

#[derive(Default)]
struct State {
    head: Position,
    versions: HashMap<String, Version>,
    ids: HashSet<Uuid>,
    keys: HashMap<String, ([u8; 32], CommitReceipt)>,
    events: Vec<EventRecord>,
    accepted: usize,
}

impl State {
    /// The commit that was accepted last, with the ids of its events.
    fn last_commit(&self, mut commit: Commit) -> Commit {
        let recorded = &self.events[self.events.len() - commit.events.len()..];
        commit.events = commit
            .events
            .into_iter()
            .zip(recorded)
            .map(|(event, recorded)| NewEvent { id: Some(recorded.id), ..event })
            .collect();
        commit
    }

    fn order(&mut self, commit: &Commit) -> Result<CommitReceipt, AppendError> {
        if commit.events.is_empty() {
            return Err(AppendError::Empty);
        }
        let names = commit
            .events
            .iter()
            .map(|event| event.stream.to_string())
            .chain(commit.key.iter().map(|key| key.key.clone()));
        if let Some(name) = names.into_iter().find(|name| name.contains('\0')) {
            return Err(AppendError::BadName { name });
        }
        if let Some((key, (request, committed))) =
            commit.key.as_ref().and_then(|key| Some((key, *self.keys.get(&key.key)?)))
        {
            let CommitReceipt { first, last, .. } = committed;
            let same = key.request == request;
            return if same {
                Ok(CommitReceipt { repeated: true, ..committed })
            } else {
                Err(AppendError::KeyReused { key: key.key.clone(), first, last })
            };
        }
        for (stream, expected) in &commit.expected {
            let actual = self.versions.get(&stream.to_string()).copied().unwrap_or_default();
            if !expected.admits(actual) {
                return Err(AppendError::VersionConflict {
                    stream: stream.to_string(),
                    expected: *expected,
                    actual,
                });
            }
        }
        let mut own = HashSet::new();
        for id in commit.events.iter().filter_map(|event| event.id) {
            if self.ids.contains(&id) || !own.insert(id) {
                return Err(AppendError::DuplicateEvent { id });
            }
        }
        self.ids.extend(own);
        for (event, position) in commit.events.iter().zip(self.head + 1..) {
            let version = self.versions.entry(event.stream.to_string()).or_default();
            *version += 1;
            self.events.push(EventRecord {
                position,
                stream: event.stream.clone(),
                version: *version,
                id: event.id.unwrap_or_else(Uuid::now_v7),
                occurred_at: event.occurred_at,
                recorded_at: Timestamp::EPOCH,
                actor: commit.actor.clone(),
                cause: commit.cause.clone(),
                event: event.event.clone(),
            });
        }
        let committed = CommitReceipt {
            first: self.head + 1,
            last: self.head + commit.events.len() as u64,
            repeated: false,
        };
        self.head = committed.last;
        self.accepted += 1;
        if let Some(key) = &commit.key {
            self.keys.insert(key.key.clone(), (key.request, committed));
        }
        Ok(committed)
    }
}

//! The one loop that decides on a stream's state and appends: load, decide, append, and again when
//! another writer was faster.

use rollbook_domain::event::Version;
use rollbook_domain::{Event, NewEvent, Number, Position, StreamId, Timestamp};
use rollbook_log::{AppendError, Commit, Committed, ExpectedVersion, IdempotencyKey};

use super::request::{Request, with_given_key};
use super::{Store, StoreError};

/// What a request led to.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// These events are in the log.
    Done {
        /// The events, in order.
        events: Vec<Written>,
        /// Whether an earlier request under the same key wrote them.
        repeated: bool,
    },
    /// Nothing needed to be written.
    Nothing,
    /// The week was answered before.
    AlreadyCompleted {
        /// The first response; empty where an import stored the week completed without one.
        response: String,
        /// Its score.
        score: Option<Number>,
    },
}

impl Outcome {
    /// The events in the log; none where nothing was written.
    pub fn events(&self) -> &[Written] {
        match self {
            Self::Done { events, .. } => events,
            Self::Nothing | Self::AlreadyCompleted { .. } => &[],
        }
    }

    /// Whether an earlier request under the same key wrote the events.
    pub fn is_repeated(&self) -> bool {
        matches!(self, Self::Done { repeated: true, .. })
    }
}

/// An event and its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The position.
    pub position: Position,
    /// The event.
    pub event: Event,
}

/// A decision on a stream's state.
pub(crate) enum Proposal {
    /// Append these events.
    Append(Vec<NewEvent>),
    /// Append nothing.
    Settled(Outcome),
}

/// How often a request is decided when other writers are faster each time.
const ATTEMPTS: usize = 16;

impl Store {
    /// Loads the state of a stream and its version, decides, and appends if the stream is still at
    /// this version; else again.
    ///
    /// # Errors
    /// Those of `load` and `decide`; [`StoreError::Contended`] after 16 attempts; when the log
    /// cannot be written.
    pub(crate) fn decide_and_append<S>(
        &self,
        stream: &StreamId,
        request: &Request,
        key: Option<&IdempotencyKey>,
        load: impl Fn() -> Result<(S, Version), StoreError>,
        decide: impl Fn(&S) -> Result<Proposal, StoreError>,
    ) -> Result<Outcome, StoreError> {
        let _lock = self.stream_locks.lock(stream);
        for _attempt in 0..ATTEMPTS {
            let (state, version) = load()?;
            let events = match decide(&state)? {
                Proposal::Append(events) => events,
                Proposal::Settled(outcome) => return Ok(outcome),
            };
            let expected = (stream.clone(), ExpectedVersion::Exact(version));
            match self.append(events, expected, request, key) {
                Err(StoreError::Append(
                    AppendError::VersionConflict { .. } | AppendError::DuplicateEvent { .. },
                )) => {}
                outcome => return outcome,
            }
        }
        Err(StoreError::Contended(stream.to_string()))
    }

    fn append(
        &self,
        events: Vec<NewEvent>,
        expected: (StreamId, ExpectedVersion),
        request: &Request,
        key: Option<&IdempotencyKey>,
    ) -> Result<Outcome, StoreError> {
        let submitted: Vec<Event> = events.iter().map(|new| new.event.clone()).collect();
        let commit = Commit {
            events,
            expected: vec![expected],
            actor: request.actor.clone(),
            cause: request.cause(),
            key: key.cloned(),
        };
        let committed = self.ordering().append(commit).map_err(with_given_key)?;
        if committed.repeated {
            return self.read_back(committed);
        }
        let events = submitted.into_iter().zip(committed.first..);
        let events = events.map(|(event, position)| Written { position, event }).collect();
        Ok(Outcome::Done { events, repeated: false })
    }

    /// The outcome of an earlier request under the same key.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) fn read_back(&self, committed: Committed) -> Result<Outcome, StoreError> {
        self.counts.commit_read();
        let mut events = Vec::new();
        for commit in self.log().commits_after(committed.first - 1) {
            let commit = commit?;
            let is_last = commit.last().is_none_or(|event| event.position >= committed.last);
            events.extend(
                (commit.into_iter())
                    .filter(|recorded| recorded.position <= committed.last)
                    .map(|recorded| Written { position: recorded.position, event: recorded.event }),
            );
            if is_last {
                break;
            }
        }
        Ok(Outcome::Done { events, repeated: true })
    }
}

/// A new event. One that creates a thing has that thing's id, so that the log admits it once.
pub(crate) fn new_event(stream: &StreamId, now: Timestamp, event: Event) -> NewEvent {
    let id = match &event {
        Event::AssignmentCreated { assignment, .. } => Some(*assignment),
        Event::ResponseSubmitted { response, .. } => response.parse().ok(),
        Event::ResponsePlaced(placement) => Some(placement.correction),
        _ => None,
    };
    NewEvent { stream: stream.clone(), id, occurred_at: now, event }
}

//! The one loop that decides on the state of a stream and appends: load, decide, append, and retry
//! if another writer was faster.

use rollbook_domain::event::Version;
use rollbook_domain::{Event, NewEvent, Number, Position, StreamId, Timestamp};
use rollbook_log::{AppendError, Commit, CommitReceipt, ExpectedVersion, IdempotencyKey};

use super::request::{Request, with_given_key};
use super::{Store, StoreError};

/// The outcome of a request.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The events are in the log.
    Done {
        /// The events, in order.
        events: Vec<WrittenEvent>,
        /// Whether an earlier request with the same idempotency key wrote them.
        repeated: bool,
    },
    /// There was nothing to write.
    Nothing,
    /// The week was completed before.
    AlreadyCompleted {
        /// The first response; empty if an import stored the week as completed without one.
        response: String,
        /// The score of that response.
        score: Option<Number>,
    },
}

impl Outcome {
    /// Returns the events; none if nothing was written.
    pub fn events(&self) -> &[WrittenEvent] {
        match self {
            Self::Done { events, .. } => events,
            Self::Nothing | Self::AlreadyCompleted { .. } => &[],
        }
    }

    /// Whether an earlier request with the same idempotency key wrote the events.
    pub fn is_repeated(&self) -> bool {
        matches!(self, Self::Done { repeated: true, .. })
    }
}

/// An event and its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenEvent {
    /// The position.
    pub position: Position,
    /// The event.
    pub event: Event,
}

/// A decision on the state of a stream.
pub(crate) enum Proposal {
    /// Append these events.
    Append(Vec<NewEvent>),
    /// Append nothing.
    Settled(Outcome),
}

/// The number of attempts if other writers are faster each time.
const ATTEMPTS: usize = 16;

impl Store {
    /// Loads the state of a stream and its version, decides, and appends with that expected
    /// version. Retries if another writer was faster.
    ///
    /// # Errors
    /// Those of `load` and `decide`; [`StoreError::Contended`] after 16 attempts; if the log cannot
    /// be written.
    pub(crate) fn decide_and_append<S>(
        &self,
        stream: &StreamId,
        request: &Request,
        key: Option<&IdempotencyKey>,
        load: impl Fn() -> Result<(S, Version), StoreError>,
        decide: impl Fn(&S) -> Result<Proposal, StoreError>,
    ) -> Result<Outcome, StoreError> {
        let _lock = self.stream_locks.lock(stream);
        // The same request may have been written while this one waited.
        if let Some(committed) = self.committed_since(key)? {
            return self.read_back(committed);
        }
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
        let committed =
            self.ordering().append(commit).map_err(|error| with_given_key(error, request))?;
        if committed.repeated {
            return self.read_back(committed);
        }
        let events = submitted.into_iter().zip(committed.first..);
        let events = events.map(|(event, position)| WrittenEvent { position, event }).collect();
        Ok(Outcome::Done { events, repeated: false })
    }

    /// Reads the outcome of an earlier request with the same idempotency key.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub(crate) fn read_back(&self, committed: CommitReceipt) -> Result<Outcome, StoreError> {
        self.counts.commit_read();
        let mut events = Vec::new();
        for commit in self.log().commits_after(committed.first - 1) {
            let commit = commit?;
            let is_last = commit.last().is_none_or(|event| event.position >= committed.last);
            events.extend(
                (commit.into_iter()).filter(|recorded| recorded.position <= committed.last).map(
                    |recorded| WrittenEvent { position: recorded.position, event: recorded.event },
                ),
            );
            if is_last {
                break;
            }
        }
        Ok(Outcome::Done { events, repeated: true })
    }
}

/// Makes a new event. An event that creates something has its id, so the log accepts it only once.
pub(crate) fn new_event(stream: &StreamId, now: Timestamp, event: Event) -> NewEvent {
    let id = match &event {
        Event::AssignmentCreated { assignment, .. } => Some(*assignment),
        Event::ResponseSubmitted { response, .. } => response.parse().ok(),
        Event::ResponsePlaced(placement) => Some(placement.correction),
        Event::WeekNumberSet(setting) => setting.correction,
        _ => None,
    };
    NewEvent { stream: stream.clone(), id, occurred_at: now, event }
}

//! The way of a write: request → decision → commit → acknowledged. Owns that a decision is taken on the series as it is,
//! taken again when another writer was faster, and carried out once for each idempotency key.

use rollbook_domain::event::{Audience, MissedReason, View};
use rollbook_domain::series::decide::{Allocation, Correction, Decider, Decision};
use rollbook_domain::{Actor, Event, EventRecord, JsonText, NewEvent, Number, StreamId, Timestamp};
use rollbook_log::{AppendError, Commit, Committed, ExpectedVersion, IdempotencyKey};
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Store;
use crate::store::StoreError;

/// Who asks, when, and under which key.
#[derive(Clone, Debug)]
pub struct Request {
    /// On whose behalf.
    pub actor: Actor,
    /// When.
    pub now: Timestamp,
    /// The caller's name for this request; asking again under it does nothing twice.
    pub key: Option<String>,
    /// What caused it, where it has no key: the id of the request that brought it. Default a new id.
    pub cause: Option<String>,
}

/// A command on one series.
#[derive(Clone, Debug)]
pub enum SeriesCommand {
    /// Allocate the form.
    Allocate(Allocation),
    /// Answer a week.
    Respond {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The answers, a JSON array.
        answers: JsonText,
        /// The score, where it is given.
        score: Option<u32>,
    },
    /// Mark a week missed.
    Miss {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// Why.
        reason: MissedReason,
        /// In the client's words.
        comment: Option<String>,
    },
    /// Grant more time.
    Extend {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// Why.
        reason: String,
    },
    /// Ask for a closed week.
    AskToReopen {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// In the client's words.
        reason: String,
    },
    /// Correct a week.
    Correct {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// What of it.
        correction: Correction,
    },
    /// Open a closed week.
    Reopen {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
    },
    /// Pause the latest run.
    Pause {
        /// For how many weeks.
        weeks: u32,
    },
    /// Take back the latest pause.
    Resume,
    /// Take the latest run away.
    Withdraw {
        /// Whether answered weeks stay in the views.
        keep_answered: bool,
        /// Why.
        reason: String,
    },
    /// Take one week away, or clear its answer.
    WithdrawWeek {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// Why.
        reason: String,
    },
    /// Answer a response.
    Feedback {
        /// The response.
        response: String,
        /// The coach.
        coach: String,
        /// The coach's words.
        text: String,
    },
}

/// What a command led to.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// These events are in the log.
    Done {
        /// The events.
        events: Vec<EventRecord>,
        /// Whether they were there before, under the same key.
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

/// How often a command is decided anew when other writers are faster.
pub(super) const ATTEMPTS: usize = 16;

impl Store {
    /// Carries out a command on a series.
    ///
    /// # Errors
    /// Why it is refused, or what failed. Then nothing was written.
    pub fn command(
        &self,
        stream: &StreamId,
        command: &SeriesCommand,
        request: &Request,
    ) -> Result<Outcome, StoreError> {
        let key = request
            .key
            .as_ref()
            .map(|key| idempotency(key, &(stream.to_string(), format!("{command:?}"))));
        if let Some(before) = self.repeated(key.as_ref(), request)? {
            return Ok(before);
        }
        let zone = self.zone()?;
        let StreamId::Series { client, form } = stream else {
            return Err(StoreError::NoSeries(stream.to_string()));
        };
        if self.log().is_erased(stream) {
            return Err(AppendError::ClientErased { stream: stream.to_string() }.into());
        }
        let _turn = self.turns.take(stream);
        for _attempt in 0..ATTEMPTS {
            let (series, version) = self.series(stream)?;
            let decider = Decider { client, form, series: &series, now: request.now, zone };
            let events = match decide(&decider, command)? {
                Decision::Append(events) if events.is_empty() => return Ok(Outcome::Nothing),
                Decision::Append(events) => events,
                Decision::AlreadyAnswered { response, score } => {
                    return Ok(Outcome::AlreadyCompleted { response, score });
                }
            };
            let events =
                events.into_iter().map(|event| new_event(stream, request.now, event)).collect();
            let expected = vec![(stream.clone(), ExpectedVersion::Exact(version))];
            match self.append(events, expected, request, key.clone()) {
                Err(StoreError::Append(
                    AppendError::VersionConflict { .. } | AppendError::DuplicateEvent { .. },
                )) => {}
                outcome => return outcome,
            }
        }
        Err(StoreError::Contended(stream.to_string()))
    }

    /// Switches which view serves whom.
    ///
    /// # Errors
    /// Why it is refused, or what failed. Then nothing was written.
    pub fn switch(
        &self,
        view: View,
        audience: &Audience,
        reason: &str,
        force: bool,
        request: &Request,
    ) -> Result<Outcome, StoreError> {
        let key = request
            .key
            .as_ref()
            .map(|key| idempotency(key, &("switch", view, audience, reason, force)));
        if let Some(before) = self.repeated(key.as_ref(), request)? {
            return Ok(before);
        }
        let _turn = self.turns.take(&StreamId::Control);
        for _attempt in 0..ATTEMPTS {
            let version = self.log().stream_version(&StreamId::Control)?;
            let event = self.control()?.decide_switch(view, audience.clone(), reason, force)?;
            let expected = vec![(StreamId::Control, ExpectedVersion::Exact(version))];
            match self.append(
                vec![new_event(&StreamId::Control, request.now, event)],
                expected,
                request,
                key.clone(),
            ) {
                Err(StoreError::Append(AppendError::VersionConflict { .. })) => {}
                outcome => return outcome,
            }
        }
        Err(StoreError::Contended(StreamId::Control.to_string()))
    }

    fn append(
        &self,
        events: Vec<NewEvent>,
        expected: Vec<(StreamId, ExpectedVersion)>,
        request: &Request,
        key: Option<IdempotencyKey>,
    ) -> Result<Outcome, StoreError> {
        let cause = request
            .key
            .clone()
            .or_else(|| request.cause.clone())
            .unwrap_or_else(|| Uuid::now_v7().to_string());
        let appended = self.ordering().append(Commit {
            events,
            expected,
            actor: request.actor.clone(),
            cause,
            key,
        });
        self.done(appended.map_err(as_the_caller_knows)?)
    }

    /// The request as it was when its key was first used: what follows from the clock then is the same request's again.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn first_asked(&self, request: Request) -> Result<Request, StoreError> {
        let Some(key) = &request.key else { return Ok(request) };
        let Some(committed) = self.log().committed_under(&format!("{KEY_PREFIX}{key}"))? else {
            return Ok(request);
        };
        let first = self.log().at(committed.first)?;
        Ok(Request { now: first.map_or(request.now, |recorded| recorded.occurred_at), ..request })
    }

    /// What a key led to before; a key of another request is an error.
    pub(crate) fn repeated(
        &self,
        key: Option<&IdempotencyKey>,
        request: &Request,
    ) -> Result<Option<Outcome>, StoreError> {
        let Some(key) = key else { return Ok(None) };
        if self.log().committed_under(&key.key)?.is_none() {
            return Ok(None);
        }
        // The log itself compares the requests; under a known key it never writes the events it is given.
        let probe = Event::StageRecorded { stage: String::new(), note: String::new() };
        let probe = new_event(&StreamId::Control, request.now, probe);
        self.append(vec![probe], Vec::new(), request, Some(key.clone())).map(Some)
    }

    fn done(&self, committed: Committed) -> Result<Outcome, StoreError> {
        let mut events = Vec::new();
        for commit in self.log().commits_after(committed.first - 1) {
            events.extend(commit?);
            if events.last().is_some_and(|event| event.position >= committed.last) {
                break;
            }
        }
        events.retain(|event| event.position <= committed.last);
        Ok(Outcome::Done { events, repeated: committed.repeated })
    }
}

fn decide(decider: &Decider<'_>, command: &SeriesCommand) -> Result<Decision, StoreError> {
    let events = match command {
        SeriesCommand::Respond { run, week, answers, score } => {
            return Ok(decider.respond(*run, *week, answers.clone(), *score)?);
        }
        SeriesCommand::Allocate(allocation) => decider.allocate(allocation),
        SeriesCommand::Miss { run, week, reason, comment } => {
            decider.miss(*run, *week, *reason, comment.clone())
        }
        SeriesCommand::Extend { run, week, reason } => decider.extend(*run, *week, reason.clone()),
        SeriesCommand::AskToReopen { run, week, reason } => {
            decider.request_reopen(*run, *week, reason.clone())
        }
        SeriesCommand::Correct { run, week, correction } => {
            decider.correct(*run, *week, correction)
        }
        SeriesCommand::Reopen { run, week } => decider.reopen(*run, *week),
        SeriesCommand::Pause { weeks } => decider.pause(*weeks),
        SeriesCommand::Resume => decider.resume(),
        SeriesCommand::Withdraw { keep_answered, reason } => {
            decider.withdraw(*keep_answered, reason.clone())
        }
        SeriesCommand::WithdrawWeek { run, week, reason } => {
            decider.withdraw_week(*run, *week, reason.clone())
        }
        SeriesCommand::Feedback { response, coach, text } => {
            decider.give_feedback(response, coach, text.clone())
        }
    };
    Ok(Decision::Append(events?))
}

/// An event that names what it makes has that thing's id: the log itself then admits it once.
fn new_event(stream: &StreamId, now: Timestamp, event: Event) -> NewEvent {
    let id = match &event {
        Event::AssignmentCreated { assignment, .. } => Some(*assignment),
        Event::ResponseSubmitted { response, .. } => response.parse().ok(),
        _ => None,
    };
    NewEvent { stream: stream.clone(), id, occurred_at: now, event }
}

/// Keys of requests have a prefix in the log, so that no caller can name a key of an import or a batch.
const KEY_PREFIX: &str = "request/";

fn as_the_caller_knows(error: AppendError) -> AppendError {
    match error {
        AppendError::KeyReused { key, first, last } => AppendError::KeyReused {
            key: key.strip_prefix(KEY_PREFIX).unwrap_or(&key).to_owned(),
            first,
            last,
        },
        other => other,
    }
}

pub(crate) fn idempotency(key: &str, request: &impl Serialize) -> IdempotencyKey {
    // Tuples of strings, numbers and enums: nothing that can fail to be written.
    let canonical = serde_json::to_vec(request).unwrap_or_default();
    IdempotencyKey { key: format!("{KEY_PREFIX}{key}"), request: Sha256::digest(canonical).into() }
}

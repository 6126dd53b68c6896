//! Commands on one series. The domain decides; this module loads the series, binds the idempotency
//! key and appends.

use std::cell::Cell;

use rollbook_domain::series::decide::{Decider, Decision};
use rollbook_domain::{Event, StreamId, Timestamp};
use rollbook_log::AppendError;

use super::append::{Outcome, Proposal, new_event};
use super::reading::Reading;
use super::request::Request;
use super::request_digest::KeyedRequest;
use super::series_command::SeriesCommand;
use super::{Store, StoreError};

impl Store {
    /// Executes a command on a series, with a snapshot of its own.
    ///
    /// # Errors
    /// As [`Reading::command`].
    pub fn command(
        &self,
        stream: &StreamId,
        command: &SeriesCommand,
        request: &Request,
    ) -> Result<Outcome, StoreError> {
        self.reading().command(stream, command, request)
    }
}

impl Reading<'_> {
    /// Executes a command on a series. The series is folded once, unless another writer is faster.
    ///
    /// # Errors
    /// If a rule forbids the command, or if the store fails. Then nothing was written.
    pub fn command(
        &self,
        stream: &StreamId,
        command: &SeriesCommand,
        request: &Request,
    ) -> Result<Outcome, StoreError> {
        let store = self.store();
        let bound = store.bind_key(request, KeyedRequest::Command(stream, command))?;
        if let Some(committed) = bound.as_ref().and_then(|bound| bound.committed) {
            return store.read_back(committed);
        }
        let StreamId::Series { client, form } = stream else {
            return Err(StoreError::NoSeries(stream.to_string()));
        };
        if store.log().is_erased(stream) {
            return Err(AppendError::ClientErased { stream: stream.to_string() }.into());
        }
        let zone = self.zone()?;
        let decided_on = Cell::new(0);
        let outcome = store.decide_and_append(
            stream,
            request,
            bound.as_ref().map(|bound| &bound.key),
            || {
                let folded = self.current_series(stream)?;
                decided_on.set(folded.version);
                Ok((folded, decided_on.get()))
            },
            |folded| {
                let now = request.now;
                let decider = Decider { client, form, series: &folded.series, now, zone };
                Ok(match decide(&decider, command)? {
                    Decision::Append(events) if events.is_empty() => {
                        Proposal::Settled(Outcome::Nothing)
                    }
                    Decision::Append(events) => Proposal::Append(
                        events.into_iter().map(|event| new_event(stream, now, event)).collect(),
                    ),
                    Decision::AlreadyAnswered { response, score } => {
                        Proposal::Settled(Outcome::AlreadyCompleted { response, score })
                    }
                })
            },
        )?;
        if let Outcome::Done { events, repeated: false } = &outcome {
            self.forget(stream);
            store.advance_series(stream, decided_on.get(), events);
        }
        Ok(outcome)
    }
}

impl Reading<'_> {
    /// Returns the events that a command on a series would append now. Writes nothing.
    ///
    /// # Errors
    /// As [`Reading::command`].
    pub fn proposed(
        &self,
        stream: &StreamId,
        command: &SeriesCommand,
        now: Timestamp,
    ) -> Result<Vec<Event>, StoreError> {
        let StreamId::Series { client, form } = stream else {
            return Err(StoreError::NoSeries(stream.to_string()));
        };
        if self.store().log().is_erased(stream) {
            return Err(AppendError::ClientErased { stream: stream.to_string() }.into());
        }
        let (folded, zone) = (self.current_series(stream)?, self.zone()?);
        let decider = Decider { client, form, series: &folded.series, now, zone };
        Ok(match decide(&decider, command)? {
            Decision::Append(events) => events,
            Decision::AlreadyAnswered { .. } => Vec::new(),
        })
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
        SeriesCommand::WithdrawWeek { run, week, assignment: None, reason } => {
            decider.withdraw_week(*run, *week, reason.clone())
        }
        SeriesCommand::WithdrawWeek { run, week, assignment: Some(named), reason } => {
            decider.withdraw_assignment(*run, *week, named, reason.clone())
        }
        SeriesCommand::Feedback { response, coach, text } => {
            decider.give_feedback(response, coach, text.clone())
        }
        SeriesCommand::Repair(repair) => decider.repair(repair),
    };
    Ok(Decision::Append(events?))
}

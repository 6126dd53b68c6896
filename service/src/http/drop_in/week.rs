//! The week that a path names, and whose it is. Owns that nobody learns from a refusal whether another's assignment exists, and that
//! whoever names a coach names the right one.

use rollbook_application::store::StoreError;
use rollbook_application::store::{Named, Outcome, Request, SeriesCommand, Store};
use rollbook_domain::document::StoredAssignment;
use rollbook_domain::series::decide::Decider;
use rollbook_domain::{Event, Position, StreamId, Timestamp};

use super::super::caller::Writing;
use super::super::error::ApiError;
use crate::access::{Caller, Permission};

/// What a caller wants of a client's week.
#[derive(Clone, Copy, Debug)]
pub(super) enum As<'a> {
    /// To see it.
    Reader,
    /// To act as the client.
    Client,
    /// To act as the coach, whom the request may name.
    Coach(Option<&'a str>),
}

impl As<'_> {
    fn of<'a>(&'a self, client: &'a str) -> Permission<'a> {
        match *self {
            Self::Reader => Permission::CheckIns(client),
            Self::Client => Permission::AnswerFor(client),
            Self::Coach(coach) => Permission::CoachOf { client, coach },
        }
    }
}

/// The client of a series; empty for a stream that is none.
pub(super) fn client_of(stream: &StreamId) -> &str {
    if let StreamId::Series { client, .. } = stream { client } else { "" }
}

/// The week that an id names, for a caller who may see it.
pub(super) fn seen(store: &Store, caller: &Caller, id: &str) -> Result<Named, ApiError> {
    let named = found(store, caller, store.assignment(id))?;
    caller.authorize(store, As::Reader.of(client_of(&named.stream)))?;
    Ok(named)
}

/// What an id led to; that it led to nothing is told only to those who may know.
pub(super) fn found<T>(
    store: &Store,
    caller: &Caller,
    found: Result<T, StoreError>,
) -> Result<T, ApiError> {
    match found {
        Err(
            unknown @ (StoreError::UnknownAssignment(_)
            | StoreError::UnknownResponse(_)
            | StoreError::UnknownSeries(_)),
        ) => {
            caller.authorize(store, Permission::Absence)?;
            Err(unknown.into())
        }
        other => Ok(other?),
    }
}

/// A command on a week, for a caller who may give it: the week, and what came of it.
pub(super) fn command(
    store: &Store,
    writing: &Writing,
    id: &str,
    who: As<'_>,
    command: impl FnOnce(u32, u32) -> SeriesCommand,
) -> Result<(Named, Outcome), ApiError> {
    let named = found(store, writing.caller(), store.assignment(id))?;
    let request = writing.request(store, who.of(client_of(&named.stream)))?;
    if let As::Coach(coach) = who {
        is_its_coach(store, &named.stream, coach)?;
    }
    let outcome = store.command(&named.stream, &command(named.run, named.week), &request)?;
    Ok((named, outcome))
}

/// A command on a series, for the coach of its client.
pub(super) fn series_command(
    store: &Store,
    writing: &Writing,
    (client, form): (&str, &str),
    coach: &str,
    command: &SeriesCommand,
) -> Result<(StreamId, Outcome), ApiError> {
    let request = as_coach(store, writing, client, Some(coach))?;
    let stream = found(store, writing.caller(), store.series_of(client, form))?;
    is_its_coach(store, &stream, Some(coach))?;
    let outcome = store.command(&stream, command, &request)?;
    Ok((stream, outcome))
}

/// A request on behalf of a client's coach.
pub(super) fn as_coach(
    store: &Store,
    writing: &Writing,
    client: &str,
    coach: Option<&str>,
) -> Result<Request, ApiError> {
    writing.request(store, Permission::CoachOf { client, coach })
}

/// Whoever names a coach names the client's, or one who allocated a week of the series.
pub(super) fn is_its_coach(
    store: &Store,
    stream: &StreamId,
    coach: Option<&str>,
) -> Result<(), ApiError> {
    let Some(coach) = coach else { return Ok(()) };
    if store.coach_of(client_of(stream))? == coach {
        return Ok(());
    }
    let (series, _) = store.series(stream)?;
    let has_allocated = series.items.iter().any(|item| item.stored.coach == coach);
    if has_allocated { Ok(()) } else { Err(crate::access::AccessDenied::Forbidden.into()) }
}

/// A week as it is, or as an answer would make it.
pub(super) fn stored(
    store: &Store,
    named: &Named,
    now: Timestamp,
) -> Result<StoredAssignment, ApiError> {
    let StreamId::Series { client, form } = &named.stream else {
        return Err(ApiError::not_found("Assignment not found"));
    };
    let (series, _) = store.series(&named.stream)?;
    let decider = Decider { client, form, series: &series, now, zone: store.zone()? };
    Ok(decider.assignment(named.run, named.week)?)
}

/// The last event of a week that `of` takes something from, and what it takes.
pub(super) fn latest<T>(
    store: &Store,
    named: &Named,
    of: impl Fn(&Event, u32, u32) -> Option<T>,
) -> Result<Option<(Timestamp, T)>, ApiError> {
    let events = store.log().stream(&named.stream, 0).map_err(StoreError::from)?;
    let taken = events.iter().rev().find_map(|recorded| {
        Some((recorded.occurred_at, of(&recorded.event, named.run, named.week)?))
    });
    Ok(taken)
}

/// The position that a write was given, or, where nothing was written, the one it was decided at.
pub(super) fn position(store: &Store, outcome: &Outcome) -> Position {
    match outcome {
        Outcome::Done { events, .. } => {
            events.last().map_or_else(|| store.log().head(), |last| last.position)
        }
        Outcome::Nothing | Outcome::AlreadyCompleted { .. } => store.log().head(),
    }
}

//! Resolves the week of a path and authorizes the caller. A refusal never reveals whether an
//! assignment of another client exists. A coach that a request names must be a coach of the client.

use rollbook_application::store::{Outcome, Reading, Request, SeriesCommand, StoreError, WeekRef};
use rollbook_domain::document::StoredAssignment;
use rollbook_domain::series::decide::Decider;
use rollbook_domain::{Event, Position, StreamId, Timestamp};

use super::super::caller::WriteRequest;
use super::super::error::ApiError;
use crate::access::{Caller, Permission};

/// The role in which a caller uses a client's week.
#[derive(Clone, Copy, Debug)]
pub(super) enum As<'a> {
    /// Reads the week.
    Reader,
    /// Acts as the client.
    Client,
    /// Acts as the coach. The request may name the coach.
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

/// Returns the client of a series; empty for any other stream.
pub(super) fn client_of(stream: &StreamId) -> &str {
    if let StreamId::Series { client, .. } = stream { client } else { "" }
}

/// Returns the week that an id names, if the caller may see it.
pub(super) fn seen(reading: &Reading<'_>, caller: &Caller, id: &str) -> Result<WeekRef, ApiError> {
    let named = found(reading, caller, reading.assignment(id))?;
    caller.authorize_in(reading, As::Reader.of(client_of(&named.stream)))?;
    Ok(named)
}

/// Resolves an id. An unknown id is reported as such only to callers who may know that, and as
/// forbidden to others.
pub(super) fn found<T>(
    reading: &Reading<'_>,
    caller: &Caller,
    found: Result<T, StoreError>,
) -> Result<T, ApiError> {
    match found {
        Err(
            unknown @ (StoreError::UnknownAssignment(_)
            | StoreError::UnknownResponse(_)
            | StoreError::UnknownSeries(_)),
        ) => {
            caller.authorize_in(reading, Permission::Absence)?;
            Err(unknown.into())
        }
        other => Ok(other?),
    }
}

/// Returns the week that an id names, and the request, if the caller may act on the week.
pub(super) fn request(
    reading: &Reading<'_>,
    writing: &WriteRequest,
    id: &str,
    who: As<'_>,
) -> Result<(WeekRef, Request), ApiError> {
    let named = found(reading, writing.caller(), reading.assignment(id))?;
    let request = writing.request(reading, who.of(client_of(&named.stream)))?;
    if let As::Coach(coach) = who {
        is_its_coach(reading, &named.stream, coach)?;
    }
    Ok((named, request))
}

/// Executes a command on a week, if the caller has the permission. Returns the week and the
/// outcome.
pub(super) fn command(
    reading: &Reading<'_>,
    writing: &WriteRequest,
    id: &str,
    who: As<'_>,
    command: impl FnOnce(u32, u32) -> SeriesCommand,
) -> Result<(WeekRef, Outcome), ApiError> {
    let (named, request) = request(reading, writing, id, who)?;
    let outcome = reading.command(&named.stream, &command(named.run, named.week), &request)?;
    Ok((named, outcome))
}

/// Executes a command on a series, as the coach of its client.
pub(super) fn series_command(
    reading: &Reading<'_>,
    writing: &WriteRequest,
    (client, form): (&str, &str),
    coach: &str,
    command: &SeriesCommand,
) -> Result<(StreamId, Outcome), ApiError> {
    let request = as_coach(reading, writing, client, Some(coach))?;
    let stream = found(reading, writing.caller(), reading.series_of(client, form))?;
    is_its_coach(reading, &stream, Some(coach))?;
    let outcome = reading.command(&stream, command, &request)?;
    Ok((stream, outcome))
}

/// Makes the request of a client's coach.
pub(super) fn as_coach(
    reading: &Reading<'_>,
    writing: &WriteRequest,
    client: &str,
    coach: Option<&str>,
) -> Result<Request, ApiError> {
    writing.request(reading, Permission::CoachOf { client, coach })
}

/// Requires that a named coach is the client's coach, or allocated a week of the series.
pub(super) fn is_its_coach(
    reading: &Reading<'_>,
    stream: &StreamId,
    coach: Option<&str>,
) -> Result<(), ApiError> {
    let Some(coach) = coach else { return Ok(()) };
    if reading.coach_of(client_of(stream))? == coach {
        return Ok(());
    }
    let folded = reading.series(stream)?;
    let has_allocated = folded.series.items.iter().any(|item| item.stored.coach == coach);
    if has_allocated { Ok(()) } else { Err(crate::access::AccessDenied::Forbidden.into()) }
}

/// Returns a week as it is stored, or as a response would store it.
pub(super) fn stored(
    reading: &Reading<'_>,
    named: &WeekRef,
    now: Timestamp,
) -> Result<StoredAssignment, ApiError> {
    let StreamId::Series { client, form } = &named.stream else {
        return Err(ApiError::not_found("Assignment not found"));
    };
    let folded = reading.series(&named.stream)?;
    let decider = Decider { client, form, series: &folded.series, now, zone: reading.zone()? };
    Ok(decider.assignment(named.run, named.week)?)
}

/// Returns the last result of `of` for the events of a week, and the time of that event.
pub(super) fn latest<T>(
    reading: &Reading<'_>,
    named: &WeekRef,
    of: impl Fn(&Event, u32, u32) -> Option<T>,
) -> Result<Option<(Timestamp, T)>, ApiError> {
    let events = reading.store().log().stream(&named.stream, 0).map_err(StoreError::from)?;
    let taken = events.iter().rev().find_map(|recorded| {
        Some((recorded.occurred_at, of(&recorded.event, named.run, named.week)?))
    });
    Ok(taken)
}

/// Returns the last position of a write; if nothing was written, the position of the decision.
pub(super) fn position(reading: &Reading<'_>, outcome: &Outcome) -> Position {
    let last = outcome.events().last().map(|written| written.position);
    last.unwrap_or_else(|| reading.store().log().head())
}

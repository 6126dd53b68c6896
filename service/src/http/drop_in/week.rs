//! The week that a path names, and whose it is. A refusal never shows whether another client's
//! assignment exists. A coach whom a request names must be a coach of the client.

use rollbook_application::store::{Outcome, Reading, Request, SeriesCommand, StoreError, WeekRef};
use rollbook_domain::document::StoredAssignment;
use rollbook_domain::series::decide::Decider;
use rollbook_domain::{Event, Position, StreamId, Timestamp};

use super::super::caller::Writing;
use super::super::error::ApiError;
use crate::access::{Caller, Permission};

/// The capacity in which a caller uses a client's week.
#[derive(Clone, Copy, Debug)]
pub(super) enum As<'a> {
    /// To read it.
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
pub(super) fn seen(reading: &Reading<'_>, caller: &Caller, id: &str) -> Result<WeekRef, ApiError> {
    let named = found(reading, caller, reading.assignment(id))?;
    caller.authorize_in(reading, As::Reader.of(client_of(&named.stream)))?;
    Ok(named)
}

/// What an id means; an unknown id is reported only to callers who may know that it does not exist,
/// and to others as forbidden.
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

/// The week that an id names, and the request of a caller who may act on it.
pub(super) fn request(
    reading: &Reading<'_>,
    writing: &Writing,
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

/// A command on a week, for a caller who may give it: the week, and the outcome.
pub(super) fn command(
    reading: &Reading<'_>,
    writing: &Writing,
    id: &str,
    who: As<'_>,
    command: impl FnOnce(u32, u32) -> SeriesCommand,
) -> Result<(WeekRef, Outcome), ApiError> {
    let (named, request) = request(reading, writing, id, who)?;
    let outcome = reading.command(&named.stream, &command(named.run, named.week), &request)?;
    Ok((named, outcome))
}

/// A command on a series, for the coach of its client.
pub(super) fn series_command(
    reading: &Reading<'_>,
    writing: &Writing,
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

/// A request on behalf of a client's coach.
pub(super) fn as_coach(
    reading: &Reading<'_>,
    writing: &Writing,
    client: &str,
    coach: Option<&str>,
) -> Result<Request, ApiError> {
    writing.request(reading, Permission::CoachOf { client, coach })
}

/// A named coach must be the client's, or one who allocated a week of the series.
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

/// A week as it is, or as an answer would make it.
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

/// The result of `of` for the last event of a week that has one, and when that event happened.
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

/// The last position of a write; where nothing was written, the one it was decided at.
pub(super) fn position(reading: &Reading<'_>, outcome: &Outcome) -> Position {
    let last = outcome.events().last().map(|written| written.position);
    last.unwrap_or_else(|| reading.store().log().head())
}

//! The JSON of format 1, as types of its own.
//!
//! These bytes are public: the digest of a batch is computed over them, and the same file is
//! applied to several stores. Domain types may therefore change their shape without changing this
//! format; each value is converted here, at the edge. `tests/golden/` pins the bytes. Scalars
//! (instants, stream names, numbers, raw JSON) are written by their domain types, whose text form
//! is fixed.

use std::borrow::Cow;
use std::io;

use rollbook_domain::event::{LinkKind, Origin, RunTerms, Terms};
use rollbook_domain::{Event, JsonText, NewEvent, Number, Position, StreamId, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Counts, Header, Source};
use crate::rules::{BatchRules, DueRule};

/// The format of these types.
pub(super) const FORMAT: u64 = 1;

/// The fields of line 1 that say whether this build can read the rest.
#[derive(Deserialize)]
pub(super) struct FormatLine {
    pub(super) rollbook_batch: u64,
    pub(super) kind: String,
}

/// Line 1.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderLine<'a> {
    rollbook_batch: u64,
    kind: Cow<'a, str>,
    rules: RulesJson<'a>,
    source: SourceJson,
    counts: CountsJson,
    digest: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesJson<'a> {
    due: DueJson,
    zone: Cow<'a, str>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DueJson {
    Monday,
    Weekday,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceJson {
    log: Uuid,
    position: Position,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CountsJson {
    series: u64,
    events: u64,
    created: u64,
    linked: u64,
    adopted: u64,
}

/// Every other line.
#[derive(Serialize, Deserialize)]
pub(super) struct EventLine<'a> {
    stream: Cow<'a, StreamId>,
    id: Uuid,
    occurred_at: Timestamp,
    event: EventJson<'a>,
}

/// The events that a batch may contain.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
enum EventJson<'a> {
    AssignmentCreated {
        assignment: Uuid,
        run: u32,
        week: u32,
        due: Timestamp,
        origin: OriginJson,
        terms: TermsJson<'a>,
    },
    ResponseLinked {
        response: Cow<'a, str>,
        run: u32,
        week: u32,
        named: Cow<'a, str>,
        kind: LinkJson,
        completed_at: Option<Timestamp>,
        score: Option<Number>,
    },
}

/// A batch creates weeks for one reason only.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OriginJson {
    Migration,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LinkJson {
    Linked,
    Adopted,
}

#[derive(Serialize, Deserialize)]
struct TermsJson<'a> {
    stored_client: Cow<'a, str>,
    coach: Cow<'a, str>,
    title: Cow<'a, str>,
    description: Cow<'a, str>,
    assigned_by: Option<Cow<'a, str>>,
    assigned_at: Option<Timestamp>,
    window: Option<Cow<'a, JsonText>>,
    recurring: bool,
    total_weeks: u32,
}

impl<'a> From<&'a Header> for HeaderLine<'a> {
    fn from(header: &'a Header) -> Self {
        let Header { kind, rules, source, counts, digest } = header;
        let Source { log, position } = *source;
        let Counts { series, events, created, linked, adopted } = *counts;
        let due = match rules.due {
            DueRule::Monday => DueJson::Monday,
            DueRule::Weekday => DueJson::Weekday,
        };
        Self {
            rollbook_batch: FORMAT,
            kind: Cow::Borrowed(kind),
            rules: RulesJson { due, zone: Cow::Borrowed(&rules.zone) },
            source: SourceJson { log, position },
            counts: CountsJson { series, events, created, linked, adopted },
            digest: Cow::Borrowed(digest),
        }
    }
}

impl From<HeaderLine<'_>> for Header {
    fn from(line: HeaderLine<'_>) -> Self {
        let SourceJson { log, position } = line.source;
        let CountsJson { series, events, created, linked, adopted } = line.counts;
        let due = match line.rules.due {
            DueJson::Monday => DueRule::Monday,
            DueJson::Weekday => DueRule::Weekday,
        };
        Self {
            kind: line.kind.into_owned(),
            rules: BatchRules { due, zone: line.rules.zone.into_owned() },
            source: Source { log, position },
            counts: Counts { series, events, created, linked, adopted },
            digest: line.digest.into_owned(),
        }
    }
}

impl<'a> EventLine<'a> {
    /// The line of an event; `None` for an event that a batch cannot contain.
    pub(super) fn of(new: &'a NewEvent) -> Option<Self> {
        let event = match &new.event {
            Event::AssignmentCreated {
                assignment,
                run,
                week,
                due,
                origin: Origin::Migration,
                terms,
            } => EventJson::AssignmentCreated {
                assignment: *assignment,
                run: *run,
                week: *week,
                due: *due,
                origin: OriginJson::Migration,
                terms: terms.into(),
            },
            Event::ResponseLinked { response, run, week, named, kind, completed_at, score } => {
                EventJson::ResponseLinked {
                    response: Cow::Borrowed(response),
                    run: *run,
                    week: *week,
                    named: Cow::Borrowed(named),
                    kind: match kind {
                        LinkKind::Linked => LinkJson::Linked,
                        LinkKind::Adopted => LinkJson::Adopted,
                    },
                    completed_at: *completed_at,
                    score: *score,
                }
            }
            _ => return None,
        };
        let NewEvent { stream, id, occurred_at, .. } = new;
        Some(Self { stream: Cow::Borrowed(stream), id: (*id)?, occurred_at: *occurred_at, event })
    }
}

/// The line of an event, with its `\n`.
pub(super) fn line(event: &NewEvent) -> io::Result<Vec<u8>> {
    let Some(event_line) = EventLine::of(event) else {
        let text = format!("{} without an id, or not an event of a batch", event.event.name());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    };
    let mut line = serde_json::to_vec(&event_line)?;
    line.push(b'\n');
    Ok(line)
}

impl From<EventLine<'_>> for NewEvent {
    fn from(line: EventLine<'_>) -> Self {
        let event = match line.event {
            EventJson::AssignmentCreated { assignment, run, week, due, origin, terms } => {
                let OriginJson::Migration = origin;
                Event::AssignmentCreated {
                    assignment,
                    run,
                    week,
                    due,
                    origin: Origin::Migration,
                    terms: Terms::from(terms).into(),
                }
            }
            EventJson::ResponseLinked { response, run, week, named, kind, completed_at, score } => {
                Event::ResponseLinked {
                    response: response.into_owned(),
                    run,
                    week,
                    named: named.into_owned(),
                    kind: match kind {
                        LinkJson::Linked => LinkKind::Linked,
                        LinkJson::Adopted => LinkKind::Adopted,
                    },
                    completed_at,
                    score,
                }
            }
        };
        Self {
            stream: line.stream.into_owned(),
            id: Some(line.id),
            occurred_at: line.occurred_at,
            event,
        }
    }
}

impl<'a> From<&'a RunTerms> for TermsJson<'a> {
    fn from(terms: &'a RunTerms) -> Self {
        Self {
            stored_client: Cow::Borrowed(&terms.stored_client),
            coach: Cow::Borrowed(&terms.coach),
            title: Cow::Borrowed(&terms.title),
            description: Cow::Borrowed(&terms.description),
            assigned_by: terms.assigned_by.as_deref().map(Cow::Borrowed),
            assigned_at: terms.assigned_at,
            window: terms.window.as_ref().map(Cow::Borrowed),
            recurring: terms.recurring,
            total_weeks: terms.total_weeks,
        }
    }
}

impl From<TermsJson<'_>> for Terms {
    fn from(terms: TermsJson<'_>) -> Self {
        Self {
            stored_client: terms.stored_client.into_owned(),
            coach: terms.coach.into_owned(),
            title: terms.title.into_owned(),
            description: terms.description.into_owned(),
            assigned_by: terms.assigned_by.map(Cow::into_owned),
            assigned_at: terms.assigned_at,
            window: terms.window.map(Cow::into_owned),
            recurring: terms.recurring,
            total_weeks: terms.total_weeks,
        }
    }
}

//! The JSON of both formats, as types of its own.
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
use crate::rules::{BatchRules, DueRule, Options};

/// The newest format: that of batches that change weeks.
pub(super) const FORMAT: u64 = 2;

/// The format of batches that add weeks.
const FORMAT_OF_ADDED: u64 = 1;

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

/// The rules in format 1, or their text in format 2.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum RulesJson<'a> {
    Added(AddedRulesJson<'a>),
    Text(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AddedRulesJson<'a> {
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
#[serde(untagged)]
enum CountsJson {
    Added(AddedCountsJson),
    Changed(ChangedCountsJson),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AddedCountsJson {
    series: u64,
    events: u64,
    created: u64,
    linked: u64,
    adopted: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangedCountsJson {
    series: u64,
    events: u64,
    changed: u64,
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
    AssignmentRescheduled {
        run: u32,
        week: u32,
        due: Timestamp,
    },
    WindowChanged {
        run: u32,
        week: u32,
        window: Option<Cow<'a, JsonText>>,
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
        let Header { rules, source, counts, digest } = header;
        let Source { log, position } = *source;
        let Counts { series, events, created, linked, adopted, changed } = *counts;
        let (rollbook_batch, rules, counts) = match rules.options {
            Options::Precreate(due) => {
                let due = match due {
                    DueRule::Monday => DueJson::Monday,
                    DueRule::Weekday => DueJson::Weekday,
                };
                let zone = Cow::Borrowed(rules.zone.as_str());
                (
                    FORMAT_OF_ADDED,
                    RulesJson::Added(AddedRulesJson { due, zone }),
                    CountsJson::Added(AddedCountsJson { series, events, created, linked, adopted }),
                )
            }
            Options::Realign(_) | Options::Window(_) | Options::Inverse(_) => (
                FORMAT,
                RulesJson::Text(rules.to_string()),
                CountsJson::Changed(ChangedCountsJson { series, events, changed }),
            ),
        };
        Self {
            rollbook_batch,
            kind: Cow::Borrowed(header.kind()),
            rules,
            source: SourceJson { log, position },
            counts,
            digest: Cow::Borrowed(digest),
        }
    }
}

impl HeaderLine<'_> {
    /// The header; `None` if its parts are of different formats or kinds.
    pub(super) fn header(self) -> Option<Header> {
        let SourceJson { log, position } = self.source;
        let rules = match self.rules {
            RulesJson::Added(AddedRulesJson { due, zone }) => {
                let due = match due {
                    DueJson::Monday => DueRule::Monday,
                    DueJson::Weekday => DueRule::Weekday,
                };
                BatchRules { options: due.into(), zone: zone.into_owned() }
            }
            RulesJson::Text(text) => text.parse().ok()?,
        };
        let is_added = matches!(rules.options, Options::Precreate(_));
        let counts = match self.counts {
            CountsJson::Added(AddedCountsJson { series, events, created, linked, adopted })
                if is_added =>
            {
                Counts { series, events, created, linked, adopted, changed: 0 }
            }
            CountsJson::Changed(ChangedCountsJson { series, events, changed }) if !is_added => {
                Counts { series, events, changed, ..Counts::default() }
            }
            _ => return None,
        };
        let digest = self.digest.into_owned();
        let header = Header { rules, source: Source { log, position }, counts, digest };
        let format = if is_added { FORMAT_OF_ADDED } else { FORMAT };
        let agrees = (self.rollbook_batch, &*self.kind) == (format, header.kind());
        agrees.then_some(header)
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
            Event::AssignmentRescheduled { run, week, due } => {
                EventJson::AssignmentRescheduled { run: *run, week: *week, due: *due }
            }
            Event::WindowChanged { run, week, window } => EventJson::WindowChanged {
                run: *run,
                week: *week,
                window: window.as_ref().map(Cow::Borrowed),
            },
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
            EventJson::AssignmentRescheduled { run, week, due } => {
                Event::AssignmentRescheduled { run, week, due }
            }
            EventJson::WindowChanged { run, week, window } => {
                Event::WindowChanged { run, week, window: window.map(Cow::into_owned) }
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

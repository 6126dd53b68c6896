//! The JSON of both formats, as types of its own.
//!
//! These bytes are public: the digest of a batch is computed over them, and the same file is
//! applied to several stores. Domain types may therefore change their shape without changing this
//! format; each value is converted here, at the edge. `tests/golden/` pins the bytes. Scalars
//! (instants, stream names, numbers, raw JSON) are written by their domain types, whose text form
//! is fixed.

use std::borrow::Cow;
use std::io;

use rollbook_domain::{NewEvent, Position, StreamId, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::event_json::EventJson;
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
            Options::Realign(_)
            | Options::Window(_)
            | Options::Renumber(_)
            | Options::Inverse(_) => (
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
        let event = EventJson::of(&new.event)?;
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
        Self {
            stream: line.stream.into_owned(),
            id: Some(line.id),
            occurred_at: line.occurred_at,
            event: line.event.into(),
        }
    }
}

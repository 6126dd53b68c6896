//! Reading the log from a position onwards. Owns the scan over the records: what it hands out is whole, in order and without gaps,
//! or an error.

use std::collections::VecDeque;

use rollbook_domain::event::{EventRecord, Position};

use crate::commit::IdempotencyKey;
use crate::copied::StoredCommit;
use crate::engine::{Engine, Family, Purpose, failed};
use crate::error::{Corruption, CorruptionKind, LogError};
use crate::layout;
use crate::log::Log;
use crate::stored::{self, LeafHash, Record, leaf_hash};

/// How much is read at a time, in stored bytes. Between two such portions nothing in the database is held.
const PORTION_BYTES: usize = 1 << 20;

/// Goes over the records of the commits that have events from position `next` up to `until`, in order, until `each` says to stop.
///
/// Returns the position after the last record seen. The head of the log must have reached `until`.
pub(crate) fn scan(
    engine: &Engine,
    next: Position,
    until: Position,
    mut each: impl FnMut(&Record<'_>, &[u8]) -> Result<Going, LogError>,
) -> Result<Position, LogError> {
    let mut cursor = engine.cursor(Family::Records, Purpose::Scan)?;
    cursor.seek_for_prev(next.to_be_bytes());
    let mut expected = None;
    let mut next = next;
    while next <= until {
        let Some((key, value)) = cursor.item() else {
            cursor.status().map_err(failed("read"))?;
            return Err(Corruption { position: next, kind: CorruptionKind::MissingRecord }.into());
        };
        let first = layout::number(key).ok_or_else(|| layout::malformed("records"))?;
        // The first record may begin before `next`, every other begins exactly there.
        if expected.is_some_and(|expected| expected != first) {
            return Err(Corruption { position: next, kind: CorruptionKind::MissingRecord }.into());
        }
        let record = stored::check(first, value)?;
        if record.last() < next {
            return Err(Corruption { position: next, kind: CorruptionKind::MissingRecord }.into());
        }
        let going = each(&record, value)?;
        next = record.last().saturating_add(1);
        expected = Some(next);
        if going == Going::Stop {
            break;
        }
        cursor.next();
    }
    Ok(next)
}

/// Whether a scan goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Going {
    /// To the next record.
    On,
    /// No further.
    Stop,
}

/// The commits after a position, up to the head as it was when they were asked for: one item a commit.
///
/// A commit that the position lies inside comes without its earlier events. After an error there are no more items. Keeps the log open.
pub struct Commits(Reading);

/// As [`Commits`], each with the hashes of its events' leaves.
pub struct CommitsWithLeaves(Reading);

/// As [`Commits`], each as it is stored.
pub struct StoredCommits(Reading);

/// A commit as it was read: with as many leaf hashes as events, or none; with its stored form, or without.
type Read = (Vec<EventRecord>, Vec<LeafHash>, Option<AsStored>);

/// What is stored of a commit beside its events' fields.
#[derive(Default)]
struct AsStored {
    key: Option<IdempotencyKey>,
    body_version: u8,
    bodies: Vec<Box<[u8]>>,
}

struct Reading {
    log: Log,
    next: Position,
    until: Position,
    with_leaves: bool,
    as_stored: bool,
    portion: VecDeque<Read>,
}

impl Commits {
    pub(crate) fn new(log: Log, after: Position, until: Position) -> Self {
        Self(Reading {
            log,
            next: after.saturating_add(1),
            until,
            with_leaves: false,
            as_stored: false,
            portion: VecDeque::new(),
        })
    }

    /// The same commits with the hashes of their events' leaves.
    pub fn with_leaves(self) -> CommitsWithLeaves {
        CommitsWithLeaves(Reading { with_leaves: true, ..self.0 })
    }

    /// The same commits as they are stored, with their keys and the bytes of their bodies.
    pub fn as_stored(self) -> StoredCommits {
        StoredCommits(Reading { as_stored: true, ..self.0 })
    }
}

impl Reading {
    fn read_portion(&mut self) -> Result<(), LogError> {
        // Only a log with events gets here, and that has an engine.
        let Some(engine) = self.log.store().engine() else { return Ok(()) };
        let (after, with_leaves, as_stored, mut bytes) =
            (self.next - 1, self.with_leaves, self.as_stored, 0);
        let (portion, mut leaf_bytes, keyring) =
            (&mut self.portion, Vec::new(), self.log.store().keyring());
        self.next = scan(&engine, self.next, self.until, |record, stored| {
            let (mut events, mut leaves) = (Vec::new(), Vec::new());
            record.events_after(keyring, after, &mut events)?;
            if with_leaves {
                leaves.reserve(events.len());
                record.leaves(|leaf| {
                    if leaf.position > after {
                        leaf.write(&mut leaf_bytes)?;
                        leaves.push(leaf_hash(&leaf_bytes));
                    }
                    Ok(())
                })?;
            }
            let stored_form = if as_stored { Some(stored_form(record, after)?) } else { None };
            portion.push_back((events, leaves, stored_form));
            bytes += stored.len();
            Ok(if bytes < PORTION_BYTES { Going::On } else { Going::Stop })
        })?;
        Ok(())
    }

    fn next(&mut self) -> Option<Result<Read, LogError>> {
        if self.portion.is_empty() && self.next <= self.until {
            let read = self.read_portion();
            if let Err(error) = read {
                // What was read before the error is handed out first, next time the error comes again.
                if self.portion.is_empty() {
                    self.until = 0;
                    return Some(Err(error));
                }
                self.next = self
                    .portion
                    .back()
                    .and_then(|(commit, ..)| commit.last())
                    .map_or(self.next, |event| event.position + 1);
            }
        }
        self.portion.pop_front().map(Ok)
    }
}

impl Iterator for Commits {
    type Item = Result<Vec<EventRecord>, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.0.next()?.map(|(events, ..)| events))
    }
}

impl Iterator for CommitsWithLeaves {
    type Item = Result<(Vec<EventRecord>, Vec<LeafHash>), LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.0.next()?.map(|(events, leaves, _)| (events, leaves)))
    }
}

impl Iterator for StoredCommits {
    type Item = Result<StoredCommit, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.0.next()?;
        Some(read.map(|(events, _, stored)| {
            let AsStored { key, body_version, bodies } = stored.unwrap_or_default();
            StoredCommit { events, key, body_version, bodies }
        }))
    }
}

fn stored_form(record: &Record<'_>, after: Position) -> Result<AsStored, LogError> {
    let key = record
        .envelope()?
        .key()
        .map(|(key, request)| IdempotencyKey { key: key.to_owned(), request });
    let mut form = AsStored { key, ..AsStored::default() };
    record.leaves(|leaf| {
        form.body_version = leaf.stored_version;
        if leaf.position > after {
            form.bodies.push(leaf.body.into());
        }
        Ok(())
    })?;
    Ok(form)
}

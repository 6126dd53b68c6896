//! Checking the complete log. [`check`] continues after damage and reports all of it; [`verify`]
//! stops at the first. `indexes` checks the entries that a record requires, `entries` the reverse:
//! every index entry must belong to a record.
//!
//! Memory: one record, and the first thousand findings.

mod entries;
mod indexes;
mod verify;

use rollbook_domain::Timestamp;
use rollbook_domain::event::{EventRecord, Position};

use crate::engine::{Cursor as _, Engine, Family, Purpose, StoreEngine};
use crate::error::{Corruption, CorruptionKind, LogError};
use crate::keyring::Keyring;
use crate::layout;
use crate::store::Store;
use crate::stored::{self, LeafHash, Record, leaf_hash};
use indexes::wrong_entries;
pub(crate) use verify::verify;

/// The number of findings that are kept. Further ones are only counted.
const FINDINGS_KEPT: usize = 1000;

/// The result of [`crate::Log::check`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogChecked {
    /// The position up to which the log was read.
    pub head: Position,
    /// The number of commits that were read completely.
    pub commits: u64,
    /// The number of positions that could not be read.
    pub lost: u64,
    /// The damage that was found.
    pub findings: Findings,
}

/// Damage, in the order in which it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The first findings.
    pub kept: Vec<Finding>,
    /// The number of further findings.
    pub more: u64,
}

/// One damage of stored events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The first affected position; 0 if no position is affected.
    pub from: Position,
    /// The last affected position.
    pub until: Position,
    /// The damage.
    pub what: String,
}

impl Findings {
    /// Adds a finding.
    pub fn add(&mut self, from: Position, until: Position, what: impl Into<String>) {
        if self.kept.len() < FINDINGS_KEPT {
            self.kept.push(Finding { from, until, what: what.into() });
        } else {
            self.more += 1;
        }
    }

    /// Whether there is no damage.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

/// Gets the leaf hashes of each readable commit, in order, with the position of the first event.
pub type VisitLeaves<'a> = &'a mut dyn FnMut(Position, &[LeafHash]) -> Result<(), LogError>;

/// Checks the log up to its current head.
pub(crate) fn check(
    store: &Store,
    visit: VisitLeaves<'_>,
    progress: &dyn Fn(Position),
) -> Result<LogChecked, LogError> {
    let checked = LogChecked { head: store.head(), ..LogChecked::default() };
    let Some(engine) = store.engine() else { return Ok(checked) };
    let mut checking = CheckState {
        engine: &engine,
        keyring: store.keyring(),
        visit,
        progress,
        next: 1,
        damaged: None,
        recorded_at: None,
        totals: Totals::default(),
        events: Vec::new(),
        leaves: Vec::new(),
        leaf: Vec::new(),
        checked,
    };
    checking.records()?;
    let CheckState { totals, mut checked, .. } = checking;
    entries::check(&*engine, &totals, &mut checked)?;
    check_identity(&*engine, store, &mut checked)?;
    Ok(checked)
}

/// The number of index entries that the records require.
#[derive(Default)]
struct Totals {
    streams: u64,
    ids: u64,
    keys: u64,
}

struct CheckState<'a> {
    engine: &'a StoreEngine,
    keyring: &'a Keyring,
    visit: VisitLeaves<'a>,
    progress: &'a dyn Fn(Position),
    /// The position at which the next record must begin.
    next: Position,
    /// The start and the kind of damage whose end is not known yet.
    damaged: Option<(Position, String)>,
    /// The time of record of the previous record.
    recorded_at: Option<Timestamp>,
    totals: Totals,
    events: Vec<EventRecord>,
    leaves: Vec<LeafHash>,
    leaf: Vec<u8>,
    checked: LogChecked,
}

impl CheckState<'_> {
    fn records(&mut self) -> Result<(), LogError> {
        let head = self.checked.head;
        let mut cursor = self.engine.cursor(Family::Records, Purpose::Scan)?;
        cursor.seek_to_first();
        loop {
            match cursor.item() {
                Some((key, value)) => {
                    match layout::number(key) {
                        Some(first) => self.record(first, value)?,
                        None => self.checked.findings.add(
                            0,
                            0,
                            "a record has a key that is not a position",
                        ),
                    }
                    cursor.next();
                }
                None => match cursor.status() {
                    Ok(()) => break,
                    Err(error) => {
                        self.damaged.get_or_insert((
                            self.next,
                            format!("the database cannot read this position: {error}"),
                        ));
                        if !self.skip_damage(&mut cursor) {
                            break;
                        }
                    }
                },
            }
        }
        self.close_gap(head + 1);
        Ok(())
    }

    /// Moves a cursor past entries that the database cannot read, to the lowest readable position.
    /// Returns whether there is one.
    fn skip_damage(&self, cursor: &mut <StoreEngine as Engine>::Cursor<'_>) -> bool {
        let mut readable = |position: Position| {
            cursor.seek(position.to_be_bytes());
            cursor.item().is_some()
        };
        // Double the distance until a position is readable, then bisect.
        let (mut bad, mut step) = (self.next, 1);
        let mut good = loop {
            let position = bad.saturating_add(step);
            if position > self.checked.head {
                return false;
            }
            if readable(position) {
                break position;
            }
            (bad, step) = (position, step * 2);
        };
        while bad + 1 < good {
            let middle = bad + (good - bad) / 2;
            if readable(middle) { good = middle } else { bad = middle }
        }
        readable(good)
    }

    /// Reports the positions that are missing or damaged before `first`.
    fn close_gap(&mut self, first: Position) {
        let damaged = self.damaged.take();
        if self.next < first {
            let what =
                damaged.map_or_else(|| CorruptionKind::MissingRecord.to_string(), |(_, what)| what);
            self.checked.findings.add(self.next, first - 1, what);
            self.checked.lost += first - self.next;
            self.next = first;
        } else if let Some((from, what)) = damaged {
            self.checked.findings.add(from, from, what);
        }
    }

    fn record(&mut self, first: Position, value: &[u8]) -> Result<(), LogError> {
        if first > self.checked.head {
            self.checked.findings.add(first, first, "a record is beyond the head of the log");
            return Ok(());
        }
        if first < self.next {
            self.checked.findings.add(first, first, "a record begins inside another one");
            return Ok(());
        }
        self.close_gap(first);
        match self.sound(first, value) {
            Ok(last) => {
                self.next = last.saturating_add(1);
                self.checked.commits += 1;
                (self.visit)(first, &self.leaves)?;
                if self.checked.commits.is_multiple_of(256) || last == self.checked.head {
                    (self.progress)(last);
                }
            }
            Err(LogError::Corrupt(corruption)) => {
                self.damaged = Some((first, with_cause(&corruption)))
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Checks a record completely. Returns its last position.
    fn sound(&mut self, first: Position, value: &[u8]) -> Result<Position, LogError> {
        let record = stored::check(first, value)?;
        self.events.clear();
        self.leaves.clear();
        record.events_after(self.keyring, 0, &mut self.events)?;
        record.leaves(|leaf| {
            leaf.write(&mut self.leaf)?;
            self.leaves.push(leaf_hash(&self.leaf));
            Ok(())
        })?;
        self.times(&record)?;
        let envelope = record.envelope()?;
        self.totals.streams += envelope.streams().count() as u64;
        self.totals.ids += envelope.ids().count() as u64;
        self.totals.keys += u64::from(envelope.key().is_some());
        let findings = &mut self.checked.findings;
        let entries = wrong_entries(self.engine, &record, &mut |position, index| {
            findings.add(
                position,
                position,
                format!("its entry of the index {index} is missing or wrong"),
            );
        });
        match entries {
            Err(LogError::Engine { source, .. }) => {
                findings.add(
                    record.first(),
                    record.last(),
                    format!("the database cannot read its index entries: {source}"),
                );
            }
            other => other?,
        }
        Ok(record.last())
    }

    /// Times of record never decrease.
    fn times(&mut self, record: &Record<'_>) -> Result<(), LogError> {
        let recorded_at = self.events.first().map(|event| event.recorded_at);
        if recorded_at < self.recorded_at {
            self.checked.findings.add(
                record.first(),
                record.last(),
                "its time of record is earlier than that of the events before it",
            );
        }
        self.recorded_at = recorded_at.max(self.recorded_at);
        Ok(())
    }
}

/// The text of a corruption and its causes.
fn with_cause(corruption: &Corruption) -> String {
    let mut text = corruption.kind.to_string();
    let mut error: &dyn std::error::Error = &corruption.kind;
    while let Some(source) = error.source() {
        text.push_str(&format!(": {source}"));
        error = source;
    }
    text
}

/// Checks that the database has the id in its directory.
fn check_identity(
    engine: &impl Engine,
    store: &Store,
    checked: &mut LogChecked,
) -> Result<(), LogError> {
    let beside = store.database_identity()?;
    if beside.is_some_and(|beside| engine.identity().is_ok_and(|own| own != beside)) {
        checked.findings.add(0, 0, "db/IDENTITY is not the id of the database");
    }
    Ok(())
}

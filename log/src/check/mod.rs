//! Checking the whole log, one damage not hiding the next. Owns what is read and what is said of it; `entries` is the way back, from
//! every index entry to a record. `verify` stops at the first damage instead.
//!
//! Memory: one record and the findings, of which only the first thousand are kept.

mod entries;

use rocksdb::DBRawIterator;
use rollbook_domain::Timestamp;
use rollbook_domain::event::{EventRecord, Position};

use crate::engine::{Engine, Family, Purpose};
use crate::error::{Corruption, CorruptionKind, LogError};
use crate::keyring::Keyring;
use crate::layout;
use crate::store::Store;
use crate::stored::{self, LeafHash, Record, leaf_hash};
use crate::verify::wrong_entries;

/// So many findings are kept; the others are counted.
const FINDINGS_KEPT: usize = 1000;

/// What checking the log found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogChecked {
    /// Up to which position it was read.
    pub head: Position,
    /// How many commits were read whole.
    pub commits: u64,
    /// How many positions could not be read.
    pub lost: u64,
    /// What is wrong.
    pub findings: Findings,
}

/// What is wrong, in the order in which it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The first of them.
    pub kept: Vec<Finding>,
    /// How many more there are.
    pub more: u64,
}

/// Something wrong with stored events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The first position it is about; 0 when it is about none.
    pub from: Position,
    /// The last position it is about.
    pub until: Position,
    /// What is wrong.
    pub what: String,
}

impl Findings {
    /// Takes a finding in.
    pub fn add(&mut self, from: Position, until: Position, what: impl Into<String>) {
        if self.kept.len() < FINDINGS_KEPT {
            self.kept.push(Finding { from, until, what: what.into() });
        } else {
            self.more += 1;
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

/// Called with the leaf hashes of each commit that can be read, in order, and the position of the first.
pub type VisitLeaves<'a> = &'a mut dyn FnMut(Position, &[LeafHash]) -> Result<(), LogError>;

/// Reads everything up to the head of this instant.
pub(crate) fn check(
    store: &Store,
    visit: VisitLeaves<'_>,
    progress: &dyn Fn(Position),
) -> Result<LogChecked, LogError> {
    let checked = LogChecked { head: store.head(), ..LogChecked::default() };
    let Some(engine) = store.engine() else { return Ok(checked) };
    let mut checking = Checking {
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
    let Checking { totals, mut checked, .. } = checking;
    entries::check(&engine, &totals, &mut checked)?;
    check_identity(&engine, store, &mut checked)?;
    Ok(checked)
}

/// How many index entries the records ask for.
#[derive(Default)]
struct Totals {
    streams: u64,
    ids: u64,
    keys: u64,
}

struct Checking<'a> {
    engine: &'a Engine,
    keyring: &'a Keyring,
    visit: VisitLeaves<'a>,
    progress: &'a dyn Fn(Position),
    /// The position that the next record should begin at.
    next: Position,
    /// Where damage began whose end is not known yet, and what it is.
    damaged: Option<(Position, String)>,
    /// When the record before was recorded.
    recorded_at: Option<Timestamp>,
    totals: Totals,
    events: Vec<EventRecord>,
    leaves: Vec<LeafHash>,
    leaf: Vec<u8>,
    checked: LogChecked,
}

impl Checking<'_> {
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
                            "a record has a key that is no position",
                        ),
                    }
                    cursor.next();
                }
                None => match cursor.status() {
                    Ok(()) => break,
                    Err(error) => {
                        self.damaged.get_or_insert((
                            self.next,
                            format!("the database cannot read on here: {error}"),
                        ));
                        if !self.pass(&mut cursor) {
                            break;
                        }
                    }
                },
            }
        }
        self.close_gap(head + 1);
        Ok(())
    }

    /// Moves a cursor behind what the database cannot read: to the lowest position that can be sought. Says whether there is one.
    fn pass(&self, cursor: &mut DBRawIterator<'_>) -> bool {
        let mut readable = |position: Position| {
            cursor.seek(position.to_be_bytes());
            cursor.valid()
        };
        // Further and further, then back by halves.
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

    /// Names what is missing or damaged before a position.
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
            self.checked.findings.add(first, first, "a record lies behind the head of the log");
            return Ok(());
        }
        if first < self.next {
            self.checked.findings.add(first, first, "a record begins where another one goes on");
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

    /// Reads a record whole; its last position.
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

    /// The log's clock never runs backwards.
    fn times(&mut self, record: &Record<'_>) -> Result<(), LogError> {
        let recorded_at = self.events.first().map(|event| event.recorded_at);
        if recorded_at < self.recorded_at {
            self.checked.findings.add(
                record.first(),
                record.last(),
                "it was recorded before the events that stand before it",
            );
        }
        self.recorded_at = recorded_at.max(self.recorded_at);
        Ok(())
    }
}

/// What is damaged, down to the cause.
fn with_cause(corruption: &Corruption) -> String {
    let mut text = corruption.kind.to_string();
    let mut error: &dyn std::error::Error = &corruption.kind;
    while let Some(source) = error.source() {
        text.push_str(&format!(": {source}"));
        error = source;
    }
    text
}

/// The database is the one that its directory says it is.
fn check_identity(
    engine: &Engine,
    store: &Store,
    checked: &mut LogChecked,
) -> Result<(), LogError> {
    let beside = store.database_identity()?;
    if beside.is_some_and(|beside| engine.identity().is_ok_and(|own| own != beside)) {
        checked.findings.add(0, 0, "db/IDENTITY is not the id of the database");
    }
    Ok(())
}

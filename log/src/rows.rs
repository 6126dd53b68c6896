//! Rows for projections: keys and values beside the log, in the same database. Owns their batches, snapshots and scans; what they mean
//! is the projections' own. No type of RocksDB is visible.
//!
//! Rows are not in RocksDB's write-ahead log, as they can always be folded again: after a crash those that no table file holds are gone,
//! newest first. They all stand in one family, so what is left is a prefix of what was written; and before RocksDB makes a table file of
//! them it syncs what the write-ahead log holds until then, so rows that were folded from an event are never there without it.

use std::ops::Range;
use std::sync::Arc;

use crate::engine::{Engine, Family, Purpose, failed};
use crate::error::LogError;
use crate::layout;
use crate::log::Log;

/// The projections' rows. Keeps the log open.
#[derive(Clone)]
pub struct Rows {
    log: Log,
}

/// A row: key and value.
pub type Row = (Box<[u8]>, Box<[u8]>);

impl Rows {
    pub(crate) fn new(log: Log) -> Self {
        Self { log }
    }

    /// The value of a key.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, LogError> {
        match self.log.store().engine() {
            Some(engine) => engine.get(Family::Rows, key, <[u8]>::to_vec),
            None => Ok(None),
        }
    }

    /// All rows as they are now, whatever is written afterwards. While it lives, the disk space of what it sees is not given back.
    pub fn snapshot(&self) -> RowSnapshot {
        let view =
            self.log.store().engine().map(|engine| View::new(engine, |engine| engine.snapshot()));
        RowSnapshot { view, _log: self.log.clone() }
    }

    /// Writes a batch, all or nothing, in the order of its operations. It is neither synced nor logged: a crash may lose the latest
    /// batches, newest first, so a checkpoint belongs into the batch that it is about. The first write opens the store for writing, and makes
    /// it if there is none.
    ///
    /// # Errors
    /// When the store cannot be written, or an earlier write failed.
    pub fn write(&self, batch: &RowBatch) -> Result<(), LogError> {
        if batch.is_empty() {
            return Ok(());
        }
        let store = self.log.store();
        store.require_sound()?;
        let engine = store.engine_to_write()?;
        let mut rows = engine.batch(batch.bytes.len() + 16 * batch.operations.len());
        for (kind, key, value) in batch.operations() {
            match kind {
                Kind::Put => rows.put(Family::Rows, key, value)?,
                Kind::Delete => rows.delete(Family::Rows, key)?,
                Kind::DeletePrefix => {
                    let end =
                        layout::after_prefix(key).map_or_else(|| after_all(&engine, batch), Ok)?;
                    rows.delete_range(Family::Rows, key, &end)?;
                }
            }
        }
        rows.write_unlogged().map_err(|failure| store.poison(failure))
    }
}

/// A key behind every row there is and every key of the batch.
fn after_all(engine: &Engine, batch: &RowBatch) -> Result<Vec<u8>, LogError> {
    let mut cursor = engine.cursor(Family::Rows, Purpose::Lookup)?;
    cursor.seek_to_last();
    cursor.status().map_err(failed("read"))?;
    let mut last = batch
        .operations()
        .map(|(_, key, _)| key)
        .chain(cursor.key())
        .max()
        .unwrap_or_default()
        .to_vec();
    last.push(0);
    Ok(last)
}

/// Changes of rows that are written together.
#[derive(Clone, Debug, Default)]
pub struct RowBatch {
    /// Keys and values of all operations, one behind the other: one allocation for all.
    bytes: Vec<u8>,
    /// What to do, where its key and value are, how long the key is.
    operations: Vec<(Kind, Range<usize>, usize)>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Put,
    Delete,
    DeletePrefix,
}

impl RowBatch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    fn operations(&self) -> impl Iterator<Item = (Kind, &[u8], &[u8])> {
        self.operations.iter().map(|(kind, bytes, key_bytes)| {
            let (key, value) =
                self.bytes.get(bytes.clone()).unwrap_or_default().split_at(*key_bytes);
            (*kind, key, value)
        })
    }

    fn push(&mut self, kind: Kind, key: &[u8], value: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        self.operations.push((kind, start..self.bytes.len(), key.len()));
    }

    /// Sets a key.
    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        self.push(Kind::Put, key, value);
    }

    /// Removes a key.
    pub fn delete(&mut self, key: &[u8]) {
        self.push(Kind::Delete, key, &[]);
    }

    /// Removes every key that starts with the prefix, all rows with an empty one. What the same batch puts earlier goes too, what it
    /// puts later stays.
    pub fn delete_prefix(&mut self, prefix: &[u8]) {
        self.push(Kind::DeletePrefix, prefix, &[]);
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// How many operations it has.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// How large its keys and values are, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Makes it empty, and keeps its memory for the next.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.operations.clear();
    }
}

type EngineSnapshot<'a> = rocksdb::Snapshot<'a>;

self_cell::self_cell!(
    struct View {
        owner: Arc<Engine>,
        #[covariant]
        dependent: EngineSnapshot,
    }
);

/// The rows as they were at one instant.
pub struct RowSnapshot {
    // Before the log, so that the database is closed before the store's lock is released.
    view: Option<View>,
    _log: Log,
}

impl RowSnapshot {
    /// The value of a key.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, LogError> {
        match &self.view {
            Some(view) => view.borrow_owner().get_in(view.borrow_dependent(), Family::Rows, key),
            None => Ok(None),
        }
    }

    /// The rows whose keys start with the prefix, in key order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn scan(&self, prefix: &[u8]) -> Result<RowScan<'_>, LogError> {
        self.scan_from(prefix, prefix)
    }

    /// The rows whose keys start with the prefix and are not before `start`, in key order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn scan_from(&self, prefix: &[u8], start: &[u8]) -> Result<RowScan<'_>, LogError> {
        let Some(view) = &self.view else { return Ok(RowScan { cursor: None }) };
        let mut cursor = view.borrow_owner().cursor_in(
            view.borrow_dependent(),
            Family::Rows,
            layout::after_prefix(prefix),
        )?;
        cursor.seek(prefix.max(start));
        Ok(RowScan { cursor: Some(cursor) })
    }
}

/// A scan over rows. After an error there are no more.
pub struct RowScan<'a> {
    cursor: Option<rocksdb::DBRawIterator<'a>>,
}

impl Iterator for RowScan<'_> {
    type Item = Result<Row, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        let cursor = self.cursor.as_mut()?;
        match cursor.item() {
            Some((key, value)) => {
                let row = (key.into(), value.into());
                cursor.next();
                Some(Ok(row))
            }
            None => {
                let end = cursor.status().map_err(failed("read"));
                self.cursor = None;
                end.err().map(Err)
            }
        }
    }
}

//! Rows of projections: keys and values in the same database as the log. This module has their
//! batches, snapshots and scans; the projections define their meaning. No RocksDB type is visible.
//!
//! Rows bypass the write-ahead log, because the projections can always fold them again. A crash
//! loses the rows that are in no table file, newest first. All rows are in one column family, so
//! the rows that are left are a prefix of those written. Before RocksDB writes rows to a table file
//! it syncs the write-ahead log up to then, so a row never exists without the event that it was
//! folded from.

use std::ops::Range;
use std::sync::Arc;

use crate::engine::{Batch as _, Cursor as _, Engine, Family, Purpose, StoreEngine, failed};
use crate::error::LogError;
use crate::handle::Handle;
use crate::layout;

/// The rows of the projections. Keeps the log open.
#[derive(Clone)]
pub struct Rows {
    handle: Handle,
}

/// A row: key and value.
pub type Row = (Box<[u8]>, Box<[u8]>);

impl Rows {
    pub(crate) fn new(handle: Handle) -> Self {
        Self { handle }
    }

    /// The value of a key.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, LogError> {
        match self.handle.store().engine() {
            Some(engine) => engine.get(Family::Rows, key, <[u8]>::to_vec),
            None => Ok(None),
        }
    }

    /// A view of all rows that later writes do not change. While it exists, the disk space of the
    /// rows in it is not freed.
    pub fn snapshot(&self) -> RowSnapshot {
        let view = self
            .handle
            .store()
            .engine()
            .map(|engine| View::new(engine, |engine| engine.snapshot()));
        RowSnapshot { view, _handle: self.handle.clone() }
    }

    /// Writes a batch atomically, in the order of its operations. It is neither synced nor logged:
    /// a crash may lose the latest batches, newest first. Put a checkpoint into the same batch as
    /// the rows that it covers. The first write opens the store for writing and creates it if it is
    /// missing.
    ///
    /// # Errors
    /// If the store cannot be written, or an earlier write failed.
    pub fn write(&self, batch: &RowBatch) -> Result<(), LogError> {
        if batch.is_empty() {
            return Ok(());
        }
        let store = self.handle.store();
        store.require_sound()?;
        let engine = store.engine_to_write()?;
        let mut rows = engine.batch(batch.bytes.len() + 16 * batch.operations.len());
        for (kind, key, value) in batch.operations() {
            match kind {
                Kind::Put => rows.put(Family::Rows, key, value)?,
                Kind::Delete => rows.delete(Family::Rows, key)?,
                Kind::DeletePrefix => {
                    let end =
                        layout::after_prefix(key).map_or_else(|| after_all(&*engine, batch), Ok)?;
                    rows.delete_range(Family::Rows, key, &end)?;
                }
            }
        }
        rows.write_unlogged().map_err(|failure| store.poison(failure))
    }
}

/// A key after every existing row and every key of the batch.
fn after_all(engine: &impl Engine, batch: &RowBatch) -> Result<Vec<u8>, LogError> {
    let mut cursor = engine.cursor(Family::Rows, Purpose::Lookup)?;
    cursor.seek_to_last();
    cursor.status().map_err(failed("read"))?;
    let mut last = batch
        .operations()
        .map(|(_, key, _)| key)
        .chain(cursor.item().map(|(key, _)| key))
        .max()
        .unwrap_or_default()
        .to_vec();
    last.push(0);
    Ok(last)
}

/// Changes of rows that are written atomically.
#[derive(Clone, Debug, Default)]
pub struct RowBatch {
    /// Keys and values of all operations, concatenated in one allocation.
    bytes: Vec<u8>,
    /// The kind of each operation, the range of its key and value, and the length of the key.
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

    /// Removes every key that starts with the prefix; an empty prefix removes all rows. It also
    /// removes what the same batch put earlier, but not what it puts later.
    pub fn delete_prefix(&mut self, prefix: &[u8]) {
        self.push(Kind::DeletePrefix, prefix, &[]);
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// The number of operations.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// The size of its keys and values, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Removes all operations and keeps the allocated memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.operations.clear();
    }
}

type EngineSnapshot<'a> = <StoreEngine as Engine>::Snapshot<'a>;

self_cell::self_cell!(
    struct View {
        owner: Arc<StoreEngine>,
        #[covariant]
        dependent: EngineSnapshot,
    }
);

/// The rows as they were at one moment.
pub struct RowSnapshot {
    // Before the handle, so that the database is closed before the store's lock is released.
    view: Option<View>,
    _handle: Handle,
}

impl RowSnapshot {
    /// The value of a key.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, LogError> {
        match &self.view {
            Some(view) => view.borrow_owner().get_in(view.borrow_dependent(), Family::Rows, key),
            None => Ok(None),
        }
    }

    /// The rows whose keys start with the prefix, in key order.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn scan(&self, prefix: &[u8]) -> Result<RowScan<'_>, LogError> {
        self.scan_from(prefix, prefix)
    }

    /// The rows whose keys start with the prefix and are at or after `start`, in key order.
    ///
    /// # Errors
    /// If the database cannot be read.
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
    cursor: Option<<StoreEngine as Engine>::Cursor<'a>>,
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

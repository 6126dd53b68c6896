//! Rows, the keyed values that a projection keeps: reading them, changing them in memory, encoding
//! them. The log stores them; each projection defines its own. Projections do not know RocksDB.

use std::collections::{BTreeMap, HashMap};

use rollbook_log::{RowBatch, RowSnapshot, Rows};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::ProjectionError;
use crate::held_row::{AnyRow, HeldRow};
use crate::row_cache::RowCache;

/// [`RowSource::scan`] calls this with each row's key and value. An error ends the scan.
pub type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Result<(), ProjectionError>;

/// A source of encoded rows: a snapshot of the store, or memory.
pub trait RowSource {
    /// The row with this key.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ProjectionError>;

    /// Calls `visit` with every row whose key has this prefix, in key order.
    ///
    /// # Errors
    /// If the store cannot be read, or `visit` fails.
    fn scan(&self, prefix: &[u8], visit: Visit<'_>) -> Result<(), ProjectionError>;
}

/// Reads one row and decodes it.
///
/// # Errors
/// If the store cannot be read, or the row does not decode.
pub fn read_row<T: DeserializeOwned>(
    source: &dyn RowSource,
    key: &[u8],
) -> Result<Option<T>, ProjectionError> {
    source.get(key)?.map(|bytes| decode(key, &bytes)).transpose()
}

/// Decodes one row.
///
/// # Errors
/// If the bytes do not encode a `T`. The error names the key.
pub fn decode<T: DeserializeOwned>(key: &[u8], bytes: &[u8]) -> Result<T, ProjectionError> {
    rollbook_log::binary::read_own(bytes).map_err(|source| ProjectionError::Row {
        key: String::from_utf8_lossy(key).into_owned(),
        source: Box::new(source),
    })
}

/// The rows of one generation of one projection, from a snapshot of the store.
pub struct StoredRows<'s> {
    snapshot: &'s RowSnapshot,
    prefix: Vec<u8>,
}

impl<'s> StoredRows<'s> {
    /// The rows under this prefix of the store.
    pub fn new(snapshot: &'s RowSnapshot, prefix: Vec<u8>) -> Self {
        Self { snapshot, prefix }
    }

    fn key(&self, key: &[u8]) -> Vec<u8> {
        [self.prefix.as_slice(), key].concat()
    }
}

impl RowSource for StoredRows<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ProjectionError> {
        Ok(self.snapshot.get(&self.key(key))?)
    }

    fn scan(&self, prefix: &[u8], visit: Visit<'_>) -> Result<(), ProjectionError> {
        for row in self.snapshot.scan(&self.key(prefix))? {
            let (key, value) = row?;
            visit(key.get(self.prefix.len()..).unwrap_or_default(), &value)?;
        }
        Ok(())
    }
}

/// Rows in memory. `as_of` folds into these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryRows(BTreeMap<Vec<u8>, Vec<u8>>);

impl RowSource for MemoryRows {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ProjectionError> {
        Ok(self.0.get(key).cloned())
    }

    fn scan(&self, prefix: &[u8], visit: Visit<'_>) -> Result<(), ProjectionError> {
        let from = self.0.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
        for (key, value) in from {
            visit(key, value)?;
        }
        Ok(())
    }
}

impl MemoryRows {
    /// Applies changes.
    pub fn absorb(&mut self, changes: EncodedChanges) {
        for (key, value) in changes {
            match value {
                Some(value) => self.0.insert(key, value),
                None => self.0.remove(&key),
            };
        }
    }
}

/// Encoded changes by key; `None` removes the row.
pub type EncodedChanges = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// Rows that are being changed: each is read once, changed in memory, and encoded once.
pub struct RowChanges<'s> {
    source: &'s dyn RowSource,
    cache: Option<RowCache>,
    rows: HashMap<Vec<u8>, HeldRow>,
}

impl<'s> RowChanges<'s> {
    /// Starts without changes to the rows of `source`.
    pub fn new(source: &'s dyn RowSource) -> Self {
        Self { source, cache: None, rows: HashMap::new() }
    }

    /// Starts without changes to the rows of `source`. `cache` has some of them decoded.
    pub(crate) fn with_cache(source: &'s dyn RowSource, cache: RowCache) -> Self {
        Self { source, cache: Some(cache), rows: HashMap::new() }
    }

    /// The row with this key, to be changed; the default if there is none. All uses of a key must
    /// name the same type.
    ///
    /// # Errors
    /// If the stored row cannot be read, or the key was used with another type.
    pub fn row<T>(&mut self, key: &[u8]) -> Result<&mut T, ProjectionError>
    where
        T: Serialize + DeserializeOwned + Default + Send + 'static,
    {
        if !self.rows.contains_key(key) {
            let cached = self.cache.as_mut().and_then(|cache| cache.take(key));
            let held = match cached {
                Some(held) => held,
                None => HeldRow::new(Some(Box::new(
                    read_row::<T>(self.source, key)?.unwrap_or_default(),
                ))),
            };
            self.rows.insert(key.to_vec(), held);
        }
        let held = self.rows.get_mut(key);
        let row = held.map(|held| held.row.get_or_insert_with(|| Box::new(T::default())));
        row.and_then(|row| (**row).as_any().downcast_mut()).ok_or_else(|| {
            ProjectionError::RowType { key: String::from_utf8_lossy(key).into_owned() }
        })
    }

    /// Sets a row.
    pub fn put<T: Serialize + Send + 'static>(&mut self, key: &[u8], row: T) {
        self.hold(key, Some(Box::new(row)));
    }

    /// Removes a row.
    pub fn delete(&mut self, key: &[u8]) {
        self.hold(key, None);
    }

    fn hold(&mut self, key: &[u8], row: Option<Box<dyn AnyRow>>) {
        // The cached row is no longer the row.
        if let Some(cache) = &mut self.cache {
            cache.take(key);
        }
        self.rows.insert(key.to_vec(), HeldRow::new(row));
    }

    /// The number of rows in memory.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows in memory.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Encodes every row that was read or changed, in key order.
    ///
    /// # Errors
    /// If a row does not encode.
    pub fn finish(self) -> Result<EncodedChanges, ProjectionError> {
        let encoded = self.rows.into_iter().map(|(key, held)| {
            let Some(row) = held.row else { return Ok((key, None)) };
            let mut bytes = Vec::new();
            row.encode(&mut bytes)?;
            Ok((key, Some(bytes)))
        });
        let mut encoded = encoded.collect::<Result<EncodedChanges, ProjectionError>>()?;
        encoded.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Ok(encoded)
    }

    /// Adds every change to a batch for the store.
    ///
    /// # Errors
    /// If a row does not encode.
    pub(crate) fn write_to(
        &mut self,
        prefix: &[u8],
        batch: &mut RowBatch,
    ) -> Result<(), ProjectionError> {
        let mut rows: Vec<_> = self.rows.iter_mut().collect();
        rows.sort_unstable_by_key(|(key, _)| *key);
        let (mut stored_key, mut bytes) = (prefix.to_vec(), Vec::new());
        for (key, held) in rows {
            stored_key.truncate(prefix.len());
            stored_key.extend_from_slice(key);
            if let Some(row) = &held.row {
                bytes.clear();
                row.encode(&mut bytes)?;
                held.encoded_bytes = bytes.len();
                batch.put(&stored_key, &bytes);
            } else {
                batch.delete(&stored_key);
            }
        }
        Ok(())
    }

    /// Returns the cache with every row that was read or changed; `None` without a cache. Call it
    /// after the changes were stored.
    pub(crate) fn into_cache(self) -> Option<RowCache> {
        let mut cache = self.cache?;
        self.rows.into_iter().for_each(|(key, held)| cache.put(key, held));
        Some(cache)
    }
}

/// The rows of the store as they are now, without a snapshot. Only folding uses this, because only
/// folding writes rows.
pub struct LiveRows<'s> {
    rows: &'s Rows,
    prefix: Vec<u8>,
}

impl<'s> LiveRows<'s> {
    /// The rows under this prefix of the store.
    pub fn new(rows: &'s Rows, prefix: Vec<u8>) -> Self {
        Self { rows, prefix }
    }
}

impl RowSource for LiveRows<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ProjectionError> {
        Ok(self.rows.get(&[self.prefix.as_slice(), key].concat())?)
    }

    fn scan(&self, prefix: &[u8], visit: Visit<'_>) -> Result<(), ProjectionError> {
        StoredRows::new(&self.rows.snapshot(), self.prefix.clone()).scan(prefix, visit)
    }
}

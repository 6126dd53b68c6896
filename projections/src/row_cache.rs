//! A cache of decoded rows. Folding one more event into a cached row neither reads nor decodes it.
//!
//! Only folding uses it, because only folding writes rows: see `runtime::fold_memory`.

use quick_cache::Weighter;
use quick_cache::unsync::Cache;

use crate::held_row::HeldRow;

/// The budget of one projection's cache, in bytes.
const BUDGET_BYTES: u64 = 48 << 20;
/// The number of rows that a cache is laid out for.
const USUAL_ROWS: usize = 1024;
/// About how many bytes a decoded row takes for each of its encoded bytes.
const DECODED_BYTES: usize = 3;
/// About what a row takes beside its content, in bytes.
const OVERHEAD_BYTES: usize = 256;

/// Weighs a decoded row in bytes.
#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<Vec<u8>, HeldRow> for ByBytes {
    fn weight(&self, key: &Vec<u8>, row: &HeldRow) -> u64 {
        (key.len() + DECODED_BYTES * row.encoded_bytes + OVERHEAD_BYTES) as u64
    }
}

/// The decoded rows of one generation that were folded lately, by key.
pub(crate) struct RowCache(Cache<Vec<u8>, HeldRow, ByBytes>);

impl Default for RowCache {
    fn default() -> Self {
        Self(Cache::with_weighter(USUAL_ROWS, BUDGET_BYTES, ByBytes))
    }
}

impl RowCache {
    /// Takes a row out of the cache.
    pub(crate) fn take(&mut self, key: &[u8]) -> Option<HeldRow> {
        self.0.remove(key).map(|(_, row)| row)
    }

    /// Puts a row into the cache. Its content is stored.
    pub(crate) fn put(&mut self, key: Vec<u8>, row: HeldRow) {
        self.0.insert(key, row);
    }
}

//! A cache of folded series. A command on a cached series reads only the events that its stream has
//! gained since, and usually there are none.
//!
//! **Invariant: a cached series is never older than the log when it is used.** Every lookup compares
//! its version with the version of the stream. **Invariant: an erased client's series is not
//! cached.** A lookup checks the erasure first, and an insertion checks it afterwards.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use rollbook_domain::StreamId;
use rollbook_domain::event::Version;

use super::append::WrittenEvent;
use super::reading::FoldedSeries;
use super::{Store, StoreError};

/// The budget of the cache, in bytes.
const BUDGET_BYTES: u64 = 64 << 20;
/// About what a series takes in memory beside its weeks and responses, in bytes.
const SERIES_BYTES: usize = 1024;
/// About what a week, a response or a correction takes in memory, in bytes.
const PART_BYTES: usize = 640;
/// The number of series that the cache is laid out for.
const USUAL_SERIES: usize = 4096;

/// Weighs a series in bytes, by the number of its parts.
#[derive(Clone, Debug)]
struct ByParts;

impl Weighter<StreamId, Arc<FoldedSeries>> for ByParts {
    fn weight(&self, _: &StreamId, folded: &Arc<FoldedSeries>) -> u64 {
        let series = &folded.series;
        let parts = series.items.iter().count() + series.responses.len() + series.linked.len();
        (SERIES_BYTES + PART_BYTES * parts) as u64
    }
}

/// The folded series that were used lately.
pub(super) struct SeriesCache(Cache<StreamId, Arc<FoldedSeries>, ByParts>);

impl Default for SeriesCache {
    fn default() -> Self {
        Self(Cache::with_weighter(USUAL_SERIES, BUDGET_BYTES, ByParts))
    }
}

impl Store {
    /// Returns a series as it is at the head of the log.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub(super) fn current_series(
        &self,
        stream: &StreamId,
    ) -> Result<Arc<FoldedSeries>, StoreError> {
        if self.log().is_erased(stream) {
            self.series_cache.0.remove(stream);
            return Ok(Arc::new(self.fold_series(stream)?));
        }
        let cached = self.series_cache.0.get(stream);
        let version = self.log().stream_version(stream)?;
        let folded = match cached {
            Some(cached) if cached.version == version => return Ok(cached),
            Some(cached) if cached.version < version => {
                let mut folded = FoldedSeries::clone(&cached);
                for recorded in self.log().stream(stream, folded.version)? {
                    folded.apply(stream, &recorded.event, recorded.version);
                }
                Arc::new(folded)
            }
            _ => Arc::new(self.fold_series(stream)?),
        };
        self.cache_series(stream, Arc::clone(&folded));
        Ok(folded)
    }

    /// Folds the events of a command into the cached series that the command was decided on.
    /// `version` is the version of that series.
    pub(super) fn advance_series(
        &self,
        stream: &StreamId,
        version: Version,
        events: &[WrittenEvent],
    ) {
        let Some((_, mut folded)) = self.series_cache.0.remove(stream) else { return };
        if folded.version == version {
            let changed = Arc::make_mut(&mut folded);
            for (written, version) in events.iter().zip(version + 1..) {
                changed.apply(stream, &written.event, version);
            }
        }
        self.cache_series(stream, folded);
    }

    pub(crate) fn cache_series(&self, stream: &StreamId, folded: Arc<FoldedSeries>) {
        self.series_cache.0.insert(stream.clone(), folded);
        // The client may have been erased since the lookup.
        if self.log().is_erased(stream) {
            self.series_cache.0.remove(stream);
        }
    }

    /// Evicts every series. Erasing a client calls this, so that no cached series outlives the
    /// client's keys.
    pub(crate) fn evict_series(&self) {
        self.series_cache.0.clear();
    }
}

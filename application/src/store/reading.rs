//! The store as one request reads it. A [`Reading`] takes its snapshot at the first use and keeps
//! it, so a request resolves ids, authorizes and decides on one state of the store, and projections
//! catch up once.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use rollbook_domain::calendar::Zone;
use rollbook_domain::control::Control;
use rollbook_domain::event::Version;
use rollbook_domain::series::Series;
use rollbook_domain::{Event, StreamId};
use rollbook_projections::Snapshot;
use rollbook_projections::directory::{self, Directory};
use rollbook_projections::rows::RowSource;
use rollbook_projections::tracker::{self, Tracker};

use super::{Store, StoreError};

/// A store as one request reads it. It stays on one thread. Drop it after the request.
pub struct Reading<'a> {
    store: &'a Store,
    snapshot: OnceCell<Snapshot>,
    series: RefCell<HashMap<StreamId, Arc<FoldedSeries>>>,
}

/// A series, folded from its stream.
#[derive(Clone, Debug, Default)]
pub struct FoldedSeries {
    /// The series.
    pub series: Series,
    /// The version of the last folded event.
    pub version: Version,
}

impl FoldedSeries {
    /// Folds the event with this version of the stream.
    pub(super) fn apply(&mut self, stream: &StreamId, event: &Event, version: Version) {
        self.series.apply(stream, event);
        self.version = version;
    }
}

impl Store {
    /// Starts reading for one request. It reads nothing yet.
    pub fn reading(&self) -> Reading<'_> {
        Reading { store: self, snapshot: OnceCell::new(), series: RefCell::default() }
    }
}

impl<'a> Reading<'a> {
    /// The store.
    pub fn store(&self) -> &'a Store {
        self.store
    }

    /// Returns the snapshot of this request. It is taken at the first use.
    ///
    /// # Errors
    /// As [`Store::catch_up`].
    pub fn snapshot(&self) -> Result<&Snapshot, StoreError> {
        if let Some(snapshot) = self.snapshot.get() {
            return Ok(snapshot);
        }
        let taken = self.store.snapshot()?;
        Ok(self.snapshot.get_or_init(|| taken))
    }

    /// Returns the rows of the directory: clients, coaches and the zone.
    ///
    /// # Errors
    /// As [`Store::catch_up`].
    pub fn directory(&self) -> Result<impl RowSource + '_, StoreError> {
        Ok(self.snapshot()?.rows::<Directory>()?.0)
    }

    /// Returns the folded control stream.
    ///
    /// # Errors
    /// As [`Store::catch_up`].
    pub fn control(&self) -> Result<Control, StoreError> {
        Ok(tracker::control(&self.snapshot()?.rows::<Tracker>()?.0)?)
    }

    /// Returns the time zone of the old server.
    ///
    /// # Errors
    /// As [`Store::catch_up`].
    pub fn zone(&self) -> Result<Zone, StoreError> {
        Ok(directory::zone(&self.directory()?)?)
    }

    /// Returns a series as it was at the first use in this request.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn series(&self, stream: &StreamId) -> Result<Arc<FoldedSeries>, StoreError> {
        if let Some(folded) = self.series.borrow().get(stream) {
            return Ok(folded.clone());
        }
        self.current_series(stream)
    }

    /// Returns a series as it is at the head of the log.
    pub(super) fn current_series(
        &self,
        stream: &StreamId,
    ) -> Result<Arc<FoldedSeries>, StoreError> {
        let folded = self.store.current_series(stream)?;
        self.series.borrow_mut().insert(stream.clone(), folded.clone());
        Ok(folded)
    }

    /// Forgets a series, because a command of this request changed it.
    pub(super) fn forget(&self, stream: &StreamId) {
        self.series.borrow_mut().remove(stream);
    }
}

//! An open store: its log, its projections, and commands on series.
//!
//! `reading` is the store as one request reads it. `naming` and `resolve` resolve ids. `commands`
//! executes commands, `append` is the loop that decides and appends, and `request` binds
//! idempotency keys. `time_travel` reads the store as of a position, `diff` compares a client's
//! lists, `preview` shows the effect of a commit, and `all_clients` reads every client's list.

mod all_clients;
mod append;
mod commands;
mod diff;
mod error;
mod legacy_request_form;
mod naming;
mod preview;
mod read_counts;
mod reading;
mod request;
mod request_digest;
#[cfg(test)]
pub(crate) mod request_samples;
mod resolve;
mod series_cache;
mod series_command;
mod stream_locks;
mod time_travel;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rollbook_domain::calendar::Zone;
use rollbook_domain::control::Control;
use rollbook_domain::event::{Version, View};
use rollbook_domain::{Position, StreamId, Timestamp};
use rollbook_log::{Log, OpenOptions, Ordering};
use rollbook_projections::directory::{self, Directory};
use rollbook_projections::entry::ListParameters;
use rollbook_projections::runtime::Progress;
use rollbook_projections::tracker::{self, Tracker};
use rollbook_projections::tree::{self, Tree};
use rollbook_projections::{ProjectionError, Runtime, Snapshot, as_of, views};
use rollbook_proofs::TreeHead;

pub use all_clients::AllClients;
pub use append::{Outcome, WrittenEvent};
pub(crate) use append::{Proposal, new_event};
pub use diff::{Diff, DiffEvent, EntryChange, FieldChange, Side};
pub use error::StoreError;
pub use naming::StoredDocument;
pub use read_counts::ReadCounts;
pub use reading::{FoldedSeries, Reading};
pub use request::{CallerKey, Request};
pub(crate) use request_digest::KeyedRequest;
pub use resolve::WeekRef;
pub use series_command::SeriesCommand;
pub use time_travel::PastView;

use self::read_counts::Counters;
use self::series_cache::SeriesCache;
use self::stream_locks::StreamLocks;

/// An open store.
pub struct Store {
    directory: PathBuf,
    runtime: Runtime,
    stream_locks: StreamLocks,
    key_locks: StreamLocks,
    series_cache: SeriesCache,
    counts: Counters,
    backup_lock: Mutex<()>,
}

/// The view that a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewChoice {
    /// This view, whichever view serves the client.
    View(View),
    /// The view that serves the client.
    Live,
}

/// A rendered list, with its view and position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewAnswer {
    /// The view of the list.
    pub view: View,
    /// The position that the rows were folded up to.
    pub position: Position,
    /// The list as JSON text.
    pub body: String,
}

impl Store {
    /// Opens the store in a directory. With `create`, a missing store is empty and its first write
    /// creates it.
    ///
    /// # Errors
    /// If there is no store, if it is in use, or if it has a newer format.
    pub fn open(directory: &Path, create: bool) -> Result<Self, StoreError> {
        Self::open_with(directory, OpenOptions { create, ..OpenOptions::default() })
    }

    /// Opens the store in a directory with these options of its log.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(directory: &Path, options: OpenOptions) -> Result<Self, StoreError> {
        Self::open_ordered_by(directory, options, |log| Arc::new(log.clone()))
    }

    /// Opens the store in a directory as a node's copy of commits that are ordered elsewhere.
    /// `ordering` receives the log. It appends every commit to the log before it acknowledges the
    /// commit, see [`Runtime::ordered_by`].
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_ordered_by(
        directory: &Path,
        options: OpenOptions,
        ordering: impl FnOnce(&Log) -> Arc<dyn Ordering>,
    ) -> Result<Self, StoreError> {
        let log = Log::open(directory, options)?;
        let ordering = ordering(&log);
        Ok(Self {
            directory: directory.to_owned(),
            runtime: Runtime::ordered_by(ordering, log, rollbook_projections::all()),
            stream_locks: StreamLocks::default(),
            key_locks: StreamLocks::default(),
            series_cache: SeriesCache::default(),
            counts: Counters::default(),
            backup_lock: Mutex::new(()),
        })
    }

    /// The lock for taking a backup. Two backups of a store at once would use the same checkpoint
    /// directory.
    pub(crate) fn backup_lock(&self) -> &Mutex<()> {
        &self.backup_lock
    }

    /// The directory of the store, as given when it was opened.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The log of this node. Use it only for reading.
    pub fn log(&self) -> &Log {
        self.runtime.log()
    }

    /// The ordering that appends commits. An acknowledged commit can be read in [`Store::log`].
    pub fn ordering(&self) -> &dyn Ordering {
        self.runtime.ordering()
    }

    /// The projections.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Folds the events that are not folded yet, and reports the progress.
    ///
    /// # Errors
    /// If the log or the rows cannot be read or written.
    pub fn catch_up(&self, progress: Progress<'_>) -> Result<Position, StoreError> {
        Ok(self.runtime.catch_up(progress)?)
    }

    /// Takes a snapshot of all rows. It contains every event that was acknowledged before this
    /// call.
    ///
    /// # Errors
    /// As [`Store::catch_up`].
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.counts.snapshot();
        Ok(self.runtime.snapshot()?)
    }

    /// The number of reads since the store was opened.
    pub fn read_counts(&self) -> ReadCounts {
        self.counts.read()
    }

    /// Returns the folded control stream: imports, batches, validation and switch.
    ///
    /// # Errors
    /// As [`Store::catch_up`].
    pub fn control(&self) -> Result<Control, StoreError> {
        self.reading().control()
    }

    /// Returns the folded control stream and its version at the same position, from the rows. This
    /// costs the same however many events the stream has.
    ///
    /// # Errors
    /// As [`Store::catch_up`].
    pub(crate) fn control_now(&self) -> Result<(Control, Version), StoreError> {
        let snapshot = self.snapshot()?;
        let (rows, position) = snapshot.rows::<Tracker>()?;
        let version = self.log().stream_version_until(&StreamId::Control, position)?;
        Ok((tracker::control(&rows)?, version))
    }

    /// Folds the control stream up to a position, from the log. It reads the whole stream up to
    /// there; use [`Store::control_now`] for the present state. Also returns its version at that
    /// position.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub(crate) fn control_until(
        &self,
        position: Position,
    ) -> Result<(Control, Version), StoreError> {
        self.counts.control_fold();
        let (mut control, mut version) = (Control::default(), 0);
        for recorded in self.log().stream_until(&StreamId::Control, 0, position)? {
            control.apply(recorded.position, &recorded.event);
            version = recorded.version;
        }
        Ok((control, version))
    }

    /// Returns the Merkle tree of the events up to a position. It reads one row per level of the
    /// tree.
    ///
    /// # Errors
    /// As [`Store::catch_up`]; if the position is beyond the head.
    pub fn tree_head(&self, position: Position) -> Result<TreeHead, StoreError> {
        let head = self.log().head();
        if position > head {
            return Err(ProjectionError::BeyondHead { asked: position, head }.into());
        }
        let snapshot = self.snapshot()?;
        Ok(tree::head_at(&snapshot.rows::<Tree>()?.0, position)?)
    }

    /// Returns the tree from the rows as they are, without folding; `None` if they are behind.
    pub fn tree_head_unfolded(&self, position: Position) -> Option<TreeHead> {
        let snapshot = self.runtime.unfolded();
        let (rows, folded) = snapshot.find::<Tree>().ok()??;
        (folded >= position).then(|| tree::head_at(&rows, position).ok()).flatten()
    }

    /// Returns the time zone of the old server.
    ///
    /// # Errors
    /// As [`Store::catch_up`].
    pub fn zone(&self) -> Result<Zone, StoreError> {
        self.reading().zone()
    }

    /// Renders the list of a client in one view, from one snapshot.
    ///
    /// # Errors
    /// If the store cannot be read, or `position` is beyond the head.
    pub fn check_ins(
        &self,
        asking: ViewChoice,
        client: &str,
        asked: ListParameters,
        position: Option<Position>,
    ) -> Result<ViewAnswer, StoreError> {
        let snapshot = self.snapshot()?;
        let view = self.view_in(&snapshot, asking, client, position)?;
        if let Some(position) = position {
            let (rows, identity) = as_of::rows(&self.runtime, view, client, position)?;
            let body = views::answer(&rows, &identity, asked, |answer| answer.to_json())?;
            return Ok(ViewAnswer { view, position, body });
        }
        answer_in(&snapshot, view, client, asked)
    }

    /// Returns the view that serves a client in this snapshot, or as of a position.
    ///
    /// # Errors
    /// If rows or the log cannot be read.
    pub fn view_in(
        &self,
        snapshot: &Snapshot,
        asking: ViewChoice,
        client: &str,
        position: Option<Position>,
    ) -> Result<View, StoreError> {
        if let ViewChoice::View(view) = asking {
            return Ok(view);
        }
        if let Some(position) = position {
            return Ok(as_of::live_view(&self.runtime, client, position)?);
        }
        let (rows, _) = snapshot.rows::<Directory>()?;
        let identity = directory::identify(&rows, client)?;
        let control = tracker::control(&snapshot.rows::<Tracker>()?.0)?;
        Ok(control.switch.view_for(identity.canonical()))
    }

    /// Returns the time of the system clock. A clock before 1970 reads as 1970.
    pub fn now() -> Timestamp {
        rollbook_log::system_clock()
    }
}

fn answer_in(
    snapshot: &Snapshot,
    view: View,
    client: &str,
    asked: ListParameters,
) -> Result<ViewAnswer, StoreError> {
    let (rows, position) = snapshot.view(view)?;
    let identity = directory::identify(&rows.directory, client)?;
    let body = views::answer(&rows, &identity, asked, |answer| answer.to_json())?;
    Ok(ViewAnswer { view, position, body })
}

/// Returns the id of every client document, in order.
///
/// # Errors
/// If the rows cannot be read.
pub fn clients(snapshot: &Snapshot) -> Result<Vec<String>, StoreError> {
    let (rows, _) = snapshot.rows::<Directory>()?;
    Ok(directory::clients(&rows)?)
}

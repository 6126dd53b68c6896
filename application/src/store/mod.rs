//! An open store: its log, its projections, and commands on series.
//!
//! `reading` is the store as one request reads it; `naming` and `resolve` resolve ids. `commands`
//! carries out commands, `append` is the loop that decides and appends, `request` binds idempotency
//! keys. `time_travel` reads the store as it was, `diff` what changed for a client, `all_clients`
//! every client's view.

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
use rollbook_projections::entry::Asked;
use rollbook_projections::runtime::Progress;
use rollbook_projections::tracker::{self, Tracker};
use rollbook_projections::tree::{self, Tree};
use rollbook_projections::{ProjectionError, Runtime, Snapshot, as_of, views};
use rollbook_proofs::TreeHead;

pub use all_clients::AllClients;
pub use append::{Outcome, Written};
pub(crate) use append::{Proposal, new_event};
pub use diff::{Diff, DiffEvent, EntryChange, FieldChange, Side};
pub use error::StoreError;
pub use read_counts::ReadCounts;
pub use reading::{FoldedSeries, Reading};
pub use request::Request;
pub(crate) use request_digest::KeyedRequest;
pub use resolve::WeekRef;
pub use series_command::SeriesCommand;
pub use time_travel::PastView;

use self::read_counts::Counters;
use self::stream_locks::StreamLocks;

/// An open store.
pub struct Store {
    directory: PathBuf,
    runtime: Runtime,
    stream_locks: StreamLocks,
    counts: Counters,
    backup_lock: Mutex<()>,
}

/// Which view is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewChoice {
    /// This one, whatever the switch says.
    View(View),
    /// The one that the switch serves the client.
    Live,
}

/// What was answered, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewAnswer {
    /// The view that answered.
    pub view: View,
    /// The position its rows were folded up to.
    pub position: Position,
    /// The body, as JSON text.
    pub body: String,
}

impl Store {
    /// Opens the store in a directory; with `create`, a missing one is an empty store that is made
    /// by its first write.
    ///
    /// # Errors
    /// When there is no store, it is in use, or of a newer format.
    pub fn open(directory: &Path, create: bool) -> Result<Self, StoreError> {
        Self::open_with(directory, OpenOptions { create, ..OpenOptions::default() })
    }

    /// Opens the store in a directory, with these options of its log.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(directory: &Path, options: OpenOptions) -> Result<Self, StoreError> {
        Self::open_ordered_by(directory, options, |log| Arc::new(log.clone()))
    }

    /// Opens the store in a directory as one node's copy of commits that are ordered elsewhere.
    /// `ordering` is called with the log, to which it appends every commit before it acknowledges
    /// the commit, see [`Runtime::ordered_by`].
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
            counts: Counters::default(),
            backup_lock: Mutex::new(()),
        })
    }

    /// Held while a backup is taken: two backups of a store would share the place of its checkpoint.
    pub(crate) fn backup_lock(&self) -> &Mutex<()> {
        &self.backup_lock
    }

    /// The directory, as it was opened.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The log of this node, for reading.
    pub fn log(&self) -> &Log {
        self.runtime.log()
    }

    /// Appends commits. What it has acknowledged can be read in [`Store::log`].
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
    /// When the log or the rows cannot be read or written.
    pub fn catch_up(&self, progress: Progress<'_>) -> Result<Position, StoreError> {
        Ok(self.runtime.catch_up(progress)?)
    }

    /// A consistent look at all rows, at least as new as this call.
    ///
    /// # Errors
    /// As [`Store::catch_up`].
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.counts.snapshot();
        Ok(self.runtime.snapshot()?)
    }

    /// How often this store was read since it was opened.
    pub fn read_counts(&self) -> ReadCounts {
        self.counts.read()
    }

    /// The control stream, folded: imports, batches, validation, switch.
    ///
    /// # Errors
    /// As [`Store::catch_up`].
    pub fn control(&self) -> Result<Control, StoreError> {
        self.reading().control()
    }

    /// The control stream, folded up to a position from the log itself, and its version there.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) fn control_until(
        &self,
        position: Position,
    ) -> Result<(Control, Version), StoreError> {
        let (mut control, mut version) = (Control::default(), 0);
        for recorded in self.log().stream_until(&StreamId::Control, 0, position)? {
            control.apply(recorded.position, &recorded.event);
            version = recorded.version;
        }
        Ok((control, version))
    }

    /// The Merkle tree of the events up to a position, now or in the past; reads one row a level of
    /// the tree.
    ///
    /// # Errors
    /// As [`Store::catch_up`]; when the position is beyond the head.
    pub fn tree_head(&self, position: Position) -> Result<TreeHead, StoreError> {
        let head = self.log().head();
        if position > head {
            return Err(ProjectionError::BeyondHead { asked: position, head }.into());
        }
        let snapshot = self.snapshot()?;
        Ok(tree::head_at(&snapshot.rows::<Tree>()?.0, position)?)
    }

    /// The same from the rows as they are, folding nothing; `None` where they are behind.
    pub fn tree_head_unfolded(&self, position: Position) -> Option<TreeHead> {
        let snapshot = self.runtime.unfolded();
        let (rows, folded) = snapshot.find::<Tree>().ok()??;
        (folded >= position).then(|| tree::head_at(&rows, position).ok()).flatten()
    }

    /// The old server's zone.
    ///
    /// # Errors
    /// As [`Store::catch_up`].
    pub fn zone(&self) -> Result<Zone, StoreError> {
        self.reading().zone()
    }

    /// One view's answer for one client id, from one snapshot.
    ///
    /// # Errors
    /// When the store cannot be read, or `position` is beyond the head.
    pub fn check_ins(
        &self,
        asking: ViewChoice,
        client: &str,
        asked: Asked,
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

    /// The view that serves a client, in this snapshot; with a position, as the switch stood there.
    ///
    /// # Errors
    /// When rows or the log cannot be read.
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

    /// The time of the system clock. A clock before 1970 reads as 1970.
    pub fn now() -> Timestamp {
        rollbook_log::system_clock()
    }
}

fn answer_in(
    snapshot: &Snapshot,
    view: View,
    client: &str,
    asked: Asked,
) -> Result<ViewAnswer, StoreError> {
    let (rows, position) = snapshot.view(view)?;
    let identity = directory::identify(&rows.directory, client)?;
    let body = views::answer(&rows, &identity, asked, |answer| answer.to_json())?;
    Ok(ViewAnswer { view, position, body })
}

/// Every client document's id, in id order.
///
/// # Errors
/// When the rows cannot be read.
pub fn clients(snapshot: &Snapshot) -> Result<Vec<String>, StoreError> {
    let (rows, _) = snapshot.rows::<Directory>()?;
    Ok(directory::clients(&rows)?)
}

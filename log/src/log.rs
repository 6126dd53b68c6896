//! The open log: opening it, appending to it, and following its head. `queries` and `maintenance`
//! have further methods of [`Log`], `erasure` those about personal data.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use rollbook_domain::event::Position;
use uuid::Uuid;

use crate::commit::{Commit, CommitReceipt};
use crate::commits::Commits;
use crate::draft::Draft;
use crate::error::{AppendError, LogError};
use crate::handle::Handle;
use crate::keyring::Sealing;
use crate::options::OpenOptions;
use crate::pending::PendingCommit;
use crate::queue::{Queue, Request};
use crate::raw_commit::RawCommit;
use crate::rows::Rows;
use crate::store::Store;
use crate::tail::Tail;
use crate::versions::Versions;
use crate::writer::Writer;

/// An open log. Clones are handles of the same log. When the last one is dropped, the submitted
/// commits are written and the store is closed.
///
/// Opening, reading and a rejected commit change no byte on disk. Only one process at a time can
/// have a store open.
#[derive(Clone)]
pub struct Log {
    handle: Handle,
}

impl Log {
    /// Opens the store in a directory.
    ///
    /// # Errors
    /// - [`LogError::Missing`] without `create`, [`LogError::NotAStore`], [`LogError::NewerStore`],
    ///   [`LogError::InUse`]
    /// - [`LogError::Corrupt`] when the last commit is damaged
    /// - [`LogError::DamagedFile`] when a write-ahead log or the manifest is damaged
    /// - [`LogError::Database`] when RocksDB finds its files damaged
    pub fn open(dir: &Path, options: OpenOptions) -> Result<Self, LogError> {
        let OpenOptions {
            create,
            durability,
            clock,
            queue_budget_bytes,
            store_id,
            master_key,
            unsealed,
            outdated_keyring: outdated,
            on_new_master_key,
            observer,
        } = options;
        let sealing = Sealing { master_key, unsealed, outdated, on_new_master_key };
        let (store, last) = Store::open(dir, create, store_id, sealing)?;
        let (store, queue) = (Arc::new(store), Arc::new(Queue::new(queue_budget_bytes)));
        let writer = Writer {
            store: store.clone(),
            queue: queue.clone(),
            clock,
            durability,
            observer,
            last,
            versions: Versions::default(),
        };
        let thread = thread::Builder::new()
            .name("rollbook-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(LogError::Thread)?;
        Ok(Self { handle: Handle::new(store, queue, thread) })
    }

    pub(crate) fn store(&self) -> &Store {
        self.handle.store()
    }

    /// Queues a commit for the writer. The result arrives when the commit is as durable as
    /// [`crate::Durability`] promises.
    pub fn submit(&self, commit: Commit) -> PendingCommit {
        self.enqueue(Draft::admit(commit, self.store().keyring()))
    }

    fn enqueue(&self, draft: Result<Draft, AppendError>) -> PendingCommit {
        match draft {
            Ok(draft) => {
                let (answer, pending) = PendingCommit::channel();
                self.handle.queue().push(Request { draft, answer, submitted: Instant::now() });
                pending
            }
            Err(rejection) => PendingCommit::ready(Err(rejection)),
        }
    }

    /// Appends a commit in the stored form of another store, byte for byte, and waits for the
    /// result. Use it to copy that store.
    ///
    /// # Errors
    /// If the commit was not appended.
    ///
    /// # Panics
    /// As [`Log::append`].
    pub fn append_raw(&self, commit: RawCommit) -> Result<CommitReceipt, AppendError> {
        self.enqueue(Draft::raw(commit)).wait()
    }

    /// Appends a commit and waits for the result.
    ///
    /// # Errors
    /// If the commit was not appended.
    ///
    /// # Panics
    /// On a thread that drives asynchronous tasks. There, `.await` the result of [`Log::submit`].
    pub fn append(&self, commit: Commit) -> Result<CommitReceipt, AppendError> {
        self.submit(commit).wait()
    }

    /// Fails if no commit can be accepted: the store's directory is gone or was replaced, or a
    /// write has failed. Costs two `stat` calls.
    ///
    /// # Errors
    /// [`LogError::Lost`], [`LogError::Poisoned`].
    pub fn require_sound(&self) -> Result<(), LogError> {
        self.store().require_sound()?;
        self.require_present()
    }

    /// Fails if the store's directory is gone or was replaced. Costs two `stat` calls.
    ///
    /// # Errors
    /// [`LogError::Lost`].
    pub fn require_present(&self) -> Result<(), LogError> {
        self.store().require_present()
    }

    /// The position of the last event, 0 if there is none.
    pub fn head(&self) -> Position {
        self.handle.head()
    }

    /// Waits until the head is beyond a position, and returns it. Dropping the future loses
    /// nothing.
    pub async fn head_beyond(&self, position: Position) -> Position {
        loop {
            // Listen before reading the head, so that a move in between is not missed.
            let moved = self.handle.listen();
            let head = self.head();
            if head > position {
                return head;
            }
            moved.await;
        }
    }

    /// The commits after a position, up to the current head.
    pub fn commits_after(&self, position: Position) -> Commits {
        Commits::new(self.handle.clone(), position)
    }

    /// Follows the log from a position.
    pub fn tail(&self, after: Position) -> Tail {
        Tail::new(self.handle.clone(), after)
    }

    /// The rows of the projections, in the same database.
    pub fn rows(&self) -> Rows {
        Rows::new(self.handle.clone())
    }

    /// Distinguishes this opening of a store from every other in this process, also from that of a
    /// copy with the same [`Log::store_id`].
    pub fn opening(&self) -> u64 {
        self.handle.number()
    }

    /// The id of this store. It is chosen when the store is created and never changes.
    pub fn store_id(&self) -> Uuid {
        self.store().store_id()
    }
}

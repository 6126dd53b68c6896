//! The log as its users see it. Owns the handle and the writer's thread; every method leads to the file that does the work.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering as Memory};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use rollbook_domain::event::{EventRecord, Position, Version};
use rollbook_domain::{StreamId, Timestamp};
use uuid::Uuid;

use crate::check::{self, LogChecked, VisitLeaves};
use crate::commit::{Commit, Committed};
use crate::commits::Commits;
use crate::copied::CopiedCommit;
use crate::digest;
use crate::directory::Directory;
use crate::draft::Draft;
use crate::engine::Family;
use crate::error::{AppendError, LogError};
use crate::keyring::{KEYRING_FILE, Sealing};
use crate::layout;
use crate::options::OpenOptions;
use crate::pending::Pending;
use crate::queue::{Queue, Request};
use crate::reads;
use crate::rows::Rows;
use crate::store::Store;
use crate::tail::Tail;
use crate::verify;
use crate::versions::Versions;
use crate::writer::Writer;

/// An open log. Clones are handles of the same log; when the last one is dropped, what was submitted is written and the store is closed.
///
/// Opening, reading and a refused commit change no byte on disk. One process at a time has a store open.
#[derive(Clone)]
pub struct Log {
    open: Arc<Open>,
}

/// How many logs this process has opened.
static OPENED: AtomicU64 = AtomicU64::new(0);

struct Open {
    number: u64,
    store: Arc<Store>,
    queue: Arc<Queue>,
    writer: Option<JoinHandle<()>>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has dropped its answers, so that everyone who waited was told.
            let _panicked = writer.join();
        }
    }
}

impl Log {
    /// Opens the store in a directory.
    ///
    /// # Errors [`LogError::Missing`] without `create`, [`LogError::NotAStore`], [`LogError::NewerStore`], [`LogError::InUse`];
    /// [`LogError::Corrupt`] when the last commit is damaged; [`LogError::DamagedFile`] when a write-ahead log or the manifest is;
    /// [`LogError::Database`] when RocksDB finds its files damaged.
    pub fn open(dir: &Path, options: OpenOptions) -> Result<Self, LogError> {
        let OpenOptions {
            create,
            durability,
            clock,
            queue_budget_bytes,
            store_id,
            master_key,
            unsealed,
            on_new_master_key,
            observer,
        } = options;
        let (store, last) = Store::open(
            dir,
            create,
            store_id,
            Sealing { master_key, unsealed, on_new_master_key },
        )?;
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
        Ok(Self {
            open: Arc::new(Open {
                number: OPENED.fetch_add(1, Memory::Relaxed),
                store,
                queue,
                writer: Some(thread),
            }),
        })
    }

    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.open.store
    }

    /// Queues a commit for the writer. The answer comes when it is as durable as [`crate::Durability`] says.
    pub fn submit(&self, commit: Commit) -> Pending {
        self.enqueue(Draft::admit(commit, self.store().keyring()))
    }

    fn enqueue(&self, draft: Result<Draft, AppendError>) -> Pending {
        match draft {
            Ok(draft) => {
                let (answer, pending) = Pending::channel();
                self.open.queue.push(Request { draft, answer, submitted: Instant::now() });
                pending
            }
            Err(refusal) => Pending::ready(Err(refusal)),
        }
    }

    /// Appends a commit as another store has it, to the last stored byte, and waits for the answer: for making a copy of that store.
    ///
    /// # Errors
    /// Why it was not appended.
    ///
    /// # Panics
    /// As [`Log::append`].
    pub fn append_copied(&self, commit: CopiedCommit) -> Result<Committed, AppendError> {
        self.enqueue(Draft::copied(commit)).wait()
    }

    /// Appends a commit and waits for the answer.
    ///
    /// # Errors
    /// Why it was not appended.
    ///
    /// # Panics
    /// On a thread that drives asynchronous tasks: there, `.await` what [`Log::submit`] returns.
    pub fn append(&self, commit: Commit) -> Result<Committed, AppendError> {
        self.submit(commit).wait()
    }

    /// Says so when no commit can be taken: the store's directory is gone or was replaced, or a write has failed. Costs two looks at
    /// the file system.
    ///
    /// # Errors
    /// [`LogError::Lost`], [`LogError::Poisoned`].
    pub fn require_sound(&self) -> Result<(), LogError> {
        self.store().require_sound()?;
        self.require_present()
    }

    /// Says so when the store's directory is gone or was replaced. Costs two looks at the file system.
    ///
    /// # Errors
    /// [`LogError::Lost`].
    pub fn require_present(&self) -> Result<(), LogError> {
        self.store().require_present()
    }

    /// The position of the last event, 0 when there is none.
    pub fn head(&self) -> Position {
        self.store().head()
    }

    /// Waits until the head is beyond a position, and gives it. Dropping the future loses nothing.
    pub async fn head_beyond(&self, position: Position) -> Position {
        loop {
            // Listen before looking: what is published in between is heard.
            let moved = self.store().listen();
            let head = self.head();
            if head > position {
                return head;
            }
            moved.await;
        }
    }

    /// The commits after a position, up to the head of this instant.
    pub fn commits_after(&self, position: Position) -> Commits {
        Commits::new(self.clone(), position, self.head())
    }

    /// A stream's events after a version.
    ///
    /// # Errors
    /// When the database cannot be read or is damaged.
    pub fn stream(&self, stream: &StreamId, after: Version) -> Result<Vec<EventRecord>, LogError> {
        self.stream_until(stream, after, Position::MAX)
    }

    /// A stream's events after a version and up to a position: the stream as of that position.
    ///
    /// # Errors
    /// When the database cannot be read or is damaged.
    pub fn stream_until(
        &self,
        stream: &StreamId,
        after: Version,
        until: Position,
    ) -> Result<Vec<EventRecord>, LogError> {
        match self.store().engine() {
            Some(engine) => reads::stream(
                &engine,
                self.store().keyring(),
                &stream.name(),
                after,
                until.min(self.head()),
            ),
            None => Ok(Vec::new()),
        }
    }

    /// How many events a stream has.
    ///
    /// # Errors
    /// When the database cannot be read or is damaged.
    pub fn stream_version(&self, stream: &StreamId) -> Result<Version, LogError> {
        match self.store().engine() {
            Some(engine) => reads::stream_version(&engine, &stream.name(), self.head()),
            None => Ok(0),
        }
    }

    /// The streams whose names start with a prefix, such as [`StreamId::series_prefix`], in name order. Costs one seek a stream,
    /// however long.
    ///
    /// # Errors
    /// When the database cannot be read or is damaged.
    pub fn streams_with_prefix(&self, prefix: &str) -> Result<Vec<StreamId>, LogError> {
        match self.store().engine() {
            Some(engine) => reads::streams_with_prefix(&engine, prefix, self.head()),
            None => Ok(Vec::new()),
        }
    }

    /// The event with an id.
    ///
    /// # Errors
    /// When the database cannot be read or is damaged.
    pub fn event(&self, id: Uuid) -> Result<Option<EventRecord>, LogError> {
        let Some(engine) = self.store().engine() else { return Ok(None) };
        let position = match engine.get(Family::Ids, id.as_bytes(), layout::number)? {
            None => return Ok(None),
            Some(position) => position.ok_or_else(|| layout::malformed("ids"))?,
        };
        if position > self.head() {
            Ok(None)
        } else {
            reads::at(&engine, self.store().keyring(), position).map(Some)
        }
    }

    /// The event at a position; `None` for 0 and beyond the head.
    ///
    /// # Errors
    /// When the database cannot be read or is damaged.
    pub fn at(&self, position: Position) -> Result<Option<EventRecord>, LogError> {
        match self.store().engine() {
            Some(engine) if (1..=self.head()).contains(&position) => {
                reads::at(&engine, self.store().keyring(), position).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The last position that was recorded at an instant or before it; 0 when nothing was. Times of record never run backwards.
    ///
    /// # Errors
    /// When the database cannot be read or is damaged.
    pub fn position_at(&self, instant: Timestamp) -> Result<Position, LogError> {
        match self.store().engine() {
            Some(engine) => {
                reads::position_at(&engine, self.store().keyring(), instant, self.head())
            }
            None => Ok(0),
        }
    }

    /// The bytes of the leaf of the event at a position: all that is stored of it, see [`crate::Leaf`]. `None` for 0 and beyond the head.
    ///
    /// # Errors
    /// When the database cannot be read or is damaged.
    pub fn leaf(&self, position: Position) -> Result<Option<Vec<u8>>, LogError> {
        match self.store().engine() {
            Some(engine) if (1..=self.head()).contains(&position) => {
                reads::leaf(&engine, position).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The commit under an idempotency key, as proposing it again would be answered.
    ///
    /// # Errors
    /// When the database cannot be read or is damaged.
    pub fn committed_under(&self, key: &str) -> Result<Option<Committed>, LogError> {
        Ok(self.requested_under(key)?.map(|(_, committed)| committed))
    }

    /// The same with the digest of the request that the key stands for.
    ///
    /// # Errors
    /// When the database cannot be read or is damaged.
    pub fn requested_under(&self, key: &str) -> Result<Option<([u8; 32], Committed)>, LogError> {
        let Some(engine) = self.store().engine() else { return Ok(None) };
        Ok(reads::key(&engine, key)?.filter(|(_, committed)| committed.last <= self.head()))
    }

    /// Follows the log from a position.
    pub fn tail(&self, after: Position) -> Tail {
        Tail::new(self.clone(), after)
    }

    /// SHA-256 over the stored bytes of all commits up to a position, 0 or the last position of a commit. Two logs with the same
    /// digest hold the same commits, down to `recorded_at`; reads the whole log up to there, in bounded memory, and checks it on the
    /// way.
    ///
    /// # Errors
    /// [`LogError::InsideCommit`], [`LogError::BeyondHead`]; [`LogError::Corrupt`] when the log is damaged.
    pub fn digest(&self, until: Position) -> Result<[u8; 32], LogError> {
        digest::digest(self.store(), until)
    }

    /// Reads the whole log and checks everything that can be checked: checksums, that no position is missing, that every event
    /// decodes, and that every index entry is there and right. Calls `progress` with the position reached, now and then. Returns the
    /// head it went up to.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] with the first damaged position.
    pub fn verify(&self, progress: impl FnMut(Position)) -> Result<Position, LogError> {
        verify::verify(self.store(), progress)
    }

    /// Puts the database as it is now, `db/` of a store, into a directory: everything that is acknowledged when this is called, and
    /// perhaps some of what comes meanwhile; writing goes on. Table files are shared with the store by hard links where both are on
    /// one file system, so what is in the directory must not be written to; opening it as a store is allowed, and writes other files.
    ///
    /// # Errors
    /// When the store cannot be written, an earlier write failed, or the directory is there.
    pub fn checkpoint(&self, to: &Path) -> Result<(), LogError> {
        self.store().require_sound()?;
        let engine = self.store().engine_to_write()?;
        engine.checkpoint(&to.join("db"))?;
        // Afterwards: it has a key for everything in the checkpoint, and knows every erasure that the checkpoint has on record.
        let path = to.join(KEYRING_FILE);
        let bytes = self.store().keyring().bytes()?;
        std::fs::write(&path, bytes).map_err(|source| LogError::File {
            doing: "write",
            path,
            source,
        })
    }

    /// Makes a store of a directory that has a whole database in `db/`, such as a checkpoint: from here on it can be opened.
    ///
    /// # Errors
    /// When the directory cannot be written, or is a store already.
    pub fn found(dir: &Path) -> Result<(), LogError> {
        Directory::format_file(dir)
    }

    /// The format of stores that this build writes.
    pub const FORMAT: u32 = crate::directory::SUPPORTED;

    /// Tells this opening of a store from every other in this process, also from one of a copy with the same [`Log::store_id`].
    pub fn opening(&self) -> u64 {
        self.open.number
    }

    /// Reads the whole log as [`Log::verify`] does, and goes on behind damage: all of it is named, and so is every index entry that no
    /// event asks for. Hands the leaf hashes of every commit that can be read to `visit`; calls `progress` with the position reached.
    ///
    /// # Errors
    /// When the database cannot be read at all, or `visit` fails. Damage is no error.
    pub fn check(
        &self,
        visit: VisitLeaves<'_>,
        progress: &dyn Fn(Position),
    ) -> Result<LogChecked, LogError> {
        check::check(self.store(), visit, progress)
    }

    /// The id of this store: drawn when it was made, the same ever after.
    pub fn store_id(&self) -> Uuid {
        self.store().store_id()
    }

    /// The rows that projections keep beside the log.
    pub fn rows(&self) -> Rows {
        Rows::new(self.clone())
    }
}

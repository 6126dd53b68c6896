//! The open store: which database instance serves, the head, and whether writing has failed. Owns the passage from nothing on disk
//! over reading only to writing, which happens on the first write and not before, so that opening and reading change no byte.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering as Memory};

use event_listener::{Event, EventListener};
use parking_lot::{Mutex, RwLock};
use rollbook_domain::Timestamp;
use rollbook_domain::event::Position;
use uuid::Uuid;

use crate::directory::{Directory, Found};
use crate::engine::{Engine, Family, Purpose};
use crate::error::{AppendError, Corruption, CorruptionKind, LogError};
use crate::files::check_journals;
use crate::keyring::{Keyring, Sealing};
use crate::layout;
use crate::stored;

/// What every handle of the log shares.
pub(crate) struct Store {
    // Before the directory, so that the database is closed before the lock is released.
    engine: RwLock<Option<Arc<Engine>>>,
    directory: Directory,
    upgrade: Mutex<()>,
    store_id: Uuid,
    keyring: Keyring,
    head: AtomicU64,
    head_moved: Event,
    failure: Mutex<Option<Arc<LogError>>>,
}

/// The last commit, from which the writer goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastCommit {
    /// Its last position; 0 when there is none.
    pub(crate) position: Position,
    /// When it was recorded.
    pub(crate) recorded_at: Option<Timestamp>,
}

impl Store {
    /// Opens a store for reading, or an empty one that is not on disk yet.
    pub(crate) fn open(
        dir: &Path,
        create: bool,
        new_id: Option<Uuid>,
        sealing: Sealing,
    ) -> Result<(Self, LastCommit), LogError> {
        let (directory, found) = Directory::open(dir, create)?;
        let (engine, store_id, keyring, last) = match found {
            Found::Nothing => {
                let store_id = new_id.unwrap_or_else(Uuid::now_v7);
                let keyring = Keyring::of_new_store(dir, store_id, sealing);
                (None, store_id, keyring, LastCommit { position: 0, recorded_at: None })
            }
            Found::Store => {
                directory.require_database()?;
                check_journals(&directory.database())?;
                let engine = Engine::open_to_read(dir, &directory.database())?;
                let store_id = engine
                    .get(Family::Meta, layout::META_STORE, |bytes| Uuid::from_slice(bytes).ok())?
                    .flatten();
                let store_id = store_id.ok_or_else(|| layout::malformed("meta"))?;
                let keyring = Keyring::open(dir, store_id, sealing)?;
                let last = last_commit(&engine)?;
                (Some(Arc::new(engine)), store_id, keyring, last)
            }
        };
        let store = Self {
            engine: RwLock::new(engine),
            directory,
            upgrade: Mutex::new(()),
            store_id,
            keyring,
            head: AtomicU64::new(last.position),
            head_moved: Event::new(),
            failure: Mutex::new(None),
        };
        Ok((store, last))
    }

    /// The instance that serves reads now; `None` while nothing is on disk. It stays readable when another one takes its place.
    pub(crate) fn engine(&self) -> Option<Arc<Engine>> {
        self.engine.read().clone()
    }

    /// The instance that takes writes; the first call opens it, and makes the store if there is none.
    pub(crate) fn engine_to_write(&self) -> Result<Arc<Engine>, LogError> {
        let writable = |engine: Option<Arc<Engine>>| engine.filter(|engine| engine.is_writable());
        if let Some(engine) = writable(self.engine()) {
            return Ok(engine);
        }
        let _one_at_a_time = self.upgrade.lock();
        if let Some(engine) = writable(self.engine()) {
            return Ok(engine);
        }
        let new = self.engine().is_none();
        self.directory.require_writable()?;
        if new {
            self.directory.begin()?;
        }
        let engine = Engine::open_to_write(self.directory.path(), &self.directory.database(), new)?;
        if new {
            self.found(&engine)?;
            self.directory.complete()?;
        }
        let engine = Arc::new(engine);
        *self.engine.write() = Some(engine.clone());
        Ok(engine)
    }

    /// The keys that its events are sealed under.
    pub(crate) fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Writes what a new store has from the beginning.
    fn found(&self, engine: &Engine) -> Result<(), LogError> {
        if last_commit(engine)?.position > 0 {
            let why = "its FORMAT is empty, yet its database has events; write `rollbook-store 1` into FORMAT to have it again";
            return Err(LogError::NotAStore { dir: self.directory.path().to_owned(), why });
        }
        self.keyring.found()?;
        let mut batch = engine.batch(64);
        batch.put(Family::Meta, layout::META_STORE, self.store_id.as_bytes())?;
        batch.put(Family::Meta, layout::META_HEAD, &0u64.to_be_bytes())?;
        batch.write(true)
    }

    /// What `IDENTITY` in the database's directory says; `None` where there is no such file.
    pub(crate) fn database_identity(&self) -> Result<Option<Vec<u8>>, LogError> {
        let path = self.directory.database().join("IDENTITY");
        match std::fs::read(&path) {
            Ok(identity) => Ok(Some(identity)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(LogError::File { doing: "read", path, source }),
        }
    }

    /// The id that the store got when it was made.
    pub(crate) fn store_id(&self) -> Uuid {
        self.store_id
    }

    /// The position of the last event.
    pub(crate) fn head(&self) -> Position {
        self.head.load(Memory::Acquire)
    }

    /// Makes a new head known.
    pub(crate) fn publish(&self, head: Position) {
        self.head.store(head, Memory::Release);
        self.head_moved.notify(usize::MAX);
    }

    /// Hears of the next [`Store::publish`]. Look at the head after asking for this, not only before.
    pub(crate) fn listen(&self) -> EventListener {
        self.head_moved.listen()
    }

    /// Remembers that writing failed: no write after this one succeeds. Returns what to tell those who are refused, now and later.
    pub(crate) fn poison(&self, failure: LogError) -> LogError {
        LogError::Poisoned(self.failure.lock().get_or_insert_with(|| Arc::new(failure)).clone())
    }

    /// Refuses after a failed write.
    pub(crate) fn require_sound(&self) -> Result<(), LogError> {
        match &*self.failure.lock() {
            Some(failure) => Err(LogError::Poisoned(failure.clone())),
            None => Ok(()),
        }
    }

    /// Says so when the directory is gone or another one stands in its place: what is open stays readable and writable then, and is
    /// lost when this process ends.
    pub(crate) fn require_present(&self) -> Result<(), LogError> {
        self.directory.require_present(self.engine.read().is_some())
    }

    /// Settles a database that was written to. After a failure there is nothing to settle: opening again recovers.
    pub(crate) fn close(&self) {
        if let (Some(engine), Ok(())) = (self.engine(), self.require_sound())
            && engine.is_writable()
        {
            // What was acknowledged is as durable as it was promised already; a failure here costs nothing but time on opening.
            let _best_effort = engine.settle();
        }
    }
}

impl From<LogError> for AppendError {
    fn from(error: LogError) -> Self {
        Self::Storage(Arc::new(error))
    }
}

/// Reads the last commit, checking that it is the one that `meta` remembers as the last.
fn last_commit(engine: &Engine) -> Result<LastCommit, LogError> {
    let remembered = engine.get(Family::Meta, layout::META_HEAD, layout::number)?;
    let remembered = match remembered {
        None => 0,
        Some(head) => head.ok_or_else(|| layout::malformed("meta"))?,
    };
    let mut cursor = engine.cursor(Family::Records, Purpose::Lookup)?;
    cursor.seek_to_last();
    let last = match cursor.item() {
        Some((key, value)) => {
            let record = stored::check(
                layout::number(key).ok_or_else(|| layout::malformed("records"))?,
                value,
            )?;
            let recorded_at = record.envelope()?.recorded_at();
            let recorded_at = recorded_at.map_err(|source| Corruption {
                position: record.last(),
                kind: CorruptionKind::Undecodable { source },
            })?;
            LastCommit { position: record.last(), recorded_at: Some(recorded_at) }
        }
        None => {
            cursor.status().map_err(crate::engine::failed("read"))?;
            LastCommit { position: 0, recorded_at: None }
        }
    };
    if last.position == remembered {
        Ok(last)
    } else {
        Err(Corruption {
            position: last.position.min(remembered) + 1,
            kind: CorruptionKind::MissingRecord,
        }
        .into())
    }
}

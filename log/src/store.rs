//! The open store: the database, the head, and whether a write has failed. A store starts without a
//! database, or with one that is open read-only. The first write replaces it with a writable one,
//! so that opening and reading change no byte on disk.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering as Memory};

use event_listener::{Event, EventListener};
use parking_lot::{Mutex, RwLock};
use rollbook_domain::Timestamp;
use rollbook_domain::event::Position;
use uuid::Uuid;

use crate::directory::{Directory, Found};
use crate::engine::{Batch as _, Cursor as _, Engine, Family, Purpose, StoreEngine, failed};
use crate::error::{Corruption, CorruptionKind, LogError};
use crate::files::check_journals;
use crate::ids;
use crate::keyring::{Keyring, KeyringCounts, Sealing};
use crate::layout;
use crate::stored;

/// The state that all handles of a log share.
pub(crate) struct Store {
    // Before the directory, so that the database is closed before the lock is released.
    engine: RwLock<Option<Arc<StoreEngine>>>,
    directory: Directory,
    upgrade: Mutex<()>,
    store_id: Uuid,
    keyring: Keyring,
    head: AtomicU64,
    head_moved: Event,
    failure: Mutex<Option<Arc<LogError>>>,
}

/// The last commit, after which the writer continues.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastCommit {
    /// Its last position; 0 if there is none.
    pub(crate) position: Position,
    /// Its time of record.
    pub(crate) recorded_at: Option<Timestamp>,
}

impl Store {
    /// Opens a store for reading, or an empty store that is not on disk yet.
    pub(crate) fn open(
        dir: &Path,
        create: bool,
        new_id: Option<Uuid>,
        sealing: Sealing,
    ) -> Result<(Self, LastCommit), LogError> {
        let (directory, found) = Directory::open(dir, create)?;
        let (engine, store_id, keyring, last) = match found {
            Found::Nothing => {
                let store_id = new_id.unwrap_or_else(|| ids::new_id(ids::system_clock()));
                let keyring = Keyring::of_new_store(dir, store_id, sealing);
                (None, store_id, keyring, LastCommit { position: 0, recorded_at: None })
            }
            Found::Store => {
                directory.require_database()?;
                check_journals(&directory.database())?;
                let engine = StoreEngine::open_to_read(dir, &directory.database())?;
                let store_id = engine
                    .get(Family::Meta, layout::META_STORE, |bytes| Uuid::from_slice(bytes).ok())?
                    .flatten();
                let store_id = store_id.ok_or_else(|| layout::malformed("meta"))?;
                let keyring = Keyring::open(dir, store_id, sealing, keyring_counts(&engine)?)?;
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

    /// The database for reading. `None` while nothing is on disk. It stays readable after a
    /// writable one has replaced it.
    pub(crate) fn engine(&self) -> Option<Arc<StoreEngine>> {
        self.engine.read().clone()
    }

    /// The database for writing. The first call opens it, and creates the store if it is missing.
    pub(crate) fn engine_to_write(&self) -> Result<Arc<StoreEngine>, LogError> {
        let writable =
            |engine: Option<Arc<StoreEngine>>| engine.filter(|engine| engine.is_writable());
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
        let engine =
            StoreEngine::open_to_write(self.directory.path(), &self.directory.database(), new)?;
        if new {
            self.found(&engine)?;
            self.directory.complete()?;
        }
        let engine = Arc::new(engine);
        *self.engine.write() = Some(engine.clone());
        Ok(engine)
    }

    /// The keys that seal its events.
    pub(crate) fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Writes the initial content of a new store.
    fn found(&self, engine: &StoreEngine) -> Result<(), LogError> {
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

    /// The content of `IDENTITY` in the database's directory. `None` if there is no such file.
    pub(crate) fn database_identity(&self) -> Result<Option<Vec<u8>>, LogError> {
        let path = self.directory.database().join("IDENTITY");
        match std::fs::read(&path) {
            Ok(identity) => Ok(Some(identity)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(LogError::File { doing: "read", path, source }),
        }
    }

    /// The id of the store, chosen when it was created.
    pub(crate) fn store_id(&self) -> Uuid {
        self.store_id
    }

    /// The position of the last event.
    pub(crate) fn head(&self) -> Position {
        self.head.load(Memory::Acquire)
    }

    /// Publishes a new head.
    pub(crate) fn publish(&self, head: Position) {
        self.head.store(head, Memory::Release);
        self.head_moved.notify(usize::MAX);
    }

    /// Waits for the next [`Store::publish`]. Read the head after this call, so that no move is
    /// missed.
    pub(crate) fn listen(&self) -> EventListener {
        self.head_moved.listen()
    }

    /// Records that a write failed: no later write succeeds. Returns the error for this and every
    /// later rejected write.
    pub(crate) fn poison(&self, failure: LogError) -> LogError {
        LogError::Poisoned(self.failure.lock().get_or_insert_with(|| Arc::new(failure)).clone())
    }

    /// Fails after a failed write.
    pub(crate) fn require_sound(&self) -> Result<(), LogError> {
        match &*self.failure.lock() {
            Some(failure) => Err(LogError::Poisoned(failure.clone())),
            None => Ok(()),
        }
    }

    /// Fails if the directory is gone or was replaced. The open files then stay readable and
    /// writable, and are lost when this process ends.
    pub(crate) fn require_present(&self) -> Result<(), LogError> {
        self.directory.require_present(self.engine.read().is_some())
    }

    /// Writes the database to table files, if it was written to. Not after a failed write: the next
    /// opening recovers.
    pub(crate) fn close(&self) {
        if let (Some(engine), Ok(())) = (self.engine(), self.require_sound())
            && engine.is_writable()
        {
            // Acknowledged commits are already durable. A failure here only makes the next opening
            // slower.
            let _best_effort = engine.settle();
        }
    }
}

/// Reads the counts of the keyring; `None` in a store that was last written before they were
/// recorded.
fn keyring_counts(engine: &impl Engine) -> Result<Option<KeyringCounts>, LogError> {
    match engine.get(Family::Meta, layout::META_KEYRING, layout::read_keyring_value)? {
        None => Ok(None),
        Some(counts) => {
            let (owners, erased) = counts.ok_or_else(|| layout::malformed("meta"))?;
            Ok(Some(KeyringCounts { owners, erased }))
        }
    }
}

/// Reads the last commit, and checks that it ends at the head in `meta`.
fn last_commit(engine: &impl Engine) -> Result<LastCommit, LogError> {
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
            cursor.status().map_err(failed("read"))?;
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

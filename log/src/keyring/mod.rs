//! The keyring: a key for every client and coach, stored outside the log and wrapped by the master
//! key. `aead` is the cipher, `counts` recognizes an older keyring, `ring` has the content in memory,
//! `format` the byte layout, `file` the file on the disk, `master` the master key, `owner` the
//! mapping from streams to owners.
//!
//! **Invariant: a key is on the disk before the first commit that it sealed.** The writer persists
//! the new keys of a group with one sync, before it writes the group.
//!
//! **Invariant: an owner whose key was destroyed never gets another one.** Their later events are
//! refused.

pub(crate) mod aead;
mod counts;
mod error;
mod file;
mod format;
mod master;
mod owner;
mod ring;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, RwLock};
use uuid::Uuid;

pub use error::KeyringError;
pub use master::MasterKeySource;

use aead::SecretKey;
pub(crate) use counts::KeyringCounts;
use file::KeyringFile;
use format::{Header, Reader};
pub(crate) use owner::owns;
use owner::{client_of_owner, owner, owner_of_client};
use ring::Ring;
pub(crate) use ring::random_nonce;

/// The file's name in the store's directory.
pub const KEYRING_FILE: &str = "keyring";

/// Called with the path of a new master key file.
pub type OnNewMasterKey = Arc<dyn Fn(&Path) + Send + Sync>;

/// How the caller opens a store's keyring.
pub(crate) struct Sealing {
    /// The source of the master key.
    pub(crate) master_key: MasterKeySource,
    /// Whether a new store is created unsealed.
    pub(crate) unsealed: bool,
    /// Whether a keyring that is older than the log is opened too.
    pub(crate) outdated: bool,
    /// Called with a new master key file.
    pub(crate) on_new_master_key: Option<OnNewMasterKey>,
}

/// How a store keeps personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealingState {
    /// Whether it is sealed. Chosen when the store was created.
    pub sealed: bool,
    /// The number of owners with a key.
    pub keys: u64,
    /// How often the keyring was rewritten, for erasures and rotations.
    pub rewritten: u64,
    /// The source of the master key. `None` in an unsealed store, and while nothing is on disk.
    pub master_key: Option<String>,
}

/// An erasure on record in the keyring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Its id: that of its `ClientErased` event.
    pub id: Uuid,
    /// Every client id that it covers, the client's own first.
    pub ids: Vec<String>,
    /// Whether rows and files were cleared as well.
    pub complete: bool,
}

/// How to open the sealed content of a stream.
pub(crate) enum Opening {
    /// The owner has this key.
    Key(Arc<SecretKey>),
    /// The owner was erased.
    Erased,
    /// The owner has no key and never had one in this keyring.
    NoKey,
    /// The stream has no owner.
    Nobody,
    /// Read without a keyring: sealed content stays sealed.
    Unopened,
}

/// The keyring of an open store.
pub(crate) struct Keyring {
    directory: PathBuf,
    store: Uuid,
    sealed: bool,
    sealing: Sealing,
    ring: RwLock<Ring>,
    /// Whether any owner is erased, readable without the lock.
    any_erased: AtomicBool,
    /// The counts that the log has on record.
    recorded: Mutex<Option<KeyringCounts>>,
    /// Locked during every change of the file, and always before `ring`.
    file: Mutex<KeyringFile>,
}

impl Keyring {
    /// The keyring of a store that is not on the disk yet.
    pub(crate) fn of_new_store(directory: &Path, store: Uuid, sealing: Sealing) -> Self {
        let file = Mutex::new(KeyringFile::new(directory.join(KEYRING_FILE), 0));
        let sealed = !sealing.unsealed;
        Self {
            directory: directory.to_owned(),
            store,
            sealed,
            sealing,
            ring: RwLock::default(),
            any_erased: AtomicBool::new(false),
            recorded: Mutex::default(),
            file,
        }
    }

    /// Reads the keyring of an existing store. Changes no byte on disk. `recorded` has the counts
    /// that the log has on record; a log from before they were recorded has none.
    pub(crate) fn open(
        directory: &Path,
        store: Uuid,
        sealing: Sealing,
        recorded: Option<KeyringCounts>,
    ) -> Result<Self, KeyringError> {
        let path = directory.join(KEYRING_FILE);
        let file = KeyringFile::new(path.clone(), 0);
        let bytes = file.read()?.ok_or_else(|| KeyringError::Missing { path: path.clone() })?;
        let (mut reader, header) = Reader::new(&path, &bytes)?;
        if header.store != store {
            return Err(KeyringError::OtherStore { path, found: header.store, store });
        }
        let master = if header.sealed { Some(sealing.master_key.read(directory)?) } else { None };
        if let Some(master) = master.as_ref().filter(|master| !reader.is_master(&master.key)) {
            return Err(KeyringError::WrongMasterKey { path, master_key: master.from.clone() });
        }
        let mut ring = Ring { rewritten: header.rewritten, ..Ring::default() };
        while let Some(record) = reader.next(master.as_ref().map(|master| &master.key))? {
            ring.take(record);
        }
        ring.master = master;
        let (found, needed) = (ring.counts(), recorded.unwrap_or_default());
        if !sealing.outdated {
            found.require(needed, &path)?;
        }
        let file = Mutex::new(KeyringFile::new(path.clone(), reader.offset() as u64));
        let sealed = header.sealed;
        let any_erased = AtomicBool::new(!ring.erased.is_empty());
        Ok(Self {
            directory: directory.to_owned(),
            store,
            sealed,
            sealing,
            ring: RwLock::new(ring),
            any_erased,
            recorded: Mutex::new(recorded),
            file,
        })
    }

    /// The counts of the keys and erasures that are on the disk, if the log has other ones on
    /// record.
    pub(crate) fn unrecorded_counts(&self) -> Option<KeyringCounts> {
        let counts = self.ring.read().counts();
        (*self.recorded.lock() != Some(counts)).then_some(counts)
    }

    /// Remembers the counts that the log has on record now.
    pub(crate) fn recorded(&self, counts: KeyringCounts) {
        *self.recorded.lock() = Some(counts);
    }

    /// Writes the keyring of a new store. Creates the master key if it is missing.
    pub(crate) fn found(&self) -> Result<(), KeyringError> {
        let mut file = self.file.lock();
        let mut ring = self.ring.write();
        if self.sealed && ring.master.is_none() {
            let (master, made) = self.sealing.master_key.read_or_make(&self.directory)?;
            ring.master = Some(master);
            if let (Some(path), Some(tell)) = (made, &self.sealing.on_new_master_key) {
                tell(&path);
            }
        }
        let header = self.header(&ring)?;
        file.replace(&header)
    }

    fn header(&self, ring: &Ring) -> Result<Vec<u8>, KeyringError> {
        let header = Header { sealed: self.sealed, store: self.store, rewritten: ring.rewritten };
        format::header(header, ring.master.as_ref().map(|master| &master.key), &mut random_nonce)
    }

    /// The key for sealing events of a stream. Draws a key for an owner without one; it becomes
    /// durable with [`Keyring::persist`]. `None` if nothing is sealed: in streams without an owner,
    /// in unsealed stores, and for erased owners, whose events are refused later.
    pub(crate) fn key_for(&self, stream: &str) -> Result<Option<Arc<SecretKey>>, KeyringError> {
        let Some(owner) = owner(stream).filter(|_| self.sealed) else { return Ok(None) };
        {
            let ring = self.ring.read();
            if ring.erased.contains_key(owner) {
                return Ok(None);
            }
            if let Some(key) = ring.keys.get(owner) {
                return Ok(Some(key.clone()));
            }
        }
        let drawn = Arc::new(SecretKey::random()?);
        let mut ring = self.ring.write();
        if ring.erased.contains_key(owner) {
            return Ok(None);
        }
        if let Some(key) = ring.keys.get(owner) {
            return Ok(Some(key.clone()));
        }
        ring.keys.insert(owner.into(), drawn.clone());
        ring.pending.push(owner.into());
        Ok(Some(drawn))
    }

    /// How to open a stream's events.
    pub(crate) fn opening(&self, stream: &str) -> Opening {
        let Some(owner) = owner(stream) else { return Opening::Nobody };
        let ring = self.ring.read();
        if ring.erased.contains_key(owner) {
            return Opening::Erased;
        }
        ring.keys.get(owner).map_or(Opening::NoKey, |key| Opening::Key(key.clone()))
    }

    /// Whether a stream's owner was erased.
    pub(crate) fn is_erased(&self, stream: &str) -> bool {
        self.any_erased.load(Ordering::Acquire)
            && owner(stream).is_some_and(|owner| self.ring.read().erased.contains_key(owner))
    }

    /// Makes all new keys durable, with one append and one sync. Does nothing if there are none.
    pub(crate) fn persist(&self) -> Result<(), KeyringError> {
        if self.ring.read().pending.is_empty() {
            return Ok(());
        }
        let mut file = self.file.lock();
        let mut records = Vec::new();
        let drawn = {
            let ring = self.ring.read();
            ring.push_keys(ring.pending.iter(), self.store, &mut records)?;
            ring.pending.len()
        };
        // Without the lock on the ring: readers continue, and callers draw further keys.
        file.append(&records)?;
        self.ring.write().pending.drain(..drawn);
        Ok(())
    }

    /// Destroys the keys of these client ids: rewrites the file without them and overwrites its old
    /// bytes. Ids that are already erased stay erased.
    pub(crate) fn erase(&self, id: Uuid, ids: &[String]) -> Result<(), KeyringError> {
        self.erase_owners(id, ids.iter().map(|id| owner_of_client(id)).collect())
    }

    /// As [`Keyring::erase`], for the owners of these streams.
    pub(crate) fn erase_streams(&self, id: Uuid, streams: &[String]) -> Result<(), KeyringError> {
        let owners: BTreeSet<Box<str>> =
            streams.iter().filter_map(|stream| owner(stream)).map(Into::into).collect();
        self.erase_owners(id, owners.into_iter().collect())
    }

    fn erase_owners(&self, id: Uuid, owners: Vec<Box<str>>) -> Result<(), KeyringError> {
        let mut file = self.file.lock();
        let mut ring = self.ring.write();
        if owners.iter().all(|owner| ring.erased.contains_key(owner)) {
            return file.clear_leftovers();
        }
        for owner in &owners {
            ring.keys.remove(owner);
            ring.pending.retain(|pending| pending != owner);
            ring.erased.entry(owner.clone()).or_insert(id);
        }
        self.any_erased.store(true, Ordering::Release);
        ring.erasures.entry(id).or_insert((owners, false));
        self.rewrite(&mut ring, &mut file)
    }

    /// Records that an erasure is complete.
    pub(crate) fn complete(&self, id: Uuid) -> Result<(), KeyringError> {
        let mut file = self.file.lock();
        let mut ring = self.ring.write();
        let Some((_, complete)) = ring.erasures.get_mut(&id).filter(|(_, complete)| !complete)
        else {
            return Ok(());
        };
        let mut record = Vec::new();
        format::push_complete(id, &mut record);
        file.append(&record)?;
        *complete = true;
        Ok(())
    }

    /// Wraps every key with another master key. Creates its file if it is missing.
    pub(crate) fn rotate(&self, to: &MasterKeySource) -> Result<Option<PathBuf>, KeyringError> {
        if !self.sealed {
            return Err(KeyringError::Unsealed);
        }
        let mut file = self.file.lock();
        let (master, made) = to.read_or_make(&self.directory)?;
        let mut ring = self.ring.write();
        ring.master = Some(master);
        self.rewrite(&mut ring, &mut file)?;
        Ok(made)
    }

    fn rewrite(&self, ring: &mut Ring, file: &mut KeyringFile) -> Result<(), KeyringError> {
        ring.rewritten += 1;
        let mut content = self.header(ring)?;
        let mut owners: Vec<&Box<str>> =
            ring.keys.keys().filter(|owner| !ring.pending.contains(*owner)).collect();
        owners.sort_unstable();
        ring.push_keys(owners.into_iter(), self.store, &mut content)?;
        for (id, (owners, complete)) in &ring.erasures {
            let under = (ring.master.as_ref().map(|master| &master.key), self.store);
            format::push_erasure(
                *id,
                owners.iter().map(AsRef::as_ref),
                under,
                &mut content,
                &mut random_nonce,
            )?;
            if *complete {
                format::push_complete(*id, &mut content);
            }
        }
        file.replace(&content)
    }

    /// Every erasure on record.
    pub(crate) fn erasures(&self) -> Vec<Erasure> {
        let ring = self.ring.read();
        let erasure = |(id, (owners, complete)): (&Uuid, &(Vec<Box<str>>, bool))| Erasure {
            id: *id,
            ids: owners.iter().map(|owner| client_of_owner(owner)).collect(),
            complete: *complete,
        };
        ring.erasures.iter().map(erasure).collect()
    }

    /// The source of the master key, valid for a copy of the store in another place too.
    pub(crate) fn master_key(&self) -> MasterKeySource {
        self.ring
            .read()
            .master
            .as_ref()
            .map_or_else(|| self.sealing.master_key.clone(), |master| master.source.clone())
    }

    /// How the store keeps personal data.
    pub(crate) fn state(&self) -> SealingState {
        let ring = self.ring.read();
        let keys = (ring.keys.len() - ring.pending.len()) as u64;
        let master_key = ring.master.as_ref().map(|master| master.from.clone());
        SealingState { sealed: self.sealed, keys, rewritten: ring.rewritten, master_key }
    }

    /// Whether a change of the file has failed midway: what is on the disk is known only after
    /// opening the keyring again.
    pub(crate) fn in_doubt(&self) -> bool {
        self.file.lock().in_doubt()
    }

    /// The file's bytes, read between two changes.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>, KeyringError> {
        let file = self.file.lock();
        file.read()?.ok_or_else(|| KeyringError::Missing { path: file.path().to_owned() })
    }
}

/// Replaces the keyring of a store that is not open.
pub(crate) fn replace(directory: &Path, bytes: &[u8]) -> Result<(), KeyringError> {
    KeyringFile::new(directory.join(KEYRING_FILE), 0).replace(bytes)
}

#[cfg(test)]
mod tests;

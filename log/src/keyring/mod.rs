//! The keyring: a key for every client and coach, outside the log, wrapped by the master key. Owns who has a key, when a new one is
//! durable, and that a destroyed one is gone and stays gone. `aead` owns the cipher, `file` the bytes on the disk, `master` the master key.
//!
//! **Invariant: a key is on the disk before the first commit that it sealed**: the writer persists new keys, all of a group with one
//! sync, before it writes the group. **Invariant: an owner whose key was destroyed never gets another**: their later events are refused.

pub(crate) mod aead;
mod error;
mod file;
mod master;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, RwLock};
use rollbook_domain::StreamId;
use uuid::Uuid;

pub use error::KeyringError;
pub use master::MasterKeySource;

use aead::{NonceBytes, SecretKey};
use file::{Header, KeyringFile, Reader, Record};
use master::MasterKey;

/// The file's name in the store's directory.
pub const KEYRING_FILE: &str = "keyring";

/// Called with the path of a master key's file when one was made.
pub type OnNewMasterKey = Arc<dyn Fn(&Path) + Send + Sync>;

/// What whoever opens a store says of its keys.
pub(crate) struct Sealing {
    /// Where the master key is.
    pub(crate) master_key: MasterKeySource,
    /// Whether a new store is made unsealed.
    pub(crate) unsealed: bool,
    /// Told of a master key that is made.
    pub(crate) on_new_master_key: Option<OnNewMasterKey>,
}

/// How a store's personal data is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealingState {
    /// Whether it is sealed; chosen when the store was made.
    pub sealed: bool,
    /// How many owners have a key.
    pub keys: u64,
    /// How many times the keyring was written anew: erasures and rotations.
    pub rewritten: u64,
    /// Where the master key came from; `None` in an unsealed store, and while nothing is on disk.
    pub master_key: Option<String>,
}

/// An erasure as the keyring remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Its id: that of its `ClientErased` event.
    pub id: Uuid,
    /// Every client id it covers, the client's own first.
    pub ids: Vec<String>,
    /// Whether rows and files were cleared too.
    pub complete: bool,
}

/// What the decoder asks for of a stream.
pub(crate) enum Opening {
    /// Its owner has this key.
    Key(Arc<SecretKey>),
    /// Its owner was erased.
    Erased,
    /// Its owner has no key, and never had one here.
    NoKey,
    /// Nobody owns it.
    Nobody,
    /// It is read without a keyring: what is sealed stays so.
    Unopened,
}

/// A nonce that nothing else has.
pub(crate) fn random_nonce() -> Result<NonceBytes, KeyringError> {
    Ok(aead::random_nonce()?)
}

/// The owner of a stream by its name: a client's id as names have it, or `coach/<id>`.
pub(crate) fn owner(stream: &str) -> Option<&str> {
    if let Some(rest) = stream.strip_prefix("series/") {
        return rest.split('/').next();
    }
    stream.strip_prefix("client/").or_else(|| stream.starts_with("coach/").then_some(stream))
}

/// Whether a stream belongs to the client with this id.
pub(crate) fn owns(client: &str, stream: &str) -> bool {
    owner(stream) == Some(&*owner_of_client(client))
}

/// A client's id as names of streams have it.
fn owner_of_client(id: &str) -> Box<str> {
    let stream = StreamId::Client(id.to_owned()).name();
    owner(&stream).unwrap_or_default().into()
}

fn client_of_owner(owner: &str) -> String {
    match format!("client/{owner}").parse() {
        Ok(StreamId::Client(id)) => id,
        _ => owner.to_owned(),
    }
}

#[derive(Default)]
struct Ring {
    keys: HashMap<Box<str>, Arc<SecretKey>>,
    /// Drawn, and not on the disk yet.
    pending: Vec<Box<str>>,
    erased: HashMap<Box<str>, Uuid>,
    /// By id: owners, and whether it is complete.
    erasures: BTreeMap<Uuid, (Vec<Box<str>>, bool)>,
    master: Option<MasterKey>,
    rewritten: u64,
}

/// The keyring of an open store.
pub(crate) struct Keyring {
    directory: PathBuf,
    store: Uuid,
    sealed: bool,
    sealing: Sealing,
    ring: RwLock<Ring>,
    /// Whether anybody is erased, to be seen without the lock.
    any_erased: AtomicBool,
    /// Held during every change of the file; taken before `ring`.
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
            file,
        }
    }

    /// Reads the keyring of a store that is there. Changes no byte.
    pub(crate) fn open(
        directory: &Path,
        store: Uuid,
        sealing: Sealing,
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
            file,
        })
    }

    /// Puts the keyring of a new store on the disk; makes the master key if there is none.
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
        file::header(header, ring.master.as_ref().map(|master| &master.key), &mut random_nonce)
    }

    /// The key for sealing events of a stream: an owner's first one is drawn now, and becomes durable with [`Keyring::persist`].
    /// `None` where nothing is sealed: streams without an owner, unsealed stores, and erased owners, whose events are refused later.
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

    /// What opens a stream's events.
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

    /// Makes every key that was drawn durable, with one append and one sync; nothing when none was.
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
        // Readers go on meanwhile, and callers draw further keys.
        file.append(&records)?;
        self.ring.write().pending.drain(..drawn);
        Ok(())
    }

    /// Destroys the keys of these client ids: the file is written anew without them and its old bytes are overwritten. Ids that are erased
    /// already stay so.
    pub(crate) fn erase(&self, id: Uuid, ids: &[String]) -> Result<(), KeyringError> {
        let mut file = self.file.lock();
        let mut ring = self.ring.write();
        let owners: Vec<Box<str>> = ids.iter().map(|id| owner_of_client(id)).collect();
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

    /// Remembers that an erasure is carried out in full.
    pub(crate) fn complete(&self, id: Uuid) -> Result<(), KeyringError> {
        let mut file = self.file.lock();
        let mut ring = self.ring.write();
        let Some((_, complete)) = ring.erasures.get_mut(&id).filter(|(_, complete)| !complete)
        else {
            return Ok(());
        };
        let mut record = Vec::new();
        file::push_complete(id, &mut record);
        file.append(&record)?;
        *complete = true;
        Ok(())
    }

    /// Wraps every key by another master key; a file that is not there is made.
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
            file::push_erasure(
                *id,
                owners.iter().map(AsRef::as_ref),
                under,
                &mut content,
                &mut random_nonce,
            )?;
            if *complete {
                file::push_complete(*id, &mut content);
            }
        }
        file.replace(&content)
    }

    /// Every erasure.
    pub(crate) fn erasures(&self) -> Vec<Erasure> {
        let ring = self.ring.read();
        let erasure = |(id, (owners, complete)): (&Uuid, &(Vec<Box<str>>, bool))| Erasure {
            id: *id,
            ids: owners.iter().map(|owner| client_of_owner(owner)).collect(),
            complete: *complete,
        };
        ring.erasures.iter().map(erasure).collect()
    }

    /// Where the master key is, wherever a copy of the store is opened.
    pub(crate) fn master_key(&self) -> MasterKeySource {
        self.ring
            .read()
            .master
            .as_ref()
            .map_or_else(|| self.sealing.master_key.clone(), |master| master.source.clone())
    }

    /// How the store's personal data is kept.
    pub(crate) fn state(&self) -> SealingState {
        let ring = self.ring.read();
        let keys = (ring.keys.len() - ring.pending.len()) as u64;
        let master_key = ring.master.as_ref().map(|master| master.from.clone());
        SealingState { sealed: self.sealed, keys, rewritten: ring.rewritten, master_key }
    }

    /// The file's bytes as they are between two changes.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>, KeyringError> {
        let file = self.file.lock();
        file.read()?.ok_or_else(|| KeyringError::Missing { path: file.path().to_owned() })
    }
}

impl Ring {
    fn take(&mut self, record: Record) {
        match record {
            Record::Key { owner, key } => drop(self.keys.insert(owner, Arc::new(key))),
            Record::Erasure { id, owners } => {
                for owner in &owners {
                    self.keys.remove(owner);
                    self.erased.insert(owner.clone(), id);
                }
                self.erasures.insert(id, (owners, false));
            }
            Record::Complete { id } => {
                if let Some((_, complete)) = self.erasures.get_mut(&id) {
                    *complete = true;
                }
            }
        }
    }

    fn push_keys<'o>(
        &self,
        owners: impl Iterator<Item = &'o Box<str>>,
        store: Uuid,
        out: &mut Vec<u8>,
    ) -> Result<(), KeyringError> {
        // Only a sealed store draws keys, and that has its master key before it writes.
        let Some(master) = &self.master else { return Ok(()) };
        for owner in owners {
            if let Some(key) = self.keys.get(owner) {
                file::push_key(owner, key, (&master.key, store), out, &mut random_nonce)?;
            }
        }
        Ok(())
    }
}

/// Puts the bytes of a keyring in the place of the one that a store has, which nobody has open.
pub(crate) fn replace(directory: &Path, bytes: &[u8]) -> Result<(), KeyringError> {
    KeyringFile::new(directory.join(KEYRING_FILE), 0).replace(bytes)
}

#[cfg(test)]
mod tests;

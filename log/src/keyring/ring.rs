//! The content of a keyring in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use uuid::Uuid;

use super::KeyringCounts;
use super::aead::{self, NonceBytes, SecretKey};
use super::error::KeyringError;
use super::format::{self, Record};
use super::master::MasterKey;

/// Keys and erasures.
#[derive(Default)]
pub(super) struct Ring {
    pub(super) keys: HashMap<Box<str>, Arc<SecretKey>>,
    /// The owners of keys that are not on the disk yet.
    pub(super) pending: Vec<Box<str>>,
    pub(super) erased: HashMap<Box<str>, Uuid>,
    /// By id: the owners, and whether the erasure is complete.
    pub(super) erasures: BTreeMap<Uuid, (Vec<Box<str>>, bool)>,
    pub(super) master: Option<MasterKey>,
    pub(super) rewritten: u64,
}

impl Ring {
    /// Adds a record of the file.
    pub(super) fn take(&mut self, record: Record) {
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

    /// The counts of the keys and erasures that are on the disk.
    pub(super) fn counts(&self) -> KeyringCounts {
        let erased = self.erased.len() as u64;
        let keys = self.keys.len().saturating_sub(self.pending.len()) as u64;
        KeyringCounts { owners: keys + erased, erased }
    }

    /// Appends the records of these owners' keys to `out`.
    pub(super) fn push_keys<'o>(
        &self,
        owners: impl Iterator<Item = &'o Box<str>>,
        store: Uuid,
        out: &mut Vec<u8>,
    ) -> Result<(), KeyringError> {
        // Only a sealed store draws keys, and it has its master key before it writes.
        let Some(master) = &self.master else { return Ok(()) };
        for owner in owners {
            if let Some(key) = self.keys.get(owner) {
                format::push_key(owner, key, (&master.key, store), out, &mut random_nonce)?;
            }
        }
        Ok(())
    }
}

/// A nonce that is used only once.
pub(crate) fn random_nonce() -> Result<NonceBytes, KeyringError> {
    Ok(aead::random_nonce()?)
}

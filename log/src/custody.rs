//! Personal data's keys, and taking it away: what a log's users ask of its keyring and of its files. Owns nothing; the keyring is `keyring`'s,
//! the files are `engine`'s.

use std::path::{Path, PathBuf};

use rollbook_domain::StreamId;
use uuid::Uuid;

use crate::error::LogError;
use crate::keyring::{Erasure, MasterKeySource, SealingState};
use crate::log::Log;

impl Log {
    /// Gives a store that nobody has open the keyring of the store that it is a copy of.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn replace_keyring(dir: &Path, bytes: &[u8]) -> Result<(), LogError> {
        Ok(crate::keyring::replace(dir, bytes)?)
    }

    /// How personal data is kept in this store.
    pub fn sealing(&self) -> SealingState {
        self.store().keyring().state()
    }

    /// Where the master key of this store is, wherever a copy of the store is opened.
    pub fn master_key(&self) -> MasterKeySource {
        self.store().keyring().master_key()
    }

    /// Whether the client of this stream was erased.
    pub fn is_erased(&self, stream: &StreamId) -> bool {
        self.store().keyring().is_erased(&stream.name())
    }

    /// Every erasure that the keyring remembers.
    pub fn erasures(&self) -> Vec<Erasure> {
        self.store().keyring().erasures()
    }

    /// Destroys the keys of these client ids again: for a keyring that came back from before their erasure, which the log has on record.
    ///
    /// # Errors
    /// When the keyring cannot be written.
    pub fn destroy_keys(&self, id: Uuid, ids: &[String]) -> Result<(), LogError> {
        Ok(self.store().keyring().erase(id, ids)?)
    }

    /// Puts on record that an erasure is carried out in full, in rows and files too.
    ///
    /// # Errors
    /// When the keyring cannot be written.
    pub fn complete_erasure(&self, id: Uuid) -> Result<(), LogError> {
        Ok(self.store().keyring().complete(id)?)
    }

    /// Wraps every key by another master key, and no event is written anew; a kill leaves the one or the other. Returns the file of
    /// the new master key, when it was made now.
    ///
    /// # Errors
    /// When the store is unsealed, or either file cannot be read or written.
    pub fn rotate_master_key(&self, to: &MasterKeySource) -> Result<Option<PathBuf>, LogError> {
        Ok(self.store().keyring().rotate(to)?)
    }

    /// The keyring's bytes as they are between two changes, for a backup. They hold a key for every event that was acknowledged before.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn keyring_bytes(&self) -> Result<Vec<u8>, LogError> {
        Ok(self.store().keyring().bytes()?)
    }

    /// Writes every file of the database anew, so that what was overwritten or taken away is in none of them: table files and RocksDB's own
    /// log. Takes as long as reading and writing the whole store.
    ///
    /// # Errors
    /// When the database cannot be written, or an old file stays because somebody still reads it.
    pub fn scrub(&self) -> Result<(), LogError> {
        self.store().engine_to_write()?.scrub()
    }
}

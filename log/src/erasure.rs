//! The part of [`Log`] about personal data: its keys, their destruction, and removing erased
//! content from the files. `keyring` has the keys, `engine` the files.

use std::path::{Path, PathBuf};

use rollbook_domain::StreamId;
use uuid::Uuid;

use crate::engine::{Batch as _, Engine as _, Family};
use crate::error::LogError;
use crate::keyring::{Erasure, Keyring, KeyringError, MasterKeySource, SealingState};
use crate::layout;
use crate::log::Log;

impl Log {
    /// Replaces the keyring of a store that is not open: a copy of another store gets that store's
    /// keyring.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn replace_keyring(dir: &Path, bytes: &[u8]) -> Result<(), LogError> {
        Ok(crate::keyring::replace(dir, bytes)?)
    }

    /// How this store keeps personal data.
    pub fn sealing(&self) -> SealingState {
        self.store().keyring().state()
    }

    /// The source of this store's master key. It is valid for a copy of the store in another place
    /// too.
    pub fn master_key(&self) -> MasterKeySource {
        self.store().keyring().master_key()
    }

    /// Whether the client of this stream was erased.
    pub fn is_erased(&self, stream: &StreamId) -> bool {
        self.store().keyring().is_erased(&stream.name())
    }

    /// Every erasure on record in the keyring.
    pub fn erasures(&self) -> Vec<Erasure> {
        self.store().keyring().erasures()
    }

    /// Destroys the keys of these client ids again. Use it after restoring a keyring from before an
    /// erasure that the log has on record.
    ///
    /// # Errors
    /// If the keyring cannot be written: then the log accepts no more writes.
    pub fn destroy_keys(&self, id: Uuid, ids: &[String]) -> Result<(), LogError> {
        self.change_keyring(|keyring| keyring.erase(id, ids))
    }

    /// Destroys the keys of the owners of these streams, or records that they are lost, so that
    /// their content reads as erased and nothing more is recorded about them. `id` identifies this
    /// loss; no event has it.
    ///
    /// # Errors
    /// If the keyring cannot be written: then the log accepts no more writes.
    pub fn give_up_keys(&self, id: Uuid, streams: &[StreamId]) -> Result<(), LogError> {
        let names: Vec<String> = streams.iter().map(StreamId::name).collect();
        self.change_keyring(|keyring| keyring.erase_streams(id, &names))
    }

    /// Records the keyring's present counts in the log, so that this keyring is the newest one.
    /// Use it after repairing the keyring.
    ///
    /// # Errors
    /// If the database cannot be written: then the log accepts no more writes.
    pub fn record_keyring(&self) -> Result<(), LogError> {
        let store = self.store();
        store.require_sound()?;
        let Some(counts) = store.keyring().unrecorded_counts() else { return Ok(()) };
        let engine = store.engine_to_write()?;
        let mut batch = engine.batch(64);
        let value = layout::keyring_value(counts.owners, counts.erased);
        batch.put(Family::Meta, layout::META_KEYRING, &value)?;
        batch.write(true).map_err(|failure| store.poison(failure))?;
        store.keyring().recorded(counts);
        Ok(())
    }

    /// Records that an erasure is complete, in rows and files too.
    ///
    /// # Errors
    /// If the keyring cannot be written: then the log accepts no more writes.
    pub fn complete_erasure(&self, id: Uuid) -> Result<(), LogError> {
        self.change_keyring(|keyring| keyring.complete(id))
    }

    /// Wraps every key with another master key. No event is rewritten. If the process is killed
    /// meanwhile, either the old or the new master key is valid. Returns the file of the new master
    /// key if it is new.
    ///
    /// # Errors
    /// If the store is unsealed, or a file cannot be read or written. If the keyring could not be
    /// written, the log accepts no more writes.
    pub fn rotate_master_key(&self, to: &MasterKeySource) -> Result<Option<PathBuf>, LogError> {
        self.change_keyring(|keyring| keyring.rotate(to))
    }

    /// Changes the keyring. A change that fails midway poisons the log: the file may have the old
    /// or the new content, and a further change could damage it.
    fn change_keyring<T>(
        &self,
        change: impl FnOnce(&Keyring) -> Result<T, KeyringError>,
    ) -> Result<T, LogError> {
        let store = self.store();
        store.require_sound()?;
        change(store.keyring()).map_err(|failure| {
            if store.keyring().in_doubt() { store.poison(failure.into()) } else { failure.into() }
        })
    }

    /// The bytes of the keyring's file, for a backup. They have a key for every event that was
    /// acknowledged before.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn keyring_bytes(&self) -> Result<Vec<u8>, LogError> {
        Ok(self.store().keyring().bytes()?)
    }

    /// Rewrites every file of the database, so that overwritten and removed content is in none of
    /// them: table files and the write-ahead log. Takes as long as reading and writing the complete
    /// store.
    ///
    /// # Errors
    /// If the database cannot be written, or an old file stays because it still has a reader.
    pub fn scrub(&self) -> Result<(), LogError> {
        self.store().engine_to_write()?.scrub()
    }
}

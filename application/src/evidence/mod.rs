//! Evidence: signed checkpoints of the store's Merkle tree, stored beside the database, and the
//! proofs made from them. The formats are in `rollbook-proofs`; the tree is a projection.
//!
//! A store's directory contains `verifier-key`, one line, and `checkpoints/`, one file per
//! checkpoint, named by its size. The signing key is stored elsewhere, so write access to the store
//! is not enough to sign a changed log.

mod certificate;
mod error;
mod keys;
mod recorded;

use std::path::{Path, PathBuf};

use rollbook_domain::Position;
use rollbook_projections::tree::{self, Tree};
use rollbook_proofs::{
    ConsistencyProof, EventProof, SignedCheckpoint, SigningKey, TreeHead, VerifierKey,
};

pub use certificate::Migration;
pub use error::EvidenceError;
pub use keys::{default_signing_key, verifier_key};
pub use recorded::{RecordedCheckpoint, recorded, write_new};

use crate::store::{Store, StoreError};

/// Returns the origin line of a store's checkpoints. It contains the store's id.
pub fn origin(store: &Store) -> String {
    format!("rollbook/{}", store.log().store_id())
}

/// Signs the tree of a store.
pub struct Notary<'s> {
    store: &'s Store,
    key: SigningKey,
    made: Option<PathBuf>,
}

impl<'s> Notary<'s> {
    /// Reads the signing key, or generates one if none exists and none was named, and folds the
    /// tree up to the head. A log that contradicts its last recorded checkpoint is refused, so two
    /// histories are never signed.
    ///
    /// # Errors
    /// If the key cannot be read or generated, or is not the one that signed before, or if the log
    /// contradicts a signed checkpoint.
    pub fn open(store: &'s Store, signing_key: Option<&Path>) -> Result<Self, EvidenceError> {
        let directory = store.directory();
        let known = keys::stored_verifier(directory)?;
        let (key, made) = match signing_key {
            Some(path) => (keys::read(path)?, None),
            None => keys::read_or_draw(
                &default_signing_key(directory)?,
                &origin(store),
                known.as_ref(),
            )?,
        };
        match known {
            Some(known) if known != *key.verifier() => {
                return Err(EvidenceError::OtherKey {
                    stored: known.to_string(),
                    given: key.verifier().to_string(),
                });
            }
            Some(_same) => {}
            None => keys::store_verifier(directory, key.verifier())?,
        }
        let notary = Self { store, key, made };
        notary.require_one_history()?;
        Ok(notary)
    }

    /// Returns the path of the signing key if this call generated it.
    pub fn made(&self) -> Option<&Path> {
        self.made.as_deref()
    }

    /// Returns the key that verifies the signatures.
    pub fn verifier(&self) -> &VerifierKey {
        self.key.verifier()
    }

    fn require_one_history(&self) -> Result<(), EvidenceError> {
        let head = self.store.log().head();
        let Some(last) = recorded(self.store.directory())?.pop() else { return Ok(()) };
        let signed = last.read()?;
        let claimed = signed.check(self.key.verifier()).map_err(|source| last.refused(source))?;
        let contradicted =
            |size| EvidenceError::Contradicted { path: last.path.clone(), size, head };
        if signed.origin() != origin(self.store)
            || claimed.size > head
            || self.store.tree_head(claimed.size)? != claimed
        {
            return Err(contradicted(claimed.size));
        }
        Ok(())
    }

    /// Returns the checkpoint of the first `size` events: the recorded one, or a new one that is
    /// signed and recorded.
    ///
    /// # Errors
    /// If the log has fewer events, or the checkpoint cannot be written.
    pub fn checkpoint(&self, size: Position) -> Result<SignedCheckpoint, EvidenceError> {
        let head: TreeHead = self.store.tree_head(size)?;
        let signed = SignedCheckpoint::sign(&origin(self.store), head, &self.key)?;
        recorded::record(self.store.directory(), &signed)?;
        Ok(signed)
    }

    /// Returns the last recorded checkpoint that covers a position, or a new one of the complete
    /// log.
    fn covering(&self, position: Position) -> Result<SignedCheckpoint, EvidenceError> {
        let size = recorded(self.store.directory())?
            .pop()
            .map(|last| last.size)
            .filter(|size| *size >= position);
        self.checkpoint(size.unwrap_or_else(|| self.store.log().head()))
    }

    /// Proves an event, in the tree of `size` events or in that of the last checkpoint that covers
    /// it.
    ///
    /// # Errors
    /// If there is no such event in that tree.
    pub fn prove_event(
        &self,
        position: Position,
        size: Option<Position>,
    ) -> Result<EventProof, EvidenceError> {
        let leaf = self
            .store
            .log()
            .leaf(position)?
            .ok_or_else(|| StoreError::UnknownId(position.to_string()))?;
        let checkpoint = match size {
            Some(size) => self.checkpoint(size)?,
            None => self.covering(position)?,
        };
        let snapshot = self.store.snapshot()?;
        let path =
            tree::prove_event(&snapshot.rows::<Tree>()?.0, position, checkpoint.claimed().size)?;
        Ok(EventProof { position, leaf, path, checkpoint, key: self.verifier().clone() })
    }

    /// Proves that the tree of `newer` events begins with that of `older` events.
    ///
    /// # Errors
    /// If the log has fewer events.
    pub fn prove_consistency(
        &self,
        older: Position,
        newer: Position,
    ) -> Result<ConsistencyProof, EvidenceError> {
        // Check the newer size first, so that nothing is recorded for a size that the log has not
        // reached.
        let newer_checkpoint = self.checkpoint(newer)?;
        let older_checkpoint = self.checkpoint(older)?;
        let snapshot = self.store.snapshot()?;
        let nodes = tree::prove_consistency(&snapshot.rows::<Tree>()?.0, older, newer)?;
        Ok(ConsistencyProof {
            older: older_checkpoint,
            newer: newer_checkpoint,
            nodes,
            key: self.verifier().clone(),
        })
    }
}

//! Rebuilding projections from position 1, beside the rows that readers see meanwhile.

use rollbook_domain::Position;
use rollbook_log::RowSnapshot;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::fold::{Target, fold};
use super::state::{Role, row_prefix, serving};
use super::{Progress, Runtime};
use crate::error::ProjectionError;
use crate::projection::ProjectionName;

/// The result of a rebuild.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rebuilt {
    /// The projection.
    pub projection: String,
    /// The position at which the old and the new rows were compared.
    pub position: Position,
    /// The number of old rows.
    pub rows: u64,
    /// SHA-256 over the old rows, in hexadecimal.
    pub digest_before: String,
    /// SHA-256 over the rows built from position 1, in hexadecimal.
    pub digest_after: String,
    /// Whether both are the same, byte for byte.
    pub identical: bool,
}

impl Runtime {
    /// Builds the rows of one projection again from position 1, compares them with the old rows,
    /// and promotes them. Readers see the old rows until then.
    ///
    /// # Errors
    /// If this runtime does not keep the projection, or the log or the rows cannot be read or
    /// written.
    pub fn rebuild(
        &self,
        name: ProjectionName,
        progress: Progress<'_>,
    ) -> Result<Rebuilt, ProjectionError> {
        let projection = self.kept(name)?;
        let _rebuilding = self.locks.rebuilding();
        let head = self.catch_up(&|_, _| {})?;
        // First fold without the lock, so that the old rows stay current; then fold the events
        // that arrived meanwhile under the lock.
        let old = serving(&self.log.rows().snapshot(), name)?;
        let fresh = self.beside(projection, old, false)?;
        let mut beside = [Target { projection, state: fresh, role: Role::Building }];
        fold((&self.log, &self.log), &mut beside, head, None, progress)?;
        let mut memory = self.locks.folding();
        let head = self.log.head();
        self.fold_all(head, &mut memory, &|_, _| {})?;
        fold((&self.log, &self.log), &mut beside, head, None, &|_, _| {})?;
        let [Target { state: built, .. }] = beside;
        let snapshot = self.log.rows().snapshot();
        let old = serving(&snapshot, name)?;
        let (rows, digest_before) = digest_rows(&snapshot, &row_prefix(name, old.generation))?;
        let (_, digest_after) = digest_rows(&snapshot, &row_prefix(name, built.generation))?;
        drop(snapshot);
        if head > 0 {
            self.promote(&[(name, old, built)])?;
        }
        let identical = digest_before == digest_after;
        Ok(Rebuilt {
            projection: name.to_string(),
            position: head,
            rows,
            digest_before,
            digest_after,
            identical,
        })
    }

    /// Builds the rows of every projection again from position 1, in one pass, and promotes them
    /// without comparing. This is needed after an erasure, when less can be read than was folded.
    ///
    /// # Errors
    /// If the log or the rows cannot be read or written.
    pub fn refold(&self, progress: Progress<'_>) -> Result<(), ProjectionError> {
        let (_rebuilding, mut memory) = (self.locks.rebuilding(), self.locks.folding());
        // No row that was folded before an erasure stays in memory.
        memory.clear();
        let (head, snapshot) = (self.log.head(), self.log.rows().snapshot());
        let (mut beside, mut old) = (Vec::new(), Vec::new());
        for projection in self.projections.iter().map(AsRef::as_ref) {
            let serving = serving(&snapshot, projection.name())?;
            old.push(serving);
            beside.push(Target {
                projection,
                state: self.beside(projection, serving, false)?,
                role: Role::Building,
            });
        }
        drop(snapshot);
        fold((&self.log, &self.log), &mut beside, head, None, progress)?;
        let built: Vec<_> = beside
            .iter()
            .zip(old)
            .map(|(built, old)| (built.projection.name(), old, built.state))
            .collect();
        self.promote(&built)
    }

    /// The number of rows of a projection, and SHA-256 over them in hexadecimal.
    ///
    /// # Errors
    /// If this runtime does not keep the projection, or the store cannot be read.
    pub fn digest(&self, name: ProjectionName) -> Result<(u64, String), ProjectionError> {
        self.kept(name)?;
        let rows = self.log.rows().snapshot();
        let state = serving(&rows, name)?;
        digest_rows(&rows, &row_prefix(name, state.generation))
    }
}

fn digest_rows(rows: &RowSnapshot, prefix: &[u8]) -> Result<(u64, String), ProjectionError> {
    let mut digest = Sha256::new();
    let mut count = 0;
    for row in rows.scan(prefix)? {
        let (key, value) = row?;
        let key = key.get(prefix.len()..).unwrap_or_default();
        for part in [key, &value] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        count += 1;
    }
    Ok((count, const_hex::encode(digest.finalize())))
}

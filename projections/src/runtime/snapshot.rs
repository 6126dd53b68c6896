//! A consistent view of the rows of all projections.

use std::sync::Arc;

use rollbook_domain::Position;
use rollbook_log::RowSnapshot;

use super::state::{Role, find_state, row_prefix};
use crate::error::ProjectionError;
use crate::projection::{Projection, ProjectionName};
use crate::rows::StoredRows;

/// A consistent view of the rows of all projections: all of them are at one position.
pub struct Snapshot {
    pub(super) rows: RowSnapshot,
    /// The projections of the runtime that made this snapshot.
    pub(super) kept: Arc<[ProjectionName]>,
    /// The log was empty, so there was nothing to fold.
    pub(super) is_empty: bool,
}

impl Snapshot {
    /// The rows of a projection, and the position up to which they are folded. An empty log has no
    /// rows, at position 0.
    ///
    /// # Errors
    /// [`ProjectionError::Missing`] if the runtime does not keep this projection, or its rows are
    /// not folded by this version of it; or when the store cannot be read.
    pub fn rows<P: Projection>(&self) -> Result<(StoredRows<'_>, Position), ProjectionError> {
        let name = ProjectionName::of::<P>();
        match self.find::<P>()? {
            Some(found) => Ok(found),
            None if self.is_empty && self.kept.contains(&name) => {
                Ok((StoredRows::new(&self.rows, row_prefix(name, 0)), 0))
            }
            None => Err(ProjectionError::Missing { name: P::NAME }),
        }
    }

    /// As [`Snapshot::rows`], but `None` if there are no such rows. This is for snapshots that were
    /// taken without folding.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn find<P: Projection>(
        &self,
    ) -> Result<Option<(StoredRows<'_>, Position)>, ProjectionError> {
        let name = ProjectionName::of::<P>();
        // Rows that the runtime does not keep are not folded: they could be at any position.
        if !self.kept.contains(&name) {
            return Ok(None);
        }
        let state = find_state(&self.rows, name, Role::Serving)?
            .filter(|state| state.version == P::VERSION);
        Ok(state.map(|state| {
            (StoredRows::new(&self.rows, row_prefix(name, state.generation)), state.checkpoint)
        }))
    }
}

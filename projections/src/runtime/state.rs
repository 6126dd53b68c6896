//! Checkpoints and generations: where the rows of a projection stand in the store and how far they are. Owns their keys.

use rollbook_domain::Position;
use rollbook_log::{RowBatch, RowSnapshot};
use serde::{Deserialize, Serialize};

use crate::error::ProjectionError;
use crate::rows::{StoredRows, decode};

/// How far a generation of a projection is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) version: u32,
    pub(super) generation: u32,
    pub(super) checkpoint: Position,
}

/// Which of a projection's two states is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The generation that serves.
    Serving,
    /// One that is built beside it.
    Building,
}

pub(super) fn state_key(name: &str, role: Role) -> Vec<u8> {
    let role = match role {
        Role::Serving => "state",
        Role::Building => "building",
    };
    format!("{role}/{name}").into_bytes()
}

pub(super) fn row_prefix(name: &str, generation: u32) -> Vec<u8> {
    let mut prefix = format!("rows/{name}/").into_bytes();
    prefix.extend_from_slice(&generation.to_be_bytes());
    prefix
}

pub(super) fn find_state(
    rows: &RowSnapshot,
    name: &str,
    role: Role,
) -> Result<Option<State>, ProjectionError> {
    let key = state_key(name, role);
    rows.get(&key)?.map(|bytes| decode(&key, &bytes)).transpose()
}

/// The state that serves; that of no rows at all where nothing was folded yet.
pub(super) fn serving(rows: &RowSnapshot, name: &str) -> Result<State, ProjectionError> {
    Ok(find_state(rows, name, Role::Serving)?.unwrap_or_default())
}

pub(super) fn put_state(
    batch: &mut RowBatch,
    name: &str,
    role: Role,
    state: State,
) -> Result<(), ProjectionError> {
    let mut bytes = Vec::new();
    rollbook_log::binary::write(&state, &mut bytes)
        .map_err(|source| ProjectionError::Encode(Box::new(source)))?;
    batch.put(&state_key(name, role), &bytes);
    Ok(())
}

/// A consistent look at every projection's rows: all of them at one position.
pub struct Snapshot {
    pub(super) rows: RowSnapshot,
}

impl Snapshot {
    /// The rows of a projection, and the position they are folded up to.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn of(&self, name: &str) -> Result<(StoredRows<'_>, Position), ProjectionError> {
        let state = serving(&self.rows, name)?;
        Ok((StoredRows::new(&self.rows, row_prefix(name, state.generation)), state.checkpoint))
    }
}

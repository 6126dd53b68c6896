//! The stored state of each projection: its version, generation and checkpoint, and the keys under
//! which states and rows are stored.

use rollbook_domain::Position;
use rollbook_log::{RowBatch, RowSnapshot};
use serde::{Deserialize, Serialize};

use crate::error::ProjectionError;
use crate::projection::ProjectionName;
use crate::rows::decode;

/// The version of a generation of rows, its number, and the position up to which it is folded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) version: u32,
    pub(super) generation: u32,
    pub(super) checkpoint: Position,
}

/// Which of a projection's two states is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The generation that readers see.
    Serving,
    /// The generation that is built beside it.
    Building,
}

pub(super) fn state_key(name: ProjectionName, role: Role) -> Vec<u8> {
    let role = match role {
        Role::Serving => "state",
        Role::Building => "building",
    };
    format!("{role}/{name}").into_bytes()
}

pub(super) fn row_prefix(name: ProjectionName, generation: u32) -> Vec<u8> {
    let mut prefix = format!("rows/{name}/").into_bytes();
    prefix.extend_from_slice(&generation.to_be_bytes());
    prefix
}

pub(super) fn find_state(
    rows: &RowSnapshot,
    name: ProjectionName,
    role: Role,
) -> Result<Option<State>, ProjectionError> {
    let key = state_key(name, role);
    rows.get(&key)?.map(|bytes| decode(&key, &bytes)).transpose()
}

/// The serving state; version, generation and checkpoint 0 if nothing has been folded yet. This is
/// where folding starts. Readers use [`super::Snapshot::rows`], which reports missing rows.
pub(super) fn serving(rows: &RowSnapshot, name: ProjectionName) -> Result<State, ProjectionError> {
    Ok(find_state(rows, name, Role::Serving)?.unwrap_or_default())
}

pub(super) fn put_state(
    batch: &mut RowBatch,
    name: ProjectionName,
    role: Role,
    state: State,
) -> Result<(), ProjectionError> {
    let mut bytes = Vec::new();
    rollbook_log::binary::write(&state, &mut bytes)
        .map_err(|source| ProjectionError::Encode(Box::new(source)))?;
    batch.put(&state_key(name, role), &bytes);
    Ok(())
}

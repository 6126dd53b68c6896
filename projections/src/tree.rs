//! The tree projection: the Merkle tree of RFC 6962 over all stored events, kept as rows. The log
//! defines the leaves, and `rollbook-proofs` has the mathematics.
//!
//! | row | key | value |
//! | --- | --- | --- |
//! | tile | `t`, level of the tile, 1 byte; its number, u64 big-endian | up to 256 hashes, concatenated |
//!
//! Tiles are those of C2SP `tlog-tiles`, height 8. The event at position *p* is leaf *p* − 1. A
//! hash in a tile never changes, so every past root can be computed at any time, from one tile per
//! level.

use rollbook_domain::{EventRecord, Position};
use rollbook_log::LeafHash;
use rollbook_proofs::{Hash, TILE_HASHES, Tiles, TreeHead, tree};
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::ProjectionError;
use crate::projection::Projection;
use crate::rows::{RowChanges, RowSource, read_row};

/// The tree projection.
pub struct Tree;

/// The hashes of a tile, concatenated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Tile(Vec<u8>);

impl Serialize for Tile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Tile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl<'de> Visitor<'de> for Bytes {
            type Value = Tile;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Tile, E> {
                Ok(Tile(bytes.to_vec()))
            }

            fn visit_byte_buf<E: serde::de::Error>(self, bytes: Vec<u8>) -> Result<Tile, E> {
                Ok(Tile(bytes))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, _bytes: A) -> Result<Tile, A::Error> {
                Err(A::Error::custom("a list of numbers instead of bytes"))
            }
        }
        deserializer.deserialize_byte_buf(Bytes)
    }
}

fn key(level: u8, index: u64) -> Vec<u8> {
    let mut key = vec![b't', level];
    key.extend_from_slice(&index.to_be_bytes());
    key
}

/// Adds the hash of node `index` of a level. A full tile adds a node to the level above.
fn push(
    rows: &mut RowChanges<'_>,
    level: u8,
    index: u64,
    hash: LeafHash,
) -> Result<(), ProjectionError> {
    let out_of_step = || ProjectionError::TreeRow { position: index };
    let tile: &mut Tile = rows.row(&key(level, index / TILE_HASHES))?;
    if tile.0.len() as u64 != (index % TILE_HASHES) * 32 {
        return Err(out_of_step());
    }
    tile.0.extend_from_slice(&hash);
    if index % TILE_HASHES < TILE_HASHES - 1 {
        return Ok(());
    }
    let above = tree::above_tile(&tile.0).map_err(|_| out_of_step())?;
    push(rows, level + 1, index / TILE_HASHES, above.0)
}

impl Projection for Tree {
    const NAME: &'static str = "tree";
    const VERSION: u32 = 1;
    const WANTS_LEAVES: bool = true;

    fn fold(
        &self,
        _rows: &mut RowChanges<'_>,
        _commit: &[EventRecord],
    ) -> Result<(), ProjectionError> {
        // The tree is over stored bytes, not over decoded events.
        Ok(())
    }

    fn fold_leaves(
        &self,
        rows: &mut RowChanges<'_>,
        first: Position,
        leaves: &[LeafHash],
    ) -> Result<(), ProjectionError> {
        for (index, leaf) in (first - 1..).zip(leaves) {
            push(rows, 0, index, *leaf)?;
        }
        Ok(())
    }
}

/// The tree's rows as tiles.
struct StoredTiles<'s>(&'s dyn RowSource);

impl Tiles for StoredTiles<'_> {
    type Error = ProjectionError;

    fn tile(&self, level: u8, index: u64) -> Result<Option<Vec<u8>>, ProjectionError> {
        tile(self.0, level, index)
    }
}

/// The bytes of a tile.
pub(crate) fn tile(
    source: &dyn RowSource,
    level: u8,
    index: u64,
) -> Result<Option<Vec<u8>>, ProjectionError> {
    Ok(read_row::<Tile>(source, &key(level, index))?.map(|tile| tile.0))
}

/// The number of rows of the tree.
pub(crate) fn count_rows(source: &dyn RowSource) -> Result<u64, ProjectionError> {
    let mut rows = 0;
    source.scan(b"", &mut |_, _| {
        rows += 1;
        Ok(())
    })?;
    Ok(rows)
}

fn failed(error: rollbook_proofs::TreeError<ProjectionError>) -> ProjectionError {
    match error {
        rollbook_proofs::TreeError::Tiles(error) => error,
        other => ProjectionError::Tree(Box::new(other)),
    }
}

/// The tree of the events up to a position, now or in the past. Reads one row per level.
///
/// # Errors
/// If the rows cannot be read, or are not folded up to that position.
pub fn head_at(source: &dyn RowSource, position: Position) -> Result<TreeHead, ProjectionError> {
    Ok(TreeHead {
        size: position,
        root: tree::root(&StoredTiles(source), position).map_err(failed)?,
    })
}

/// The path from the event at a position to the root of the tree of `size` events.
///
/// # Errors
/// If the rows cannot be read, or the position is not in that tree.
pub fn prove_event(
    source: &dyn RowSource,
    position: Position,
    size: u64,
) -> Result<Vec<Hash>, ProjectionError> {
    tree::prove_inclusion(&StoredTiles(source), position, size).map_err(failed)
}

/// The proof that the tree of `size` events begins with the tree of `older` events.
///
/// # Errors
/// If the rows cannot be read, or `older` is 0 or greater than `size`.
pub fn prove_consistency(
    source: &dyn RowSource,
    older: u64,
    size: u64,
) -> Result<Vec<Hash>, ProjectionError> {
    tree::prove_consistency(&StoredTiles(source), older, size).map_err(failed)
}

/// The hash of the leaf at a position, as stored in the tree; `None` if the tree has no such leaf.
///
/// # Errors
/// If the row cannot be read.
pub fn leaf_at(
    source: &dyn RowSource,
    position: Position,
) -> Result<Option<Hash>, ProjectionError> {
    let Some(index) = position.checked_sub(1) else { return Ok(None) };
    let tile = StoredTiles(source).tile(0, index / TILE_HASHES)?.unwrap_or_default();
    let start = usize::try_from(index % TILE_HASHES).unwrap_or(usize::MAX).saturating_mul(32);
    Ok(tile.get(start..).and_then(|rest| rest.first_chunk()).map(|hash| Hash(*hash)))
}

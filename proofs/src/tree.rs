//! The Merkle tree: roots and proofs computed from stored tiles, and checks of proofs against
//! roots.
//!
//! This module does not store tiles. Their layout is that of C2SP `tlog-tiles`: tile `index` of
//! level `level` is the concatenation of the hashes of the existing nodes with the numbers 256 ×
//! `index` to 256 × `index` + 255 at height 8 × `level`. A node exists once all its leaves exist.
//! So level 0 holds the leaf hashes, and the root of a tree of any size, past or present, is
//! computed from at most one tile a level.

use std::cell::RefCell;

use tlog_tiles::{HashReader, Tile};

use crate::checkpoint::TreeHead;
use crate::error::ProofError;
use crate::hash::{EMPTY_ROOT, Hash};

/// The number of hashes in a full tile.
pub const TILE_HASHES: u64 = 256;
/// The number of node levels between two levels of tiles.
const TILE_HEIGHT: u8 = 8;
/// The maximum size of a tree. No log has so many events; a larger size in a file is rejected
/// before any arithmetic.
const SIZE_LIMIT: u64 = 1 << 56;

/// A source of stored tiles.
pub trait Tiles {
    /// The error of a failed read.
    type Error;

    /// Returns the bytes of a tile, 32 bytes a hash; `None` if the tile does not exist.
    ///
    /// # Errors
    /// If the tile cannot be read.
    fn tile(&self, level: u8, index: u64) -> Result<Option<Vec<u8>>, Self::Error>;
}

/// The reason for which a root or a proof cannot be computed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError<E> {
    /// A tile cannot be read.
    #[error("a tile of the tree cannot be read")]
    Tiles(#[source] E),
    /// A stored node is missing: the tree is not folded far enough, or rows are lost.
    #[error(
        "tile {index} of level {level} of the tree is missing or incomplete; fold the tree up to the head of the log, or rebuild it"
    )]
    Missing {
        /// The level of the tile.
        level: u8,
        /// The index of the tile in its level.
        index: u64,
    },
    /// The requested leaf or size is outside the tree.
    #[error(
        "{asked} is out of range: it must be from 1 to {size}, the number of events in the tree"
    )]
    OutOfRange {
        /// The requested leaf or size.
        asked: u64,
        /// The number of leaves.
        size: u64,
    },
}

/// Reads single nodes from tiles and keeps the error of a failed read.
struct Nodes<'t, T: Tiles> {
    tiles: &'t T,
    failure: RefCell<Option<TreeError<T::Error>>>,
}

impl<'t, T: Tiles> Nodes<'t, T> {
    fn new(tiles: &'t T) -> Self {
        Self { tiles, failure: RefCell::new(None) }
    }

    fn node(&self, index: u64) -> Result<tlog_tiles::Hash, TreeError<T::Error>> {
        let tile = Tile::from_index(TILE_HEIGHT, index);
        let (level, number) = (tile.level(), tile.level_index());
        let bytes = self.tiles.tile(level, number).map_err(TreeError::Tiles)?.unwrap_or_default();
        tile.hash_at_index(&bytes, index).map_err(|_| TreeError::Missing { level, index: number })
    }

    /// Returns the outcome, with the kept error in place of the library's.
    fn finish<R>(
        self,
        outcome: Result<R, tlog_tiles::Error>,
        size: u64,
    ) -> Result<R, TreeError<T::Error>> {
        // The callers have excluded every other cause of an error.
        outcome.map_err(|_| {
            self.failure.into_inner().unwrap_or(TreeError::OutOfRange { asked: size, size })
        })
    }
}

impl<T: Tiles> HashReader for Nodes<'_, T> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        let nodes: Result<Vec<_>, _> = indexes.iter().map(|index| self.node(*index)).collect();
        nodes.map_err(|failure| {
            *self.failure.borrow_mut() = Some(failure);
            tlog_tiles::Error::IndexesNotInTree
        })
    }
}

/// Computes the root of the tree of the first `size` leaves. It reads at most one tile a level.
///
/// # Errors
/// If a tile cannot be read, or the tree has fewer leaves.
pub fn root<T: Tiles>(tiles: &T, size: u64) -> Result<Hash, TreeError<T::Error>> {
    if size == 0 {
        return Ok(EMPTY_ROOT);
    }
    let nodes = Nodes::new(tiles);
    let root = tlog_tiles::tree_hash(size, &nodes);
    Ok(nodes.finish(root, size)?.into())
}

/// Computes the path from the leaf at a position (from 1) to the root of the tree of the first
/// `size` leaves.
///
/// # Errors
/// If a tile cannot be read, or the position is not in that tree.
pub fn prove_inclusion<T: Tiles>(
    tiles: &T,
    position: u64,
    size: u64,
) -> Result<Vec<Hash>, TreeError<T::Error>> {
    if !(1..=size).contains(&position) {
        return Err(TreeError::OutOfRange { asked: position, size });
    }
    let nodes = Nodes::new(tiles);
    let proof = tlog_tiles::prove_record(size, position - 1, &nodes);
    Ok(nodes.finish(proof, size)?.into_iter().map(Hash::from).collect())
}

/// Computes the proof that the tree of `older` leaves is a prefix of the tree of `size` leaves.
///
/// # Errors
/// If a tile cannot be read, or `older` is 0 or greater than `size`.
pub fn prove_consistency<T: Tiles>(
    tiles: &T,
    older: u64,
    size: u64,
) -> Result<Vec<Hash>, TreeError<T::Error>> {
    if !(1..=size).contains(&older) {
        return Err(TreeError::OutOfRange { asked: older, size });
    }
    let nodes = Nodes::new(tiles);
    let proof = tlog_tiles::prove_tree(size, older, &nodes);
    Ok(nodes.finish(proof, size)?.into_iter().map(Hash::from).collect())
}

/// Checks that the proof connects the leaf at a position with the root.
///
/// # Errors
/// [`ProofError::NotIncluded`].
pub fn check_inclusion(
    proof: &[Hash],
    position: u64,
    leaf: Hash,
    head: TreeHead,
) -> Result<(), ProofError> {
    let refused = || ProofError::NotIncluded { position };
    if head.size > SIZE_LIMIT || !(1..=head.size).contains(&position) {
        return Err(refused());
    }
    let proof = proof.iter().map(|hash| (*hash).into()).collect();
    tlog_tiles::check_record(&proof, head.size, head.root.into(), position - 1, leaf.into())
        .map_err(|_| refused())
}

/// Checks that the proof shows the older tree to be a prefix of the newer one.
///
/// # Errors
/// [`ProofError::NotConsistent`].
pub fn check_consistency(
    proof: &[Hash],
    older: TreeHead,
    newer: TreeHead,
) -> Result<(), ProofError> {
    let refused = || ProofError::NotConsistent { older: older.size, newer: newer.size };
    if newer.size > SIZE_LIMIT || !(1..=newer.size).contains(&older.size) {
        return Err(refused());
    }
    let proof = proof.iter().map(|hash| (*hash).into()).collect();
    tlog_tiles::check_tree(&proof, newer.size, newer.root.into(), older.size, older.root.into())
        .map_err(|_| refused())
}

/// Computes the node above a full tile.
///
/// # Errors
/// [`ProofError::Malformed`] if the tile is not full.
pub fn above_tile(tile: &[u8]) -> Result<Hash, ProofError> {
    if tile.len() as u64 != TILE_HASHES * 32 {
        return Err(ProofError::malformed("a tile", "it is not full"));
    }
    Ok(Tile::subtree_hash(tile).into())
}

#[cfg(test)]
mod tests;

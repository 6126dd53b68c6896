//! The tree: roots and proofs from stored tiles, and checking proofs against roots. Owns nothing of where tiles are kept.
//!
//! Nodes are kept as C2SP `tlog-tiles` has them: tile `index` of level `level` holds, one behind the other, the hashes of the nodes of
//! height 8 × `level` number 256 × `index` to 256 × `index` + 255, those that exist. A node exists once all its leaves do. So
//! leaf hashes are level 0, and the root of a tree of any size, past or present, is computed from at most one tile a level.

use std::cell::RefCell;

use tlog_tiles::{HashReader, Tile};

use crate::checkpoint::TreeHead;
use crate::error::ProofError;
use crate::hash::{EMPTY_ROOT, Hash};

/// Hashes of a full tile.
pub const TILE_HASHES: u64 = 256;
/// Levels of nodes from one level of tiles to the next.
const TILE_HEIGHT: u8 = 8;
/// No log has so many events; what is larger in a file is refused before it is calculated with.
const SIZE_LIMIT: u64 = 1 << 56;

/// Where tiles are kept.
pub trait Tiles {
    /// Why a tile cannot be read.
    type Error;

    /// The bytes of a tile, 32 a hash; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    fn tile(&self, level: u8, index: u64) -> Result<Option<Vec<u8>>, Self::Error>;
}

/// Why a root or a proof cannot be computed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError<E> {
    /// A tile cannot be read.
    #[error("a tile of the tree cannot be read")]
    Tiles(#[source] E),
    /// The tree has fewer leaves than are asked for.
    #[error(
        "the tree lacks the node {index} of tile level {level}; fold it up to the head, or rebuild it with `rollbook rebuild tree`"
    )]
    Missing {
        /// The level of its tile.
        level: u8,
        /// The number of its tile.
        index: u64,
    },
    /// A leaf or a size that the tree does not have.
    #[error("{asked} is not from 1 to {size}, the number of events in the tree")]
    OutOfRange {
        /// What was asked for.
        asked: u64,
        /// How many leaves there are.
        size: u64,
    },
}

/// Reads single nodes out of tiles, and remembers why one could not be read.
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

    /// What was asked of it, or why it failed.
    fn finish<R>(
        self,
        outcome: Result<R, tlog_tiles::Error>,
        size: u64,
    ) -> Result<R, TreeError<T::Error>> {
        // Everything else that can go wrong was ruled out before asking.
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

/// The root of the tree of the first `size` leaves; reads at most one tile a level.
///
/// # Errors
/// When a tile cannot be read, or there are not so many leaves.
pub fn root<T: Tiles>(tiles: &T, size: u64) -> Result<Hash, TreeError<T::Error>> {
    if size == 0 {
        return Ok(EMPTY_ROOT);
    }
    let nodes = Nodes::new(tiles);
    let root = tlog_tiles::tree_hash(size, &nodes);
    Ok(nodes.finish(root, size)?.into())
}

/// The path from the leaf of a position (from 1) to the root of the tree of the first `size` leaves.
///
/// # Errors
/// When a tile cannot be read, or the position is not in that tree.
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

/// What shows that the tree of `size` leaves begins with the tree of `older` leaves.
///
/// # Errors
/// When a tile cannot be read, or `older` is 0 or greater than `size`.
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

/// Refuses unless the proof leads from the leaf at a position to the root.
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

/// Refuses unless the proof shows that the newer tree begins with the older one.
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

/// The node above a full tile.
///
/// # Errors
/// [`ProofError::Malformed`] when the tile is not full.
pub fn above_tile(tile: &[u8]) -> Result<Hash, ProofError> {
    if tile.len() as u64 != TILE_HASHES * 32 {
        return Err(ProofError::malformed("a tile", "it is not full"));
    }
    Ok(Tile::subtree_hash(tile).into())
}

#[cfg(test)]
mod tests;

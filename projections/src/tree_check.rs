//! Checking the tree's rows against the events, leaf by leaf, and past roots against signed ones.
//! Leaves arrive from the log in order. The check needs memory for one tile per level.

use rollbook_domain::Position;
use rollbook_log::LeafHash;
use rollbook_proofs::{Hash, TILE_HASHES, Tiles, TreeHead, tree};

use crate::error::ProjectionError;
use crate::rows::RowSource;
use crate::tree::{count_rows, tile};

/// A check in progress: the tree that the events give, beside the stored rows.
pub struct TreeCheck<'s> {
    rows: &'s dyn RowSource,
    folded: Position,
    levels: Vec<Level>,
    next: Position,
    /// Leaves were left out, so later roots cannot be computed.
    gap: bool,
    altered: Vec<(Position, Position)>,
    wrong_rows: u64,
}

/// The last tile of a level: computed from the events, and as stored.
#[derive(Default)]
struct Level {
    index: u64,
    own: Vec<u8>,
    stored: Vec<u8>,
}

/// The result of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TreeChecked {
    /// The number of leaves that were compared.
    pub compared: u64,
    /// Ranges of positions whose events are not the ones that the tree was folded from.
    pub altered: Vec<(Position, Position)>,
    /// The number of rows that do not follow from their leaves, are missing, or should not exist.
    pub wrong_rows: u64,
    /// The number of rows.
    pub rows: u64,
}

impl<'s> TreeCheck<'s> {
    /// Starts before position 1. The rows are folded up to `folded`.
    pub fn new(rows: &'s dyn RowSource, folded: Position) -> Self {
        Self {
            rows,
            folded,
            levels: Vec::new(),
            next: 1,
            gap: false,
            altered: Vec::new(),
            wrong_rows: 0,
        }
    }

    /// Takes the leaves of a commit, the first of which has this position.
    ///
    /// # Errors
    /// If a row cannot be read.
    pub fn take(&mut self, first: Position, leaves: &[LeafHash]) -> Result<(), ProjectionError> {
        for (position, leaf) in (first..).zip(leaves) {
            self.leaf(position, leaf)?;
        }
        Ok(())
    }

    fn leaf(&mut self, position: Position, leaf: &LeafHash) -> Result<(), ProjectionError> {
        if position != self.next {
            // Only the tree has the hashes of missing events.
            self.gap = true;
            while self.next < position {
                let index = self.next - 1;
                let hash = stored_hash(
                    &tile(self.rows, 0, index / TILE_HASHES)?.unwrap_or_default(),
                    index,
                )
                .unwrap_or([0; 32]);
                self.push(0, index, &hash)?;
                self.next += 1;
            }
        }
        let index = position - 1;
        self.push(0, index, leaf)?;
        let differs = self
            .levels
            .first()
            .is_some_and(|level| stored_hash(&level.stored, index) != Some(*leaf));
        if differs && position <= self.folded {
            match self.altered.last_mut() {
                Some((_, until)) if *until + 1 == position => *until = position,
                _ => self.altered.push((position, position)),
            }
        }
        self.next = position + 1;
        Ok(())
    }

    fn push(&mut self, level: u8, index: u64, hash: &LeafHash) -> Result<(), ProjectionError> {
        let number = index / TILE_HASHES;
        if self.levels.len() <= usize::from(level) {
            self.levels.push(Level { index: u64::MAX, ..Level::default() });
        }
        let Some(here) = self.levels.get_mut(usize::from(level)) else { return Ok(()) };
        if here.index != number {
            *here = Level {
                index: number,
                own: Vec::new(),
                stored: tile(self.rows, level, number)?.unwrap_or_default(),
            };
        }
        here.own.extend_from_slice(hash);
        if index % TILE_HASHES < TILE_HASHES - 1 {
            return Ok(());
        }
        // A differing leaf is reported by its position; on higher levels, rows are counted.
        self.wrong_rows += u64::from(level > 0 && here.own != here.stored);
        let above = tree::above_tile(&here.own).unwrap_or(Hash([0; 32]));
        self.push(level + 1, number, &above.0)
    }

    /// The tree of the leaves taken so far; `None` if some were left out.
    pub fn head(&self) -> Option<TreeHead> {
        let size = self.next - 1;
        let root = tree::root(&Own(&self.levels), size).ok()?;
        (!self.gap).then_some(TreeHead { size, root })
    }

    /// Finishes the check after all leaves were taken.
    ///
    /// # Errors
    /// If a row cannot be read.
    pub fn finish(mut self) -> Result<TreeChecked, ProjectionError> {
        let compared = self.folded.min(self.next - 1);
        for (level, here) in (0_u8..).zip(&self.levels) {
            let is_full = here.own.len() as u64 == TILE_HASHES * 32;
            // Rows that are behind the log have a prefix of the computed tile.
            let expected = if self.folded + 1 < self.next {
                here.own.starts_with(&here.stored)
            } else {
                here.own == here.stored
            };
            self.wrong_rows += u64::from(level > 0 && !is_full && !expected);
        }
        let rows = count_rows(self.rows)?;
        let mut expected = 0;
        let mut nodes = self.folded;
        while nodes > 0 {
            expected += nodes.div_ceil(TILE_HASHES);
            nodes /= TILE_HASHES;
        }
        self.wrong_rows += rows.abs_diff(expected);
        Ok(TreeChecked { compared, altered: self.altered, wrong_rows: self.wrong_rows, rows })
    }
}

/// The hash of a leaf in its tile.
fn stored_hash(tile: &[u8], index: u64) -> Option<LeafHash> {
    let start = usize::try_from(index % TILE_HASHES).ok()? * 32;
    tile.get(start..)?.first_chunk().copied()
}

/// The last tile of each level. The root of the present size needs no others.
struct Own<'l>(&'l [Level]);

impl Tiles for Own<'_> {
    type Error = std::convert::Infallible;

    fn tile(&self, level: u8, index: u64) -> Result<Option<Vec<u8>>, Self::Error> {
        Ok(self
            .0
            .get(usize::from(level))
            .filter(|here| here.index == index)
            .map(|here| here.own.clone()))
    }
}

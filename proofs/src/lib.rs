//! Proofs: a Merkle tree over the stored events (RFC 6962), checkpoints signed with Ed25519, and
//! proof files that can be checked without the store.
//!
//! This crate is pure: it turns bytes into bytes or a rejection. The projections store the nodes of
//! the tree, and the log defines the bytes of a leaf.
//!
//! The formats are those of C2SP: `signed-note`, `tlog-checkpoint` and `tlog-proof`. The crates
//! `tlog_tiles` and `signed_note` implement the mathematics and the parsing; only this crate
//! depends on them.
//!
//! **Invariant: this crate reads no clock, no file and no network.** It uses randomness only to
//! generate a key.
//!
//! **Invariant: an accepted file is written again byte for byte**, so every changed byte leads to a
//! rejection.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod checkpoint;
pub mod consistency;
pub mod error;
pub mod hash;
pub mod inclusion;
pub mod key;
pub mod tree;

pub use checkpoint::{SignedCheckpoint, TreeHead};
pub use consistency::ConsistencyProof;
pub use error::{KeyError, ProofError};
pub use hash::{EMPTY_ROOT, Hash, leaf_hash};
pub use inclusion::EventProof;
pub use key::{SigningKey, VerifierKey};
pub use tree::{TILE_HASHES, Tiles, TreeError};

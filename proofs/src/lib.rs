//! Proofs: an RFC 6962 Merkle tree over the stored events, checkpoints of it signed with Ed25519, and the files that let somebody
//! without the store check what the log said. Pure: bytes in, bytes or a refusal out. Where the tree's nodes are kept is the
//! projections', what a leaf's bytes mean is the log's.
//!
//! The formats are those of C2SP: `signed-note`, `tlog-checkpoint`, `tlog-proof`. Their mathematics and their parsing are the
//! crates' `tlog_tiles` and `signed_note`; this crate is the one place that knows them.
//!
//! **Invariant: nothing here reads a clock, a file or a network.** Drawing a new key is the one use of randomness.
//! **Invariant: a file that was accepted is written again byte for byte**, so a changed byte anywhere is a refusal.

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

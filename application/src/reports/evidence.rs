//! Reports on checkpoints and proofs: what was signed, and what a valid proof file shows.

use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rollbook_log::{Leaf, leaf_hash};
use rollbook_proofs::{ConsistencyProof, EventProof, Hash, SignedCheckpoint, VerifierKey};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::evidence::Notary;

/// A checkpoint that was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = SignedCheckpoint))]
pub struct Signed {
    /// The log.
    pub origin: String,
    /// How many events its tree has.
    pub size: u64,
    /// The root, base64.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub root: Hash,
    /// The public key, `name+hash+base64`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub key: VerifierKey,
    /// The checkpoint, as it is written to a file.
    pub checkpoint: String,
    /// Where the signing key was written, when it was drawn just now.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub made_key: Option<PathBuf>,
}

impl Signed {
    /// What a notary signed.
    pub fn of(notary: &Notary<'_>, signed: &SignedCheckpoint) -> Self {
        Self {
            origin: signed.origin().to_owned(),
            size: signed.claimed().size,
            root: signed.claimed().root,
            key: notary.verifier().clone(),
            checkpoint: signed.text().to_owned(),
            made_key: notary.made().map(ToOwned::to_owned),
        }
    }
}

/// What a proof shows that was believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proved {
    /// The log.
    pub origin: String,
    /// How many events its tree has.
    pub size: u64,
    /// The root.
    pub root: Hash,
    /// The key that signed.
    pub key: VerifierKey,
    /// Whether the key was given by who asked; else it came with the file.
    pub key_trusted: bool,
    /// What is shown of that tree.
    #[serde(flatten)]
    pub shown: Shown,
}

/// What a proof shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "proof", rename_all = "snake_case")]
pub enum Shown {
    /// An event stands in it.
    Event(Box<ProvedEvent>),
    /// It begins with an older tree.
    Consistency {
        /// How many events the older tree has.
        older_size: u64,
        /// Its root.
        older_root: Hash,
        /// The proof's hashes, in the order of RFC 6962, 2.1.2.
        nodes: Vec<Hash>,
    },
}

/// An event that was proved: what its leaf says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvedEvent {
    /// Its position.
    pub position: u64,
    /// Its stream.
    pub stream: String,
    /// Its place in the stream.
    pub version: u64,
    /// Its id.
    pub id: Uuid,
    /// What happened, by name; `None` where this rollbook cannot read it.
    pub event: Option<String>,
    /// When it happened; `None` where that is no instant.
    pub occurred_at: Option<String>,
    /// When it was recorded; `None` where that is no instant.
    pub recorded_at: Option<String>,
    /// Who acted, as `role:id`.
    pub actor: String,
    /// What caused it.
    pub cause: String,
    /// SHA-256 over the byte 0x00 and the leaf.
    pub leaf_hash: Hash,
    /// The leaf, base64: all that is stored of the event.
    pub leaf: String,
    /// The hashes from the leaf's sibling up to the root, as in RFC 6962, 2.1.1. The leaf's index
    /// is its position less one.
    pub path: Vec<Hash>,
}

impl Proved {
    /// What a believed proof of an event shows; `None` when its bytes are no event of that
    /// position.
    pub fn event(proof: &EventProof, key_trusted: bool) -> Option<Self> {
        let leaf = Leaf::read(&proof.leaf).ok().filter(|leaf| leaf.position == proof.position)?;
        let instant = |(seconds, nanoseconds)| {
            Some(rollbook_domain::Timestamp::from_parts(seconds, nanoseconds)?.to_string())
        };
        let role = ["client", "coach", "admin", "system", "migration"]
            .get(usize::from(leaf.actor_role))?;
        let event = ProvedEvent {
            position: leaf.position,
            stream: leaf.stream.to_owned(),
            version: leaf.version,
            id: leaf.id,
            event: leaf.event().ok().map(|event| event.name().to_owned()),
            occurred_at: instant(leaf.occurred_at),
            recorded_at: instant(leaf.recorded_at),
            actor: format!("{role}:{}", leaf.actor),
            cause: leaf.cause.to_owned(),
            leaf_hash: Hash(leaf_hash(&proof.leaf)),
            leaf: BASE64_STANDARD.encode(&proof.leaf),
            path: proof.path.clone(),
        };
        Some(Self::of(&proof.checkpoint, &proof.key, key_trusted, Shown::Event(Box::new(event))))
    }

    /// What a believed consistency proof shows.
    pub fn consistency(proof: &ConsistencyProof, key_trusted: bool) -> Self {
        let older = proof.older.claimed();
        let shown = Shown::Consistency {
            older_size: older.size,
            older_root: older.root,
            nodes: proof.nodes.clone(),
        };
        Self::of(&proof.newer, &proof.key, key_trusted, shown)
    }

    fn of(
        checkpoint: &SignedCheckpoint,
        key: &VerifierKey,
        key_trusted: bool,
        shown: Shown,
    ) -> Self {
        let head = checkpoint.claimed();
        Self {
            origin: checkpoint.origin().to_owned(),
            size: head.size,
            root: head.root,
            key: key.clone(),
            key_trusted,
            shown,
        }
    }
}

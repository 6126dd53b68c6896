//! Reports on signed checkpoints, and on what a valid proof file proves.

use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rollbook_log::{Leaf, leaf_hash};
use rollbook_proofs::{ConsistencyProof, EventProof, Hash, SignedCheckpoint, VerifierKey};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::evidence::Notary;

/// A signed checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = SignedCheckpoint))]
pub struct CheckpointReport {
    /// The name of the log.
    pub origin: String,
    /// The number of events in the tree.
    pub size: u64,
    /// The root of the tree, base64.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub root: Hash,
    /// The public key, `name+hash+base64`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub key: VerifierKey,
    /// The text of the checkpoint file.
    pub checkpoint: String,
    /// The path of the signing key, if this call created it.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub made_key: Option<PathBuf>,
}

impl CheckpointReport {
    /// Describes a checkpoint that a notary signed.
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

/// The content of a valid proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofReport {
    /// The name of the log.
    pub origin: String,
    /// The number of events in the tree.
    pub size: u64,
    /// The root of the tree.
    pub root: Hash,
    /// The key of the signature.
    pub key: VerifierKey,
    /// Whether the caller gave the key. Otherwise the key is from the proof file itself.
    pub key_trusted: bool,
    /// What the proof proves about the tree.
    #[serde(flatten)]
    pub shown: ProofContent,
}

/// What a proof proves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "proof", rename_all = "snake_case")]
pub enum ProofContent {
    /// The tree contains this event.
    Event(Box<ProvedEvent>),
    /// The tree extends an older tree.
    Consistency {
        /// The number of events in the older tree.
        older_size: u64,
        /// The root of the older tree.
        older_root: Hash,
        /// The hashes of the proof, in the order of RFC 6962, 2.1.2.
        nodes: Vec<Hash>,
    },
}

/// A proved event: the fields of its leaf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvedEvent {
    /// The position of the event.
    pub position: u64,
    /// The name of the stream.
    pub stream: String,
    /// The version in the stream.
    pub version: u64,
    /// The id of the event.
    pub id: Uuid,
    /// The name of the event; `None` if this release cannot decode it.
    pub event: Option<String>,
    /// The time of the event; `None` if the leaf holds no valid time.
    pub occurred_at: Option<String>,
    /// The time of recording; `None` if the leaf holds no valid time.
    pub recorded_at: Option<String>,
    /// The actor, as `role:id`.
    pub actor: String,
    /// The cause: a request id, or the digest of a batch or an import.
    pub cause: String,
    /// SHA-256 over the byte 0x00 and the leaf.
    pub leaf_hash: Hash,
    /// The leaf, base64: the stored bytes of the event.
    pub leaf: String,
    /// The hashes from the leaf's sibling up to the root, as in RFC 6962, 2.1.1. The index of the
    /// leaf is the position minus 1.
    pub path: Vec<Hash>,
}

impl ProofReport {
    /// Describes a valid inclusion proof; `None` if its leaf is not an event with that position.
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
        Some(Self::of(
            &proof.checkpoint,
            &proof.key,
            key_trusted,
            ProofContent::Event(Box::new(event)),
        ))
    }

    /// Describes a valid consistency proof.
    pub fn consistency(proof: &ConsistencyProof, key_trusted: bool) -> Self {
        let older = proof.older.claimed();
        let shown = ProofContent::Consistency {
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
        shown: ProofContent,
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

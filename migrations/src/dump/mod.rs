//! Dumps: every event of a store as text, to be carried anywhere and loaded into a new store, the same to the last position. Owns the
//! format; `write` writes it, `load` makes a store of it.
//!
//! Format 1, NDJSON, UTF-8, `\n` after each line:
//!
//! | line | content |
//! |---|---|
//! | 1 | [`Header`]: `{"rollbook_dump":1,"form","store","head","events"}`, of a sealed dump also `root` and `keyring` |
//! | 2… | one event a line, in the order of the log: see `Line` |
//! | last | [`Trailer`]: `{"rollbook_dump_end":1,"events","commits","sha256"}` |
//!
//! A clear dump has every event as JSON, opened. It can be loaded into a store with other keys, or none; what is stored there, and so the
//! root of the tree, differs. A sealed dump has every event's body as it is stored, in base64, and the keyring, wrapped by the master key:
//! whoever has that key, and only they, can read it; what is loaded is the same to the last stored byte, with the same root.
//!
//! `sha256` is over every byte before the trailer's line. Nothing in a dump depends on when or where it was made, so the dump of a
//! loaded store is the dump that was loaded, byte for byte.

mod error;
mod load;
mod write;

use std::borrow::Cow;
use std::collections::BTreeMap;

use rollbook_domain::{Actor, Event, Position, StreamId, Timestamp, Version};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use error::DumpError;
pub use load::{Loaded, load};
pub use write::{Dumped, write, write_file};

/// The only format so far.
pub const FORMAT: u64 = 1;

/// Called with (events done, events to do); says whether to stop.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) -> bool + Sync);

/// How events stand in a dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As JSON, opened.
    Clear,
    /// As they are stored.
    Sealed,
}

/// A dump's first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The format's version.
    pub rollbook_dump: u64,
    /// How its events stand in it.
    pub form: Form,
    /// The store's id, which the loaded store has too.
    pub store: Uuid,
    /// The position of the last event.
    pub head: Position,
    /// Events by name: how many of each.
    pub events: BTreeMap<String, u64>,
    /// Of a sealed dump: the root of the Merkle tree over all events, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// Of a sealed dump: the keyring, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyring: Option<String>,
}

/// One event.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    position: Position,
    /// The position of the first event of its commit.
    commit: Position,
    stream: Cow<'a, StreamId>,
    version: Version,
    id: Uuid,
    occurred_at: Timestamp,
    recorded_at: Timestamp,
    actor: Cow<'a, Actor>,
    cause: Cow<'a, str>,
    /// On a commit's first event: the idempotency key that it was appended under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<Key>,
    /// In a clear dump.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event: Option<Cow<'a, Event>>,
    /// In a sealed dump.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stored: Option<Stored>,
}

/// An event's body as it is stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u8,
    /// In base64.
    body: String,
}

/// An idempotency key.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    key: String,
    /// SHA-256 of the request, in hexadecimal.
    request: String,
}

/// A dump's last line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trailer {
    /// The format's version.
    pub rollbook_dump_end: u64,
    /// How many events stand before it.
    pub events: u64,
    /// In how many commits.
    pub commits: u64,
    /// SHA-256 over every byte before this line, in hexadecimal.
    pub sha256: String,
}

//! Dumps: all events of a store as text, from which an identical store can be loaded. This module
//! defines the format; `write` writes it and `load` makes a store of it.
//!
//! Format 1, NDJSON, UTF-8, `\n` after each line:
//!
//! | line | content |
//! |---|---|
//! | 1 | [`Header`]: `{"rollbook_dump":1,"form","store","head","events"}`, of a sealed dump also `root` and `keyring` |
//! | 2… | one event each, in log order: see `Line` |
//! | last | [`Trailer`]: `{"rollbook_dump_end":1,"events","commits","sha256"}` |
//!
//! A clear dump contains decrypted events as JSON. It can be loaded into a store with other keys or
//! none, whose stored bytes and tree root then differ. A sealed dump contains the stored body of
//! every event in base64, and the keyring wrapped by the master key. Reading it needs the master
//! key; the loaded store has the same stored bytes and the same root.
//!
//! `sha256` covers every byte before the trailer. Nothing in a dump depends on when or where it was
//! made, so dumping a loaded store gives the loaded dump byte for byte. `tests/golden/` pins the
//! bytes of both forms.

mod error;
mod load;
mod write;

use std::borrow::Cow;
use std::collections::BTreeMap;

use rollbook_domain::{Actor, Event, Position, StreamId, Timestamp, Version};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use error::DumpError;
pub use load::load;
pub use write::{write, write_file};

/// The only format so far.
pub const FORMAT: u64 = 1;

/// Called with the number of events done and of all events. Returning `true` stops the run.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) -> bool + Sync);

/// How a dump contains the bodies of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As decrypted JSON.
    Clear,
    /// As stored.
    Sealed,
}

/// The first line of a dump.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The format's version.
    pub rollbook_dump: u64,
    /// The form of its events.
    pub form: Form,
    /// The id of the store. The loaded store has the same id.
    pub store: Uuid,
    /// The position of the last event.
    pub head: Position,
    /// The number of events of each name.
    pub events: BTreeMap<String, u64>,
    /// Sealed dumps only: the root of the Merkle tree over all events, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// Sealed dumps only: the keyring, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyring: Option<String>,
}

/// The line of an event.
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
    /// On the first event of a commit: its idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<Key>,
    /// Clear dumps only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event: Option<Cow<'a, Event>>,
    /// Sealed dumps only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stored: Option<Stored>,
}

/// The stored body of an event.
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

/// The last line of a dump.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trailer {
    /// The format's version.
    pub rollbook_dump_end: u64,
    /// The number of events.
    pub events: u64,
    /// The number of commits.
    pub commits: u64,
    /// SHA-256 over every byte before this line, in hexadecimal.
    pub sha256: String,
}

/// The first and last line of a dump that was written or loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DumpSummary {
    /// The first line.
    pub header: Header,
    /// The last line.
    pub trailer: Trailer,
}

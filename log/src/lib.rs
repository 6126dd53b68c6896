//! The append-only event log on RocksDB: the stored form, the append path, reads by stream and position, tailing, integrity, and
//! rows for projections beside it. Everything of RocksDB stays inside this crate; what the events mean is the domain's.
//!
//! A commit goes: [`Log::submit`] → admitted and encoded (`draft`) → queued (`queue`) → decided, numbered, written and synced as one
//! of a group (`writer`, `group`) → the head moves (`store`) → answered ([`Pending`]). It is read back by [`Log::commits_after`],
//! [`Log::tail`], and by stream, id, position and key (`reads`).
//!
//! ```
//! use rollbook_domain::{Actor, Event, NewEvent, StreamId, Timestamp};
//! use rollbook_log::{Commit, ExpectedVersion, Log, OpenOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! let log = Log::open(&dir.path().join("store"), OpenOptions { create: true, ..OpenOptions::default() })?;
//! let stream = StreamId::series("client-1", "form-1");
//! let event = Event::AssignmentReopened { run: 1, week: 3 };
//! let committed = log.append(Commit {
//!     events: vec![NewEvent { stream: stream.clone(), id: None, occurred_at: Timestamp::EPOCH, event }],
//!     expected: vec![(stream.clone(), ExpectedVersion::NoStream)],
//!     actor: Actor::Coach("coach-1".to_owned()),
//!     cause: "request-1".to_owned(),
//!     key: None,
//! })?;
//! assert_eq!((committed.first, log.head()), (1, 1));
//! assert_eq!(log.stream(&stream, 0)?.len(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! **Invariant: nothing is written before the first commit is admitted.** Opening, reading and refusing leave the store byte for
//! byte as it was.
//!
//! **Invariant: what was acknowledged is read back whole, or an error with a position says what is damaged.**
//!
//! **Invariant: nothing above this crate assumes that this process is the only writer**; see [`Ordering`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

mod beside;
mod check;
mod commit;
mod commits;
mod copied;
mod custody;
mod digest;
mod directory;
mod draft;
mod engine;
mod error;
mod files;
mod keyring;
mod layout;
mod log;
mod observer;
mod options;
mod ordering;
mod part;
mod pending;
mod queue;
mod reads;
mod rows;
mod store;
mod stored;
mod tail;
mod verify;
mod versions;
mod writer;

pub use beside::Beside;
pub use check::{Finding, Findings, LogChecked, VisitLeaves};
pub use commit::{Commit, Committed, ExpectedVersion, IdempotencyKey};
pub use commits::{Commits, CommitsWithLeaves, StoredCommits};
pub use copied::{BODY_VERSION, CopiedCommit, CopiedEvent, StoredCommit};
pub use draft::COMMIT_LIMIT_BYTES;
pub use error::{AppendError, Corruption, CorruptionKind, DecodeError, EngineError, LogError};
pub use files::{FileDamage, FilesChecked, check_files};
pub use keyring::{
    Erasure, KEYRING_FILE, KeyringError, MasterKeySource, OnNewMasterKey, SealingState,
};
pub use log::Log;
pub use observer::{GroupWritten, Observer};
pub use options::{Clock, Durability, OpenOptions};
pub use ordering::Ordering;
pub use pending::{Answer, Pending};
pub use rows::{Row, RowBatch, RowScan, RowSnapshot, Rows};
pub use stored::{Leaf, LeafHash, binary, leaf_hash};
pub use tail::Tail;

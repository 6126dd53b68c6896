//! The append-only event log on RocksDB: the stored form of commits, appending, reading by stream
//! and position, tailing, integrity checks, and rows for projections. Only this crate uses RocksDB.
//! The domain crate defines the events.
//!
//! The way of a commit: [`Log::submit`] → checked and encoded (`draft`) → queued (`queue`) →
//! accepted, numbered, written and synced with its group (`writer`, `sub_batch`) → the head moves
//! (`store`) → the result arrives ([`PendingCommit`]). [`Log::commits_after`] and [`Log::tail`] read it
//! back in order; the methods in `queries` look it up by stream, id, position and key.
//!
//! ```
//! use rollbook_domain::{Actor, Event, NewEvent, StreamId, Timestamp};
//! use rollbook_log::{Commit, ExpectedVersion, Log, OpenOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! let options = OpenOptions { create: true, ..OpenOptions::default() };
//! let log = Log::open(&dir.path().join("store"), options)?;
//! let stream = StreamId::series("client-1", "form-1");
//! let event = Event::AssignmentReopened { run: 1, week: 3 };
//! let committed = log.append(Commit {
//!     events: vec![NewEvent {
//!         stream: stream.clone(),
//!         id: None,
//!         occurred_at: Timestamp::EPOCH,
//!         event,
//!     }],
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
//! **Invariant: nothing is written before the first commit is accepted.** Opening, reading and
//! rejecting leave every byte of the store unchanged.
//!
//! **Invariant: an acknowledged commit is read back completely, or an error names the damaged
//! position.**
//!
//! **Invariant: every sync goes through `engine` or [`durable`]**, so that tests can make each one
//! fail. The feature `fault-injection` adds the module `faults` for that.
//!
//! **Invariant: no crate above assumes that this process is the only writer**; see [`Ordering`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

mod check;
mod commit;
mod commits;
mod digest;
mod directory;
mod draft;
pub mod durable;
mod engine;
mod erasure;
mod error;
#[cfg(feature = "fault-injection")]
pub mod faults;
mod files;
mod handle;
mod ids;
mod keyring;
mod layout;
mod log;
mod maintenance;
mod observer;
mod options;
mod ordering;
mod pending;
mod queries;
mod queue;
mod raw_commit;
mod reads;
mod rows;
mod scan;
mod staged_directory;
mod store;
mod stored;
mod sub_batch;
mod sync_kind;
mod tail;
mod versions;
mod writer;

pub use check::{Finding, Findings, LogChecked, VisitLeaves};
pub use commit::{Commit, CommitReceipt, ExpectedVersion, IdempotencyKey};
pub use commits::{Commits, CommitsWithLeaves, StoredCommits};
pub use draft::COMMIT_LIMIT_BYTES;
pub use error::{AppendError, Corruption, CorruptionKind, DecodeError, EngineError, LogError};
pub use files::{FileDamage, FilesChecked, check_files};
pub use ids::{new_id, system_clock};
pub use keyring::{
    Erasure, KEYRING_FILE, KeyringError, MasterKeySource, OnNewMasterKey, SealingState,
};
pub use log::Log;
pub use observer::{GroupWritten, Observer};
pub use options::{Clock, Durability, OpenOptions};
pub use ordering::Ordering;
pub use pending::{Answer, PendingCommit};
pub use raw_commit::{BODY_VERSION, RawCommit, RawEvent, StoredCommit};
pub use rows::{Row, RowBatch, RowScan, RowSnapshot, Rows};
pub use staged_directory::StagedDirectory;
pub use stored::{Leaf, LeafHash, binary, leaf_hash};
pub use sync_kind::SyncKind;
pub use tail::Tail;

//! The options for opening a log, with their defaults.

use std::sync::Arc;

use rollbook_domain::Timestamp;
use uuid::Uuid;

use crate::ids::system_clock;
use crate::keyring::{MasterKeySource, OnNewMasterKey};
use crate::observer::Observer;

/// The meaning of *acknowledged*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The commit was synced to the disk before it was acknowledged. It survives a crash of the
    /// process or the operating system, and a power cut.
    ///
    /// Does *not* protect against a drive that acknowledges a sync and keeps the data in a volatile
    /// cache, nor against the loss of the disk.
    #[default]
    Synced,
    /// The commit was written to the operating system. It survives a crash of the process, SIGKILL
    /// included.
    ///
    /// Does *not* survive a power cut or a crash of the operating system: the latest acknowledged
    /// commits may then be missing, newest first, without a gap. Closing the log cleanly syncs.
    Buffered,
}

/// A clock, the source of `recorded_at`.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How to open a log.
#[derive(Clone)]
pub struct OpenOptions {
    /// Whether to treat a missing or empty directory as an empty log. Nothing is created on disk
    /// before the first commit is accepted. Default `false`.
    pub create: bool,
    /// The durability of acknowledged commits. Default [`Durability::Synced`].
    pub durability: Durability,
    /// The clock for `recorded_at`, which never decreases within a log. Default: the system clock.
    pub clock: Clock,
    /// The maximum bytes of waiting commits; further ones are rejected as overload. Default `None`:
    /// no limit.
    pub queue_budget_bytes: Option<usize>,
    /// The id for a new store. An existing store keeps its own. Default `None`: a new id. Set it
    /// for a store that is a copy of another one, event for event.
    pub store_id: Option<Uuid>,
    /// The source of the master key that wraps the clients' keys. A new store creates the key if it
    /// is missing. Default [`MasterKeySource::Beside`].
    pub master_key: MasterKeySource,
    /// Whether a new store keeps personal data unencrypted, permanently. Ignored for an existing
    /// store. Default `false`.
    pub unsealed: bool,
    /// Whether to open a store whose keyring is older than its log, or was cut short. Only to
    /// repair the keyring: what an erased client left can be read until then. Default `false`.
    pub outdated_keyring: bool,
    /// Called with the path of a new master key. Default `None`.
    pub on_new_master_key: Option<OnNewMasterKey>,
    /// The observer of the writer. Default `None`.
    pub observer: Option<Arc<dyn Observer>>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            create: false,
            durability: Durability::default(),
            clock: Arc::new(system_clock),
            queue_budget_bytes: None,
            store_id: None,
            observer: None,
            master_key: MasterKeySource::default(),
            unsealed: false,
            outdated_keyring: false,
            on_new_master_key: None,
        }
    }
}

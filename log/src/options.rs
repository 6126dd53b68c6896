//! How a log is opened. Owns the choices and their defaults.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rollbook_domain::Timestamp;
use uuid::Uuid;

use crate::keyring::{MasterKeySource, OnNewMasterKey};
use crate::observer::Observer;

/// What *acknowledged* means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The commit was synced to the disk before it was acknowledged: it survives the death of the process, of the operating system,
    /// and a power cut.
    ///
    /// Does *not* promise that the disk keeps its word (a drive that lies about its cache), nor anything about losing the disk.
    #[default]
    Synced,
    /// The commit was handed to the operating system: it survives the death of the process, SIGKILL included.
    ///
    /// Does *not* promise that it survives a power cut or the death of the operating system: then the latest acknowledged commits
    /// may be gone, newest first, without a gap. Closing the log cleanly syncs.
    Buffered,
}

/// A clock: what `recorded_at` is taken from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How to open a log.
#[derive(Clone)]
pub struct OpenOptions {
    /// Whether a missing or empty directory is an empty log. Nothing is made on disk until the first commit is admitted. Default no.
    pub create: bool,
    /// What acknowledged means. Default [`Durability::Synced`].
    pub durability: Durability,
    /// Where `recorded_at` comes from; the log never lets it run backwards. Default the system's clock.
    pub clock: Clock,
    /// How many bytes of commits may wait to be written before further ones are refused as overload. Default `None`: no limit.
    pub queue_budget_bytes: Option<usize>,
    /// The id of a store that is made now; one that is there has its own. Default `None`: a new one. Giving one is for a store that is the
    /// same as another, event for event.
    pub store_id: Option<Uuid>,
    /// Where the master key is that the keys of clients are wrapped by. A store that is made now without one makes it. Default
    /// [`MasterKeySource::Beside`].
    pub master_key: MasterKeySource,
    /// Whether a store that is made now keeps personal data in the clear, for ever; one that is there is what it is. Default no.
    pub unsealed: bool,
    /// Told the path of a master key that was made. Default `None`.
    pub on_new_master_key: Option<OnNewMasterKey>,
    /// Who watches the writer. Default nobody.
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
            on_new_master_key: None,
        }
    }
}

fn system_clock() -> Timestamp {
    // A clock before 1970 reads as 1970; one beyond the calendar too.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or_default();
    Timestamp::from_parts(seconds, since.subsec_nanos()).unwrap_or(Timestamp::EPOCH)
}

//! The counts by which a keyring that is older than the log is recognized.

use std::path::Path;

use super::error::KeyringError;

/// How many owners a keyring knows. The log records it with every commit that changes it, so that
/// an older keyring is recognized.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeyringCounts {
    /// The owners that have a key, or had one and were erased.
    pub(crate) owners: u64,
    /// The erased owners.
    pub(crate) erased: u64,
}

impl KeyringCounts {
    /// Fails if the keyring at `path`, which has these counts, has fewer owners or erasures than the
    /// log has on record.
    pub(super) fn require(self, recorded: Self, path: &Path) -> Result<(), KeyringError> {
        if self.owners >= recorded.owners && self.erased >= recorded.erased {
            return Ok(());
        }
        Err(KeyringError::Outdated {
            path: path.to_owned(),
            owners: self.owners,
            erased: self.erased,
            needed_owners: recorded.owners,
            needed_erased: recorded.erased,
        })
    }
}

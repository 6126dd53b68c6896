//! Errors of the keyring and of master keys. Each text names the file and the operator's next step.

use std::path::PathBuf;

pub use super::aead::NoRandomness;

/// Why a keyring or a master key cannot be used. No data is ever decoded with a wrong key.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// A store without its keyring.
    #[error("the keyring {path} is missing; copy it back from the latest backup of this store")]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// A damaged keyring.
    #[error(
        "the keyring {path} is damaged at byte {offset}: {what}; copy it back from the latest backup of this store"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: usize,
        /// How.
        what: &'static str,
    },
    /// An older keyring, or one that was cut off between two records.
    #[error(
        "the keyring {path} is older than the log, or was cut short: it has {owners} owners, {erased} of them erased, and the log was written with {needed_owners}, {needed_erased} of them erased; copy back the newest keyring of this store"
    )]
    Outdated {
        /// The file.
        path: PathBuf,
        /// How many owners it has: with a key, or erased.
        owners: u64,
        /// How many of them are erased.
        erased: u64,
        /// How many owners it had when the log was last written.
        needed_owners: u64,
        /// How many of them were erased.
        needed_erased: u64,
    },
    /// A keyring of another store.
    #[error(
        "the keyring {path} belongs to the store {found}, this store is {store}; copy this store's own keyring back"
    )]
    OtherStore {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        found: uuid::Uuid,
        /// The store it was found in.
        store: uuid::Uuid,
    },
    /// A newer rollbook wrote it.
    #[error(
        "the keyring {path} has version {version}, which only a newer rollbook reads; use that one"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u8,
    },
    /// The wrong master key.
    #[error(
        "the master key {master_key} does not open the keyring {path}; use the master key of this store"
    )]
    WrongMasterKey {
        /// The keyring.
        path: PathBuf,
        /// Where the master key came from.
        master_key: String,
    },
    /// The master key is missing.
    #[error(
        "the store is sealed and there is no master key {path}; put it there, or name the file that has it"
    )]
    NoMasterKey {
        /// Its expected path.
        path: PathBuf,
    },
    /// A file or a text that is not a master key.
    #[error(
        "{from} is not a master key; it must be `rollbook-master-key 1` and 64 hexadecimal digits, or the digits alone"
    )]
    NotAMasterKey {
        /// The file or the variable.
        from: String,
    },
    /// The file for a new master key already exists.
    #[error(
        "{path} already exists and is not a master key of this store; name a new file, or one with the key to rotate to"
    )]
    MasterKeyExists {
        /// The file.
        path: PathBuf,
    },
    /// An unsealed store has no keys.
    #[error(
        "the store was created unsealed and has no keys; dump it, and load the dump into a new store, which is sealed"
    )]
    Unsealed,
    /// No random numbers.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// A value could not be sealed.
    #[error("a value could not be sealed")]
    Seal,
    /// The operating system refused an access to a file.
    #[error(
        "cannot {doing} {path}; check the path, its permissions and the free space, then try again"
    )]
    File {
        /// What was attempted.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },
}

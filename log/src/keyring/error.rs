//! What can go wrong with keys. Owns the texts: each names the file and what the operator does next.

use std::path::PathBuf;

pub use super::aead::NoRandomness;

/// Why a keyring or a master key cannot be used. Nothing was decoded with a wrong key.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// A store without its keyring.
    #[error("the keyring {path} is missing; copy it back from the latest backup of this store")]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// Bytes that no rollbook wrote.
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
    /// A keyring of another store.
    #[error(
        "the keyring {path} belongs to the store {found}, this one is {store}; put this store's own keyring back"
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
    /// The master key is another one.
    #[error(
        "the master key {master_key} does not open the keyring {path}; name the right one with --master-key FILE"
    )]
    WrongMasterKey {
        /// The keyring.
        path: PathBuf,
        /// Where the master key came from.
        master_key: String,
    },
    /// No master key where it was looked for.
    #[error(
        "the store is sealed and there is no master key {path}; name it with --master-key FILE or ROLLBOOK_MASTER_KEY_FILE"
    )]
    NoMasterKey {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Something else than a master key.
    #[error(
        "{from} is no master key; it must be `rollbook-master-key 1` and 64 hexadecimal digits, or the digits alone"
    )]
    NotAMasterKey {
        /// The file or the variable.
        from: String,
    },
    /// A new master key's file that exists.
    #[error(
        "{path} exists already and is no master key of this store; give a new file, or one that holds the key to rotate to"
    )]
    MasterKeyExists {
        /// The file.
        path: PathBuf,
    },
    /// An unsealed store has no keys.
    #[error(
        "the store was made unsealed: it has no keys; `rollbook dump` it and `rollbook load` the dump into a new store to have it sealed"
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
        "cannot {doing} {path}; check the path, its permissions and the free space, then run again"
    )]
    File {
        /// What was attempted.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
}

//! API keys: their file, and the lookup of a presented key. `docs/formats.md` defines the format of
//! the file. The file is replaced by an atomic rename. A key is shown once. Only its SHA-256 is
//! stored.

use std::fs::{self, File, Metadata, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rollbook_domain::Timestamp;
use rollbook_log::LogError;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::error::AccessError;
use super::scope::Scope;

/// The file in the store's directory.
pub(super) const KEYS_FILE: &str = "api-keys.json";
const LOCK_FILE: &str = "api-keys.lock";
/// The format version that this build writes, and the newest that it reads.
const SUPPORTED: u64 = 1;
/// The prefix of every key. It distinguishes keys from tokens and lets scanners find a leaked key.
const PREFIX: &str = "rbk_";
const SECRET_BYTES: usize = 32;
const ID_BYTES: usize = 4;
/// The file must not be writable by other users, who could add keys of their own.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// An API key without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// The id, 8 hexadecimal digits.
    pub id: String,
    /// The name.
    pub name: String,
    /// SHA-256 of the complete key.
    hash: Hash,
    /// The scopes.
    #[serde(with = "scopes_as_text")]
    pub scopes: Vec<Scope>,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The time of expiry; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// The time of revocation.
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether the key is valid at this instant.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires| now < expires)
    }
}

/// A SHA-256, written as 64 hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Hash([u8; 32]);

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&const_hex::encode(self.0))
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&const_hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let expected = || serde::de::Error::custom("a hash is 64 lower-case hexadecimal digits");
        if text.len() != 64 || !text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        {
            return Err(expected());
        }
        const_hex::decode_to_array(&text).map(Self).map_err(|_| expected())
    }
}

mod scopes_as_text {
    use super::{Deserialize, Deserializer, Scope, Serializer};

    pub(super) fn serialize<S: Serializer>(
        scopes: &[Scope],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(scopes.iter().map(ToString::to_string))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Scope>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| text.parse().map_err(serde::de::Error::custom)).collect()
    }
}

/// All keys of a store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiKeys {
    rollbook_api_keys: u64,
    keys: Vec<ApiKey>,
    /// SHA-256 of the keys as JSON without spaces. It detects damage.
    sha256: Hash,
}

impl ApiKeys {
    fn digest(&self) -> Result<Hash, serde_json::Error> {
        Ok(Hash(Sha256::digest(serde_json::to_vec(&self.keys)?).into()))
    }

    /// Reads the file's text.
    pub(super) fn parse(path: &Path, metadata: &Metadata, text: &str) -> Result<Self, AccessError> {
        let damaged = |why: String| AccessError::DamagedKeys { path: path.to_owned(), why };
        if metadata.mode() & WRITABLE_BY_OTHERS != 0 {
            return Err(damaged(format!(
                "others may write it (mode {:03o}; chmod 600 it)",
                metadata.mode() & 0o777
            )));
        }
        #[derive(Deserialize)]
        struct Format {
            rollbook_api_keys: u64,
        }
        let format: Format =
            serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
        match format.rollbook_api_keys {
            SUPPORTED => {}
            found if found > SUPPORTED => {
                return Err(AccessError::NewerKeys {
                    path: path.to_owned(),
                    found,
                    supported: SUPPORTED,
                });
            }
            found => return Err(damaged(format!("there is no format {found}"))),
        }
        let keys: Self = serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
        for (index, key) in keys.keys.iter().enumerate() {
            if keys
                .keys
                .iter()
                .skip(index + 1)
                .any(|other| other.id == key.id || other.hash == key.hash)
            {
                return Err(damaged(format!("the key {} is in it twice", key.id)));
            }
        }
        if keys.digest().map_err(|error| damaged(error.to_string()))? != keys.sha256 {
            return Err(damaged(
                "its SHA-256 does not hold: it was not written by `rollbook key`".to_owned(),
            ));
        }
        Ok(keys)
    }

    /// Finds the valid key that a caller presents. The time depends only on the length of the text
    /// and on the number of keys.
    pub(super) fn presented(&self, text: &str, now: Timestamp) -> Option<&ApiKey> {
        let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        let mut found = u64::MAX;
        for (index, key) in (0_u64..).zip(&self.keys) {
            let same: Choice = key.hash.0.ct_eq(&hash);
            found.conditional_assign(&index, same);
        }
        let key = self.keys.get(usize::try_from(found).ok()?)?;
        key.is_live(now).then_some(key)
    }
}

/// Whether a bearer token is an API key, by its form.
pub(super) fn is_api_key(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// The keys of a store, for changing them.
pub struct KeyFile {
    directory: PathBuf,
    keys: ApiKeys,
    /// The lock, so that one process changes the file at a time.
    _lock: File,
}

impl KeyFile {
    /// Opens the keys of the store in this directory. A running service sees a change at once.
    ///
    /// # Errors
    /// If there is no store, or the file cannot be read.
    pub fn open(directory: &Path) -> Result<Self, AccessError> {
        require_store(directory)?;
        let path = directory.join(LOCK_FILE);
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path);
        let lock = opened.and_then(|file| file.lock().map(|()| file));
        let lock = lock.map_err(|source| AccessError::File { doing: "lock", path, source })?;
        Ok(Self { directory: directory.to_owned(), keys: read(directory)?, _lock: lock })
    }

    /// Creates a key and stores its hash. The returned text is the only copy of the key.
    ///
    /// # Errors
    /// If a valid key has this name, or the file cannot be written. Then there is no new key.
    pub fn create(
        &mut self,
        name: &str,
        scopes: Vec<Scope>,
        now: Timestamp,
        expires_at: Option<Timestamp>,
    ) -> Result<(ApiKey, String), AccessError> {
        if self.keys.keys.iter().any(|key| key.name == name && key.is_live(now)) {
            return Err(AccessError::NameTaken(name.to_owned()));
        }
        let text = format!("{PREFIX}{}", const_hex::encode(random::<SECRET_BYTES>()?));
        let mut id = const_hex::encode(random::<ID_BYTES>()?);
        while self.keys.keys.iter().any(|key| key.id == id) {
            id = const_hex::encode(random::<ID_BYTES>()?);
        }
        let hash = Hash(Sha256::digest(text.as_bytes()).into());
        let key = ApiKey {
            id,
            name: name.to_owned(),
            hash,
            scopes,
            created_at: now,
            expires_at,
            revoked_at: None,
        };
        self.keys.keys.push(key.clone());
        self.write()?;
        Ok((key, text))
    }

    /// Revokes a key by its id, or a valid key by its name. A revoked key stays unchanged.
    ///
    /// # Errors
    /// If there is no such key, or the file cannot be written.
    pub fn revoke(&mut self, which: &str, now: Timestamp) -> Result<ApiKey, AccessError> {
        let by_id = self.keys.keys.iter().position(|key| key.id == which);
        let place = by_id.or_else(|| {
            self.keys.keys.iter().position(|key| key.name == which && key.is_live(now))
        });
        let found = place.and_then(|place| self.keys.keys.get_mut(place));
        let Some(key) = found else { return Err(AccessError::UnknownKey(which.to_owned())) };
        if key.revoked_at.is_none() {
            key.revoked_at = Some(now);
            let revoked = key.clone();
            self.write()?;
            return Ok(revoked);
        }
        Ok(key.clone())
    }

    /// Replaces the file atomically.
    fn write(&mut self) -> Result<(), AccessError> {
        self.keys.rollbook_api_keys = SUPPORTED;
        let path = self.directory.join(KEYS_FILE);
        let mut written = || -> std::io::Result<()> {
            self.keys.sha256 = self.keys.digest()?;
            let mut text = serde_json::to_vec_pretty(&self.keys)?;
            text.push(b'\n');
            rollbook_log::durable::write_atomically(&path, 0o600, &text)
        };
        written().map_err(|source| AccessError::File { doing: "write", path: path.clone(), source })
    }
}

/// Lists the keys of the store in this directory, valid or not, oldest first.
///
/// # Errors
/// If there is no store, or the file cannot be read.
pub fn list(directory: &Path) -> Result<Vec<ApiKey>, AccessError> {
    require_store(directory)?;
    Ok(read(directory)?.keys)
}

fn read(directory: &Path) -> Result<ApiKeys, AccessError> {
    let found =
        super::watched::WatchedFile::new(directory.join(KEYS_FILE), ApiKeys::parse).read()?;
    Ok(found.map(|keys| (*keys).clone()).unwrap_or_default())
}

/// Requires a store in the directory, so that the file of keys is never created anywhere else.
fn require_store(directory: &Path) -> Result<(), AccessError> {
    match fs::metadata(directory.join("FORMAT")) {
        Ok(_there) => Ok(()),
        Err(_none) => Err(AccessError::NoStore(LogError::Missing { dir: directory.to_owned() })),
    }
}

fn random<const BYTES: usize>() -> Result<[u8; BYTES], AccessError> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(AccessError::Random)?;
    Ok(bytes)
}

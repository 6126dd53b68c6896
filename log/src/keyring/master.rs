//! Master keys: their sources, their text form, and the creation of a new one. A key file is
//! readable only by its owner from the first byte on. An existing file is never overwritten.

use std::fmt;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::aead::{KEY_BYTES, SecretKey};
use super::error::KeyringError;
use crate::durable;

/// The text before the digits in a file.
const WORD: &str = "rollbook-master-key 1";
/// More than any master key's text.
const LONGEST_BYTES: u64 = 1024;

/// The source of a store's master key.
#[derive(Clone, Default)]
pub enum MasterKeySource {
    /// The file `<store>.master-key` beside the store's directory.
    #[default]
    Beside,
    /// This file.
    File(PathBuf),
    /// This text, in the form of a file; from the environment or a secret store.
    Text(Arc<str>),
    /// A new key that is in no file yet, see [`MasterKeySource::for_new_store`].
    New(Arc<str>),
}

impl fmt::Debug for MasterKeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Beside => f.write_str("Beside"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Text(_) => f.write_str("Text([secret])"),
            Self::New(_) => f.write_str("New([secret])"),
        }
    }
}

/// A master key and its source.
pub(crate) struct MasterKey {
    pub(crate) key: SecretKey,
    pub(crate) from: String,
    /// A source that gives the same key for every store.
    pub(crate) source: MasterKeySource,
}

impl MasterKeySource {
    /// The key's file, if the source has one.
    pub(crate) fn path(&self, store: &Path) -> Option<PathBuf> {
        match self {
            Self::Beside => Some(beside(store)),
            Self::File(path) => Some(path.clone()),
            Self::Text(_) | Self::New(_) => None,
        }
    }

    /// Reads the key.
    pub(crate) fn read(&self, store: &Path) -> Result<MasterKey, KeyringError> {
        match (self.path(store), self) {
            (Some(path), _) => read_file(&path)?.ok_or(KeyringError::NoMasterKey { path }),
            (None, Self::Text(text)) => {
                parse(text, "the master key in the environment".to_owned(), self.clone())
            }
            (None, Self::New(text)) => parse(text, "a new master key".to_owned(), self.clone()),
            // Every other source has a path.
            (None, _) => Err(KeyringError::NotAMasterKey { from: format!("{self:?}") }),
        }
    }

    /// Reads the key, or creates it. Also returns the file if it is new.
    pub(crate) fn read_or_make(
        &self,
        store: &Path,
    ) -> Result<(MasterKey, Option<PathBuf>), KeyringError> {
        let Some(path) = self.path(store) else { return Ok((self.read(store)?, None)) };
        match read_file(&path)? {
            Some(key) => Ok((key, None)),
            None => Ok((make_file(&path)?, Some(path))),
        }
    }
}

impl MasterKeySource {
    /// The default path of a store's master key: `<store>.master-key`, beside the store.
    pub fn beside(store: &Path) -> PathBuf {
        beside(store)
    }

    /// The source for creating a store elsewhere that will be moved to `store`: the existing key
    /// beside `store`, or a new one in memory, which [`MasterKeySource::keep_beside`] then writes
    /// there.
    ///
    /// # Errors
    /// If there are no random numbers.
    pub fn for_new_store(&self, store: &Path) -> Result<Self, KeyringError> {
        match self {
            Self::Beside if beside(store).exists() => Ok(Self::File(beside(store))),
            Self::Beside => Ok(Self::New(text_of(&SecretKey::random()?).into())),
            named => Ok(named.clone()),
        }
    }

    /// Writes a new key into the file beside its store and returns the file. Does nothing for a key
    /// that already has a source.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn keep_beside(&self, store: &Path) -> Result<Option<PathBuf>, KeyringError> {
        match self {
            Self::New(_) => self.copy_beside(store),
            _ => Ok(None),
        }
    }

    /// Writes a copy of this key beside a store that has none there. Returns the file if it is new.
    ///
    /// # Errors
    /// If the key cannot be read, or the file cannot be written.
    pub fn copy_beside(&self, store: &Path) -> Result<Option<PathBuf>, KeyringError> {
        let path = beside(store);
        if path.exists() {
            return Ok(None);
        }
        write_new(&path, self.read(store)?.key)?;
        Ok(Some(path))
    }
}

/// `<store>.master-key`, in the directory that the store's directory is in.
fn beside(store: &Path) -> PathBuf {
    let whole = if store.file_name().is_some() {
        store.to_owned()
    } else {
        fs::canonicalize(store).unwrap_or_else(|_| store.to_owned())
    };
    let mut name = whole.file_name().unwrap_or_default().to_owned();
    name.push(".master-key");
    whole.with_file_name(name)
}

fn parse(text: &str, from: String, source: MasterKeySource) -> Result<MasterKey, KeyringError> {
    let digits = text.trim().strip_prefix(WORD).unwrap_or(text).trim();
    let mut bytes = [0; KEY_BYTES];
    let is_key =
        digits.len() == 2 * KEY_BYTES && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let read = |at: usize| {
        digits.get(2 * at..2 * at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok())
    };
    for (at, byte) in bytes.iter_mut().enumerate() {
        match read(at).filter(|_| is_key) {
            Some(value) => *byte = value,
            None => return Err(KeyringError::NotAMasterKey { from }),
        }
    }
    Ok(MasterKey { key: SecretKey::new(bytes), from, source })
}

fn read_file(path: &Path) -> Result<Option<MasterKey>, KeyringError> {
    use std::io::Read as _;
    let failed =
        |source| KeyringError::File { doing: "read the master key", path: path.to_owned(), source };
    let mut text = String::new();
    match File::open(path).and_then(|file| file.take(LONGEST_BYTES).read_to_string(&mut text)) {
        Ok(_bytes) => {
            parse(&text, path.display().to_string(), MasterKeySource::File(path.to_owned()))
                .map(Some)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            Err(KeyringError::NotAMasterKey { from: path.display().to_string() })
        }
        Err(source) => Err(failed(source)),
    }
}

/// The text of a key's file.
fn text_of(key: &SecretKey) -> String {
    let digits: String = key.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{WORD}\n{digits}\n")
}

/// Creates a key in a new file.
fn make_file(path: &Path) -> Result<MasterKey, KeyringError> {
    write_new(path, SecretKey::random()?)
}

/// Writes a key into a new file. It is durable on return.
fn write_new(path: &Path, key: SecretKey) -> Result<MasterKey, KeyringError> {
    let failed = |source| KeyringError::File {
        doing: "create the master key",
        path: path.to_owned(),
        source,
    };
    durable::create_directories(durable::parent(path)).map_err(failed)?;
    durable::create_file(path, 0o600, text_of(&key).as_bytes()).map_err(failed)?;
    Ok(MasterKey {
        key,
        from: path.display().to_string(),
        source: MasterKeySource::File(path.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone_and_read_back() {
        let home = tempfile::tempdir().unwrap();
        let store = home.path().join("prod");
        let source = MasterKeySource::Beside;
        assert!(matches!(source.read(&store), Err(KeyringError::NoMasterKey { .. })));
        let (made, path) = source.read_or_make(&store).unwrap();
        let path = path.unwrap();
        assert_eq!(path, home.path().join("prod.master-key"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let (again, none) = source.read_or_make(&store).unwrap();
        assert_eq!((again.key.bytes(), none), (made.key.bytes(), None));
        let text = MasterKeySource::Text(fs::read_to_string(&path).unwrap().into());
        assert_eq!(text.read(&store).unwrap().key.bytes(), made.key.bytes());
        assert!(!format!("{text:?}").contains(&fs::read_to_string(&path).unwrap()));
    }

    #[test]
    fn what_is_no_key_is_refused_and_left_as_it_is() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("key");
        for text in [
            "",
            "rollbook-master-key 1\n",
            "xyz",
            &"0".repeat(63),
            &"g".repeat(64),
            &"0".repeat(65),
            "\u{fc}",
        ] {
            fs::write(&path, text).unwrap();
            let refused =
                MasterKeySource::File(path.clone()).read_or_make(home.path()).err().unwrap();
            assert!(matches!(refused, KeyringError::NotAMasterKey { .. }), "{text:?}: {refused:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert!(MasterKeySource::Text("a".repeat(64).into()).read(home.path()).is_ok());
    }
}

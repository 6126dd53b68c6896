//! The keyring's file on the disk: appended to for new keys, rewritten for an erasure or another
//! master key. `format` defines the bytes.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::error::KeyringError;
use crate::durable;

/// The keyring's file on the disk.
pub(super) struct KeyringFile {
    path: PathBuf,
    file: Option<File>,
    /// The end of the last complete record.
    length: u64,
    /// Whether a change failed midway, so that the content on the disk is unknown.
    in_doubt: bool,
}

impl KeyringFile {
    /// The file with this path, valid up to `length`. The first write opens it for writing.
    pub(super) fn new(path: PathBuf, length: u64) -> Self {
        Self { path, file: None, length, in_doubt: false }
    }

    /// Whether a change has failed midway. Only opening the keyring again shows what is on the
    /// disk.
    pub(super) fn in_doubt(&self) -> bool {
        self.in_doubt
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn failed(&self, doing: &'static str) -> impl FnOnce(std::io::Error) -> KeyringError {
        let path = self.path.clone();
        move |source| KeyringError::File { doing, path, source }
    }

    /// The bytes of the file; `None` when there is none.
    pub(super) fn read(&self) -> Result<Option<Vec<u8>>, KeyringError> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(self.failed("read the keyring")(source)),
        }
    }

    /// Appends records and syncs them. First truncates what an interrupted append left at the end.
    pub(super) fn append(&mut self, records: &[u8]) -> Result<(), KeyringError> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => OpenOptions::new()
                .read(true)
                .write(true)
                .open(&self.path)
                .map_err(self.failed("write the keyring"))?,
        };
        self.in_doubt = true;
        let mut append = || -> std::io::Result<()> {
            file.set_len(self.length)?;
            file.seek(SeekFrom::Start(self.length))?;
            file.write_all(records)?;
            durable::sync_data(&self.path, &file)
        };
        append().map_err(self.failed("write the keyring"))?;
        self.file = Some(file);
        self.length += records.len() as u64;
        self.in_doubt = false;
        Ok(())
    }

    /// Replaces the content atomically, then overwrites the old bytes.
    ///
    /// The old file keeps a second name until its bytes are overwritten, so that the next change
    /// finds and overwrites what a killed process left of it.
    pub(super) fn replace(&mut self, content: &[u8]) -> Result<(), KeyringError> {
        let [new, old] = ["new", "old"].map(|ending| self.path.with_extension(ending));
        self.clear_leftovers()?;
        // From here on the open file may be the old one.
        self.file = None;
        self.in_doubt = true;
        let keep_old = || if self.path.exists() { fs::hard_link(&self.path, &old) } else { Ok(()) };
        durable::replace_file(&self.path, &new, 0o600, content, keep_old)
            .and_then(|()| overwrite(&old))
            .and_then(|()| durable::sync_directory(durable::parent(&self.path)))
            .map_err(self.failed("rewrite the keyring"))?;
        self.length = content.len() as u64;
        self.in_doubt = false;
        Ok(())
    }

    /// Overwrites and removes what an interrupted replacement left.
    pub(super) fn clear_leftovers(&self) -> Result<(), KeyringError> {
        for ending in ["new", "old"] {
            let path = self.path.with_extension(ending);
            let is_itself = || -> std::io::Result<bool> {
                use std::os::unix::fs::MetadataExt as _;
                let (one, other) = (fs::metadata(&path)?, fs::metadata(&self.path)?);
                Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
            };
            match is_itself() {
                // Interrupted before the rename: only remove the second name.
                Ok(true) => fs::remove_file(&path)
                    .map_err(self.failed("remove an old copy of the keyring at"))?,
                _ => {
                    overwrite(&path).map_err(self.failed("remove an old copy of the keyring at"))?
                }
            }
        }
        Ok(())
    }
}

/// Overwrites a file with zeros, syncs it and removes it. Does nothing if there is no such file.
///
/// Flash and copy-on-write file systems may keep the old bytes elsewhere. Those are wrapped by the
/// master key.
fn overwrite(path: &Path) -> std::io::Result<()> {
    let mut file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    std::io::copy(&mut std::io::repeat(0).take(length), &mut file)?;
    durable::sync_file(path, &file)?;
    fs::remove_file(path)
}

//! A file that another process may replace at any time. Every use sees its current content, without
//! reading it every time.

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::error::AccessError;

/// Far more than any such file has; a longer file is something else.
const LONGEST_BYTES: u64 = 16 << 20;

/// A file, and its parsed content.
#[derive(Debug)]
pub(super) struct WatchedFile<T> {
    path: PathBuf,
    parse: fn(&Path, &Metadata, &str) -> Result<T, AccessError>,
    held: Mutex<Option<Held<T>>>,
}

#[derive(Debug)]
struct Held<T> {
    stamp: Stamp,
    content: Arc<T>,
    /// While it is open, no other file can get its number: a replaced file never looks like the one
    /// that was read.
    _file: File,
}

/// Distinguishes the versions of a file, and different files at its path.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    place: (u64, u64),
    changed: (i64, i64),
    modified: (i64, i64),
    bytes: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            place: (metadata.dev(), metadata.ino()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            bytes: metadata.len(),
        }
    }
}

impl<T> WatchedFile<T> {
    /// A file that need not be there, and how it is read.
    pub(super) fn new(
        path: PathBuf,
        parse: fn(&Path, &Metadata, &str) -> Result<T, AccessError>,
    ) -> Self {
        Self { path, parse, held: Mutex::new(None) }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its content as it is now; `None` when there is no such file.
    ///
    /// # Errors
    /// If the file cannot be read or is invalid. The next use tries again.
    pub(super) fn read(&self) -> Result<Option<Arc<T>>, AccessError> {
        // A panic while locked leaves a complete value or none.
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let there = match std::fs::metadata(&self.path) {
            Ok(metadata) => Stamp::of(&metadata),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                *held = None;
                return Ok(None);
            }
            Err(source) => return Err(self.unreadable(source)),
        };
        if let Some(known) = held.as_ref().filter(|known| known.stamp == there) {
            return Ok(Some(Arc::clone(&known.content)));
        }
        *held = None;
        let read = self.read_anew()?;
        let content = Arc::clone(&read.content);
        *held = Some(read);
        Ok(Some(content))
    }

    fn read_anew(&self) -> Result<Held<T>, AccessError> {
        let mut file = File::open(&self.path).map_err(|source| self.unreadable(source))?;
        // The stamp is taken before the bytes: what changes meanwhile is read again next time.
        let metadata = file.metadata().map_err(|source| self.unreadable(source))?;
        let mut text = String::new();
        (&mut file)
            .take(LONGEST_BYTES)
            .read_to_string(&mut text)
            .map_err(|source| self.unreadable(source))?;
        let content = Arc::new((self.parse)(&self.path, &metadata, &text)?);
        Ok(Held { stamp: Stamp::of(&metadata), content, _file: file })
    }

    fn unreadable(&self, source: std::io::Error) -> AccessError {
        AccessError::File { doing: "read", path: self.path.clone(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_replacement_is_seen_at_once_and_nothing_is_read_twice() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let watched = WatchedFile::new(path.clone(), |_, _, text| Ok(text.to_owned()));
        assert_eq!(watched.read().unwrap(), None);
        // All of the same length, one straight after the other: neither size nor a coarse clock
        // tells them apart.
        for round in 1000..1200 {
            let temporary = directory.path().join("new");
            std::fs::write(&temporary, round.to_string()).unwrap();
            std::fs::rename(&temporary, &path).unwrap();
            let first = watched.read().unwrap().unwrap();
            assert_eq!(*first, round.to_string());
            assert!(Arc::ptr_eq(&first, &watched.read().unwrap().unwrap()));
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(watched.read().unwrap(), None);
    }
}

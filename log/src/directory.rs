//! The store's directory. Owns `FORMAT`, which tells a store from other directories and is the lock, and the order in which a new store
//! comes into being; `db/` inside is the engine's.
//!
//! A new store is made in this order: the directory, an empty `FORMAT` (now the lock is held), the database in `db/`, the text in
//! `FORMAT`. So an empty `FORMAT` is a store whose making was interrupted: nothing in it was ever acknowledged.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use parking_lot::Mutex;

use crate::error::LogError;

/// The format that is written, and the newest that is read.
pub(crate) const SUPPORTED: u32 = 1;
const FORMAT_FILE: &str = "FORMAT";
/// The file that RocksDB replaces, and never leaves out, as long as there is a database.
const CURRENT_FILE: &str = "db/CURRENT";
const FORMAT_WORD: &str = "rollbook-store ";

/// The directory of a store, or the place for one. Holds the lock while it lives, as soon as there is something to lock.
pub(crate) struct Directory {
    dir: PathBuf,
    lock: Mutex<Option<File>>,
    /// Device and number of the locked file.
    identity: OnceLock<(u64, u64)>,
}

/// What opening a directory found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A store.
    Store,
    /// Nothing, or a store whose making was interrupted: one may be made here.
    Nothing,
}

impl Directory {
    /// Looks at a directory and locks it; changes nothing on disk.
    pub(crate) fn open(dir: &Path, create: bool) -> Result<(Self, Found), LogError> {
        let (lock, found) = look(dir)?;
        if found == Found::Nothing && !create {
            return Err(LogError::Missing { dir: dir.to_owned() });
        }
        let directory =
            Self { dir: dir.to_owned(), lock: Mutex::new(None), identity: OnceLock::new() };
        if let Some(lock) = lock {
            directory.keep(lock)?;
        }
        Ok((directory, found))
    }

    /// The directory itself.
    pub(crate) fn path(&self) -> &Path {
        &self.dir
    }

    /// Where the database is.
    pub(crate) fn database(&self) -> PathBuf {
        self.dir.join("db")
    }

    /// What `FORMAT` holds in a store of today.
    pub(crate) fn format_text(&self) -> Vec<u8> {
        format!("{FORMAT_WORD}{SUPPORTED}\n").into_bytes()
    }

    /// Says so when the database is gone: RocksDB's binding would make an empty directory in its place.
    pub(crate) fn require_database(&self) -> Result<(), LogError> {
        let path = self.database();
        match fs::metadata(&path) {
            Ok(_there) => Ok(()),
            Err(source) => Err(LogError::File { doing: "read the database", path, source }),
        }
    }

    /// Says so when the directory is not the one that was locked, or, with `database`, has no database.
    pub(crate) fn require_present(&self, database: bool) -> Result<(), LogError> {
        let Some(locked) = self.identity.get() else { return Ok(()) };
        let format = fs::metadata(self.dir.join(FORMAT_FILE)).ok().as_ref().map(identity);
        if format == Some(*locked)
            && (!database || fs::metadata(self.dir.join(CURRENT_FILE)).is_ok())
        {
            return Ok(());
        }
        Err(LogError::Lost { dir: self.dir.clone() })
    }

    fn keep(&self, file: File) -> Result<(), LogError> {
        let metadata =
            file.metadata().map_err(|source| self.refused("look at FORMAT in", source))?;
        self.identity.get_or_init(|| identity(&metadata));
        *self.lock.lock() = Some(file);
        Ok(())
    }

    /// Makes the directory with an empty `FORMAT` and takes the lock.
    pub(crate) fn begin(&self) -> Result<(), LogError> {
        if self.lock.lock().is_none() {
            fs::create_dir_all(&self.dir)
                .map_err(|source| self.refused("make the directory", source))?;
            let (found, _) = look(&self.dir)?;
            if found.is_some() {
                return Err(LogError::MadeMeanwhile { dir: self.dir.clone() });
            }
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .open(self.dir.join(FORMAT_FILE))
                .map_err(|source| match source.kind() {
                    ErrorKind::AlreadyExists => LogError::MadeMeanwhile { dir: self.dir.clone() },
                    _ => self.refused("make FORMAT in", source),
                })?;
            self.keep(locked(&self.dir, file)?)?;
        }
        Ok(())
    }

    /// Says that the store is made: from here on the directory is one.
    pub(crate) fn complete(&self) -> Result<(), LogError> {
        let path = self.dir.join(FORMAT_FILE);
        let in_format = |source| LogError::File { doing: "write", path: path.clone(), source };
        let mut file = OpenOptions::new().write(true).open(&path).map_err(in_format)?;
        file.write_all(format!("{FORMAT_WORD}{SUPPORTED}\n").as_bytes()).map_err(in_format)?;
        file.sync_all().map_err(in_format)?;
        sync_directory(&self.dir)?;
        // `Path::parent` of a bare name is the empty path, which means here.
        match self.dir.parent() {
            Some(parent) if parent.as_os_str().is_empty() => sync_directory(Path::new(".")),
            Some(parent) => sync_directory(parent),
            None => Ok(()),
        }
    }

    /// Writes `FORMAT` into a directory that has a whole database already.
    pub(crate) fn format_file(dir: &Path) -> Result<(), LogError> {
        let path = dir.join(FORMAT_FILE);
        let in_format = |source| LogError::File { doing: "write", path: path.clone(), source };
        let mut file = File::create_new(&path).map_err(in_format)?;
        file.write_all(format!("{FORMAT_WORD}{SUPPORTED}\n").as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(in_format)
    }

    /// Says so when this user may not write here, before anything is tried.
    pub(crate) fn require_writable(&self) -> Result<(), LogError> {
        for path in [self.dir.clone(), self.database()] {
            match rustix::fs::access(&path, rustix::fs::Access::WRITE_OK) {
                Ok(()) | Err(rustix::io::Errno::NOENT) => {}
                Err(error) => return Err(self.refused("write", error.into())),
            }
        }
        Ok(())
    }

    fn refused(&self, doing: &'static str, source: std::io::Error) -> LogError {
        match source.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                LogError::ReadOnly { dir: self.dir.clone(), source }
            }
            _ => LogError::File { doing, path: self.dir.clone(), source },
        }
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

pub(crate) fn sync_directory(path: &Path) -> Result<(), LogError> {
    let synced = File::open(path).and_then(|directory| directory.sync_all());
    synced.map_err(|source| LogError::File { doing: "sync", path: path.to_owned(), source })
}

/// What a directory is, with its locked `FORMAT` where there is one.
fn look(dir: &Path) -> Result<(Option<File>, Found), LogError> {
    let no_store = |why| LogError::NotAStore { dir: dir.to_owned(), why };
    let path = dir.join(FORMAT_FILE);
    let unreadable = |source| LogError::File { doing: "read", path: path.clone(), source };
    let mut file = match File::open(&path) {
        Ok(file) => locked(dir, file)?,
        Err(error) if error.kind() == ErrorKind::NotFound => return look_without_format(dir),
        Err(error) if error.kind() == ErrorKind::NotADirectory => {
            return Err(no_store("it is a file"));
        }
        Err(error) => return Err(unreadable(error)),
    };
    let mut text = String::new();
    // Far more than any format line: what is longer is something else.
    match (&mut file).take(256).read_to_string(&mut text) {
        Ok(_bytes) => {}
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            return Err(no_store("its FORMAT is not text"));
        }
        Err(error) => return Err(unreadable(error)),
    }
    if text.is_empty() {
        return Ok((Some(file), Found::Nothing));
    }
    match text.strip_prefix(FORMAT_WORD).and_then(|version| version.trim_end().parse::<u32>().ok())
    {
        Some(SUPPORTED) => Ok((Some(file), Found::Store)),
        Some(found) if found > SUPPORTED => {
            Err(LogError::NewerStore { dir: dir.to_owned(), found, supported: SUPPORTED })
        }
        _ => Err(no_store("its FORMAT is of something else")),
    }
}

fn look_without_format(dir: &Path) -> Result<(Option<File>, Found), LogError> {
    let mut entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((None, Found::Nothing)),
        Err(source) => {
            return Err(LogError::File {
                doing: "read the directory",
                path: dir.to_owned(),
                source,
            });
        }
    };
    match entries.next() {
        Some(_something) => Err(LogError::NotAStore {
            dir: dir.to_owned(),
            why: "it has files, and no FORMAT among them",
        }),
        None => Ok((None, Found::Nothing)),
    }
}

/// Takes the lock that lasts as long as the file is open. It is advisory, and changes no byte.
fn locked(dir: &Path, file: File) -> Result<File, LogError> {
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LogError::InUse { dir: dir.to_owned() }),
        Err(TryLockError::Error(source)) => {
            Err(LogError::File { doing: "lock", path: dir.join(FORMAT_FILE), source })
        }
    }
}

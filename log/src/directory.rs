//! The directory of a store: the file `FORMAT`, which identifies a store and is its lock, and the
//! steps of creating a store. The engine manages `db/` inside.
//!
//! A store is created in this order: the directory, an empty `FORMAT` (now the lock is held), the
//! database in `db/`, the text in `FORMAT`. An empty `FORMAT` therefore means that the creation was
//! interrupted, and that no commit was acknowledged.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use parking_lot::Mutex;

use crate::durable;
use crate::error::LogError;

/// The format that this build writes, and the newest that it reads.
pub(crate) const SUPPORTED: u32 = 1;
const FORMAT_FILE: &str = "FORMAT";
/// A file that exists as long as there is a RocksDB database. RocksDB only ever replaces it.
const CURRENT_FILE: &str = "db/CURRENT";
const FORMAT_WORD: &str = "rollbook-store ";

/// The directory of a store, or the path for a new one. Holds the lock on `FORMAT` as soon as that
/// exists.
pub(crate) struct Directory {
    dir: PathBuf,
    lock: Mutex<Option<File>>,
    /// Device and inode of the locked file.
    identity: OnceLock<(u64, u64)>,
}

/// The state of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A store.
    Store,
    /// Nothing, or a store whose creation was interrupted. A store can be created here.
    Nothing,
}

impl Directory {
    /// Examines a directory and locks it. Changes nothing on disk.
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

    /// The content of `FORMAT` in a store of this format.
    pub(crate) fn format_text(&self) -> Vec<u8> {
        format_text().into_bytes()
    }

    /// Fails if the database is missing. RocksDB's binding would create an empty directory instead.
    pub(crate) fn require_database(&self) -> Result<(), LogError> {
        let path = self.database();
        match fs::metadata(&path) {
            Ok(_there) => Ok(()),
            Err(source) => Err(LogError::File { doing: "read the database", path, source }),
        }
    }

    /// Fails if the directory is not the locked one, or, with `database`, has no database.
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
        let metadata = file.metadata().map_err(|source| self.refused("read FORMAT in", source))?;
        self.identity.get_or_init(|| identity(&metadata));
        *self.lock.lock() = Some(file);
        Ok(())
    }

    /// Creates the directory with an empty `FORMAT` and takes the lock.
    pub(crate) fn begin(&self) -> Result<(), LogError> {
        if self.lock.lock().is_none() {
            durable::create_directories(durable::parent(&self.dir))
                .and_then(|()| fs::create_dir_all(&self.dir))
                .map_err(|source| self.refused("create the directory", source))?;
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
                    _ => self.refused("create FORMAT in", source),
                })?;
            self.keep(locked(&self.dir, file)?)?;
        }
        Ok(())
    }

    /// Writes the text of `FORMAT` and syncs the directory: from now on it is a store.
    pub(crate) fn complete(&self) -> Result<(), LogError> {
        let path = self.dir.join(FORMAT_FILE);
        let in_format = |source| LogError::File { doing: "write", path: path.clone(), source };
        let mut file = OpenOptions::new().write(true).open(&path).map_err(in_format)?;
        file.write_all(&self.format_text()).map_err(in_format)?;
        durable::sync_file(&path, &file).map_err(in_format)?;
        sync_directory(&self.dir)?;
        sync_directory(durable::parent(&self.dir))
    }

    /// Writes `FORMAT` into a directory that already has a complete database.
    pub(crate) fn format_file(dir: &Path) -> Result<(), LogError> {
        let path = dir.join(FORMAT_FILE);
        durable::write_new(&path, 0o666, format_text().as_bytes())
            .map_err(|source| LogError::File { doing: "write", path: path.clone(), source })
    }

    /// Fails if this user has no write permission, before anything is attempted.
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

fn format_text() -> String {
    format!("{FORMAT_WORD}{SUPPORTED}\n")
}

/// Makes the entries of a directory durable.
pub(crate) fn sync_directory(path: &Path) -> Result<(), LogError> {
    durable::sync_directory(path).map_err(|source| LogError::File {
        doing: "sync",
        path: path.to_owned(),
        source,
    })
}

/// Examines a directory. Returns its locked `FORMAT` if it has one.
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
    // More than any format line: a longer file is something else.
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
        _ => Err(no_store("its FORMAT is not that of a store")),
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
        Some(_something) => {
            Err(LogError::NotAStore { dir: dir.to_owned(), why: "it has files, but no FORMAT" })
        }
        None => Ok((None, Found::Nothing)),
    }
}

/// Takes an advisory lock that lasts as long as the file is open. Changes no byte.
fn locked(dir: &Path, file: File) -> Result<File, LogError> {
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LogError::InUse { dir: dir.to_owned() }),
        Err(TryLockError::Error(source)) => {
            Err(LogError::File { doing: "lock", path: dir.join(FORMAT_FILE), source })
        }
    }
}

//! Checking a store's files byte by byte, without RocksDB. Owns which files there are and what a sound one is: every byte of table
//! files, write-ahead logs and manifests lies under a checksum that is computed again; what holds no record is named, not checked.
//!
//! RocksDB checks a block when it reads it. It does not read all of them: not the filters of keys that nobody asks for, not the end of a log
//! that looks unfinished. Here all is read.

mod journal;
mod table;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::directory::Directory;
use crate::error::LogError;

/// What reading the files of a store found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilesChecked {
    /// How many files were checked whole.
    pub files: u64,
    /// How large they are together, in bytes.
    pub bytes: u64,
    /// What is wrong.
    pub damage: Vec<FileDamage>,
    /// Files that hold no record and have no checksum, and why they need none.
    pub without_records: Vec<(String, &'static str)>,
}

/// Damage of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDamage {
    /// The file, relative to the store's directory.
    pub file: String,
    /// Where the damaged part begins, in bytes from the start.
    pub offset: u64,
    /// What is wrong with it.
    pub what: String,
}

/// A part of a file that is not what was written: where, and how.
type Damage = (u64, String);

/// What a check says.
enum Unsound {
    Damaged(Damage),
    /// The file ends in the middle of a record that begins there: a write was interrupted, or the end was changed.
    Unfinished(u64),
    /// It cannot be read at all.
    Unreadable(io::Error),
}

impl From<io::Error> for Unsound {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // The file ends before what it says of itself does.
            io::ErrorKind::UnexpectedEof => Self::Damaged((0, "it is cut short".to_owned())),
            _ => Self::Unreadable(error),
        }
    }
}

/// Why a kind of file needs no check.
const TEXT_LOG: &str = "RocksDB's text log, which it never reads";
const OPTIONS: &str = "a copy of settings, which are not read from it";
const LOCK: &str = "a lock without content";

/// Reads every file of the store in a directory and checks what can be checked. Takes the store's lock meanwhile, and changes nothing.
/// Calls `progress` with the bytes read, and with how many there are.
///
/// # Errors
/// [`LogError::Missing`], [`LogError::InUse`] and their like; when a file cannot be read. Damage is no error.
pub fn check_files(
    dir: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<FilesChecked, LogError> {
    let (directory, _found) = Directory::open(dir, false)?;
    directory.require_database()?;
    let mut checked = FilesChecked::default();
    let format = dir.join("FORMAT");
    if fs::read(&format).map_err(unreadable(&format))? != directory.format_text() {
        checked.damage.push(FileDamage {
            file: "FORMAT".to_owned(),
            offset: 0,
            what: "it is not the line that was written".to_owned(),
        });
    }
    checked.files += 1;
    let paths = files_in(&directory.database())?;
    let total = paths.iter().map(|(_, bytes)| bytes).sum();
    let mut done = 0;
    for (path, bytes) in paths {
        checked.file(dir, &path, bytes)?;
        done += bytes;
        progress(done, total);
    }
    Ok(checked)
}

/// Checks what RocksDB reads of its journals when it opens a database, but for an unfinished end, which it tolerates rightly. Damage
/// that it does not see is refused here, before it loses what was acknowledged or never comes back.
///
/// Cost: reads the write-ahead logs, 64 MiB at most, and the manifest once.
///
/// # Errors
/// [`LogError::DamagedFile`]; when a file cannot be read.
pub(crate) fn check_journals(database: &Path) -> Result<(), LogError> {
    // Without a `CURRENT` that can be read, RocksDB says so itself.
    let current = fs::read_to_string(database.join("CURRENT")).unwrap_or_default();
    for (path, _) in files_in(database)? {
        let is_manifest = path.file_name().is_some_and(|name| name == current.trim_end());
        if !is_manifest && path.extension().is_none_or(|extension| extension != "log") {
            continue;
        }
        match File::open(&path).map_err(Unsound::from).and_then(journal::check) {
            Ok(()) | Err(Unsound::Unfinished(_)) => {}
            Err(Unsound::Damaged((offset, what))) => {
                return Err(LogError::DamagedFile { path, offset, what });
            }
            Err(Unsound::Unreadable(error)) => return Err(unreadable(&path)(error)),
        }
    }
    Ok(())
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> LogError {
    let path = path.to_owned();
    move |source| LogError::File { doing: "read", path, source }
}

/// The files of a directory with their sizes, in the order of their names.
fn files_in(dir: &Path) -> Result<Vec<(PathBuf, u64)>, LogError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable(dir))? {
        let entry = entry.map_err(unreadable(dir))?;
        let metadata = entry.metadata().map_err(unreadable(&entry.path()))?;
        if metadata.is_file() {
            found.push((entry.path(), metadata.len()));
        }
    }
    found.sort();
    Ok(found)
}

impl FilesChecked {
    fn file(&mut self, dir: &Path, path: &Path, bytes: u64) -> Result<(), LogError> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let file = path.strip_prefix(dir).unwrap_or(path).display().to_string();
        let extension = name.rsplit_once('.').map(|(_, extension)| extension);
        let sound = match (name, extension) {
            ("LOCK", _) if bytes == 0 => return self.without_record(file, LOCK),
            ("CURRENT", _) => check_current(path),
            ("IDENTITY", _) => check_identity(path),
            (_, Some("sst")) => {
                File::open(path).map_err(Unsound::from).and_then(|open| table::check(&open, bytes))
            }
            (_, Some("log")) => File::open(path).map_err(Unsound::from).and_then(journal::check),
            _ if name.starts_with("MANIFEST-") => {
                File::open(path).map_err(Unsound::from).and_then(journal::check)
            }
            _ if name == "LOG" || name.starts_with("LOG.old.") => {
                return self.without_record(file, TEXT_LOG);
            }
            _ if name.starts_with("OPTIONS-") => return self.without_record(file, OPTIONS),
            _ => Err(Unsound::Damaged((0, "no store has such a file".to_owned()))),
        };
        self.files += 1;
        self.bytes += bytes;
        let (offset, what) = match sound {
            Ok(()) => return Ok(()),
            Err(Unsound::Damaged(damage)) => damage,
            Err(Unsound::Unfinished(at)) => {
                (at, "it ends in the middle of a record: a write was interrupted, or its end was changed".to_owned())
            }
            Err(Unsound::Unreadable(error)) => return Err(unreadable(path)(error)),
        };
        self.damage.push(FileDamage { file, offset, what });
        Ok(())
    }

    fn without_record(&mut self, file: String, why: &'static str) -> Result<(), LogError> {
        self.without_records.push((file, why));
        Ok(())
    }
}

/// `CURRENT` names the manifest that is there.
fn check_current(path: &Path) -> Result<(), Unsound> {
    let text = fs::read(path)?;
    let name = std::str::from_utf8(&text).ok().and_then(|text| text.strip_suffix('\n'));
    let is_there =
        |name: &str| name.starts_with("MANIFEST-") && path.with_file_name(name).is_file();
    if name.is_some_and(is_there) {
        Ok(())
    } else {
        Err(Unsound::Damaged((0, "it names no manifest that is there".to_owned())))
    }
}

/// `IDENTITY` is a UUID; that it is the database's own is checked where the database is open.
fn check_identity(path: &Path) -> Result<(), Unsound> {
    let text = fs::read(path)?;
    let sound =
        std::str::from_utf8(&text).ok().and_then(|text| uuid::Uuid::parse_str(text).ok()).is_some();
    if sound { Ok(()) } else { Err(Unsound::Damaged((0, "it is no id of a database".to_owned()))) }
}

//! Checks of a store's files byte by byte, without RocksDB. Checksums cover every byte of table
//! files, write-ahead logs and manifests, and all are computed again. Files without records are
//! listed and not checked.
//!
//! RocksDB checks a block when it reads it, and it does not read every block: not the filters of
//! keys that are never looked up, and not the end of a log that looks unfinished. This module reads
//! everything.

mod journal;
mod table;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::directory::Directory;
use crate::error::LogError;

/// The result of [`check_files`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilesChecked {
    /// The number of files that were checked completely.
    pub files: u64,
    /// Their total size in bytes.
    pub bytes: u64,
    /// The damage that was found.
    pub damage: Vec<FileDamage>,
    /// Files without records and checksums, and the reason why they need none.
    pub without_records: Vec<(String, &'static str)>,
}

/// Damage of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDamage {
    /// The file, relative to the store's directory.
    pub file: String,
    /// Offset of the damaged part, in bytes.
    pub offset: u64,
    /// The kind of damage.
    pub what: String,
}

/// Damage of a file: its offset and its kind.
type Damage = (u64, String);

/// Why a file is not sound.
enum Unsound {
    Damaged(Damage),
    /// The file ends inside a record that begins at this offset: a write was interrupted, or the
    /// end was changed.
    Unfinished(u64),
    /// The file cannot be read.
    Unreadable(io::Error),
}

impl From<io::Error> for Unsound {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // The file is shorter than its own structure says.
            io::ErrorKind::UnexpectedEof => Self::Damaged((0, "it is cut short".to_owned())),
            _ => Self::Unreadable(error),
        }
    }
}

// The reasons why some files need no check.
const LEFTOVER: &str = "an unfinished table file of an interrupted write, which nothing refers to; the next write removes it";
const TEXT_LOG: &str = "RocksDB's text log, which RocksDB never reads";
const OPTIONS: &str = "a copy of settings, which are not read from it";
const LOCK: &str = "a lock without content";

/// Reads every file of the store in a directory and checks it. Holds the store's lock meanwhile,
/// and changes nothing. Calls `progress` with the bytes read and the total.
///
/// # Errors
/// [`LogError::Missing`], [`LogError::InUse`] and similar errors of opening; when a file cannot be
/// read. Damage is not an error.
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
            what: "it is not the expected line".to_owned(),
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

/// Checks the journals that RocksDB reads when it opens a database. RocksDB misses some damage: it
/// would drop acknowledged commits or read forever. An unfinished end is fine.
///
/// Costs: reads the write-ahead logs, 64 MiB at most, and the manifest once.
///
/// # Errors
/// [`LogError::DamagedFile`]; when a file cannot be read.
pub(crate) fn check_journals(database: &Path) -> Result<(), LogError> {
    // RocksDB itself reports a `CURRENT` that cannot be read.
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

/// The files of a directory with their sizes, sorted by name.
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
    /// Takes damage of table files that are no part of the database out of the damage. A killed
    /// process leaves such a file, and RocksDB never reads it. `parts` has the names of the files
    /// that are part of it, see [`crate::Log::table_files`].
    pub fn set_leftovers_apart(&mut self, parts: &HashSet<String>) {
        let is_leftover = |damage: &FileDamage| {
            let name = damage.file.rsplit('/').next().unwrap_or_default();
            name.ends_with(".sst") && !parts.contains(name)
        };
        let (leftovers, damage) =
            std::mem::take(&mut self.damage).into_iter().partition::<Vec<_>, _>(is_leftover);
        self.damage = damage;
        self.without_records.extend(leftovers.into_iter().map(|left| (left.file, LEFTOVER)));
    }

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
            _ => Err(Unsound::Damaged((0, "a store has no such file".to_owned()))),
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

/// Checks that `CURRENT` names an existing manifest.
fn check_current(path: &Path) -> Result<(), Unsound> {
    let text = fs::read(path)?;
    let name = std::str::from_utf8(&text).ok().and_then(|text| text.strip_suffix('\n'));
    let is_there =
        |name: &str| name.starts_with("MANIFEST-") && path.with_file_name(name).is_file();
    if name.is_some_and(is_there) {
        Ok(())
    } else {
        Err(Unsound::Damaged((0, "it does not name an existing manifest".to_owned())))
    }
}

/// Checks that `IDENTITY` is a UUID. `check` compares it with the id of the open database.
fn check_identity(path: &Path) -> Result<(), Unsound> {
    let text = fs::read(path)?;
    let sound =
        std::str::from_utf8(&text).ok().and_then(|text| uuid::Uuid::parse_str(text).ok()).is_some();
    if sound {
        Ok(())
    } else {
        Err(Unsound::Damaged((0, "it is not the id of a database".to_owned())))
    }
}

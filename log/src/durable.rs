//! Every call that makes a file or a directory durable: `fsync`, and renames that publish a file.
//! No other module calls them, so tests can fail each one and cut the power at it (see `faults`).
//!
//! A new file survives a power cut after [`sync_file`] and [`sync_directory`] of its directory. A
//! rename survives it after [`sync_directory`].

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::sync_kind::SyncKind;

#[cfg(not(feature = "fault-injection"))]
fn at(_kind: SyncKind, _path: &Path, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    sync()
}

#[cfg(feature = "fault-injection")]
fn at(kind: SyncKind, path: &Path, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    crate::faults::at(kind, path, |error| error, sync)
}

/// Makes the content and the metadata of a file durable. `path` is the file's path.
///
/// # Errors
/// If the operating system fails to sync. What was written before may be durable or not.
pub fn sync_file(path: &Path, file: &File) -> io::Result<()> {
    at(SyncKind::File, path, || file.sync_all())
}

/// Makes the content of a file durable: its bytes and its length. `path` is the file's path.
///
/// # Errors
/// As [`sync_file`].
pub fn sync_data(path: &Path, file: &File) -> io::Result<()> {
    at(SyncKind::File, path, || file.sync_data())
}

/// Makes the entries of a directory durable.
///
/// # Errors
/// As [`sync_file`].
pub fn sync_directory(path: &Path) -> io::Result<()> {
    at(SyncKind::Directory, path, || File::open(path)?.sync_all())
}

/// Renames a file or a directory over `to`. Durable after [`sync_directory`].
///
/// # Errors
/// If the operating system refuses.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    publish(to, || fs::rename(from, to))
}

/// Runs a rename that publishes `to`.
pub(crate) fn publish(to: &Path, rename: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    at(SyncKind::Rename, to, rename)
}

/// Creates a file that must not exist, with these permission bits and this content, and syncs it.
/// The directory is not synced. On failure the file is removed.
///
/// # Errors
/// If the file exists or cannot be written.
pub fn write_new(path: &Path, mode: u32, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    let written = file.write_all(content).and_then(|()| sync_file(path, &file));
    if written.is_err() {
        // An incomplete file must not be taken for a complete one later.
        let _removed = fs::remove_file(path);
    }
    written
}

/// Creates a file as [`write_new`] does, and makes its name durable. On failure there is no file.
///
/// # Errors
/// If the file exists or cannot be written or synced.
pub fn create_file(path: &Path, mode: u32, content: &[u8]) -> io::Result<()> {
    write_new(path, mode, content)?;
    let synced = sync_directory(parent(path));
    if synced.is_err() {
        // A later call must not take a file that may not be durable.
        let _removed = fs::remove_file(path);
    }
    synced
}

/// Replaces a file atomically: `new` is written and synced, then renamed over `path`, and the
/// directory is synced. After a crash the old or the new content is there, complete. `new` must be
/// free and in the same directory. `before_rename` runs when `new` is durable.
///
/// # Errors
/// If a step fails. The old or the new content is in place then.
pub fn replace_file(
    path: &Path,
    new: &Path,
    mode: u32,
    content: &[u8],
    before_rename: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    write_new(new, mode, content)?;
    before_rename()?;
    rename(new, path)?;
    sync_directory(parent(path))
}

/// Writes a file atomically, by way of a file beside it whose name has `.new` at the end. After a
/// crash the file has its old content, or is absent as before, or has the new content, complete. It
/// is durable on return.
///
/// # Errors
/// If a step fails. A new file is absent then, so a later call does not take it for a durable
/// one. A file that is replaced has its old or its new content.
pub fn write_atomically(path: &Path, mode: u32, content: &[u8]) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    // An interrupted call may have left it, with any permissions.
    remove_if_present(&new)?;
    let replaces = fs::symlink_metadata(path).is_ok();
    let written = replace_file(path, &new, mode, content, || Ok(()));
    if written.is_err() {
        let _removed = fs::remove_file(&new);
        if !replaces {
            let _removed = fs::remove_file(path);
        }
    }
    written
}

fn remove_if_present(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Creates a directory and the missing ones above it, and makes their names durable. Does nothing
/// for a directory that exists.
///
/// # Errors
/// If a directory cannot be created or synced. One that could not be synced is removed again, so
/// that a later call syncs it.
pub fn create_directories(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    create_directories(parent(path))?;
    match fs::create_dir(path) {
        // Another process was faster. It syncs the name.
        Err(_) if path.is_dir() => return Ok(()),
        created => created?,
    }
    let synced = sync_directory(parent(path));
    if synced.is_err() {
        let _removed = fs::remove_dir(path);
    }
    synced
}

/// The directory that holds a path. `Path::parent` of a bare name is the empty path, which means
/// `.`.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_is_written_atomically_over_what_an_interrupted_call_left() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("keys.json");
        let new = home.path().join("keys.json.new");
        fs::write(&new, "half").unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o644)).unwrap();
        for content in ["one", "two"] {
            write_atomically(&path, 0o600, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            assert!(!new.exists());
        }
    }

    #[test]
    fn missing_directories_are_created_and_a_file_in_the_way_is_an_error() {
        let home = tempfile::tempdir().unwrap();
        let deep = home.path().join("a/b/c");
        create_directories(&deep).unwrap();
        create_directories(&deep).unwrap();
        assert!(deep.is_dir());
        fs::write(deep.join("file"), "").unwrap();
        assert!(create_directories(&deep.join("file")).is_err());
        assert!(create_directories(&deep.join("file/below")).is_err());
    }
}

#[cfg(all(test, feature = "fault-injection"))]
mod fault_tests {
    use super::*;
    use crate::faults::{Faults, Plan};

    /// Fails each of the sync points of `act` once, and calls it again.
    fn fail_each(
        points: usize,
        act: impl Fn(&Path) -> io::Result<()>,
        is_absent: fn(&Path) -> bool,
    ) {
        for number in 1..=points {
            let home = tempfile::tempdir().unwrap();
            let faults = Faults::watch(home.path(), Plan::FailOnce(number)).unwrap();
            act(home.path()).unwrap_err();
            assert!(faults.struck() && is_absent(home.path()), "sync {number}");
            act(home.path()).unwrap();
            assert_eq!(faults.points().len(), number + points, "sync {number}: all are done again");
        }
    }

    #[test]
    fn after_a_failed_sync_a_new_file_and_a_new_directory_are_absent_and_made_again() {
        let write = |home: &Path| write_atomically(&home.join("file"), 0o600, b"content");
        fail_each(3, write, |home| fs::read_dir(home).unwrap().next().is_none());
        let create = |home: &Path| create_directories(&home.join("directory"));
        fail_each(1, create, |home| !home.join("directory").exists());
    }
}

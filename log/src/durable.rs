//! Every call that makes a file or a directory durable: `fsync`, and renames that publish a file.
//! No other module calls them, so tests can fail each one and cut the power at it (see `faults`).
//!
//! A new file survives a power cut after [`sync_file`] and [`sync_directory`] of its directory. A
//! rename survives it after [`sync_directory`].

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

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
/// When the operating system fails to sync. What was written before may be durable or not.
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
/// When the operating system refuses.
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
/// When the file exists or cannot be written.
pub fn write_new(path: &Path, mode: u32, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    let written = file.write_all(content).and_then(|()| sync_file(path, &file));
    if written.is_err() {
        // An incomplete file must not be taken for a complete one later.
        let _removed = fs::remove_file(path);
    }
    written
}

/// Replaces a file atomically: `new` is written and synced, then renamed over `path`, and the
/// directory is synced. After a crash the old or the new content is there, complete. `new` must be
/// free and in the same directory. `before_rename` runs when `new` is durable.
///
/// # Errors
/// When a step fails. The old or the new content is in place then.
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

/// The directory that holds a path. `Path::parent` of a bare name is the empty path, which means
/// `.`.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

//! The number of table files: merging small ones before the database is closed, and how many of
//! them the process may open.
//!
//! Opening the database to write and closing it each write a table file for each family. RocksDB
//! merges files in the background, but a process that ends after a few milliseconds stops it. Files
//! whose keys do not overlap, such as those of successive commits, it never merges.

use std::collections::HashSet;
use std::path::Path;

use rocksdb::{BottommostLevelCompaction, CompactOptions, DB, LiveFile};

use super::{Family, failed};
use crate::error::LogError;

/// A table file smaller than this is small, in bytes. RocksDB aims at 64 MiB.
const SMALL_BYTES: usize = 1 << 20;
/// So many small files side by side are merged.
const SIDE_BY_SIDE: usize = 8;
/// Number of files that stay open while writing, if the process may open many.
const OPEN_FILES: u64 = 512;
/// Files that the process needs for other purposes than the database.
const OTHER_FILES: u64 = 64;
/// The least number of open files with which RocksDB works.
const LEAST_OPEN_FILES: u64 = 32;

/// Merges small table files that lie side by side, if there are many. It reads and writes little
/// more than these files.
///
/// A failure is ignored: the files stay as they are, and the next closing tries again.
pub(super) fn merge_before_closing(db: &DB) {
    let Ok(files) = db.live_files() else { return };
    let mut options = CompactOptions::default();
    options.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
    for family in Family::ALL {
        let Some(handle) = db.cf_handle(family.name()) else { continue };
        let mut files: Vec<&LiveFile> =
            files.iter().filter(|file| file.column_family_name == family.name()).collect();
        files.sort_by(|a, b| a.start_key.cmp(&b.start_key));
        for run in files.chunk_by(|a, b| is_small(a) && is_small(b)) {
            let first = run.first().and_then(|file| file.start_key.as_deref());
            let last = run.iter().filter_map(|file| file.end_key.as_deref()).max();
            if run.len() >= SIDE_BY_SIDE {
                db.compact_range_cf_opt(handle, first, last, &options);
            }
        }
    }
}

/// The names of the table files that are part of the database.
pub(super) fn names(db: &DB) -> Result<HashSet<String>, LogError> {
    let files = db.live_files().map_err(failed("list its files"))?;
    Ok(files.into_iter().map(|file| file.name.trim_start_matches('/').to_owned()).collect())
}

fn is_small(file: &LiveFile) -> bool {
    file.size < SMALL_BYTES
}

/// How many files a writable database keeps open, as RocksDB's setting: half of what the process
/// may open, since connections need the rest.
pub(super) fn open_files() -> i32 {
    let files = limit().map_or(OPEN_FILES, |limit| (limit / 2).clamp(LEAST_OPEN_FILES, OPEN_FILES));
    i32::try_from(files).unwrap_or(i32::MAX)
}

/// Checks that the process may open every table file at once, as a read-only database does.
///
/// # Errors
/// [`LogError::OpenFiles`] when the limit is too low.
pub(super) fn require_open_files(dir: &Path, db_dir: &Path) -> Result<(), LogError> {
    let Some(limit) = limit() else { return Ok(()) };
    let unreadable =
        |source| LogError::File { doing: "read the directory", path: db_dir.to_owned(), source };
    let mut tables = 0;
    for entry in std::fs::read_dir(db_dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        tables += u64::from(path.extension().is_some_and(|extension| extension == "sst"));
    }
    let needed = tables.saturating_add(OTHER_FILES);
    if needed > limit {
        return Err(LogError::OpenFiles { dir: dir.to_owned(), needed, limit });
    }
    Ok(())
}

/// How many files the process may open; `None` if there is no limit.
fn limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

//! Removing old content from RocksDB's files: compaction into new table files, and waiting until
//! the old files are deleted.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rocksdb::{BottommostLevelCompaction, ColumnFamily, CompactOptions, DB, WaitForCompactOptions};

use super::{failed, table_files};
use crate::error::LogError;

/// How long to wait for RocksDB to delete old files.
const OLD_FILES_DEADLINE: Duration = Duration::from_secs(60);
/// The pause between two looks at the directory.
const OLD_FILES_INTERVAL: Duration = Duration::from_millis(10);

/// Writes all entries of a family into new table files.
pub(super) fn rewrite(db: &DB, family: &ColumnFamily) {
    let mut options = CompactOptions::default();
    options.set_exclusive_manual_compaction(true);
    options.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
    db.compact_range_cf_opt(family, None::<&[u8]>, None::<&[u8]>, &options);
}

/// Waits until RocksDB has deleted every file that is no longer part of the database. RocksDB
/// deletes in the background, and keeps files that have readers.
///
/// # Errors
/// [`LogError::StillRead`] when a file stays.
pub(super) fn wait_until_old_files_are_gone(db: &DB) -> Result<(), LogError> {
    db.wait_for_compact(&WaitForCompactOptions::default())
        .map_err(failed("write new table files"))?;
    let deadline = Instant::now() + OLD_FILES_DEADLINE;
    loop {
        let Some(old) = old_file(db)? else { return Ok(()) };
        if Instant::now() > deadline {
            return Err(LogError::StillRead { path: old });
        }
        std::thread::sleep(OLD_FILES_INTERVAL);
    }
}

/// A table file that is no longer part of the database, or a write-ahead log other than the newest.
fn old_file(db: &DB) -> Result<Option<PathBuf>, LogError> {
    let live = table_files::names(db)?;
    let dir = db.path();
    let unreadable =
        |source| LogError::File { doing: "read the directory", path: dir.to_owned(), source };
    let (mut logs, mut old) = (Vec::new(), None);
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name =
            path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("sst") if !live.contains(&name) => old = Some(path),
            Some("log") => logs.push(path),
            _ => {}
        }
    }
    logs.sort();
    logs.pop();
    Ok(old.or_else(|| logs.pop()))
}

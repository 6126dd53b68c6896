//! Counts of the reads that a request may cause. Tests hold requests to them.

use std::sync::atomic::{AtomicU64, Ordering};

/// How often a store was read since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadCounts {
    /// Snapshots taken; each catches the projections up.
    pub snapshots: u64,
    /// Series folded from their streams.
    pub series_folds: u64,
    /// Commits read back for a repeated request.
    pub commits_read: u64,
}

/// The counters behind [`ReadCounts`]; relaxed, since each is read by itself.
#[derive(Default)]
pub(super) struct Counters {
    snapshots: AtomicU64,
    series_folds: AtomicU64,
    commits_read: AtomicU64,
}

impl Counters {
    pub(super) fn snapshot(&self) {
        self.snapshots.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn series_fold(&self) {
        self.series_folds.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn commit_read(&self) {
        self.commits_read.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> ReadCounts {
        ReadCounts {
            snapshots: self.snapshots.load(Ordering::Relaxed),
            series_folds: self.series_folds.load(Ordering::Relaxed),
            commits_read: self.commits_read.load(Ordering::Relaxed),
        }
    }
}

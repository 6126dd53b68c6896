//! Counters of the reads of a store. Tests check how many reads a request causes.

use std::sync::atomic::{AtomicU64, Ordering};

/// The number of reads since a store was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadCounts {
    /// The number of snapshots. Each one catches the projections up.
    pub snapshots: u64,
    /// The number of series folded from their streams.
    pub series_folds: u64,
    /// The number of times that the control stream was folded from the log.
    pub control_folds: u64,
    /// The number of commits read for repeated requests.
    pub commits_read: u64,
}

/// The counters of [`ReadCounts`]. They use relaxed ordering, because each one is read by itself.
#[derive(Default)]
pub(super) struct Counters {
    snapshots: AtomicU64,
    series_folds: AtomicU64,
    control_folds: AtomicU64,
    commits_read: AtomicU64,
}

impl Counters {
    pub(super) fn snapshot(&self) {
        self.snapshots.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn series_fold(&self) {
        self.series_folds.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn control_fold(&self) {
        self.control_folds.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn commit_read(&self) {
        self.commits_read.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> ReadCounts {
        ReadCounts {
            snapshots: self.snapshots.load(Ordering::Relaxed),
            series_folds: self.series_folds.load(Ordering::Relaxed),
            control_folds: self.control_folds.load(Ordering::Relaxed),
            commits_read: self.commits_read.load(Ordering::Relaxed),
        }
    }
}

//! Measurements of the append path, for an observer that turns them into metrics. The log itself
//! has no metrics.

use std::time::Duration;

/// Observes the writer. Runs on the writer's thread, between a sync and the results, so it must be
/// quick and must not block.
pub trait Observer: Send + Sync {
    /// Called when a group is durable, before its callers get their results.
    fn group_written(&self, group: &GroupWritten<'_>);
}

/// Commits that were written with one sync.
#[derive(Clone, Copy, Debug)]
pub struct GroupWritten<'a> {
    /// The number of events.
    pub events: u64,
    /// The duration of the write and its sync.
    pub write_duration: Duration,
    /// For each commit, the time since it was submitted.
    pub waits: &'a [Duration],
}

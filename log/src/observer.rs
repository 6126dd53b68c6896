//! What the log tells whoever watches it at work. Owns the figures of the append path; what is made of them (histograms, alerts) is the
//! observer's. The log itself knows no metrics.

use std::time::Duration;

/// Watches the writer. Called on its thread, between a sync and the answers: it must be quick and must not block.
pub trait Observer: Send + Sync {
    /// A group is durable, and its callers are about to be answered.
    fn group_written(&self, group: &GroupWritten<'_>);
}

/// Commits that were written with one sync.
#[derive(Clone, Copy, Debug)]
pub struct GroupWritten<'a> {
    /// How many events they have.
    pub events: u64,
    /// How long the write and its sync took.
    pub write_duration: Duration,
    /// For each commit, how long its caller has waited since submitting it.
    pub waits: &'a [Duration],
}

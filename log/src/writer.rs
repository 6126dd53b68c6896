//! The write path: one thread that orders all commits. It takes the commits that are submitted at
//! about the same time as one group (group commit), accepts or rejects each, writes them in
//! sub-batches while the rest of the group arrives, syncs once for the group, and sends the
//! results. `sub_batch` builds a sub-batch in memory.
//!
//! **Invariant: only durable commits are read.** Sub-batches are in the database before the sync.
//! The head moves after the sync, and every read stops at the head.
//!
//! Costs of an append, in addition to its share of the sync: one lookup in `ids` for every event
//! that has its own id (a Bloom filter answers most), one in `keys` if the commit has a key, and
//! one seek in `streams` for each stream that is not among the latest 65,536.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rollbook_domain::Timestamp;
use rollbook_domain::event::Position;

use crate::commit::CommitReceipt;
use crate::engine::{Batch as _, Engine as _, Family};
use crate::error::{AppendError, LogError};
use crate::keyring::KeyringCounts;
use crate::layout;
use crate::observer::{GroupWritten, Observer};
use crate::options::{Clock, Durability};
use crate::pending::Answer;
use crate::queue::{GroupBuilder, Queue, Request, SUB_BATCH_COMMITS};
use crate::store::{LastCommit, Store};
use crate::sub_batch::{SubBatch, SubBatchBuilder};
use crate::versions::Versions;

/// The longest time that a group waits for the expected callers. It also never waits longer than
/// writing the previous group took.
const WAIT_BUDGET_LIMIT: Duration = Duration::from_millis(5);

/// The result of each commit, and the time at which it was submitted.
type Outcomes = Vec<(Answer, Result<CommitReceipt, AppendError>, Instant)>;

/// Statistics of a group, an estimate for the next one.
struct GroupStats {
    /// The number of callers: those of the group, and those that waited when it was finished.
    callers: usize,
    /// The time that writing the group took, limited. The next group waits no longer for callers.
    wait_budget: Duration,
}

/// The writer's thread.
pub(crate) struct Writer {
    pub(crate) store: Arc<Store>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) clock: Clock,
    pub(crate) durability: Durability,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) last: LastCommit,
    pub(crate) versions: Versions,
}

impl Writer {
    /// Writes groups until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        let _gone = AbandonOnDrop(self.queue.clone());
        let queue = self.queue.clone();
        let mut stats = GroupStats { callers: 1, wait_budget: Duration::ZERO };
        while let Some(group) = queue.first() {
            stats = self.write_group(group, &stats);
        }
        self.store.close();
    }

    /// The steps of a write, in order. `Draft::admit` has already checked the content and the size
    /// of each commit. Takes the statistics of the previous group and returns those of this one.
    fn write_group(&mut self, mut group: GroupBuilder<'_>, previous: &GroupStats) -> GroupStats {
        let now = (self.clock)();
        // Times of record never decrease, whatever the clock does.
        let recorded_at = self.last.recorded_at.map_or(now, |last: Timestamp| last.max(now));
        let before = self.last.position;
        let mut outcomes = Vec::with_capacity(previous.callers);
        let written = self.write_sub_batches(&mut group, previous, recorded_at, &mut outcomes);
        let wait_budget =
            written.as_ref().map_or(Duration::ZERO, |writing| (*writing).min(WAIT_BUDGET_LIMIT));
        match written {
            // Publish first: a caller that gets its result finds the head at its commit or beyond.
            Ok(writing) if self.last.position > before => {
                self.store.publish(self.last.position);
                self.observe(&outcomes, writing);
            }
            Ok(_nothing) => {}
            Err(failure) => {
                self.versions.clear();
                // The group may be on disk or not. Only opening the store again shows it, so
                // nothing may be written after it.
                let failure =
                    if self.last.position > before { self.store.poison(failure) } else { failure };
                let failure = AppendError::from(failure);
                outcomes.iter_mut().for_each(|(_, outcome, _)| reject_unwritten(outcome, &failure));
            }
        }
        let callers = outcomes.len() + self.queue.len();
        for (answer, outcome, _) in outcomes {
            answer.send(outcome);
        }
        GroupStats { callers, wait_budget }
    }

    /// Decides and writes until the group is complete, then syncs once. Returns the time that
    /// writing and syncing took.
    fn write_sub_batches(
        &mut self,
        group: &mut GroupBuilder<'_>,
        previous: &GroupStats,
        recorded_at: Timestamp,
        outcomes: &mut Outcomes,
    ) -> Result<Duration, LogError> {
        let (before, mut writing) = (self.last.position, Duration::ZERO);
        loop {
            let (sub_batch, complete) = self.decide(group, previous, recorded_at, outcomes);
            let began = Instant::now();
            self.write_sub_batch(sub_batch, recorded_at, before)?;
            if complete && self.last.position > before {
                self.sync()?;
            }
            writing += began.elapsed();
            if complete {
                return Ok(writing);
            }
        }
    }

    /// Decides on the next commits of a group, one by one: sound log, key, expected versions, ids;
    /// then assigns positions and encodes. A rejected commit has no effect. Returns when a
    /// sub-batch is full and the queue is empty, or when the group is complete (`true`).
    fn decide(
        &mut self,
        group: &mut GroupBuilder<'_>,
        previous: &GroupStats,
        recorded_at: Timestamp,
        outcomes: &mut Outcomes,
    ) -> (SubBatch, bool) {
        let engine = self.store.engine();
        self.versions.make_room();
        let mut builder = SubBatchBuilder::new(
            engine.as_deref(),
            self.store.keyring(),
            &mut self.versions,
            self.last.position,
            recorded_at,
        );
        let mut complete = false;
        while !complete && (builder.commits() < SUB_BATCH_COMMITS || group.has_more()) {
            // Deciding has priority while commits wait. A sub-batch is written when the queue is
            // empty.
            let waiting = group.next(previous.callers, previous.wait_budget);
            complete = waiting.is_empty() || group.is_complete(previous.callers);
            for Request { draft, answer, submitted } in waiting {
                let outcome = match self.store.require_sound() {
                    Ok(()) => builder.add(draft),
                    Err(poisoned) => Err(poisoned.into()),
                };
                outcomes.push((answer, outcome, submitted));
            }
        }
        (builder.finish(), complete)
    }

    /// Writes a sub-batch. `before` is the last position before its group. The sub-batch is not
    /// durable on return.
    fn write_sub_batch(
        &mut self,
        sub_batch: SubBatch,
        recorded_at: Timestamp,
        before: Position,
    ) -> Result<(), LogError> {
        if sub_batch.is_empty() {
            return Ok(());
        }
        if self.last.position == before {
            self.store.require_present()?;
        }
        // The first accepted commit makes the store writable. Before it no byte on disk changes, so
        // if this fails nothing was written.
        let engine = self.store.engine_to_write()?;
        let mut batch = sub_batch.batch(&*engine)?;
        // Barrier 1 of 2: the new keys of these commits are durable, with one sync, and the keys
        // that they destroy are removed. A crash after this leaves unused keys, or an erasure
        // without its event, which the caller repeats.
        self.keep_keys(&sub_batch)?;
        let keyring = self.store.keyring();
        let counts = keyring.unrecorded_counts();
        if let Some(KeyringCounts { owners, erased }) = counts {
            let value = layout::keyring_value(owners, erased);
            batch.put(Family::Meta, layout::META_KEYRING, &value)?;
        }
        // If this fails, the batch may be on disk or not.
        batch.write(false).map_err(|failure| self.store.poison(failure))?;
        counts.into_iter().for_each(|counts| keyring.recorded(counts));
        self.last = LastCommit { position: sub_batch.last(), recorded_at: Some(recorded_at) };
        Ok(())
    }

    /// Barrier 2 of 2: all commits of the group, their index entries and the new head are in the
    /// write-ahead log. With `Synced` that log is synced now. Only sending the results follows.
    fn sync(&self) -> Result<(), LogError> {
        if self.durability == Durability::Synced {
            self.store.engine_to_write()?.sync()?;
        }
        // Syncing files of a deleted directory succeeds, but they cannot be opened again.
        self.store.require_present()
    }

    fn keep_keys(&self, sub_batch: &SubBatch) -> Result<(), LogError> {
        let keyring = self.store.keyring();
        keyring.persist().map_err(|failure| self.store.poison(failure.into()))?;
        for (id, ids) in sub_batch.erases() {
            keyring.erase(*id, ids).map_err(|failure| self.store.poison(failure.into()))?;
        }
        Ok(())
    }

    /// Reports a written group to the observer.
    fn observe(&self, outcomes: &Outcomes, write_duration: Duration) {
        let Some(observer) = &self.observer else { return };
        let now = Instant::now();
        let accepted = outcomes
            .iter()
            .filter_map(|(_, outcome, submitted)| Some((outcome.as_ref().ok()?, submitted)));
        let (mut events, mut waits) = (0, Vec::with_capacity(outcomes.len()));
        for (committed, submitted) in accepted.filter(|(committed, _)| !committed.repeated) {
            events += committed.last - committed.first + 1;
            waits.push(now.saturating_duration_since(*submitted));
        }
        observer.group_written(&GroupWritten { events, write_duration, waits: &waits });
    }
}

/// Replaces an accepted commit's result by the failure. Rejections stay. A repeat of an earlier
/// group's commit fails too, because it looks like a repeat within the group; its caller retries
/// with its key.
fn reject_unwritten(outcome: &mut Result<CommitReceipt, AppendError>, failure: &AppendError) {
    if outcome.is_ok() {
        *outcome = Err(failure.clone());
    }
}

/// Fails all waiting callers when the writer ends, also after a panic, so that none waits forever.
struct AbandonOnDrop(Arc<Queue>);

impl Drop for AbandonOnDrop {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

//! The write path. Owns the one thread that puts commits in order: it takes all that come in together, decides on each, writes them in
//! parts while the rest is on its way, syncs once for all, and answers them all. What makes up a part in memory is `part`'s.
//!
//! **Invariant: nobody reads what is not on disk.** Parts are in the database before the sync; the head moves behind it, and every read
//! stops at the head.
//!
//! Cost of an append beside its share of the sync: one look into `ids` for every event that brings its own id (a Bloom filter
//! answers most), one into `keys` if it has a key, and one seek in `streams` for each stream that is not among the latest 65,536.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rollbook_domain::Timestamp;
use rollbook_domain::event::Position;

use crate::commit::Committed;
use crate::error::{AppendError, LogError};
use crate::observer::{GroupWritten, Observer};
use crate::options::{Clock, Durability};
use crate::part::{Part, Staged};
use crate::pending::Answer;
use crate::queue::{Intake, PART_COMMITS, Queue, Request};
use crate::store::{LastCommit, Store};
use crate::versions::Versions;

/// The longest that a group waits for those who are expected; beside that never longer than the group before took.
const PATIENCE_LIMIT: Duration = Duration::from_millis(5);

/// Commits with what was decided on each, and when each was submitted.
type Outcomes = Vec<(Answer, Result<Committed, AppendError>, Instant)>;

/// What one group tells about the next.
struct Usual {
    /// How many callers there are: those it answered, and those who waited when it did.
    callers: usize,
    /// How long writing it took, within limits: what waiting for those callers may cost.
    patience: Duration,
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
        let mut usual = Usual { callers: 1, patience: Duration::ZERO };
        while let Some(intake) = queue.first() {
            usual = self.write_group(intake, &usual);
        }
        self.store.close();
    }

    /// The way of a write, from top to bottom. The commits were admitted (content, size) by `Draft::admit`.
    /// Takes what the group before found usual, and returns what this one did.
    fn write_group(&mut self, mut intake: Intake<'_>, usual: &Usual) -> Usual {
        let now = (self.clock)();
        // Never backwards, whatever the clock does.
        let recorded_at = self.last.recorded_at.map_or(now, |last: Timestamp| last.max(now));
        let before = self.last.position;
        let mut outcomes = Vec::with_capacity(usual.callers);
        let written = self.write_parts(&mut intake, usual, recorded_at, &mut outcomes);
        let patience =
            written.as_ref().map_or(Duration::ZERO, |writing| (*writing).min(PATIENCE_LIMIT));
        match written {
            // Publish first: who is answered finds the head at its commit or beyond.
            Ok(writing) if self.last.position > before => {
                self.store.publish(self.last.position);
                self.observe(&outcomes, writing);
            }
            Ok(_nothing) => {}
            Err(failure) => {
                self.versions.forget();
                // What is written of a group that cannot be synced may be on disk or not; nobody can tell before the store is opened
                // again. So nothing may follow it.
                let failure =
                    if self.last.position > before { self.store.poison(failure) } else { failure };
                let failure = AppendError::from(failure);
                outcomes.iter_mut().for_each(|(_, outcome, _)| refuse_unwritten(outcome, &failure));
            }
        }
        let callers = outcomes.len() + self.queue.len();
        for (answer, outcome, _) in outcomes {
            answer.send(outcome);
        }
        Usual { callers, patience }
    }

    /// Decides and writes until the group is complete, then syncs once for all of it. Returns how long writing and syncing took.
    fn write_parts(
        &mut self,
        intake: &mut Intake<'_>,
        usual: &Usual,
        recorded_at: Timestamp,
        outcomes: &mut Outcomes,
    ) -> Result<Duration, LogError> {
        let (before, mut writing) = (self.last.position, Duration::ZERO);
        loop {
            let (staged, complete) = self.decide(intake, usual, recorded_at, outcomes);
            let began = Instant::now();
            self.write_part(staged, recorded_at, before)?;
            if complete && self.last.position > before {
                self.sync()?;
            }
            writing += began.elapsed();
            if complete {
                return Ok(writing);
            }
        }
    }

    /// Decides on the next commits of a group, each on its own: sound log, key, expected versions, ids; then its number and its bytes. A
    /// refusal leaves no trace. Stops when there is enough for a part and nobody waits, or when nothing more is to come; tells which.
    fn decide(
        &mut self,
        intake: &mut Intake<'_>,
        usual: &Usual,
        recorded_at: Timestamp,
        outcomes: &mut Outcomes,
    ) -> (Staged, bool) {
        let engine = self.store.engine();
        self.versions.make_room();
        let mut part = Part::new(
            engine.as_deref(),
            self.store.keyring(),
            &mut self.versions,
            self.last.position,
            recorded_at,
        );
        let mut complete = false;
        while !complete && (part.commits() < PART_COMMITS || intake.has_more()) {
            // Deciding goes before writing as long as somebody waits: a part is what fills the time until more come.
            let waiting = intake.next(usual.callers, usual.patience);
            complete = waiting.is_empty() || intake.is_complete(usual.callers);
            for Request { draft, answer, submitted } in waiting {
                let outcome = match self.store.require_sound() {
                    Ok(()) => part.add(draft),
                    Err(poisoned) => Err(poisoned.into()),
                };
                outcomes.push((answer, outcome, submitted));
            }
        }
        (part.finish(), complete)
    }

    /// Writes a part of a group before which the last position was `before`; it may be on disk when this returns, or not.
    fn write_part(
        &mut self,
        staged: Staged,
        recorded_at: Timestamp,
        before: Position,
    ) -> Result<(), LogError> {
        if staged.is_empty() {
            return Ok(());
        }
        if self.last.position == before {
            self.store.require_present()?;
        }
        // The first accepted commit makes the store writable; before it, not a byte on disk changes. If that fails nothing was written.
        let engine = self.store.engine_to_write()?;
        let batch = staged.batch(&engine)?;
        // Barrier 1 of 2: keys that these commits are the first to be sealed under are on disk, all with one sync; keys that they
        // destroy are gone from there. A kill behind this leaves keys that nothing is sealed under, or an erasure whose event is
        // missing and which is asked for again.
        self.keep_keys(&staged)?;
        // What fails here may be on disk or not.
        batch.write(false).map_err(|failure| self.store.poison(failure))?;
        self.last = LastCommit { position: staged.last(), recorded_at: Some(recorded_at) };
        Ok(())
    }

    /// Barrier 2 of 2: all commits of the group with their index entries and the new head are in RocksDB's log and in its memory; now,
    /// with `Synced`, that log is put on disk. Last of all, so that nothing but the answers is left to do behind it.
    fn sync(&self) -> Result<(), LogError> {
        if self.durability == Durability::Synced {
            self.store.engine_to_write()?.sync()?;
        }
        // A directory that was deleted meanwhile takes a sync like any other, and nobody will ever read it again.
        self.store.require_present()
    }

    fn keep_keys(&self, staged: &Staged) -> Result<(), LogError> {
        let keyring = self.store.keyring();
        keyring.persist().map_err(|failure| self.store.poison(failure.into()))?;
        for (id, ids) in staged.erases() {
            keyring.erase(*id, ids).map_err(|failure| self.store.poison(failure.into()))?;
        }
        Ok(())
    }

    /// Tells the observer of a group that was written.
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

/// What was accepted, or repeats what was accepted in the same group, is not written. Refusals stand, and so do repeats of earlier groups:
/// telling those apart is not worth it, a caller that hears of the failure asks again under its key.
fn refuse_unwritten(outcome: &mut Result<Committed, AppendError>, failure: &AppendError) {
    if outcome.is_ok() {
        *outcome = Err(failure.clone());
    }
}

/// Tells everybody that the writer is gone, also when it panicked: nobody waits for ever.
struct AbandonOnDrop(Arc<Queue>);

impl Drop for AbandonOnDrop {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

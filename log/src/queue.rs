//! The queue of submitted commits, with a memory budget, and the limits of a group.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::draft::Draft;
use crate::error::AppendError;
use crate::pending::Answer;

/// The maximum number of commits in a group.
const GROUP_COMMITS: usize = 1024;
/// The size in bytes above which no further commit joins a group.
const GROUP_BYTES: usize = 16 << 20;

/// The number of commits in a sub-batch. That many are worth waking the writer and a batch of their
/// own: their callers encode the next commits while these are written to memory.
pub(crate) const SUB_BATCH_COMMITS: usize = 8;

/// How long the writer polls for commits before it sleeps. Waking it up takes about as long, and a
/// caller that just got its result returns sooner.
const SPIN: Duration = Duration::from_micros(40);

/// The number of pause instructions between two polls. They yield the core, or the hypervisor, to
/// the very threads whose commits the writer waits for.
const PAUSES: u32 = 32;

/// A commit and the sender of its result.
pub(crate) struct Request {
    pub(crate) draft: Draft,
    pub(crate) answer: Answer,
    pub(crate) submitted: Instant,
}

/// The queue between callers and the writer.
pub(crate) struct Queue {
    waiting: Mutex<WaitingCommit>,
    changed: Condvar,
    /// The number of `requests`, readable without the lock.
    length: AtomicUsize,
    budget_bytes: Option<usize>,
}

#[derive(Default)]
struct WaitingCommit {
    requests: VecDeque<Request>,
    bytes: usize,
    /// The number of commits that the writer waits for, if it is more than one.
    wanted: usize,
    closed: bool,
}

impl Queue {
    /// An empty queue. It rejects commits beyond the budget.
    pub(crate) fn new(budget_bytes: Option<usize>) -> Self {
        Self {
            waiting: Mutex::default(),
            changed: Condvar::new(),
            length: AtomicUsize::new(0),
            budget_bytes,
        }
    }

    /// Adds a commit, or rejects it if the budget is used up or the queue is closed. A commit that
    /// is larger than the budget is accepted if no other one waits.
    pub(crate) fn push(&self, request: Request) {
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            drop(waiting);
            return request.answer.send(Err(AppendError::Closed));
        }
        let size_bytes = request.draft.size_bytes();
        if let Some(limit_bytes) = self
            .budget_bytes
            .filter(|&limit| waiting.bytes > 0 && waiting.bytes + size_bytes > limit)
        {
            let queued_bytes = waiting.bytes;
            drop(waiting);
            return request.answer.send(Err(AppendError::Overloaded { queued_bytes, limit_bytes }));
        }
        waiting.bytes += size_bytes;
        waiting.requests.push_back(request);
        self.length.store(waiting.requests.len(), Ordering::Relaxed);
        // The writer only sleeps while the queue is empty or has fewer commits than it waits for.
        let wakes = waiting.requests.len() == waiting.wanted.max(1);
        drop(waiting);
        if wakes {
            self.changed.notify_one();
        }
    }

    /// The number of waiting commits.
    pub(crate) fn len(&self) -> usize {
        self.waiting.lock().requests.len()
    }

    /// Closes the queue: the writer writes what is in it and ends.
    pub(crate) fn close(&self) {
        self.waiting.lock().closed = true;
        self.changed.notify_one();
    }

    /// Closes the queue after the writer has ended. Fails all waiting and later commits.
    pub(crate) fn abandon(&self) {
        let mut waiting = self.waiting.lock();
        waiting.closed = true;
        waiting.requests.clear();
    }

    /// Polls for commits without sleeping, and yields to other threads.
    fn spin(&self) {
        let until = Instant::now() + SPIN;
        while self.length.load(Ordering::Relaxed) == 0 && Instant::now() < until {
            (0..PAUSES).for_each(|_| std::hint::spin_loop());
            thread::yield_now();
        }
    }

    /// Waits for the first commits of a group. `None` when the queue is closed and empty.
    pub(crate) fn first(&self) -> Option<GroupBuilder<'_>> {
        self.spin();
        let mut waiting = self.waiting.lock();
        while waiting.requests.is_empty() {
            if waiting.closed {
                return None;
            }
            self.changed.wait(&mut waiting);
        }
        Some(GroupBuilder { queue: self, commits: 0, bytes: 0, deadline: None })
    }
}

/// Takes the commits of one group from the queue, within the limits of a group.
pub(crate) struct GroupBuilder<'a> {
    queue: &'a Queue,
    commits: usize,
    bytes: usize,
    /// The time until which it waits for expected callers.
    deadline: Option<Instant>,
}

impl GroupBuilder<'_> {
    /// Whether all expected commits have arrived and the queue is empty.
    pub(crate) fn is_complete(&self, expected: usize) -> bool {
        self.commits >= expected && !self.has_more()
    }

    /// Whether the queue has commits.
    pub(crate) fn has_more(&self) -> bool {
        self.queue.length.load(Ordering::Relaxed) > 0
    }

    /// The next commits of the group: all that wait now. None if the group is complete or full.
    ///
    /// While the group has fewer than `expected` commits and the queue is empty, this waits for
    /// more, for `wait_budget` in total: callers that just got a result are about to return, and
    /// one sync for all of them is cheaper than two for half of them each. It returns as soon as a
    /// sub-batch has arrived, so that the writer decides on it while the rest arrives.
    pub(crate) fn next(&mut self, expected: usize, wait_budget: Duration) -> Vec<Request> {
        if self.commits < expected && self.deadline.is_none_or(|deadline| Instant::now() < deadline)
        {
            self.queue.spin();
        }
        let mut waiting = self.queue.waiting.lock();
        if waiting.requests.is_empty() && self.commits < expected {
            let deadline = *self.deadline.get_or_insert_with(|| Instant::now() + wait_budget);
            waiting.wanted = SUB_BATCH_COMMITS.min(expected - self.commits);
            while waiting.requests.len() < waiting.wanted
                && !waiting.closed
                && !self.queue.changed.wait_until(&mut waiting, deadline).timed_out()
            {}
            waiting.wanted = 0;
        }
        let mut next = Vec::with_capacity(waiting.requests.len());
        while let Some(request) = waiting.requests.front() {
            let size_bytes = request.draft.size_bytes();
            if self.commits == GROUP_COMMITS
                || (self.bytes > 0 && self.bytes + size_bytes > GROUP_BYTES)
            {
                break;
            }
            self.commits += 1;
            self.bytes += size_bytes;
            waiting.bytes -= size_bytes;
            next.extend(waiting.requests.pop_front());
        }
        self.queue.length.store(waiting.requests.len(), Ordering::Relaxed);
        next
    }
}

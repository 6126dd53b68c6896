//! What waits for the writer. Owns the bounds of a group and the budget of what may wait.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::draft::Draft;
use crate::error::AppendError;
use crate::pending::Answer;

/// The most commits that are written together.
const GROUP_COMMITS: usize = 1024;
/// The size above which no further commit joins a group, in bytes.
const GROUP_BYTES: usize = 16 << 20;

/// A commit and where its answer goes.
pub(crate) struct Request {
    pub(crate) draft: Draft,
    pub(crate) answer: Answer,
}

/// The queue between callers and the writer.
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    budget_bytes: Option<usize>,
}

#[derive(Default)]
struct Waiting {
    requests: VecDeque<Request>,
    bytes: usize,
    /// How many the writer waits for, while it waits for more than one.
    wanted: usize,
    closed: bool,
}

impl Queue {
    /// An empty queue; refuses what goes over the budget.
    pub(crate) fn new(budget_bytes: Option<usize>) -> Self {
        Self { waiting: Mutex::default(), changed: Condvar::new(), budget_bytes }
    }

    /// Adds a commit, or answers that too much is waiting or nobody is left to write it. A commit that alone is over the budget is
    /// taken when nothing else waits.
    pub(crate) fn push(&self, request: Request) {
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            drop(waiting);
            return request.answer.send(Err(AppendError::Closed));
        }
        let size_bytes = request.draft.size_bytes();
        if let Some(limit_bytes) = self.budget_bytes.filter(|&limit| waiting.bytes > 0 && waiting.bytes + size_bytes > limit) {
            let queued_bytes = waiting.bytes;
            drop(waiting);
            return request.answer.send(Err(AppendError::Overloaded { queued_bytes, limit_bytes }));
        }
        waiting.bytes += size_bytes;
        waiting.requests.push_back(request);
        // The writer sleeps only while nothing waits, or fewer than it wants.
        let wakes = waiting.requests.len() == 1 || waiting.requests.len() >= waiting.wanted;
        drop(waiting);
        if wakes {
            self.changed.notify_one();
        }
    }

    /// How many wait now.
    pub(crate) fn len(&self) -> usize {
        self.waiting.lock().requests.len()
    }

    /// No more will come: the writer drains the queue and ends.
    pub(crate) fn close(&self) {
        self.waiting.lock().closed = true;
        self.changed.notify_one();
    }

    /// The writer is gone, however it ended: who waits is told, and so is who comes.
    pub(crate) fn abandon(&self) {
        let mut waiting = self.waiting.lock();
        waiting.closed = true;
        waiting.requests.clear();
    }

    /// Waits for commits and takes as many as one group may have; `None` when the queue is closed and empty.
    ///
    /// When fewer wait than are `expected`, it waits for them, `patience` at most: callers who were just answered are about to come
    /// back, and one sync for all of them is cheaper than two for half of them each.
    pub(crate) fn take_group(&self, expected: usize, patience: Duration) -> Option<Vec<Request>> {
        let mut waiting = self.waiting.lock();
        while waiting.requests.is_empty() {
            if waiting.closed {
                return None;
            }
            self.changed.wait(&mut waiting);
        }
        if waiting.requests.len() < expected {
            let deadline = Instant::now() + patience;
            waiting.wanted = expected;
            while waiting.requests.len() < expected && !waiting.closed && !self.changed.wait_until(&mut waiting, deadline).timed_out() {}
            waiting.wanted = 0;
        }
        let mut group = Vec::new();
        let mut bytes = 0;
        while let Some(next) = waiting.requests.front() {
            let size_bytes = next.draft.size_bytes();
            if group.len() == GROUP_COMMITS || (bytes > 0 && bytes + size_bytes > GROUP_BYTES) {
                break;
            }
            bytes += size_bytes;
            waiting.bytes -= size_bytes;
            group.extend(waiting.requests.pop_front());
        }
        Some(group)
    }
}

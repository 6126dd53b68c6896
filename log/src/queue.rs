//! What waits for the writer. Owns the bounds of a group and the budget of what may wait.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::draft::Draft;
use crate::error::AppendError;
use crate::pending::Answer;

/// The most commits that are written together.
const GROUP_COMMITS: usize = 1024;
/// The size above which no further commit joins a group, in bytes.
const GROUP_BYTES: usize = 16 << 20;

/// How many commits make a part of a group: they are worth waking the writer for while it waits for the rest, and worth a batch of their
/// own, so that the next ones are encoded by their callers while these are put into memory.
pub(crate) const PART_COMMITS: usize = 8;

/// How long the writer looks for commits before it sleeps. Being woken takes about as long, and a caller that was just answered comes
/// back sooner than that.
const LINGER: Duration = Duration::from_micros(40);

/// How many pauses of the processor lie between two looks: what shares a core with the writer, or its host, gets on meanwhile, and that
/// is who it looks for.
const PAUSES: u32 = 32;

/// A commit and where its answer goes.
pub(crate) struct Request {
    pub(crate) draft: Draft,
    pub(crate) answer: Answer,
    pub(crate) submitted: Instant,
}

/// The queue between callers and the writer.
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    /// As many as there are `requests`, to be seen without the lock.
    length: AtomicUsize,
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
        Self {
            waiting: Mutex::default(),
            changed: Condvar::new(),
            length: AtomicUsize::new(0),
            budget_bytes,
        }
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
        // The writer sleeps only while nothing waits, or fewer than it wants.
        let wakes = waiting.requests.len() == waiting.wanted.max(1);
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

    /// Looks for commits without sleeping, giving way to every thread that has something to do.
    fn linger(&self) {
        let until = Instant::now() + LINGER;
        while self.length.load(Ordering::Relaxed) == 0 && Instant::now() < until {
            (0..PAUSES).for_each(|_| std::hint::spin_loop());
            thread::yield_now();
        }
    }

    /// Waits for the first commits of a group; `None` when the queue is closed and empty.
    pub(crate) fn first(&self) -> Option<Intake<'_>> {
        self.linger();
        let mut waiting = self.waiting.lock();
        while waiting.requests.is_empty() {
            if waiting.closed {
                return None;
            }
            self.changed.wait(&mut waiting);
        }
        Some(Intake { queue: self, commits: 0, bytes: 0, deadline: None })
    }
}

/// A group while it comes in. Owns its bounds.
pub(crate) struct Intake<'a> {
    queue: &'a Queue,
    commits: usize,
    bytes: usize,
    /// Until when it waits for those who are expected.
    deadline: Option<Instant>,
}

impl Intake<'_> {
    /// Whether all who were expected are there and nobody else waits.
    pub(crate) fn is_complete(&self, expected: usize) -> bool {
        self.commits >= expected && !self.has_more()
    }

    /// Whether somebody waits now.
    pub(crate) fn has_more(&self) -> bool {
        self.queue.length.load(Ordering::Relaxed) > 0
    }

    /// The next commits of the group, those that wait now; none when it is complete or full.
    ///
    /// While it has fewer than are `expected` and none waits, it waits for more, `patience` at most in all: callers who were just
    /// answered are about to come back, and one sync for all of them is cheaper than two for half of them each. What comes meanwhile
    /// is handed out in parts, so that it can be decided on while the rest is on its way.
    pub(crate) fn next(&mut self, expected: usize, patience: Duration) -> Vec<Request> {
        if self.commits < expected && self.deadline.is_none_or(|deadline| Instant::now() < deadline)
        {
            self.queue.linger();
        }
        let mut waiting = self.queue.waiting.lock();
        if waiting.requests.is_empty() && self.commits < expected {
            let deadline = *self.deadline.get_or_insert_with(|| Instant::now() + patience);
            waiting.wanted = PART_COMMITS.min(expected - self.commits);
            while waiting.requests.len() < waiting.wanted
                && !waiting.closed
                && !self.queue.changed.wait_until(&mut waiting, deadline).timed_out()
            {}
            waiting.wanted = 0;
        }
        let mut part = Vec::with_capacity(waiting.requests.len());
        while let Some(next) = waiting.requests.front() {
            let size_bytes = next.draft.size_bytes();
            if self.commits == GROUP_COMMITS
                || (self.bytes > 0 && self.bytes + size_bytes > GROUP_BYTES)
            {
                break;
            }
            self.commits += 1;
            self.bytes += size_bytes;
            waiting.bytes -= size_bytes;
            part.extend(waiting.requests.pop_front());
        }
        self.queue.length.store(waiting.requests.len(), Ordering::Relaxed);
        part
    }
}

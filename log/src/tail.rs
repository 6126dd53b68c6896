//! Following the log: first the commits that exist, then new ones as they are appended. No commit
//! is skipped or repeated.

use std::time::{Duration, Instant};

use rollbook_domain::event::{EventRecord, Position};

use crate::commits::Commits;
use crate::error::LogError;
use crate::handle::Handle;

/// Follows the log from a position. Returns every commit once and in order, first the existing
/// ones, then new ones. Keeps the log open.
pub struct Tail {
    handle: Handle,
    position: Position,
    commits: Commits,
}

impl Tail {
    pub(crate) fn new(handle: Handle, after: Position) -> Self {
        let commits = Commits::new(handle.clone(), after);
        Self { handle, position: after, commits }
    }

    /// The position of the last event that was returned.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The next commit, if there is one.
    ///
    /// # Errors
    /// If the log is damaged there, or cannot be read.
    pub fn try_next(&mut self) -> Result<Option<Vec<EventRecord>>, LogError> {
        if let Some(commit) = self.step()? {
            return Ok(Some(commit));
        }
        if self.handle.head() <= self.position {
            return Ok(None);
        }
        self.commits = Commits::new(self.handle.clone(), self.position);
        self.step()
    }

    fn step(&mut self) -> Result<Option<Vec<EventRecord>>, LogError> {
        let Some(commit) = self.commits.next().transpose()? else { return Ok(None) };
        if let Some(last) = commit.last() {
            self.position = last.position;
        }
        Ok(Some(commit))
    }

    /// The next commit. Blocks until there is one; `None` after the timeout.
    ///
    /// # Errors
    /// If the log is damaged there, or cannot be read.
    pub fn next(&mut self, timeout: Duration) -> Result<Option<Vec<EventRecord>>, LogError> {
        let deadline = Instant::now().checked_add(timeout);
        loop {
            // Listen before reading, so that a commit published in between is not missed.
            let moved = self.handle.listen();
            if let Some(commit) = self.try_next()? {
                return Ok(Some(commit));
            }
            use event_listener::Listener as _;
            let heard = match deadline {
                Some(deadline) => moved.wait_deadline(deadline).is_some(),
                None => {
                    moved.wait();
                    true
                }
            };
            if !heard {
                return self.try_next();
            }
        }
    }

    /// The next commit, as soon as there is one. Dropping the future loses no commit.
    ///
    /// # Errors
    /// If the log is damaged there, or cannot be read.
    pub async fn next_async(&mut self) -> Result<Vec<EventRecord>, LogError> {
        loop {
            let moved = self.handle.listen();
            if let Some(commit) = self.try_next()? {
                return Ok(commit);
            }
            moved.await;
        }
    }
}

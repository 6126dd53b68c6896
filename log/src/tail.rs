//! Following the log. Owns the passage from catching up to waiting, without skipping or repeating a commit.

use std::time::{Duration, Instant};

use rollbook_domain::event::{EventRecord, Position};

use crate::commits::Commits;
use crate::error::LogError;
use crate::log::Log;

/// Follows the log from a position: every commit once, in order, first those that are there, then those to come. Keeps the log open.
pub struct Tail {
    log: Log,
    position: Position,
    commits: Commits,
}

impl Tail {
    pub(crate) fn new(log: Log, after: Position) -> Self {
        let commits = log.commits_after(after);
        Self { log, position: after, commits }
    }

    /// The position of the last event handed out.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The next commit, if it is there.
    ///
    /// # Errors
    /// When the log is damaged at that place, or cannot be read.
    pub fn try_next(&mut self) -> Result<Option<Vec<EventRecord>>, LogError> {
        if let Some(commit) = self.step()? {
            return Ok(Some(commit));
        }
        if self.log.head() <= self.position {
            return Ok(None);
        }
        self.commits = self.log.commits_after(self.position);
        self.step()
    }

    fn step(&mut self) -> Result<Option<Vec<EventRecord>>, LogError> {
        let Some(commit) = self.commits.next().transpose()? else { return Ok(None) };
        if let Some(last) = commit.last() {
            self.position = last.position;
        }
        Ok(Some(commit))
    }

    /// The next commit; blocks until it is there, or the time is over: then `None`.
    ///
    /// # Errors
    /// When the log is damaged at that place, or cannot be read.
    pub fn next(&mut self, timeout: Duration) -> Result<Option<Vec<EventRecord>>, LogError> {
        let deadline = Instant::now().checked_add(timeout);
        loop {
            // Listen before looking: what is published in between is heard.
            let moved = self.log.store().listen();
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

    /// The next commit, as soon as it is there. Dropping the future loses nothing.
    ///
    /// # Errors
    /// When the log is damaged at that place, or cannot be read.
    pub async fn next_async(&mut self) -> Result<Vec<EventRecord>, LogError> {
        loop {
            let moved = self.log.store().listen();
            if let Some(commit) = self.try_next()? {
                return Ok(commit);
            }
            moved.await;
        }
    }
}

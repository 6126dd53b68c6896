//! Shared parts of the tests: commits, stores, and this test binary as a child process.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rollbook_domain::{Actor, Event, NewEvent, StreamId, Timestamp};
use rollbook_log::{Commit, ExpectedVersion, IdempotencyKey, Log, LogError, OpenOptions};
use uuid::Uuid;

/// A distinct stream for every number.
pub fn stream(number: u32) -> StreamId {
    StreamId::series(&format!("client-{number}"), "form")
}

/// An event with a number.
pub fn event(stream: StreamId, number: u32) -> NewEvent {
    NewEvent {
        stream,
        id: None,
        occurred_at: Timestamp::EPOCH,
        event: Event::AssignmentReopened { run: 1, week: number },
    }
}

/// An event of a given size.
pub fn large_event(stream: StreamId, bytes: usize) -> NewEvent {
    let event = Event::StageRecorded { stage: "large".to_owned(), note: "x".repeat(bytes) };
    NewEvent { stream, id: None, occurred_at: Timestamp::EPOCH, event }
}

/// A commit of these events, without conditions.
pub fn commit(events: Vec<NewEvent>) -> Commit {
    Commit {
        events,
        expected: Vec::new(),
        actor: Actor::System("test".to_owned()),
        cause: "test".to_owned(),
        key: None,
    }
}

/// A commit of `count` events of one stream.
pub fn events_of(stream: &StreamId, count: u32) -> Commit {
    commit((1..=count).map(|number| event(stream.clone(), number)).collect())
}

/// Conditions on a commit.
pub trait Conditions {
    /// With an expected version.
    fn expecting(self, stream: &StreamId, version: ExpectedVersion) -> Self;
    /// Under a key, for a request.
    fn under(self, key: &str, request: u8) -> Self;
    /// With this id for its first event.
    fn with_id(self, id: Uuid) -> Self;
}

impl Conditions for Commit {
    fn expecting(mut self, stream: &StreamId, version: ExpectedVersion) -> Self {
        self.expected.push((stream.clone(), version));
        self
    }

    fn under(mut self, key: &str, request: u8) -> Self {
        self.key = Some(IdempotencyKey { key: key.to_owned(), request: [request; 32] });
        self
    }

    fn with_id(mut self, id: Uuid) -> Self {
        self.events[0].id = Some(id);
        self
    }
}

/// Opens a store, or creates it.
pub fn open(dir: &Path) -> Log {
    once_free(|| Log::open(dir, OpenOptions { create: true, ..OpenOptions::default() })).unwrap()
}

/// Retries an attempt while the store is locked. A child process of another test has copies of this
/// process's locks between fork and exec.
pub fn once_free<T>(attempt: impl Fn() -> Result<T, LogError>) -> Result<T, LogError> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match attempt() {
            Err(LogError::InUse { .. }) if Instant::now() < deadline => std::thread::yield_now(),
            done => return done,
        }
    }
}

/// Options with a clock, which create a missing store.
pub fn with_clock(clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> OpenOptions {
    OpenOptions { create: true, clock: Arc::new(clock), ..OpenOptions::default() }
}

/// Every file under a directory with its bytes, and every directory.
pub fn files(dir: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![dir.to_owned()];
    while let Some(dir) = waiting.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path.clone());
                found.insert(path, None);
            } else {
                let bytes = fs::read(&path).unwrap();
                found.insert(path, Some(bytes));
            }
        }
    }
    found
}

/// The environment variable with a child's working directory.
pub const CHILD_DIR: &str = "ROLLBOOK_LOG_TEST_DIR";

/// The working directory of a test that runs as a child. `None` if it was started directly.
pub fn child_dir() -> Option<PathBuf> {
    std::env::var_os(CHILD_DIR).map(PathBuf::from)
}

/// A command that runs an ignored test of this binary as a child process.
pub fn child(test: &str, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    as_child(&mut command, test, dir);
    command
}

/// Adds the arguments that select a test to a command for this binary.
pub fn as_child(command: &mut Command, test: &str, dir: &Path) {
    command
        .args(["--ignored", "--exact", "--nocapture", "--test-threads=1", test])
        .env(CHILD_DIR, dir);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
}

/// The numbers that a child printed after a word, one per line.
pub fn numbers_after(word: &str, output: &str) -> Vec<u64> {
    output.lines().filter_map(|line| line.strip_prefix(word)?.trim().parse().ok()).collect()
}

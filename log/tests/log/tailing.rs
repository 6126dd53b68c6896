//! Tails return every commit once and in order, for any number of writers and any start.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use proptest::prelude::*;
use rollbook_domain::EventRecord;
use rollbook_log::{Log, Tail};

use crate::support::{events_of, open, stream};

/// A timeout longer than any test. A tail that reaches it has missed a commit.
const FOREVER: Duration = Duration::from_secs(120);

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Drives a future on this thread.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

/// Checks that a commit begins directly after a position. Returns its last position.
fn follow(position: u64, commit: &[EventRecord]) -> u64 {
    assert_eq!(
        commit.iter().map(|event| event.position).collect::<Vec<_>>(),
        (position + 1..=position + commit.len() as u64).collect::<Vec<_>>()
    );
    position + commit.len() as u64
}

fn read_all(
    mut tail: Tail,
    from: u64,
    to: u64,
    mut next: impl FnMut(&mut Tail) -> Vec<EventRecord>,
) -> usize {
    let (mut position, mut commits) = (from, 0);
    while position < to {
        position = follow(position, &next(&mut tail));
        assert_eq!(tail.position(), position);
        commits += 1;
    }
    assert_eq!(tail.try_next().unwrap(), None, "nothing stands behind the last");
    commits
}

fn append(log: &Log, writer: u32, commits: u32, size: u32) {
    for _ in 0..commits {
        log.append(events_of(&stream(writer), size)).unwrap();
    }
}

fn write(log: &Log, writers: u32, commits: u32, size: u32) {
    thread::scope(|scope| {
        for writer in 0..writers {
            scope.spawn(move || append(log, writer, commits, size));
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn a_tail_neither_skips_nor_repeats(before in 0..30_u32, writers in 1..6_u32, commits in 1..30_u32, size in 1..4_u32) {
        let dir = tempfile::tempdir().unwrap();
        let log = open(&dir.path().join("store"));
        append(&log, 9, before, size);
        let there = u64::from(before * size);
        let all = there + u64::from(writers * commits * size);
        let from = there / 2 / u64::from(size) * u64::from(size);
        let counts = thread::scope(|scope| {
            let blocking = scope.spawn(|| read_all(log.tail(0), 0, all, |tail| tail.next(FOREVER).unwrap().unwrap()));
            let middle = scope.spawn(|| read_all(log.tail(from), from, all, |tail| tail.next(FOREVER).unwrap().unwrap()));
            let asynchronous = scope.spawn(|| read_all(log.tail(there), there, all, |tail| block_on(tail.next_async()).unwrap()));
            write(&log, writers, commits, size);
            [blocking, middle, asynchronous].map(|tail| tail.join().unwrap() as u64 * u64::from(size))
        });
        prop_assert_eq!(counts, [all, all - from, all - there]);
    }
}

#[test]
fn a_tail_that_begins_inside_a_commit_gets_the_rest_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir.path().join("store"));
    log.append(events_of(&stream(1), 5)).unwrap();
    log.append(events_of(&stream(1), 2)).unwrap();
    let mut tail = log.tail(3);
    assert_eq!(follow(3, &tail.next(FOREVER).unwrap().unwrap()), 5);
    assert_eq!(follow(5, &tail.next(FOREVER).unwrap().unwrap()), 7);
}

#[test]
fn a_tail_of_a_store_that_is_not_there_yet_sees_its_first_commit() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir.path().join("store"));
    let mut tail = log.tail(0);
    assert_eq!(tail.next(Duration::ZERO).unwrap(), None);
    thread::scope(|scope| {
        let first = scope.spawn(|| tail.next(FOREVER).unwrap().unwrap());
        log.append(events_of(&stream(1), 1)).unwrap();
        assert_eq!(follow(0, &first.join().unwrap()), 1);
    });
}

#[test]
fn an_answer_can_be_awaited() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir.path().join("store"));
    assert_eq!(block_on(log.submit(events_of(&stream(1), 3))).unwrap().last, 3);
}

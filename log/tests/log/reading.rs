//! Reads by stream, id, position, key and prefix, and the digest.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rollbook_domain::event::Position;
use rollbook_domain::{EventRecord, StreamId, Timestamp};
use rollbook_log::{CommitReceipt, Log, LogError};
use uuid::Uuid;

use crate::support::{Conditions, commit, event, events_of, large_event, open, stream, with_clock};

fn places(events: &[EventRecord]) -> Vec<(Position, u64)> {
    events.iter().map(|event| (event.position, event.version)).collect()
}

/// Three commits: 1 to 4 on two streams in turn, 5 and 6 on the first, 7 on another client's.
fn sample(log: &Log) {
    let (one, two) = (StreamId::series("a", "x"), StreamId::series("a", "y"));
    let mixed = [&one, &two, &one, &two]
        .into_iter()
        .zip(1..)
        .map(|(stream, number)| event(stream.clone(), number))
        .collect();
    log.append(commit(mixed).under("key", 1)).unwrap();
    log.append(events_of(&one, 2)).unwrap();
    log.append(events_of(&StreamId::series("b", "x"), 1).with_id(Uuid::from_u128(3))).unwrap();
}

#[test]
fn a_stream_is_read_after_a_version_and_up_to_a_position() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir.path().join("store"));
    sample(&log);
    let (one, two) = (StreamId::series("a", "x"), StreamId::series("a", "y"));
    assert_eq!(places(&log.stream(&one, 0).unwrap()), [(1, 1), (3, 2), (5, 3), (6, 4)]);
    assert_eq!(places(&log.stream(&one, 1).unwrap()), [(3, 2), (5, 3), (6, 4)]);
    assert_eq!(places(&log.stream(&one, 4).unwrap()), []);
    assert_eq!(places(&log.stream_until(&one, 0, 5).unwrap()), [(1, 1), (3, 2), (5, 3)]);
    assert_eq!(places(&log.stream_until(&one, 0, 2).unwrap()), [(1, 1)]);
    assert_eq!(places(&log.stream(&two, 0).unwrap()), [(2, 1), (4, 2)]);
    assert_eq!(
        (
            log.stream_version(&one).unwrap(),
            log.stream_version(&two).unwrap(),
            log.stream_version(&stream(9)).unwrap()
        ),
        (4, 2, 0)
    );
    assert!(log.stream(&one, 0).unwrap().iter().all(|event| event.stream == one));
}

#[test]
fn a_commit_may_write_to_many_streams_in_turn() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir.path().join("store"));
    let rounds = |rounds: u32| {
        (0..rounds)
            .flat_map(|round| (0..40).map(move |number| event(stream(number), round)))
            .collect()
    };
    log.append(commit(rounds(3))).unwrap();
    log.append(commit(rounds(1))).unwrap();
    for number in 0..40 {
        let at = |round: u64| (1 + u64::from(number) + 40 * round, round + 1);
        assert_eq!(places(&log.stream(&stream(number), 0).unwrap()), [at(0), at(1), at(2), at(3)]);
    }
    assert_eq!(log.verify(|_| ()).unwrap(), 160);
}

#[test]
fn streams_are_listed_by_prefix_in_name_order() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir.path().join("store"));
    assert_eq!(log.streams_with_prefix("").unwrap(), []);
    sample(&log);
    log.append(events_of(&StreamId::series("ab", "x"), 1)).unwrap();
    log.append(events_of(&StreamId::Client("a".to_owned()), 1)).unwrap();
    let names = |prefix: &str| {
        log.streams_with_prefix(prefix).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(names(&StreamId::series_prefix("a")), ["series/a/x", "series/a/y"]);
    assert_eq!(names("series/"), ["series/a/x", "series/a/y", "series/ab/x", "series/b/x"]);
    assert_eq!(names(""), ["client/a", "series/a/x", "series/a/y", "series/ab/x", "series/b/x"]);
    assert_eq!(names("series/c"), Vec::<String>::new());
}

#[test]
fn an_event_is_found_by_id_and_by_position() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir.path().join("store"));
    sample(&log);
    for position in 1..=7 {
        let event = log.at(position).unwrap().unwrap();
        assert_eq!(event.position, position);
        assert_eq!(log.event(event.id).unwrap(), Some(event));
    }
    assert_eq!(log.event(Uuid::from_u128(3)).unwrap().unwrap().position, 7);
    assert_eq!(log.event(Uuid::from_u128(4)).unwrap(), None);
    assert_eq!((log.at(0).unwrap(), log.at(8).unwrap()), (None, None));
    assert_eq!(
        log.committed_under("key").unwrap(),
        Some(CommitReceipt { first: 1, last: 4, repeated: true })
    );
    assert_eq!(log.committed_under("other").unwrap(), None);
}

#[test]
fn commits_come_whole_and_only_up_to_the_head_of_the_instant() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir.path().join("store"));
    sample(&log);
    let until_now = log.commits_after(2);
    log.append(events_of(&stream(1), 1)).unwrap();
    let commits: Vec<Vec<Position>> = until_now
        .map(|commit| commit.unwrap().iter().map(|event| event.position).collect())
        .collect();
    assert_eq!(commits, [vec![3, 4], vec![5, 6], vec![7]]);
    assert_eq!(log.commits_after(8).count(), 0);
    assert_eq!(log.commits_after(Position::MAX).count(), 0);
}

#[test]
fn a_long_log_is_read_in_portions_without_a_seam() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir.path().join("store"));
    for _ in 0..40 {
        log.append(commit(vec![large_event(stream(1), 200_000), event(stream(2), 1)])).unwrap();
    }
    let positions: Vec<Position> = log
        .commits_after(0)
        .flat_map(|commit| commit.unwrap())
        .map(|event| event.position)
        .collect();
    assert_eq!(positions, (1..=80).collect::<Vec<_>>());
}

#[test]
fn the_digest_tells_logs_apart_and_ends_at_a_commit() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    let log = open(&store);
    let nothing = log.digest(0).unwrap();
    sample(&log);
    let digests = [0, 4, 6, 7].map(|until| log.digest(until).unwrap());
    assert_eq!(digests[0], nothing);
    assert!(
        digests.iter().enumerate().all(|(index, digest)| !digests[..index].contains(digest)),
        "{digests:?}"
    );
    let LogError::InsideCommit { position, first, last } = log.digest(2).unwrap_err() else {
        panic!("2 lies inside a commit")
    };
    assert_eq!((position, first, last), (2, 1, 4));
    let LogError::BeyondHead { position, head } = log.digest(8).unwrap_err() else {
        panic!("8 is beyond the head")
    };
    assert_eq!((position, head), (8, 7));
    log.append(events_of(&stream(1), 1)).unwrap();
    drop(log);
    assert_eq!(
        open(&store).digest(7).unwrap(),
        digests[3],
        "what follows and opening again change nothing"
    );
}

#[test]
fn an_instant_means_the_last_position_recorded_by_then() {
    let seconds = Arc::new(AtomicI64::new(0));
    let instant = |seconds| Timestamp::from_parts(seconds, 0).unwrap();
    let clock = seconds.clone();
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(
        &dir.path().join("store"),
        with_clock(move || instant(clock.load(Ordering::SeqCst))),
    )
    .unwrap();
    assert_eq!(log.position_at(instant(0)).unwrap(), 0);
    // Three events at 10, one at 20, two commits at 30; then the clock runs backwards, and the log
    // does not.
    for (at, events) in [(10, 3), (20, 1), (30, 2), (30, 1), (5, 1)] {
        seconds.store(at, Ordering::SeqCst);
        log.append(events_of(&stream(1), events)).unwrap();
    }
    let found = [0, 9, 10, 15, 20, 29, 30, 1000].map(|at| log.position_at(instant(at)).unwrap());
    assert_eq!(found, [0, 0, 3, 3, 4, 4, 8, 8]);
}

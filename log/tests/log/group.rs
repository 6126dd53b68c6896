//! Commits that are written as one group: the writer is blocked in its clock until all are queued.

use std::collections::BTreeSet;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use rollbook_domain::event::{Origin, Terms};
use rollbook_domain::{Event, NewEvent, Timestamp};
use rollbook_log::{
    AppendError, CommitReceipt, Durability, ExpectedVersion, Log, OpenOptions, PendingCommit,
};
use uuid::Uuid;

use crate::support::{Conditions, commit, event, events_of, large_event, open, stream, with_clock};

/// Blocks the writer when it first reads the clock.
struct Gate {
    reached: Barrier,
    open: Barrier,
}

impl Gate {
    fn hold_writer() -> (OpenOptions, Arc<Self>) {
        let gate = Arc::new(Self { reached: Barrier::new(2), open: Barrier::new(2) });
        let first = Mutex::new(Some(gate.clone()));
        let options = with_clock(move || {
            let gate = first.lock().unwrap().take();
            if let Some(gate) = gate {
                gate.reached.wait();
                gate.open.wait();
            }
            Timestamp::EPOCH
        });
        (options, gate)
    }
}

/// Appends one commit that blocks the writer, submits the others meanwhile as one group, and
/// returns all results.
fn one_group(
    log: &Log,
    gate: &Gate,
    others: impl FnOnce() -> Vec<PendingCommit>,
) -> Vec<Result<CommitReceipt, AppendError>> {
    let held = log.submit(events_of(&stream(0), 1));
    gate.reached.wait();
    let others = others();
    gate.open.wait();
    std::iter::once(held).chain(others).map(PendingCommit::wait).collect()
}

#[test]
fn a_group_decides_on_what_its_earlier_commits_leave() {
    let dir = tempfile::tempdir().unwrap();
    let (options, gate) = Gate::hold_writer();
    let log = Log::open(&dir.path().join("store"), options).unwrap();
    let one = stream(1);
    let outcomes = one_group(&log, &gate, || {
        vec![
            log.submit(
                events_of(&one, 2).expecting(&one, ExpectedVersion::NoStream).under("key", 1),
            ),
            log.submit(events_of(&one, 1).expecting(&one, ExpectedVersion::NoStream)),
            log.submit(
                events_of(&one, 1)
                    .expecting(&one, ExpectedVersion::Exact(2))
                    .with_id(Uuid::from_u128(5)),
            ),
            log.submit(events_of(&one, 2).under("key", 1)),
            log.submit(events_of(&one, 2).under("key", 2)),
            log.submit(events_of(&stream(2), 1).with_id(Uuid::from_u128(5))),
            log.submit(events_of(&stream(2), 1)),
        ]
    });
    let texts: Vec<String> = outcomes.iter().map(|outcome| format!("{outcome:?}")).collect();
    assert_eq!(
        outcomes[1].as_ref().unwrap(),
        &CommitReceipt { first: 2, last: 3, repeated: false }
    );
    assert!(
        matches!(outcomes[2], Err(AppendError::VersionConflict { actual: 2, .. })),
        "{texts:?}"
    );
    assert_eq!(
        outcomes[3].as_ref().unwrap(),
        &CommitReceipt { first: 4, last: 4, repeated: false }
    );
    assert_eq!(outcomes[4].as_ref().unwrap(), &CommitReceipt { first: 2, last: 3, repeated: true });
    assert!(
        matches!(outcomes[5], Err(AppendError::KeyReused { first: 2, last: 3, .. })),
        "{texts:?}"
    );
    assert!(matches!(outcomes[6], Err(AppendError::DuplicateEvent { .. })), "{texts:?}");
    assert_eq!(
        outcomes[7].as_ref().unwrap(),
        &CommitReceipt { first: 5, last: 5, repeated: false }
    );
    assert_eq!(log.verify(|_| ()).unwrap(), 5);
}

#[test]
fn many_threads_append_and_one_of_each_race_wins() {
    const THREADS: u32 = 64;
    const ROUNDS: u64 = 20;
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir.path().join("store"));
    let shared = stream(1000);
    let start = Barrier::new(THREADS as usize);
    let (winners, positions) = (Mutex::new(Vec::new()), Mutex::new(BTreeSet::new()));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (log, shared, start, winners, positions) =
                (&log, &shared, &start, &winners, &positions);
            scope.spawn(move || {
                let record = |committed: CommitReceipt| {
                    let mut positions = positions.lock().unwrap();
                    (committed.first..=committed.last).for_each(|position| {
                        assert!(positions.insert(position), "{position} was given twice")
                    });
                };
                for round in 0..ROUNDS {
                    start.wait();
                    match log.append(
                        events_of(shared, 1).expecting(shared, ExpectedVersion::Exact(round)),
                    ) {
                        Ok(committed) => {
                            record(committed);
                            winners.lock().unwrap().push(round);
                        }
                        Err(AppendError::VersionConflict {
                            expected: ExpectedVersion::Exact(expected),
                            ..
                        }) => assert_eq!(expected, round),
                        Err(other) => panic!("{other:?}"),
                    }
                    record(log.append(events_of(&stream(thread), 2)).unwrap());
                }
            });
        }
    });
    assert_eq!(
        winners.into_inner().unwrap(),
        (0..ROUNDS).collect::<Vec<_>>(),
        "one winner a round"
    );
    let total = ROUNDS + u64::from(THREADS) * ROUNDS * 2;
    assert_eq!(positions.into_inner().unwrap(), (1..=total).collect(), "positions without gaps");
    assert_eq!(log.head(), total);
    assert_eq!(log.stream_version(&shared).unwrap(), ROUNDS);
    assert_eq!(log.verify(|_| ()).unwrap(), total);
}

#[test]
fn what_was_recorded_later_is_never_stamped_earlier() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    let at = |seconds: i64| Timestamp::from_parts(seconds, 5).unwrap();
    {
        let times = Mutex::new(vec![at(30), at(20), at(10)]);
        let log =
            Log::open(&store, with_clock(move || times.lock().unwrap().pop().unwrap())).unwrap();
        for _ in 0..3 {
            log.append(events_of(&stream(1), 1)).unwrap();
        }
    }
    let log = Log::open(&store, with_clock(move || at(1))).unwrap();
    log.append(events_of(&stream(1), 1)).unwrap();
    let recorded: Vec<_> =
        log.stream(&stream(1), 0).unwrap().into_iter().map(|event| event.recorded_at).collect();
    assert_eq!(recorded, [at(10), at(20), at(30), at(30)]);
}

#[test]
fn more_than_the_budget_is_refused_and_what_waits_is_not_hurt() {
    let dir = tempfile::tempdir().unwrap();
    let (options, gate) = Gate::hold_writer();
    let log = Log::open(
        &dir.path().join("store"),
        OpenOptions { queue_budget_bytes: Some(10_000), ..options },
    )
    .unwrap();
    let large = || commit(vec![large_event(stream(1), 6_000)]);
    let mut refused = Vec::new();
    let outcomes = one_group(&log, &gate, || {
        let waits = log.submit(large());
        refused.extend([log.submit(large()).wait(), log.append(large())]);
        vec![waits]
    });
    for outcome in refused {
        let Err(AppendError::Overloaded { queued_bytes, limit_bytes }) = outcome else {
            panic!("{outcome:?}")
        };
        assert!((6_000..7_000).contains(&queued_bytes), "{queued_bytes}");
        assert_eq!(limit_bytes, 10_000);
    }
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 2, "{outcomes:?}");
    assert!(log.append(large()).is_ok(), "what was written makes room");
}

#[test]
fn a_commit_may_be_as_large_as_the_limit_and_no_larger() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir.path().join("store"));
    let limit_bytes = rollbook_log::COMMIT_LIMIT_BYTES;
    let refused = log
        .append(commit(vec![event(stream(1), 1), large_event(stream(1), limit_bytes)]))
        .unwrap_err();
    assert!(
        matches!(refused, AppendError::TooLarge { limit_bytes: named, .. } if named == limit_bytes),
        "{refused:?}"
    );
    log.append(commit(vec![event(stream(1), 1), large_event(stream(1), limit_bytes - 1024)]))
        .unwrap();
    assert_eq!(log.stream(&stream(1), 1).unwrap().len(), 1);
}

/// The peak memory of this process in bytes.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

#[test]
fn a_commit_that_is_too_large_is_refused_before_it_is_encoded() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir.path().join("store"));
    let terms = rollbook_domain::event::RunTerms::from(Terms {
        stored_client: String::new(),
        coach: String::new(),
        title: "t".repeat(1 << 20),
        description: String::new(),
        assigned_by: None,
        assigned_at: None,
        window: None,
        recurring: true,
        total_weeks: 520,
    });
    let week = |week| NewEvent {
        stream: stream(1),
        id: None,
        occurred_at: Timestamp::EPOCH,
        event: Event::AssignmentCreated {
            assignment: uuid::Uuid::nil(),
            run: 1,
            week,
            due: Timestamp::EPOCH,
            origin: Origin::Allocation,
            terms: terms.clone(),
        },
    };
    let weeks: Vec<NewEvent> = (1..=520).map(week).collect();
    let before = peak_bytes();
    let refused = log.append(commit(weeks)).unwrap_err();
    let AppendError::TooLarge { bytes, .. } = refused else { panic!("{refused:?}") };
    assert!(bytes > 520 << 20, "{bytes}");
    // Other tests of this process run at the same time.
    assert!(peak_bytes() - before < 256 << 20, "{} bytes", peak_bytes() - before);
    assert_eq!(log.head(), 0);
}

#[test]
fn buffered_appends_are_there_after_a_clean_close() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    {
        let log = Log::open(
            &store,
            OpenOptions {
                create: true,
                durability: Durability::Buffered,
                ..OpenOptions::default()
            },
        )
        .unwrap();
        let pending: Vec<_> = (0..100).map(|_| log.submit(events_of(&stream(1), 1))).collect();
        drop(log);
        // Dropping the last handle drains the queue: all of them are answered.
        for pending in pending {
            pending.wait().unwrap();
        }
    }
    assert_eq!(open(&store).head(), 100);
}

#[test]
fn nobody_waits_for_a_writer_that_died() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    let log = Log::open(&store, with_clock(|| panic!("the clock stopped"))).unwrap();
    for _ in 0..2 {
        let refused = log.append(events_of(&stream(1), 1)).unwrap_err();
        assert!(matches!(refused, AppendError::Closed), "{refused:?}");
    }
    drop(log);
    assert!(open(&store).append(events_of(&stream(1), 1)).is_ok());
}

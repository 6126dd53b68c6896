//! One test per clause of the contract of `Ordering`.

use std::thread;

use rollbook_domain::StreamId;
use rollbook_log::{AppendError, CommitReceipt, ExpectedVersion};
use uuid::Uuid;

use super::Backend;
use crate::support::{Conditions, commit, event, events_of, stream};

fn committed(first: u64, last: u64) -> CommitReceipt {
    CommitReceipt { first, last, repeated: false }
}

pub fn numbering(Backend { ordering, .. }: &Backend) {
    assert_eq!(ordering.submit(events_of(&stream(1), 3)).wait().unwrap(), committed(1, 3));
    assert_eq!(ordering.submit(events_of(&stream(2), 1)).wait().unwrap(), committed(4, 4));
    let pending: Vec<_> =
        (1..=20).map(|count| ordering.submit(events_of(&stream(count), count))).collect();
    let mut next = 5;
    for (pending, count) in pending.into_iter().zip(1..) {
        assert_eq!(pending.wait().unwrap(), committed(next, next + count - 1));
        next += count;
    }
}

pub fn answering(Backend { ordering, .. }: &Backend) {
    thread::scope(|scope| {
        for writer in 0..8 {
            scope.spawn(move || {
                for _ in 0..20 {
                    let committed = ordering.submit(events_of(&stream(writer), 2)).wait().unwrap();
                    assert!(
                        ordering.head() >= committed.last,
                        "the head {} is behind {committed:?}",
                        ordering.head()
                    );
                }
            });
        }
    });
    assert_eq!(ordering.head(), 320);
}

pub fn head(Backend { ordering, .. }: &Backend) {
    assert_eq!(ordering.head(), 0);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                scope.spawn(move || {
                    for _ in 0..50 {
                        ordering.submit(events_of(&stream(writer), 3)).wait().unwrap();
                    }
                })
            })
            .collect();
        let mut latest = 0;
        while !writers.iter().all(thread::ScopedJoinHandle::is_finished) {
            let head = ordering.head();
            assert!(head >= latest, "the head went back from {latest} to {head}");
            assert_eq!(head % 3, 0, "the head {head} stands inside a commit");
            latest = head;
        }
    });
    assert_eq!(ordering.head(), 600);
}

pub fn expected_versions(Backend { ordering, .. }: &Backend) {
    let (one, two) = (stream(1), stream(2));
    ordering.submit(events_of(&one, 2).expecting(&one, ExpectedVersion::NoStream)).wait().unwrap();
    ordering
        .submit(
            events_of(&one, 1)
                .expecting(&one, ExpectedVersion::Exact(2))
                .expecting(&two, ExpectedVersion::Exact(0)),
        )
        .wait()
        .unwrap();
    ordering.submit(events_of(&two, 1).expecting(&one, ExpectedVersion::Any)).wait().unwrap();

    // A stream that the commit does not write to counts as well.
    let refused = ordering
        .submit(events_of(&two, 1).expecting(&one, ExpectedVersion::Exact(2)))
        .wait()
        .unwrap_err();
    let AppendError::VersionConflict { stream, expected, actual } = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((stream, expected, actual), (one.to_string(), ExpectedVersion::Exact(2), 3));
    let refused = ordering
        .submit(events_of(&one, 1).expecting(&one, ExpectedVersion::NoStream))
        .wait()
        .unwrap_err();
    assert!(matches!(refused, AppendError::VersionConflict { actual: 3, .. }), "{refused:?}");

    // What is ordered counts, answered or not: of many that race for one version, one wins.
    let race: Vec<_> = (0..32)
        .map(|_| ordering.submit(events_of(&one, 1).expecting(&one, ExpectedVersion::Exact(3))))
        .collect();
    let outcomes: Vec<_> = race.into_iter().map(|pending| pending.wait()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert_eq!(ordering.head(), 5);
}

pub fn refusals(Backend { ordering, .. }: &Backend) {
    let one = stream(1);
    let good = || events_of(&one, 1);
    let bad = || {
        events_of(&one, 5)
            .expecting(&one, ExpectedVersion::Exact(99))
            .under("bad", 1)
            .with_id(Uuid::from_u128(9))
    };
    let pending: Vec<_> = (0..10)
        .map(|number| ordering.submit(if number % 2 == 0 { good() } else { bad() }))
        .collect();
    let accepted: Vec<_> = pending.into_iter().filter_map(|pending| pending.wait().ok()).collect();
    assert_eq!(accepted, (1..=5).map(|position| committed(position, position)).collect::<Vec<_>>());
    // Neither its key nor its id is taken.
    let taken = ordering.submit(
        events_of(&one, 1)
            .under("bad", 2)
            .with_id(Uuid::from_u128(9))
            .expecting(&one, ExpectedVersion::Exact(5)),
    );
    assert_eq!(taken.wait().unwrap(), committed(6, 6));
}

pub fn idempotency(Backend { ordering, .. }: &Backend) {
    let one = stream(1);
    let first =
        || events_of(&one, 2).under("request-1", 1).expecting(&one, ExpectedVersion::NoStream);
    assert_eq!(ordering.submit(first()).wait().unwrap(), committed(1, 2));
    ordering.submit(events_of(&one, 1)).wait().unwrap();
    for _ in 0..2 {
        assert_eq!(
            ordering.submit(first()).wait().unwrap(),
            CommitReceipt { first: 1, last: 2, repeated: true }
        );
    }
    let refused = ordering.submit(events_of(&one, 2).under("request-1", 2)).wait().unwrap_err();
    let AppendError::KeyReused { key, first, last } = refused else { panic!("{refused:?}") };
    assert_eq!((key.as_str(), first, last), ("request-1", 1, 2));

    let same: Vec<_> =
        (0..16).map(|_| ordering.submit(events_of(&stream(2), 1).under("request-2", 1))).collect();
    let answers: Vec<_> = same.into_iter().map(|pending| pending.wait().unwrap()).collect();
    assert_eq!(answers.iter().filter(|answer| !answer.repeated).count(), 1);
    assert!(answers.iter().all(|answer| (answer.first, answer.last) == (4, 4)), "{answers:?}");
    assert_eq!(ordering.head(), 4);
}

pub fn ids(Backend { ordering, .. }: &Backend) {
    let id = Uuid::from_u128(7);
    ordering.submit(events_of(&stream(1), 1).with_id(id)).wait().unwrap();
    let mut twice = events_of(&stream(2), 2).with_id(Uuid::from_u128(8));
    twice.events[1].id = Some(Uuid::from_u128(8));
    for (again, id) in [(events_of(&stream(2), 1).with_id(id), id), (twice, Uuid::from_u128(8))] {
        let refused = ordering.submit(again).wait().unwrap_err();
        assert!(
            matches!(refused, AppendError::DuplicateEvent { id: named } if named == id),
            "{refused:?}"
        );
    }
    let race: Vec<_> = (0..8)
        .map(|number| ordering.submit(events_of(&stream(number), 1).with_id(Uuid::from_u128(8))))
        .collect();
    assert_eq!(
        race.into_iter()
            .filter(|_| true)
            .map(|pending| pending.wait())
            .filter(Result::is_ok)
            .count(),
        1
    );
    assert_eq!(ordering.head(), 2);
}

pub fn content(Backend { ordering, .. }: &Backend) {
    let refused = ordering.submit(commit(Vec::new())).wait().unwrap_err();
    assert!(matches!(refused, AppendError::Empty), "{refused:?}");
    let stream = StreamId::Client("a\0b".to_owned());
    for bad in
        [commit(vec![event(stream, 1)]), events_of(&crate::support::stream(1), 1).under("a\0b", 1)]
    {
        let refused = ordering.submit(bad).wait().unwrap_err();
        assert!(
            matches!(&refused, AppendError::BadName { name } if name.contains("a\0b")),
            "{refused:?}"
        );
    }
    assert_eq!(ordering.head(), 0);
}

pub fn others(Backend { ordering, .. }: &Backend) {
    // Commits of two callers interleave. Each caller gets its own positions, and together they fill
    // all.
    let mut taken: Vec<u64> = thread::scope(|scope| {
        let proposers: Vec<_> = (0..2)
            .map(|proposer| {
                scope.spawn(move || {
                    let answers = (0..100)
                        .map(|_| ordering.submit(events_of(&stream(proposer), 1)).wait().unwrap());
                    answers.map(|committed| committed.first).collect::<Vec<_>>()
                })
            })
            .collect();
        proposers.into_iter().flat_map(|proposer| proposer.join().unwrap()).collect()
    });
    taken.sort_unstable();
    assert_eq!(taken, (1..=200).collect::<Vec<_>>());
}

pub fn reading(Backend { ordering, .. }: &Backend) {
    let (one, two) = (stream(1), stream(2));
    ordering.append(events_of(&one, 2)).unwrap();
    let mixed = commit(vec![event(two.clone(), 7), event(one.clone(), 8)]).under("request-1", 5);
    let done = ordering.append(mixed.clone()).unwrap();
    ordering.append(events_of(&one, 1)).unwrap();
    let read: Vec<_> = ordering
        .events(done)
        .unwrap()
        .into_iter()
        .map(|event| (event.position, event.stream, event.version, event.event))
        .collect();
    let [first, second] = [0, 1].map(|index| mixed.events[index].event.clone());
    assert_eq!(read, [(3, two, 1, first), (4, one, 3, second)]);
    let repeated = CommitReceipt { repeated: true, ..done };
    assert_eq!(ordering.requested_under("request-1").unwrap(), Some(([5; 32], repeated)));
    assert_eq!(ordering.requested_under("request-2").unwrap(), None);
}

//! The tree as a projection: its roots are those of the stored events' leaves, at every position of
//! the past.

use std::cell::Cell;

use proptest::prelude::*;
use rollbook_domain::{Actor, Event, NewEvent, StreamId, Timestamp};
use rollbook_log::{Commit, Leaf, Log};
use rollbook_projections::error::ProjectionError;
use rollbook_projections::rows::{RowSource, Visit};
use rollbook_projections::tree::{self, Tree};
use rollbook_projections::{ProjectionName, Runtime, Snapshot};
use rollbook_proofs::{Hash, leaf_hash};
use sha2::{Digest as _, Sha256};

use crate::support;

/// Appends a commit of so many events, over two streams.
fn append(log: &Log, events: u32) {
    let event = |number: u32| NewEvent {
        stream: if number.is_multiple_of(3) {
            StreamId::Control
        } else {
            StreamId::series("ada", "weekly")
        },
        id: None,
        occurred_at: Timestamp::EPOCH,
        event: Event::StageRecorded { stage: "stage".to_owned(), note: number.to_string() },
    };
    let events = (1..=events).map(event).collect();
    log.append(Commit {
        events,
        expected: Vec::new(),
        actor: Actor::System("test".to_owned()),
        cause: "test".to_owned(),
        key: None,
    })
    .unwrap();
}

/// The root as RFC 6962 defines it.
fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash(Sha256::digest([]).into()),
        [one] => *one,
        many => {
            let (left, right) = many.split_at(many.len().next_power_of_two() / 2);
            Hash(
                Sha256::digest([&[1][..], &naive_root(left).0, &naive_root(right).0].concat())
                    .into(),
            )
        }
    }
}

fn leaves(log: &Log) -> Vec<Hash> {
    (1..=log.head()).map(|position| leaf_hash(&log.leaf(position).unwrap().unwrap())).collect()
}

fn roots_hold(log: &Log, snapshot: &Snapshot) {
    let (rows, folded) = snapshot.rows::<Tree>().unwrap();
    assert_eq!(folded, log.head());
    let leaves = leaves(log);
    for size in 0..=leaves.len() {
        assert_eq!(
            tree::head_at(&rows, size as u64).unwrap().root,
            naive_root(&leaves[..size]),
            "{size} of {}",
            leaves.len()
        );
    }
    assert_eq!(tree::leaf_at(&rows, 1).unwrap(), leaves.first().copied());
    assert_eq!(tree::leaf_at(&rows, log.head()).unwrap(), leaves.last().copied());
    assert_eq!(tree::leaf_at(&rows, log.head() + 1).unwrap(), None);
    assert!(tree::head_at(&rows, log.head() + 1).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn roots_of_every_position_are_those_of_the_stored_leaves(commits in prop::collection::vec((1_u32..90, any::<bool>()), 1..14)) {
        let directory = tempfile::tempdir().unwrap();
        let log = support::open(directory.path());
        let runtime = Runtime::new(log.clone(), vec![Box::new(Tree)]);
        for (events, fold_now) in commits {
            append(&log, events);
            if fold_now {
                support::catch_up(&runtime);
            }
        }
        roots_hold(&log, &runtime.snapshot().unwrap());
        let rebuilt = runtime.rebuild(ProjectionName::of::<Tree>(), &|_, _| {}).unwrap();
        prop_assert!(rebuilt.identical);
        roots_hold(&log, &runtime.snapshot().unwrap());
    }
}

#[test]
fn a_leaf_holds_everything_that_the_event_has() {
    let directory = tempfile::tempdir().unwrap();
    let log = support::open(directory.path());
    append(&log, 2);
    append(&log, 4);
    for position in 1..=6 {
        let (bytes, recorded) =
            (log.leaf(position).unwrap().unwrap(), log.at(position).unwrap().unwrap());
        let leaf = Leaf::read(&bytes).unwrap();
        let parts = |instant: Timestamp| (instant.seconds(), instant.nanoseconds());
        assert_eq!(
            (leaf.position, leaf.version, leaf.id),
            (recorded.position, recorded.version, recorded.id)
        );
        assert_eq!(
            (leaf.stream, leaf.cause),
            (recorded.stream.to_string().as_str(), recorded.cause.as_str())
        );
        assert_eq!(
            (leaf.occurred_at, leaf.recorded_at),
            (parts(recorded.occurred_at), parts(recorded.recorded_at))
        );
        assert_eq!((leaf.actor_role, leaf.actor), (3, "test"));
        assert_eq!(
            (leaf.commit_first, leaf.commit_events),
            if position < 3 { (1, 2) } else { (3, 4) }
        );
        assert_eq!(leaf.event().unwrap(), recorded.event);
    }
    assert_eq!((log.leaf(0).unwrap(), log.leaf(7).unwrap()), (None, None));
}

/// Counts how many rows are read.
struct Counting<'s>(&'s dyn RowSource, Cell<u32>);

impl RowSource for Counting<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ProjectionError> {
        self.1.set(self.1.get() + 1);
        self.0.get(key)
    }

    fn scan(&self, _prefix: &[u8], _visit: Visit<'_>) -> Result<(), ProjectionError> {
        panic!("a root needs no scan")
    }
}

#[test]
fn a_root_of_any_size_needs_few_rows() {
    let directory = tempfile::tempdir().unwrap();
    let log = support::open(directory.path());
    (0..70).for_each(|_| append(&log, 1000));
    let runtime = Runtime::new(log.clone(), vec![Box::new(Tree)]);
    let snapshot = runtime.snapshot().unwrap();
    let (rows, _) = snapshot.rows::<Tree>().unwrap();
    for size in [1, 255, 65_535, 65_537, 70_000] {
        let counting = Counting(&rows, Cell::new(0));
        tree::head_at(&counting, size).unwrap();
        // One node a binary digit at most.
        assert!(counting.1.get() <= size.count_ones(), "{size}: {} rows", counting.1.get());
    }
}

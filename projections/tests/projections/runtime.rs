//! The runtime on a real log: what a crash, a fold error, a rebuild and a new version leave behind.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

use rollbook_domain::event::View;
use rollbook_domain::{Collection, Event, EventRecord, StreamId};
use rollbook_log::Log;
use rollbook_projections::directory::Directory;
use rollbook_projections::documents::Documents;
use rollbook_projections::names::Names;
use rollbook_projections::rows::{RowChanges, RowSource, read_row};
use rollbook_projections::tracker::Tracker;
use rollbook_projections::tree::Tree;
use rollbook_projections::views::LegacyView;
use rollbook_projections::{Projection, ProjectionError, ProjectionName, Runtime, Snapshot, all};

use crate::support;

/// Counts events by stream, in steps of its version. At `fails_at` it fails.
struct Counter<const VERSION: u32> {
    fails_at: u64,
}

const SOUND: u64 = u64::MAX;

impl<const VERSION: u32> Projection for Counter<VERSION> {
    const NAME: &'static str = "counter";
    const VERSION: u32 = VERSION;

    fn fold(
        &self,
        rows: &mut RowChanges<'_>,
        commit: &[EventRecord],
    ) -> Result<(), ProjectionError> {
        for recorded in commit {
            if recorded.position >= self.fails_at {
                return Err(ProjectionError::RowType { key: "counter".into() });
            }
            *rows.row::<u64>(recorded.stream.to_string().as_bytes())? += u64::from(VERSION);
        }
        Ok(())
    }
}

/// The name of every version.
const COUNTER: ProjectionName = ProjectionName::of::<Counter<1>>();

fn counter<const VERSION: u32>(log: &Log, fails_at: u64) -> Runtime {
    Runtime::new(log.clone(), vec![Box::new(Counter::<VERSION> { fails_at })])
}

fn counts<const VERSION: u32>(runtime: &Runtime) -> BTreeMap<String, u64> {
    let snapshot = runtime.snapshot().unwrap();
    let (rows, _) = snapshot.rows::<Counter<VERSION>>().unwrap();
    let mut counts = BTreeMap::new();
    rows.scan(b"", &mut |key, _| {
        counts.insert(
            String::from_utf8_lossy(key).into_owned(),
            read_row::<u64>(&rows, key)?.unwrap(),
        );
        Ok(())
    })
    .unwrap();
    counts
}

/// So many commits of ten events, round ten clients.
fn fill(log: &Log, commits: usize) {
    for number in 0..commits {
        let client = StreamId::Client(format!("client-{}", number % 10));
        let body = format!(r#"{{"onboardingStatus":"completed","n":{number}}}"#);
        let event = Event::DocumentImported(support::document(
            Collection::Clients,
            &format!("client-{}", number % 10),
            &body,
        ));
        support::append(log, vec![support::new_event(&client, event); 10]);
    }
}

fn total(counts: &BTreeMap<String, u64>) -> u64 {
    counts.values().sum()
}

#[test]
fn a_fold_error_ends_at_once_and_leaves_rows_as_they_were() {
    let directory = tempfile::tempdir().unwrap();
    let log = support::open(directory.path());
    fill(&log, 100);
    assert_eq!(total(&counts::<1>(&counter::<1>(&log, SOUND))), 1_000);
    // Far more than decoding may run ahead: decoding must not wait for a fold that has ended.
    fill(&log, 4_000);
    let before = counter::<1>(&log, SOUND).digest(COUNTER).unwrap();
    for _ in 0..3 {
        let error = counter::<1>(&log, 1_005).catch_up(&|_, _| {}).unwrap_err();
        assert!(matches!(error, ProjectionError::RowType { .. }), "{error}");
        assert_eq!(counter::<1>(&log, SOUND).digest(COUNTER).unwrap(), before);
    }
    let error = counter::<1>(&log, 30_000).catch_up(&|_, _| {}).unwrap_err();
    assert!(matches!(error, ProjectionError::RowType { .. }), "{error}");
    let (_, checkpoint) = counter::<1>(&log, SOUND).checkpoints().unwrap()[0];
    assert!(
        (1_001..30_000).contains(&checkpoint),
        "whole batches before the error stay: {checkpoint}"
    );
    assert_eq!(total(&counts::<1>(&counter::<1>(&log, SOUND))), 41_000);
}

#[test]
fn a_panic_while_folding_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let log = support::open(directory.path());
    fill(&log, 3_000);
    let runtime = counter::<1>(&log, SOUND);
    let panics = std::panic::AssertUnwindSafe(|| {
        runtime.catch_up(&|done, _| assert!(done < 16_000, "a caller's own mistake"))
    });
    assert!(std::panic::catch_unwind(panics).is_err());
    assert_eq!(total(&counts::<1>(&runtime)), 30_000);
}

#[test]
fn folding_cut_off_anywhere_goes_on_where_rows_and_checkpoint_are() {
    let directory = tempfile::tempdir().unwrap();
    fill(&support::open(directory.path()), 4_000);
    for fails_at in [17_000, 25_000, 39_990] {
        let runtime = counter::<1>(&support::open(directory.path()), fails_at);
        assert!(runtime.catch_up(&|_, _| {}).is_err());
        // The first fold builds beside: nothing serves before it is complete.
        assert_eq!(runtime.checkpoints().unwrap(), [(COUNTER, 0)]);
    }
    let log = support::open(directory.path());
    assert_eq!(total(&counts::<1>(&counter::<1>(&log, SOUND))), 40_000);
    let (_elsewhere, undisturbed) =
        support::fresh(&log, vec![Box::new(Counter::<1> { fails_at: SOUND })]);
    assert_eq!(
        counter::<1>(&log, SOUND).digest(COUNTER).unwrap(),
        undisturbed.digest(COUNTER).unwrap()
    );
}

#[test]
fn a_new_version_is_built_beside_and_then_serves() {
    let directory = tempfile::tempdir().unwrap();
    let log = support::open(directory.path());
    fill(&log, 2_500);
    assert_eq!(total(&counts::<1>(&counter::<1>(&log, SOUND))), 25_000);
    let one = counter::<1>(&log, SOUND);
    let before = one.digest(COUNTER).unwrap();
    // Cut off in the middle, the old rows are complete.
    assert!(counter::<2>(&log, 20_000).catch_up(&|_, _| {}).is_err());
    assert_eq!(one.digest(COUNTER).unwrap(), before);
    // The old code still keeps its own rows current beside the begun ones.
    fill(&log, 10);
    assert_eq!(total(&counts::<1>(&one)), 25_100);
    // Version 3 cannot resume the rows that version 2 began.
    assert_eq!(total(&counts::<3>(&counter::<3>(&log, SOUND))), 3 * 25_100);
    assert_eq!(total(&counts::<2>(&counter::<2>(&log, SOUND))), 2 * 25_100);
    assert!(counter::<2>(&log, SOUND).rebuild(COUNTER, &|_, _| {}).unwrap().identical);
}

#[test]
fn a_rebuild_that_was_cut_off_leaves_nothing_for_the_next_version() {
    let directory = tempfile::tempdir().unwrap();
    let log = support::open(directory.path());
    fill(&log, 2_000);
    let runtime = counter::<1>(&log, SOUND);
    let before = counts::<1>(&runtime);
    // By the time of the panic the first batch of the new rows is written.
    let cut = std::panic::AssertUnwindSafe(|| runtime.rebuild(COUNTER, &|_, _| panic!("cut off")));
    assert!(std::panic::catch_unwind(cut).is_err());
    assert_eq!(counts::<1>(&runtime), before);
    assert_eq!(total(&counts::<2>(&counter::<2>(&log, SOUND))), 40_000);
    assert!(counter::<2>(&log, SOUND).rebuild(COUNTER, &|_, _| {}).unwrap().identical);
}

#[test]
fn a_rebuild_gives_the_same_rows_in_every_projection() {
    let directory = tempfile::tempdir().unwrap();
    let log = support::open(directory.path());
    support::import(&log, &support::fixture("dirty").join("export"), "UTC");
    let runtime = Runtime::new(log.clone(), all());
    let head = support::catch_up(&runtime);
    for name in runtime.names().iter().copied() {
        let rebuilt = runtime.rebuild(name, &|_, _| {}).unwrap();
        assert!(rebuilt.identical && rebuilt.rows > 0, "{rebuilt:?}");
        assert_eq!(
            (rebuilt.position, runtime.digest(name).unwrap()),
            (head, (rebuilt.rows, rebuilt.digest_after))
        );
    }
    let error = runtime.rebuild(COUNTER, &|_, _| {}).unwrap_err();
    assert!(matches!(error, ProjectionError::Missing { name: "counter" }), "{error}");
}

#[test]
fn a_rebuild_sees_rows_that_are_not_what_events_make_of_them() {
    let directory = tempfile::tempdir().unwrap();
    let log = support::open(directory.path());
    fill(&log, 20);
    let runtime = counter::<1>(&log, SOUND);
    support::catch_up(&runtime);
    let stored = log.rows().snapshot();
    let (key, _) = stored.scan(b"rows/counter/").unwrap().next().unwrap().unwrap();
    let mut damage = rollbook_log::RowBatch::new();
    damage.put(&key, &[7]);
    log.rows().write(&damage).unwrap();
    let rebuilt = runtime.rebuild(COUNTER, &|_, _| {}).unwrap();
    assert!(!rebuilt.identical && rebuilt.digest_before != rebuilt.digest_after);
    assert_eq!(total(&counts::<1>(&runtime)), 200);
}

#[test]
fn rebuilding_while_others_append_and_read_ends_with_the_same_rows() {
    let directory = tempfile::tempdir().unwrap();
    let log = support::open(directory.path());
    fill(&log, 500);
    let (runtime, other) = (Runtime::new(log.clone(), all()), Runtime::new(log.clone(), all()));
    support::catch_up(&runtime);
    let done = AtomicBool::new(false);
    let (rebuilds, looks) = std::thread::scope(|scope| {
        let appends = scope.spawn(|| fill(&log, 400));
        let reads = scope.spawn(|| {
            let mut looks = 0;
            while !done.load(Ordering::Relaxed) {
                let head = log.head();
                let snapshot = other.snapshot().unwrap();
                let positions: Vec<u64> = positions(&snapshot);
                assert!(
                    positions.iter().all(|position| *position == positions[0] && *position >= head),
                    "{positions:?} at {head}"
                );
                looks += 1;
            }
            looks
        });
        let mut rebuilds = 0;
        while !appends.is_finished() || rebuilds < 10 {
            for name in runtime.names().iter().copied() {
                assert!(runtime.rebuild(name, &|_, _| {}).unwrap().identical, "{name}");
                rebuilds += 1;
            }
        }
        done.store(true, Ordering::Relaxed);
        appends.join().unwrap();
        (rebuilds, reads.join().unwrap())
    });
    assert!(rebuilds >= 10 && looks > 0, "{rebuilds} rebuilds, {looks} looks");
    support::catch_up(&runtime);
    let (_elsewhere, undisturbed) = support::fresh(&log, all());
    // The tree is over stored bytes, and the copy has its own instants.
    let tree = ProjectionName::of::<Tree>();
    for name in runtime.names().iter().copied().filter(|name| *name != tree) {
        assert_eq!(runtime.digest(name).unwrap(), undisturbed.digest(name).unwrap(), "{name}");
    }
}

/// The position of every projection.
fn positions(snapshot: &Snapshot) -> Vec<u64> {
    vec![
        snapshot.rows::<Directory>().unwrap().1,
        snapshot.view(View::Legacy).unwrap().1,
        snapshot.view(View::Precreated).unwrap().1,
        snapshot.rows::<Documents>().unwrap().1,
        snapshot.rows::<Names>().unwrap().1,
        snapshot.rows::<Tracker>().unwrap().1,
        snapshot.rows::<Tree>().unwrap().1,
    ]
}

#[test]
fn names_are_parsed_and_unknown_ones_refused() {
    for projection in all() {
        assert_eq!(
            projection.name().as_str().parse::<ProjectionName>().unwrap(),
            projection.name()
        );
    }
    for view in [View::Legacy, View::Precreated] {
        assert!(view.name().parse::<ProjectionName>().is_ok());
    }
    assert_eq!(
        "nothing".parse::<ProjectionName>().unwrap_err().to_string(),
        "there is no projection \"nothing\"; there are directory, legacy, precreated, documents, names, tracker, tree"
    );
}

#[test]
fn rows_that_are_not_folded_are_missing_and_not_empty() {
    let directory = tempfile::tempdir().unwrap();
    let log = support::open(directory.path());
    fill(&log, 10);
    let runtime = counter::<1>(&log, SOUND);
    let missing = |snapshot: &Snapshot| match snapshot.rows::<Counter<1>>() {
        Err(ProjectionError::Missing { name: "counter" }) => true,
        Ok(_) => false,
        Err(other) => panic!("{other}"),
    };
    // Nothing is folded yet.
    assert!(missing(&runtime.unfolded()));
    assert!(runtime.unfolded().find::<Counter<1>>().unwrap().is_none());
    assert_eq!(total(&counts::<1>(&runtime)), 100);
    assert!(!missing(&runtime.unfolded()));
    // Rows of another version are not read as if they were this version's.
    support::catch_up(&counter::<2>(&log, SOUND));
    assert!(missing(&runtime.unfolded()));
    // A runtime that keeps other projections has no rows of this one, although they are stored.
    assert_eq!(total(&counts::<1>(&runtime)), 100);
    let other = Runtime::new(log.clone(), vec![Box::new(Tree)]);
    assert!(missing(&other.snapshot().unwrap()));
}

#[test]
fn a_rebuild_takes_every_projection_along() {
    let directory = tempfile::tempdir().unwrap();
    let log = support::open(directory.path());
    fill(&log, 10);
    let runtime = Runtime::new(log.clone(), all());
    support::catch_up(&runtime);
    // Events that come while the new rows are built are folded at its end: into all rows, so that
    // they stay at one position.
    let rebuilt =
        runtime.rebuild(ProjectionName::of::<LegacyView>(), &|_, _| fill(&log, 1)).unwrap();
    assert!(rebuilt.identical && rebuilt.position > 100, "{rebuilt:?}");
    assert!(
        runtime
            .checkpoints()
            .unwrap()
            .iter()
            .all(|(_, checkpoint)| *checkpoint == rebuilt.position)
    );
}

#[test]
fn two_runtimes_over_one_store_count_nothing_twice() {
    let directory = tempfile::tempdir().unwrap();
    let log = support::open(directory.path());
    fill(&log, 1);
    let runtimes =
        [counter::<1>(&log, SOUND), counter::<1>(&log, SOUND), counter::<1>(&log, SOUND)];
    for round in 1..=40 {
        fill(&log, 10);
        std::thread::scope(|scope| {
            for runtime in &runtimes {
                scope.spawn(|| support::catch_up(runtime));
            }
        });
        assert_eq!(total(&counts::<1>(&runtimes[0])), 10 + round * 100);
    }
}

#[test]
fn a_snapshot_stays_as_it_is_and_the_next_one_has_everything() {
    let directory = tempfile::tempdir().unwrap();
    let log = support::open(directory.path());
    fill(&log, 10);
    let runtime = counter::<1>(&log, SOUND);
    let snapshot = runtime.snapshot().unwrap();
    fill(&log, 10);
    support::catch_up(&runtime);
    assert!(runtime.rebuild(COUNTER, &|_, _| {}).unwrap().identical);
    let (rows, position) = snapshot.rows::<Counter<1>>().unwrap();
    assert_eq!((read_row::<u64>(&rows, b"client/client-3").unwrap(), position), (Some(10), 100));
    let (rows, position) = (runtime.snapshot().unwrap(), 200);
    assert_eq!(
        (
            read_row::<u64>(&rows.rows::<Counter<1>>().unwrap().0, b"client/client-3").unwrap(),
            rows.rows::<Counter<1>>().unwrap().1
        ),
        (Some(20), position)
    );
}

/// Every file of the store with its bytes.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.display().to_string(), std::fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn reading_what_is_current_writes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    {
        let log = support::open(directory.path());
        support::import(&log, &support::fixture("clean").join("export"), "UTC");
        support::catch_up(&Runtime::new(log, all()));
    }
    let before = files(directory.path());
    {
        let runtime = Runtime::new(support::open(directory.path()), all());
        let folded = AtomicBool::new(false);
        runtime.catch_up(&|_, _| folded.store(true, Ordering::Relaxed)).unwrap();
        let answer =
            support::view(&runtime, View::Legacy, "nobody", support::at("2026-01-11T00:00:00Z"));
        assert!(answer.contains("\"total\":0"), "{answer}");
        assert!(!folded.into_inner());
    }
    assert!(files(directory.path()) == before, "a file changed");
    // An empty store is not made by looking at it.
    let nothing = tempfile::tempdir().unwrap();
    let runtime = Runtime::new(support::open(nothing.path()), all());
    assert_eq!(support::catch_up(&runtime), 0);
    let snapshot = runtime.snapshot().unwrap();
    assert_eq!(snapshot.view(View::Legacy).unwrap().1, 0);
    // Also there, a projection that the runtime does not keep is missing and not empty.
    assert!(matches!(
        snapshot.rows::<Counter<1>>().err(),
        Some(ProjectionError::Missing { name: "counter" })
    ));
    assert!(files(nothing.path()).keys().all(|file| !file.contains("CURRENT")));
}

#[test]
fn progress_ends_at_all_events() {
    let directory = tempfile::tempdir().unwrap();
    let log = support::open(directory.path());
    fill(&log, 3_500);
    let (sender, steps) = channel();
    let sender = std::sync::Mutex::new(sender);
    counter::<1>(&log, SOUND)
        .catch_up(&|done, of| sender.lock().unwrap().send((done, of)).unwrap())
        .unwrap();
    drop(sender);
    let steps: Vec<(u64, u64)> = steps.iter().collect();
    assert!(steps.len() > 1 && steps.is_sorted(), "{steps:?}");
    assert_eq!(steps.last(), Some(&(35_000, 35_000)));
}

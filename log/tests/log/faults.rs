//! A sync that fails, and a power cut, at every sync point of appending, of the keyring and of
//! copying a store. The scenario is the same every time, so the points have the same numbers every
//! time.

use std::fs::{self, File};
use std::path::Path;

use rollbook_domain::{Event, NewEvent, Personal, StreamId, Timestamp};
use rollbook_log::faults::{Faults, Plan, Survivors, SyncPoint};
use rollbook_log::{
    AppendError, Commit, KEYRING_FILE, Log, LogError, MasterKeySource, OpenOptions,
    StagedDirectory, SyncKind, durable,
};
use uuid::Uuid;

use crate::support::{commit, once_free};

const SURVIVORS: [Survivors; 3] = [Survivors::SyncedOnly, Survivors::Database, Survivors::Files];

/// Points of the scenario, and commits in it.
const POINTS: usize = 34;
/// The first of these points create the store. Appending tries again after a failure there.
const CREATION_POINTS: usize = 10;
const COMMITS: usize = 6;
/// Points whose failure poisons the store.
const POISONED: usize = 21;
/// Points of copying a store, and how many copies are complete after a fault.
const COPY_POINTS: usize = 7;
const COMPLETE_COPIES: u32 = 1;

/// An event with personal content, so that its client needs a key.
fn personal(client: u32, number: u32) -> Commit {
    let reason = Personal::new(format!("reason {number}"));
    let event = Event::ReopenRequested { run: 1, week: number, reason };
    let stream = StreamId::series(&format!("client-{client}"), "form");
    commit(vec![NewEvent { stream, id: None, occurred_at: Timestamp::EPOCH, event }])
}

const ERASURE: Uuid = Uuid::from_u128(77);

fn erasure_of(client: &str) -> Commit {
    let event = Event::ClientErased {
        client: client.to_owned(),
        ids: vec![client.to_owned()],
        reason: "asked for it".to_owned(),
    };
    let stream = StreamId::Client(client.to_owned());
    commit(vec![NewEvent { stream, id: Some(ERASURE), occurred_at: Timestamp::EPOCH, event }])
}

/// What a run of the scenario has achieved.
#[derive(Default)]
struct Run {
    /// The last position of each acknowledged commit, and the number of sync points by then.
    acknowledged: Vec<(u64, usize)>,
    erased: bool,
    rotated: bool,
    failure: Option<LogError>,
    log: Option<Log>,
}

impl Run {
    /// Creates a store, appends for two clients, erases one, rotates the master key, and appends
    /// again. Stops at the first failure. Leaves the log open.
    fn of(root: &Path, faults: &Faults) -> Self {
        let mut run = Self::default();
        if let Err(failure) = run.steps(root, faults) {
            run.failure = Some(failure);
        }
        run
    }

    fn steps(&mut self, root: &Path, faults: &Faults) -> Result<(), LogError> {
        let log = open(root, MasterKeySource::Beside)?;
        self.log = Some(log.clone());
        for (client, number) in [(1, 1), (1, 2), (2, 3)] {
            self.append(&log, faults, personal(client, number))?;
        }
        self.append(&log, faults, erasure_of("client-1"))?;
        self.erased = true;
        log.complete_erasure(ERASURE)?;
        self.append(&log, faults, personal(3, 4))?;
        log.rotate_master_key(&MasterKeySource::File(root.join("next-key")))?;
        self.rotated = true;
        self.append(&log, faults, personal(4, 5))
    }

    fn append(&mut self, log: &Log, faults: &Faults, commit: Commit) -> Result<(), LogError> {
        match log.append(commit) {
            Ok(committed) => {
                self.acknowledged.push((committed.last, faults.points().len()));
                Ok(())
            }
            Err(AppendError::Storage(error)) => {
                Err(std::sync::Arc::into_inner(error).expect("one caller has it"))
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    /// Checks a store after a failure: every acknowledged commit is there and readable, nothing is
    /// half there, and at most one more commit is.
    fn check(&self, root: &Path, what: &str) {
        let log = open(root, MasterKeySource::Beside)
            .or_else(|_| open(root, MasterKeySource::File(root.join("next-key"))))
            .unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert_eq!(log.verify(|_| ()).expect(what), log.head(), "{what}");
        let commits: Vec<u64> = log
            .commits_after(0)
            .map(|commit| commit.expect(what).last().unwrap().position)
            .collect();
        let acknowledged: Vec<u64> = self.acknowledged.iter().map(|(last, _)| *last).collect();
        assert!(commits.starts_with(&acknowledged), "{what}: {acknowledged:?}, found {commits:?}");
        assert!(commits.len() <= acknowledged.len() + 1, "{what}: {acknowledged:?}, {commits:?}");
        let is_erased = |client: &str| log.is_erased(&StreamId::Client(client.to_owned()));
        assert!(is_erased("client-1") || !self.erased, "{what}: the erasure is lost");
        assert!(!is_erased("client-2"), "{what}");
        for recorded in log.commits_after(0).flat_map(|commit| commit.expect(what)) {
            if let Event::ReopenRequested { week, reason, .. } = &recorded.event {
                assert_eq!(reason.expose(), Some(&format!("reason {week}")), "{what}");
            }
        }
        // The store takes commits again.
        log.append(personal(9, 9)).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    }
}

fn open(root: &Path, master_key: MasterKeySource) -> Result<Log, LogError> {
    let options = OpenOptions { create: true, master_key, ..OpenOptions::default() };
    once_free(|| Log::open(&root.join("store"), options.clone()))
}

/// Runs the scenario without a fault: its points, and the number of points before each
/// acknowledgement.
fn count() -> (Vec<SyncPoint>, Vec<usize>) {
    let root = tempfile::tempdir().unwrap();
    let faults = Faults::watch(root.path(), Plan::Count).unwrap();
    let mut run = Run::of(root.path(), &faults);
    assert!(run.failure.is_none(), "{:?}", run.failure);
    run.log = None;
    let points = faults.points();
    drop(faults);
    run.check(root.path(), "without a fault");
    (points, run.acknowledged.iter().map(|(_, points)| *points).collect())
}

/// How many commits are acknowledged before the n-th sync point.
fn acknowledged_before(number: usize, acknowledged_at: &[usize]) -> usize {
    acknowledged_at.iter().filter(|points| **points < number).count()
}

#[test]
fn the_sync_points_of_appending_and_of_the_keyring() {
    let (points, acknowledged_at) = count();
    for (number, SyncPoint { kind, path }) in (1..).zip(&points) {
        let before = acknowledged_before(number, &acknowledged_at);
        println!("{number:>3} {kind:?} {} ({before} acknowledged)", path.display());
    }
    println!("{} sync points, {} commits acknowledged", points.len(), acknowledged_at.len());
    assert_eq!((points.len(), acknowledged_at.len()), (POINTS, COMMITS));
}

#[test]
fn a_sync_that_fails_once_acknowledges_nothing_and_poisons_the_store() {
    let (points, acknowledged_at) = count();
    let (mut poisoned, mut acknowledged) = (0, 0);
    for (number, point) in (1..).zip(&points) {
        let what = format!("{point:?}, number {number}, fails");
        let root = tempfile::tempdir().unwrap();
        let faults = Faults::watch(root.path(), Plan::FailOnce(number)).unwrap();
        let mut run = Run::of(root.path(), &faults);
        let expected = acknowledged_before(number, &acknowledged_at);
        assert_eq!(run.acknowledged.len(), expected, "{what}");
        acknowledged += expected;
        if let Some(failure) = &run.failure {
            assert!(failure.to_string().contains("; "), "{what}: no next step in {failure}");
            let log = run.log.take().unwrap();
            // Before the store exists, and where the store is not touched, it may be tried again.
            let of_store = point.path.starts_with("store") && number > CREATION_POINTS;
            match log.append(personal(8, 8)) {
                Err(AppendError::Storage(error)) => {
                    assert!(
                        of_store && matches!(&*error, LogError::Poisoned(_)),
                        "{what}: {error:?}"
                    );
                    assert!(error.to_string().contains("then open the store again"), "{error}");
                    poisoned += 1;
                }
                other => {
                    let committed = other.unwrap_or_else(|error| panic!("{what}: {error:?}"));
                    assert!(!of_store, "{what}: appended after a failed sync");
                    run.acknowledged.push((committed.last, number));
                }
            }
        }
        run.log = None;
        assert!(faults.struck(), "{what}: it was not reached");
        drop(faults);
        run.check(root.path(), &what);
    }
    println!("{} failed, {poisoned} poisoned the store, {acknowledged} acknowledged", points.len());
    assert_eq!(poisoned, POISONED);
}

#[test]
fn what_was_not_synced_at_a_power_cut_is_lost_and_what_was_acknowledged_is_not() {
    let (points, acknowledged_at) = count();
    let mut acknowledged = 0;
    for (number, point) in (1..).zip(&points) {
        let root = tempfile::tempdir().unwrap();
        let faults = Faults::watch(root.path(), Plan::CutAt(number)).unwrap();
        let mut run = Run::of(root.path(), &faults);
        run.log = None;
        assert!(faults.struck(), "{point:?}, number {number}, was not reached");
        let expected = acknowledged_before(number, &acknowledged_at);
        assert_eq!(run.acknowledged.len(), expected, "{point:?}, number {number}");
        acknowledged += expected;
        for survivors in SURVIVORS {
            let after = tempfile::tempdir().unwrap();
            faults.lay(survivors, after.path()).unwrap();
            run.check(after.path(), &format!("cut at {point:?}, number {number}, {survivors:?}"));
        }
    }
    println!(
        "{} cuts, each with {} outcomes, {acknowledged} acknowledged",
        points.len(),
        SURVIVORS.len()
    );
}

/// Copies a store as a backup does: a checkpoint in a staged directory, its files synced,
/// published.
fn copy(log: &Log, target: &Path) -> Result<(), LogError> {
    let staged = StagedDirectory::begin(target)?;
    log.checkpoint(staged.path())?;
    let keyring = staged.path().join(KEYRING_FILE);
    File::open(&keyring)
        .and_then(|file| durable::sync_file(&keyring, &file))
        .map_err(|source| LogError::File { doing: "sync", path: keyring, source })?;
    Log::found(staged.path())?;
    staged.publish()
}

/// Checks that a copy is absent or complete.
fn check_copy(root: &Path, master_key: &Path, what: &str) -> bool {
    let target = root.join("copy");
    if !target.exists() {
        return false;
    }
    let options = OpenOptions {
        master_key: MasterKeySource::File(master_key.to_owned()),
        ..OpenOptions::default()
    };
    let log = once_free(|| Log::open(&target, options.clone())).expect(what);
    assert_eq!((log.verify(|_| ()).expect(what), log.head()), (2, 2), "{what}");
    true
}

#[test]
fn a_copy_that_is_interrupted_at_any_sync_is_absent_or_complete() {
    let home = tempfile::tempdir().unwrap();
    let log = open(home.path(), MasterKeySource::Beside).unwrap();
    for number in 1..=2 {
        log.append(personal(number, number)).unwrap();
    }
    let master_key = home.path().join("store.master-key");
    let root = tempfile::tempdir().unwrap();
    let faults = Faults::watch(root.path(), Plan::Count).unwrap();
    copy(&log, &root.path().join("copy")).unwrap();
    let points = faults.points();
    drop(faults);
    assert!(check_copy(root.path(), &master_key, "without a fault"));
    println!("{} sync points: {points:?}", points.len());
    assert_eq!(points.len(), COPY_POINTS);
    assert_eq!(points[0].kind, SyncKind::Checkpoint);
    let mut complete = 0;
    for number in 1..=points.len() {
        for plan in [Plan::FailOnce(number), Plan::CutAt(number)] {
            let what = format!("{plan:?} of {:?}", points[number - 1]);
            let root = tempfile::tempdir().unwrap();
            let faults = Faults::watch(root.path(), plan).unwrap();
            let failure = copy(&log, &root.path().join("copy")).expect_err(&what);
            assert!(faults.struck() && failure.to_string().contains("; "), "{what}: {failure}");
            if plan == Plan::FailOnce(number) {
                complete += u32::from(check_copy(root.path(), &master_key, &what));
                continue;
            }
            for survivors in SURVIVORS {
                let after = tempfile::tempdir().unwrap();
                faults.lay(survivors, after.path()).unwrap();
                complete += u32::from(check_copy(after.path(), &master_key, &what));
            }
        }
    }
    println!("{complete} of {} copies are complete", 4 * points.len());
    // Only if the power is cut between the rename and the sync of the directory around it.
    assert_eq!(complete, COMPLETE_COPIES);
    fs::remove_dir_all(root.path()).unwrap();
}

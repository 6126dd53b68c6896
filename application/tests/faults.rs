//! A sync that fails, and a power cut, at every sync point of taking a backup and of restoring one.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rollbook_application::backup::{BackupError, BackupReport, BackupRequest, Backups, State};
use rollbook_application::store::Store;
use rollbook_log::faults::{Faults, Plan, Survivors, SyncPoint};
use rollbook_log::{MasterKeySource, SyncKind};
use tempfile::TempDir;

use crate::support::{
    allocation, backing_up, client, copy_directory, erasure, is_erased, open, request,
};

const SURVIVORS: [Survivors; 3] = [Survivors::SyncedOnly, Survivors::Database, Survivors::Files];

/// The sync points of taking a backup, and of restoring one.
const BACKUP_POINTS: usize = 35;
const RESTORE_POINTS: usize = 27;
/// The commits that are acknowledged before the backup that is restored, and altogether.
const BACKED_UP_COMMITS: usize = 6;
const COMMITS: usize = 8;

/// A store `prod` in which client-2 is erased, a backup `first` of it, and after that backup the
/// erasure of client-3. `prod` is not open.
struct Template {
    home: TempDir,
    /// The head of the backup.
    backed_up: u64,
    /// The head of the store.
    head: u64,
}

fn template() -> &'static Template {
    static TEMPLATE: OnceLock<Template> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("prod");
        let store = Store::open(&data, true).unwrap();
        for id in ["client-1", "client-2", "client-3"] {
            store.log().append(client(id)).unwrap();
        }
        erase(&store, "client-2");
        for id in ["client-1", "client-3"] {
            let (stream, command) = allocation(id);
            store.command(&stream, &command, &request()).unwrap();
        }
        let created = back_up(&store, &Backups::of(&data), Some("first")).unwrap();
        erase(&store, "client-3");
        let (backed_up, head) = (created.manifest.head, store.log().head());
        drop(store);
        Template { home, backed_up, head }
    })
}

fn erase(store: &Store, client: &str) {
    let commit = erasure(client);
    let id = commit.events[0].id.unwrap();
    store.log().append(commit).unwrap();
    store.runtime().refold(&|_, _| {}).unwrap();
    store.log().complete_erasure(id).unwrap();
}

fn back_up(store: &Store, to: &Backups, name: Option<&str>) -> Result<BackupReport, BackupError> {
    let wanted =
        BackupRequest { name: name.map(str::to_owned), actor: request().actor, now: request().now };
    store.back_up(to, &wanted, &|_, _, _| {})
}

fn data(home: &Path) -> PathBuf {
    home.join("prod")
}

/// Where new backups go: neither this directory nor the one above it exists.
fn backups(home: &Path) -> Backups {
    Backups::at(home.join("archive").join("backups"))
}

/// Where a backup is restored to. The directory around it does not exist.
fn restored(home: &Path) -> PathBuf {
    home.join("elsewhere").join("restored")
}

fn restore(home: &Path) -> Result<(), BackupError> {
    let backups = Backups::of(&data(home));
    let key = MasterKeySource::Beside;
    backups.restore("first", &restored(home), &key, &[], &|_, _, _| {}).map(drop)
}

fn copy_of_template() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    copy_directory(template().home.path(), home.path());
    home
}

fn assert_names_the_next_step(error: &BackupError, what: &str) {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    assert!(text.contains("; "), "{what}: no next step in {text}");
}

/// Checks that every commit up to an acknowledged position is in a store; how many those are.
fn check_store(store: &Store, head: u64, what: &str) -> usize {
    assert_eq!(store.log().verify(|_| ()).expect(what), store.log().head(), "{what}");
    assert!(store.log().head() >= head, "{what}: {} of {head} events", store.log().head());
    let commits = store.log().commits_after(0).map(|commit| commit.expect(what));
    commits.take_while(|commit| commit.last().unwrap().position <= head).count()
}

/// Checks that each directory under a backup's name is a complete backup; how many there are.
fn check_backups(home: &Path, what: &str) -> usize {
    let backups = backups(home);
    let listed = backups.list().unwrap();
    for one in &listed {
        assert_eq!(one.state, State::Whole, "{what}: {:?}", one.findings);
        let key = MasterKeySource::File(home.join("prod.master-key"));
        let verified = backups.verify(&one.name, None, &key, &|_, _, _| {});
        verified.unwrap_or_else(|error| panic!("{what}: {}: {error:?}", one.name));
    }
    listed.len()
}

/// Checks a restored store; `false` where there is none.
fn check_restored(home: &Path, what: &str) -> bool {
    let path = restored(home);
    if path.symlink_metadata().is_err() {
        return false;
    }
    let store = open(&path);
    let backed_up = template().backed_up;
    assert_eq!(check_store(&store, backed_up, what), BACKED_UP_COMMITS, "{what}");
    assert_eq!(store.log().head(), backed_up + 1, "{what}: the erasure");
    for client in ["client-2", "client-3"] {
        assert!(is_erased(&store, client), "{what}: {client} is back");
    }
    assert!(!is_erased(&store, "client-1"), "{what}");
    assert!(store.log().erasures().iter().all(|erasure| erasure.complete), "{what}");
    store.catch_up(&|_, _| {}).unwrap();
    true
}

fn print(points: &[SyncPoint]) {
    for (number, SyncPoint { kind, path }) in (1..).zip(points) {
        println!("{number:>3} {kind:?} {}", path.display());
    }
}

fn backup_points() -> Vec<SyncPoint> {
    let home = copy_of_template();
    let store = open(&data(home.path()));
    let faults = Faults::watch(home.path(), Plan::Count).unwrap();
    back_up(&store, &backups(home.path()), None).unwrap();
    faults.points()
}

fn restore_points() -> Vec<SyncPoint> {
    let home = copy_of_template();
    let faults = Faults::watch(home.path(), Plan::Count).unwrap();
    restore(home.path()).unwrap();
    faults.points()
}

/// Checks a failure that was not reported: closing a log syncs what is durable already, and only
/// makes the next opening slower when it fails.
fn assert_is_of_closing(point: &SyncPoint, what: &str) {
    assert_eq!(point.kind, SyncKind::TableFiles, "{what}: the failure is not reported");
}

#[test]
fn the_sync_points_of_a_backup_and_of_a_restore() {
    let _one = backing_up();
    let (backup, restore) = (backup_points(), restore_points());
    println!("{} sync points of a backup", backup.len());
    print(&backup);
    println!("{} sync points of a restore", restore.len());
    print(&restore);
    assert_eq!((backup.len(), restore.len()), (BACKUP_POINTS, RESTORE_POINTS));
}

#[test]
fn a_backup_whose_sync_fails_once_is_absent_or_whole_and_is_taken_at_the_next_attempt() {
    let _one = backing_up();
    let points = backup_points();
    let (mut whole, mut commits) = (0, 0);
    for (number, point) in (1..).zip(&points) {
        let what = format!("{point:?}, number {number}, fails");
        let home = copy_of_template();
        let store = open(&data(home.path()));
        let faults = Faults::watch(home.path(), Plan::FailOnce(number)).unwrap();
        let taken = back_up(&store, &backups(home.path()), None);
        assert!(faults.struck(), "{what}: it was not reached");
        let is_whole = match &taken {
            Ok(_) => {
                assert_is_of_closing(point, &what);
                true
            }
            Err(failure) => {
                assert_names_the_next_step(failure, &what);
                matches!(failure, BackupError::NotRecorded { .. })
            }
        };
        let listed = check_backups(home.path(), &what);
        assert_eq!(listed, usize::from(is_whole), "{what}: {taken:?}");
        whole += listed;
        let store = match store.log().require_sound() {
            Ok(()) => store,
            Err(_poisoned) => {
                drop(store);
                open(&data(home.path()))
            }
        };
        let created = back_up(&store, &backups(home.path()), None)
            .unwrap_or_else(|error| panic!("{what}, then: {error:?}"));
        assert_eq!(store.log().head(), created.position, "{what}");
        assert_eq!(check_backups(home.path(), &what), listed + 1, "{what}");
        commits += check_store(&store, template().head, &what);
    }
    println!("{} failed, {whole} backups whole, {commits} commits checked", points.len());
    // The record of the backup fails when the backup is complete.
    assert_eq!((points.len(), whole, commits), (BACKUP_POINTS, 1, BACKUP_POINTS * COMMITS));
}

#[test]
fn a_backup_that_a_power_cut_interrupts_is_absent_or_whole() {
    let _one = backing_up();
    let points = backup_points();
    let (mut whole, mut commits) = (0, 0);
    for (number, point) in (1..).zip(&points) {
        let home = copy_of_template();
        let store = open(&data(home.path()));
        let faults = Faults::watch(home.path(), Plan::CutAt(number)).unwrap();
        let _failure = back_up(&store, &backups(home.path()), None).expect_err("the power is cut");
        drop(store);
        assert!(faults.struck(), "{point:?}, number {number}, was not reached");
        for survivors in SURVIVORS {
            let what = format!("cut at {point:?}, number {number}, {survivors:?}");
            let after = tempfile::tempdir().unwrap();
            faults.lay(survivors, after.path()).unwrap();
            let store = open(&data(after.path()));
            commits += check_store(&store, template().head, &what);
            let listed = check_backups(after.path(), &what);
            whole += listed;
            back_up(&store, &backups(after.path()), None)
                .unwrap_or_else(|error| panic!("{what}, then: {error:?}"));
            assert_eq!(backups(after.path()).list().unwrap().len(), listed + 1, "{what}");
        }
    }
    let outcomes = SURVIVORS.len() * points.len();
    println!("{outcomes} outcomes of cuts, {whole} backups whole, {commits} commits checked");
    // Cut before the directory around the name is synced, where unsynced names survive, and before
    // the record of the backup.
    assert_eq!((outcomes, whole, commits), (3 * BACKUP_POINTS, 1 + 3, outcomes * COMMITS));
}

#[test]
fn a_restore_whose_sync_fails_once_leaves_no_store_and_succeeds_at_the_next_attempt() {
    let points = {
        let _one = backing_up();
        restore_points()
    };
    let mut closing = 0;
    for (number, point) in (1..).zip(&points) {
        let what = format!("{point:?}, number {number}, fails");
        let home = copy_of_template();
        let faults = Faults::watch(home.path(), Plan::FailOnce(number)).unwrap();
        let done = restore(home.path());
        assert!(faults.struck(), "{what}: it was not reached");
        match done {
            Ok(()) => {
                assert_is_of_closing(point, &what);
                closing += 1;
            }
            Err(failure) => {
                assert_names_the_next_step(&failure, &what);
                assert!(!check_restored(home.path(), &what), "{what}: there is a store");
                restore(home.path()).unwrap_or_else(|error| panic!("{what}, then: {error:?}"));
            }
        }
        assert!(check_restored(home.path(), &what), "{what}");
    }
    println!("{} failed, {closing} of them without an effect", points.len());
    assert_eq!((points.len(), closing), (RESTORE_POINTS, 1));
}

#[test]
fn a_store_whose_restore_a_power_cut_interrupts_is_absent_or_complete() {
    let points = {
        let _one = backing_up();
        restore_points()
    };
    let mut complete = 0;
    for (number, point) in (1..).zip(&points) {
        let home = copy_of_template();
        let faults = Faults::watch(home.path(), Plan::CutAt(number)).unwrap();
        let _failure = restore(home.path()).expect_err("the power is cut");
        assert!(faults.struck(), "{point:?}, number {number}, was not reached");
        for survivors in SURVIVORS {
            let what = format!("cut at {point:?}, number {number}, {survivors:?}");
            let after = tempfile::tempdir().unwrap();
            faults.lay(survivors, after.path()).unwrap();
            if check_restored(after.path(), &what) {
                complete += 1;
            } else {
                restore(after.path()).unwrap_or_else(|error| panic!("{what}, then: {error:?}"));
                assert!(check_restored(after.path(), &what), "{what}");
            }
        }
    }
    let outcomes = SURVIVORS.len() * points.len();
    println!("{outcomes} outcomes of cuts, {complete} complete, {BACKED_UP_COMMITS} commits each");
    // Only if the power is cut before the directory around the name is synced, where unsynced names
    // survive.
    assert_eq!((outcomes, complete), (3 * RESTORE_POINTS, 1));
}

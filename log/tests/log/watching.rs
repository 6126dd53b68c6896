//! What an operator sees of a running log: written groups, and a store directory that disappears.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rollbook_log::{
    AppendError, ExpectedVersion, GroupWritten, Log, LogError, Observer, OpenOptions,
};

use crate::support::{Conditions, events_of, files, open, stream};

#[derive(Default)]
struct Notes(Mutex<Vec<(u64, usize)>>);

impl Observer for Notes {
    fn group_written(&self, group: &GroupWritten<'_>) {
        assert!(
            group.waits.iter().all(|wait| *wait >= group.write_duration || group.waits.len() > 1)
        );
        self.0.lock().unwrap().push((group.events, group.waits.len()));
    }
}

#[test]
fn an_observer_is_told_of_every_new_commit_once_and_of_no_repeat_and_no_refusal() {
    let dir = tempfile::tempdir().unwrap();
    let notes = Arc::new(Notes::default());
    let options =
        OpenOptions { create: true, observer: Some(notes.clone()), ..OpenOptions::default() };
    let log = Log::open(&dir.path().join("store"), options).unwrap();
    log.append(events_of(&stream(1), 3).under("key", 1)).unwrap();
    assert!(log.append(events_of(&stream(1), 3).under("key", 1)).unwrap().repeated);
    log.append(events_of(&stream(1), 3).under("key", 2)).unwrap_err();
    assert_eq!(*notes.0.lock().unwrap(), [(3, 1)]);
    let pending: Vec<_> = (2..12).map(|number| log.submit(events_of(&stream(number), 2))).collect();
    pending.into_iter().for_each(|pending| assert!(!pending.wait().unwrap().repeated));
    let notes = notes.0.lock().unwrap();
    assert_eq!(
        notes.iter().fold((0, 0), |(events, commits), note| (events + note.0, commits + note.1)),
        (23, 11)
    );
}

fn lost(log: &Log) -> bool {
    match log.append(events_of(&stream(9), 1)) {
        Err(AppendError::Storage(error)) => matches!(*error, LogError::Lost { .. }),
        other => panic!("{other:?}"),
    }
}

/// A store with a commit, open for writing.
fn written(dir: &Path) -> Log {
    let log = open(dir);
    log.append(events_of(&stream(1), 1)).unwrap();
    log
}

#[test]
fn a_directory_that_is_moved_away_takes_no_commit_and_goes_on_when_it_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let (store, away) = (dir.path().join("store"), dir.path().join("away"));
    let log = written(&store);
    log.require_sound().unwrap();
    fs::rename(&store, &away).unwrap();
    let before = files(&away);
    assert!(lost(&log) && matches!(log.require_sound(), Err(LogError::Lost { .. })));
    assert!(files(&away) == before && !store.exists(), "a refused commit wrote something");
    // A copy in its place is not the one that is open.
    for (path, bytes) in &before {
        let copy = store.join(path.strip_prefix(&away).unwrap_or(path));
        match bytes {
            None => fs::create_dir_all(copy).unwrap(),
            Some(bytes) => {
                fs::create_dir_all(copy.parent().unwrap()).unwrap();
                fs::write(copy, bytes).unwrap();
            }
        }
    }
    assert!(store.join("db/CURRENT").exists() && lost(&log));
    fs::remove_dir_all(&store).unwrap();
    fs::rename(&away, &store).unwrap();
    log.require_sound().unwrap();
    assert_eq!(log.append(events_of(&stream(2), 1)).unwrap().last, 2);
    // What was decided on and not written has left no version behind.
    let next = events_of(&stream(9), 1).expecting(&stream(9), ExpectedVersion::NoStream);
    assert_eq!(log.append(next).unwrap().last, 3);
}

#[test]
fn a_deleted_directory_or_database_takes_no_commit_and_is_not_made_again() {
    for deleted in ["store", "store/db"] {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("store");
        drop(written(&store));
        // One that is open for reading only, and one that writes.
        for writes in [false, true] {
            let log = open(&store);
            let head = log.head();
            if writes {
                log.append(events_of(&stream(2), 1)).unwrap();
                fs::remove_dir_all(dir.path().join(deleted)).unwrap();
                assert!(lost(&log), "{deleted}");
                assert!(!dir.path().join(deleted).exists(), "{deleted} was made again");
            } else {
                fs::rename(dir.path().join(deleted), dir.path().join("away")).unwrap();
                assert!(lost(&log), "{deleted}");
                assert!(!dir.path().join(deleted).exists(), "{deleted} was made again");
                fs::rename(dir.path().join("away"), dir.path().join(deleted)).unwrap();
                assert_eq!(log.head(), head);
            }
        }
    }
}

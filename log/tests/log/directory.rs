//! Opening: which directories are stores, the lock, and that no byte on disk changes before the
//! first commit is accepted.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rollbook_log::{AppendError, ExpectedVersion, Log, LogError, OpenOptions, RowBatch};

use crate::support::{
    Conditions, as_child, child, child_dir, commit, events_of, files, open, stream,
};

fn open_error(dir: &Path, create: bool) -> LogError {
    match Log::open(dir, OpenOptions { create, ..OpenOptions::default() }) {
        Ok(_) => panic!("{} opened", dir.display()),
        Err(error) => error,
    }
}

/// A closed store with two commits that have keys.
fn sample(dir: &Path) {
    let log = open(dir);
    log.append(events_of(&stream(1), 2).under("key", 1)).unwrap();
    log.append(events_of(&stream(2), 1)).unwrap();
}

#[test]
fn opening_reading_and_refusing_change_no_byte() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    sample(&store);
    let before = files(&store);
    {
        let log = open(&store);
        assert_eq!(log.commits_after(0).map(|commit| commit.unwrap().len()).sum::<usize>(), 3);
        assert_eq!(log.stream(&stream(1), 0).unwrap().len(), 2);
        log.digest(3).unwrap();
        log.verify(|_| ()).unwrap();
        assert_eq!(log.rows().snapshot().scan(b"").unwrap().count(), 0);
        log.rows().write(&RowBatch::new()).unwrap();
        let refusals = [
            commit(Vec::new()),
            events_of(&stream(1), 1).expecting(&stream(1), ExpectedVersion::NoStream),
            events_of(&stream(1), 1).under("key", 2),
            events_of(&stream(1), 1).with_id(log.at(1).unwrap().unwrap().id),
        ];
        refusals.into_iter().for_each(|refused| drop(log.append(refused).unwrap_err()));
        assert!(log.append(events_of(&stream(1), 2).under("key", 1)).unwrap().repeated);
        assert!(files(&store) == before, "while it is open");
    }
    assert!(files(&store) == before, "after it was closed");
}

#[test]
fn a_new_store_is_not_made_before_its_first_commit() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("deep").join("store");
    let id = {
        let log = open(&missing);
        assert_eq!(
            (log.head(), log.commits_after(0).count(), log.streams_with_prefix("").unwrap().len()),
            (0, 0, 0)
        );
        assert!(
            log.append(events_of(&stream(1), 1).expecting(&stream(1), ExpectedVersion::Exact(1)))
                .is_err()
        );
        assert!(!dir.path().join("deep").exists());
        log.append(events_of(&stream(1), 1)).unwrap();
        assert_eq!(fs::read_to_string(missing.join("FORMAT")).unwrap(), "rollbook-store 1\n");
        log.store_id()
    };
    let log = Log::open(&missing, OpenOptions::default()).unwrap();
    assert_eq!((log.store_id(), log.head()), (id, 1));

    let empty = dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    sample(&empty);
    assert_eq!(open(&empty).head(), 3);
    assert_ne!(open(&empty).store_id(), id);
}

#[test]
fn a_store_whose_making_was_interrupted_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    fs::create_dir_all(store.join("db")).unwrap();
    fs::write(store.join("FORMAT"), "").unwrap();
    fs::write(store.join("db/MANIFEST-000001"), "cut").unwrap();
    let error = open_error(&store, false);
    assert!(matches!(error, LogError::Missing { .. }), "{error:?}");
    sample(&store);
    assert_eq!(open(&store).head(), 3);

    // An empty FORMAT beside events is no such store: nothing may be appended to what looks like
    // nothing.
    fs::write(store.join("FORMAT"), "").unwrap();
    let error = open(&store).append(events_of(&stream(1), 1)).unwrap_err();
    let AppendError::Storage(error) = error else { panic!("{error:?}") };
    assert!(error.to_string().contains("write `rollbook-store 1` into FORMAT"), "{error}");
}

#[test]
fn what_is_no_store_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    assert!(matches!(open_error(&at("missing"), false), LogError::Missing { .. }));
    fs::create_dir(at("empty")).unwrap();
    assert!(matches!(open_error(&at("empty"), false), LogError::Missing { .. }));
    fs::write(at("file"), "x").unwrap();
    fs::create_dir(at("other")).unwrap();
    fs::write(at("other/notes.txt"), "x").unwrap();
    fs::create_dir(at("foreign")).unwrap();
    fs::write(at("foreign/FORMAT"), "something else 3\n").unwrap();
    let before = files(dir.path());
    for name in ["file", "other", "foreign"] {
        for create in [false, true] {
            let error = open_error(&at(name), create);
            assert!(matches!(error, LogError::NotAStore { .. }), "{name}: {error:?}");
            assert!(error.to_string().contains(name), "{error}");
        }
    }
    assert!(files(dir.path()) == before);
}

#[test]
fn a_store_that_lost_its_database_is_not_an_empty_one() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    sample(&store);
    fs::remove_file(store.join("db/CURRENT")).unwrap();
    let error = open_error(&store, true);
    assert!(matches!(error, LogError::Database { .. }), "{error:?}");
    fs::remove_dir_all(store.join("db")).unwrap();
    let error = open_error(&store, true);
    assert!(matches!(error, LogError::File { .. }), "{error:?}");
    assert!(!store.join("db").exists());
}

#[test]
fn a_newer_store_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    sample(&store);
    fs::write(store.join("FORMAT"), "rollbook-store 2\n").unwrap();
    let before = files(&store);
    let LogError::NewerStore { found, supported, .. } = open_error(&store, true) else {
        panic!("format 2 opened")
    };
    assert_eq!((found, supported), (2, 1));
    assert!(files(&store) == before);
}

#[test]
#[ignore = "run by in_use_by_another_process"]
fn child_holds_the_store() {
    let Some(dir) = child_dir() else { return };
    let _log = Log::open(&dir, OpenOptions::default()).unwrap();
    println!("open");
    std::io::stdout().flush().unwrap();
    // Until the parent closes the pipe.
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn in_use_by_another_process() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    sample(&store);
    let mut holder =
        child("directory::child_holds_the_store", &store).stdin(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("open")), "the child opened the store");
    let error = open_error(&store, true);
    assert!(matches!(error, LogError::InUse { .. }), "{error:?}");
    drop(holder.stdin.take());
    assert!(holder.wait().unwrap().success());
    assert_eq!(open(&store).head(), 3);
}

#[test]
fn in_use_by_another_handle_of_this_process() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    sample(&store);
    let log = open(&store);
    assert!(matches!(open_error(&store, true), LogError::InUse { .. }));
    let clone = log.clone();
    drop(log);
    assert!(matches!(open_error(&store, true), LogError::InUse { .. }));
    drop(clone);
    assert_eq!(open(&store).head(), 3);
}

#[test]
fn a_store_that_another_made_in_the_meantime_is_not_written_into() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    let (late, first) = (open(&store), open(&store));
    first.append(events_of(&stream(1), 1)).unwrap();
    let refusal = |log: &Log| match log.append(events_of(&stream(1), 1)).unwrap_err() {
        AppendError::Storage(error) => error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(&*refusal(&late), LogError::InUse { .. }));
    drop(first);
    let error = refusal(&late);
    assert!(matches!(&*error, LogError::MadeMeanwhile { .. }), "{error:?}");
    drop(late);
    assert_eq!(open(&store).head(), 1);
}

#[test]
#[ignore = "run by a_read_only_directory_is_read_and_not_written"]
fn child_meets_a_read_only_directory() {
    let Some(dir) = child_dir() else { return };
    let log = Log::open(&dir.join("store"), OpenOptions::default()).unwrap();
    assert_eq!(log.commits_after(0).map(|commit| commit.unwrap().len()).sum::<usize>(), 3);
    let new = Log::open(&dir.join("new"), OpenOptions { create: true, ..OpenOptions::default() })
        .unwrap();
    for log in [log, new] {
        let error = log.append(events_of(&stream(1), 1)).unwrap_err();
        let AppendError::Storage(error) = error else { panic!("{error:?}") };
        assert!(matches!(&*error, LogError::ReadOnly { .. }), "{error:?}");
        // A store that cannot be written is not poisoned by trying.
        let again = log.append(events_of(&stream(1), 1)).unwrap_err();
        assert!(
            matches!(&again, AppendError::Storage(error) if matches!(**error, LogError::ReadOnly { .. })),
            "{again:?}"
        );
    }
    println!("all refused");
}

#[test]
fn a_read_only_directory_is_read_and_not_written() {
    let dir = tempfile::tempdir().unwrap();
    sample(&dir.path().join("store"));
    // Root writes where it may not, so the child is somebody else; the binary goes where everybody
    // may run it.
    let binary = dir.path().join("test-binary");
    fs::copy(std::env::current_exe().unwrap(), &binary).unwrap();
    for (path, bytes) in files(dir.path()) {
        let mode = if bytes.is_none() || path == binary { 0o555 } else { 0o444 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let before = files(dir.path());
    let mut command = Command::new(&binary);
    as_child(&mut command, "directory::child_meets_a_read_only_directory", dir.path());
    if permissions_do_not_bind() {
        command.uid(65_534).gid(65_534);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("all refused"),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(files(dir.path()) == before);
    for (path, bytes) in files(dir.path()) {
        if bytes.is_none() {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
}

/// Whether this process ignores permissions: it can write into a read-only directory.
fn permissions_do_not_bind() -> bool {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o555)).unwrap();
    fs::write(dir.path().join("file"), "").is_ok()
}

//! A full disk: the log rejects writes with an error, and resumes after there is space again.
//!
//! The test sets a limit on the size of files. A write beyond it fails as on a full disk.

use std::process::Command;

use rollbook_log::{AppendError, Log, LogError, OpenOptions, RowBatch};

use crate::support::{
    as_child, child_dir, commit, events_of, large_event, numbers_after, open, stream,
};

#[test]
#[ignore = "run by a_full_disk_poisons_the_log_and_loses_nothing"]
fn child_fills_the_disk() {
    let Some(dir) = child_dir() else { return };
    let log = Log::open(&dir, OpenOptions::default()).unwrap();
    let failure = loop {
        match log.append(commit(vec![large_event(stream(1), 10_000)])) {
            Ok(committed) => println!("acknowledged {}", committed.last),
            Err(failure) => break failure,
        }
    };
    let poisoned = |error: &LogError| matches!(error, LogError::Poisoned(_));
    let AppendError::Storage(error) = failure else { panic!("{failure:?}") };
    assert!(poisoned(&error), "{error:?}");
    assert!(
        error.to_string().contains("free disk space or repair the disk, then open the store again"),
        "{error}"
    );
    let head = log.head();
    // Even what would fit now is refused: nothing may follow what may or may not be on disk.
    let later = log.append(events_of(&stream(2), 1)).unwrap_err();
    assert!(matches!(&later, AppendError::Storage(error) if poisoned(error)), "{later:?}");
    let mut rows = RowBatch::new();
    rows.put(b"a", b"b");
    let rows = log.rows().write(&rows).unwrap_err();
    assert!(poisoned(&rows), "{rows:?}");
    // What was acknowledged is still read.
    assert_eq!(log.commits_after(0).flat_map(|commit| commit.unwrap()).count() as u64, head);
    println!("refused at {head}");
}

#[test]
fn a_full_disk_poisons_the_log_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    open(&store).append(events_of(&stream(1), 1)).unwrap();
    // Without the signal, which would kill, the write fails. 512 blocks of 512 or 1024 bytes.
    let mut command = Command::new("sh");
    command
        .args(["-c", r#"trap "" XFSZ; ulimit -f 512; exec "$0" "$@""#])
        .arg(std::env::current_exe().unwrap());
    as_child(&mut command, "full_disk::child_fills_the_disk", &store);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let acknowledged = numbers_after("acknowledged ", &text);
    assert!(acknowledged.len() > 10, "{text}");
    assert_eq!(numbers_after("refused at ", &text), [*acknowledged.last().unwrap()]);

    let log = open(&store);
    let head = log.head();
    assert!(
        head >= *acknowledged.last().unwrap(),
        "{head} is the head, {acknowledged:?} were acknowledged"
    );
    assert_eq!(log.verify(|_| ()).unwrap(), head);
    assert_eq!(log.append(events_of(&stream(1), 1)).unwrap().first, head + 1);
}

//! The reader of the output closes the pipe, or the user presses Ctrl-C: no panic, no noise, and
//! the store is unchanged.

use std::io::Read;
use std::process::Stdio;

use chrono::NaiveDate;
use rollbook::sample::{SampleOptions, SampleSize, write_export};
use testkit::{Store, assert_same, files, start};

/// A store whose lists are far longer than pipes and buffers hold.
fn large_store() -> Store {
    let export = tempfile::tempdir().unwrap();
    let today = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
    let size = SampleSize::Scaled { clients: 3_000, series_per_client: 1, total_weeks: 12 };
    write_export(export.path(), &SampleOptions { seed: 1, today, size }).unwrap();
    Store::of_export(export.path())
}

const ALL: [&str; 5] = ["view", "legacy", "--all", "--at", "2026-03-02T10:00:00Z"];

#[test]
fn a_broken_pipe_is_no_error() {
    let store = large_store();
    let mut child = start(store.command(&ALL).stdout(Stdio::piped()).stderr(Stdio::piped()));
    let mut one = [0];
    child.stdout.as_mut().unwrap().read_exact(&mut one).unwrap();
    drop(child.stdout.take());
    let ran = child.finish();
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

#[test]
fn ctrl_c_ends_a_long_step_cleanly() {
    let store = large_store();
    let before = files(store.around());
    let mut child = start(store.command(&ALL).stdout(Stdio::piped()).stderr(Stdio::piped()));
    // It has printed, so it watches; it waits for the pipe to be read, so it is not done.
    let mut one = [0];
    child.stdout.as_mut().unwrap().read_exact(&mut one).unwrap();
    child.signal("INT");
    let ran = child.finish();
    assert_eq!(ran.code, 130, "{}", ran.stderr);
    assert!(
        ran.stderr.starts_with("error: interrupted")
            && ran.stderr.contains("the same command again"),
        "{}",
        ran.stderr
    );
    assert_same(&before, &files(store.around()), &ALL);
}

//! Bad input: a clear error on stderr, nothing on stdout, the exit code of its kind, and no byte of
//! the store changed.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use testkit::{ProcessOutput, Store, assert_same, binary, files, run};

const WRITING: [&[&str]; 9] = [
    &["switch", "precreated", "--force", "--reason", "test"],
    &["assign", "--client", "c", "--form", "f", "--coach", "k", "--allow-unknown"],
    &["respond", "a"],
    &["miss", "a", "--reason", "sick"],
    &["extend", "a", "--reason", "long enough"],
    &["reopen", "a"],
    &["pause", "series/c/f", "--weeks", "1"],
    &["withdraw", "series/c/f", "--reason", "test"],
    &["feedback", "r", "--coach", "k", "--text", "t"],
];

const READING: [&[&str]; 5] = [
    &["view", "live", "--all"],
    &["view", "legacy", "--client", "c"],
    &["history", "control"],
    &["status"],
    &["verify"],
];

fn every_command() -> impl Iterator<Item = &'static [&'static str]> {
    READING.into_iter().chain(WRITING).chain([&["rebuild", "--all"][..]])
}

#[test]
fn a_directory_without_a_store_stays_without_one() {
    let none = Store::none();
    for arguments in every_command() {
        let error = none.fails(1, arguments);
        assert!(
            error.contains("there is no rollbook store in") && error.contains("import EXPORT_DIR"),
            "{error}"
        );
    }
    std::fs::create_dir(none.path()).unwrap();
    std::fs::write(none.path().join("letter.txt"), "dear all").unwrap();
    for arguments in every_command() {
        let error = none.fails(1, arguments);
        assert!(error.contains("is not a rollbook store"), "{error}");
    }
    assert_eq!(files(none.around()).len(), 1);
}

#[test]
fn a_file_in_the_place_of_a_store_is_named() {
    let none = Store::none();
    std::fs::write(none.path(), "not a directory").unwrap();
    let error = none.fails(1, &["status", "--json"]);
    let object: Value = serde_json::from_str(error.lines().last().unwrap()).unwrap();
    assert_eq!(object["error"]["code"], json!("not_a_store"), "{error}");
}

#[test]
fn a_store_in_use_by_another_process_is_left_alone() {
    let store = Store::imported("clean");
    // This process is the other one.
    let open = crate::opened::open(&store);
    for arguments in every_command() {
        let error = store.fails(1, arguments);
        assert!(error.contains("is in use by another process"), "{error}");
    }
    drop(open);
    store.ok(&["status"]);
}

#[test]
fn a_store_of_a_newer_format_is_left_alone() {
    let store = Store::imported("clean");
    std::fs::write(store.path().join("FORMAT"), "rollbook-store 2\n").unwrap();
    for arguments in every_command() {
        let error = store.fails(1, arguments);
        assert!(error.contains("has format 2") && error.contains("newer rollbook"), "{error}");
    }
}

#[test]
fn unknown_ids_are_named() {
    let store = Store::imported("clean");
    let (client, form, coach) = (
        "vJ47rGpctaegMIc8mAsNqjSc3vux",
        "form-1765694942359-rssdwugus",
        "pLIix6MEOLeMa61EqJomTEI1JEzO",
    );
    let cases: [&[&str]; 16] = [
        &["respond", "nobody"],
        &["respond", "nobody_week_3"],
        &["respond", "series/nobody/x", "--week", "1"],
        &["miss", "nobody", "--reason", "sick"],
        &["extend", "nobody", "--reason", "long enough"],
        &["reopen", "nobody"],
        &["withdraw", "--assignment", "nobody", "--reason", "x"],
        &["pause", "series/nobody/x", "--weeks", "1"],
        &["resume", "--client", "nobody", "--form", form],
        &["withdraw", "--client", client, "--form", "nobody", "--reason", "x"],
        &["feedback", "nobody", "--coach", coach, "--text", "x"],
        &["assign", "--client", "nobody", "--form", form, "--coach", coach],
        &["assign", "--client", client, "--form", "nobody", "--coach", coach],
        &["assign", "--client", client, "--form", form, "--coach", "nobody"],
        &["switch", "legacy", "--client", "nobody", "--reason", "x"],
        &["history", "nobody"],
    ];
    for arguments in cases {
        let error = store.fails(1, &[arguments, &["--json"]].concat());
        let object: Value = serde_json::from_str(error.lines().last().unwrap()).unwrap();
        assert_eq!(object["error"]["code"], json!("unknown_id"), "{arguments:?}: {error}");
        assert!(object["error"]["message"].as_str().unwrap().contains("nobody"), "{error}");
    }
    let beyond = store.fails(1, &["view", "legacy", "--client", client, "--as-of", "99999"]);
    assert!(beyond.contains("99999"), "{beyond}");
    store.fails(1, &["view", "legacy", "--all", "--as-of", "99999"]);
}

#[test]
fn what_is_no_time_no_span_no_date_and_no_actor_is_a_usage_error() {
    let store = Store::imported("clean");
    let assign = ["assign", "--client", "c", "--form", "f", "--coach", "k"];
    let cases: [(&[&str], &str); 10] = [
        (&["view", "live", "--all", "--at", "yesterday"], "is not an RFC 3339 time"),
        (&["view", "live", "--all", "--at", "2026-01-05"], "is not an RFC 3339 time"),
        (&["view", "live", "--all", "--overdue-after", "3 weeks"], "is not a span"),
        (&["view", "live", "--all", "--as-of", "lately"], "--as-of"),
        (&["view", "newest", "--all"], "newest"),
        (&[&assign[..], &["--due-time", "25:00"]].concat(), "is not a time of day"),
        (&[&assign[..], &["--start", "2026-02-30"]].concat(), "--start"),
        (&[&assign[..], &["--window", "{"]].concat(), "this is not JSON"),
        (&["respond", "x", "--as", "king:arthur"], "is not an actor"),
        (&["respond", "x", "--week", "1"], "--week goes with a series"),
    ];
    for (arguments, expected) in cases {
        let error = store.fails(2, arguments);
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
    let ran = store.run(&["view", "live", "--all", "--at", "soon", "--json"]);
    let object: Value = serde_json::from_str(ran.stderr.lines().last().unwrap()).unwrap();
    assert_eq!(object["error"]["code"], json!("usage"));
}

/// Runs a command as a user whom file permissions bind. They do not bind root.
fn run_as_nobody(store: &Store, binary: &Path, arguments: &[&str]) -> ProcessOutput {
    let mut command = Command::new(binary);
    command.arg("--data").arg(store.path()).args(arguments);
    if std::fs::metadata(store.around()).unwrap().uid() == 0 {
        command.uid(65_534).gid(65_534);
    }
    run(&mut command)
}

#[test]
fn a_read_only_store_is_read_and_refuses_writes() {
    let store = Store::imported("clean");
    // A user who may not enter the build's directory may run it here.
    let copied = store.beside("rollbook");
    std::fs::copy(binary(), &copied).unwrap();
    let mut paths: Vec<_> = files(store.around()).into_keys().collect();
    paths.extend([store.path().join("db"), store.path(), store.around().to_owned()]);
    for path in &paths {
        let mode = if path.is_dir() || *path == copied { 0o555 } else { 0o444 };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let before = files(store.around());
    for arguments in READING {
        let ran = run_as_nobody(&store, &copied, arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
    }
    for arguments in &WRITING[..2] {
        let ran = run_as_nobody(&store, &copied, &[arguments, &["--json"][..]].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{arguments:?}: {ran:?}");
        assert!(
            ran.stderr.contains("cannot be written; give this user write permission"),
            "{ran:?}"
        );
        let object: Value = serde_json::from_str(ran.stderr.lines().last().unwrap()).unwrap();
        assert_eq!(object["error"]["code"], json!("read_only"));
    }
    assert_same(&before, &files(store.around()), &["read-only"]);
    for path in paths.iter().rev() {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
fn a_full_disk_is_an_error_and_what_was_acknowledged_stays() {
    let store = Store::imported("clean");
    let head = store.json(&["status"])["head"].clone();
    let assign = WRITING[1];
    let limited = store.run_on_full_disk(0, assign);
    assert_eq!((limited.code, limited.stdout.as_str()), (1, ""), "{limited:?}");
    assert!(limited.stderr.contains("free") && limited.stderr.contains("because: "), "{limited:?}");
    assert_eq!(store.json(&["status"])["head"], head);
    store.ok(&["verify"]);
    store.ok(assign);
}

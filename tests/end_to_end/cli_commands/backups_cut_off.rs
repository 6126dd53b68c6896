//! Backups and restores that are cut off: by SIGKILL at random moments, by a full disk, by a disk
//! that is read-only.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rollbook::sample::{SampleOptions, SampleSize, write_export};
use serde_json::json;
use testkit::{Store, binary, files, kill_after, moment, random, run};

use super::backups::lists;

/// A store large enough that taking and restoring a backup has moments to be cut off at.
fn large() -> Store {
    let home = tempfile::tempdir().unwrap();
    let size = SampleSize::Scaled { clients: 150, series_per_client: 2, total_weeks: 52 };
    let export = home.path().join("export");
    write_export(&export, &SampleOptions { seed: 3, today: "2026-01-05".parse().unwrap(), size })
        .unwrap();
    Store::of_export(&export)
}

fn took<R>(run: impl FnOnce() -> R) -> Duration {
    let began = Instant::now();
    run();
    began.elapsed()
}

#[test]
fn a_backup_that_is_killed_at_twenty_random_moments_is_never_listed_and_the_next_one_is_good() {
    let store = large();
    let whole = took(|| store.ok(&["backup", "create", "--name", "undisturbed"]));
    let (seed, mut random) = random();
    for number in 0..20 {
        let name = format!("killed-{number}");
        let mut create = store.command(&["backup", "create", "--name", &name]);
        kill_after(moment(&mut random, whole), &mut create);
        let listed = store.json(&["backup", "list"]);
        for one in listed.as_array().unwrap() {
            assert_eq!(one["state"], json!("whole"), "seed {seed}: {one}");
        }
    }
    // Those that came through before they were killed are good to the last byte.
    for one in store.json(&["backup", "list"]).as_array().unwrap() {
        store.ok(&["backup", "verify", one["name"].as_str().unwrap()]);
    }
    store.ok(&["backup", "create", "--name", "last"]);
    store.ok(&["backup", "verify", "last"]);
    store.ok(&["verify"]);
    assert!(!store.path().join(".backup-in-progress").exists(), "seed {seed}");
    let hidden = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.unwrap().file_name().to_string_lossy().starts_with('.')
    };
    assert!(!std::fs::read_dir(store.beside("store-backups")).unwrap().any(hidden), "seed {seed}");
}

#[test]
fn a_restore_that_is_killed_at_twenty_random_moments_leaves_a_whole_store_or_none() {
    let store = large();
    store.ok(&["backup", "create", "--name", "one"]);
    let from = store.beside("store-backups").display().to_string();
    let expected = (store.json(&["backup", "list"])[0]["manifest"]["head"].clone(), lists(&store));
    let restore = ["backup", "restore", "one", "--from", &from];
    let whole = took(|| Store::none().ok(&restore));
    let (seed, mut random) = random();
    let target = Store::none();
    for _ in 0..20 {
        kill_after(moment(&mut random, whole), &mut target.command(&restore));
        if target.path().exists() {
            assert_eq!(
                (target.json(&["status"])["head"].clone(), lists(&target)),
                expected,
                "seed {seed}"
            );
            target.ok(&["verify"]);
            std::fs::remove_dir_all(target.path()).unwrap();
        }
    }
    target.ok(&restore);
    assert_eq!((target.json(&["status"])["head"].clone(), lists(&target)), expected, "seed {seed}");
    let mut left: Vec<_> = std::fs::read_dir(target.around())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["store", "store.master-key"], "seed {seed}");
}

#[test]
fn a_full_disk_leaves_no_backup_and_no_store() {
    let store = large();
    let head = store.json(&["status"])["head"].clone();
    for blocks in [0, 8, 64] {
        let ran = store.run_on_full_disk(blocks, &["backup", "create", "--name", "full"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{blocks}: {ran:?}");
        assert_eq!(store.json(&["backup", "list"]), json!([]), "{blocks}");
    }
    assert_eq!(store.json(&["status"])["head"], head);
    store.ok(&["backup", "create", "--name", "one"]);
    let from = store.beside("store-backups").display().to_string();
    let none = Store::none();
    for blocks in [0, 8, 64] {
        let ran = none.run_on_full_disk(blocks, &["backup", "restore", "one", "--from", &from]);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{blocks}: {ran:?}");
        assert!(ran.stderr.contains("free space"), "{ran:?}");
        assert!(files(none.around()).is_empty(), "{blocks}");
    }
    store.ok(&["backup", "verify", "one"]);
}

#[test]
fn a_place_that_cannot_be_written_is_named_and_a_backup_there_can_still_be_read() {
    let store = Store::imported("clean");
    let copied = store.beside("rollbook");
    std::fs::copy(binary(), &copied).unwrap();
    store.ok(&["backup", "create", "--name", "one"]);
    let run_as_nobody = |data: &Path, arguments: &[&str]| {
        let mut command = Command::new(&copied);
        command.arg("--data").arg(data).args(arguments);
        if std::fs::metadata(store.around()).unwrap().uid() == 0 {
            command.uid(65_534).gid(65_534);
        }
        run(&mut command)
    };
    let read_only = |path: &Path| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o555)).unwrap()
    };
    // Without the master key, a user could not open what is in a backup.
    std::fs::set_permissions(
        store.beside("store.master-key"),
        std::fs::Permissions::from_mode(0o444),
    )
    .unwrap();
    read_only(store.around());
    let data = store.beside("new");
    let from = store.beside("store-backups").display().to_string();
    let ran = run_as_nobody(&data, &["backup", "restore", "one", "--from", &from, "--json"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
    assert!(
        ran.stderr.contains("cannot be written") && ran.stderr.contains("read_only"),
        "{ran:?}"
    );
    assert!(!data.exists());
    // Reading it is possible: into a place of one's own.
    let scratch = tempfile::tempdir().unwrap();
    std::fs::set_permissions(scratch.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let ran = run_as_nobody(
        &data,
        &[
            "backup",
            "verify",
            "one",
            "--from",
            &from,
            "--scratch",
            scratch.path().to_str().unwrap(),
        ],
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
    let ran = run_as_nobody(&store.path(), &["backup", "create", "--to", &from, "--name", "two"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
    std::fs::set_permissions(store.around(), std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(store.json(&["backup", "list"]).as_array().unwrap().len(), 1);
}

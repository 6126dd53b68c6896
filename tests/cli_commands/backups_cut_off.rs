//! Backups and restores that are cut off: by SIGKILL at random moments, by a full disk, by a disk that cannot be written.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rollbook::sample::{SampleOptions, SampleSize, write_export};
use serde_json::json;

use crate::backups::{beside, lists};
use crate::support::{TestStore, files, run_to_end, start};

/// A small generator, seeded by the clock; the seed is printed with every failure.
struct Draw(u64);

impl Draw {
    fn seeded() -> Self {
        let seed =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos()
                as u64;
        println!("seed {seed}");
        Self(seed)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit.max(1)
    }
}

/// A store large enough that taking and restoring a backup has moments to be cut off at.
fn large() -> TestStore {
    let home = tempfile::tempdir().unwrap();
    let size = SampleSize::Scaled { clients: 150, series_per_client: 2, total_weeks: 52 };
    let export = home.path().join("export");
    write_export(&export, &SampleOptions { seed: 3, today: "2026-01-05".parse().unwrap(), size })
        .unwrap();
    TestStore::of_export(&export, "UTC")
}

fn killed_at_a_random_moment(command: &mut Command, within: Duration, draw: &mut Draw) {
    let mut child = start(command.stdout(Stdio::null()).stderr(Stdio::null()));
    std::thread::sleep(Duration::from_micros(
        draw.below(u64::try_from(within.as_micros()).unwrap()),
    ));
    child.kill().unwrap();
    child.wait().unwrap();
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
    let mut draw = Draw::seeded();
    let seed = draw.0;
    for number in 0..20 {
        let name = format!("killed-{number}");
        killed_at_a_random_moment(
            &mut store.command(&["backup", "create", "--name", &name]),
            whole,
            &mut draw,
        );
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
    assert!(
        !std::fs::read_dir(beside(&store, "store-backups")).unwrap().any(hidden),
        "seed {seed}"
    );
}

#[test]
fn a_restore_that_is_killed_at_twenty_random_moments_leaves_a_whole_store_or_none() {
    let store = large();
    store.ok(&["backup", "create", "--name", "one"]);
    let from = beside(&store, "store-backups").display().to_string();
    let expected = (store.json(&["backup", "list"])[0]["manifest"]["head"].clone(), lists(&store));
    let restore = ["backup", "restore", "one", "--from", &from];
    let whole = took(|| TestStore::none().ok(&restore));
    let mut draw = Draw::seeded();
    let seed = draw.0;
    let target = TestStore::none();
    for _ in 0..20 {
        killed_at_a_random_moment(&mut target.command(&restore), whole, &mut draw);
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

/// A command under a limit on the size of every file that it writes: a full disk, as far as it can tell.
fn limited(blocks: u32, data: &Path, arguments: &[&str]) -> Command {
    let mut limited = Command::new("sh");
    let script = format!(r#"trap "" XFSZ; ulimit -f {blocks}; exec "$0" "$@""#);
    limited
        .args(["-c", &script, env!("CARGO_BIN_EXE_rollbook"), "--data"])
        .arg(data)
        .args(arguments);
    limited
}

#[test]
fn a_full_disk_leaves_no_backup_and_no_store() {
    let store = large();
    let head = store.json(&["status"])["head"].clone();
    for blocks in [0, 8, 64] {
        let ran = run_to_end(&mut limited(
            blocks,
            &store.path(),
            &["backup", "create", "--name", "full"],
        ));
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{blocks}: {ran:?}");
        assert_eq!(store.json(&["backup", "list"]), json!([]), "{blocks}");
    }
    assert_eq!(store.json(&["status"])["head"], head);
    store.ok(&["backup", "create", "--name", "one"]);
    let from = beside(&store, "store-backups").display().to_string();
    let none = TestStore::none();
    for blocks in [0, 8, 64] {
        let ran = run_to_end(&mut limited(
            blocks,
            &none.path(),
            &["backup", "restore", "one", "--from", &from],
        ));
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{blocks}: {ran:?}");
        assert!(ran.stderr.contains("free space"), "{ran:?}");
        assert!(files(none.around()).is_empty(), "{blocks}");
    }
    store.ok(&["backup", "verify", "one"]);
}

#[test]
fn a_place_that_cannot_be_written_is_named_and_a_backup_there_can_still_be_read() {
    let store = TestStore::of("clean");
    let binary = store.around().join("rollbook");
    std::fs::copy(env!("CARGO_BIN_EXE_rollbook"), &binary).unwrap();
    store.ok(&["backup", "create", "--name", "one"]);
    let run_as_nobody = |data: &Path, arguments: &[&str]| {
        let mut command = Command::new(&binary);
        command.arg("--data").arg(data).args(arguments);
        if std::fs::metadata(store.around()).unwrap().uid() == 0 {
            command.uid(65_534).gid(65_534);
        }
        run_to_end(&mut command)
    };
    let read_only = |path: &Path| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o555)).unwrap()
    };
    // Whoever may read backups only, and not the master key, could not open what is in them.
    std::fs::set_permissions(
        beside(&store, "store.master-key"),
        std::fs::Permissions::from_mode(0o444),
    )
    .unwrap();
    read_only(store.around());
    let data = beside(&store, "new");
    let from = beside(&store, "store-backups").display().to_string();
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

//! `rollbook backup`: create, list, verify, restore and prune; refusals; and damage, which is named
//! by its file.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testkit::{Store, files};

/// Every client's lists, of every kind.
pub fn lists(store: &Store) -> Vec<String> {
    ["legacy", "precreated", "live"]
        .map(|view| store.ok(&["view", view, "--all", "--at", "2026-01-15T09:30:00Z"]))
        .to_vec()
}

fn names(store: &Store) -> Vec<String> {
    let listed = store.json(&["backup", "list"]);
    listed.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

fn backups(store: &Store) -> PathBuf {
    store.beside("store-backups")
}

/// What `verify` says of the content, not of the files or of the time it took.
fn what_is_verified(store: &Store) -> serde_json::Value {
    let mut verified = store.json(&["verify"]);
    for of_the_files in ["files", "bytes", "seconds", "events_per_second", "not_checked"] {
        assert!(verified.as_object_mut().unwrap().remove(of_the_files).is_some());
    }
    verified
}

#[test]
fn a_backup_is_named_by_its_time_listed_verified_and_restores_the_same_store() {
    let store = Store::imported("clean");
    let head = store.json(&["status"])["head"].clone();
    let digest_before = what_is_verified(&store);
    let created = store.json(&["backup", "create", "--at", "2026-01-05T10:07:08+01:00"]);
    let name = "pre-migration-20260105_090708";
    assert_eq!((&created["name"], &created["manifest"]["head"]), (&json!(name), &head));
    assert_eq!(
        (
            created["manifest"]["rollbook_backup"].clone(),
            created["manifest"]["bytes_shared"].clone()
        ),
        (json!(1), json!(0))
    );
    assert_eq!(names(&store), [name]);
    let report = std::fs::read_to_string(backups(&store).join(name).join("REPORT.md")).unwrap();
    for said in [
        format!("# Backup `{name}`"),
        format!("| head | {head} |"),
        format!("backup restore {name}"),
        "| ClientImported | 30 |".to_owned(),
    ] {
        assert!(report.contains(&said), "the report does not say {said:?}: {report}");
    }
    // On record, with the manifest's digest, behind what was backed up.
    let record = testkit::lines(&store.ok(&["history", "control", "--json"])).pop().unwrap();
    assert_eq!(record["event"], json!({"type": "BackupTaken", "data": {"name": name, "at": head}}));
    assert_eq!(
        (&record["cause"], &record["position"]),
        (&created["manifest_digest"], &created["position"])
    );

    let verified = store.json(&["backup", "verify", name]);
    assert_eq!(
        (&verified["head"], &verified["merkle_root"]),
        (&head, &created["manifest"]["merkle_root"])
    );
    let restored = Store::none();
    let from = backups(&store).display().to_string();
    restored.ok(&["backup", "restore", name, "--from", &from]);
    assert_eq!(restored.json(&["status"])["head"], head);
    assert_eq!(what_is_verified(&restored), digest_before);
    assert_eq!(lists(&restored), lists(&store));
    assert!(restored.ok(&["backup", "list", "--from", &from]).contains(name));
    // A backup is not a store, so that no command writes to it by mistake.
    let inside = store.run(&["status", "--data", backups(&store).join(name).to_str().unwrap()]);
    assert!(inside.stderr.contains("is not a rollbook store"), "{inside:?}");
    let left: Vec<_> = std::fs::read_dir(backups(&store))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 2, "the backup and LOCK: {left:?}");
}

#[test]
fn what_did_not_change_is_not_stored_twice() {
    let store = Store::imported("clean");
    // RocksDB rewrites a young file once, when it first reaches the lowest level; after that it
    // stays as it is.
    store.ok(&["backup", "create", "--name", "zero"]);
    store.ok(&["backup", "create", "--name", "one"]);
    let two = store.json(&["backup", "create", "--name", "two"]);
    let shared = two["manifest"]["bytes_shared"].as_u64().unwrap();
    // The events did not change, and are the largest file; small files of rows are merged whenever
    // RocksDB sees fit.
    let largest = two["manifest"]["files"]
        .as_array()
        .unwrap()
        .iter()
        .max_by_key(|file| file["bytes"].as_u64())
        .unwrap();
    assert_eq!(
        (&largest["shared"], largest["path"].as_str().unwrap().ends_with(".sst")),
        (&json!(true), true),
        "{largest}"
    );
    let mut counted = 0;
    for file in
        two["manifest"]["files"].as_array().unwrap().iter().filter(|file| file["shared"] == true)
    {
        let path = file["path"].as_str().unwrap();
        let node =
            |name: &str| std::fs::metadata(backups(&store).join(name).join(path)).unwrap().ino();
        assert_eq!(node("one"), node("two"), "{path}");
        counted += file["bytes"].as_u64().unwrap();
    }
    assert_eq!(counted, shared);
    // Nothing in a backup is the living store's own file.
    let living: Vec<u64> =
        files(&store.path()).keys().map(|path| std::fs::metadata(path).unwrap().ino()).collect();
    assert!(
        files(&backups(&store))
            .keys()
            .all(|path| !living.contains(&std::fs::metadata(path).unwrap().ino()))
    );
    // The older one goes, the newer one stays good.
    assert_eq!(store.json(&["backup", "prune", "--keep", "1"])["removed"], json!(["one", "zero"]));
    store.ok(&["backup", "verify", "two"]);
}

#[test]
fn pruning_keeps_the_newest_whole_ones_and_never_touches_a_damaged_one() {
    let store = Store::imported("clean");
    for day in 1..=5 {
        store.ok(&["backup", "create", "--at", &format!("2026-01-0{day}T00:00:00Z")]);
    }
    let name = |day: u32| format!("pre-migration-2026010{day}_000000");
    std::fs::remove_file(backups(&store).join(name(4)).join("db/CURRENT")).unwrap();
    let listed = store.json(&["backup", "list"]);
    let states: Vec<&Value> = listed.as_array().unwrap().iter().map(|one| &one["state"]).collect();
    assert_eq!(states, ["whole", "whole", "whole", "damaged", "whole"]);
    let pruned = store.json(&["backup", "prune", "--keep", "2"]);
    assert_eq!(
        pruned,
        json!({"kept": [name(5), name(3)], "removed": [name(2), name(1)], "damaged": [name(4)], "leftovers": []})
    );
    assert_eq!(names(&store), [name(3), name(4), name(5)]);
    store.fails(2, &["backup", "prune", "--keep", "0"]);
}

#[test]
fn names_that_are_taken_unknown_or_no_names_are_refused() {
    let store = Store::imported("clean");
    store.ok(&["backup", "create", "--name", "one"]);
    let taken = store.fails(3, &["backup", "create", "--name", "one"]);
    assert!(taken.contains("there is a backup one in") && taken.contains("--name"), "{taken}");
    for bad in ["", "../one", ".one", "a b", "LOCK"] {
        let error = store.fails(2, &["backup", "create", "--name", bad]);
        assert!(error.contains("is no name for a backup"), "{bad:?}: {error}");
    }
    for command in [&["backup", "verify", "two"][..], &["backup", "restore", "two", "--json"]] {
        let error = store.fails(1, command);
        assert!(error.contains("there is no backup two in"), "{error}");
    }
    // Two in one second, by default.
    let same = ["backup", "create", "--at", "2026-01-05T00:00:00Z"];
    store.ok(&same);
    assert_eq!(store.json(&same)["name"], json!("pre-migration-20260105_000000-2"));
}

#[test]
fn a_backup_is_never_restored_over_anything() {
    let store = Store::imported("clean");
    store.ok(&["backup", "create", "--name", "one"]);
    let from = backups(&store).display().to_string();
    // The living store itself.
    let error = store.fails(3, &["backup", "restore", "one"]);
    assert!(error.contains("already exists"), "{error}");
    // A living one that is open, an empty directory, a file.
    let open = crate::opened::open(&store);
    store.fails(3, &["backup", "restore", "one"]);
    drop(open);
    let none = Store::none();
    std::fs::create_dir(none.path()).unwrap();
    none.fails(3, &["backup", "restore", "one", "--from", &from]);
    std::fs::remove_dir(none.path()).unwrap();
    std::fs::write(none.path(), "a file").unwrap();
    none.fails(3, &["backup", "restore", "one", "--from", &from]);
}

/// How a file is damaged.
type Damage = (&'static str, fn(&Path));

fn edit(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    match bytes.get_mut(middle) {
        Some(byte) => *byte ^= 1,
        None => bytes.push(0),
    }
    std::fs::write(path, bytes).unwrap();
}

fn truncate(path: &Path) {
    let bytes = std::fs::read(path).unwrap();
    std::fs::write(path, bytes.split_last().map_or(&b"not empty"[..], |(_, rest)| rest)).unwrap();
}

const DAMAGES: [Damage; 3] = [
    ("edited", edit),
    ("truncated", truncate),
    ("removed", |path| std::fs::remove_file(path).unwrap()),
];

#[test]
fn every_file_of_a_backup_that_is_edited_cut_short_or_gone_is_refused_by_name() {
    let store = Store::imported("clean");
    store.ok(&["backup", "create", "--name", "one"]);
    let backup = backups(&store).join("one");
    let sound = files(&backup);
    assert!(sound.len() > 8, "{:?}", sound.keys());
    let (none, from) = (Store::none(), backups(&store).display().to_string());
    for path in sound.keys() {
        let file = path.strip_prefix(&backup).unwrap().to_str().unwrap();
        for (how, damage) in DAMAGES {
            damage(path);
            let error = store.fails(1, &["backup", "verify", "one", "--json"]);
            assert!(
                error.contains(file) && error.contains("damaged_backup"),
                "{file} {how}: {error}"
            );
            // The report is no part of a store: it alone is not read by a restore, as long as it is
            // there with its length.
            if !(file == "REPORT.md" && how == "edited") {
                let error = none.fails(1, &["backup", "restore", "one", "--from", &from]);
                assert!(error.contains(file), "{file} {how}: {error}");
            }
            if how != "edited" || file == "manifest.json" || file == "SHA256SUMS" {
                let listed = store.json(&["backup", "list"]);
                assert_eq!(listed[0]["state"], json!("damaged"), "{file} {how}: {listed}");
            }
            std::fs::write(path, &sound[path]).unwrap();
        }
    }
    std::fs::write(backup.join("db/000999.sst"), "not ours").unwrap();
    let error = store.fails(1, &["backup", "verify", "one"]);
    assert!(error.contains("db/000999.sst is not in manifest.json"), "{error}");
    std::fs::remove_file(backup.join("db/000999.sst")).unwrap();
    store.ok(&["backup", "verify", "one"]);
}

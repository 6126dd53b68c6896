//! The check of a store's files: a sound store has no findings, and any flipped bit is found.

use std::fs;
use std::path::{Path, PathBuf};

use rollbook_log::{FilesChecked, LogError, check_files};

use crate::support::{Conditions, commit, event, events_of, large_event, once_free, open, stream};

/// A store with entries in every column family, in table files, in the write-ahead log, or in both.
fn sample(dir: &Path, commits: u32, rows_written: u32) {
    let log = open(dir);
    for number in 0..commits {
        log.append(events_of(&stream(number % 7), 3).under(&format!("key-{number}"), 1)).unwrap();
    }
    log.append(commit(vec![large_event(stream(1), 100_000)])).unwrap();
    let mut rows = rollbook_log::RowBatch::new();
    (0..rows_written)
        .for_each(|number| rows.put(format!("rows/{number:08}").as_bytes(), &[7; 100]));
    rows.delete_prefix(b"rows/0000001");
    log.rows().write(&rows).unwrap();
}

fn checked(dir: &Path) -> FilesChecked {
    look(dir).unwrap()
}

fn look(dir: &Path) -> Result<FilesChecked, LogError> {
    once_free(|| check_files(dir, |_, _| {}))
}

fn database_files(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(dir.join("db")).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

#[test]
fn a_sound_store_is_sound_whether_it_was_closed_or_not() {
    let dir = tempfile::tempdir().unwrap();
    let (store, copy) = (dir.path().join("store"), dir.path().join("copy"));
    // Enough for more than one index partition in a table file.
    sample(&store, 40, 150_000);
    let closed = checked(&store);
    assert_eq!(closed.damage, []);
    assert!(closed.files > 5 && closed.bytes > 1_000_000, "{closed:?}");
    // The files that a killed process leaves behind: a write-ahead log that was not closed.
    let log = open(&store);
    log.append(commit(vec![event(stream(1), 1)])).unwrap();
    fs::create_dir_all(copy.join("db")).unwrap();
    fs::copy(store.join("FORMAT"), copy.join("FORMAT")).unwrap();
    for file in database_files(&store) {
        fs::copy(&file, copy.join("db").join(file.file_name().unwrap())).unwrap();
    }
    assert_eq!(checked(&copy).damage, []);
}

#[test]
fn a_flipped_bit_anywhere_is_damage_of_that_file_or_in_a_file_without_records() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    sample(&store, 40, 40);
    let without: Vec<String> =
        checked(&store).without_records.into_iter().map(|(file, _)| file).collect();
    let mut all = database_files(&store);
    all.push(store.join("FORMAT"));
    let (mut tried, mut spared) = (0, Vec::new());
    for path in all {
        let bytes = fs::read(&path).unwrap();
        let name = path.strip_prefix(&store).unwrap().display().to_string();
        if without.contains(&name) {
            spared.push(name);
            continue;
        }
        // Every byte of what is small, and every part of what is large.
        for at in (0..bytes.len()).step_by(1 + bytes.len() / 400) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            fs::write(&path, &damaged).unwrap();
            let found = look(&store);
            // A store whose FORMAT says something else is none; a newer one is refused too.
            let named = found.as_ref().map_or(name == "FORMAT", |found| {
                found.damage.iter().any(|damage| damage.file == name)
            });
            // One id of a database is as good as another here; that it is its own is checked where
            // it is open.
            assert!(
                named || name == "db/IDENTITY",
                "{name}, byte {at} of {}: {found:?}",
                bytes.len()
            );
            tried += 1;
        }
        fs::write(&path, bytes).unwrap();
    }
    assert!(tried > 2_000, "{tried}");
    assert!(
        spared.iter().all(|name| ["db/LOG", "db/LOCK", "db/OPTIONS-"]
            .iter()
            .any(|kind| name.starts_with(kind))),
        "{spared:?}"
    );
    assert_eq!(checked(&store).damage, []);
}

#[test]
fn files_cut_short_and_files_that_no_store_has_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    sample(&store, 40, 40);
    for path in database_files(&store) {
        let bytes = fs::read(&path).unwrap();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if bytes.is_empty()
            || (extension != Some("sst") && !path.display().to_string().contains("MANIFEST"))
        {
            continue;
        }
        for left in [0, 1, bytes.len() / 2, bytes.len() - 1] {
            fs::write(&path, &bytes[..left]).unwrap();
            let found = checked(&store).damage;
            // A manifest cut between two records reads like a younger one; the database itself does
            // not open with it.
            let cut =
                found.len() == 1 && path.ends_with(found[0].file.strip_prefix("db/").unwrap());
            assert!(cut || extension.is_none(), "{path:?} cut to {left}: {found:?}");
        }
        fs::write(&path, bytes).unwrap();
    }
    fs::write(store.join("db/000001.tmp"), b"x").unwrap();
    assert_eq!(checked(&store).damage[0].file, "db/000001.tmp");
}

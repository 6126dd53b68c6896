//! One bit is flipped at each of a thousand random places in a store's files. `verify` finds it, or
//! the file holds no record.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rollbook_domain::Event;
use testkit::{Store, copy_store, paths, random};

use super::sample::sample;

/// Every event as text, and what every client sees: what must be the same wherever `verify` finds
/// nothing.
fn content(store: &Path) -> String {
    let view = |view| Store::at(store).ok(&["view", view, "--all", "--at", "2026-01-15T09:30:00Z"]);
    Store::at(store).ok(&["dump", "--sealed"]) + &view("legacy") + &view("precreated")
}

/// Why a file has no record in it: RocksDB never reads its text log and takes no settings from its
/// options file, and a lock is empty.
fn holds_no_record(name: &str) -> bool {
    name == "db/LOG"
        || name.starts_with("db/LOG.old.")
        || name.starts_with("db/OPTIONS-")
        || name == "db/LOCK"
}

fn kind(name: &str) -> String {
    let kind = name.rsplit('/').next().unwrap();
    let end = kind.find(['-', '.']).unwrap_or(kind.len());
    match kind.rsplit_once('.') {
        Some((number, extension)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("*.{extension}")
        }
        _ => kind[..end].to_owned(),
    }
}

/// Flips bits of a store one at a time, each put back before the next.
fn flip(store: &Path, flips: usize) {
    let sizes: Vec<(PathBuf, u64)> = paths(store)
        .into_iter()
        .map(|path| (path.clone(), fs::metadata(&path).unwrap().len()))
        .collect();
    let total: u64 = sizes.iter().map(|(_, size)| size).sum();
    let verified = Store::at(store).run(&["verify"]);
    assert!(verified.code == 0, "{verified:?}");
    let expected = content(&{
        let original = store.with_extension("original");
        copy_store(store, &original);
        original
    });
    let (_, mut random) = random();
    let (mut found, mut spared): (BTreeMap<String, u32>, BTreeMap<String, u32>) =
        (BTreeMap::new(), BTreeMap::new());
    for flip in 0..flips {
        let mut offset = random.u64(..total);
        let (path, _) = sizes
            .iter()
            .find(|(_, size)| {
                if offset < *size {
                    true
                } else {
                    offset -= size;
                    false
                }
            })
            .unwrap();
        let bit = random.u32(..8);
        let name = path.strip_prefix(store).unwrap().display().to_string();
        let sound = fs::read(path).unwrap();
        let mut damaged = sound.clone();
        damaged[usize::try_from(offset).unwrap()] ^= 1 << bit;
        fs::write(path, &damaged).unwrap();
        let place = format!("flip {flip}: {name}, byte {offset}, bit {bit}");
        // Ends the test where it does not end itself, with this as the last that is said.
        println!("{place}");
        let output = Store::at(store).run(&["verify"]);
        let said = &output.stderr;
        assert!(!said.contains("panicked"), "{place}: {said}");
        match output.code {
            1 => {
                assert!(said.starts_with("error: ") && output.stdout.is_empty(), "{place}: {said}");
                *found.entry(kind(&name)).or_default() += 1;
            }
            // Refused to be opened at all: another format, a key that is none.
            3 => *found.entry(kind(&name)).or_default() += 1,
            0 => {
                assert!(holds_no_record(&name), "{place}: passes as sound");
                let now = store.with_extension("now");
                copy_store(store, &now);
                assert_eq!(content(&now), expected, "{place}: other data");
                fs::remove_dir_all(&now).unwrap();
                *spared.entry(kind(&name)).or_default() += 1;
            }
            other => panic!("{place}: ended with {other:?}: {said}"),
        }
        fs::write(path, &sound).unwrap();
    }
    println!(
        "{flips} flips in {total} bytes of {} files; found by verify: {found:?}; in files without records: {spared:?}",
        sizes.len()
    );
    assert!(Store::at(store).run(&["verify"]).code == 0, "everything was put back");
}

#[test]
fn a_thousand_flipped_bits_in_a_store_that_was_closed() {
    let home = tempfile::tempdir().unwrap();
    let store = sample(home.path());
    flip(&store, 1000);
}

#[test]
fn flipped_bits_in_a_store_whose_process_was_killed() {
    let home = tempfile::tempdir().unwrap();
    let store = sample(home.path());
    let killed = home.path().join("killed");
    // What a killed process leaves: commits that stand in the write-ahead log alone.
    {
        let open = crate::opened::open(&Store::at(&store));
        for number in 0..20 {
            let (stage, note) = ("killed".to_owned(), number.to_string());
            crate::opened::append(&open, Event::StageRecorded { stage, note });
        }
        copy_store(&store, &killed);
    }
    flip(&killed, 300);
}

/// RocksDB alone reads such a manifest for ever, and the fault that a length shows as the end of
/// the log.
#[test]
fn what_rocksdb_would_not_say_of_its_own_files_is_said_by_every_command() {
    let home = tempfile::tempdir().unwrap();
    let store = sample(home.path());
    let current = fs::read_to_string(store.join("db/CURRENT")).unwrap();
    let manifest = store.join("db").join(current.trim_end());
    let sound = fs::read(&manifest).unwrap();
    // A header is a checksum u32, a length u16 and a type u8.
    let second = 7 + usize::from(u16::from_le_bytes([sound[4], sound[5]]));
    for (at, bit, what) in [
        (second + 6, 2, "a record has a type that is never written"),
        (second + 5, 7, "the length of a record is wrong"),
    ] {
        let mut damaged = sound.clone();
        damaged[at] ^= 1 << bit;
        fs::write(&manifest, &damaged).unwrap();
        for command in [
            &["status"][..],
            &["view", "legacy", "--all"],
            &["migrate", "validate"],
            &["serve"],
            &["verify"],
        ] {
            let output = Store::at(&store).run(command);
            let said = output.stderr;
            assert_eq!(output.code, 1, "{command:?}: {said}");
            assert!(
                said.contains(&format!("is damaged at byte {second}: {what}")),
                "{command:?}: {said}"
            );
        }
        assert_eq!(fs::read(&manifest).unwrap(), damaged, "left as it is");
    }
}

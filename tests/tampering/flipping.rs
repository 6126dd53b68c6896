//! One flipped bit at each of a thousand random places in a store's files: `verify` finds it, or it lies in a file that holds no record.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::binary::{copy, files, ok, run, sample, while_nobody_starts};

/// A small generator of its own, so that a seed gives the same places for ever.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

fn seed() -> u64 {
    let given = std::env::var("ROLLBOOK_SEED").ok().and_then(|seed| seed.parse().ok());
    let now =
        || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    let seed: u64 =
        given.unwrap_or_else(|| u64::try_from(now() % u128::from(u64::MAX)).unwrap()).max(1);
    println!("ROLLBOOK_SEED={seed}");
    seed
}

/// Every event as text, and what every client sees: what must be the same wherever `verify` finds nothing.
fn content(store: &Path) -> String {
    let view = |view| ok(store, &["view", view, "--all", "--at", "2026-01-15T09:30:00Z"]);
    ok(store, &["dump", "--sealed"]) + &view("legacy") + &view("precreated")
}

/// Why a file has no record in it: RocksDB never reads its text log and takes no settings from its options file, and a lock is empty.
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
fn flip(store: &Path, flips: usize, seed: u64) {
    let sizes: Vec<(PathBuf, u64)> = files(store)
        .into_iter()
        .map(|path| (path.clone(), fs::metadata(&path).unwrap().len()))
        .collect();
    let total: u64 = sizes.iter().map(|(_, size)| size).sum();
    let verified = run(store, &["verify"]);
    assert!(verified.status.success(), "{verified:?}");
    let expected = content(&{
        let original = store.with_extension("original");
        copy(store, &original);
        original
    });
    let mut random = Random(seed);
    let (mut found, mut spared): (BTreeMap<String, u32>, BTreeMap<String, u32>) =
        (BTreeMap::new(), BTreeMap::new());
    for flip in 0..flips {
        let mut offset = random.below(total);
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
        let bit = random.below(8);
        let name = path.strip_prefix(store).unwrap().display().to_string();
        let sound = fs::read(path).unwrap();
        let mut damaged = sound.clone();
        damaged[usize::try_from(offset).unwrap()] ^= 1 << bit;
        fs::write(path, &damaged).unwrap();
        let place = format!("flip {flip}: {name}, byte {offset}, bit {bit}");
        // Ends the test where it does not end itself, with this as the last that is said.
        println!("{place}");
        let output = run(store, &["verify"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains("panicked"), "{place}: {said}");
        match output.status.code() {
            Some(1) => {
                assert!(said.starts_with("error: ") && output.stdout.is_empty(), "{place}: {said}");
                *found.entry(kind(&name)).or_default() += 1;
            }
            // Refused to be opened at all: another format, a key that is none.
            Some(3) => *found.entry(kind(&name)).or_default() += 1,
            Some(0) => {
                assert!(holds_no_record(&name), "{place}: passes as sound");
                let now = store.with_extension("now");
                copy(store, &now);
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
    assert!(run(store, &["verify"]).status.success(), "everything was put back");
}

#[test]
fn a_thousand_flipped_bits_in_a_store_that_was_closed() {
    let home = tempfile::tempdir().unwrap();
    let store = sample(home.path());
    flip(&store, 1000, seed());
}

#[test]
fn flipped_bits_in_a_store_whose_process_was_killed() {
    let home = tempfile::tempdir().unwrap();
    let store = sample(home.path());
    let killed = home.path().join("killed");
    // What a killed process leaves: commits that stand in the write-ahead log alone.
    while_nobody_starts(|| {
        let open = rollbook_application::store::Store::open(&store, false).unwrap();
        for number in 0..20 {
            let event = rollbook_domain::Event::StageRecorded {
                stage: "killed".to_owned(),
                note: number.to_string(),
            };
            let stream = rollbook_domain::StreamId::Control;
            let new = rollbook_domain::NewEvent {
                stream,
                id: None,
                occurred_at: rollbook_domain::Timestamp::EPOCH,
                event,
            };
            let actor = rollbook_domain::Actor::System("test".to_owned());
            let commit = rollbook_log::Commit {
                events: vec![new],
                expected: Vec::new(),
                actor,
                cause: "test".to_owned(),
                key: None,
            };
            open.log().append(commit).unwrap();
        }
        copy(&store, &killed);
    });
    flip(&killed, 300, seed());
}

/// RocksDB alone reads such a manifest for ever, and the fault that a length shows as the end of the log.
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
            let output = run(&store, command);
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{command:?}: {said}");
            assert!(
                said.contains(&format!("is damaged at byte {second}: {what}")),
                "{command:?}: {said}"
            );
        }
        assert_eq!(fs::read(&manifest).unwrap(), damaged, "left as it is");
    }
}

//! A process that is killed at any moment. Acknowledged commits are there, complete. Others are
//! there completely or not at all.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rollbook_log::{Log, LogError, OpenOptions};

use crate::support::{Conditions, child, child_dir, events_of, files, once_free, open, stream};

/// A pseudo-random sequence with a seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[test]
#[ignore = "run by killed_at_any_moment_it_keeps_what_it_acknowledged"]
fn child_appends_until_killed() {
    let Some(dir) = child_dir() else { return };
    let log = open(&dir);
    let mut number = 0;
    loop {
        // Several wait at a time, so that groups are written; each has its own key and size.
        let pending: Vec<_> = (0..4)
            .map(|_| {
                number += 1;
                log.submit(
                    events_of(&stream(number % 3), 1 + number % 5)
                        .under(&format!("{}-{number}", std::process::id()), 1),
                )
            })
            .collect();
        for pending in pending {
            let committed = pending.wait().unwrap();
            println!("acknowledged {} {}", committed.first, committed.last);
        }
    }
}

#[test]
fn killed_at_any_moment_it_keeps_what_it_acknowledged() {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    println!("seed {seed}");
    let mut numbers = Numbers(seed);
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    let mut head_before = 0;
    for round in 0..8 {
        let mut appender = child("crash::child_appends_until_killed", &store).spawn().unwrap();
        let lines = BufReader::new(appender.stdout.take().unwrap()).lines();
        let kill_after = 1 + numbers.below(120);
        let mut acknowledged = Vec::new();
        let mut killed = false;
        // Read on after the kill: what had been printed was acknowledged.
        for line in lines.map_while(Result::ok) {
            let Some(rest) = line.split("acknowledged ").nth(1) else { continue };
            let Some((first, last)) = rest.split_once(' ') else { continue };
            let (Ok(first), Ok(last)) = (first.parse::<u64>(), last.parse::<u64>()) else {
                continue;
            };
            acknowledged.push((first, last));
            if !killed && acknowledged.len() as u64 >= kill_after {
                appender.kill().unwrap();
                killed = true;
            }
        }
        let status = appender.wait().unwrap();
        assert!(
            killed && !status.success(),
            "round {round} of seed {seed}: the child ended by itself, {status}"
        );

        let log = once_free(|| Log::open(&store, OpenOptions::default())).unwrap();
        let commits: Vec<(u64, u64)> = log
            .commits_after(head_before)
            .map(|commit| {
                let commit = commit.unwrap();
                (commit.first().unwrap().position, commit.last().unwrap().position)
            })
            .collect();
        assert!(
            commits.starts_with(&acknowledged),
            "round {round} of seed {seed}: {acknowledged:?} were acknowledged, {commits:?} are there"
        );
        assert_eq!(log.verify(|_| ()).unwrap(), log.head(), "round {round} of seed {seed}");
        head_before = log.head();
    }
}

/// Copies a store.
fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to.join("db")).unwrap();
    fs::copy(from.with_extension("master-key"), to.with_extension("master-key")).unwrap();
    for (path, bytes) in files(from) {
        if let Some(bytes) = bytes {
            fs::write(to.join(path.strip_prefix(from).unwrap()), bytes).unwrap();
        }
    }
}

/// The write-ahead log of a store.
fn write_ahead_log(store: &Path) -> PathBuf {
    let logs: Vec<PathBuf> = files(store)
        .into_keys()
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    assert_eq!(logs.len(), 1, "{logs:?}");
    logs[0].clone()
}

/// A copy of an open store, with five commits in the write-ahead log.
fn crashed(dir: &Path) -> PathBuf {
    let (store, crashed) = (dir.join("store"), dir.join("crashed"));
    let log = open(&store);
    for count in 1..=5 {
        log.append(events_of(&stream(count), count)).unwrap();
    }
    copy(&store, &crashed);
    crashed
}

#[test]
fn cut_at_any_byte_the_log_is_a_prefix_of_whole_commits() {
    let dir = tempfile::tempdir().unwrap();
    let crashed = crashed(dir.path());
    let torn = dir.path().join("torn");
    let whole = fs::read(write_ahead_log(&crashed)).unwrap();
    let mut heads = Vec::new();
    for length in (0..=whole.len()).step_by(7).chain([whole.len()]) {
        copy(&crashed, &torn);
        fs::write(write_ahead_log(&torn), &whole[..length]).unwrap();
        match once_free(|| Log::open(&torn, OpenOptions::default())) {
            Ok(log) => {
                heads.push(log.head());
                assert_eq!(log.verify(|_| ()).unwrap(), log.head(), "cut at {length}");
            }
            // Cut before the store had its id, it was never a store that anything was acknowledged
            // in.
            Err(error) => assert!(heads.is_empty(), "cut at {length}: {error:?}"),
        }
    }
    assert!(heads.is_sorted(), "{heads:?}");
    heads.dedup();
    assert_eq!(heads, [0, 1, 3, 6, 10, 15], "each commit is there whole or not at all");
}

/// The manifest of a store.
fn manifest(store: &Path) -> PathBuf {
    let current = fs::read_to_string(store.join("db/CURRENT")).unwrap();
    store.join("db").join(current.trim_end())
}

/// RocksDB itself would read some of these forever, and silently drop the records after others.
#[test]
fn no_flipped_bit_of_a_journal_loses_anything_in_silence() {
    let dir = tempfile::tempdir().unwrap();
    let crashed = crashed(dir.path());
    for path in [write_ahead_log(&crashed), manifest(&crashed)] {
        let sound = fs::read(&path).unwrap();
        for at in 0..sound.len() {
            for bit in 0..8 {
                let mut flipped = sound.clone();
                flipped[at] ^= 1 << bit;
                fs::write(&path, flipped).unwrap();
                let error = once_free(|| Log::open(&crashed, OpenOptions::default())).err();
                let named = matches!(&error, Some(LogError::DamagedFile { path: named, offset, .. }) if *named == path && *offset <= at as u64);
                assert!(named, "{path:?}, byte {at} of {}, bit {bit}: {error:?}", sound.len());
            }
        }
        fs::write(&path, sound).unwrap();
    }
    assert_eq!(once_free(|| Log::open(&crashed, OpenOptions::default())).unwrap().head(), 15);
}

#[test]
fn a_damaged_journal_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let crashed = crashed(dir.path());
    let path = write_ahead_log(&crashed);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes
        .windows(9)
        .position(|window| window == b"client-3/")
        .expect("the third commit's stream");
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let before = files(&crashed);
    let error = once_free(|| Log::open(&crashed, OpenOptions::default()))
        .err()
        .expect("the damage is seen");
    assert!(matches!(error, LogError::DamagedFile { .. }), "{error:?}");
    assert!(files(&crashed) == before);
}

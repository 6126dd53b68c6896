//! Damage of stored commits. Each kind has its own error with the position, and commits before it
//! stay readable.

use std::path::Path;

use rocksdb::{DB, Options};
use rollbook_log::{Corruption, CorruptionKind, Log, LogError, OpenOptions};

use crate::support::{events_of, open, stream};

const FAMILIES: [&str; 6] = ["records", "streams", "ids", "keys", "meta", "rows"];

/// Four commits of two events: positions 1-2, 3-4, 5-6, 7-8.
fn sample(dir: &Path) {
    let log = open(dir);
    for _ in 0..4 {
        log.append(events_of(&stream(1), 2)).unwrap();
    }
}

/// Changes a column family directly in RocksDB.
fn meddle(dir: &Path, change: impl FnOnce(&DB)) {
    let mut options = Options::default();
    options.create_if_missing(false);
    let db = DB::open_cf(&options, dir.join("db"), FAMILIES).unwrap();
    change(&db);
}

/// Replaces the record of a commit by the result of `change`.
fn change_record(dir: &Path, first: u64, change: impl FnOnce(Vec<u8>) -> Option<Vec<u8>>) {
    meddle(dir, |db| {
        let records = db.cf_handle("records").unwrap();
        let key = first.to_be_bytes();
        match change(db.get_cf(records, key).unwrap().expect("the record is there")) {
            Some(record) => db.put_cf(records, key, record).unwrap(),
            None => db.delete_cf(records, key).unwrap(),
        }
    });
}

/// Opens and reads the store. Returns the events before the damage, and the damage.
fn damage(dir: &Path) -> (u64, Corruption) {
    let log = match Log::open(dir, OpenOptions::default()) {
        Ok(log) => log,
        Err(LogError::Corrupt(damage)) => return (0, damage),
        Err(other) => panic!("{other:?}"),
    };
    let mut commits = log.commits_after(0);
    let mut read = 0;
    loop {
        match commits.next() {
            Some(Ok(commit)) => read = commit.last().unwrap().position,
            Some(Err(LogError::Corrupt(damage))) => {
                assert!(commits.next().is_none(), "nothing follows an error");
                let LogError::Corrupt(verified) = log.verify(|_| ()).unwrap_err() else {
                    panic!("verify sees it too")
                };
                assert_eq!(verified.position, damage.position);
                // The digest is of the bytes: it sees what is wrong with them, not what is wrong in
                // them.
                match (log.digest(8), &damage.kind) {
                    (Err(LogError::Corrupt(digested)), _) => {
                        assert_eq!(digested.position, damage.position)
                    }
                    (
                        Ok(_),
                        CorruptionKind::Undecodable { .. } | CorruptionKind::NewerVersion { .. },
                    ) => {}
                    other => panic!("{other:?}"),
                }
                return (read, damage);
            }
            other => panic!("read to {read}, then {other:?}"),
        }
    }
}

/// A record with a valid checksum.
fn reseal(first: u64, mut record: Vec<u8>) -> Vec<u8> {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&first.to_be_bytes());
    crc.update(&record[..1]);
    crc.update(&record[5..]);
    record[1..5].copy_from_slice(&crc.finalize().to_le_bytes());
    record
}

fn with_sample(check: impl FnOnce(&Path)) {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    sample(&store);
    check(&store);
}

#[test]
fn a_flipped_bit_anywhere_in_a_record_is_a_bad_checksum_or_a_torn_record() {
    let length = {
        let mut length = 0;
        with_sample(|store| {
            change_record(store, 5, |record| {
                length = record.len();
                Some(record)
            });
        });
        length
    };
    with_sample(|store| {
        for offset in (0..length).step_by(5).chain(0..13) {
            change_record(store, 5, |mut record| {
                record[offset] ^= 0x10;
                Some(record)
            });
            let (read, damage) = damage(store);
            assert_eq!((read, damage.position), (4, 5), "offset {offset}");
            // A larger length reads like a record cut short; everything else is the checksum's.
            let expected = match damage.kind {
                CorruptionKind::BadChecksum { .. } => true,
                CorruptionKind::Torn { bytes } => (9..13).contains(&offset) && bytes == length,
                _ => false,
            };
            assert!(expected, "offset {offset}: {damage:?}");
            change_record(store, 5, |mut record| {
                record[offset] ^= 0x10;
                Some(record)
            });
        }
    });
}

#[test]
fn a_record_cut_short_is_torn() {
    for left in [0, 1, 12, 13, 40] {
        with_sample(|store| {
            change_record(store, 3, |mut record| {
                record.truncate(left);
                Some(record)
            });
            let (read, damage) = damage(store);
            assert_eq!((read, damage.position), (2, 3));
            assert!(
                matches!(damage.kind, CorruptionKind::Torn { bytes } if bytes == left),
                "{damage:?}"
            );
        });
    }
}

#[test]
fn a_missing_record_is_missing_wherever_it_stood() {
    for (first, read_before) in [(1, 0), (3, 2), (5, 4), (7, 0)] {
        with_sample(|store| {
            change_record(store, first, |_| None);
            let (read, damage) = damage(store);
            // Without its last record the log does not open: the head is known from elsewhere.
            assert_eq!((read, damage.position), (read_before, first));
            assert!(matches!(damage.kind, CorruptionKind::MissingRecord), "{damage:?}");
        });
    }
}

#[test]
fn a_record_under_another_position_is_not_taken_for_its_own() {
    with_sample(|store| {
        meddle(store, |db| {
            let records = db.cf_handle("records").unwrap();
            let other = db.get_cf(records, 5u64.to_be_bytes()).unwrap().unwrap();
            db.put_cf(records, 3u64.to_be_bytes(), other).unwrap();
        });
        let (read, damage) = damage(store);
        assert_eq!((read, damage.position), (2, 3));
        assert!(matches!(damage.kind, CorruptionKind::BadChecksum { .. }), "{damage:?}");
    });
}

#[test]
fn a_record_of_a_newer_version_says_so() {
    with_sample(|store| {
        change_record(store, 3, |mut record| {
            record[0] = 2;
            Some(reseal(3, record))
        });
        let (read, damage) = damage(store);
        assert_eq!((read, damage.position), (2, 3));
        assert!(matches!(damage.kind, CorruptionKind::NewerVersion { version: 2 }), "{damage:?}");
    });
}

#[test]
fn a_whole_record_that_does_not_decode_says_so() {
    with_sample(|store| {
        change_record(store, 3, |mut record| {
            record[13..].fill(0xff);
            Some(reseal(3, record))
        });
        let (read, damage) = damage(store);
        assert_eq!((read, damage.position), (2, 3));
        assert!(matches!(damage.kind, CorruptionKind::Undecodable { .. }), "{damage:?}");
    });
}

#[test]
fn every_damaged_index_is_found_by_verify() {
    for index in ["streams", "ids", "keys"] {
        with_sample(|store| {
            {
                let log = open(store);
                log.append(crate::support::Conditions::under(events_of(&stream(2), 1), "key", 1))
                    .unwrap();
            }
            meddle(store, |db| {
                let family = db.cf_handle(index).unwrap();
                let (key, _) =
                    db.iterator_cf(family, rocksdb::IteratorMode::End).next().unwrap().unwrap();
                db.delete_cf(family, key).unwrap();
            });
            let error = open(store).verify(|_| ()).unwrap_err();
            let LogError::Corrupt(Corruption {
                position,
                kind: CorruptionKind::Index { index: named },
            }) = error
            else {
                panic!("{error:?}")
            };
            assert_eq!(named, index);
            assert!((1..=9).contains(&position), "{position}");
        });
    }
}

#[test]
fn an_index_that_leads_to_nothing_is_an_error_and_not_an_absence() {
    with_sample(|store| {
        let id = open(store).at(3).unwrap().unwrap().id;
        change_record(store, 3, |_| None);
        let log = open(store);
        for error in [
            log.stream(&stream(1), 0).unwrap_err(),
            log.event(id).unwrap_err(),
            log.at(4).unwrap_err(),
        ] {
            let LogError::Corrupt(Corruption { position, kind: CorruptionKind::MissingRecord }) =
                error
            else {
                panic!("{error:?}")
            };
            assert!((3..=4).contains(&position), "{position}");
        }
        assert_eq!(log.stream(&stream(1), 4).unwrap().len(), 4, "what is not damaged is read");
    });
}

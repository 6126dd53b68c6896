//! A forger with knowledge of RocksDB and of the stored form: reads every commit of a store's
//! database and writes others in their place, with right checksums, positions, versions and index
//! entries. It shares no code with the log but the frozen encoding.

use std::collections::BTreeMap;
use std::path::Path;

use rocksdb::{DB, IteratorMode, Options};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const FAMILIES: [&str; 6] = ["records", "streams", "ids", "keys", "meta", "rows"];

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Actor {
    Client(String),
    Coach(String),
    Admin(String),
    System(String),
    Migration(String),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stream {
    pub name: String,
    pub first_version: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    pub stream: u32,
    pub id: Uuid,
    pub occurred_at: (i64, u32),
    pub body: Vec<u8>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Envelope {
    pub recorded_at: (i64, u32),
    pub actor: Actor,
    pub cause: String,
    pub key: Option<(String, [u8; 32])>,
    pub streams: Vec<Stream>,
    pub events: Vec<Event>,
}

/// A commit as it is stored.
#[derive(Clone, Debug)]
pub struct Commit {
    pub version: u8,
    pub envelope: Envelope,
}

fn open(store: &Path) -> DB {
    DB::open_cf(&Options::default(), store.join("db"), FAMILIES).unwrap()
}

/// Every commit of a store, in order.
pub fn read(store: &Path) -> Vec<Commit> {
    let db = open(store);
    let records =
        db.iterator_cf(db.cf_handle("records").unwrap(), IteratorMode::Start).map(Result::unwrap);
    records
        .map(|(_, record)| Commit {
            version: record[0],
            envelope: rollbook_log::binary::read_own(&record[13..]).unwrap(),
        })
        .collect()
}

fn record(first: u64, commit: &Commit) -> Vec<u8> {
    let mut payload = Vec::new();
    rollbook_log::binary::write(&commit.envelope, &mut payload).unwrap();
    let events = u32::try_from(commit.envelope.events.len()).unwrap().to_le_bytes();
    let bytes = u32::try_from(payload.len()).unwrap().to_le_bytes();
    let mut crc = crc32fast::Hasher::new();
    for part in [&first.to_be_bytes()[..], &[commit.version], &events, &bytes, &payload] {
        crc.update(part);
    }
    [&[commit.version][..], &crc.finalize().to_le_bytes(), &events, &bytes, &payload].concat()
}

/// Writes these commits in place of those that are there, with new positions and every index entry.
/// The tree's rows stay unchanged.
pub fn write(store: &Path, commits: &[Commit]) {
    let db = open(store);
    for name in ["records", "streams", "ids", "keys"] {
        let family = db.cf_handle(name).unwrap();
        for (key, _) in db.iterator_cf(family, IteratorMode::Start).map(Result::unwrap) {
            db.delete_cf(family, key).unwrap();
        }
    }
    let put = |family: &str, key: &[u8], value: &[u8]| {
        db.put_cf(db.cf_handle(family).unwrap(), key, value).unwrap()
    };
    let (mut next, mut versions): (u64, BTreeMap<String, u64>) = (1, BTreeMap::new());
    for commit in commits {
        let (first, mut commit) = (next, commit.clone());
        let counts = |index: usize| {
            commit.envelope.events.iter().filter(|event| event.stream as usize == index).count()
                as u64
        };
        let counts: Vec<u64> = (0..commit.envelope.streams.len()).map(counts).collect();
        for (stream, count) in commit.envelope.streams.iter_mut().zip(counts) {
            let version = versions.entry(stream.name.clone()).or_default();
            stream.first_version = *version + 1;
            *version += count;
            let key = [stream.name.as_bytes(), &[0], &version.to_be_bytes()].concat();
            put(
                "streams",
                &key,
                &[first.to_be_bytes(), stream.first_version.to_be_bytes()].concat(),
            );
        }
        for event in &commit.envelope.events {
            put("ids", event.id.as_bytes(), &next.to_be_bytes());
            next += 1;
        }
        if let Some((key, request)) = &commit.envelope.key {
            put(
                "keys",
                key.as_bytes(),
                &[&request[..], &first.to_be_bytes(), &(next - 1).to_be_bytes()].concat(),
            );
        }
        put("records", &first.to_be_bytes(), &record(first, &commit));
    }
    put("meta", b"head", &(next - 1).to_be_bytes());
}

/// The position of the first event of a commit.
pub fn position(commits: &[Commit], index: usize) -> u64 {
    1 + commits[..index].iter().map(|commit| commit.envelope.events.len() as u64).sum::<u64>()
}

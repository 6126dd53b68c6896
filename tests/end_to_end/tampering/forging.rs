//! Events are inserted, removed, reordered and edited with knowledge of RocksDB and of the stored
//! form. Where checksums and indexes are right, the tree names the position. Where the tree was
//! rebuilt too, the signed checkpoints name a range.

use std::path::Path;

use testkit::{Store, copy_store};

use super::forger::{Commit, position, read, write};
use super::sample::{sample, wrong};

/// What a forger does to the commits, given the index of one in the middle.
type Forgery = fn(&mut Vec<Commit>, usize);

const FORGERIES: [(&str, Forgery); 9] = [
    ("inserted", |commits, at| {
        let mut new = commits[at].clone();
        new.envelope.key = None;
        new.envelope
            .events
            .iter_mut()
            .for_each(|event| event.id = uuid::Uuid::from_u128(event.id.as_u128() ^ 1));
        commits.insert(at, new);
    }),
    ("removed", |commits, at| drop(commits.remove(at))),
    ("reordered", |commits, at| commits.swap(at, at + 1)),
    ("edited in its body", |commits, at| {
        // The last byte of an event's body belongs to one of its numbers or texts.
        *commits[at].envelope.events[0].body.last_mut().unwrap() ^= 1;
    }),
    ("edited in its time", |commits, at| commits[at].envelope.events[0].occurred_at.0 += 1),
    ("edited in its cause", |commits, at| commits[at].envelope.cause.push('x')),
    ("edited in its actor", |commits, at| {
        commits[at].envelope.actor = super::forger::Actor::Admin("somebody".to_owned())
    }),
    ("edited in its id", |commits, at| {
        commits[at].envelope.events[0].id = uuid::Uuid::from_u128(7)
    }),
    ("edited in its key", |commits, at| {
        commits[at].envelope.key = Some(("other".to_owned(), [7; 32]))
    }),
];

/// An unforged store, and its commits: an import, batches of a series each, and the control events.
fn original(home: &Path) -> (std::path::PathBuf, Vec<Commit>) {
    let store = sample(home);
    let commits = read(&store);
    assert!(commits.len() > 12, "{} commits", commits.len());
    // Looking alone changes nothing that is checked.
    Store::at(&store).ok(&["verify"]);
    (store, commits)
}

/// Whether a finding names a range of positions that contains a position.
fn names(finding: &str, position: u64) -> bool {
    let Some(place) =
        finding.strip_prefix("position").map(|rest| rest.trim_start_matches('s').trim_start())
    else {
        return false;
    };
    let place = place.split(':').next().unwrap();
    let (from, until) = place.split_once(" to ").unwrap_or((place, place));
    (from.parse().unwrap()..=until.parse().unwrap()).contains(&position)
}

#[test]
fn with_right_checksums_and_indexes_every_forgery_is_named_by_its_first_position() {
    let home = tempfile::tempdir().unwrap();
    let (store, commits) = original(home.path());
    let at = commits.len() / 2;
    let first = position(&commits, at);
    for (number, (name, forge)) in FORGERIES.into_iter().enumerate() {
        let forged = home.path().join(format!("forged-{number}"));
        copy_store(&store, &forged);
        let mut other = commits.clone();
        forge(&mut other, at);
        write(&forged, &other);
        let (message, findings) = wrong(&forged, &[]);
        assert!(
            message.contains(&format!("at position {first};")),
            "{name}: {message} {findings:?}"
        );
        assert!(
            findings.iter().any(|finding| names(finding, first) && finding.contains("tree")),
            "{name}: {findings:?}"
        );
    }
}

#[test]
fn with_everything_redone_but_the_signatures_a_forgery_is_named_between_two_of_them() {
    let home = tempfile::tempdir().unwrap();
    let (store, commits) = original(home.path());
    let signed: Vec<u64> = std::fs::read_dir(store.join("checkpoints"))
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .file_name()
                .into_string()
                .unwrap()
                .split('.')
                .next()
                .unwrap()
                .parse()
                .unwrap()
        })
        .collect();
    let (older, newer) = (*signed.iter().min().unwrap(), *signed.iter().max().unwrap());
    let at = commits.len() / 2;
    let first = position(&commits, at);
    assert!(older < first && first < newer, "{older} {first} {newer}");
    let kept = home.path().join("kept.checkpoint");
    std::fs::copy(store.join("checkpoints").join(format!("{newer:020}.checkpoint")), &kept)
        .unwrap();
    for (number, (name, forge)) in FORGERIES.into_iter().enumerate() {
        let forged = home.path().join(format!("forged-{number}"));
        copy_store(&store, &forged);
        let mut other = commits.clone();
        forge(&mut other, at);
        write(&forged, &other);
        let rebuilt = Store::at(&forged).run(&["rebuild", "--all"]);
        if rebuilt.code != 1 || rebuilt.stderr.contains("does not decode") {
            // An event that cannot be read any more is found before anything is folded.
            assert!(!wrong(&forged, &[]).1.is_empty(), "{name}");
            continue;
        }
        let (message, findings) = wrong(&forged, &[]);
        // What was removed makes the log end before what was signed.
        let named = if name == "removed" { newer } else { first };
        assert!(
            findings.iter().any(|finding| names(finding, named) && finding.contains("signed")),
            "{name}: {message} {findings:?}"
        );
        // If the recorded checkpoints are removed or signed with another key, a copy kept elsewhere
        // shows it.
        std::fs::remove_dir_all(forged.join("checkpoints")).unwrap();
        let key = Store::at(&store).ok(&["checkpoint", "--public-key"]);
        let (_, findings) =
            wrong(&forged, &["--checkpoint", kept.to_str().unwrap(), "--key", key.trim_end()]);
        assert!(
            findings.iter().any(|finding| finding.contains("kept.checkpoint")),
            "{name}: {findings:?}"
        );
    }
}

#[test]
fn entries_that_no_event_asks_for_are_named() {
    let home = tempfile::tempdir().unwrap();
    let (store, _) = original(home.path());
    let entries: [(&str, &[u8], Vec<u8>); 6] = [
        ("ids", &[7; 16], 3_u64.to_be_bytes().to_vec()),
        (
            "streams",
            b"client/nobody\0\0\0\0\0\0\0\0\x01",
            [3_u64.to_be_bytes(), 1_u64.to_be_bytes()].concat(),
        ),
        ("keys", b"some-key", [&[7; 32][..], &3_u64.to_be_bytes(), &3_u64.to_be_bytes()].concat()),
        ("meta", b"other", vec![1]),
        ("rows", b"rows/other/row", vec![1]),
        ("records", &u64::MAX.to_be_bytes(), vec![1]),
    ];
    for (family, key, value) in entries {
        let forged = home.path().join(family);
        copy_store(&store, &forged);
        {
            let families = ["records", "streams", "ids", "keys", "meta", "rows"];
            let db =
                rocksdb::DB::open_cf(&rocksdb::Options::default(), forged.join("db"), families)
                    .unwrap();
            db.put_cf(db.cf_handle(family).unwrap(), key, value).unwrap();
        }
        let output = Store::at(&forged).run(&["verify"]);
        let said = output.stderr;
        assert_eq!(output.code, 1, "{family}: {said}");
        let named = match family {
            "records" => "damaged at position",
            "meta" => "meta has an entry",
            "rows" => "belong to no projection",
            _ => "which belongs to no event",
        };
        assert!(said.contains(named), "{family}: {said}");
    }
}

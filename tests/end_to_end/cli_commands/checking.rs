//! `rollbook verify` and `rebuild`: a sound store passes, and damage is found wherever it is.

use std::fs;

use rocksdb::{DB, Options};
use rollbook_domain::series::event_id;
use rollbook_domain::{Actor, Event, NewEvent, StreamId};
use rollbook_log::Commit;
use serde_json::{Value, json};
use testkit::Store;

const FAMILIES: [&str; 6] = ["records", "streams", "ids", "keys", "meta", "rows"];

/// Changes the database behind rollbook's back.
fn meddle(store: &Store, change: impl FnOnce(&DB)) {
    let db = DB::open_cf(&Options::default(), store.path().join("db"), FAMILIES).unwrap();
    change(&db);
}

/// A store with five commits behind the two of the import: four weeks are allocated in one, then
/// answered in one each.
fn with_commits() -> (Store, u64) {
    let store = Store::imported("clean");
    let head = store.json(&["status"])["head"].as_u64().unwrap();
    let assigned = store.json(&super::views::assign("2026-03-02", "2026-02-25T12:00:00Z"));
    for week in assigned["assignments"].as_array().unwrap() {
        store.ok(&["respond", week["id"].as_str().unwrap()]);
    }
    (store, head)
}

/// Flips a bit in the commit that begins at a position.
fn damage(store: &Store, first: u64) {
    meddle(store, |db| {
        let records = db.cf_handle("records").unwrap();
        let mut record = db.get_cf(records, first.to_be_bytes()).unwrap().unwrap();
        *record.last_mut().unwrap() ^= 1;
        db.put_cf(records, first.to_be_bytes(), record).unwrap();
    });
}

fn error_object(stderr: &str) -> Value {
    let object: Value = serde_json::from_str(stderr.lines().last().unwrap()).unwrap();
    object["error"].clone()
}

#[test]
fn a_sound_store_is_sound_in_log_and_rows() {
    let (store, _) = with_commits();
    let head = store.json(&["status"])["head"].clone();
    let verified = store.json(&["verify"]);
    assert_eq!((&verified["head"], &verified["commits"]), (&head, &json!(7)));
    let projections = verified["projections"].as_array().unwrap();
    assert_eq!(projections.len(), 7);
    assert!(
        projections.iter().all(|one| one["rows"].as_u64().unwrap() > 0 && one["position"] == head),
        "{projections:?}"
    );
    let log_only = store.json(&["verify", "--log-only"]);
    assert_eq!(log_only["projections"], json!([]));
    assert!(store.ok(&["verify"]).contains("not checked: "));
}

#[test]
fn every_damaged_commit_is_found_with_its_positions() {
    let (store, head) = with_commits();
    // Four weeks were allocated in one commit, then answered in one commit each.
    damage(&store, head + 1);
    damage(&store, head + 6);
    let error = store.fails(1, &["verify", "--json"]);
    let error = error_object(&error);
    assert_eq!(error["code"], json!("damaged"));
    let causes: Vec<&str> =
        error["causes"].as_array().unwrap().iter().map(|cause| cause.as_str().unwrap()).collect();
    assert_eq!(causes.len(), 2, "{causes:?}");
    assert!(
        causes[0].starts_with(&format!(
            "positions {} to {}: the record's checksum",
            head + 1,
            head + 4
        )),
        "{causes:?}"
    );
    assert!(
        causes[1].starts_with(&format!("position {}: the record's checksum", head + 6)),
        "{causes:?}"
    );
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains(&format!(
            "at position {}; {} of {} positions",
            head + 1,
            head + 8 - 5,
            head + 8
        )),
        "{message}"
    );
}

#[test]
fn a_lost_index_entry_is_found() {
    let (store, _) = with_commits();
    let id: uuid::Uuid = serde_json::from_value(
        testkit::lines(&store.ok(&["history", "control", "--json"]))[0]["id"].clone(),
    )
    .unwrap();
    meddle(&store, |db| db.delete_cf(db.cf_handle("ids").unwrap(), id.as_bytes()).unwrap());
    let error = store.fails(1, &["verify"]);
    assert!(error.contains("index ids"), "{error}");
}

#[test]
fn a_changed_row_is_found_and_a_rebuild_mends_it() {
    let (store, _) = with_commits();
    meddle(&store, |db| {
        let rows = db.cf_handle("rows").unwrap();
        let coach = db.iterator_cf(rows, rocksdb::IteratorMode::Start).map(Result::unwrap).find(
            |(key, _)| {
                key.starts_with(b"rows/directory/") && key.windows(2).any(|two| two == b"k/")
            },
        );
        let (key, mut value) = coach.unwrap();
        *value.last_mut().unwrap() ^= 1;
        db.put_cf(rows, key, value).unwrap();
    });
    let error = store.fails(1, &["verify"]);
    assert!(error.contains("rows of directory") && error.contains("rollbook rebuild"), "{error}");
    assert!(!error.contains("rows of precreated"), "{error}");
    let different = store.run(&["rebuild", "directory"]);
    assert_eq!((different.code, different.stdout.as_str()), (1, ""), "{different:?}");
    assert!(different.stderr.contains("the rebuilt rows are in use now"), "{different:?}");
    store.ok(&["verify"]);
}

#[test]
fn a_rebuild_of_a_sound_store_is_identical() {
    let (store, _) = with_commits();
    let rebuilt = store.json(&["rebuild", "--all"]);
    let rebuilt = rebuilt.as_array().unwrap();
    assert_eq!(rebuilt.len(), 7);
    assert!(
        rebuilt
            .iter()
            .all(|one| one["identical"] == json!(true) && one["rows"].as_u64().unwrap() > 0),
        "{rebuilt:?}"
    );
    assert!(store.ok(&["rebuild", "precreated"]).contains("identical"));
    store.ok(&["verify"]);
    let unknown = store.fails(1, &["rebuild", "nothing"]);
    assert!(unknown.contains("legacy, precreated, documents, names, tracker, tree"), "{unknown}");
    store.fails(2, &["rebuild"]);
    store.fails(2, &["rebuild", "legacy", "--all"]);
}

/// A killed process can leave a table file that it was about to write.
#[test]
fn a_table_file_that_nothing_refers_to_is_no_damage_and_the_next_write_removes_it() {
    let (store, _) = with_commits();
    let left = store.path().join("db/999999.sst");
    fs::write(&left, b"the beginning of a table file").unwrap();
    let verified = store.json(&["verify"]);
    let not_checked = verified["not_checked"].to_string();
    assert!(not_checked.contains("db/999999.sst (an unfinished table file"), "{verified}");
    store.run(&["migrate", "validate"]);
    assert!(!left.exists());
    assert!(!store.json(&["verify"])["not_checked"].to_string().contains("unfinished table file"));
    // A damaged file that is part of the database stays damage.
    let part = fs::read_dir(store.path().join("db"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "sst"))
        .unwrap();
    let mut bytes = fs::read(&part).unwrap();
    bytes[20] ^= 1;
    fs::write(&part, bytes).unwrap();
    let name = part.file_name().unwrap().to_str().unwrap().to_owned();
    assert!(store.fails(1, &["verify"]).contains(&name));
}

/// An erasure that was killed after its first step: the keys are gone, and rows and files still have
/// what was folded before.
#[test]
fn an_unfinished_erasure_is_named_and_is_no_damage() {
    let store = Store::imported("tracker");
    store.ok(&["status"]);
    let client = "XuDL7DxtpYlSXpfKtHF4vUCsMehG";
    let opened = crate::opened::open(&store);
    opened
        .ordering()
        .append(Commit {
            events: vec![NewEvent {
                stream: StreamId::Client(client.to_owned()),
                id: Some(event_id(&StreamId::Client(client.to_owned()), &["client-erased"])),
                occurred_at: "2026-03-01T09:00:00Z".parse().unwrap(),
                event: Event::ClientErased {
                    client: client.to_owned(),
                    ids: vec![client.to_owned()],
                    reason: "asked".to_owned(),
                },
            }],
            expected: Vec::new(),
            actor: Actor::Admin("test".to_owned()),
            cause: "test".to_owned(),
            key: None,
        })
        .unwrap();
    drop(opened);
    let ran = store.run(&["--json", "verify"]);
    let error = error_object(&ran.stderr);
    assert_eq!((ran.code, error["code"].as_str()), (1, Some("erasure_unfinished")), "{ran:?}");
    assert!(ran.stderr.contains(client) && !ran.stderr.contains("backup"), "{ran:?}");
    store.ok(&["erase", "--client", client, "--reason", "asked", "--yes"]);
    store.ok(&["verify"]);
}

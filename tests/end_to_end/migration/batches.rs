//! One batch on three stores, applied again, on a store that drifted, and after clients answered.

use serde_json::Value;
use testkit::{FIXTURES, Store};

/// What a store holds of series, without what is its own: when it was recorded, and what other
/// streams are named.
fn series_events(store: &Store) -> Vec<(String, u64, String, Value)> {
    let mut events = Vec::new();
    let store = crate::opened::open(store);
    for recorded in store.log().commits_after(0).flat_map(Result::unwrap) {
        let event = serde_json::to_value(&recorded.event).unwrap();
        let (stream, id) = (recorded.stream.to_string(), recorded.id.to_string());
        events.push((stream, recorded.version, id, event));
    }
    events.retain(|(stream, ..)| stream.starts_with("series/"));
    events
}

#[test]
fn the_same_batch_gives_the_same_events_on_every_store_and_nothing_the_second_time() {
    for (name, _) in FIXTURES {
        let home = tempfile::tempdir().unwrap();
        let stores = ["planned", "staging", "production"]
            .map(|store| Store::imported_at(home.path().join(store), name));
        let batch = home.path().join("batch.ndjson");
        let planned = stores[0].plan(&batch);
        for store in &stores {
            let applied = store.apply(&batch);
            assert_eq!(applied["digest"], planned["digest"]);
            assert_eq!(applied["created"], planned["created"]);
            assert_eq!(applied["skipped"], 0);
        }
        let first = series_events(&stores[0]);
        assert!(first.iter().any(|(.., event)| event["type"] == "AssignmentCreated"));
        for store in &stores[1..] {
            assert_eq!(series_events(store), first, "{name}");
        }
        let head = stores[1].json(&["status"])["head"].clone();
        let before = stores[1].files();
        let again = stores[1].apply(&batch);
        assert_eq!(
            (&again["created"], &again["linked"], &again["skipped"]),
            (&0.into(), &0.into(), &planned["events"])
        );
        assert_eq!(stores[1].json(&["status"])["head"], head, "applying again appends nothing");
        assert_eq!(stores[1].files(), before, "and changes no file");
    }
}

#[test]
fn dirt_is_planned_around_and_every_red_check_names_what_it_found() {
    for name in ["dirty", "dirty-london"] {
        let home = tempfile::tempdir().unwrap();
        let store = Store::imported_at(home.path().join("store"), name);
        let audit = store.json(&["audit", "--format", "json", "--at", "2026-01-15T09:30:00Z"]);
        assert!(audit["findings"].as_array().unwrap().len() > 10, "{audit}");
        let batch = home.path().join("batch.ndjson");
        store.plan(&batch);
        store.apply(&batch);
        let validation = store.validate();
        for check in validation["checks"].as_array().unwrap() {
            let findings = check["findings"].as_array().unwrap().len();
            assert_eq!(check["green"].as_bool().unwrap(), findings == 0, "{check}");
            if [
                "legacy-view-unchanged",
                "responses-unchanged",
                "additive-only",
                "response-count",
                "assignment-count",
            ]
            .contains(&check["name"].as_str().unwrap())
            {
                assert_eq!(check["green"], true, "{name}: {check}");
            }
        }
    }
}

#[test]
fn planning_changes_nothing_and_gives_the_same_file_again() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::imported_at(home.path().join("store"), "clean");
    let before = store.files();
    let (first, second) = (home.path().join("a.ndjson"), home.path().join("b.ndjson"));
    assert_eq!(store.plan(&first)["digest"], store.plan(&second)["digest"]);
    assert_eq!(std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap());
    assert_eq!(store.files(), before);
    let shown = store.json(&["migrate", "show", first.to_str().unwrap()]);
    assert_eq!(shown["created"], 731);
}

#[test]
fn a_week_that_an_early_answer_made_is_skipped_and_counted() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::imported_at(home.path().join("store"), "clean");
    let batch = home.path().join("batch.ndjson");
    let planned = store.plan(&batch);
    let text = std::fs::read_to_string(&batch).unwrap();
    let line: Value =
        serde_json::from_str(text.lines().find(|line| line.contains("AssignmentCreated")).unwrap())
            .unwrap();
    let (stream, week) =
        (line["stream"].as_str().unwrap(), line["event"]["data"]["week"].to_string());
    let answered = store.json(&["respond", stream, "--week", &week]);
    assert_eq!(
        answered["assignmentId"], line["event"]["data"]["assignment"],
        "the answer names the same assignment as the migration"
    );
    let applied = store.apply(&batch);
    assert_eq!(applied["skipped"], 1);
    assert_eq!(applied["created"].as_u64().unwrap() + 1, planned["created"].as_u64().unwrap());
    assert_eq!(store.validate()["all_green"], true);
}

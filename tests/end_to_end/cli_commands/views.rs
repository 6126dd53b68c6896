//! `rollbook view`: the old system's answers on every fixture, and what the options change.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testkit::{FIXTURES, Store, assert_same, files, lines};

/// The old system's answers: by instant, (client id, body).
fn expected(name: &str) -> BTreeMap<String, Vec<(String, Value)>> {
    let mut answers = BTreeMap::<_, Vec<_>>::new();
    for answer in testkit::expected(name, "legacy") {
        answers.entry(answer.now).or_default().push((answer.client, answer.body));
    }
    assert!(answers.len() >= 4, "{name} has too few answers to compare with");
    answers
}

#[test]
fn the_legacy_view_of_all_clients_is_the_old_systems_on_every_fixture() {
    for (name, _) in FIXTURES {
        let store = Store::imported(name);
        for (now, answers) in expected(name) {
            let printed = lines(&store.ok(&["view", "legacy", "--all", "--at", &now]));
            let ids: Vec<&str> =
                printed.iter().map(|line| line["clientId"].as_str().unwrap()).collect();
            assert!(ids.is_sorted() && ids.len() >= 20, "{name}: {ids:?}");
            let answers: BTreeMap<String, Value> = answers.into_iter().collect();
            for line in &printed {
                let id = line["clientId"].as_str().unwrap();
                assert_eq!(line["body"], answers[id], "{name} at {now}, {id}");
            }
        }
    }
}

#[test]
fn the_legacy_view_of_each_identity_is_the_old_systems() {
    for (name, _) in FIXTURES {
        let store = Store::imported(name);
        let (now, answers) = expected(name).pop_first().unwrap();
        for (client, body) in answers {
            if client.is_empty() {
                continue;
            }
            let printed = store.ok(&["view", "legacy", "--client", &client, "--at", &now]);
            assert_eq!(printed.matches('\n').count(), 1);
            assert_eq!(
                serde_json::from_str::<Value>(&printed).unwrap(),
                body,
                "{name} at {now}, {client}"
            );
        }
    }
}

#[test]
fn reading_changes_no_byte_and_json_changes_no_view() {
    let store = Store::imported("clean");
    let before = files(store.around());
    let client = "vJ47rGpctaegMIc8mAsNqjSc3vux";
    let at = ["--at", "2026-01-15T09:30:00Z"];
    for view in ["legacy", "precreated", "live"] {
        let plain = store.ok(&[&["view", view, "--client", client], &at[..]].concat());
        assert_eq!(
            plain,
            store.ok(&[&["view", view, "--client", client, "--json"], &at[..]].concat())
        );
        store.ok(&[&["view", view, "--all"], &at[..]].concat());
    }
    for reading in
        [&["status"][..], &["history", "control"], &["history", client, "--json"], &["verify"]]
    {
        store.ok(reading);
        assert_same(&before, &files(store.around()), reading);
    }
}

#[test]
fn an_unknown_client_has_an_empty_list_and_an_empty_id_is_an_error() {
    let store = Store::imported("clean");
    let body: Value =
        serde_json::from_str(&store.ok(&["view", "live", "--client", "nobody"])).unwrap();
    let summary = json!({"total": 0, "pending": 0, "completed": 0, "overdue": 0});
    assert_eq!(body, json!({"success": true, "data": {"checkins": [], "summary": summary}}));
    let error = store.fails(2, &["view", "live", "--client", ""]);
    assert_eq!(error, "error: Client ID is required\n");
}

/// A client with an answered and an unanswered week, made here so that every date is known.
fn store_with_weeks() -> Store {
    let store = Store::imported("clean");
    store.ok(&assign("2026-03-02", "2026-02-25T12:00:00Z"));
    store
}

pub fn assign<'a>(first_due: &'a str, at: &'a str) -> Vec<&'a str> {
    vec![
        "assign",
        "--client",
        "vJ47rGpctaegMIc8mAsNqjSc3vux",
        "--form",
        "new-form",
        "--coach",
        "new-coach",
        "--allow-unknown",
        "--title",
        "New",
        "--first-due",
        first_due,
        "--at",
        at,
    ]
}

#[test]
fn the_grace_is_the_pre_created_views_and_never_the_legacy_views() {
    let store = store_with_weeks();
    let status = |view: &str, grace: &str| {
        let arguments = [
            "view",
            view,
            "--client",
            "vJ47rGpctaegMIc8mAsNqjSc3vux",
            "--at",
            "2026-03-02T10:00:00Z",
            "--overdue-after",
            grace,
        ];
        let body: Value = serde_json::from_str(&store.ok(&arguments)).unwrap();
        let entries = body["data"]["checkins"].as_array().unwrap().clone();
        let entry = entries
            .iter()
            .find(|entry| entry["formId"] == "new-form" && entry["recurringWeek"] == 1)
            .unwrap()
            .clone();
        entry["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (status("precreated", "0s"), status("precreated", "2h")),
        ("overdue".to_owned(), "pending".to_owned())
    );
    assert_eq!(
        (status("legacy", "0s"), status("live", "0s")),
        ("pending".to_owned(), "pending".to_owned())
    );
    store.ok(&["switch", "precreated", "--reason", "test", "--force"]);
    assert_eq!(status("live", "0s"), "overdue");
}

#[test]
fn as_of_shows_what_was_there_and_which_view_served_then() {
    let store = Store::imported("clean");
    // A client with weeks that only one view has.
    let client = "YALubyNLOidOOvDwR6wMTrVFbLd9";
    let head = store.json(&["status"])["head"].to_string();
    let at = ["--at", "2026-03-02T10:00:00Z"];
    let then = |view: &str| store.ok(&[&["view", view, "--client", client], &at[..]].concat());
    let (legacy, precreated, live) = (then("legacy"), then("precreated"), then("live"));
    let all = store.ok(&[&["view", "precreated", "--all"], &at[..]].concat());
    assert_ne!(legacy, precreated);
    store.ok(&assign("2026-03-02", "2026-02-25T12:00:00Z"));
    store.ok(&["switch", "precreated", "--reason", "test", "--force"]);
    assert_ne!(then("live"), live);
    let as_of = |view: &str| {
        store.ok(&[&["view", view, "--client", client, "--as-of", &head], &at[..]].concat())
    };
    assert_eq!((as_of("legacy"), as_of("precreated"), as_of("live")), (legacy, precreated, live));
    assert_eq!(
        store.ok(&[&["view", "precreated", "--all", "--as-of", &head], &at[..]].concat()),
        all
    );
    assert_eq!(store.ok(&["view", "legacy", "--all", "--as-of", "0"]), "");
}

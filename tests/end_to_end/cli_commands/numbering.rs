//! `rollbook correct set-week`, before and after the migration: the audit names it, both views show
//! the document in its week, the checks are green, and undoing gives the views as they were.

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Server, Store, small_export};

const NOW: &str = "2026-01-25T12:00:00Z";
const REASON: &str = "the export has no number";

/// Week 1 is stored twice: `a2` has no number, is due in week 3, and has the response `r3`.
fn store() -> (TempDir, Store) {
    store_with(3)
}

/// The same; `r3` states this week.
fn store_with(stated: u32) -> (TempDir, Store) {
    let home = tempfile::tempdir().unwrap();
    let answered = |id: &str, response: &str, due: &str| {
        json!({"_id": id, "id": id, "dueDate": due, "status": "completed", "responseId": response,
            "completedAt": "2026-01-21T10:00:00.000Z", "score": 80})
    };
    let mut first = answered("a1", "r1", "2026-01-05T09:00:00.000Z");
    first["recurringWeek"] = json!(1);
    let second = answered("a2", "r3", "2026-01-19T09:00:00.000Z");
    let third =
        json!({"_id": "a3", "id": "a3", "dueDate": "2026-01-12T09:00:00.000Z", "recurringWeek": 2});
    let response = |id: &str, named: &str, week: u32| json!({"_id": id, "assignmentId": named, "recurringWeek": week});
    let export = home.path().join("export");
    let responses = [response("r1", "a1", 1), response("r3", "a2", stated)];
    small_export(&export, &[first, second, third], &responses);
    let store = Store::at(home.path().join("store"));
    store.import(&export, "tracker");
    (home, store)
}

/// The findings of the audit with the command `correct set-week`.
fn told(store: &Store) -> Vec<(String, String)> {
    let report = store.json(&["audit", "--format", "json", "--at", NOW]);
    let mut told = Vec::new();
    for group in report["findings"].as_array().unwrap() {
        for finding in group["findings"].as_array().unwrap() {
            let resolve = finding["resolve"].as_str().unwrap();
            if resolve.contains("set-week") {
                told.push((group["code"].as_str().unwrap().to_owned(), resolve.to_owned()));
            }
        }
    }
    told
}

fn views(store: &Store) -> [Vec<Value>; 2] {
    ["legacy", "precreated"].map(|view| store.check_ins(view, "c1", NOW))
}

/// The weeks of both views that carry a response.
fn weeks_of(store: &Store, response: &str) -> [Vec<u64>; 2] {
    views(store).map(|entries| {
        let holds = |entry: &&Value| entry["responseId"] == response;
        entries.iter().filter(holds).map(|entry| entry["recurringWeek"].as_u64().unwrap()).collect()
    })
}

fn is_green(store: &Store, check: &str) -> bool {
    let report = store.validate();
    let mut checks = report["checks"].as_array().unwrap().iter();
    checks.find(|found| found["name"] == check).unwrap()["green"] == true
}

fn set(store: &Store, more: &[&str]) -> Value {
    let arguments = ["correct", "set-week", "a2", "--week", "3", "--reason", REASON];
    store.json(&[&arguments, more].concat())
}

#[test]
fn a_migration_leaves_a_response_in_the_week_whose_number_was_set() {
    let (_home, store) = store_with(4);
    set(&store, &[]);
    store.apply(&store.batch("monday"));
    assert_eq!(weeks_of(&store, "r3"), [[3], [3]]);
    let validated = store.validate();
    assert_eq!(validated["all_green"], true, "{validated}");
}

#[test]
fn a_number_is_set_and_undone_before_the_migration() {
    sets(&[]);
}

#[test]
fn a_number_is_set_and_undone_after_the_migration() {
    sets(&["migrate"]);
}

#[test]
fn a_number_is_set_and_undone_after_the_switch() {
    sets(&["migrate", "switch"]);
}

fn sets(before: &[&str]) {
    let (home, store) = store();
    if before.contains(&"migrate") {
        store.migrate();
        assert!(!is_green(&store, "no-duplicate-weeks"));
    }
    if before.contains(&"switch") {
        store.ok(&["switch", "precreated", "--force", "--reason", "as a test"]);
    }
    let command = "rollbook correct set-week a2 --week 3 --reason TEXT".to_owned();
    assert_eq!(
        told(&store),
        [
            ("duplicate-week".to_owned(), command.clone()),
            ("assignment-without-week".to_owned(), command)
        ]
    );
    let (was, files) = (views(&store), store.files());
    let dry = set(&store, &["--dry-run"]);
    assert_eq!(store.files(), files, "a dry run writes nothing");
    assert_eq!(
        (&dry["dry_run"], &dry["events"][0]["event"]),
        (&json!(true), &json!("WeekNumberSet"))
    );
    assert!(dry["legacy"].as_array().unwrap().iter().any(|change| change["week"] == 3), "{dry}");

    let done = set(&store, &[]);
    let correction = done["correction"].as_str().unwrap().to_owned();
    assert_eq!(told(&store), []);
    assert_eq!(weeks_of(&store, "r3"), [[3], [3]]);
    assert_eq!(weeks_of(&store, "r1"), [[1], [1]]);
    let listed = store.json(&["correct", "list", "--client", "c1"]);
    assert_eq!((&listed[0]["document"], &listed[0]["left"]), (&json!("a2"), &json!([1])));
    for id in ["a2", &correction] {
        let closed = store.ok(&["history", id]);
        assert!(closed.contains("WeekNumberSet") && !closed.contains(REASON), "{closed}");
        assert!(store.ok(&["history", id, "--with-answers"]).contains(REASON));
    }
    if before.is_empty() {
        store.migrate();
    }
    let validated = store.validate();
    assert_eq!(validated["all_green"], true, "{validated}");
    let parity = store.json(&["migrate", "parity"]);
    assert_eq!(parity["unexplained_total"], json!(0), "{parity}");
    assert_eq!(set(&store, &[])["events"], json!([]), "it is so already");

    store.ok(&["correct", "undo", &correction, "--reason", "it was right"]);
    if !before.is_empty() {
        assert_eq!(views(&store), was);
    }
    assert_eq!(told(&store).len(), 2);
    if before.is_empty() {
        // As without the correction, the migration links the response to the week that it states.
        let again = home.path().join("again.ndjson");
        store.plan(&again);
        store.apply(&again);
    }
    assert_eq!(weeks_of(&store, "r3")[1], [3]);
}

#[test]
fn a_number_survives_an_import_and_is_exported() {
    let (home, store) = store();
    set(&store, &[]);
    let was = views(&store);
    store.import(&home.path().join("export"), "tracker");
    assert_eq!(views(&store), was);
    let corrected = home.path().join("corrected");
    store.ok(&["export", corrected.to_str().unwrap()]);
    let again = Store::at(home.path().join("again"));
    again.import(&corrected, "tracker");
    assert_eq!(views(&again)[0], was[0]);
    assert_eq!(told(&again), []);
}

#[test]
fn a_number_set_between_plan_and_apply_is_drift() {
    let (home, store) = store();
    let batch = home.path().join("batch.ndjson");
    store.plan(&batch);
    set(&store, &[]);
    let refused = store.run(&["--json", "migrate", "apply", batch.to_str().unwrap()]);
    assert_eq!(refused.error()["code"], "drift", "{refused:?}");
}

#[test]
fn the_service_sets_a_number_and_refuses_as_the_command_does() {
    let (_home, store) = store();
    let cases = [
        (json!({"document": "a2", "week": 2}), 409, "week_has_document"),
        (json!({"document": "a1", "week": 4}), 409, "only_base"),
        (json!({"document": "a2", "week": 5}), 404, "unknown_id"),
        (json!({"document": "a2", "week": 521}), 400, "out_of_range"),
        (json!({"document": "nobody", "week": 3}), 404, "unknown_id"),
    ];
    // The first document is the only one of week 1 once the other has left it.
    set(&store, &[]);
    let asked = |of: &Value| {
        let (document, week) = (of["document"].as_str().unwrap(), of["week"].to_string());
        let run = store
            .run(&["--json", "correct", "set-week", document, "--week", &week, "--reason", "x"]);
        run.error()["code"].as_str().unwrap().to_owned()
    };
    let by_command: Vec<String> = cases.iter().map(|(of, ..)| asked(of)).collect();
    let server = Server::on(&store);
    for ((mut body, status, code), command) in cases.into_iter().zip(by_command) {
        body["kind"] = json!("set-week");
        body["reason"] = json!("x");
        let answer = server.post("/v1/corrections", body);
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{answer:?}");
        assert_eq!(command, code);
    }
    let body = json!({"kind": "set-week", "document": "a2", "week": 4, "reason": REASON});
    let done = server.post("/v1/corrections", body).json();
    assert_eq!(done["events"][0]["event"], "WeekNumberSet");
    let undo = json!({"kind": "undo", "correction": done["correction"], "reason": "back"});
    assert_eq!(server.post("/v1/corrections", undo).status, 200);
}

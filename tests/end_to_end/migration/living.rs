//! A store whose old application stays in use after the migration.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testkit::{Server, Store};

const NOW: &str = "2026-01-20T12:00:00Z";

fn week(id: &str, week: u32, response: Option<&str>) -> Value {
    let mut document = json!({"_id": id, "id": format!("legacy-{id}"), "clientId": "c1", "formId": "f1",
        "formTitle": "Weekly", "isRecurring": true, "recurringWeek": week, "totalWeeks": 6,
        "dueDate": format!("2026-01-{:02}T09:00:00Z", 5 + 7 * (week - 1)), "status": "active",
        "assignedAt": "2026-01-01T10:00:00Z", "coachId": "k1"});
    if let Some(response) = response {
        document["responseId"] = response.into();
        document["status"] = "completed".into();
        document["completedAt"] = "2026-01-13T08:00:00Z".into();
        document["score"] = 33.into();
    }
    document
}

fn response(id: &str, named: &str, week: u32) -> Value {
    json!({"_id": id, "assignmentId": named, "clientId": "c1", "formId": "f1", "recurringWeek": week,
        "score": 33, "submittedAt": "2026-01-13T08:00:00Z", "responses": []})
}

fn write_export(directory: &Path, weeks: &[Value], responses: &[Value]) -> PathBuf {
    std::fs::create_dir_all(directory).unwrap();
    let clients = [json!({"_id": "c1", "onboardingStatus": "completed"})];
    let files =
        [("clients", &clients[..]), ("check_in_assignments", weeks), ("formResponses", responses)];
    for (name, documents) in files {
        let file = json!({"collection": name, "exportDate": "2026-01-20T00:00:00Z",
            "totalDocuments": documents.len(), "documents": documents});
        std::fs::write(directory.join(format!("{name}.json")), file.to_string()).unwrap();
    }
    directory.to_owned()
}

fn import(store: &Store, name: &str, weeks: &[Value], responses: &[Value]) -> Value {
    let export = write_export(&store.beside(name), weeks, responses);
    store.json(&["import", export.to_str().unwrap()])
}

/// The red checks of a validation, with its number of checks.
fn validate(store: &Store) -> (usize, Vec<String>) {
    let ran = store.run(&["migrate", "validate", "--json"]);
    let validation: Value = serde_json::from_str(&ran.stdout).unwrap();
    let checks = validation["checks"].as_array().unwrap();
    let red = checks.iter().filter(|check| check["green"] == false);
    (checks.len(), red.map(|check| check["name"].as_str().unwrap().to_owned()).collect())
}

fn shown(store: &Store, view: &str, week: u32) -> Value {
    let body = store.json(&["view", view, "--client", "c1", "--at", NOW]);
    let entries = body["data"]["checkins"].as_array().unwrap().clone();
    entries.into_iter().find(|entry| entry["recurringWeek"] == week).unwrap()
}

/// A store to which `precreate` was applied.
fn migrated() -> Store {
    let store = Store::none();
    import(&store, "first", &[week("a1", 1, None)], &[]);
    let batch = store.beside("batch.ndjson");
    store.plan(&batch);
    store.apply(&batch);
    store
}

#[test]
fn an_answer_in_the_old_application_after_the_migration_is_adopted() {
    let store = migrated();
    let made = shown(&store, "precreated", 2)["id"].as_str().unwrap().to_owned();
    let weeks = [week("a1", 1, None), week("w2doc", 2, Some("r2"))];
    let report = import(&store, "second", &weeks, &[response("r2", "w2doc", 2)]);
    let adopted =
        json!([{"series": "series/c1/f1", "week": 2, "document": "w2doc", "assignment": made}]);
    assert_eq!(report["adopted"], adopted);
    assert_eq!(validate(&store), (13, Vec::new()));
    let entry = shown(&store, "precreated", 2);
    assert_eq!((&entry["id"], &entry["responseId"]), (&json!(made), &json!("r2")));
    let entry = shown(&store, "legacy", 2);
    assert_eq!((&entry["id"], &entry["documentId"]), (&json!("legacy-w2doc"), &json!("w2doc")));
    // Every id means the week, and the history says what happened.
    for id in ["w2doc", "legacy-w2doc", made.as_str()] {
        let history = store.ok(&["history", id]);
        assert!(history.contains("DocumentAdopted"), "{id}: {history}");
    }
    let again = store.ok(&["import", store.beside("second").to_str().unwrap()]);
    assert!(again.contains("0 events appended"), "{again}");
    // A command on any of its ids touches this assignment alone, in both views.
    store.ok(&["withdraw", "--assignment", &made, "--reason", "by mistake"]);
    for view in ["legacy", "precreated"] {
        assert_eq!(shown(&store, view, 2)["responseId"], Value::Null, "{view}");
    }
    assert_eq!(validate(&store), (13, Vec::new()));
}

#[test]
fn the_text_of_an_import_names_what_was_adopted() {
    let store = migrated();
    let weeks = [week("a1", 1, None), week("w2doc", 2, Some("r2"))];
    let export = write_export(&store.beside("second"), &weeks, &[response("r2", "w2doc", 2)]);
    let text = store.ok(&["import", export.to_str().unwrap()]);
    assert!(text.contains("adopted: document w2doc is now assignment "), "{text}");
    assert!(text.contains(", week 2 of series/c1/f1"), "{text}");
}

#[test]
fn a_store_imports_its_own_export_and_stays_as_it_was() {
    for is_switched in [false, true] {
        let store = migrated();
        if is_switched {
            store.validate();
            store.ok(&["switch", "precreated", "--reason", "test"]);
        }
        let (made, at) = (shown(&store, "precreated", 3)["id"].clone(), ["--at", NOW]);
        let done = |arguments: &[&str]| store.ok(&[arguments, &at].concat());
        // What is done to weeks that were made, and to a series that was allocated here.
        let assigned = ["assign", "--client", "c1", "--form", "f2", "--coach", "k1"];
        done(&[&assigned[..], &["--allow-unknown"]].concat());
        done(&["respond", made.as_str().unwrap(), "--score", "60"]);
        done(&["respond", "series/c1/f2", "--week", "2"]);
        done(&["extend", "legacy-a1_week_2", "--reason", "moving house this week"]);
        assert_eq!(validate(&store), (13, Vec::new()));
        let lists = || ["legacy", "precreated"].map(|view| store.all(view, NOW));
        let before = lists();
        for round in ["own-1", "own-2"] {
            let export = store.beside(round);
            store.ok(&["export", export.to_str().unwrap()]);
            store.ok(&["import", export.to_str().unwrap()]);
            assert_eq!(validate(&store), (13, Vec::new()), "{round}, switched: {is_switched}");
            assert_eq!(lists(), before, "{round}, switched: {is_switched}");
            let plan = store.run(&["migrate", "plan", "--json"]);
            assert_eq!(plan.error()["code"], "nothing_to_migrate", "{plan:?}");
            let again = store.ok(&["import", export.to_str().unwrap()]);
            assert!(again.contains("0 events appended"), "{again}");
        }
    }
}

/// A store whose export has week 1 twice.
fn doubled(first: Option<&str>, second: Option<&str>) -> Store {
    let store = Store::none();
    let responses: Vec<Value> = [("a1", first), ("a2", second)]
        .into_iter()
        .filter_map(|(named, id)| Some(response(id?, named, 1)))
        .collect();
    import(&store, "first", &[week("a1", 1, first), week("a2", 1, second)], &responses);
    store
}

#[test]
fn withdrawing_a_duplicate_keeps_the_answer_of_the_other() {
    let store = doubled(Some("r1"), None);
    store.ok(&["withdraw", "--assignment", "a2", "--reason", "sent twice"]);
    for view in ["legacy", "precreated"] {
        let entry = shown(&store, view, 1);
        assert_eq!((&entry["documentId"], &entry["responseId"]), (&json!("a1"), &json!("r1")));
    }
    // It is gone, and the other is not taken in its place.
    let refused = store.run(&["withdraw", "--assignment", "a2", "--reason", "again", "--json"]);
    assert_eq!(refused.error()["code"], "unknown_id", "{refused:?}");
    assert_eq!(shown(&store, "legacy", 1)["responseId"], "r1");
    assert!(store.ok(&["history", "a2"]).contains("DuplicateWithdrawn"));
}

#[test]
fn of_two_unanswered_duplicates_only_the_named_one_goes_over_http_too() {
    let store = doubled(None, None);
    let server = Server::at(&store, NOW);
    let answer = server.delete("/api/check-in-assignments/a1", None);
    assert_eq!((answer.status, &answer.body["cleared"]), (200, &json!(false)));
    let entries = server.check_ins("c1").body["data"]["checkins"].clone();
    let first = entries.as_array().unwrap().iter().find(|entry| entry["recurringWeek"] == 1);
    assert_eq!(first.unwrap()["documentId"], "a2");
    assert_eq!(server.delete("/api/check-in-assignments/a1", None).status, 404);
    server.end();
}

#[test]
fn of_two_answered_duplicates_only_the_answer_of_the_named_one_is_cleared() {
    let store = doubled(Some("r1"), Some("r2"));
    let server = Server::at(&store, NOW);
    let answer = server.delete("/api/check-in-assignments/a2", None);
    assert_eq!((answer.status, &answer.body["cleared"]), (200, &json!(true)));
    server.end();
    for view in ["legacy", "precreated"] {
        assert_eq!(shown(&store, view, 1)["responseId"], "r1", "{view}");
    }
    let (checks, red) = validate(&store);
    assert_eq!(checks, 13);
    assert!(!red.contains(&"no-response-hidden".to_owned()), "{red:?}");
}

#[test]
fn a_response_that_another_document_hides_is_named() {
    let store = doubled(Some("r1"), Some("r2"));
    let ran = store.run(&["migrate", "validate", "--json"]);
    assert_eq!(ran.code, 3);
    let validation: Value = serde_json::from_str(&ran.stdout).unwrap();
    let check = &validation["checks"].as_array().unwrap()[12];
    assert_eq!(check["name"], "no-response-hidden");
    let finding = check["findings"][0].as_str().unwrap();
    assert!(
        finding.starts_with("response r2 of client c1, form f1, run 1, week 1 is in no view"),
        "{finding}"
    );
}

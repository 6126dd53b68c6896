//! Findings of a validation that are accepted by name: the switch and the certificate work without
//! an override, and a finding that comes later stops them again.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testkit::{Server, Store, fixture_case, rollbook, run};

const NOW: &str = "2026-01-20T12:00:00Z";

/// The validation, and the names of its red checks.
fn validate(store: &Store) -> (Value, Vec<String>) {
    let ran = store.run(&["migrate", "validate", "--json"]);
    let validation: Value = serde_json::from_str(&ran.stdout).unwrap();
    let checks = validation["checks"].as_array().unwrap();
    let red = checks.iter().filter(|check| check["green"] == false);
    let red: Vec<String> = red.map(|check| check["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ran.code, if red.is_empty() { 0 } else { 3 }, "{ran:?}");
    (validation, red)
}

fn findings(store: &Store, more: &[&str]) -> Vec<Value> {
    let listed = store.json(&[&["migrate", "findings", "--all"], more].concat());
    listed["findings"].as_array().unwrap().clone()
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap()
}

/// The open findings after a migration.
fn migrated_red(store: &Store) -> Vec<Value> {
    let batch = store.beside("batch.ndjson");
    store.plan(&batch);
    store.apply(&batch);
    red(store)
}

/// The open findings of a store whose validation is red. The switch refuses.
fn red(store: &Store) -> Vec<Value> {
    let (_, red) = validate(store);
    assert!(!red.is_empty());
    let refused = store.run(&["--json", "switch", "precreated", "--reason", "go"]);
    assert_eq!((refused.code, &refused.error()["code"]), (3, &json!("switch_refused")));
    assert!(refused.stderr.contains("migrate accept"), "{}", refused.stderr);
    let open = findings(store, &["--state", "open"]);
    assert!(!open.is_empty());
    open
}

/// Accepts findings, each by its id.
fn accept(store: &Store, open: &[Value]) {
    for finding in open {
        let id = text(finding, "id");
        let accept = ["migrate", "accept", id, "--reason", "known", "--as", "admin:robin"];
        assert_eq!(store.json(&accept)["findings"], json!([id]));
    }
}

/// Validates: all is green with so many accepted findings, and nothing stops the switch and a
/// greater percentage.
fn switch(store: &Store, accepted: usize) {
    let (validation, red) = validate(store);
    assert_eq!(red, Vec::<String>::new(), "{validation}");
    let found: usize = validation["checks"].as_array().unwrap().iter().map(accepted_of).sum();
    assert_eq!(found, accepted);
    store.ok(&["switch", "precreated", "--percent", "10", "--reason", "first tenth"]);
    let switched = store.json(&["switch", "precreated", "--percent", "30", "--reason", "more"]);
    assert_eq!(switched["forced"], false);
}

fn certify(store: &Store) -> PathBuf {
    let file = store.beside("certificate.json");
    store.ok(&["migrate", "certificate", "--out", file.to_str().unwrap()]);
    file
}

fn accept_and_switch(store: &Store, open: &[Value]) -> PathBuf {
    accept(store, open);
    switch(store, open.len());
    certify(store)
}

fn accepted_of(check: &Value) -> usize {
    check["accepted"].as_array().map_or(0, Vec::len)
}

fn check_certificate(file: &Path, more: &[&str]) -> String {
    let ran = run(rollbook().arg("check-certificate").arg(file).args(more));
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.stdout
}

/// A store with two series, one of them with a base without a due date, which is not migrated.
fn without_due_date() -> Store {
    let store = Store::none();
    let mut other = week("b1", 1, None);
    other["formId"] = "f2".into();
    other["dueDate"] = Value::Null;
    import(&store, "first", &[week("a1", 1, None), other], &[]);
    store
}

#[test]
fn the_findings_of_a_store_with_nothing_to_migrate_are_accepted_by_name() {
    let store = Store::of_export(&fixture_case("due-date-null").join("export"));
    let open = red(&store);
    accept(&store, &open);
    switch(&store, open.len());
}

#[test]
fn the_findings_of_a_base_without_due_date_are_accepted_by_name() {
    let store = without_due_date();
    let open = migrated_red(&store);
    let file = accept_and_switch(&store, &open);
    // The certificate says what was accepted, by whom and why; it has the format for that.
    let certificate: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(certificate["rollbook_certificate"], 3);
    let said = check_certificate(&file, &[]);
    for finding in &open {
        let line = said.lines().find(|line| line.contains(text(finding, "id"))).unwrap();
        assert!(
            line.starts_with("accepted by admin:robin: ") && line.ends_with(": known"),
            "{line}"
        );
    }
    // So do the history and the status.
    let history = store.ok(&["history", "control"]);
    assert!(history.contains("FindingsAccepted") && history.contains("accepted findings"));
    let status = store.json(&["status"]);
    let count = json!(open.len());
    assert_eq!((&status["accepted_findings"], &status["validation"]["accepted"]), (&count, &count));
}

#[test]
fn the_findings_of_the_fixtures_dirty_are_accepted_by_check_with_their_number() {
    for fixture in ["dirty", "dirty-london"] {
        let store = Store::imported(fixture);
        let open = migrated_red(&store);
        let mut checks: Vec<&str> = open.iter().map(|finding| text(finding, "check")).collect();
        checks.dedup();
        for check in checks {
            let count = open.iter().filter(|finding| finding["check"] == check).count();
            let accept = |expect: usize| {
                let expect = expect.to_string();
                store.run(&[
                    "--json", "migrate", "accept", "--check", check, "--expect", &expect,
                    "--reason", "known",
                ])
            };
            let refused = accept(count + 1);
            assert_eq!((refused.code, &refused.error()["code"]), (3, &json!("findings_differ")));
            assert_eq!(accept(count).code, 0, "{fixture} {check}");
        }
        assert_eq!(findings(&store, &["--state", "open"]), Vec::<Value>::new());
        switch(&store, open.len());
        let said = check_certificate(&certify(&store), &[]);
        assert!(open.iter().all(|finding| said.contains(text(finding, "id"))), "{said}");
    }
}

#[test]
fn an_acceptance_needs_a_known_finding_and_a_reason_and_is_made_once() {
    let store = without_due_date();
    let open = migrated_red(&store);
    let id = text(&open[0], "id");
    let before = store.json(&["status"])["head"].clone();
    let unknown = store.run(&["--json", "migrate", "accept", "0000000000000000", "--reason", "x"]);
    assert_eq!((unknown.code, &unknown.error()["code"]), (3, &json!("unknown_finding")));
    assert!(unknown.stderr.contains("migrate findings"), "{}", unknown.stderr);
    let silent = store.run(&["--json", "migrate", "accept", id, "--reason", " "]);
    assert_eq!(silent.error()["code"], "short_reason");
    let check =
        ["--json", "migrate", "accept", "--check", "no-such", "--expect", "1", "--reason", "x"];
    assert_eq!(store.run(&check).error()["code"], "unknown_finding");
    assert_eq!(store.json(&["status"])["head"], before);

    store.ok(&["migrate", "accept", id, "--reason", "known"]);
    let again = store.json(&["migrate", "accept", id, "--reason", "known"]);
    assert_eq!(again, json!({"findings": [], "already": 1, "position": null}));
    // The same facts give the same id on another store.
    let other = without_due_date();
    assert_eq!(migrated_red(&other), open);
}

#[test]
fn a_withdrawn_acceptance_stops_the_switch_until_the_next_validation_and_then_again() {
    let store = without_due_date();
    let open = migrated_red(&store);
    accept_and_switch(&store, &open);
    let id = text(&open[0], "id");
    store.ok(&["migrate", "accept", id, "--withdraw", "--reason", "it must be corrected"]);
    let refused =
        || store.run(&["--json", "switch", "precreated", "--percent", "50", "--reason", "more"]);
    assert_eq!(refused().error()["code"], "switch_refused");
    assert_eq!(store.run(&["migrate", "certificate"]).code, 3);
    assert_eq!(validate(&store).1, [text(&open[0], "check")]);
    assert_eq!(refused().error()["code"], "switch_refused");
    let withdrawn =
        store.run(&["--json", "migrate", "accept", id, "--withdraw", "--reason", "again"]);
    assert_eq!((withdrawn.code, &withdrawn.error()["code"]), (3, &json!("unknown_finding")));
}

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

fn import(store: &Store, name: &str, weeks: &[Value], responses: &[Value]) {
    let directory = store.beside(name);
    fs::create_dir_all(&directory).unwrap();
    let clients = [json!({"_id": "c1", "onboardingStatus": "completed"})];
    let files =
        [("clients", &clients[..]), ("check_in_assignments", weeks), ("formResponses", responses)];
    for (name, documents) in files {
        let file = json!({"collection": name, "exportDate": "2026-01-20T00:00:00Z",
            "totalDocuments": documents.len(), "documents": documents});
        fs::write(directory.join(format!("{name}.json")), file.to_string()).unwrap();
    }
    store.ok(&["import", directory.to_str().unwrap()]);
}

fn holding(store: &Store, view: &str, week: u32) -> Value {
    let body = store.json(&["view", view, "--client", "c1", "--at", NOW]);
    let entries = body["data"]["checkins"].as_array().unwrap().clone();
    entries.into_iter().find(|entry| entry["recurringWeek"] == week).unwrap()["responseId"].clone()
}

fn respond(store: &Store, week: &str) -> Value {
    store.json(&["respond", "series/c1/f1", "--week", week, "--score", "50", "--as", "client:c1"])
}

/// A store where week 2 was answered here and, later in the export, in the old application as
/// `r2`; and the answer that was given here.
fn answered_twice() -> (Store, String) {
    let store = Store::none();
    import(&store, "first", &[week("a1", 1, None)], &[]);
    let batch = store.beside("batch.ndjson");
    store.plan(&batch);
    store.apply(&batch);
    let here = text(&respond(&store, "2"), "responseId").to_owned();
    let weeks = [week("a1", 1, None), week("w2doc", 2, Some("r2"))];
    import(&store, "second", &weeks, &[response("r2", "w2doc", 2)]);
    (store, here)
}

fn agree(store: &Store, week: u32) -> Value {
    let (legacy, precreated) = (holding(store, "legacy", week), holding(store, "precreated", week));
    assert_eq!(legacy, precreated, "both views agree on week {week}");
    legacy
}

#[test]
fn of_two_answers_to_a_week_both_views_show_one_and_the_finding_names_both() {
    let (store, here) = answered_twice();
    assert_eq!(agree(&store, 2), here.as_str());
    let (_, red) = validate(&store);
    assert_eq!(red, ["no-response-hidden"]);
    let open = findings(&store, &["--check", "no-response-hidden"]);
    let [finding] = &open[..] else { panic!("{open:?}") };
    let what = text(finding, "what");
    assert!(what.starts_with("response r2 of client c1") && what.contains(&here), "{what}");
    let listed = store.ok(&["migrate", "findings"]);
    assert!(listed.contains("correct") && listed.contains("migrate accept"), "{listed}");
    // Either a correction resolves it, and both answers are shown, or it is accepted.
    store.ok(&["correct", "move-response", &here, "--week", "3", "--reason", "it was for week 3"]);
    assert_eq!(agree(&store, 3), here.as_str());
    store.ok(&[
        "correct",
        "adopt-response",
        "r2",
        "--week",
        "2",
        "--reason",
        "the answer of week 2",
    ]);
    assert_eq!(agree(&store, 2), "r2");
    assert_eq!(validate(&store).1, Vec::<String>::new());
}

#[test]
fn a_new_finding_of_an_accepted_kind_stops_the_switch_again() {
    let (store, _) = answered_twice();
    let (_, red) = validate(&store);
    assert_eq!(red, ["no-response-hidden"]);
    let open = findings(&store, &["--state", "open"]);
    accept_and_switch(&store, &open);
    // Week 3 is answered in both systems too.
    respond(&store, "3");
    let weeks = [week("a1", 1, None), week("w2doc", 2, Some("r2")), week("w3doc", 3, Some("r3"))];
    import(&store, "third", &weeks, &[response("r2", "w2doc", 2), response("r3", "w3doc", 3)]);
    let (validation, red) = validate(&store);
    assert_eq!(red, ["no-response-hidden"], "{validation}");
    let check = &validation["checks"][12];
    assert_eq!((accepted_of(check), check["findings"].as_array().unwrap().len()), (1, 1));
    let refused =
        store.run(&["--json", "switch", "precreated", "--percent", "50", "--reason", "more"]);
    assert_eq!(refused.error()["code"], "switch_refused");
    assert_eq!(store.run(&["migrate", "certificate"]).code, 3);
    // The accepted one goes stale when it is corrected. That is no error.
    let open = findings(&store, &["--state", "open"]);
    store.ok(&["migrate", "accept", text(&open[0], "id"), "--reason", "known"]);
    let here = holding(&store, "precreated", 2).as_str().unwrap().to_owned();
    store.ok(&["correct", "move-response", &here, "--week", "4", "--reason", "it was for week 4"]);
    store.ok(&[
        "correct",
        "adopt-response",
        "r2",
        "--week",
        "2",
        "--reason",
        "the answer of week 2",
    ]);
    let (validation, red) = validate(&store);
    assert_eq!(red, Vec::<String>::new(), "{validation}");
    assert_eq!(validation["stale"].as_array().unwrap().len(), 1);
    let stale = findings(&store, &["--state", "stale"]);
    assert!(text(&stale[0], "what").starts_with("response r2"), "{stale:?}");
}

#[test]
fn the_service_lists_and_accepts_findings_too() {
    let store = without_due_date();
    let open = migrated_red(&store);
    let server = Server::at(&store, NOW);
    let listed = server.get("/v1/migrations/findings?limit=1");
    assert_eq!((listed.status, &listed.body["findings"][0]), (200, &open[0]));
    assert_eq!(listed.body["open"], json!(open.len()));
    let unknown = json!({"kind": "findings", "findings": ["0000000000000000"], "reason": "x"});
    let refused = server.post("/v1/migrations/acceptances", unknown);
    assert_eq!((refused.status, refused.code()), (404, "unknown_finding".to_owned()));
    let at = format!("http://{}", server.address());
    let remotely = |arguments: &[&str]| {
        let ran = run(rollbook().args(["--server", &at, "--json"]).args(arguments));
        assert_eq!(ran.code, 0, "{ran:?}");
        serde_json::from_str::<Value>(&ran.stdout).unwrap()
    };
    assert_eq!(remotely(&["migrate", "findings", "--all"])["findings"], json!(open));
    for finding in &open {
        remotely(&["migrate", "accept", text(finding, "id"), "--reason", "known"]);
    }
    let validated = remotely(&["migrate", "validate"]);
    assert_eq!(validated["all_green"], true, "{validated}");
    remotely(&["migrate", "accept", text(&open[0], "id"), "--withdraw", "--reason", "corrected"]);
    assert_eq!(remotely(&["migrate", "findings"])["open"], 1);
    server.end();
}

//! The kinds of migration that change weeks, through the binary: one batch on two stores, shown,
//! checked, certified, switched and undone; over HTTP; and requests that fit no kind.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testkit::{Server, Store, lines, rollbook, run};

const NOW: &str = "2026-01-15T09:30:00Z";
const LATER: &str = "2026-01-15T10:00:00Z";

/// Two stores with the same import and the same pre-created weeks.
fn two_stores(home: &Path) -> [Store; 2] {
    let stores =
        ["staging", "production"].map(|name| Store::imported_at(home.join(name), "tracker"));
    let batch = home.join("precreate.ndjson");
    stores[0].plan(&batch);
    stores.iter().for_each(|store| {
        store.apply(&batch);
    });
    stores
}

fn plan(store: &Store, file: &Path, options: &[&str]) -> Value {
    let out = ["--out", file.to_str().unwrap()];
    store.json(&[&["migrate", "plan"], options, &out].concat())
}

fn realign<'a>(weekday: &'a str, at: &'a str) -> Vec<&'a str> {
    vec!["--kind", "realign", "--weekday", weekday, "--at", at]
}

/// A field of a client's open weeks in a view, by week.
fn shown(store: &Store, view: &str, client: &str, field: &str) -> Vec<(u64, Value)> {
    let open = |entry: &&Value| entry["status"] == "pending";
    let shown = |entry: &Value| (entry["recurringWeek"].as_u64().unwrap(), entry[field].clone());
    store.check_ins(view, client, NOW).iter().filter(open).map(shown).collect()
}

#[test]
fn a_realignment_is_applied_to_two_stores_certified_switched_and_undone() {
    carry_out(&realign("wednesday", NOW), "dueDate");
}

#[test]
fn a_window_is_applied_to_two_stores_certified_switched_and_undone() {
    let window = r#"{"enabled":true,"startDay":"friday"}"#;
    let from = "2026-01-26T00:00:00Z";
    let options = ["--kind", "window", "--window", window, "--from", from, "--at", NOW];
    carry_out(&options, "checkInWindow");
}

/// Carries out a batch that changes one field of many weeks, on two stores, and its inverse.
fn carry_out(options: &[&str], field: &str) {
    let home = tempfile::tempdir().unwrap();
    let stores = two_stores(home.path());
    let file = home.path().join("batch.ndjson");
    let planned = plan(&stores[0], &file, options);
    assert_eq!(planned["created"], 0);
    let changed = planned["changed"].as_u64().unwrap();
    assert!(changed > 100, "{planned}");
    let client = client_of(&file);
    let before = shown(&stores[0], "precreated", &client, field);
    assert_eq!(before, shown(&stores[0], "legacy", &client, field));

    let mut certificates = Vec::new();
    for (store, name) in stores.iter().zip(["staging", "production"]) {
        let applied = store.apply(&file);
        assert_eq!(
            (&applied["digest"], &applied["changed"]),
            (&planned["digest"], &json!(changed))
        );
        assert_eq!(store.apply(&file)["left_out"]["already"], changed);
        assert_eq!(store.validate()["all_green"], true, "{name}");
        let after = shown(store, "precreated", &client, field);
        assert_ne!(after, before);
        assert_eq!(after, shown(store, "legacy", &client, field), "both views see the change");
        let certificate = home.path().join(format!("{name}.json"));
        store.ok(&["migrate", "certificate", "--out", certificate.to_str().unwrap()]);
        store.ok(&["switch", "precreated", "--reason", "all green"]);
        store.ok(&["switch", "legacy", "--reason", "back"]);
        certificates.push(certificate);
    }
    let ids = |store: &Store| {
        let digest = planned["digest"].as_str().unwrap();
        let history = lines(&store.ok(&["history", digest, "--json"]));
        let of_series = |event: &&Value| event["stream"].as_str().unwrap().starts_with("series/");
        let events = history.iter().filter(of_series);
        events.map(|event| event["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&stores[0]).len() as u64, changed);
    assert_eq!(ids(&stores[0]), ids(&stores[1]));
    let checked = run(rollbook().arg("check-certificate").args(&certificates));
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(checked.stdout.contains(&format!("{changed} weeks changed")), "{checked:?}");

    let undo = home.path().join("inverse.ndjson");
    let digits = &planned["digest"].as_str().unwrap()[..12];
    let undone = plan(&stores[0], &undo, &["--inverse-of", digits, "--at", LATER]);
    assert_eq!((&undone["kind"], &undone["changed"]), (&json!("inverse"), &json!(changed)));
    for store in &stores {
        assert_eq!(store.apply(&undo)["changed"], changed);
        assert_eq!(store.validate()["all_green"], true);
        assert_eq!(shown(store, "precreated", &client, field), before);
        assert_eq!(shown(store, "legacy", &client, field), before);
    }
    let status = stores[1].ok(&["status"]);
    assert!(status.contains(&format!("{changed} changed")), "{status}");
}

/// The client of the first series of a batch.
fn client_of(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let line: Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    line["stream"].as_str().unwrap().split('/').nth(1).unwrap().to_owned()
}

#[test]
fn a_week_moved_after_the_plan_is_told_by_series_and_a_second_plan_fits() {
    let home = tempfile::tempdir().unwrap();
    let [store, _] = two_stores(home.path());
    let file = home.path().join("realign.ndjson");
    plan(&store, &file, &realign("wednesday", NOW));
    let client = client_of(&file);
    let text = std::fs::read_to_string(&file).unwrap();
    let line: Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    let (series, week) = (&line["stream"].as_str().unwrap(), &line["event"]["data"]["week"]);
    let id = store
        .check_ins("precreated", &client, NOW)
        .iter()
        .find(|entry| entry["recurringWeek"] == *week)
        .map(|entry| entry["id"].as_str().unwrap().to_owned())
        .unwrap();
    let server = Server::on(&store);
    let path = format!("/api/check-in-assignments/{id}");
    let body = json!({"dueDate": "2026-01-30T09:00:00Z"}).to_string();
    let moved =
        server.send("PATCH", &path, &[("content-type", "application/json")], body.as_bytes());
    assert_eq!(moved.status, 200, "{moved:?}");
    server.end();
    let said = store.fails(3, &["migrate", "apply", file.to_str().unwrap()]);
    assert!(
        said.contains(&format!("{series}: week {week} of run 1 changed after the plan")),
        "{said}"
    );
    let second = home.path().join("second.ndjson");
    plan(&store, &second, &realign("wednesday", NOW));
    store.apply(&second);
    assert_eq!(store.validate()["all_green"], true);
}

#[test]
fn a_reviewer_sees_the_new_due_date_of_every_week_in_every_format() {
    let home = tempfile::tempdir().unwrap();
    let [store, _] = two_stores(home.path());
    let file = home.path().join("realign.ndjson");
    let planned = plan(&store, &file, &realign("wednesday", NOW));
    let changed = usize::try_from(planned["changed"].as_u64().unwrap()).unwrap();
    let show =
        |more: &[&str]| store.ok(&[&["migrate", "show", file.to_str().unwrap()], more].concat());
    let count = |text: &str, part: &str| text.lines().filter(|line| line.contains(part)).count();
    let table = show(&[]);
    assert_eq!(count(&table, "due from now on Wed 2026-"), changed, "{table}");
    assert!(table.contains("rules   weekday=wednesday at=2026-01-15T09:30:00.000Z zone=UTC"));
    assert!(table.contains(&format!("series, {changed} changed")), "{table}");
    let csv = show(&["--format", "csv"]);
    assert_eq!(count(&csv, ",change,1,"), changed, "{csv}");
    let markdown = show(&["--format", "md"]);
    assert_eq!(count(&markdown, "| due from now on Wed 2026-"), changed, "{markdown}");
    let json: Value = serde_json::from_str(&show(&["--json"])).unwrap();
    let changes = json["review"].as_array().unwrap().iter();
    let found: usize = changes.map(|series| series["changes"].as_array().map_or(0, Vec::len)).sum();
    assert_eq!(found, changed);
}

#[test]
fn a_service_plans_the_same_batch() {
    let home = tempfile::tempdir().unwrap();
    let [store, _] = two_stores(home.path());
    let (here, there) = (home.path().join("here.ndjson"), home.path().join("there.ndjson"));
    let client = {
        plan(&store, &here, &realign("friday", NOW));
        client_of(&here)
    };
    let options = [realign("friday", NOW), vec!["--time", "08:30", "--client", &client]].concat();
    std::fs::remove_file(&here).unwrap();
    let planned = plan(&store, &here, &options);
    let server = Server::on(&store);
    let remote = |file: &PathBuf, options: &[&str]| {
        let out = ["--out", file.to_str().unwrap(), "--json"];
        let ran = run(rollbook()
            .args(["--server", &server.url, "migrate", "plan"])
            .args(options)
            .args(out));
        assert_eq!(ran.code, 0, "{ran:?}");
        serde_json::from_str::<Value>(&ran.stdout).unwrap()
    };
    assert_eq!(remote(&there, &options)["digest"], planned["digest"]);
    assert_eq!(std::fs::read(&here).unwrap(), std::fs::read(&there).unwrap());
    let applied = server.apply(&std::fs::read(&there).unwrap(), None).json();
    assert_eq!(applied["changed"], planned["changed"]);
    let digest = planned["digest"].as_str().unwrap();
    let undo = home.path().join("undo.ndjson");
    assert_eq!(remote(&undo, &["--inverse-of", digest])["changed"], planned["changed"]);

    let code = |query: &str| {
        let answer = server.get(&format!("/v1/migrations/plan/report?{query}"));
        (answer.status, answer.code())
    };
    let bad = (400, "bad_query".to_owned());
    assert_eq!(code("kind=realign"), bad, "no day");
    assert_eq!(code("kind=renumber"), bad);
    assert_eq!(code("kind=realign&weekday=monday&weekday=friday"), bad);
    assert_eq!(code("weekday=monday"), bad, "precreate takes no day");
    assert_eq!(code("kind=window&from=2026-02-01T00:00:00Z&window=%7B"), bad, "no JSON");
    assert_eq!(code("days=3"), bad);
    let window = [
        "--kind",
        "window",
        "--window",
        r#"{"day": "the fifth"}"#,
        "--from",
        "2026-02-01T00:00:00Z",
        "--at",
        NOW,
    ];
    let there = remote(&home.path().join("window.ndjson"), &window);
    assert_eq!(there["kind"], "window");
    assert!(there["changed"].as_u64().unwrap() > 100, "{there}");
    assert_eq!(code("inverse_of=00"), (409, "no_such_batch".to_owned()));
}

#[test]
fn a_request_that_fits_no_kind_names_the_option_and_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let [store, _] = two_stores(home.path());
    let digest = store.json(&["status"])["batches"][0]["digest"].as_str().unwrap().to_owned();
    let cases: [(i32, &[&str], &str); 10] = [
        (2, &["--kind", "realign"], "the kind realign needs weekday; give --weekday"),
        (2, &["--kind", "renumber"], "the kinds are precreate, realign, window, inverse"),
        (2, &["--kind", "window", "--window", "null"], "the kind window needs from; give --from"),
        (2, &["--weekday", "monday"], "the kind precreate takes no weekday; leave --weekday out"),
        (2, &["--kind", "realign", "--weekday", "mon"], "\"mon\" is not a day of the week"),
        (2, &["--kind", "realign", "--weekday", "monday", "--time", "9"], "is not a time of day"),
        (2, &["--kind", "inverse"], "the kind inverse needs inverse-of; give --inverse-of"),
        (
            1,
            &["--kind", "realign", "--weekday", "monday", "--client", "nobody"],
            "client \"nobody\" has no series in this store",
        ),
        (3, &["--inverse-of", "0123"], "`rollbook status` lists the applied batches"),
        (3, &["--inverse-of", &digest], "changed no week"),
    ];
    for (exit, options, text) in cases {
        let said = store.fails(exit, &[&["migrate", "plan"], options].concat());
        assert!(said.contains(text), "{options:?}: {said}");
    }
}

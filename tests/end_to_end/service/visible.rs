//! What is done to a week is in the list of the view that serves, at once: on generated weeks, and
//! on the same weeks after a migration and a switch.

use serde_json::{Value, json};
use testkit::{Server, Store};

use super::answering::{CLIENT, COACH};

/// 12 hours after week 2 of the series is 3 days overdue, and before the next week's window opens.
const NOW: &str = "2026-01-15T21:00:00Z";
const BASE: &str = "assignment-1767420180000-f1bwya5l4";

struct Case {
    week: u32,
    method: &'static str,
    path: &'static str,
    body: Value,
    shows: fn(Option<&Value>) -> bool,
}

/// Every action on one week, each on a week of its own that the legacy view generates.
fn cases() -> Vec<Case> {
    vec![
        Case {
            week: 2,
            method: "POST",
            path: "/mark-missed",
            body: json!({"clientId": CLIENT, "reason": "sick"}),
            shows: |entry| entry.is_some_and(|entry| entry["status"] == "missed"),
        },
        Case {
            week: 3,
            method: "POST",
            path: "/extension",
            body: json!({"reason": "moving house"}),
            shows: |entry| entry.is_some_and(|entry| entry["extensionGranted"] == true),
        },
        Case {
            week: 4,
            method: "POST",
            path: "/open-for-check-in",
            body: json!({"coachId": COACH}),
            shows: |entry| entry.is_some_and(|entry| entry["extensionGranted"] == true),
        },
        Case {
            week: 5,
            method: "PATCH",
            path: "",
            body: json!({"dueDate": "2026-02-05T18:00:00Z"}),
            shows: |entry| {
                entry.is_some_and(|entry| entry["dueDate"] == "2026-02-05T18:00:00.000Z")
            },
        },
        Case {
            week: 6,
            method: "PATCH",
            path: "",
            body: json!({"status": "completed"}),
            shows: |entry| entry.is_some_and(|entry| entry["status"] == "completed"),
        },
        Case {
            week: 7,
            method: "DELETE",
            path: "?coachId=3joOj37HyVaQXekW9LctXb03rEMU",
            body: json!({}),
            shows: |entry| entry.is_none(),
        },
    ]
}

fn form(server: &Server) -> String {
    let base = server.get(&format!("/api/check-in-assignments/{BASE}"));
    base.body["assignment"]["formId"].as_str().unwrap().to_owned()
}

fn entry(server: &Server, form: &str, week: u32) -> Option<Value> {
    let seen = server.check_ins(CLIENT);
    let entries = seen.body["data"]["checkins"].as_array().unwrap();
    let of_week = |entry: &&Value| entry["formId"] == form && entry["recurringWeek"] == week;
    entries.iter().find(of_week).cloned()
}

fn assert_shown(server: &Server, form: &str, view: &str) {
    for case in cases() {
        let shown = entry(server, form, case.week);
        assert!((case.shows)(shown.as_ref()), "{view}, week {}: {shown:?}", case.week);
        let single = server.get(&format!("/api/check-in-assignments/{BASE}_week_{}", case.week));
        assert_eq!(single.status == 200, shown.is_some(), "{view}, week {}", case.week);
        if let Some(shown) = shown {
            for field in ["status", "dueDate", "extensionGranted"] {
                assert_eq!(
                    single.body["assignment"][field], shown[field],
                    "{view}, week {}, {field}",
                    case.week
                );
            }
        }
    }
}

#[test]
fn an_action_on_a_generated_week_is_seen_before_and_after_a_migration() {
    let store = Store::imported("clean");
    let server = Server::at(&store, NOW);
    let form = form(&server);
    for case in cases() {
        assert_eq!(entry(&server, &form, case.week), None, "an answered week 23 hides it");
        let path = format!("/api/check-in-assignments/{BASE}_week_{}{}", case.week, case.path);
        let body = (case.method != "DELETE").then(|| case.body.clone());
        let answer = server.ask(case.method, &path, body.as_ref(), None);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        let shown = entry(&server, &form, case.week);
        assert!((case.shows)(shown.as_ref()), "week {}: {shown:?}", case.week);
    }
    assert_shown(&server, &form, "legacy");
    server.end();
    store.apply(&store.batch("monday"));
    let server = Server::at(&store, NOW);
    assert_shown(&server, &form, "legacy after the migration");
    server.end();
    let validation = store.validate();
    assert_eq!(validation["all_green"], true, "{validation}");
    store.ok(&["switch", "precreated", "--reason", "test"]);
    let server = Server::at(&store, NOW);
    assert_shown(&server, &form, "precreated");
    server.end();
    store.ok(&["switch", "legacy", "--reason", "test"]);
    let server = Server::at(&store, NOW);
    assert_shown(&server, &form, "legacy again");
}

#[test]
fn a_pause_moves_the_weeks_that_the_list_generates() {
    let store = Store::imported("tracker");
    let now = "2026-01-15T21:00:00Z";
    let server = Server::at(&store, now);
    let clients = testkit::documents("tracker", "clients");
    let (client, generated) = clients
        .iter()
        .find_map(|client| {
            let client = client["_id"].as_str().unwrap();
            let seen = server.check_ins(client);
            let entries = seen.body["data"]["checkins"].as_array().unwrap().clone();
            let later = |entry: &&Value| {
                let id = entry["id"].as_str().unwrap();
                entry["dueDate"].as_str().unwrap() > now
                    && id.contains("_week_")
                    && entry["status"] == "pending"
            };
            Some((client.to_owned(), entries.iter().find(later)?.clone()))
        })
        .unwrap();
    let single =
        server.get(&format!("/api/check-in-assignments/{}", generated["id"].as_str().unwrap()));
    let body = json!({"clientId": client, "formId": generated["formId"],
        "coachId": single.body["assignment"]["coachId"], "pauseWeeks": 1});
    let due = || {
        let seen = server.check_ins(&client);
        let entries = seen.body["data"]["checkins"].as_array().unwrap().clone();
        let same = |entry: &&Value| entry["id"] == generated["id"];
        entries.iter().find(same).unwrap()["dueDate"].as_str().unwrap().to_owned()
    };
    let before = due();
    let paused = server.post("/api/check-in-assignments/series/pause", body.clone());
    assert_eq!(paused.status, 200, "{paused:?}");
    assert!(paused.body["moved"].as_u64().unwrap() > 1, "{paused:?}");
    assert_ne!(due(), before);
    let resumed = server.post("/api/check-in-assignments/series/unpause", body);
    assert_eq!(resumed.status, 200, "{resumed:?}");
    assert_eq!(due(), before);
}

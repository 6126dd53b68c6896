//! Many requests at the same time: on one week, on many series, and while the switch flips.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use testkit::{Answer, Server, Store, documents, under_load};

use super::answering::{CLIENT, COACH};

const NOW: &str = "2026-01-15T09:30:00Z";

#[test]
fn two_hundred_answers_of_one_week_are_one_response() {
    let store = Store::imported("clean");
    let server = Server::at(&store, NOW);
    let path = "/api/client-portal/check-in/assignment-1767420180000-f1bwya5l4_week_2";
    let answer =
        &|number: usize| server.post(path, json!({"responses": [], "score": number % 101}));
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..200).map(|number| scope.spawn(move || answer(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    let already = answers.iter().filter(|answer| answer.body["alreadyCompleted"] == true).count();
    assert_eq!(already, 199);
    let told: BTreeSet<String> = answers
        .iter()
        .map(|answer| format!("{} {}", answer.body["responseId"], answer.body["score"]))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
}

/// A client that gets no answer in time sends the request again, while the first one still runs.
#[test]
fn the_same_request_many_times_at_once_under_one_key_gets_one_answer() {
    const TIMES: usize = 24;
    const FORM: &str = "form-1765694944359-zcneajnyn";
    let store = Store::imported("clean");
    let server = Server::at(&store, NOW);
    let at_once = |method: &str, path: &str, body: Option<Value>, key: &str| {
        let ask = || server.ask(method, path, body.as_ref(), Some(key));
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..TIMES).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        // Only a switch says whether it is repeated.
        let body = |answer: &Answer| {
            let mut body = answer.body.clone();
            body.as_object_mut().unwrap().remove("repeated");
            body
        };
        for answer in &answers {
            assert_eq!(answer.status, 200, "{method} {path}: {answer:?}");
            assert_eq!(body(answer), body(&answers[0]), "{method} {path}");
        }
        body(&answers[0])
    };
    let path = "/api/check-in-assignments";
    let body = json!({"formId": FORM, "clientId": CLIENT, "coachId": COACH, "duration": 6});
    let allocated = at_once("POST", path, Some(body), "allocate");
    let weeks = allocated["assignments"].as_array().unwrap();
    assert_eq!(weeks.len(), 6);
    for (number, week) in weeks.iter().enumerate() {
        let id = week["id"].as_str().unwrap();
        at_once("DELETE", &format!("{path}/{id}"), None, &format!("delete {number}"));
    }
    let switch = json!({"view": "precreated", "reason": "many times", "force": true});
    at_once("PUT", "/v1/switch", Some(switch), "switch");
}

/// Which view a body is of: only the legacy view names the client of an entry.
fn shape(body: &Value) -> Option<&'static str> {
    let entries = body["data"]["checkins"].as_array().unwrap();
    // Entries that the legacy view reads again have no client id either, so one that has it tells.
    let has_client = entries.iter().any(|entry| entry.get("clientId").is_some());
    (!entries.is_empty()).then_some(if has_client { "legacy" } else { "precreated" })
}

#[test]
fn while_the_switch_flips_every_answer_is_whole_and_nothing_is_lost() {
    const FLIPS: usize = 500;
    const CLIENTS: usize = 64;
    let store = Store::imported("clean");
    assert_eq!(store.migrate()["all_green"], true);
    let server = Server::at(&store, NOW);
    let people = documents("clean", "clients");
    let read_and_answer = |number: usize, stop: &AtomicBool| {
        let client = people[number % people.len()]["_id"].as_str().unwrap();
        let (mut reads, mut acknowledged, mut round) = (0, Vec::new(), 0);
        while !stop.load(Ordering::SeqCst) || round == 0 {
            let seen = server.check_ins(client);
            assert_eq!(seen.status, 200, "{seen:?}");
            if let Some(shape) = shape(&seen.body) {
                assert_eq!(seen.view(), shape, "{seen:?}");
            }
            assert!(seen.position() > 0);
            reads += 1;
            let entries = seen.body["data"]["checkins"].as_array().unwrap();
            let open = entries.iter().find(|entry| entry["status"] == "pending");
            let id = match open {
                Some(entry) if round % 2 == 0 => entry["id"].as_str().unwrap(),
                _ => "assignment-1767420180000-f1bwya5l4_week_2",
            };
            let body = json!({"responses": [], "score": round % 101});
            let (path, key) =
                (format!("/api/client-portal/check-in/{id}"), format!("{number}-{round}"));
            let answer = server.ask("POST", &path, Some(&body), Some(&key));
            assert_eq!(answer.status, 200, "{answer:?}");
            acknowledged.push(answer.body["responseId"].as_str().unwrap().to_owned());
            round += 1;
        }
        (reads, acknowledged)
    };
    let flip = || {
        for flip in 0..FLIPS {
            let view = if flip % 2 == 0 { "precreated" } else { "legacy" };
            let body = json!({"view": view, "reason": "flip", "force": true});
            let flipped = server.switch(&body, None);
            assert_eq!(flipped.status, 200, "{flipped:?}");
            // The very next request sees it.
            let seen = server.check_ins(CLIENT);
            assert_eq!(seen.view(), view);
            assert!(seen.position() >= flipped.position());
        }
    };
    let ((), clients) = under_load(CLIENTS, read_and_answer, flip);
    let mut all = BTreeSet::new();
    for (reads, acknowledged) in clients {
        assert!(reads > 0);
        all.extend(acknowledged);
    }
    all.remove("");
    server.end();
    assert_eq!(
        all.difference(&store.responses()).next(),
        None,
        "an acknowledged response that is not there"
    );
    let switched = store.ok(&["history", "control", "--json"]);
    assert_eq!(switched.lines().filter(|line| line.contains("ViewSwitched")).count(), FLIPS);
    store.ok(&["verify"]);
}

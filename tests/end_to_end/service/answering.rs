//! What a client does: answer a week, mark it missed, ask for more time or for a closed week.

use serde_json::{Value, json};
use testkit::{Answer, Server, Store};

const NOW: &str = "2026-01-15T09:30:00Z";
/// A client of the fixture `clean`, and one of their series: 52 weeks from 2026-01-05 on, answered
/// in no week but 23.
pub const CLIENT: &str = "YALubyNLOidOOvDwR6wMTrVFbLd9";
const BASE: &str = "assignment-1767420180000-f1bwya5l4";
const DOCUMENT: &str = "BsgOVS4feC4WVue2auE6";
pub const COACH: &str = "3joOj37HyVaQXekW9LctXb03rEMU";

fn served(now: &str) -> (Store, Server) {
    let store = Store::imported("clean");
    let server = Server::at(&store, now);
    (store, server)
}

fn answers(scores: &[(Value, Value)]) -> Value {
    let answer = |(score, weight): &(Value, Value)| json!({"questionId": "q", "question": "?", "answer": "yes", "weight": weight, "score": score});
    json!({ "responses": scores.iter().map(answer).collect::<Vec<_>>() })
}

fn respond(server: &Server, id: &str, body: Value) -> Answer {
    server.post(&format!("/api/client-portal/check-in/{id}"), body)
}

#[test]
fn an_answer_is_scored_by_weight_and_shows_at_once() {
    let (_store, server) = served(NOW);
    let body = answers(&[
        (json!(8), json!(5)),
        (json!(3), json!(1)),
        (json!(null), json!(9)),
        (json!(4), json!("no")),
    ]);
    let answer = respond(&server, BASE, body);
    // 100 × (8·5 + 3·1) ⁄ (10·5 + 10·1) = 71.67
    assert_eq!((answer.status, &answer.body["score"]), (200, &json!(72)));
    assert_eq!(
        (&answer.body["success"], answer.message()),
        (&json!(true), "Check-in completed successfully")
    );
    assert_eq!(answer.body.get("alreadyCompleted"), None);
    let seen = server.check_ins(CLIENT);
    assert!(seen.position() >= answer.position());
    let entry = seen.body["data"]["checkins"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["responseId"] == answer.body["responseId"]);
    assert_eq!(entry.unwrap()["status"], "completed");
    let given = respond(&server, &format!("{BASE}_week_3"), json!({"responses": [], "score": 55}));
    assert_eq!(given.body["score"], 55);
    let unscored = respond(&server, &format!("{BASE}_week_4"), json!({"responses": []}));
    assert_eq!((unscored.status, &unscored.body["score"]), (200, &Value::Null));
}

#[test]
fn every_id_of_a_week_is_the_same_week_and_it_is_answered_once() {
    let (_store, server) = served(NOW);
    let by_name = format!("{BASE}_week_2");
    let first = respond(&server, &by_name, json!({"responses": [], "score": 40}));
    let assignment =
        server.get(&format!("/api/check-in-assignments/{by_name}")).body["assignment"].clone();
    assert_eq!(
        (&assignment["recurringWeek"], &assignment["status"]),
        (&json!(2), &json!("completed"))
    );
    for id in [by_name.as_str(), &format!("{DOCUMENT}_week_2"), assignment["id"].as_str().unwrap()]
    {
        let again = respond(&server, id, json!({"responses": [], "score": 90}));
        assert_eq!((again.status, &again.body["alreadyCompleted"]), (200, &json!(true)), "{id}");
        assert_eq!(
            (&again.body["responseId"], &again.body["score"]),
            (&first.body["responseId"], &json!(40)),
            "{id}"
        );
    }
    // A score that is not valid is refused for an answered week too.
    for score in [json!(101), json!(-1), json!(7.5)] {
        assert_eq!(
            respond(&server, &by_name, json!({"responses": [], "score": score})).status,
            400,
            "{score}"
        );
    }
    assert_eq!(respond(&server, &by_name, json!({"responses": [], "score": 90.0})).status, 200);
    // A week that an import brought answered: its first response.
    let imported = respond(&server, &format!("{BASE}_week_23"), json!({"responses": []}));
    assert_eq!(
        (&imported.body["alreadyCompleted"], &imported.body["responseId"]),
        (&json!(true), &json!("2tOmF32nl0g8Dh76Gz1n"))
    );
    assert_eq!(imported.body["score"], 51);
}

#[test]
fn the_week_is_made_in_the_commit_that_answers_it() {
    let (store, server) = served(NOW);
    let week = format!("{BASE}_week_7");
    assert_eq!(respond(&server, &week, json!({"responses": []})).status, 200);
    server.end();
    let history = store.ok(&["history", &week, "--json"]);
    let events: Vec<Value> =
        history.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> =
        events.iter().map(|event| event["event"]["type"].as_str().unwrap()).collect();
    assert_eq!(names, ["AssignmentCreated", "ResponseSubmitted"]);
    assert_eq!(events[0]["cause"], events[1]["cause"]);
}

#[test]
fn a_key_makes_sending_twice_the_same_as_once() {
    let (_store, server) = served(NOW);
    let path = format!("/api/client-portal/check-in/{BASE}_week_2");
    let send = |score: u32, key: &'static str| {
        let body = json!({"responses": [], "score": score});
        server.ask("POST", &path, Some(&body), Some(key))
    };
    let first = send(10, "a");
    let again = send(10, "a");
    assert_eq!((again.status, &again.body, again.position()), (200, &first.body, first.position()));
    let other = send(20, "a");
    assert_eq!(other.status, 422);
    assert!(other.message().contains("Idempotency-Key"), "{other:?}");
    // Under another key it is another request, and the week is answered.
    assert_eq!(send(10, "b").body["alreadyCompleted"], true);
    let bad = server.ask("POST", &path, Some(&json!({"responses": []})), Some(""));
    assert_eq!(bad.status, 400);
}

#[test]
fn what_is_no_week_is_not_found_and_what_is_no_answer_is_refused() {
    let (_store, server) = served(NOW);
    for id in [
        "nothing",
        &format!("{BASE}_week_53"),
        &format!("{BASE}_week_0"),
        "a%00b",
        "%20",
        &"x".repeat(2000),
    ] {
        let answer = respond(&server, id, json!({"responses": []}));
        assert_eq!((answer.status, answer.message()), (404, "Assignment not found"), "{id}");
        assert_eq!(answer.body, json!({"success": false, "message": "Assignment not found"}));
    }
    for body in [
        json!({}),
        json!({"responses": "yes"}),
        json!({"responses": [1]}),
        json!({"responses": [], "score": 101}),
        json!({"responses": [], "score": -1}),
        json!([]),
    ] {
        let answer = respond(&server, BASE, body.clone());
        assert_eq!((answer.status, &answer.body["success"]), (400, &json!(false)), "{body}");
    }
    assert_eq!(
        server.get(&format!("/api/check-in-assignments/{BASE}")).body["assignment"]["responseId"],
        Value::Null
    );
}

#[test]
fn a_week_is_marked_missed_by_its_client_once_it_is_three_days_late() {
    let (_store, server) = served("2026-01-15T09:00:00Z");
    let mark = |id: &str, body: Value| {
        server.post(&format!("/api/check-in-assignments/{id}/mark-missed"), body)
    };
    let of = |client: &str, reason: &str| json!({"clientId": client, "reason": reason});
    let id = format!("{BASE}_week_2");
    let refused = [
        (mark(&id, of(CLIENT, "bored")), 400),
        (mark(&id, json!({"clientId": CLIENT})), 400),
        (mark(&id, of(CLIENT, "other")), 400),
        (mark(&id, json!({"clientId": CLIENT, "reason": "other", "comment": " "})), 400),
        (mark(&id, json!({"reason": "sick"})), 400),
        (mark(&format!("{BASE}_week_3"), of(CLIENT, "sick")), 400),
        (mark(&format!("{BASE}_week_23"), of(CLIENT, "sick")), 400),
        (mark(&id, of("WLR7HREjPz54jkgFVE6SH8CLU2li", "sick")), 403),
        (mark("nothing", of(CLIENT, "sick")), 404),
    ];
    for (answer, status) in refused {
        assert_eq!((answer.status, &answer.body["success"]), (status, &json!(false)), "{answer:?}");
    }
    let marked = mark(&id, json!({"clientId": CLIENT, "reason": "other", "comment": "no network"}));
    assert_eq!((marked.status, &marked.body["success"]), (200, &json!(true)));
    assert_eq!(mark(&id, of(CLIENT, "sick")).status, 400);
    assert_eq!(
        server.get(&format!("/api/check-in-assignments/{id}")).body["assignment"]["status"],
        "missed"
    );
}

#[test]
fn more_time_is_granted_at_once_for_a_reason() {
    let (_store, server) = served(NOW);
    let path = format!("/api/check-in-assignments/{BASE}_week_2/extension");
    assert_eq!(
        server.get(&path).body,
        json!({"success": true, "hasExtension": false, "reason": null, "grantedAt": null})
    );
    for body in [json!({"reason": "too short"}), json!({}), json!({"reason": 1})] {
        assert_eq!(server.post(&path, body.clone()).status, 400, "{body}");
    }
    assert_eq!(server.post(&path, json!({"reason": "moving house"})).status, 200);
    let told = server.get(&path);
    assert_eq!(
        (&told.body["hasExtension"], &told.body["reason"]),
        (&json!(true), &json!("moving house"))
    );
    assert_eq!(told.body["grantedAt"], "2026-01-15T09:30:00.000Z");
    let completed = server.post(
        &format!("/api/check-in-assignments/{BASE}_week_23/extension"),
        json!({"reason": "moving house"}),
    );
    assert_eq!(
        (completed.status, completed.message()),
        (400, "This check-in is already completed")
    );
    assert_eq!(
        server
            .post("/api/check-in-assignments/nothing/extension", json!({"reason": "moving house"}))
            .status,
        404
    );
    assert_eq!(server.get("/api/check-in-assignments/nothing/extension").status, 404);
}

#[test]
fn a_closed_week_is_asked_for_and_opened_by_the_coach() {
    let (_store, server) = served(NOW);
    let post = |week: u32, what: &str, body: Value| {
        server.post(&format!("/api/check-in-assignments/{BASE}_week_{week}/{what}"), body)
    };
    // Week 1 is closed at this time, week 3 is open, week 23 is answered.
    assert_eq!(post(1, "request-reopen", json!({"reason": "was away"})).status, 200);
    assert_eq!(post(3, "request-reopen", json!({})).status, 400);
    assert_eq!(post(23, "request-reopen", json!({})).status, 400);
    // An open week is opened as well, and again without a second event.
    for _ in 0..2 {
        assert_eq!(post(3, "open-for-check-in", json!({"coachId": COACH})).status, 200);
    }
    assert_eq!(post(23, "open-for-check-in", json!({"coachId": COACH})).status, 400);
    assert_eq!(post(1, "open-for-check-in", json!({"coachId": "somebody else"})).status, 403);
    assert_eq!(post(1, "open-for-check-in", json!({"coachId": COACH})).status, 200);
    // A body may be absent.
    let opened = format!("/api/check-in-assignments/{BASE}/open-for-check-in");
    let bare = server.ask("POST", &opened, None, None);
    assert_eq!(bare.status, 200);
    assert_eq!(
        server.post("/api/check-in-assignments/nothing/open-for-check-in", json!({})).status,
        404
    );
    assert_eq!(
        server.post("/api/check-in-assignments/nothing/request-reopen", json!({})).status,
        404
    );
}

//! What a coach does: allocate, list, correct, pause, withdraw, give feedback.

use serde_json::{Value, json};
use testkit::{Answer, Server, Store, documents, escaped};

use super::answering::{CLIENT, COACH};

const NOW: &str = "2026-01-15T09:30:00Z";
/// A form of the fixture that this client does not have, and this client's own answered response.
const OTHER_FORM: &str = "form-other";
const RESPONSE: &str = "2tOmF32nl0g8Dh76Gz1n";

/// A form that the client does not have yet.
fn free_form(store: &Store) -> String {
    let forms = documents("clean", "forms");
    let mut ids = forms.iter().map(|form| form["_id"].as_str().unwrap().to_owned());
    let history =
        |form: &str| store.run(&["history", &format!("series/{CLIENT}/{form}")]).code == 0;
    ids.find(|form| !history(form)).unwrap_or_else(|| OTHER_FORM.to_owned())
}

fn served() -> (Store, Server, String) {
    let store = Store::imported("clean");
    let form = free_form(&store);
    let server = Server::at(&store, NOW);
    (store, server, form)
}

fn allocate(server: &Server, form: &str, more: Value) -> Answer {
    let mut body = json!({"formId": form, "clientId": CLIENT, "coachId": COACH});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.post("/api/check-in-assignments", body)
}

fn dues(answer: &Answer) -> Vec<&str> {
    answer.body["assignments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|week| week["dueDate"].as_str().unwrap())
        .collect()
}

#[test]
fn an_allocation_makes_every_week_at_once() {
    let (_store, server, form) = served();
    let made = allocate(&server, &form, json!({}));
    // A Thursday: the Monday strictly after it.
    let expected = ["2026-01-19", "2026-01-26", "2026-02-02", "2026-02-09"]
        .map(|date| format!("{date}T09:00:00.000Z"));
    assert_eq!(
        (made.status, dues(&made)),
        (200, expected.iter().map(String::as_str).collect()),
        "{made:?}"
    );
    let first = server
        .get(&format!("/api/check-in-assignments/{}", made.body["assignmentId"].as_str().unwrap()));
    let assignment = &first.body["assignment"];
    assert_eq!(
        (&assignment["formId"], &assignment["recurringWeek"], &assignment["totalWeeks"]),
        (&json!(form), &json!(1), &json!(4))
    );
    assert_eq!(
        (&assignment["dueDate"], &assignment["status"]),
        (&json!(expected[0]), &json!("pending"))
    );
    assert!(!assignment["formTitle"].as_str().unwrap().is_empty());
    // The legacy view shows its weeks as it always did.
    let seen = server.check_ins(CLIENT);
    let weeks = seen.body["data"]["checkins"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["formId"] == form.as_str());
    assert_eq!(weeks.count(), 4);
    // Open weeks: no second run, but a longer one.
    let again = allocate(&server, &form, json!({}));
    assert_eq!((again.status, &again.body["success"]), (409, &json!(false)));
    let longer = allocate(&server, &form, json!({"extend": true, "duration": 2}));
    assert_eq!(dues(&longer), ["2026-02-16T09:00:00.000Z", "2026-02-23T09:00:00.000Z"]);
}

#[test]
fn the_first_due_follows_the_dates_that_are_given() {
    let first = |more: Value| {
        let (_store, server, form) = served();
        dues(&allocate(&server, &form, more))
            .iter()
            .map(|due| (*due).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        first(json!({"firstCheckInDate": "2026-03-02", "duration": 1})),
        ["2026-03-02T09:00:00.000Z"]
    );
    assert_eq!(
        first(json!({"firstCheckInDate": "2026-03-03T10:00:00Z", "duration": 1})),
        ["2026-03-09T09:00:00.000Z"]
    );
    assert_eq!(
        first(json!({"startDate": "2026-03-02", "dueTime": "17:30", "duration": 1})),
        ["2026-03-09T17:30:00.000Z"]
    );
    assert_eq!(first(json!({"frequency": "once", "duration": 9})), ["2026-01-19T09:00:00.000Z"]);
}

#[test]
fn an_allocation_that_makes_no_sense_is_refused() {
    let (_store, server, form) = served();
    let missing = "Missing required fields: formId, clientId, coachId";
    for body in [
        json!({}),
        json!({"formId": form, "clientId": CLIENT}),
        json!({"formId": "", "clientId": CLIENT, "coachId": COACH}),
    ] {
        let answer = server.post("/api/check-in-assignments", body);
        assert_eq!((answer.status, answer.message()), (400, missing));
    }
    let wrong = [
        json!({"duration": 0}),
        json!({"duration": 521}),
        json!({"duration": "4"}),
        json!({"duration": -1}),
        json!({"dueTime": "25:00"}),
        json!({"startDate": "soon"}),
        json!({"firstCheckInDate": "99999-01-01"}),
        json!({"frequency": "daily"}),
        json!({"status": "lost"}),
    ];
    for more in wrong {
        let answer = allocate(&server, &form, more.clone());
        assert_eq!((answer.status, &answer.body["success"]), (400, &json!(false)), "{more}");
    }
    assert_eq!(allocate(&server, "no form", json!({})).status, 404);
    assert_eq!(allocate(&server, &form, json!({"clientId": "nobody"})).status, 404);
    assert_eq!(allocate(&server, &form, json!({"coachId": "nobody"})).status, 404);
    assert_eq!(
        allocate(&server, &form, json!({})).status,
        200,
        "nothing was allocated by any of these"
    );
}

#[test]
fn the_list_is_newest_assigned_first_and_its_pages_fit_together() {
    let store = Store::imported("clean");
    let form = free_form(&store);
    // After everything that the import brought was assigned.
    let server = Server::at(&store, "2027-01-04T09:30:00Z");
    let made = allocate(&server, &form, json!({}));
    let whole = server.get(&format!("/api/check-in-assignments?clientId={CLIENT}&limit=200"));
    let whole = whole.body["assignments"].as_array().unwrap().clone();
    assert_eq!(whole[0]["id"], made.body["assignmentId"]);
    let times: Vec<&str> =
        whole.iter().map(|one| one["assignedAt"].as_str().unwrap_or_default()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    let mut paged = Vec::new();
    let mut path = format!("/api/check-in-assignments?clientId={CLIENT}&limit=3");
    loop {
        let page = server.get(&path).json();
        paged.extend(page["assignments"].as_array().unwrap().clone());
        assert_eq!(page["total"], whole.len());
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        let cursor = cursor.replace('%', "%25").replace(' ', "%20").replace('+', "%2B");
        path = format!("/api/check-in-assignments?clientId={CLIENT}&limit=3&cursor={cursor}");
    }
    assert_eq!(paged, whole);
    let of_coach =
        server.get(&format!("/api/check-in-assignments?coachId={COACH}&status=completed"));
    let of_coach = of_coach.body["assignments"].as_array().unwrap();
    assert!(!of_coach.is_empty());
    assert!(of_coach.iter().all(|one| one["coachId"] == COACH && one["status"] == "completed"));
    for wrong in ["limit=0", "limit=201", "limit=x", "status=lost", "cursor=x"] {
        assert_eq!(
            server.get(&format!("/api/check-in-assignments?{wrong}")).status,
            400,
            "{wrong}"
        );
    }
}

#[test]
fn corrections_are_seen_and_each_is_an_event_of_its_own() {
    let (store, server, form) = served();
    let id = allocate(&server, &form, json!({})).body["assignmentId"].as_str().unwrap().to_owned();
    let path = format!("/api/check-in-assignments/{id}");
    let patched = server.patch(
        &path,
        json!({"dueDate": "2026-01-21T12:00:00Z", "status": "missed", "coachNotes": "call"}),
    );
    let assignment = &patched.body["assignment"];
    assert_eq!((patched.status, &assignment["dueDate"]), (200, &json!("2026-01-21T12:00:00.000Z")));
    assert_eq!(
        (&assignment["status"], &assignment["coachNotes"]),
        (&json!("missed"), &json!("call"))
    );
    let note = server.patch(&path, json!({"coachNotes": "", "status": "active"}));
    assert_eq!(
        (note.body["assignment"].get("coachNotes"), &note.body["assignment"]["status"]),
        (None, &json!("pending"))
    );
    for wrong in [
        json!({}),
        json!({"dueDat": "2026-01-21"}),
        json!({"dueDate": "soon"}),
        json!({"status": 1}),
    ] {
        assert_eq!(server.patch(&path, wrong.clone()).status, 400, "{wrong}");
    }
    assert_eq!(
        server.patch(&path, json!({"coachNotes": "x", "coachId": "somebody else"})).status,
        403
    );
    assert_eq!(
        server.patch("/api/check-in-assignments/nothing", json!({"coachNotes": "x"})).status,
        404
    );
    server.end();
    let history = store.ok(&["history", &id, "--json"]);
    let names: Vec<String> = history
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["event"]["type"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(
        names,
        [
            "AssignmentCreated",
            "AssignmentRescheduled",
            "StatusAssigned",
            "NoteWritten",
            "StatusAssigned",
            "NoteWritten"
        ]
    );
}

#[test]
fn a_withdrawn_week_goes_and_an_answered_one_is_cleared() {
    let (store, server, form) = served();
    let made = allocate(&server, &form, json!({}));
    let id = |week: usize| made.body["assignments"][week]["id"].as_str().unwrap().to_owned();
    let path = |id: &str, coach: &str| {
        format!("/api/check-in-assignments/{id}?coachId={}", escaped(coach))
    };
    assert_eq!(server.delete(&path(&id(1), "somebody else"), None).status, 403);
    assert_eq!(server.delete(&path("nothing", COACH), None).status, 404);
    let gone = server.delete(&path(&id(1), COACH), None);
    assert_eq!((gone.status, &gone.body["cleared"]), (200, &json!(false)));
    assert_eq!(server.get(&format!("/api/check-in-assignments/{}", id(1))).status, 404);
    assert_eq!(server.delete(&path(&id(1), COACH), None).status, 404);
    let answered =
        server.post(&format!("/api/client-portal/check-in/{}", id(0)), json!({"responses": []}));
    let cleared = server.delete(&path(&id(0), COACH), None);
    assert_eq!(cleared.body["cleared"], true);
    let again =
        server.get(&format!("/api/check-in-assignments/{}", id(0))).body["assignment"].clone();
    assert_eq!((&again["status"], &again["responseId"]), (&json!("pending"), &Value::Null));
    let anew =
        server.post(&format!("/api/client-portal/check-in/{}", id(0)), json!({"responses": []}));
    assert_ne!(anew.body["responseId"], answered.body["responseId"]);
    // With its series withdrawn, an answered week that was kept has nothing to be pending for.
    let series = json!({"clientId": CLIENT, "formId": form, "coachId": COACH});
    assert_eq!(server.delete("/api/check-in-assignments/series", Some(series)).status, 200);
    let last = server.delete(&path(&id(0), COACH), None);
    assert_eq!((last.status, &last.body["cleared"]), (200, &json!(false)));
    assert_eq!(server.get(&format!("/api/check-in-assignments/{}", id(0))).status, 404);
    server.end();
    store.ok(&["history", answered.body["responseId"].as_str().unwrap()]);
}

#[test]
fn a_series_is_paused_resumed_and_withdrawn() {
    let (_store, server, form) = served();
    let made = allocate(&server, &form, json!({}));
    let series = |more: Value| {
        let mut body = json!({"clientId": CLIENT, "formId": form, "coachId": COACH});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let due = || {
        server
            .get(&format!(
                "/api/check-in-assignments/{}",
                made.body["assignmentId"].as_str().unwrap()
            ))
            .body["assignment"]["dueDate"]
            .clone()
    };
    let post = |what: &str, body: Value| {
        server.post(&format!("/api/check-in-assignments/series/{what}"), body)
    };
    for weeks in [json!(0), json!(-1), json!("2"), json!(null), json!(53)] {
        assert_eq!(post("pause", series(json!({"pauseWeeks": weeks}))).status, 400, "{weeks}");
    }
    assert_eq!(post("pause", json!({"pauseWeeks": 1})).status, 400);
    assert_eq!(post("pause", series(json!({"pauseWeeks": 1, "formId": "none"}))).status, 404);
    assert_eq!(
        post("pause", series(json!({"pauseWeeks": 1, "coachId": "somebody else"}))).status,
        403
    );
    let none = post("unpause", series(json!({})));
    assert_eq!((none.status, none.message()), (400, "No active pause found for this series"));
    let paused = post("pause", series(json!({"pauseWeeks": 2})));
    assert_eq!(
        (paused.status, &paused.body["moved"], due()),
        (200, &json!(4), json!("2026-02-02T09:00:00.000Z"))
    );
    assert_eq!(post("unpause", series(json!({}))).status, 200);
    assert_eq!(due(), json!("2026-01-19T09:00:00.000Z"));
    let path = "/api/check-in-assignments/series";
    assert_eq!(server.delete(path, Some(series(json!({"coachId": "somebody else"})))).status, 403);
    assert_eq!(server.delete(path, Some(series(json!({"formId": "none"})))).status, 404);
    assert_eq!(server.delete(path, None).status, 415);
    assert_eq!(server.delete(path, Some(series(json!({"preserveHistory": true})))).status, 200);
    let seen = server.check_ins(CLIENT);
    assert!(
        seen.body["data"]["checkins"]
            .as_array()
            .unwrap()
            .iter()
            .all(|entry| entry["formId"] != form.as_str())
    );
}

#[test]
fn a_coach_answers_a_response() {
    let (store, server, _) = served();
    let give = |body: Value| server.post("/api/coach-feedback", body);
    let responded = || {
        let seen = server.check_ins(CLIENT);
        let entry = seen.body["data"]["checkins"]
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["responseId"] == RESPONSE)
            .cloned();
        entry.unwrap()["coachResponded"].clone()
    };
    for body in [
        json!({}),
        json!({"responseId": RESPONSE}),
        json!({"responseId": RESPONSE, "coachId": COACH}),
        json!({"responseId": RESPONSE, "coachId": COACH, "content": " "}),
    ] {
        assert_eq!(give(body.clone()).status, 400, "{body}");
    }
    let feedback = |response: &str, coach: &str| json!({"responseId": response, "coachId": coach, "content": "well done", "questionId": "q1"});
    assert_eq!(give(feedback("nothing", COACH)).status, 404);
    assert_eq!(give(feedback(RESPONSE, "somebody else")).status, 403);
    let before = responded();
    assert_eq!(give(feedback(RESPONSE, COACH)).status, 200);
    assert_eq!((before, responded()), (json!(false), json!(true)));
    server.end();
    let history = store.ok(&["history", RESPONSE, "--with-answers", "--json"]);
    assert!(history.contains("questionId") && history.contains("well done"), "{history}");
}

#[test]
fn an_allocation_is_repeated_under_its_key_and_not_otherwise() {
    let (_store, server, form) = served();
    let body = json!({"formId": form, "clientId": CLIENT, "coachId": COACH});
    let send = |body: &Value| {
        server.ask("POST", "/api/check-in-assignments", Some(body), Some("allocation"))
    };
    let first = send(&body);
    let again = send(&body);
    assert_eq!((again.status, &again.body), (200, &first.body));
    let mut other = body.clone();
    other["duration"] = json!(5);
    assert_eq!(send(&other).status, 422);
}

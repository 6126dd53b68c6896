//! `/v1/clients/{id}`, `/v1/coaches/{id}` and `/v1/forms/{id}` beside a service that runs: what is put
//! is there for the next request.

use serde_json::{Value, json};
use testkit::{Answer, Server, Store, rollbook, run};

const NOW: &str = "2026-02-25T12:00:00Z";

fn put(server: &Server, path: &str, body: Value) -> Answer {
    server.ask("PUT", path, Some(&body), None)
}

fn allocate(server: &Server) -> Answer {
    server.post(
        "/api/check-in-assignments",
        json!({"clientId": "cleo", "formId": "sleep", "coachId": "lee", "duration": 3, "firstCheckInDate": "2026-03-02"}),
    )
}

#[test]
fn what_is_put_is_there_for_the_next_request() {
    let store = Store::imported("clean");
    store.migrate();
    let server = Server::at(&store, NOW);
    assert_eq!(allocate(&server).status, 404);
    for (path, body) in [
        ("/v1/clients/cleo?merge=true", json!({"authUid": "u-cleo"})),
        ("/v1/coaches/lee", json!({"profile": {"firstName": "Lee"}})),
        ("/v1/forms/sleep", json!({"title": "Sleep diary"})),
    ] {
        assert_eq!(server.get(path.split('?').next().unwrap()).status, 404, "{path}");
        let created = put(&server, path, body.clone());
        assert_eq!((created.status, &created.json()["change"]), (201, &json!("created")), "{path}");
        assert_eq!(created.position(), server.head());
        let again = put(&server, path, body);
        assert_eq!((again.status, &again.json()["change"]), (200, &json!("unchanged")), "{path}");
        assert_eq!(again.position(), created.position());
        assert_eq!(server.head(), created.position(), "{path}");
        let shown = server.get(path.split('?').next().unwrap());
        assert_eq!(shown.json()["document"], created.json()["document"], "{path}");
        assert_eq!(shown.position(), created.position());
    }
    assert_eq!(allocate(&server).status, 200);
    for view in ["legacy", "precreated"] {
        for id in ["cleo", "u-cleo"] {
            let list = server.get(&format!("/v1/clients/{id}/check-ins?view={view}")).json();
            let weeks = list["data"]["checkins"].as_array().unwrap().clone();
            assert_eq!(weeks.len(), 3, "{view}: {list}");
            assert_eq!(weeks[0]["title"], "Sleep diary", "{view}");
        }
    }
    // Closing the lists is seen at once, in spite of the cached list.
    let closed = put(&server, "/v1/clients/cleo?merge=true", json!({"canStartCheckIns": false}));
    assert_eq!((closed.status, &closed.json()["change"]), (200, &json!("changed")));
    let list = server.get("/v1/clients/cleo/check-ins?view=legacy").json();
    assert_eq!(list["data"]["checkins"], json!([]), "{list}");
    let opened = put(&server, "/v1/clients/cleo?merge=true", json!({"canStartCheckIns": true}));
    assert_eq!(opened.status, 200);
    let validated = server.post("/v1/migrations/validations", json!({}));
    assert_eq!(validated.json()["all_green"], true, "{validated:?}");
    assert_eq!(server.get("/v1/clients/u-cleo").json()["id"], "cleo");
}

#[test]
fn what_cannot_be_put_is_refused_and_changes_nothing() {
    let store = Store::imported("clean");
    let server = Server::at(&store, NOW);
    assert_eq!(put(&server, "/v1/clients/cleo", json!({"authUid": "u-1"})).status, 201);
    let head = server.head();
    let deep = (0..64).fold(json!(1), |inner, _| json!([inner]));
    for (path, body, status, code) in [
        ("/v1/clients/dora", json!({"authUid": "u-1"}), 409, "identity_taken"),
        ("/v1/clients/u-1", json!({}), 409, "identity_taken"),
        ("/v1/clients/dora", json!([]), 400, "unfit_document"),
        ("/v1/clients/dora", json!({"authUid": 5}), 400, "unfit_document"),
        ("/v1/clients/dora", json!({"_id": "eve"}), 400, "unfit_document"),
        ("/v1/forms/a%0Ab", json!({}), 400, "unfit_document"),
        ("/v1/forms/deep", json!({"a": deep}), 400, "too_deep"),
        ("/v1/forms/nap?merge=maybe", json!({}), 400, "bad_query"),
        ("/v1/forms/nap?merged=true", json!({}), 400, "bad_query"),
        ("/v1/forms/nap?at=today", json!({}), 400, "bad_query"),
    ] {
        let answer = put(&server, path, body);
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{path}: {answer:?}");
    }
    let json = [("content-type", "application/json")];
    for (headers, body, status, code) in [
        (&json[..], "{", 400, "bad_json"),
        (&json[..], "", 400, "bad_json"),
        (&json[..], r#"{"a":1,"a":2}"#, 400, "bad_body"),
        (&[], "{}", 415, "no_json"),
    ] {
        let answer = server.send("PUT", "/v1/forms/nap", headers, body.as_bytes());
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{body}: {answer:?}");
    }
    let taken = put(&server, "/v1/clients/dora", json!({"authUid": "u-1"})).json();
    assert!(taken.to_string().contains("\\\"cleo\\\""), "{taken}");
    assert_eq!(server.head(), head);
}

#[test]
fn a_key_makes_a_put_once() {
    let store = Store::imported("clean");
    let server = Server::at(&store, NOW);
    let keyed = |title: &str| {
        server.ask("PUT", "/v1/forms/sleep", Some(&json!({ "title": title })), Some("k"))
    };
    let first = keyed("Sleep");
    assert_eq!(put(&server, "/v1/forms/sleep", json!({"title": "Rest"})).status, 200);
    let again = keyed("Sleep");
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(again.json()["repeated"], true);
    assert_eq!(again.position(), first.position());
    assert_eq!((keyed("Other").status, keyed("Other").code().as_str()), (422, "key_reused"));
    assert_eq!(server.get("/v1/forms/sleep").json()["document"], json!({"title": "Rest"}));
}

#[test]
fn the_command_line_puts_through_the_service_without_as() {
    let store = Store::imported("clean");
    let server = Server::at(&store, NOW);
    let remote =
        |arguments: &[&str]| run(rollbook().args(["--server", &server.url]).args(arguments));
    let at = "2026-02-24T07:30:00Z";
    let ran = remote(&["client", "put", "cleo", "--first-name", "Cleo", "--at", at]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let document = json!({"canStartCheckIns": true, "firstName": "Cleo"});
    assert_eq!(server.get("/v1/clients/cleo").json()["document"], document);
    let refused = remote(&["client", "put", "cleo", "--as", "admin:robin"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    let history = server.get("/v1/streams/client%2Fcleo").json();
    assert_eq!(history["events"][0]["event"]["type"], "DocumentImported", "{history}");
    assert_eq!(history["events"][0]["occurred_at"], "2026-02-24T07:30:00.000Z", "{history}");
}

//! Requests that are not well formed: a clear status and text, nothing is written, and the service
//! keeps running.

use serde_json::{Value, json};
use testkit::{Server, Store};

use super::answering::CLIENT;

const NOW: &str = "2026-01-15T09:30:00Z";

#[test]
fn every_bad_body_is_told_apart_and_writes_nothing() {
    let store = Store::imported("clean");
    let server = Server::at(&store, NOW);
    let head = server.check_ins(CLIENT).position();
    let send = |media: Option<&str>, body: Vec<u8>| {
        let headers: Vec<_> = media.into_iter().map(|media| ("content-type", media)).collect();
        server.send("POST", "/api/check-in-assignments", &headers, &body)
    };
    let json_type = Some("application/json");
    let cases = [
        (send(json_type, b"{".to_vec()), 400),
        (send(json_type, b"".to_vec()), 400),
        (send(json_type, b"\xff\xfe".to_vec()), 400),
        (send(json_type, b"[1,2]".to_vec()), 400),
        (send(json_type, br#"["habits","ada","robin",null,null,null,null,null,null,null,null,null,null,false]"#.to_vec()), 400),
        (send(json_type, b"null".to_vec()), 400),
        (send(json_type, br#"{"formId": 1}"#.to_vec()), 400),
        (send(json_type, br#"{"formId": "a", "formId": "b"}"#.to_vec()), 400),
        (send(json_type, [b"[".repeat(100_000), b"]".repeat(100_000)].concat()), 400),
        (send(Some("text/plain"), b"{}".to_vec()), 415),
        (send(None, b"{}".to_vec()), 415),
        (send(json_type, vec![b' '; 3 << 20]), 413),
    ];
    for (answer, status) in cases {
        assert_eq!((answer.status, &answer.body["success"]), (status, &json!(false)), "{answer:?}");
        let told = answer.message();
        assert!(!told.is_empty() && !told.contains("src/") && !told.contains("::"), "{told}");
    }
    assert_eq!(server.check_ins(CLIENT).position(), head);
}

#[test]
fn a_path_or_method_that_there_is_not_is_refused_in_the_form_of_the_path() {
    let store = Store::imported("clean");
    let server = Server::at(&store, NOW);
    let none = server.get("/api/nothing");
    assert_eq!(
        (none.status, none.body),
        (404, json!({"success": false, "message": "There is nothing at this path"}))
    );
    let native = server.get("/nothing");
    assert_eq!(
        (native.status, &native.body["code"], &native.body["status"]),
        (404, &json!("no_path"), &json!(404))
    );
    let method = server.post("/api/client-portal/check-ins", json!({}));
    assert_eq!((method.status, method.message()), (405, "This path does not take this method"));
    let no_client = server.get("/api/client-portal/check-ins");
    assert_eq!(
        (no_client.status, no_client.body),
        (400, json!({"success": false, "message": "Client ID is required"}))
    );
    assert_eq!(server.get("/api/client-portal/check-ins?clientId=").status, 400);
    assert_eq!(server.get("/api/client-portal/check-ins-precreated").status, 400);
    assert_eq!(server.get("/api/client-portal/check-ins?clientId=a&clientId=b").status, 400);
}

#[test]
fn an_unknown_client_has_an_empty_list_for_those_who_may_ask() {
    let store = Store::imported("clean");
    let server = Server::at(&store, NOW);
    for id in ["nobody", "a%00b", "%2e%2e%2f", "%F0%9F%A6%80"] {
        let seen = server.check_ins(id);
        assert_eq!((seen.status, &seen.body["data"]["summary"]["total"]), (200, &json!(0)), "{id}");
    }
}

#[test]
fn a_directory_that_goes_away_stops_writes_and_not_the_service() {
    let store = Store::imported("clean");
    let server = Server::at(&store, NOW);
    let id =
        server.check_ins(CLIENT).body["data"]["checkins"][0]["id"].as_str().unwrap().to_owned();
    std::fs::remove_dir_all(store.path()).unwrap();
    let refused =
        server.post(&format!("/api/client-portal/check-in/{id}"), json!({"responses": []}));
    assert!(matches!(refused.status, 500 | 503), "{refused:?}");
    let text = Value::to_string(&refused.body);
    assert!(!text.contains(store.path().to_str().unwrap()), "{text}");
    let alive = server.get("/api/nothing");
    assert!(matches!(alive.status, 404 | 503), "{alive:?}");
    assert_eq!(alive.body["success"], false);
}

//! OFREP: the switch as a feature flag.

use serde_json::{Value, json};
use testkit::{Answer, Server, Store};

const FLAG: &str = "use-pre-created-assignments";

fn evaluate(server: &Server, path: &str, body: &str, tag: Option<&str>) -> Answer {
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(tag.map(|tag| ("if-none-match", tag)));
    server.send("POST", &format!("/ofrep/v1/evaluate/flags{path}"), &headers, body.as_bytes())
}

fn clients(store: &Store) -> Vec<String> {
    let id = |line: &str| {
        serde_json::from_str::<Value>(line).unwrap()["clientId"].as_str().unwrap().to_owned()
    };
    store.ok(&["view", "legacy", "--all"]).lines().map(id).collect()
}

#[test]
fn the_flag_says_which_view_serves_a_client_and_why() {
    let store = Store::imported("tracker");
    store.migrate();
    let clients = clients(&store);
    let server = Server::on(&store);
    let of = |client: &str| {
        let body = json!({"context": {"targetingKey": client, "plan": "gold"}}).to_string();
        let single = evaluate(&server, &format!("/{FLAG}"), &body, None);
        assert_eq!(single.status, 200, "{single:?}");
        let bulk = evaluate(&server, "", &body, None);
        assert_eq!(bulk.json()["flags"], json!([single.json()]));
        let served =
            server.get(&format!("/v1/clients/{client}/check-ins")).headers["x-rollbook-view"]
                .clone();
        let flag = single.json();
        assert_eq!(
            (flag["key"].as_str(), flag["variant"].as_str()),
            (Some(FLAG), Some(served.as_str()))
        );
        assert_eq!(flag["value"], served == "precreated");
        flag["reason"].as_str().unwrap().to_owned()
    };
    assert!(clients.iter().all(|client| of(client) == "STATIC"));
    server.switch(&json!({"view": "precreated", "percent": 40, "reason": "some"}), None);
    assert!(clients.iter().all(|client| of(client) == "SPLIT"));
    server.switch(&json!({"view": "precreated", "clients": [clients[0]], "reason": "one"}), None);
    assert_eq!((of(&clients[0]).as_str(), of(&clients[1]).as_str()), ("TARGETING_MATCH", "SPLIT"));
    server.switch(&json!({"view": "precreated", "reason": "all"}), None);
    assert!(clients.iter().chain([&"unknown".to_owned()]).all(|client| of(client) == "STATIC"));
}

#[test]
fn a_tag_spares_the_answer_until_the_value_changes() {
    let store = Store::imported("tracker");
    store.migrate();
    let server = Server::on(&store);
    let body = r#"{"context": {"targetingKey": "ada"}}"#;
    for path in ["".to_owned(), format!("/{FLAG}")] {
        server.switch(&json!({"view": "legacy", "reason": "as it was"}), None);
        let tag = evaluate(&server, &path, body, None).headers["etag"].clone();
        // Events that change nothing for the flag change no tag.
        server.switch(&json!({"view": "legacy", "reason": "again"}), None);
        for known in [tag.clone(), format!("\"other\", W/{tag}"), "*".to_owned()] {
            let unchanged = evaluate(&server, &path, body, Some(&known));
            assert_eq!(
                (unchanged.status, unchanged.text.as_str(), &unchanged.headers["etag"]),
                (304, "", &tag)
            );
        }
        server.switch(&json!({"view": "precreated", "reason": "all"}), None);
        let changed = evaluate(&server, &path, body, Some(&tag));
        assert_eq!(changed.status, 200);
        assert_ne!(changed.headers["etag"], tag);
    }
}

#[test]
fn what_cannot_be_evaluated_is_told_in_the_protocols_words() {
    let store = Store::imported("tracker");
    let server = Server::on(&store);
    let single = format!("/{FLAG}");
    for (path, body, status, code) in [
        ("/another-flag", r#"{"context": {"targetingKey": "ada"}}"#, 404, "FLAG_NOT_FOUND"),
        (single.as_str(), r#"{"context": {}}"#, 400, "TARGETING_KEY_MISSING"),
        (single.as_str(), r#"{}"#, 400, "TARGETING_KEY_MISSING"),
        (single.as_str(), r#"{"context": {"targetingKey": ""}}"#, 400, "TARGETING_KEY_MISSING"),
        (single.as_str(), r#"{"context": "ada"}"#, 400, "INVALID_CONTEXT"),
        (single.as_str(), r#"{"context": {"targetingKey": 7}}"#, 400, "INVALID_CONTEXT"),
        (single.as_str(), "{", 400, "PARSE_ERROR"),
        (single.as_str(), "[]", 400, "PARSE_ERROR"),
        ("", r#"{"context": {}}"#, 400, "TARGETING_KEY_MISSING"),
        ("", "nonsense", 400, "PARSE_ERROR"),
    ] {
        let answer = evaluate(&server, path, body, None);
        let failure = answer.json();
        assert_eq!(
            (answer.status, failure["errorCode"].as_str()),
            (status, Some(code)),
            "{path} {body}: {answer:?}"
        );
        assert!(
            failure["errorDetails"].as_str().is_some_and(|details| !details.is_empty()),
            "{answer:?}"
        );
        assert_eq!(failure["key"].as_str(), path.strip_prefix('/'), "{answer:?}");
    }
}

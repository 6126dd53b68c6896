//! Bad input: each case has a status, a code and a reason. Nothing is written, and the service
//! keeps running.

use serde_json::json;
use testkit::{Server, Store};

use super::AT;

#[test]
fn bad_input_is_refused_by_code_and_writes_nothing() {
    let store = Store::imported("tracker");
    let server = Server::on(&store);
    let head = server.head();
    for (path, status, code) in [
        ("/v1/nothing", 404, "no_path"),
        ("/v1/clients/x/check-ins?veiw=live", 400, "bad_query"),
        ("/v1/clients/x/check-ins?view=newest", 400, "bad_query"),
        ("/v1/clients/x/check-ins?at=yesterday", 400, "bad_query"),
        ("/v1/clients/x/check-ins?overdue_after=3", 400, "bad_query"),
        ("/v1/clients/x/check-ins?as_of=99999", 400, "beyond_head"),
        ("/v1/clients/x/check-ins?as_of=-1", 400, "bad_query"),
        ("/v1/check-ins?as_of=99999", 400, "beyond_head"),
        ("/v1/events?after=99999", 400, "beyond_head"),
        ("/v1/events?limit=0", 400, "bad_query"),
        ("/v1/events?stream=nonsense", 400, "bad_query"),
        ("/v1/events/live?after=99999", 400, "beyond_head"),
        ("/v1/streams/nonsense", 400, "bad_stream"),
        ("/v1/streams/client/nobody", 404, "unknown_id"),
        ("/v1/streams/control?limit=1001", 400, "bad_query"),
        ("/v1/streams/control?limit=0", 400, "bad_query"),
        ("/v1/history/nobody-at-all", 404, "unknown_id"),
        ("/v1/history/series/no/form", 404, "unknown_id"),
        ("/v1/history/%FF", 400, "bad_path"),
        ("/v1/migrations/plan?due=tuesday", 400, "bad_query"),
        ("/v1/migrations/validations?limit=0", 400, "bad_query"),
        ("/v1/parity?overdue_after=soon", 400, "bad_query"),
        ("/v1/audit?format=pdf", 400, "bad_query"),
        ("/v1/migrations/apply", 405, "no_method"),
    ] {
        let answer = server.get(path);
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{path}: {answer:?}");
    }
    let live = server.send("GET", "/v1/events/live", &[("last-event-id", "seven")], b"");
    assert_eq!((live.status, live.code().as_str()), (400, "bad_last_event_id"));
    for (body, status, code) in [
        ("{", 400, "bad_json"),
        ("[]", 400, "bad_body"),
        (r#"{"view": "precreated"}"#, 400, "bad_body"),
        (r#"{"view": "newest", "reason": "x"}"#, 400, "bad_body"),
        (r#"{"view": "legacy", "reason": "x", "percentage": 10}"#, 400, "bad_body"),
        (r#"{"view": "legacy", "reason": "x", "percent": 300}"#, 400, "bad_body"),
        (r#"{"view": "legacy", "reason": "x", "percent": 101}"#, 409, "switch_refused"),
        (r#"{"view": "legacy", "reason": "x", "percent": 1, "clients": ["a"]}"#, 400, "usage"),
        (r#"{"view": "legacy", "reason": " "}"#, 409, "switch_refused"),
        (r#"{"view": "legacy", "reason": "x", "clients": ["nobody"]}"#, 404, "unknown_id"),
        (r#"{"view": "precreated", "reason": "x"}"#, 409, "switch_refused"),
    ] {
        let answer = server.send(
            "PUT",
            "/v1/switch",
            &[("content-type", "application/json")],
            body.as_bytes(),
        );
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{body}: {answer:?}");
    }
    let no_json = server.send("PUT", "/v1/switch", &[("content-type", "text/plain")], b"{}");
    assert_eq!((no_json.status, no_json.code().as_str()), (415, "no_json"));
    let long = "k".repeat(256);
    let key = server.switch(&json!({"view": "legacy", "reason": "x"}), Some(&long));
    assert_eq!((key.status, key.code().as_str()), (400, "bad_key"));
    assert_eq!((server.head(), server.get("/readyz").status), (head, 200));
}

#[test]
fn a_key_is_one_request_for_ever() {
    let store = Store::imported("tracker");
    store.migrate();
    let server = Server::on(&store);
    let first = server
        .switch(&json!({"view": "precreated", "percent": 10, "reason": "first tenth"}), Some("k"))
        .json();
    assert_eq!((&first["repeated"], &first["forced"]), (&json!(false), &json!(false)));
    let head = server.head();
    let again = server
        .switch(&json!({"view": "precreated", "percent": 10, "reason": "first tenth"}), Some("k"))
        .json();
    assert_eq!((&again["repeated"], &again["position"]), (&json!(true), &first["position"]));
    for other in [
        json!({"view": "precreated", "percent": 20, "reason": "first tenth"}),
        json!({"view": "precreated", "percent": 10, "reason": "first tenth."}),
        json!({"view": "legacy", "reason": "first tenth"}),
    ] {
        let answer = server.switch(&other, Some("k"));
        assert_eq!((answer.status, answer.code().as_str()), (422, "key_reused"), "{other}");
    }
    // A key of a switch is no key of a validation.
    let validate =
        |path: &str, key: &str| server.send("POST", path, &[("idempotency-key", key)], b"");
    assert_eq!(validate("/v1/migrations/validations", "k").code(), "key_reused");
    assert_eq!(server.head(), head);
    let first = validate("/v1/migrations/validations", "v");
    let head = server.head();
    let again = validate("/v1/migrations/validations", "v");
    assert_eq!((again.headers["idempotency-replayed"].as_str(), server.head()), ("true", head));
    assert_eq!(
        (&again.json()["at"], &again.json()["all_green"]),
        (&first.json()["at"], &json!(true))
    );
    assert_eq!(validate("/v1/migrations/validations?overdue_after=1d", "v").code(), "key_reused");
    // After the service was started again, too.
    server.end();
    let server = Server::on(&store);
    assert_eq!(
        server.switch(&json!({"view": "legacy", "reason": "x"}), Some("k")).code(),
        "key_reused"
    );
    assert_eq!(server.head(), head);
}

#[test]
fn readiness_tells_when_the_directory_is_gone_and_the_service_lives_on() {
    let store = Store::imported("tracker");
    let server = Server::on(&store);
    for (path, status) in [("/healthz", "ok"), ("/readyz", "ready")] {
        assert_eq!(server.get(path).json(), json!({"status": status}));
    }
    let away = store.beside("away");
    std::fs::rename(store.path(), &away).unwrap();
    let gone = server.get("/readyz");
    assert_eq!((gone.status, gone.code().as_str()), (503, "store_unavailable"));
    assert!(!gone.text.contains(store.around().to_str().unwrap()), "{gone:?}");
    let refused = server.switch(&json!({"view": "legacy", "reason": "x"}), None);
    assert_eq!((refused.status, refused.code().as_str()), (503, "store_lost"));
    assert_eq!(server.get("/healthz").status, 200);
    std::fs::rename(&away, store.path()).unwrap();
}

#[test]
fn whatever_would_be_written_about_an_erased_client_is_refused_with_its_code() {
    let store = Store::imported("tracker");
    let client = "XuDL7DxtpYlSXpfKtHF4vUCsMehG";
    store.migrate();
    let server = Server::on(&store);
    let shown =
        server.get(&format!("/v1/clients/{client}/check-ins?view=precreated&at={AT}")).json();
    let week = shown["data"]["checkins"]
        .as_array()
        .unwrap()
        .iter()
        .find(|week| week["status"] == "pending")
        .unwrap()["id"]
        .clone();
    // A running service has the store open: an erasure is refused, and says to stop the service.
    let erase = ["erase", "--client", client, "--reason", "asked", "--yes"];
    let in_use = store.run(&erase);
    assert!(
        in_use.code == 1 && in_use.stderr.contains("in use by another process; stop that one"),
        "{in_use:?}"
    );
    server.end();
    store.ok(&erase);

    let server = Server::on(&store);
    let json = [("content-type", "application/json")];
    let allocation = json!({"formId": "form-1765694943359-ijdcpupcl", "clientId": client, "coachId": "k", "duration": 2}).to_string();
    let allocated = server.send("POST", "/api/check-in-assignments", &json, allocation.as_bytes());
    assert_eq!(
        (allocated.status, &allocated.json()["success"]),
        (409, &json!(false)),
        "{allocated:?}"
    );
    assert!(allocated.text.contains("erased"), "{allocated:?}");
    let switched = server.switch(
        &json!({"view": "precreated", "clients": [client], "reason": "x", "force": true}),
        None,
    );
    assert_eq!((switched.status, switched.code().as_str()), (409, "client_erased"));
    // The id of a week of theirs names nothing now.
    let answer = server.send(
        "POST",
        &format!("/api/client-portal/check-in/{}", week.as_str().unwrap()),
        &json,
        b"{\"responses\": []}",
    );
    assert_eq!(answer.status, 404, "{answer:?}");
    let head = server.head();
    assert_eq!(
        server.get(&format!("/v1/clients/{client}/check-ins")).json()["data"]["checkins"],
        json!([])
    );
    server.end();
    assert_eq!(store.json(&["status"])["head"], head, "nothing was written");
}

//! A migration over HTTP, from the plan to the switch; clients that disconnect and batches that are
//! refused.

use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testkit::{Server, Store, fixture, until};

#[test]
fn plan_apply_validate_and_switch_end_to_end() {
    let store = Store::imported("tracker");
    let planned = std::fs::read(store.batch("monday")).unwrap();
    let server = Server::on(&store);
    let plan = server.get("/v1/migrations/plan");
    assert_eq!(plan.text.as_bytes(), planned);
    let report = server.get("/v1/migrations/plan/report").json();
    assert_eq!(plan.headers["etag"], format!("{}", report["digest"]));
    assert_eq!(
        (&report["series"], &report["created"], &report["linked"]),
        (&json!(28), &json!(691), &json!(2))
    );

    assert_eq!(
        server.switch(&json!({"view": "precreated", "reason": "too early"}), None).code(),
        "switch_refused"
    );
    let red = server.send("POST", "/v1/migrations/validations", &[], b"").json();
    assert_eq!(red["all_green"], false);
    let applied = server.apply(&planned, None).json();
    assert_eq!(
        (&applied["created"], &applied["linked"], &applied["skipped"]),
        (&json!(691), &json!(2), &json!(0))
    );
    assert_eq!(server.apply(&planned, None).json()["skipped"], 693);
    let green = server.send("POST", "/v1/migrations/validations", &[], b"").json();
    assert_eq!(
        (&green["all_green"], green["checks"].as_array().unwrap().len()),
        (&json!(true), 13)
    );
    assert_eq!(server.get("/v1/parity").json()["unexplained_total"], 0);
    let switched =
        server.switch(&json!({"view": "precreated", "reason": "all green"}), None).json();
    assert_eq!(
        (&switched["before"]["precreated"], &switched["after"]["precreated"]),
        (&json!(0), &json!(26))
    );
    assert_eq!(server.get("/v1/switch").json(), switched["after"]);
    assert_eq!(server.get("/v1/clients/x/check-ins").headers["x-rollbook-view"], "precreated");

    let page = server.get("/v1/migrations/validations?limit=1").json();
    assert_eq!(
        (page["validations"].as_array().unwrap().len(), &page["validations"][0]["green"]),
        (1, &json!(false))
    );
    let next =
        server.get(&format!("/v1/migrations/validations?limit=1&after={}", page["next"])).json();
    assert_eq!((&next["validations"][0]["green"], &next["next"]), (&json!(true), &Value::Null));
    server.end();
    assert!(!store.ok(&["verify"]).trim().is_empty());
}

/// The tracker's export with one base that is due on a Thursday.
fn with_a_thursday(home: &Path) -> PathBuf {
    for entry in std::fs::read_dir(fixture("tracker").join("export")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.replacen(r#""dueDate": "2026-01-05T"#, r#""dueDate": "2026-01-08T"#, 1);
        std::fs::write(home.join(path.file_name().unwrap()), text).unwrap();
    }
    home.to_owned()
}

#[test]
fn a_bad_batch_is_refused_and_nothing_is_written() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::of_export(&with_a_thursday(home.path()));
    let (monday, weekday) = (
        std::fs::read(store.batch("monday")).unwrap(),
        std::fs::read(store.batch("weekday")).unwrap(),
    );
    let server =
        Server::with(&store, &["--limits-body-bytes", "100KiB", "--limits-batch-bytes", "1MiB"]);
    let head = server.head();
    assert_ne!(monday, weekday, "two batches for one store");
    assert!(monday.len() > 100 << 10, "the limit of other bodies is not the one of batches");
    let refused = |batch: &[u8], status, code| {
        let answer = server.apply(batch, None);
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{answer:?}");
        assert_eq!(server.head(), head);
        answer
    };
    let damaged = refused(&monday[..monday.len() - 10], 400, "batch_damaged");
    assert!(damaged.json()["detail"].as_str().unwrap().starts_with("the batch"), "{damaged:?}");
    let edited =
        String::from_utf8(monday.clone()).unwrap().replacen("T09:00:00.000Z", "T10:00:00.000Z", 1);
    refused(edited.as_bytes(), 400, "batch_damaged");
    refused(b"{}\n", 400, "batch_damaged");
    refused(b"\xff\xfe", 400, "batch_damaged");
    let newer = String::from_utf8(monday.clone()).unwrap().replacen(
        "\"rollbook_batch\":1",
        "\"rollbook_batch\":3",
        1,
    );
    refused(newer.as_bytes(), 400, "batch_version");
    refused(&vec![b'x'; (1 << 20) + 1], 413, "too_large");
    let form =
        server.send("POST", "/v1/migrations/apply", &[("content-type", "application/json")], b"{}");
    assert_eq!((form.status, form.code().as_str()), (415, "no_ndjson"));

    // One batch under a key, and no other; and no second one over the first.
    let applied = server.apply(&monday, Some("k"));
    assert_eq!(applied.status, 200);
    let done: u64 = ["created", "linked", "adopted", "skipped"]
        .iter()
        .map(|what| applied.json()[what].as_u64().unwrap())
        .sum();
    let head = server.head();
    let other = server.apply(&weekday, Some("k"));
    assert_eq!((other.status, other.code().as_str()), (422, "key_reused"));
    let drifted = server.apply(&weekday, None);
    assert_eq!((drifted.status, drifted.code().as_str()), (409, "drift"));
    assert_eq!(server.apply(&monday, Some("k")).json()["skipped"], done);
    assert_eq!(server.head(), head);
}

/// Sends a complete apply and disconnects without waiting for the answer.
fn apply_and_leave(server: &Server, batch: &[u8]) {
    let address = server.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let length = batch.len();
    let head = format!(
        "POST /v1/migrations/apply HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/x-ndjson\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(batch).unwrap();
}

#[test]
fn whoever_goes_away_leaves_nothing_half_done() {
    let store = Store::imported("tracker");
    let batch = std::fs::read(store.batch("monday")).unwrap();
    let server = Server::on(&store);
    let before = server.head();
    // In the middle of the body: nothing has begun.
    let address = server.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST /v1/migrations/apply HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/x-ndjson\r\ncontent-length: {}\r\n\r\n",
        batch.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&batch[..batch.len() / 2]).unwrap();
    drop(stream);
    assert_eq!(server.head(), before);
    // After it: what has begun, ends. Sent again, it waits for that and adds what is missing, be it
    // nothing or everything.
    apply_and_leave(&server, &batch);
    let applied = server.apply(&batch, None).json();
    assert_eq!(
        applied["created"].as_u64().unwrap()
            + applied["linked"].as_u64().unwrap()
            + applied["skipped"].as_u64().unwrap(),
        693
    );
    let is_through = || {
        let status = server.get("/v1/status").json();
        status["batches"].as_array().unwrap().len() == 1
            && !status["batches"][0]["applied_at"].is_null()
    };
    until("the batch is through", is_through);
    assert_eq!(
        server.send("POST", "/v1/migrations/validations", &[], b"").json()["all_green"],
        true
    );
}

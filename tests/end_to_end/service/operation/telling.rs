//! The service logs and traces each request, and never logs tokens, answers or names.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;

use serde_json::json;
use testkit::{PATIENCE, Store, lines};

use super::running::{Running, answer_path, list_path};

#[test]
fn an_id_comes_back_stands_in_the_line_and_is_the_cause_of_what_was_written() {
    let store = Store::imported("clean");
    let service = Running::new(&store, &["--log-format", "json"], &[]);
    let id = "check-in-42";
    let answered =
        service.post(&answer_path(), &format!("x-request-id: {id}\r\n"), r#"{"responses": []}"#);
    assert_eq!((answered.status, answered.header("x-request-id")), (200, Some(id)), "{answered:?}");
    let made = service.get(&list_path(), "x-request-id: not well formed\r\n");
    let made = made.header("x-request-id").unwrap().to_owned();
    assert_eq!(uuid::Uuid::parse_str(&made).unwrap().get_version_num(), 7);
    let lines = lines(&service.messages());
    let of = |id: &str| {
        lines
            .iter()
            .find(|line| line["request_id"] == id)
            .unwrap_or_else(|| panic!("{id}: {lines:?}"))
            .clone()
    };
    let line = of(id);
    assert_eq!(
        (&line["method"], &line["route"], &line["status"]),
        (&json!("POST"), &json!("/api/client-portal/check-in/{id}"), &json!(200))
    );
    assert_eq!(line["role"], "admin");
    assert!(line["duration_seconds"].as_f64().unwrap() > 0.0);
    let line = of(&made);
    assert_eq!(
        (&line["view"], &line["route"]),
        (&json!("legacy"), &json!("/api/client-portal/check-ins"))
    );
    let week = answer_path().rsplit('/').next().unwrap().to_owned();
    let history = store.ok(&["history", &week, "--json"]);
    assert!(history.contains(&format!("\"cause\":\"{id}\"")), "{history}");
}

#[test]
fn lines_are_json_and_hold_no_token_no_answer_and_no_name() {
    let store = Store::imported("clean");
    let service = Running::new(&store, &["--log-format", "json", "--log-level", "trace"], &[]);
    let secret = "eyJhbGciOiJub25lIn0.c2VjcmV0.";
    let body = json!({"responses": [{"questionId": "q", "question": "How was it?", "answer": "unspeakable"}]}).to_string();
    let authorization = format!("authorization: Bearer {secret}\r\ncookie: crumb=unspeakable\r\n");
    assert_eq!(service.post(&answer_path(), &authorization, &body).status, 200);
    service.post(&answer_path(), &authorization, "{\"responses\": \"unspeakable\"");
    service.get(&format!("{}&note=unspeakable", list_path()), &authorization);
    service.get("/unspeakable", &authorization);
    let messages = service.messages();
    assert!(lines(&messages).len() >= 4);
    assert!(
        !messages.contains(secret)
            && !messages.contains("unspeakable")
            && !messages.contains("How was it"),
        "{messages}"
    );
    let client = list_path().rsplit('=').next().unwrap().to_owned();
    assert!(!messages.contains(&client), "{messages}");
}

#[test]
fn the_human_form_has_one_line_a_request_and_levels_are_kept() {
    let store = Store::imported("clean");
    let service = Running::new(&store, &[], &[]);
    service.get(&list_path(), "x-request-id: told\r\n");
    let messages = service.messages();
    assert_eq!(
        messages
            .lines()
            .filter(|line| line.contains("told") && line.contains("/api/client-portal/check-ins"))
            .count(),
        1,
        "{messages}"
    );
    let service = Running::new(&store, &["--log-level", "info,rollbook::request=warn"], &[]);
    service.get(&list_path(), "x-request-id: untold\r\n");
    let messages = service.messages();
    assert!(messages.contains("draining") && !messages.contains("untold"), "{messages}");
}

/// Takes one OTLP request: its head and body.
fn collected(listener: &TcpListener) -> (String, Vec<u8>) {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer).unwrap();
        bytes.extend_from_slice(&buffer[..read]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok())
            .unwrap();
        if bytes.len() >= end + 4 + length {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .unwrap();
            return (head, bytes[end + 4..].to_vec());
        }
    }
}

#[test]
fn traces_arrive_at_a_collector_in_the_callers_trace_and_nowhere_without_an_endpoint() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let (sender, received) = mpsc::channel();
    std::thread::spawn(move || sender.send(collected(&listener)));
    let store = Store::imported("clean");
    let headers = "authorization=Bearer collector";
    let service = Running::new(
        &store,
        &["--telemetry-endpoint", &endpoint],
        &[("ROLLBOOK_TELEMETRY_HEADERS", headers)],
    );
    let trace = "0af7651916cd43dd8448eb211c80319c";
    service.get(
        &list_path(),
        &format!("x-request-id: traced\r\ntraceparent: 00-{trace}-b7ad6b7169203331-01\r\n"),
    );
    let messages = service.messages();
    let (head, body) = received.recv_timeout(PATIENCE).unwrap();
    assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
    assert!(
        head.contains("content-type: application/x-protobuf")
            && head.contains("authorization: bearer collector"),
        "{head}"
    );
    let text = String::from_utf8_lossy(&body);
    for part in [
        "GET /api/client-portal/check-ins",
        "http.response.status_code",
        "rollbook.request_id",
        "traced",
        "rollbook.view",
        "legacy",
    ] {
        assert!(text.contains(part), "{part}");
    }
    let bytes: Vec<u8> =
        (0..16).map(|at| u8::from_str_radix(&trace[2 * at..2 * at + 2], 16).unwrap()).collect();
    assert!(body.windows(16).any(|window| window == bytes), "another trace");
    let client = list_path().rsplit('=').next().unwrap().to_owned();
    assert!(
        !text.contains(&client) && !messages.contains("collector"),
        "personal data or a secret was told"
    );
}

#[test]
fn a_collector_that_is_not_there_hurts_nobody() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let store = Store::imported("clean");
    let service =
        Running::new(&store, &["--telemetry-endpoint", &format!("http://{gone}/v1/traces")], &[]);
    let answers: BTreeMap<u16, usize> = (0..20).fold(BTreeMap::new(), |mut counts, _| {
        *counts.entry(service.get(&list_path(), "").status).or_default() += 1;
        counts
    });
    assert_eq!(answers, BTreeMap::from([(200, 20)]));
    service.messages();
}

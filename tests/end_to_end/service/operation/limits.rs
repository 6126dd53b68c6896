//! Every limit over a raw socket: requests that are too large, too many or too slow. The service
//! keeps running.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use testkit::{Store, eventually};

use super::running::{Running, answer, is_closed, list_path};

const TIGHT: [&str; 10] = [
    "--limits-body-bytes",
    "2KiB",
    "--limits-headers",
    "16",
    "--limits-header-bytes",
    "8KiB",
    "--timeouts-headers",
    "300ms",
    "--timeouts-body",
    "300ms",
];

fn is_well(service: &Running) {
    assert_eq!(service.get(&list_path(), "").status, 200);
}

#[test]
fn a_body_over_the_limit_is_413_announced_or_not_and_the_answer_arrives_though_the_client_still_sends()
 {
    let store = Store::imported("clean");
    let service = Running::new(&store, &TIGHT, &[]);
    let path = "/api/client-portal/check-in/x";
    for bytes in [2_049, 3 << 20] {
        let refused = service.post(path, "", &"x".repeat(bytes));
        assert_eq!(
            (refused.status, refused.json()["success"].as_bool()),
            (413, Some(false)),
            "{refused:?}"
        );
    }
    // In chunks, so that nothing is announced.
    let mut stream = service.connect();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    for _ in 0..100 {
        stream.write_all(format!("400\r\n{}\r\n", "x".repeat(1024)).as_bytes()).unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    assert_eq!(answer(&mut stream).status, 413);
    assert_ne!(service.post(path, "", &format!("\"{}\"", "x".repeat(2_046))).status, 413);
    is_well(&service);
}

#[test]
fn too_many_and_too_large_headers_are_431() {
    let store = Store::imported("clean");
    let service = Running::new(&store, &TIGHT, &[]);
    let many: String = (0..20).map(|number| format!("x-{number}: 1\r\n")).collect();
    assert_eq!(service.get("/", &many).status, 431);
    let large = format!("x-large: {}\r\n", "x".repeat(16 << 10));
    assert_eq!(service.get("/", &large).status, 431);
    assert_eq!(service.get("/", "x-small: 1\r\n").status, 404);
    is_well(&service);
}

#[test]
fn headers_that_do_not_come_close_the_connection_and_a_body_that_does_not_come_is_408() {
    let store = Store::imported("clean");
    let service = Running::new(&store, &TIGHT, &[]);
    for begun in ["", "GET / HT", "GET / HTTP/1.1\r\nhost: localhost\r\nx-slow: "] {
        let mut stream = service.connect();
        stream.write_all(begun.as_bytes()).unwrap();
        assert!(is_closed(&mut stream), "{begun:?}");
    }
    let path = "/api/client-portal/check-in/x";
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{\"resp"
    );
    let mut stream = service.connect();
    stream.write_all(head.as_bytes()).unwrap();
    let refused = answer(&mut stream);
    assert_eq!((refused.status, refused.header("connection")), (408, Some("close")), "{refused:?}");
    assert_eq!(refused.json()["message"], "The body took too long to arrive");
    is_well(&service);
}

#[test]
fn a_client_that_takes_nothing_of_its_answers_is_closed_on() {
    let store = Store::imported("clean");
    let service = Running::new(
        &store,
        &["--timeouts-send", "300ms", "--limits-requests-per-second", "0"],
        &[],
    );
    let mut stream = service.connect();
    stream.set_write_timeout(Some(testkit::PATIENCE)).unwrap();
    // Far more answers than two sockets can hold: at some time the service can send no more, and
    // then neither can this client.
    let failed = (0..1_000_000)
        .find_map(|_| stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n").err())
        .unwrap();
    assert!(
        matches!(
            failed.kind(),
            std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe
        ),
        "{failed}"
    );
    is_well(&service);
}

#[test]
fn a_flood_is_429_with_the_time_to_wait_and_health_answers_through_it() {
    let store = Store::imported("clean");
    let service = Running::new(
        &store,
        &["--limits-requests-per-second", "2", "--limits-burst-requests", "5"],
        &[],
    );
    let statuses: Vec<u16> = (0..30).map(|_| service.get("/v1/nothing", "").status).collect();
    assert_eq!(&statuses[..5], [404; 5]);
    let refused = eventually("a flood is turned away", || {
        Some(service.get("/v1/nothing", "")).filter(|raw| raw.status == 429)
    });
    assert!(statuses.iter().filter(|status| **status == 429).count() >= 10, "{statuses:?}");
    assert_eq!(
        (refused.json()["code"].as_str(), refused.header("retry-after")),
        (Some("too_many_requests"), Some("1"))
    );
    assert_eq!((service.get("/healthz", "").status, service.get("/readyz", "").status), (200, 200));
    // An address that a proxy without trust forwards may be made up by the caller.
    assert_eq!(service.get("/v1/nothing", "x-forwarded-for: 10.1.2.3\r\n").status, 429);
    eventually("the share is filled again", || {
        (service.get("/v1/nothing", "").status == 404).then_some(())
    });
}

#[test]
fn each_address_behind_a_trusted_proxy_has_its_own_share() {
    let store = Store::imported("clean");
    let tight = [
        "--limits-requests-per-second",
        "1",
        "--limits-burst-requests",
        "2",
        "--limits-trusted-proxies",
        "127.0.0.1",
    ];
    let service = Running::new(&store, &tight, &[]);
    let get =
        |client: &str| service.get("/v1/nothing", &format!("x-forwarded-for: {client}\r\n")).status;
    eventually("one of them is turned away", || (get("10.0.0.1") == 429).then_some(()));
    assert_eq!(get("10.0.0.2"), 404);
}

#[test]
fn one_request_too_many_at_once_is_503_and_a_place_that_is_free_again_is_used() {
    let store = Store::imported("clean");
    let service = Running::new(&store, &["--limits-requests-in-flight", "1"], &[]);
    let head = "POST /api/client-portal/check-in/x HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n";
    // The slow one may itself come while another has the place; then it is answered at once, and
    // tried again.
    let (mut slow, refused) = eventually("the one place is taken", || {
        let mut slow = service.connect();
        slow.write_all(head.as_bytes()).unwrap();
        let refused =
            eventually("one of the two is refused", || match service.get(&list_path(), "") {
                raw if raw.status == 503 => Some(Some(raw)),
                _ => is_answered(&slow).then_some(None),
            });
        refused.map(|refused| (slow, refused))
    });
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.json()["success"], false);
    slow.write_all(b"{}").unwrap();
    assert!(answer(&mut slow).status < 500);
    eventually("the place is free", || (service.get(&list_path(), "").status == 200).then_some(()));
}

/// Whether anything came on a connection.
fn is_answered(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let answered = stream.peek(&mut [0]).is_ok();
    stream.set_nonblocking(false).unwrap();
    answered
}

#[test]
fn a_connection_too_many_waits_for_its_turn() {
    let store = Store::imported("clean");
    let service = Running::new(&store, &["--limits-connections", "1"], &[]);
    let held = service.connect();
    let mut waiting = service.connect();
    waiting
        .write_all(
            format!("GET {} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", list_path())
                .as_bytes(),
        )
        .unwrap();
    waiting.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let mut byte = [0];
    assert!(waiting.peek(&mut byte).is_err(), "it was answered beside the other");
    drop(held);
    waiting.set_read_timeout(Some(testkit::PATIENCE)).unwrap();
    assert_eq!(answer(&mut waiting).status, 200);
}

#[test]
fn the_drain_has_a_deadline() {
    let store = Store::imported("clean");
    let mut service = Running::new(
        &store,
        &[
            "--timeouts-drain",
            "500ms",
            "--timeouts-body",
            "1h",
            "--timeouts-request",
            "1h",
            "--timeouts-operation",
            "2h",
        ],
        &[],
    );
    let mut slow = service.connect();
    let head = "POST /api/client-portal/check-in/x HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    slow.write_all(head.as_bytes()).unwrap();
    eventually("it is under way", || {
        (service.get("/metrics", "").body.contains("rollbook_http_requests_in_flight 2"))
            .then_some(())
    });
    let began = Instant::now();
    service.signal("TERM");
    assert!(service.ended().success());
    assert!(began.elapsed() >= Duration::from_millis(500), "nobody waited for it");
    assert!(is_closed(&mut slow));
}

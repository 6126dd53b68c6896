//! The service shows what the old system showed.

use serde_json::Value;
use testkit::{ExpectedAnswer, FIXTURES, Server, Store, expected, starred};

/// Whether two answers are for the same instant.
fn same_instant(one: &ExpectedAnswer, other: &ExpectedAnswer) -> bool {
    one.now == other.now
}

fn compare(
    server: &Server,
    path: &str,
    view: &str,
    answers: &[ExpectedAnswer],
    shown: impl Fn(Value) -> Value,
) {
    for ExpectedAnswer { client, status, body, .. } in answers {
        // Twice: whatever is kept between two answers is the same answer.
        for _ in 0..2 {
            let answer = server.get(&format!("{path}?clientId={client}"));
            assert_eq!((answer.status, answer.view()), (*status, view), "{client}");
            assert!(answer.position() > 0, "{client}");
            assert_eq!(shown(answer.body), *body, "{client}");
        }
    }
}

#[test]
fn under_the_legacy_switch_every_client_sees_what_the_old_system_showed() {
    for (name, _) in FIXTURES {
        let store = Store::imported(name);
        for answers in expected(name, "legacy").chunk_by(same_instant) {
            let server = Server::at(&store, &answers[0].now);
            compare(&server, "/api/client-portal/check-ins", "legacy", answers, |body| body);
        }
    }
}

#[test]
fn after_migration_and_switch_every_client_sees_what_the_new_endpoint_showed() {
    for name in ["tracker", "clean"] {
        let store = Store::imported(name);
        assert_eq!(store.migrate()["all_green"], true);
        store.ok(&["switch", "precreated", "--reason", "all green"]);
        for answers in expected(name, "precreated-after-migration").chunk_by(same_instant) {
            let server = Server::with(
                &store,
                &["--fixed-clock", &answers[0].now, "--allow-fixed-clock", "--overdue-after", "0s"],
            );
            compare(&server, "/api/client-portal/check-ins", "precreated", answers, starred);
            compare(
                &server,
                "/api/client-portal/check-ins-precreated",
                "precreated",
                answers,
                starred,
            );
        }
        store.ok(&["switch", "legacy", "--reason", "back"]);
        for answers in expected(name, "legacy").chunk_by(same_instant) {
            let server = Server::at(&store, &answers[0].now);
            compare(&server, "/api/client-portal/check-ins", "legacy", answers, |body| body);
        }
    }
}

#[test]
fn the_pre_created_endpoint_answers_whatever_the_switch_says() {
    let store = Store::imported("clean");
    let server = Server::at(&store, "2026-01-15T09:30:00Z");
    let answer =
        server.get("/api/client-portal/check-ins-precreated?clientId=6w8QcytWMO8zf8sl2AhGyJvIRX7z");
    assert_eq!((answer.status, answer.view()), (200, "precreated"));
}

#[test]
fn a_clock_stands_still_only_when_that_is_said_twice() {
    let store = Store::imported("clean");
    let listen = ["serve", "--listen", "127.0.0.1:0"];
    let ran = store.run(&[&listen[..], &["--fixed-clock", "2026-01-15T09:30:00Z"]].concat());
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("--allow-fixed-clock"), "{ran:?}");
}

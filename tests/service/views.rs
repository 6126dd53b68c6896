//! What the service shows against what the old system showed.

use crate::server::Server;
use crate::store::{Expected, FIXTURES, Store, expected};
use serde_json::Value;

/// A body with the ids of weeks that were made here as `*`, as the fixtures write them.
fn starred(mut body: Value) -> Value {
    for entry in body["data"]["checkins"].as_array_mut().unwrap() {
        for field in ["id", "documentId"] {
            let is_uuid =
                |text: &str| text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
            if entry[field].as_str().is_some_and(is_uuid) {
                entry[field] = "*".into();
            }
        }
    }
    body
}

async fn compare(
    server: &Server,
    path: &str,
    view: &str,
    answers: &[Expected],
    shown: impl Fn(Value) -> Value,
) {
    for Expected { client, status, body } in answers {
        // Twice: whatever is kept between two answers is the same answer.
        for _ in 0..2 {
            let answer = server.get(&format!("{path}?clientId={client}")).await;
            assert_eq!(
                (u64::from(answer.status), answer.view.as_deref()),
                (*status, Some(view)),
                "{client}"
            );
            assert!(answer.position.is_some(), "{client}");
            assert_eq!(shown(answer.body), *body, "{client}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn under_the_legacy_switch_every_client_sees_what_the_old_system_showed() {
    for (name, _) in FIXTURES {
        let store = Store::imported(name);
        for (now, answers) in expected(name, "legacy") {
            let server = Server::at(&store, &now);
            compare(&server, "/api/client-portal/check-ins", "legacy", &answers, |body| body).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_migration_and_switch_every_client_sees_what_the_new_endpoint_showed() {
    for name in ["tracker", "clean"] {
        let store = Store::imported(name);
        store.migrate();
        store.ok(&["switch", "precreated", "--reason", "all green"]);
        for (now, answers) in expected(name, "precreated-after-migration") {
            let server = Server::with(
                &store,
                &["--fixed-clock", &now, "--allow-fixed-clock", "--overdue-after", "0s"],
            );
            compare(&server, "/api/client-portal/check-ins", "precreated", &answers, starred).await;
            compare(
                &server,
                "/api/client-portal/check-ins-precreated",
                "precreated",
                &answers,
                starred,
            )
            .await;
        }
        store.ok(&["switch", "legacy", "--reason", "back"]);
        for (now, answers) in expected(name, "legacy") {
            let server = Server::at(&store, &now);
            compare(&server, "/api/client-portal/check-ins", "legacy", &answers, |body| body).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pre_created_endpoint_answers_whatever_the_switch_says() {
    let store = Store::imported("clean");
    let server = Server::at(&store, "2026-01-15T09:30:00Z");
    let answer = server
        .get("/api/client-portal/check-ins-precreated?clientId=6w8QcytWMO8zf8sl2AhGyJvIRX7z")
        .await;
    assert_eq!((answer.status, answer.view.as_deref()), (200, Some("precreated")));
}

#[test]
fn a_clock_stands_still_only_when_that_is_said_twice() {
    let store = Store::imported("clean");
    let output = store
        .command(&["serve", "--listen", "127.0.0.1:0", "--fixed-clock", "2026-01-15T09:30:00Z"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--allow-fixed-clock"));
}

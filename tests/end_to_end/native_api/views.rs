//! Views over HTTP equal those of the command line at any instant and position, and a reader can
//! wait for its own write.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testkit::{Server, Store, escaped};

use super::AT;

#[test]
fn every_client_has_the_body_that_the_command_line_prints() {
    let store = Store::imported("dirty");
    store.migrate();
    let mut wanted: BTreeMap<&str, String> = BTreeMap::new();
    for view in ["legacy", "precreated", "live"] {
        wanted.insert(view, store.ok(&["view", view, "--all", "--at", AT]));
    }
    let early = store.ok(&["view", "legacy", "--all", "--at", AT, "--as-of", "40"]);
    let server = Server::on(&store);
    for (view, wanted) in &wanted {
        assert_eq!(&server.get(&format!("/v1/check-ins?view={view}&at={AT}")).text, wanted);
        for line in wanted.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let client = escaped(line["clientId"].as_str().unwrap());
            let answer = server.get(&format!("/v1/clients/{client}/check-ins?view={view}&at={AT}"));
            assert_eq!((answer.status, &answer.json()), (200, &line["body"]), "{view} {client}");
            let named = if *view == "live" { "legacy" } else { view };
            assert_eq!(answer.headers["x-rollbook-view"], named);
            assert_eq!(answer.position(), server.head());
        }
    }
    let answer = server.get(&format!("/v1/check-ins?view=legacy&at={AT}&as_of=40"));
    assert_eq!((answer.text.as_str(), answer.position()), (early.as_str(), 40));
}

#[test]
fn a_read_waits_for_the_position_it_asks_for_or_says_that_it_is_behind() {
    let store = Store::imported("tracker");
    let server = Server::with(&store, &["--timeouts-behind", "1s"]);
    let head = server.head();
    let late = server.get(&format!("/v1/clients/x/check-ins?min_position={}", head + 1));
    assert_eq!((late.status, late.code().as_str()), (504, "behind"));
    // Readers wait, then somebody writes: all are answered, at that position or later.
    drop(server);
    let server = Server::with(&store, &["--timeouts-behind", "25s"]);
    let path = format!("/v1/clients/x/check-ins?min_position={}", head + 1);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..4).map(|_| scope.spawn(|| server.get(&path))).collect();
        let switched = server.switch(&json!({"view": "legacy", "reason": "a write"}), None);
        assert_eq!(switched.position(), head + 1, "{switched:?}");
        for reader in readers {
            let answer = reader.join().unwrap();
            assert_eq!(answer.status, 200);
            assert!(answer.position() > head, "{answer:?}");
        }
    });
}

#[test]
fn a_switch_serves_the_next_request() {
    let store = Store::imported("tracker");
    store.migrate();
    let server = Server::on(&store);
    let view = || server.get("/v1/clients/x/check-ins").headers["x-rollbook-view"].clone();
    for _ in 0..20 {
        for wanted in ["precreated", "legacy"] {
            assert_eq!(
                server.switch(&json!({"view": wanted, "reason": "to and fro"}), None).status,
                200
            );
            assert_eq!(view(), wanted);
        }
    }
}

//! Backups and checkpoints of a running service. A backup taken while 64 writers write restores the
//! store at its head; one that SIGKILL cuts off is never listed as good.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Server, Store, documents, moment, random, rollbook, run, under_load, until};

use super::AT;

const WRITERS: usize = 64;

/// Writes notes on one assignment until it must stop or the service is gone; reports the position
/// of what was acknowledged.
fn keep_writing(server: &Server, assignment: &str, stop: &AtomicBool, acknowledged: &AtomicU64) {
    let path = format!("/api/check-in-assignments/{assignment}");
    for number in 0.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let body = json!({"coachNotes": format!("note {number} on {assignment}")});
        let Ok(answer) = server.try_ask("PATCH", &path, Some(&body), None) else { return };
        assert!(matches!(answer.status, 200 | 409), "{answer:?}");
        if answer.headers.contains_key("x-rollbook-position") {
            acknowledged.fetch_max(answer.position(), Ordering::SeqCst);
        }
    }
}

/// An assignment for each writer.
fn assignments() -> Vec<String> {
    let ids: Vec<String> = documents("clean", "check_in_assignments")
        .iter()
        .filter_map(|one| one["id"].as_str().map(str::to_owned))
        .collect();
    assert!(ids.len() >= WRITERS);
    ids
}

/// Does something while 64 writers write; it is given the last position that was acknowledged so
/// far.
fn while_writing<R>(server: &Server, run: impl FnOnce(&AtomicU64) -> R) -> R {
    let (acknowledged, ids) = (AtomicU64::new(0), assignments());
    let write = |number: usize, stop: &AtomicBool| {
        keep_writing(server, &ids[number], stop, &acknowledged);
    };
    under_load(WRITERS, write, || run(&acknowledged)).0
}

/// Everybody's lists in both views, at the head or as of a position.
fn shown(store: &Store, as_of: Option<u64>) -> [String; 2] {
    let as_of = as_of.map(|position| position.to_string());
    ["legacy", "precreated"].map(|view| {
        let mut arguments = vec!["view", view, "--all", "--at", AT];
        arguments
            .extend(as_of.as_deref().map(|position| ["--as-of", position]).into_iter().flatten());
        store.ok(&arguments)
    })
}

#[test]
fn backups_under_64_writers_over_http_restore_the_store_at_their_heads() {
    let store = Store::imported("clean");
    let server = Server::on(&store);
    let taken: Vec<Value> = while_writing(&server, |acknowledged| {
        let take = |number: u64| {
            let before = acknowledged.load(Ordering::SeqCst);
            until("writers write", || acknowledged.load(Ordering::SeqCst) > before + 200);
            let promised = acknowledged.load(Ordering::SeqCst);
            let answer = server.post("/v1/backups", json!({"name": format!("number-{number}")}));
            let created = answer.json();
            assert_eq!(
                (answer.status, created["position"].as_u64()),
                (200, Some(answer.position())),
                "{created}"
            );
            assert!(
                created["manifest"]["head"].as_u64().unwrap() >= promised,
                "{promised} was acknowledged: {created}"
            );
            assert!(acknowledged.load(Ordering::SeqCst) > before, "writing went on");
            created
        };
        (1..=3).map(take).collect()
    });
    let signed = server.post("/v1/checkpoints", json!({})).json();
    assert_eq!(signed["size"], server.head());
    let listed = server.get("/v1/backups").json();
    let names: Vec<&str> =
        listed.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["number-1", "number-2", "number-3"]);
    server.end();
    let root_at = |store: &Store, head: u64| {
        store.json(&["prove", "consistency", "--from", &head.to_string()])["older_root"].clone()
    };
    for created in &taken {
        let (name, manifest) = (created["name"].as_str().unwrap(), &created["manifest"]);
        let verified = store.json(&["backup", "verify", name]);
        assert_eq!(
            (&verified["head"], &verified["merkle_root"]),
            (&manifest["head"], &manifest["merkle_root"])
        );
        let restored = Store::at(store.beside(name));
        let from = store.beside("store-backups");
        restored.ok(&["backup", "restore", name, "--from", from.to_str().unwrap()]);
        let head = manifest["head"].as_u64().unwrap();
        assert_eq!(shown(&restored, None), shown(&store, Some(head)));
        assert_eq!(
            (root_at(&restored, head), root_at(&store, head)),
            (manifest["merkle_root"].clone(), manifest["merkle_root"].clone())
        );
    }
    // What a service signed, the store's own command finds signed already.
    assert_eq!(
        store.ok(&["checkpoint", "--public-key"]).trim_end(),
        signed["key"].as_str().unwrap()
    );
    store.ok(&["verify"]);
}

#[test]
fn a_backup_whose_service_is_killed_under_64_writers_is_never_listed_as_good() {
    let store = Store::imported("clean");
    let (seed, mut random) = random();
    let mut acknowledged_in_all = 0;
    for round in 0..6 {
        let server = Server::on(&store);
        let last = while_writing(&server, |acknowledged| {
            let before = acknowledged.load(Ordering::SeqCst);
            until("writers write", || acknowledged.load(Ordering::SeqCst) > before + 50);
            std::thread::scope(|scope| {
                // The answer of one that is cut off never comes.
                scope.spawn(|| server.try_back_up(&format!("killed-{round}")).map(drop));
                std::thread::sleep(moment(&mut random, Duration::from_millis(150)));
                server.signal("KILL");
            });
            acknowledged.load(Ordering::SeqCst)
        });
        drop(server);
        let status = store.json(&["status"]);
        assert!(
            status["head"].as_u64().unwrap() >= last,
            "seed {seed}: {last} was acknowledged: {status}"
        );
        acknowledged_in_all = acknowledged_in_all.max(last);
        for one in store.json(&["backup", "list"]).as_array().unwrap() {
            assert_eq!(one["state"], "whole", "seed {seed}: {one}");
            store.ok(&["backup", "verify", one["name"].as_str().unwrap()]);
        }
    }
    assert!(acknowledged_in_all > 300);
    store.ok(&["backup", "create", "--name", "last"]);
    store.ok(&["backup", "verify", "last"]);
    store.ok(&["verify"]);
}

#[test]
fn the_command_line_takes_backups_and_checkpoints_of_a_service() {
    let store = Store::imported("tracker");
    let server = Server::on(&store);
    let remotely = |arguments: &[&str]| {
        run(rollbook().current_dir(store.around()).args(["--server", &server.url]).args(arguments))
    };
    let json = |arguments: &[&str]| -> Value {
        let ran = remotely(&[arguments, &["--json"]].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        serde_json::from_str(&ran.stdout).unwrap()
    };
    assert_eq!(json(&["backup", "list"]), json!([]));
    let created = json(&["backup", "create", "--name", "one", "--at", "2026-01-05T10:07:08Z"]);
    assert_eq!(
        (&created["name"], &created["manifest"]["created_at"]),
        (&json!("one"), &json!("2026-01-05T10:07:08.000Z"))
    );
    assert_eq!(json(&["backup", "list"])[0]["manifest"], created["manifest"]);
    let out = store.beside("signed.checkpoint");
    let signed = json(&["checkpoint", "--out", out.to_str().unwrap()]);
    assert_eq!(signed["checkpoint"].as_str().unwrap(), std::fs::read_to_string(&out).unwrap());
    for (arguments, code, said) in [
        (&["backup", "create", "--name", "one"][..], 3, "409 backup_exists"),
        (&["backup", "create", "--name", ".."], 2, "usage"),
        (&["backup", "create", "--to", "elsewhere"], 2, "own directory of backups"),
        (&["backup", "create", "--as", "admin:x"], 2, "--as"),
        (&["backup", "verify", "one"], 2, "works on a store's directory"),
        (&["checkpoint", "--public-key"], 2, "works on a store's directory"),
    ] {
        let ran = remotely(arguments);
        assert!(ran.code == code && ran.stderr.contains(said), "{arguments:?}: {ran:?}");
    }
    server.end();
    store.ok(&["backup", "verify", "one"]);
}

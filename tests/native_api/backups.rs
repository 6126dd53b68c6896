//! Backups and checkpoints of a running service: taken while 64 writers go on, restored to the store as it was then; cut off by SIGKILL, never
//! listed as good.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::{AT, Answer, Server, Store, fixture, rollbook, run, until};

const WRITERS: usize = 64;

impl Server {
    fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(
            "POST",
            path,
            &[("content-type", "application/json")],
            body.to_string().as_bytes(),
        )
    }

    /// Writes notes on one assignment until it is told to stop, or the service is gone; says the position of what was acknowledged.
    fn keep_writing(&self, assignment: &str, stop: &AtomicBool, acknowledged: &AtomicU64) {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
        for number in 0.. {
            if stop.load(Ordering::SeqCst) {
                return;
            }
            let body = json!({"coachNotes": format!("note {number} on {assignment}")}).to_string();
            let request = agent
                .patch(format!("{}/api/check-in-assignments/{assignment}", self.url))
                .content_type("application/json");
            let Ok(response) = request.send(body) else { return };
            assert!(matches!(response.status().as_u16(), 200 | 409), "{response:?}");
            let position = response
                .headers()
                .get("x-rollbook-position")
                .and_then(|position| position.to_str().ok()?.parse().ok());
            acknowledged.fetch_max(position.unwrap_or_default(), Ordering::SeqCst);
        }
    }
}

/// An assignment for each writer.
fn assignments() -> Vec<String> {
    let export =
        std::fs::read_to_string(fixture("clean").join("export/check_in_assignments.json")).unwrap();
    let export: Value = serde_json::from_str(&export).unwrap();
    let ids: Vec<String> = export["documents"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["id"].as_str().map(str::to_owned))
        .collect();
    assert!(ids.len() >= WRITERS);
    ids
}

/// Does something while 64 writers write.
fn under_load<R>(server: &Server, run: impl FnOnce(&AtomicU64) -> R) -> R {
    let (stop, acknowledged, ids) = (AtomicBool::new(false), AtomicU64::new(0), assignments());
    std::thread::scope(|scope| {
        for id in ids.iter().take(WRITERS) {
            scope.spawn(|| server.keep_writing(id, &stop, &acknowledged));
        }
        let done = run(&acknowledged);
        stop.store(true, Ordering::SeqCst);
        done
    })
}

/// Runs a command on a store's directory that must succeed; its stdout.
fn ok(data: &Path, arguments: &[&str]) -> String {
    let output = run(rollbook().arg("--data").arg(data).args(arguments));
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Everybody's lists in both views, at the head or as of a position.
fn shown(data: &Path, as_of: Option<u64>) -> [String; 2] {
    let as_of = as_of.map(|position| position.to_string());
    ["legacy", "precreated"].map(|view| {
        let mut arguments = vec!["view", view, "--all", "--at", AT];
        arguments
            .extend(as_of.as_deref().map(|position| ["--as-of", position]).into_iter().flatten());
        ok(data, &arguments)
    })
}

#[test]
fn backups_under_64_writers_over_http_restore_the_store_at_their_heads() {
    let store = Store::imported("clean");
    let server = Server::on(&store);
    let taken: Vec<Value> = under_load(&server, |acknowledged| {
        let take = |number: u64| {
            let before = acknowledged.load(Ordering::SeqCst);
            until("writers write", || acknowledged.load(Ordering::SeqCst) > before + 200);
            let promised = acknowledged.load(Ordering::SeqCst);
            let answer = server.post("/v1/backups", &json!({"name": format!("number-{number}")}));
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
    let signed = server.post("/v1/checkpoints", &json!({})).json();
    assert_eq!(signed["size"], server.head());
    let listed = server.get("/v1/backups").json();
    let names: Vec<&str> =
        listed.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["number-1", "number-2", "number-3"]);
    server.end();
    let root_at = |data: &Path, head: u64| {
        let proved = ok(data, &["prove", "consistency", "--from", &head.to_string(), "--json"]);
        serde_json::from_str::<Value>(&proved).unwrap()["older_root"].clone()
    };
    for created in &taken {
        let (name, manifest) = (created["name"].as_str().unwrap(), &created["manifest"]);
        let verified: Value =
            serde_json::from_str(&store.ok(&["backup", "verify", name, "--json"])).unwrap();
        assert_eq!(
            (&verified["head"], &verified["merkle_root"]),
            (&manifest["head"], &manifest["merkle_root"])
        );
        let restored = store.home.path().join(name);
        let from = store.home.path().join("store-backups");
        ok(&restored, &["backup", "restore", name, "--from", from.to_str().unwrap()]);
        let head = manifest["head"].as_u64().unwrap();
        assert_eq!(shown(&restored, None), shown(&store.path(), Some(head)));
        assert_eq!(
            (root_at(&restored, head), root_at(&store.path(), head)),
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
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    println!("seed {now}");
    let mut draw = u64::try_from(now % u128::from(u64::MAX)).unwrap();
    let mut acknowledged_in_all = 0;
    for round in 0..6 {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let server = Server::on(&store);
        let pid = server.pid().to_string();
        let last = under_load(&server, |acknowledged| {
            let before = acknowledged.load(Ordering::SeqCst);
            until("writers write", || acknowledged.load(Ordering::SeqCst) > before + 50);
            std::thread::scope(|scope| {
                let name = format!("killed-{round}");
                let agent: ureq::Agent = ureq::Agent::config_builder()
                    .http_status_as_error(false)
                    .proxy(None)
                    .build()
                    .into();
                let url = format!("{}/v1/backups", server.url);
                // The answer of one that was cut off never comes.
                scope.spawn(move || {
                    agent
                        .post(url)
                        .content_type("application/json")
                        .send(json!({"name": name}).to_string())
                        .map(drop)
                });
                std::thread::sleep(Duration::from_micros((draw >> 33) % 150_000));
                let killed =
                    std::process::Command::new("kill").args(["-KILL", &pid]).status().unwrap();
                assert!(killed.success());
            });
            acknowledged.load(Ordering::SeqCst)
        });
        drop(server);
        let status: Value = serde_json::from_str(&store.ok(&["status", "--json"])).unwrap();
        assert!(
            status["head"].as_u64().unwrap() >= last,
            "seed {now}: {last} was acknowledged: {status}"
        );
        acknowledged_in_all = acknowledged_in_all.max(last);
        for one in
            serde_json::from_str::<Vec<Value>>(&store.ok(&["backup", "list", "--json"])).unwrap()
        {
            assert_eq!(one["state"], "whole", "seed {now}: {one}");
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
        run(rollbook()
            .current_dir(store.home.path())
            .args(["--server", &server.url])
            .args(arguments))
    };
    let json = |arguments: &[&str]| -> Value {
        let output = remotely(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    assert_eq!(json(&["backup", "list"]), json!([]));
    let created = json(&["backup", "create", "--name", "one", "--at", "2026-01-05T10:07:08Z"]);
    assert_eq!(
        (&created["name"], &created["manifest"]["created_at"]),
        (&json!("one"), &json!("2026-01-05T10:07:08.000Z"))
    );
    assert_eq!(json(&["backup", "list"])[0]["manifest"], created["manifest"]);
    let out = store.home.path().join("signed.checkpoint");
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
        let output = remotely(arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(code) && text.contains(said), "{arguments:?}: {text}");
    }
    server.end();
    store.ok(&["backup", "verify", "one"]);
}

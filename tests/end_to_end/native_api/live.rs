//! Server-sent events: every event once and in order, also when clients disconnect often and while
//! others write.

use std::io::BufRead;
use std::time::{Duration, Instant};

use rollbook::sample::{SampleOptions, SampleSize, write_export};
use serde_json::{Value, json};
use testkit::{Server, Store, eventually, random_from};

/// One event as it came: its id, and the position in its data.
fn next_event(lines: &mut impl BufRead) -> Option<(u64, Value)> {
    let (mut id, mut data) = (None, None);
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).unwrap_or(0) == 0 || !line.ends_with('\n') {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some(("id", text)) => id = Some(text.parse().unwrap()),
            Some(("data", text)) => data = Some(serde_json::from_str(text).unwrap()),
            _ if line == "\n" && data.is_some() => return Some((id.unwrap(), data.unwrap())),
            // Comments, and the empty lines after them.
            _ => {}
        }
    }
}

/// A store that a migration of this many weeks is planned for.
fn sample(clients: u32) -> (Store, Vec<u8>) {
    let directory = tempfile::tempdir().unwrap();
    let size = SampleSize::Scaled { clients, series_per_client: 8, total_weeks: 52 };
    let today = "2026-01-12".parse().unwrap();
    write_export(directory.path(), &SampleOptions { seed: 7, today, size }).unwrap();
    let store = Store::of_export(directory.path());
    let batch = std::fs::read(store.batch("monday")).unwrap();
    (store, batch)
}

fn resident_bytes(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[test]
fn a_client_that_comes_and_goes_sees_a_hundred_thousand_events_once_and_in_order() {
    let (seed, mut random) = random_from(1);
    let (store, batch) = sample(245);
    let server = Server::on(&store);
    // Slow clients: they read nothing.
    let slow: Vec<_> = (0..8).map(|_| server.follow("/v1/events/live", &[])).collect();
    let before_bytes = resident_bytes(&server);
    let deadline = Instant::now() + Duration::from_secs(240);
    let (mut seen, mut connections) = (0, 0);
    std::thread::scope(|scope| {
        // What is there is read while what comes is written.
        let applying = scope.spawn(|| server.apply(&batch, None));
        let mut head = None;
        while head != Some(seen) {
            let id = seen.to_string();
            let headers: &[(&str, &str)] = if seen == 0 { &[] } else { &[("last-event-id", &id)] };
            let mut lines = server.follow("/v1/events/live", headers);
            connections += 1;
            let until_it_leaves = 1 + random.u64(..4000);
            for _ in 0..until_it_leaves {
                if head.is_none() && applying.is_finished() {
                    head = Some(server.head());
                }
                if head == Some(seen) {
                    break;
                }
                let (id, event) = next_event(&mut lines).expect("the answer ended");
                assert_eq!(
                    (id, event["position"].as_u64()),
                    (seen + 1, Some(seen + 1)),
                    "seed {seed}, connection {connections}"
                );
                seen = id;
                assert!(Instant::now() < deadline, "{seen} events in time");
            }
        }
        assert_eq!(applying.join().unwrap().status, 200);
    });
    assert!(seen > 100_000, "{seen} events");
    assert!(connections > 20, "{connections} connections");
    // No client's events are held in memory: eight times the log would be some 500 MB.
    let grown = resident_bytes(&server).saturating_sub(before_bytes);
    println!("{seen} events over {connections} connections; memory grew by {} MiB", grown >> 20);
    assert!(grown < 256 << 20, "memory grew by {grown} bytes");
    drop(slow);
}

#[test]
fn catching_up_becomes_live_and_another_stream_is_not_heard() {
    let store = Store::imported("tracker");
    store.migrate();
    let server = Server::on(&store);
    let head = server.head();
    let mut all = server.follow(&format!("/v1/events/live?after={}", head - 3), &[]);
    let mut control = server.follow("/v1/events/live?stream=control&with_answers=true", &[]);
    let told = server.get("/v1/history/control").lines();
    for wanted in &told {
        assert_eq!(next_event(&mut control).unwrap().1, *wanted);
    }
    for position in head - 2..=head {
        assert_eq!(next_event(&mut all).unwrap().0, position);
    }
    for round in 1..=5 {
        assert_eq!(
            server
                .switch(&json!({"view": "legacy", "reason": format!("round {round}")}), None)
                .status,
            200
        );
        for lines in [&mut all as &mut dyn BufRead, &mut control] {
            let (id, event) = next_event(&mut { lines }).unwrap();
            assert_eq!((id, &event["why"]), (head + round, &json!(format!("round {round}"))));
        }
    }
}

#[test]
fn silence_is_broken_by_heartbeats_and_the_end_of_the_service_ends_the_answer() {
    let store = Store::imported("tracker");
    let server = Server::with(&store, &["--timeouts-heartbeat", "1s", "--limits-subscribers", "1"]);
    let head = server.head();
    let mut lines = server.follow(&format!("/v1/events/live?after={head}"), &[]);
    let full = server.get("/v1/events/live");
    assert_eq!((full.status, full.code().as_str()), (503, "overloaded"));
    for _ in 0..2 {
        let mut line = String::new();
        while line.trim().is_empty() {
            line.clear();
            lines.read_line(&mut line).unwrap();
        }
        assert!(line.starts_with(':'), "{line:?}");
    }
    // A place is free again when a subscriber goes.
    drop(lines);
    let mut follower = eventually("a place is free", || {
        assert_eq!(server.get("/v1/events?limit=1").status, 200);
        server.try_follow("/v1/events/live", &[]).ok()
    });
    server.end();
    // Whole events, then the end.
    while next_event(&mut follower).is_some() {}
}

//! The end of the service. After SIGTERM every connected client has its answer; after SIGKILL every
//! acknowledged write is there.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use testkit::{Server, Store, documents, until};

const NOW: &str = "2026-01-15T09:30:00Z";

/// Weeks that can be answered: base ids of recurring series.
fn bases() -> Vec<String> {
    let documents = documents("clean", "check_in_assignments");
    let is_base = |one: &&Value| {
        one["isRecurring"] == true
            && one["recurringWeek"] == 1
            && one["totalWeeks"].as_u64() > Some(8)
    };
    documents.iter().filter(is_base).map(|one| one["_id"].as_str().unwrap().to_owned()).collect()
}

/// What one writer saw.
#[derive(Default)]
struct Seen {
    acknowledged: Vec<String>,
    /// Requests that were sent on an open connection and got no complete answer.
    cut_off: Vec<String>,
}

/// Answers week after week until the service takes no connection any more.
fn write(server: &Server, number: usize, done: &AtomicUsize) -> Seen {
    let bases = bases();
    let mut seen = Seen::default();
    for round in 0..100_000 {
        // Of some series this is beyond the last week: that is refused, and a refusal is an answer
        // too.
        let id = format!("{}_week_{}", bases[(number + round / 51) % bases.len()], 2 + round % 51);
        let path = format!("/api/client-portal/check-in/{id}");
        match server.try_ask("POST", &path, Some(&json!({"responses": []})), None) {
            Ok(answer) if answer.status == 200 => {
                done.fetch_add(1, Ordering::Relaxed);
                seen.acknowledged.push(answer.body["responseId"].as_str().unwrap().to_owned());
            }
            Ok(answer) => assert_eq!(answer.status, 404, "{answer:?}"),
            // Nothing listens any more: the service is gone, and it never took this request.
            Err(error) if Server::is_unreachable(&error) => break,
            Err(error) => {
                seen.cut_off.push(format!("{error:?}"));
                break;
            }
        }
    }
    seen
}

/// Ends the service by a signal in the middle of many writes; what the writers saw.
fn end_under_load(store: &Store, signal: &str) -> Vec<Seen> {
    let mut server = Server::at(store, NOW);
    let done = AtomicUsize::new(0);
    let seen = std::thread::scope(|scope| {
        let (server, done) = (&server, &done);
        let writers: Vec<_> =
            (0..32).map(|number| scope.spawn(move || write(server, number, done))).collect();
        until("two hundred weeks are answered", || done.load(Ordering::Relaxed) >= 200);
        server.signal(signal);
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let status = server.ended();
    assert_eq!(status.success(), signal == "TERM", "{status}");
    seen
}

fn nothing_is_lost(store: &Store, seen: &[Seen]) {
    let acknowledged: Vec<&String> =
        seen.iter().flat_map(|seen| &seen.acknowledged).filter(|id| !id.is_empty()).collect();
    assert!(acknowledged.len() >= 200);
    let held = store.responses();
    for response in acknowledged {
        assert!(held.contains(response), "{response} was acknowledged and is not there");
    }
    store.ok(&["verify"]);
}

#[test]
fn sigterm_loses_no_acknowledged_write_and_cuts_nobody_off() {
    let store = Store::imported("clean");
    let seen = end_under_load(&store, "TERM");
    let cut_off: Vec<&String> = seen.iter().flat_map(|seen| &seen.cut_off).collect();
    assert!(cut_off.is_empty(), "{cut_off:?}");
    nothing_is_lost(&store, &seen);
}

#[test]
fn sigkill_loses_no_acknowledged_write() {
    let store = Store::imported("clean");
    let seen = end_under_load(&store, "KILL");
    nothing_is_lost(&store, &seen);
}

#[test]
fn an_idle_service_ends_at_once_by_either_signal() {
    let store = Store::imported("clean");
    for signal in ["TERM", "INT"] {
        let mut server = Server::at(&store, NOW);
        server.signal(signal);
        assert!(server.ended().success(), "{signal}");
    }
}

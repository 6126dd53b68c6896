//! The end of the service. After SIGTERM every connected client has its answer; after SIGKILL every
//! acknowledged write is there.
//!
//! A connection that the operating system had made, and that the service had not accepted when it
//! closed its listening socket, is reset. Nothing of it was read, so nothing was taken: the store
//! after SIGTERM holds the acknowledged writes and no other.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use testkit::{Server, Store, documents, until};

const NOW: &str = "2026-01-15T09:30:00Z";
/// Each of them waits for the answer to one request before it sends the next.
const WRITERS: usize = 32;

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
    /// Requests that got no complete answer, and were not reset either.
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
            // Taken or not: that is told from the store.
            Err(error) if Server::is_reset(&error) => break,
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
            (0..WRITERS).map(|number| scope.spawn(move || write(server, number, done))).collect();
        until("two hundred weeks are answered", || done.load(Ordering::Relaxed) >= 200);
        server.signal(signal);
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let status = server.ended();
    assert_eq!(status.success(), signal == "TERM", "{status}");
    seen
}

/// Asserts that every acknowledged write is there. Returns the others that are there.
fn nothing_is_lost(store: &Store, before: &BTreeSet<String>, seen: &[Seen]) -> BTreeSet<String> {
    let acknowledged: BTreeSet<String> = seen
        .iter()
        .flat_map(|seen| &seen.acknowledged)
        .filter(|id| !id.is_empty())
        .cloned()
        .collect();
    // Several writers may have answered one week, and all have its one response.
    assert!(seen.iter().map(|seen| seen.acknowledged.len()).sum::<usize>() >= 200);
    let held = store.responses();
    for response in &acknowledged {
        assert!(held.contains(response), "{response} was acknowledged and is not there");
    }
    store.ok(&["verify"]);
    held.into_iter().filter(|id| !before.contains(id) && !acknowledged.contains(id)).collect()
}

#[test]
fn sigterm_loses_no_acknowledged_write_and_cuts_nobody_off() {
    let store = Store::imported("clean");
    let before = store.responses();
    let seen = end_under_load(&store, "TERM");
    let cut_off: Vec<&String> = seen.iter().flat_map(|seen| &seen.cut_off).collect();
    assert!(cut_off.is_empty(), "{cut_off:?}");
    let unanswered = nothing_is_lost(&store, &before, &seen);
    assert!(unanswered.is_empty(), "taken, and their clients were cut off: {unanswered:?}");
}

#[test]
fn sigkill_loses_no_acknowledged_write() {
    let store = Store::imported("clean");
    let before = store.responses();
    let seen = end_under_load(&store, "KILL");
    let unanswered = nothing_is_lost(&store, &before, &seen);
    assert!(unanswered.len() <= WRITERS, "{unanswered:?}");
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

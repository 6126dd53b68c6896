//! Many at the same time: on one week, on many series, and while the switch flips.

use std::collections::BTreeSet;
use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::answering::CLIENT;
use crate::server::Server;
use crate::store::{Store, fixture};

const NOW: &str = "2026-01-15T09:30:00Z";

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_answers_of_one_week_are_one_response() {
    let store = Store::imported("clean");
    let server = Arc::new(Server::at(&store, NOW));
    let mut tasks = JoinSet::new();
    for number in 0..200 {
        let server = server.clone();
        let body = json!({"responses": [], "score": number % 101});
        tasks.spawn(async move {
            server
                .post("/api/client-portal/check-in/assignment-1767420180000-f1bwya5l4_week_2", body)
                .await
        });
    }
    let answers = tasks.join_all().await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    let already = answers.iter().filter(|answer| answer.body["alreadyCompleted"] == true).count();
    assert_eq!(already, 199);
    let told: BTreeSet<String> = answers
        .iter()
        .map(|answer| format!("{} {}", answer.body["responseId"], answer.body["score"]))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
}

/// Every client of the fixture, by document id.
fn clients() -> Vec<String> {
    let clients = std::fs::read_to_string(fixture("clean").join("export/clients.json")).unwrap();
    let clients: Value = serde_json::from_str(&clients).unwrap();
    clients["documents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|client| client["_id"].as_str().unwrap().to_owned())
        .collect()
}

/// Which view a body is of: only the legacy view names the client of an entry.
fn shape(body: &Value) -> Option<&'static str> {
    let entries = body["data"]["checkins"].as_array().unwrap();
    // Entries that the legacy view reads again have no client id either, so one that has it tells.
    let has_client = entries.iter().any(|entry| entry.get("clientId").is_some());
    (!entries.is_empty()).then_some(if has_client { "legacy" } else { "precreated" })
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_switch_flips_every_answer_is_whole_and_nothing_is_lost() {
    const FLIPS: usize = 500;
    const CLIENTS: usize = 64;
    let store = Store::imported("clean");
    store.migrate();
    let server = Arc::new(Server::at(&store, NOW));
    let people = Arc::new(clients());
    let flipping = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let mut tasks = JoinSet::new();
    for number in 0..CLIENTS {
        let (server, people, flipping) = (server.clone(), people.clone(), flipping.clone());
        tasks.spawn(async move {
            let client = &people[number % people.len()];
            let (mut reads, mut acknowledged, mut round) = (0, Vec::new(), 0);
            while flipping.load(std::sync::atomic::Ordering::Relaxed) || round == 0 {
                let seen = server.check_ins(client).await;
                assert_eq!(seen.status, 200, "{seen:?}");
                if let Some(shape) = shape(&seen.body) {
                    assert_eq!(seen.view.as_deref(), Some(shape), "{seen:?}");
                }
                assert!(seen.position.is_some());
                reads += 1;
                let open = seen.body["data"]["checkins"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .find(|entry| entry["status"] == "pending")
                    .cloned();
                let path = match &open {
                    Some(entry) if round % 2 == 0 => {
                        format!("/api/client-portal/check-in/{}", entry["id"].as_str().unwrap())
                    }
                    _ => "/api/client-portal/check-in/assignment-1767420180000-f1bwya5l4_week_2"
                        .to_owned(),
                };
                let key = format!("{number}-{round}");
                let answer = server
                    .send(
                        Method::POST,
                        &path,
                        Some(json!({"responses": [], "score": round % 101})),
                        Some(&key),
                    )
                    .await
                    .unwrap();
                assert_eq!(answer.status, 200, "{answer:?}");
                acknowledged.push(answer.body["responseId"].as_str().unwrap().to_owned());
                round += 1;
            }
            (reads, acknowledged)
        });
    }
    for flip in 0..FLIPS {
        let view = if flip % 2 == 0 { "precreated" } else { "legacy" };
        let body = json!({"view": view, "reason": "flip", "force": true});
        let flipped = server.send(Method::PUT, "/v1/switch", Some(body), None).await.unwrap();
        assert_eq!(flipped.status, 200, "{flipped:?}");
        // The very next request sees it.
        let seen = server.check_ins(CLIENT).await;
        assert_eq!(seen.view.as_deref(), Some(view));
        assert!(seen.position >= flipped.position);
    }
    flipping.store(false, std::sync::atomic::Ordering::Relaxed);
    let mut all = BTreeSet::new();
    for (reads, acknowledged) in tasks.join_all().await {
        assert!(reads > 0);
        all.extend(acknowledged);
    }
    all.remove("");
    let server = Arc::into_inner(server).unwrap();
    server.signal("TERM");
    assert!(server.ended().success());
    assert_eq!(
        all.difference(&store.responses()).next(),
        None,
        "an acknowledged response that is not there"
    );
    let switched = store.ok(&["history", "control", "--json"]);
    assert_eq!(switched.lines().filter(|line| line.contains("ViewSwitched")).count(), FLIPS);
    store.ok(&["verify"]);
}

//! Decoding of stored events: reads a log of 50 commits with 500 events each.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rollbook_domain::event::{Origin, Terms};
use rollbook_domain::{Actor, Event, NewEvent, StreamId, Timestamp};
use rollbook_log::{Commit, Durability, Log, OpenOptions};
use uuid::Uuid;

const COMMITS: u32 = 50;
const EVENTS: u32 = 500;

/// The creation of a week, the most frequent event of a migrated store.
fn created(stream: &StreamId, week: u32) -> NewEvent {
    let terms = Terms {
        stored_client: "client-1".to_owned(),
        coach: "coach-1".to_owned(),
        title: "Weekly check-in".to_owned(),
        description: "How was the week?".to_owned(),
        assigned_by: Some("coach-1".to_owned()),
        assigned_at: Some(Timestamp::EPOCH),
        window: None,
        recurring: true,
        total_weeks: EVENTS,
    };
    let event = Event::AssignmentCreated {
        assignment: Uuid::from_u128(u128::from(week)),
        run: 1,
        week,
        due: Timestamp::EPOCH,
        origin: Origin::Migration,
        terms: terms.into(),
    };
    NewEvent { stream: stream.clone(), id: None, occurred_at: Timestamp::EPOCH, event }
}

fn decode(criterion: &mut Criterion) {
    let home = tempfile::tempdir().unwrap();
    let options =
        OpenOptions { create: true, durability: Durability::Buffered, ..OpenOptions::default() };
    let log = Log::open(&home.path().join("store"), options).unwrap();
    for commit in 0..COMMITS {
        let stream = StreamId::series(&format!("client-{commit}"), "form-1");
        log.append(Commit {
            events: (1..=EVENTS).map(|week| created(&stream, week)).collect(),
            expected: Vec::new(),
            actor: Actor::Migration("ab".repeat(32)),
            cause: "ab".repeat(32),
            key: None,
        })
        .unwrap();
    }
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(u64::from(COMMITS * EVENTS)));
    group.bench_function("assignment_created", |bencher| {
        bencher.iter(|| log.commits_after(0).map(|commit| commit.unwrap().len()).sum::<usize>());
    });
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);

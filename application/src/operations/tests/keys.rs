//! Tests of repeated requests with the same idempotency key, including keys that release 0.1.0
//! wrote.

use std::sync::Barrier;
use std::sync::atomic::{AtomicI64, Ordering};

use rollbook_domain::event::{Audience, CheckOutcome, View};
use rollbook_domain::{Event, StreamId};
use rollbook_log::{AppendError, IdempotencyKey};

use super::{Sample, allocation, now, request, sample, switch_to};
use crate::code::{Code, Coded};
use crate::operations::{OperationError, allocate, migration, switch};
use crate::store::request_samples as samples;
use crate::store::{CallerKey, KeyedRequest, Outcome, SeriesCommand, StoreError};

/// Writes the entry of a key as release 0.1.0 did: with the legacy digest.
fn wrote(sample: &Sample, key: &str, keyed: KeyedRequest<'_>, stream: StreamId, event: Event) {
    let key = format!("request/{key}");
    sample.append(stream, event, Some(IdempotencyKey { key, request: keyed.legacy_digest() }));
}

fn is_reused(error: &StoreError) -> bool {
    matches!(error, StoreError::Append(AppendError::KeyReused { .. }))
}

#[test]
fn commands_under_keys_of_release_0_1_0_are_repeated_and_other_requests_refused() {
    let sample = sample();
    let event = || Event::SeriesResumed { run: 1, restored: Vec::new() };
    let commands: Vec<_> = samples::commands()
        .into_iter()
        .map(|(stream, command)| (stream.parse::<StreamId>().unwrap(), command))
        .collect();
    for (number, (stream, command)) in commands.iter().enumerate() {
        let keyed = KeyedRequest::Command(stream, command);
        wrote(&sample, &format!("k{number}"), keyed, stream.clone(), event());
    }
    let head = sample.store.log().head();
    for (number, (stream, command)) in commands.iter().enumerate() {
        let request = request(Some(&format!("k{number}")));
        let outcome = sample.store.command(stream, command, &request).unwrap();
        assert!(outcome.is_repeated(), "{command:?}");
        assert_eq!(outcome.events().len(), 1);
        assert_eq!(outcome.events()[0].event, event());
        let other = SeriesCommand::Pause { weeks: 51 };
        let refused = sample.store.command(stream, &other, &request).unwrap_err();
        assert!(is_reused(&refused), "{refused}");
        let message = refused.to_string();
        assert!(!message.contains("request/"), "{message}");
    }
    assert_eq!(sample.store.log().head(), head, "nothing was written");
}

#[test]
fn a_switch_under_a_key_of_release_0_1_0_is_repeated() {
    let sample = sample();
    let (view, audience) = (View::Precreated, Audience::Percent(10));
    let keyed =
        KeyedRequest::Switch { view, audience: &audience, reason: samples::AWKWARD, force: true };
    let event = Event::ViewSwitched {
        view,
        audience: audience.clone(),
        reason: samples::AWKWARD.to_owned(),
        forced: true,
    };
    wrote(&sample, "s", keyed, StreamId::Control, event);
    let head = sample.store.log().head();
    let reading = sample.store.reading();
    let again = |percent| {
        let wanted = switch_to(view, &Audience::Percent(percent), samples::AWKWARD, true);
        switch::switch(&reading, &wanted, &request(Some("s")))
    };
    let switched = again(10).unwrap();
    assert!(switched.repeated && switched.forced);
    assert_eq!((switched.before.other_percent, switched.after.other_percent), (0, 10));
    assert!(is_reused(&again(11).unwrap_err()));
    assert_eq!(sample.store.log().head(), head);
}

#[test]
fn validating_and_applying_under_a_key_of_release_0_1_0_is_repeated() {
    let sample = sample();
    let checks = vec![CheckOutcome { name: "one".into(), green: true, detail: "seen".into() }];
    let event = Event::ValidationRecorded { digest: "d".to_owned(), at: 3, checks };
    wrote(&sample, "v", KeyedRequest::Validate(7), StreamId::Control, event.clone());
    wrote(&sample, "a", KeyedRequest::Apply("abc"), StreamId::Control, event);
    let head = sample.store.log().head();
    let watch =
        rollbook_migrations::monitor::Monitor { progress: &|_, _| {}, interrupted: &|| false };
    let validate = |grace| migration::validate(&sample.store, grace, &request(Some("v")), &watch);
    let (report, repeated) = validate(7).unwrap();
    assert!(repeated && report.all_green);
    assert_eq!(report.validation.at, 3);
    let OperationError::Store(refused) = validate(8).unwrap_err() else { panic!() };
    assert!(is_reused(&refused));
    let bind = |digest| sample.store.bind_key(&request(Some("a")), KeyedRequest::Apply(digest));
    assert!(bind("abc").unwrap().unwrap().committed.is_some());
    assert_eq!(bind("abd").err().unwrap().code(), Code::KeyReused);
    assert_eq!(sample.store.log().head(), head);
}

#[test]
fn an_allocation_is_the_same_again_on_a_later_day() {
    let sample = sample();
    let first = request(Some("k"));
    let later =
        crate::store::Request { now: "2026-02-20T10:00:00Z".parse().unwrap(), ..first.clone() };
    let wanted = allocation("robin");
    let allocated = allocate(&sample.store.reading(), &wanted, &first).unwrap();
    let again = allocate(&sample.store.reading(), &wanted, &later).unwrap();
    assert!(!allocated.outcome.is_repeated() && again.outcome.is_repeated());
    assert_eq!(again.outcome.events(), allocated.outcome.events());
    let other = crate::operations::AllocationRequest { weeks: 5, ..wanted };
    let refused = allocate(&sample.store.reading(), &other, &later).unwrap_err();
    assert!(is_reused(&refused), "{refused}");
}

/// Sends the same request from many threads at once.
fn at_once<T: Send>(send: impl Fn() -> T + Sync) -> Vec<T> {
    const SENDERS: usize = 24;
    let barrier = Barrier::new(SENDERS);
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    send()
                })
            })
            .collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    })
}

/// Requires that one of the outcomes wrote the events, and all others repeat it.
fn assert_written_once(outcomes: &[Outcome]) {
    let written = outcomes.iter().filter(|outcome| !outcome.is_repeated());
    assert_eq!(written.count(), 1);
    assert!(outcomes.iter().all(|outcome| outcome.events() == outcomes[0].events()));
    assert!(!outcomes[0].events().is_empty());
}

#[test]
fn the_same_request_many_times_at_once_is_written_once_and_repeated() {
    let sample = sample();
    for round in 0..10 {
        // Each request has its own time: the first one that is written counts.
        let clock = AtomicI64::new(0);
        let request = |name: &str| {
            let key = format!("{name}{round}");
            let now = now().plus_milliseconds(clock.fetch_add(1, Ordering::Relaxed));
            crate::store::Request { now, ..request(Some(&key)) }
        };
        let wanted = allocation("robin");
        let allocated = at_once(|| {
            allocate(&sample.store.reading(), &wanted, &request("allocate")).unwrap().outcome
        });
        assert_written_once(&allocated);
        let stream = StreamId::series("ada", "habits");
        let withdraw = SeriesCommand::Withdraw { keep_answered: false, reason: "left".to_owned() };
        let commands = [SeriesCommand::Pause { weeks: 2 }, SeriesCommand::Resume, withdraw];
        for (number, command) in commands.iter().enumerate() {
            let name = format!("command{number}-");
            let request = request(&name);
            assert_written_once(&at_once(|| {
                sample.store.command(&stream, command, &request).unwrap()
            }));
        }
        let wanted = switch_to(View::Legacy, &Audience::Percent(round), "tried many times", true);
        let switched = at_once(|| {
            switch::switch(&sample.store.reading(), &wanted, &request("switch")).unwrap()
        });
        assert_eq!(switched.iter().filter(|switched| !switched.repeated).count(), 1);
    }
}

#[test]
fn keys_of_different_callers_are_different_keys() {
    let sample = sample();
    let stream = StreamId::series("ada", "habits");
    sample.allocated();
    let keys = [
        CallerKey::of_caller("client:a/b", "c"),
        CallerKey::of_caller("client:a", "b/c"),
        CallerKey::of_command_line("client:a/b/c"),
        CallerKey::of_command_line("2/8/client:a/b/c"),
        CallerKey::of_command_line("c"),
    ];
    for (number, key) in keys.iter().enumerate() {
        let command = SeriesCommand::Pause { weeks: 1 + number as u32 };
        let request = crate::store::Request { key: Some(key.clone()), ..request(None) };
        let outcome = sample.store.command(&stream, &command, &request);
        assert!(!outcome.unwrap().is_repeated(), "{key:?}");
        let again = sample.store.command(&stream, &command, &request);
        assert!(again.unwrap().is_repeated(), "{key:?}");
    }
}

/// Release 0.1.0 joined caller and key with a slash.
#[test]
fn a_callers_key_of_release_0_1_0_is_repeated() {
    let sample = sample();
    let stream = StreamId::series("ada", "habits");
    let command = SeriesCommand::Pause { weeks: 2 };
    let event = Event::SeriesResumed { run: 1, restored: Vec::new() };
    let keyed = KeyedRequest::Command(&stream, &command);
    wrote(&sample, "coach:robin/k", keyed, stream.clone(), event);
    let key = Some(CallerKey::of_caller("coach:robin", "k"));
    let request = crate::store::Request { key, ..request(None) };
    assert!(sample.store.command(&stream, &command, &request).unwrap().is_repeated());
    let other = SeriesCommand::Pause { weeks: 3 };
    assert!(is_reused(&sample.store.command(&stream, &other, &request).unwrap_err()));
}

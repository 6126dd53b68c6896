//! Cached answers equal fresh ones, after random commands, an import and switches on an imported
//! store, for every kind of request at random times.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use rollbook_application::operations::switch::{SwitchRequest, switch};
use rollbook_application::store::{Request, SeriesCommand, Store, ViewChoice};
use rollbook_domain::event::{AssignedStatus, MissedReason, Terms, View};
use rollbook_domain::series::decide::{Allocation, Correction};
use rollbook_domain::{
    Actor, Collection, Document, Event, JsonText, NewEvent, Personal, StreamId, Timestamp,
};
use rollbook_log::Commit;
use rollbook_migrations::export_reader::{ExportSource, JsonDirectory};
use rollbook_migrations::import::{ImportedState, plan_import};
use rollbook_projections::entry::ListParameters;
use rollbook_service::view_cache::ViewCache;

const DAY: i64 = 24 * 60 * 60 * 1000;
/// The fixtures' weeks are due from here on.
const FIRST: &str = "2026-01-01T09:00:00Z";

#[derive(Clone, Debug)]
enum Step {
    Respond { series: usize, week: u32 },
    Miss { series: usize, week: u32 },
    Correct { series: usize, week: u32, days: i64 },
    Note { series: usize, week: u32 },
    Extend { series: usize, week: u32 },
    Pause { series: usize, weeks: u32 },
    Resume { series: usize },
    Withdraw { series: usize, week: u32 },
    Allocate { series: usize },
    Feedback { series: usize, week: u32 },
    NameCoach { name: u8 },
    ChangeClient { client: usize, onboarded: bool },
    Switch { view: View, whom: Option<u8> },
    Ask,
}

fn step() -> impl Strategy<Value = Step> {
    let (series, week) = (0_usize..200, 1_u32..12);
    let both = || (series.clone(), week.clone());
    prop_oneof![
        4 => both().prop_map(|(series, week)| Step::Respond { series, week }),
        1 => both().prop_map(|(series, week)| Step::Miss { series, week }),
        2 => (series.clone(), week.clone(), 0_i64..90).prop_map(|(series, week, days)| Step::Correct { series, week, days }),
        1 => both().prop_map(|(series, week)| Step::Note { series, week }),
        1 => both().prop_map(|(series, week)| Step::Extend { series, week }),
        1 => (series.clone(), 1_u32..4).prop_map(|(series, weeks)| Step::Pause { series, weeks }),
        1 => series.clone().prop_map(|series| Step::Resume { series }),
        1 => both().prop_map(|(series, week)| Step::Withdraw { series, week }),
        1 => series.clone().prop_map(|series| Step::Allocate { series }),
        1 => both().prop_map(|(series, week)| Step::Feedback { series, week }),
        1 => any::<u8>().prop_map(|name| Step::NameCoach { name }),
        1 => (0_usize..60, any::<bool>()).prop_map(|(client, onboarded)| Step::ChangeClient { client, onboarded }),
        2 => (prop_oneof![Just(View::Legacy), Just(View::Precreated)], proptest::option::of(0_u8..=100)).prop_map(|(view, whom)| Step::Switch { view, whom }),
        6 => Just(Step::Ask),
    ]
}

fn append(store: &Store, events: Vec<NewEvent>, cause: &str) {
    let commit = Commit {
        events,
        expected: Vec::new(),
        actor: Actor::Migration(cause.to_owned()),
        cause: cause.to_owned(),
        key: None,
    };
    store.log().append(commit).unwrap();
}

struct World {
    _directory: tempfile::TempDir,
    store: Store,
    series: Vec<StreamId>,
    /// Every id that clients are asked for by, with the document's.
    clients: Vec<(String, String, JsonText)>,
    coach: String,
}

impl World {
    fn of(fixture: &str, zone: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("store"), true).unwrap();
        let export = testkit::fixture(fixture).join("export");
        let plan =
            plan_import(JsonDirectory::new(export).read().unwrap(), &ImportedState::default());
        let events: Vec<NewEvent> =
            plan.events.iter().cloned().chain(plan.completed(zone)).collect();
        let documents = events.iter().filter_map(|event| match &event.event {
            Event::DocumentImported(document) => Some(document.clone()),
            _ => None,
        });
        let (mut clients, mut coach) = (Vec::new(), String::new());
        for document in documents {
            let body = document.body.expose().unwrap().clone();
            match document.collection {
                Collection::Clients => {
                    let fields: BTreeMap<String, serde_json::Value> = body.read().unwrap();
                    let auth_uid =
                        fields.get("authUid").and_then(|uid| uid.as_str()).map(str::to_owned);
                    clients.extend(
                        auth_uid
                            .filter(|uid| !uid.is_empty() && *uid != document.id)
                            .map(|uid| (uid, document.id.clone(), body.clone())),
                    );
                    clients.push((document.id.clone(), document.id, body));
                }
                Collection::Coaches => coach = document.id,
                _ => {}
            }
        }
        append(&store, events, &plan.digest);
        let series = store.log().streams_with_prefix("series/").unwrap();
        Self { _directory: directory, store, series, clients, coach }
    }

    fn take(&self, step: &Step, now: Timestamp) {
        let request = Request { actor: Actor::Admin("test".into()), now, key: None, cause: None };
        let stream = |series: &usize| &self.series[series % self.series.len()];
        let run = 1;
        let (stream, command) = match *step {
            Step::Respond { ref series, week } => {
                let answers = JsonText::parse(r#"[{"score":5,"weight":2}]"#).unwrap();
                (stream(series), SeriesCommand::Respond { run, week, answers, score: None })
            }
            Step::Miss { ref series, week } => (
                stream(series),
                SeriesCommand::Miss { run, week, reason: MissedReason::Sick, comment: None },
            ),
            Step::Correct { ref series, week, days } => {
                let due = FIRST.parse::<Timestamp>().unwrap().plus_milliseconds(days * DAY);
                let correction = Correction {
                    due: Some(due),
                    status: (days % 3 == 0).then_some(AssignedStatus::Missed),
                    note: None,
                };
                (stream(series), SeriesCommand::Correct { run, week, correction })
            }
            Step::Note { ref series, week } => {
                let correction = Correction { note: Some("call".into()), ..Correction::default() };
                (stream(series), SeriesCommand::Correct { run, week, correction })
            }
            Step::Extend { ref series, week } => (
                stream(series),
                SeriesCommand::Extend { run, week, reason: "a good enough reason".into() },
            ),
            Step::Pause { ref series, weeks } => (stream(series), SeriesCommand::Pause { weeks }),
            Step::Resume { ref series } => (stream(series), SeriesCommand::Resume),
            Step::Withdraw { ref series, week } => (
                stream(series),
                SeriesCommand::WithdrawWeek {
                    run,
                    week,
                    assignment: None,
                    reason: "by mistake".into(),
                },
            ),
            Step::Allocate { ref series } => (stream(series), self.allocation(stream(series), now)),
            Step::Feedback { ref series, week } => {
                let folded = self.store.fold_series(stream(series)).unwrap();
                let response = folded
                    .series
                    .items
                    .week(run, week)
                    .and_then(|item| item.stored.response_id())
                    .unwrap_or("none")
                    .to_owned();
                (
                    stream(series),
                    SeriesCommand::Feedback {
                        response,
                        coach: self.coach.clone(),
                        text: "well done".into(),
                    },
                )
            }
            Step::NameCoach { name } => {
                let body = format!(r#"{{"profile":{{"firstName":"N{name}","lastName":"Doe"}}}}"#);
                return self.change(
                    Collection::Coaches,
                    StreamId::Coach(self.coach.clone()),
                    &self.coach,
                    &body,
                );
            }
            Step::ChangeClient { client, onboarded } => {
                let (_, id, body) = &self.clients[client % self.clients.len()];
                let mut fields: serde_json::Map<String, serde_json::Value> = body.read().unwrap();
                fields.insert("canStartCheckIns".into(), onboarded.into());
                fields.insert(
                    "onboardingStatus".into(),
                    if onboarded { "completed" } else { "started" }.into(),
                );
                return self.change(
                    Collection::Clients,
                    StreamId::Client(id.clone()),
                    id,
                    &serde_json::Value::Object(fields).to_string(),
                );
            }
            Step::Switch { view, whom } => {
                let wanted = SwitchRequest {
                    view,
                    percent: whom,
                    clients: Vec::new(),
                    reason: "a test".to_owned(),
                    force: true,
                };
                switch(&self.store.reading(), &wanted, &request).unwrap();
                return;
            }
            Step::Ask => return,
        };
        // What is refused changes nothing, which is part of the game.
        let _refused = self.store.command(stream, &command, &request);
    }

    fn allocation(&self, stream: &StreamId, now: Timestamp) -> SeriesCommand {
        let StreamId::Series { client, .. } = stream else { unreachable!() };
        let terms = Terms {
            stored_client: client.clone(),
            coach: self.coach.clone(),
            title: "New".into(),
            description: String::new(),
            assigned_by: Some(self.coach.clone()),
            assigned_at: Some(now),
            window: None,
            recurring: true,
            total_weeks: 3,
        };
        SeriesCommand::Allocate(Allocation { terms, first_due: now, status: None, extend: true })
    }

    fn change(&self, collection: Collection, stream: StreamId, id: &str, body: &str) {
        let body = Personal::new(JsonText::parse(body).unwrap());
        let event = Event::DocumentChanged(Document::new(collection, id.to_owned(), 0, body));
        append(
            &self.store,
            vec![NewEvent { stream, id: None, occurred_at: Timestamp::EPOCH, event }],
            "changed",
        );
    }

    /// Every kept or new answer for a client equals one that is made again.
    fn compare(
        &self,
        answers: &ViewCache,
        overdue_after_milliseconds: i64,
        client: &str,
        now: Timestamp,
    ) {
        for asking in
            [ViewChoice::Live, ViewChoice::View(View::Legacy), ViewChoice::View(View::Precreated)]
        {
            let fresh = self
                .store
                .check_ins(asking, client, ListParameters { now, overdue_after_milliseconds }, None)
                .unwrap();
            if let Some(kept) = answers.cached(&self.store, asking, client, now) {
                assert_eq!(
                    (kept.view, kept.position),
                    (fresh.view, fresh.position),
                    "kept, {client} at {now}"
                );
                assert_eq!(kept.body, fresh.body.as_bytes(), "kept, {client} at {now}");
            }
            let given = answers.answer(&self.store, asking, client, now).unwrap();
            assert_eq!(
                (given.view, given.position),
                (fresh.view, fresh.position),
                "{client} at {now}"
            );
            assert_eq!(given.body, fresh.body.as_bytes(), "{client} at {now}");
        }
    }
}

fn law(
    fixture: &str,
    zone: &str,
    steps: &[(Step, usize, i64)],
    overdue_after_milliseconds: i64,
    budget_bytes: usize,
) {
    let world = World::of(fixture, zone);
    let answers = ViewCache::new(overdue_after_milliseconds).with_budget(budget_bytes);
    let first: Timestamp = FIRST.parse().unwrap();
    for (step, client, minutes) in steps {
        let now = first.plus_milliseconds(minutes * 60_000);
        world.take(step, now);
        // The same client again and again, so that something is kept; at this time, just after it,
        // and whenever.
        for number in [*client, 0, 1] {
            let (id, _, _) = &world.clients[number % world.clients.len()];
            for at in [now, now.plus_milliseconds(1), now.plus_milliseconds(DAY / 2)] {
                world.compare(&answers, overdue_after_milliseconds, id, at);
            }
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<(Step, usize, i64)>> {
    // Ninety days, often near full hours, where windows open and weeks fall due.
    let minutes = prop_oneof![0_i64..90 * 24 * 60, (0_i64..90 * 24).prop_map(|hours| hours * 60)];
    proptest::collection::vec((step(), 0_usize..60, minutes), 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_kept_answer_is_the_answer(steps in steps(), overdue in prop_oneof![Just(0), Just(3 * DAY)]) {
        law("clean", "UTC", &steps, overdue, 1 << 20);
    }

    #[test]
    fn a_kept_answer_is_the_answer_in_dirt_and_across_clock_changes(steps in steps(), budget in prop_oneof![Just(40_000), Just(1 << 20)]) {
        law("dirty-london", "Europe/London", &steps, 3 * DAY, budget);
    }
}

#[test]
fn a_kept_answer_ends_with_the_pause_of_a_week_that_is_not_stored() {
    let steps = [
        (Step::Pause { series: 18, weeks: 3 }, 0, 84_121),
        (Step::Respond { series: 0, week: 1 }, 19, 113_700),
    ];
    law("clean", "UTC", &steps, 0, 1 << 20);
}

#[test]
fn answers_are_kept_at_all() {
    let world = World::of("clean", "UTC");
    let answers = ViewCache::new(3 * DAY);
    let now = FIRST.parse::<Timestamp>().unwrap().plus_milliseconds(10 * DAY);
    let mut kept = 0;
    for (client, _, _) in &world.clients {
        assert_eq!(answers.cached(&world.store, ViewChoice::Live, client, now), None);
        answers.answer(&world.store, ViewChoice::Live, client, now).unwrap();
        kept += usize::from(
            answers
                .cached(&world.store, ViewChoice::Live, client, now.plus_milliseconds(1))
                .is_some(),
        );
    }
    assert_eq!(kept, world.clients.len(), "every client of a clean store");
    // An event of one client leaves the others' answers where they are.
    world.take(&Step::Respond { series: 0, week: 2 }, now);
    let is_cached =
        |client: &str| answers.cached(&world.store, ViewChoice::Live, client, now).is_some();
    let client = &world.clients[0].0;
    assert!(!is_cached(client), "nothing is given while the cache is behind the head");
    answers.advance(&world.store).unwrap();
    let still = world.clients.iter().filter(|(client, _, _)| is_cached(client));
    let StreamId::Series { client, .. } = &world.series[0] else { unreachable!() };
    let of_client = world.clients.iter().filter(|(_, document, _)| document == client).count();
    assert_eq!(still.count(), world.clients.len() - of_client);
}

#[test]
fn after_a_switch_those_who_asked_lately_find_their_answers_made() {
    let world = World::of("clean", "UTC");
    let answers = ViewCache::new(3 * DAY);
    let now = FIRST.parse::<Timestamp>().unwrap().plus_milliseconds(10 * DAY);
    let asked = &world.clients[..20];
    for (client, _, _) in asked {
        answers.answer(&world.store, ViewChoice::Live, client, now).unwrap();
    }
    world.take(&Step::Switch { view: View::Precreated, whom: None }, now);
    let made = || {
        let kept = asked.iter().filter_map(|(client, _, _)| {
            answers.cached(&world.store, ViewChoice::Live, client, now)
        });
        kept.inspect(|kept| {
            assert_eq!((kept.view, kept.position), (View::Precreated, world.store.log().head()))
        })
        .count()
    };
    assert_eq!(made(), 0);
    answers.prepare(&world.store, now, Duration::ZERO).unwrap();
    assert_eq!(made(), 0, "no time, no answers");
    answers.prepare(&world.store, now, Duration::from_secs(60)).unwrap();
    assert_eq!(made(), asked.len());
}

/// One thread writes, one does the folding task's part, two read. What a reader is given is what
/// the log gives at the position that the answer names, and no older than the request.
#[test]
fn while_others_write_every_answer_is_right_at_its_position_and_none_is_older_than_the_request() {
    let world = World::of("clean", "UTC");
    let cache = ViewCache::new(3 * DAY);
    let now = FIRST.parse::<Timestamp>().unwrap().plus_milliseconds(10 * DAY);
    let asked = ListParameters { now, overdue_after_milliseconds: 3 * DAY };
    let is_over = AtomicBool::new(false);
    let write = |round: usize| {
        let view = if round.is_multiple_of(2) { View::Precreated } else { View::Legacy };
        world.take(&Step::Note { series: round, week: 2 }, now);
        world.take(&Step::Respond { series: round, week: 2 }, now);
        world.take(&Step::Switch { view, whom: Some(50) }, now);
    };
    let read = |first: usize| {
        let (mut from_cache, mut answers) = (0, Vec::new());
        let mut number = first;
        while !is_over.load(Ordering::Acquire) {
            number += 1;
            let (client, _, _) = &world.clients[number % 4];
            let head = world.store.log().head();
            let cached = cache.cached(&world.store, ViewChoice::Live, client, now);
            from_cache += usize::from(cached.is_some());
            let given = match cached {
                Some(cached) => cached,
                None => cache.answer(&world.store, ViewChoice::Live, client, now).unwrap(),
            };
            assert!(given.position >= head, "{} is older than {head}", given.position);
            if number.is_multiple_of(8) {
                answers.push((client, given));
            }
        }
        for (client, given) in answers.iter().rev().take(50) {
            let position = Some(given.position);
            let then = world.store.check_ins(ViewChoice::Live, client, asked, position).unwrap();
            assert_eq!(given.view, then.view, "{client} at {}", given.position);
            assert_eq!(given.body, then.body.as_bytes(), "{client} at {}", given.position);
        }
        from_cache
    };
    let from_cache = std::thread::scope(|scope| {
        let readers = [scope.spawn(|| read(0)), scope.spawn(|| read(1))];
        let advancing = scope.spawn(|| {
            while !is_over.load(Ordering::Acquire) {
                cache.advance(&world.store).unwrap();
            }
        });
        (0..40).for_each(write);
        is_over.store(true, Ordering::Release);
        advancing.join().unwrap();
        readers.map(|reader| reader.join().unwrap())
    });
    assert!(from_cache.iter().sum::<usize>() > 0, "{from_cache:?}");
}

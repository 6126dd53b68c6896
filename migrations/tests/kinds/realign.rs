//! The kind `realign` and its inverse.

use std::cell::Cell;
use std::collections::BTreeMap;

use rollbook_domain::event::View;
use rollbook_domain::{Actor, Collection, Document, Event, JsonText, NewEvent, Personal, StreamId};
use rollbook_log::Commit;
use rollbook_migrations::MigrationError;
use rollbook_migrations::apply::LeftOut;
use rollbook_migrations::batch::Batch;
use rollbook_migrations::definition::{Definition, Obstacle};
use rollbook_migrations::monitor::Monitor;
use rollbook_migrations::plan::Plan;
use rollbook_migrations::realign::Realign;
use rollbook_migrations::rules::{DueRule, Options, Realignment, Weekday};

use super::{CLIENTS, NOW, World, at, inverse, stream};

fn realign(weekday: Weekday, clients: &[&str]) -> Options {
    Options::Realign(Realignment {
        weekday,
        time: None,
        clients: clients.iter().map(|client| (*client).to_owned()).collect(),
        at: at(NOW),
    })
}

/// The dues of the pre-created weeks after their realignment to Mondays: weeks 1 and 2 are over.
const MONDAYS: [(u64, &str); 6] =
    [(1, "01-07"), (2, "01-14"), (3, "01-19"), (4, "01-26"), (5, "02-02"), (6, "02-09")];

#[test]
fn open_weeks_that_are_still_to_come_move_to_the_day_in_both_views() {
    let world = World::migrated();
    world.assert_green();
    let (planned, applied) = world.carry_out(realign(Weekday::Monday, &[]));
    assert_eq!((planned.header.counts.series, planned.header.counts.changed), (2, 8));
    assert_eq!((applied.changed, applied.skipped), (8, 0));
    for client in CLIENTS {
        let dues = world.dues(View::Precreated, client);
        let expected = MONDAYS.map(|(week, day)| (week, format!("2026-{day}")));
        assert_eq!(dues, BTreeMap::from(expected));
        // The legacy view still generates week 2 on its Monday.
        let mut expected = dues.clone();
        expected.insert(2, "2026-01-12".to_owned());
        assert_eq!(world.dues(View::Legacy, client), expected);
    }
    world.assert_green();
    let legacy = world.check("legacy-view-unchanged").detail;
    assert!(legacy.contains("except for the 8 weeks that the batch changes"), "{legacy}");
    let again = world.plan(realign(Weekday::Monday, &[])).unwrap_err();
    assert!(matches!(again, MigrationError::NothingToMigrate { obstacles: 0 }), "{again}");
    let head = world.store.log().head();
    let again = world.apply(&planned.file).unwrap();
    assert_eq!((again.changed, again.left_out.already), (0, 8));
    assert_eq!(world.store.log().head(), head, "applying again appends nothing");
}

#[test]
fn only_the_named_clients_move() {
    let world = World::migrated();
    world.carry_out(realign(Weekday::Friday, &["c2"]));
    assert_eq!(world.dues(View::Precreated, "c1")[&3], "2026-01-21");
    assert_eq!(world.dues(View::Precreated, "c2")[&3], "2026-01-23");
    world.assert_green();
}

#[test]
fn weeks_that_are_not_stored_yet_move_as_well_and_stay_moved_when_they_are_stored() {
    let world = World::new();
    let (planned, _) = world.carry_out(realign(Weekday::Thursday, &[]));
    assert_eq!(planned.header.counts.changed, 8, "weeks 3 to 6 of both clients");
    assert_eq!(world.dues(View::Legacy, "c1")[&4], "2026-01-29");
    world.carry_out(DueRule::Monday);
    let thursdays =
        [(1, "01-07"), (2, "01-12"), (3, "01-22"), (4, "01-29"), (5, "02-05"), (6, "02-12")];
    CLIENTS.iter().for_each(|client| world.assert_dues(client, thursdays));
    world.assert_green();
}

#[test]
fn the_same_file_gives_two_stores_the_same_events_and_so_does_an_interrupted_run() {
    let [planned_on, other, interrupted] = std::array::from_fn(|_| World::migrated());
    let Plan { file, header, .. } = planned_on.plan(realign(Weekday::Monday, &[])).unwrap();
    let same = other.plan(realign(Weekday::Monday, &[])).unwrap();
    assert_eq!(same.header.digest, header.digest);
    assert_eq!(std::fs::read(&same.file).unwrap(), std::fs::read(&file).unwrap());
    for world in [&planned_on, &other] {
        assert_eq!(world.apply(&file).unwrap().digest, header.digest);
    }
    let stops = std::sync::atomic::AtomicU32::new(0);
    let stop = || stops.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 1;
    let monitor = Monitor { progress: &|_, _| {}, interrupted: &stop };
    let stopped = interrupted.apply_watched(&file, &monitor).unwrap_err();
    assert!(matches!(stopped, MigrationError::Interrupted), "{stopped}");
    let resumed = interrupted.apply(&file).unwrap();
    assert_eq!(resumed.changed + resumed.left_out.already, 8, "{resumed:?}");
    assert_eq!(other.series_events(), planned_on.series_events());
    assert_eq!(interrupted.series_events(), planned_on.series_events());
    let batch = Batch::open(&file).unwrap();
    let definition = Realign {
        options: match realign(Weekday::Monday, &[]) {
            Options::Realign(options) => options,
            other => panic!("{other:?}"),
        },
        zone: rollbook_domain::calendar::Zone::UTC,
    };
    let seen = Cell::new(0);
    batch
        .each_event(&mut |event| {
            let client = event.stream.client().unwrap().to_owned();
            let (before, after) = (World::migrated().series(&client), other.series(&client));
            assert!(!definition.is_present(&before, &event.event));
            assert!(definition.is_present(&after, &event.event));
            seen.set(seen.get() + 1);
            Ok(())
        })
        .unwrap();
    assert_eq!(seen.get(), 8);
}

#[test]
fn a_week_that_a_coach_moved_after_the_plan_is_drift_and_is_told_by_series() {
    let world = World::migrated();
    let planned = world.plan(realign(Weekday::Monday, &[])).unwrap();
    world.move_week("c2", 5, "2026-02-05T09:00:00Z");
    let head = world.store.log().head();
    let refused = world.apply(&planned.file).unwrap_err();
    let MigrationError::Drift { series, total: 1 } = &refused else { panic!("{refused}") };
    assert_eq!(series, &["series/c2/f: week 5 of run 1 changed after the plan"]);
    assert_eq!(world.store.log().head(), head, "nothing was appended");
    let (_, applied) = world.carry_out(realign(Weekday::Monday, &[]));
    assert_eq!(applied.changed, 8);
    world.assert_green();
}

#[test]
fn weeks_that_are_no_longer_open_are_left_out_by_reason() {
    let world = World::migrated();
    let planned = world.plan(realign(Weekday::Monday, &[])).unwrap();
    world.answer_week("c1", 3);
    world.command("c1", |decider| decider.withdraw_week(1, 4, "holiday".to_owned()).unwrap());
    world.move_week("c2", 3, "2026-01-19T09:00:00Z");
    let applied = world.apply(&planned.file).unwrap();
    let left_out = LeftOut { taken: 2, withdrawn: 1, ..LeftOut::default() };
    assert_eq!((applied.changed, applied.left_out), (5, left_out));
    world.assert_green();
    let status = world.store.log().stream(&StreamId::Control, 0).unwrap();
    let recorded = |event: &Event| {
        matches!(event, Event::WeeksChanged { series: 2, changed: 5, skipped: 3, .. })
    };
    assert!(status.iter().any(|one| recorded(&one.event)), "{status:?}");
}

#[test]
fn weeks_that_must_keep_their_due_dates_are_told() {
    let world = World::migrated();
    world.command("c1", |decider| decider.pause(2).unwrap());
    let monday = Realignment {
        weekday: Weekday::Monday,
        time: None,
        clients: CLIENTS.map(str::to_owned).into(),
        at: at("2026-01-20T12:00:00Z"),
    };
    let planned = world.plan(Options::Realign(monday)).unwrap();
    let told: Vec<(String, Obstacle)> =
        planned.obstacles.into_iter().map(|left| (left.series, left.obstacle)).collect();
    let past = Obstacle::DueInThePast { run: 1, week: 3, due: at("2026-01-19T09:00:00Z") };
    assert_eq!(
        told,
        [("series/c1/f".to_owned(), Obstacle::Paused { run: 1 }), ("series/c2/f".to_owned(), past)]
    );
    assert_eq!(planned.header.counts.changed, 3);
}

#[test]
fn a_doubled_week_and_one_that_the_client_asked_to_reopen_stay_and_are_told() {
    let world = World::migrated();
    let double = Document::new(
        Collection::CheckInAssignments,
        "c1-again".to_owned(),
        7,
        Personal::new(
            JsonText::parse(
                r#"{"clientId":"c1","formId":"f","isRecurring":true,"recurringWeek":3,"totalWeeks":6,
                "dueDate":"2026-01-22T09:00:00Z"}"#,
            )
            .unwrap(),
        ),
    );
    world.command("c1", |_| vec![Event::DocumentImported(double.clone())]);
    let reason = Personal::new("I was ill".to_owned());
    world.command("c2", |_| {
        vec![Event::ReopenRequested { run: 1, week: 4, reason: reason.clone() }]
    });
    let (planned, applied) = world.carry_out(realign(Weekday::Monday, &[]));
    let told: Vec<Obstacle> = planned.obstacles.into_iter().map(|left| left.obstacle).collect();
    assert_eq!(
        told,
        [Obstacle::WeekDoubled { run: 1, week: 3 }, Obstacle::ReopenRequested { run: 1, week: 4 }]
    );
    assert_eq!(applied.changed, 6);
    assert!(world.series("c2").asked_to_reopen.contains(&(1, 4)));
}

#[test]
fn an_inverse_restores_what_nothing_changed_since_and_can_be_undone_again() {
    let world = World::migrated();
    let before = CLIENTS.map(|client| world.dues(View::Precreated, client));
    let (first, _) = world.carry_out(realign(Weekday::Monday, &[]));
    let moved = CLIENTS.map(|client| world.dues(View::Precreated, client));
    let digits = &first.header.digest[..12];
    let (undo, undone) = world.carry_out(inverse(digits, "2026-01-15T10:00:00Z"));
    assert_eq!(undo.header.rules.options, inverse(&first.header.digest, "2026-01-15T10:00:00Z"));
    assert_eq!((undone.changed, undone.skipped), (8, 0));
    let of_now = |view| CLIENTS.map(|client| world.dues(view, client));
    assert_eq!(of_now(View::Precreated), before);
    world.assert_green();
    let again = world.plan(inverse(digits, "2026-01-15T11:00:00Z")).unwrap_err();
    assert!(matches!(again, MigrationError::NothingToMigrate { .. }), "{again}");

    // The inverse of the inverse does it again, with ids of its own.
    world.move_week("c1", 6, "2026-02-12T09:00:00Z");
    world.answer_week("c2", 3);
    let (redo, redone) = world.carry_out(inverse(&undo.header.digest, "2026-01-15T12:00:00Z"));
    assert_eq!(redone.changed, 6);
    let told: Vec<(String, Obstacle)> =
        redo.obstacles.into_iter().map(|left| (left.series, left.obstacle)).collect();
    let changed = |week| Obstacle::ChangedSince { run: 1, week };
    assert_eq!(
        told,
        [("series/c1/f".to_owned(), changed(6)), ("series/c2/f".to_owned(), changed(3))]
    );
    let mut expected = moved;
    expected[0].insert(6, "2026-02-12".to_owned());
    expected[1].insert(3, before[1][&3].clone());
    assert_eq!(of_now(View::Precreated), expected);
    world.assert_green();
}

#[test]
fn the_inverse_of_one_store_fits_another_with_the_same_batch() {
    let [staging, production] = std::array::from_fn(|_| World::migrated());
    let first = staging.plan(realign(Weekday::Monday, &[])).unwrap();
    for world in [&staging, &production] {
        world.apply(&first.file).unwrap();
    }
    let undo = staging.plan(inverse(&first.header.digest, "2026-01-15T10:00:00Z")).unwrap();
    for world in [&staging, &production] {
        world.apply(&undo.file).unwrap();
        world.assert_green();
    }
    assert_eq!(staging.series_events(), production.series_events());
    let elsewhere = World::migrated();
    let refused = elsewhere.apply(&undo.file).unwrap_err();
    assert!(matches!(refused, MigrationError::NoSuchBatch { .. }), "{refused}");
}

#[test]
fn only_a_batch_that_changed_weeks_has_an_inverse() {
    let world = World::new();
    let (precreate, _) = world.carry_out(DueRule::Monday);
    let refused = world.plan(inverse(&precreate.header.digest, NOW)).unwrap_err();
    assert!(matches!(refused, MigrationError::NoInverse { .. }), "{refused}");
    for digits in ["00", ""] {
        let refused = world.plan(inverse(digits, NOW)).unwrap_err();
        assert!(matches!(refused, MigrationError::NoSuchBatch { .. }), "{refused}");
    }
}

#[test]
fn a_change_that_the_batch_does_not_count_makes_the_check_red() {
    let world = World::migrated();
    let (planned, _) = world.carry_out(realign(Weekday::Monday, &[]));
    let digest = planned.header.digest;
    let append = |event| {
        let new = NewEvent { stream: stream("c1"), id: None, occurred_at: at(NOW), event };
        let commit = Commit {
            events: vec![new],
            expected: Vec::new(),
            actor: Actor::Migration(digest.clone()),
            cause: digest.clone(),
            key: None,
        };
        world.store.log().append(commit).unwrap();
    };
    append(Event::AssignmentRescheduled { run: 1, week: 6, due: at("2026-02-10T09:00:00Z") });
    let findings = world.check("legacy-view-unchanged").findings;
    assert_eq!(findings, ["the batch changed 8 weeks, the log shows 9"]);
    append(Event::AssignmentReopened { run: 1, week: 6 });
    let findings = world.check("legacy-view-unchanged").findings;
    assert_eq!(
        findings[0],
        "series/c1/f: AssignmentReopened of the batch changed more than its field of its week in what the legacy view is made of"
    );
}

#[test]
fn every_fixture_stays_as_green_as_it_was() {
    for name in ["tracker", "clean", "dirty", "dirty-london"] {
        let world = World::of_fixture(name);
        world.carry_out(DueRule::Monday);
        let before = world.findings();
        let (planned, applied) = world.carry_out(realign(Weekday::Wednesday, &[]));
        assert!(applied.changed > 10, "{name}: {applied:?}");
        assert_eq!(world.findings(), before, "{name}");
        world.carry_out(inverse(&planned.header.digest, "2026-01-15T10:00:00Z"));
        assert_eq!(world.findings(), before, "{name}");
    }
}

//! The kind `window` and its inverse.

use std::collections::BTreeMap;

use rollbook_domain::JsonText;
use rollbook_domain::event::View;
use rollbook_migrations::MigrationError;
use rollbook_migrations::apply::LeftOut;
use rollbook_migrations::definition::{Definition, Obstacle};
use rollbook_migrations::plan::Plan;
use rollbook_migrations::rules::{DueRule, Options, Rewindowing};
use rollbook_migrations::window::Window;
use serde_json::{Value, json};

use super::{CLIENTS, NOW, World, at, inverse};

const FROM: &str = "2026-01-22T00:00:00Z";

fn friday() -> Value {
    json!({"enabled": true, "startDay": "friday"})
}

fn options(window: &Value, clients: &[&str]) -> Rewindowing {
    Rewindowing {
        window: (!window.is_null()).then(|| JsonText::parse(&window.to_string()).unwrap()),
        from: at(FROM),
        clients: clients.iter().map(|client| (*client).to_owned()).collect(),
        at: at(NOW),
    }
}

fn window(window: &Value, clients: &[&str]) -> Options {
    Options::Window(options(window, clients))
}

/// The windows of weeks 1 to 6, with one window for weeks 4 to 6: those due from `FROM` on.
fn from_week_4(window: &Value) -> BTreeMap<u64, Value> {
    (1..=6).map(|week| (week, if week < 4 { Value::Null } else { window.clone() })).collect()
}

impl World {
    #[track_caller]
    fn assert_windows(&self, client: &str, expected: &BTreeMap<u64, Value>) {
        for view in [View::Precreated, View::Legacy] {
            assert_eq!(&self.shown(view, client, "checkInWindow"), expected, "{view:?}, {client}");
        }
    }
}

#[test]
fn weeks_from_the_instant_on_get_the_window_in_both_views() {
    let world = World::migrated();
    let (planned, applied) = world.carry_out(window(&friday(), &[]));
    assert_eq!((planned.header.counts.series, applied.changed, applied.skipped), (2, 6, 0));
    CLIENTS.iter().for_each(|client| world.assert_windows(client, &from_week_4(&friday())));
    world.assert_green();
    let legacy = world.check("legacy-view-unchanged").detail;
    assert!(legacy.contains("except for the 6 weeks that the batch changes"), "{legacy}");
    let again = world.plan(window(&friday(), &[])).unwrap_err();
    assert!(matches!(again, MigrationError::NothingToMigrate { obstacles: 0 }), "{again}");
    let head = world.store.log().head();
    assert_eq!(world.apply(&planned.file).unwrap().left_out.already, 6);
    assert_eq!(world.store.log().head(), head, "applying again appends nothing");
}

#[test]
fn weeks_that_are_not_stored_yet_keep_the_window_when_they_are_stored_or_answered() {
    let world = World::new();
    world.carry_out(window(&friday(), &["c1"]));
    assert_eq!(world.shown(View::Legacy, "c1", "checkInWindow"), from_week_4(&friday()));
    world.answer_week("c1", 5);
    assert_eq!(world.shown(View::Legacy, "c1", "checkInWindow")[&5], friday());
    world.carry_out(DueRule::Monday);
    // The legacy view does not generate weeks 2 and 3, because week 5 is stored.
    assert_eq!(world.shown(View::Precreated, "c1", "checkInWindow"), from_week_4(&friday()));
    world.assert_windows("c2", &from_week_4(&Value::Null));
    world.assert_green();
}

#[test]
fn the_same_file_gives_two_stores_the_same_events() {
    let [planned_on, other] = std::array::from_fn(|_| World::migrated());
    let Plan { file, header, .. } = planned_on.plan(window(&friday(), &[])).unwrap();
    let same = other.plan(window(&friday(), &[])).unwrap();
    assert_eq!(same.header.digest, header.digest);
    for world in [&planned_on, &other] {
        assert_eq!(world.apply(&file).unwrap().digest, header.digest);
        world.assert_green();
    }
    assert_eq!(other.series_events(), planned_on.series_events());
    let zone = rollbook_domain::calendar::Zone::UTC;
    let definition = Window { options: options(&friday(), &[]), zone };
    let (before, after) = (World::migrated().series("c1"), other.series("c1"));
    let events = definition.plan_series(&super::stream("c1"), &before).events;
    assert_eq!(events.len(), 3);
    for event in events {
        assert!(!definition.is_present(&before, &event.event));
        assert!(definition.is_present(&after, &event.event));
    }
}

#[test]
fn a_week_that_moves_out_of_reach_is_drift_and_one_that_is_withdrawn_is_left_out() {
    let world = World::migrated();
    let planned = world.plan(window(&friday(), &[])).unwrap();
    world.command("c1", |decider| decider.withdraw_week(1, 5, "holiday".to_owned()).unwrap());
    world.answer_week("c2", 5);
    let applied = world.apply(&planned.file).unwrap();
    let left_out = LeftOut { withdrawn: 1, ..LeftOut::default() };
    assert_eq!((applied.changed, applied.left_out), (5, left_out));
    world.assert_green();

    let world = World::migrated();
    let planned = world.plan(window(&friday(), &[])).unwrap();
    world.move_week("c2", 4, "2026-01-20T09:00:00Z");
    let refused = world.apply(&planned.file).unwrap_err();
    let MigrationError::Drift { series, total: 1 } = &refused else { panic!("{refused}") };
    assert_eq!(series, &["series/c2/f: week 4 of run 1 changed after the plan"]);
}

#[test]
fn an_inverse_gives_back_the_windows_and_leaves_later_ones() {
    let world = World::migrated();
    let (first, _) = world.carry_out(window(&friday(), &[]));
    let (later, _) = world.carry_out(window(&Value::Null, &["c2"]));
    assert_eq!(later.header.counts.changed, 3);
    let (undo, undone) = world.carry_out(inverse(&first.header.digest, "2026-01-15T10:00:00Z"));
    assert_eq!((undone.changed, undo.obstacles.len()), (3, 0), "those of c2 are restored already");
    CLIENTS.iter().for_each(|client| world.assert_windows(client, &from_week_4(&Value::Null)));
    world.assert_green();
    let (_, redone) = world.carry_out(inverse(&undo.header.digest, "2026-01-15T11:00:00Z"));
    assert_eq!(redone.changed, 3);
    world.assert_windows("c1", &from_week_4(&friday()));

    let other = json!({"enabled": false});
    world.carry_out(window(&other, &["c1"]));
    let again = world.plan(inverse(&undo.header.digest, "2026-01-15T12:00:00Z")).unwrap_err();
    assert!(matches!(again, MigrationError::NothingToMigrate { obstacles: 3 }), "{again}");
}

#[test]
fn a_later_import_of_the_document_keeps_the_window() {
    let world = World::migrated();
    let all = Rewindowing { from: at("2026-01-01T00:00:00Z"), ..options(&friday(), &[]) };
    world.carry_out(Options::Window(all));
    world.import("Weekly, new");
    for view in [View::Precreated, View::Legacy] {
        assert_eq!(world.shown(view, "c1", "checkInWindow")[&1], friday(), "{view:?}");
        assert_eq!(world.shown(view, "c1", "title")[&1], "Weekly, new", "{view:?}");
    }
}

#[test]
fn every_fixture_stays_as_green_as_it_was() {
    for name in ["tracker", "clean", "dirty", "dirty-london"] {
        let world = World::of_fixture(name);
        world.carry_out(DueRule::Monday);
        let before = world.findings();
        let (planned, applied) = world.carry_out(window(&friday(), &[]));
        assert!(applied.changed > 10, "{name}: {applied:?}");
        let doubled = |obstacle: &Obstacle| matches!(obstacle, Obstacle::WeekDoubled { .. });
        assert!(planned.obstacles.iter().all(|left| doubled(&left.obstacle)), "{name}");
        assert_eq!(world.findings(), before, "{name}");
        world.carry_out(inverse(&planned.header.digest, "2026-01-15T10:00:00Z"));
        assert_eq!(world.findings(), before, "{name}");
    }
}

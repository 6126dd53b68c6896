//! Answers change at turning points and nowhere else.

use rollbook_domain::Timestamp;
use rollbook_domain::status::Clock;
use rollbook_migrations::parity::ParityRules;
use rollbook_projections::directory::identify;
use rollbook_projections::entry::{Answer, Entry};
use rollbook_projections::turning_points::turning_points;
use rollbook_projections::views::{legacy_rows, precreated_rows};
use rollbook_projections::{legacy, precreated};
use serde_json::json;

use super::rows::{Both, HOUR, MONDAY, later, of_fixture, rules_of, small, week, with};

/// What is compared of an answer, as text.
fn compared(answer: &Answer<'_>) -> Vec<String> {
    let entry = |entry: &Entry<'_>| {
        format!(
            "{} {} {} {:?} {}",
            entry.id, entry.document, entry.week, entry.status, entry.coach_responded
        )
    };
    let mut all: Vec<String> = answer.entries.iter().map(entry).collect();
    all.sort();
    all.push(format!("{:?}", answer.summary));
    all
}

/// Both answers at an instant.
fn answers(
    both: &Both,
    client: &str,
    rules: &ParityRules,
    now: Timestamp,
) -> (Vec<String>, Vec<String>) {
    let identity = identify(&both.directory, client).unwrap();
    let clock = Clock::new(now, rules.zone);
    let rows = legacy_rows(&both.directory, &both.legacy, &identity).unwrap();
    let of_legacy = compared(&legacy::answer(&identity.ids, &rows, &clock));
    let clock = Clock { overdue_after_milliseconds: rules.overdue_after_milliseconds, ..clock };
    let rows = precreated_rows(&both.precreated, &identity).unwrap();
    (of_legacy, compared(&precreated::answer(&rows, &clock)))
}

/// Answers at these instants are those at the turning point before them.
fn assert_constant_between(both: &Both, client: &str, rules: &ParityRules, probes: &[Timestamp]) {
    let identity = identify(&both.directory, client).unwrap();
    let turns = turning_points(
        &legacy_rows(&both.directory, &both.legacy, &identity).unwrap(),
        &precreated_rows(&both.precreated, &identity).unwrap(),
        rules.zone,
        rules.overdue_after_milliseconds,
    );
    for probe in probes {
        // Before the first turn nothing has changed since the beginning of time.
        let before = turns.partition_point(|turn| turn <= probe).saturating_sub(1);
        let Some(turn) = turns.get(before) else { continue };
        assert_eq!(
            answers(both, client, rules, *probe),
            answers(both, client, rules, *turn),
            "{client} at {probe}, turn {turn}"
        );
    }
}

#[test]
fn answers_change_only_at_turning_points() {
    for (name, overdue_after_milliseconds) in
        [("tracker", 0), ("clean", 36 * HOUR), ("dirty-london", 3 * 24 * HOUR)]
    {
        let rules = ParityRules { overdue_after_milliseconds, ..rules_of(name) };
        let both = of_fixture(name).migrate(&rules);
        let from: Timestamp = "2025-09-01T00:00:00Z".parse().unwrap();
        // A step that falls on every hour and minute in turn.
        let probes: Vec<Timestamp> =
            (0..600).map(|step| later(from, step * (19 * HOUR + 7 * 60_000))).collect();
        for client in both.clients() {
            let has_all_dues = identify(&both.directory, &client).is_ok_and(|identity| {
                legacy_rows(&both.directory, &both.legacy, &identity).unwrap().iter().all(|row| {
                    row.stored.items.iter().all(|item| item.stored.due.value().is_some())
                })
            });
            if has_all_dues {
                assert_constant_between(&both, &client, &rules, &probes);
            }
        }
    }
}

#[test]
fn near_a_clock_change_every_turn_is_known() {
    let cases = [
        ("Europe/London", "2026-03-29T01:00:00Z"),
        ("Europe/London", "2026-10-25T01:00:00Z"),
        ("America/New_York", "2026-03-08T07:00:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
        ("Atlantic/Azores", "2026-03-29T01:00:00Z"),
    ];
    for (zone, change) in cases {
        let rules = ParityRules { zone: zone.parse().unwrap(), ..ParityRules::default() };
        let change: Timestamp = change.parse().unwrap();
        // Dues, and instants 42 days after and 21 days before dues, close to the change.
        for (days, minutes) in [0, 42, -21]
            .into_iter()
            .flat_map(|days| [-150, -75, -30, 0, 20, 45, 90].map(|minutes| (days, minutes)))
        {
            let due = later(change, days * 24 * HOUR + minutes * 60_000);
            let both = small(&[week("a", "f", 1, 1, &due.to_string())], &[]);
            let around = |days: i64| {
                (-60..=60).map(move |step| later(due, days * 24 * HOUR + step * 5 * 60_000 + 1))
            };
            let probes: Vec<Timestamp> = around(0).chain(around(-42)).chain(around(21)).collect();
            assert_constant_between(&both, "c1", &rules, &probes);
        }
    }
}

#[test]
fn a_week_without_a_due_is_compared_on_every_day_of_the_week() {
    let rules = ParityRules { zone: "Europe/London".parse().unwrap(), ..ParityRules::default() };
    let both = small(
        &[
            with(week("a", "f", 1, 8, MONDAY), json!({"dueDate": null})),
            week("b", "g", 1, 6, MONDAY),
        ],
        &[],
    )
    .migrate(&rules);
    let from: Timestamp = "2025-11-24T00:00:00Z".parse().unwrap();
    let probes: Vec<Timestamp> =
        (0..1000).map(|step| later(from, step * (2 * HOUR + 60_000))).collect();
    let weekdays = |now: Timestamp| answers(&both, "c1", &rules, now).0;
    // A Monday, and the Saturday after it.
    assert_ne!(weekdays(probes[0]), weekdays(probes[60]));
    assert_constant_between(&both, "c1", &rules, &probes);
}

#[test]
fn weeks_that_the_legacy_view_generates_turn_in_elapsed_time() {
    let cases = [
        ("Europe/London", "2026-03-02T09:00:00Z"),
        ("Europe/London", "2026-10-05T08:00:00Z"),
        ("Africa/Casablanca", "2026-03-02T09:00:00Z"),
        ("Australia/Sydney", "2026-03-15T22:00:00Z"),
        ("Australia/Lord_Howe", "2026-03-15T22:00:00Z"),
    ];
    for (zone, base) in cases {
        let rules = ParityRules { zone: zone.parse().unwrap(), ..ParityRules::default() };
        let base: Timestamp = base.parse().unwrap();
        let both = small(&[week("a", "f", 1, 9, &base.to_string())], &[]).migrate(&rules);
        for number in 2..=9 {
            let due = rules.zone.monday_due(base, number);
            let probes = [-42, 21].into_iter().flat_map(|days| {
                let edge = later(due, days * 24 * HOUR);
                (-14..=14).flat_map(move |step| {
                    [-1, 0, 1].map(|beside| later(edge, step * 5 * 60_000 + beside))
                })
            });
            assert_constant_between(&both, "c1", &rules, &probes.collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_base_without_a_due_turns_in_elapsed_time_too() {
    let rules =
        ParityRules { zone: "Australia/Lord_Howe".parse().unwrap(), ..ParityRules::default() };
    let other = "2026-02-22T22:00:00Z";
    let both = small(
        &[
            with(week("a", "f", 1, 8, MONDAY), json!({"dueDate": null})),
            week("b", "g", 1, 6, other),
        ],
        &[],
    )
    .migrate(&rules);
    // Mondays whose sixth Monday after is beyond the change of 2026-04-05.
    let from: Timestamp = other.parse().unwrap();
    let probes: Vec<Timestamp> = (0..6)
        .flat_map(|week| (-9..=9).map(move |step| (week, step)))
        .map(|(week, step)| later(from, week * 7 * 24 * HOUR + step * 10 * 60_000 + 1))
        .collect();
    assert_constant_between(&both, "c1", &rules, &probes);
}

//! The kind `renumber`: which numbers contradict the due dates, and what stays as it is.

use rollbook_domain::calendar::Zone;
use rollbook_domain::event::NumberSetting;
use rollbook_domain::series::decide::Decider;
use rollbook_domain::series::{LegacySeries, Series};
use rollbook_domain::{Collection, Document, Event, JsonText, Personal};
use rollbook_migrations::definition::{Definition, Obstacle, SeriesPlan};
use rollbook_migrations::renumber::Renumber;
use rollbook_migrations::rules::Renumbering;

use super::{NOW, at, stream};

/// A series of documents: id, number, and the week that each is due in.
fn series(documents: &[(&str, Option<u32>, u32)]) -> Series {
    let mut series = Series::default();
    for (id, number, due_week) in documents {
        let number = number.map_or_else(String::new, |week| format!(r#","recurringWeek":{week}"#));
        let due = at("2026-01-05T09:00:00Z").plus_milliseconds(
            i64::from(due_week - 1) * 7 * 86_400_000 + i64::from(due_week % 3) * 86_400_000,
        );
        let body = format!(
            r#"{{"clientId":"c1","formId":"f","dueDate":"{due}","isRecurring":true,"totalWeeks":8{number}}}"#
        );
        let body = Personal::new(JsonText::parse(&body).unwrap());
        let document = Document::new(Collection::CheckInAssignments, (*id).to_owned(), 0, body);
        series.apply(&stream("c1"), &Event::DocumentImported(document));
    }
    series
}

fn renumber(clients: &[&str]) -> Renumber {
    let clients = clients.iter().map(|client| (*client).to_owned()).collect();
    Renumber { options: Renumbering { clients, at: at(NOW) }, zone: Zone::UTC }
}

fn plan(series: &Series) -> SeriesPlan {
    renumber(&[]).plan_series(&stream("c1"), series)
}

/// What a plan gives each document: its number before and after.
fn given(plan: &SeriesPlan) -> Vec<(&str, Option<u32>, Option<u32>)> {
    let setting = |event: &'_ Event| match event {
        Event::WeekNumberSet(NumberSetting { correction: None, reason: None, .. }) => {}
        other => panic!("{other:?}"),
    };
    plan.events.iter().for_each(|new| setting(&new.event));
    let settings = plan.events.iter().filter_map(|new| match &new.event {
        Event::WeekNumberSet(setting) => Some(setting),
        _ => None,
    });
    settings.map(|set| (set.document.as_str(), set.from, set.week)).collect()
}

#[test]
fn numbers_that_are_missing_doubled_or_out_of_order_follow_the_due_dates() {
    let start = series(&[
        ("a1", Some(1), 1),
        ("a2", None, 2),
        ("a3", Some(1), 3),
        ("a4", Some(7), 4),
        ("a5", Some(5), 5),
    ]);
    let planned = plan(&start);
    assert_eq!(
        given(&planned),
        [("a2", None, Some(2)), ("a3", Some(1), Some(3)), ("a4", Some(7), Some(4))]
    );
    assert!(planned.concerned && planned.obstacles.is_empty(), "{:?}", planned.obstacles);
    // The same series gives the same plan; a series that has the numbers lacks nothing.
    let ids = |plan: &SeriesPlan| plan.events.iter().map(|new| new.id).collect::<Vec<_>>();
    assert_eq!(ids(&plan(&start)), ids(&planned));
    let mut after = start.clone();
    for new in &planned.events {
        assert!(!renumber(&[]).is_present(&after, &new.event));
        after.apply(&stream("c1"), &new.event);
        assert!(renumber(&[]).is_present(&after, &new.event));
    }
    assert!(plan(&after).events.is_empty());
    assert!(renumber(&["c2"]).plan_series(&stream("c1"), &start).events.is_empty());
}

#[test]
fn a_number_that_is_freed_by_another_is_given_on() {
    let chain =
        series(&[("a1", Some(1), 1), ("a2", Some(1), 3), ("a3", Some(3), 4), ("a5", Some(3), 5)]);
    assert_eq!(
        given(&plan(&chain)),
        [("a3", Some(3), Some(4)), ("a5", Some(3), Some(5)), ("a2", Some(1), Some(3))]
    );
}

#[test]
fn a_run_that_was_moved_as_a_whole_stays_and_so_do_doubles_and_exchanged_weeks() {
    let paused = series(&[("a1", Some(1), 1), ("a2", Some(2), 4), ("a3", Some(3), 5)]);
    let double = series(&[("a1", Some(1), 1), ("a2", Some(2), 2), ("a3", Some(2), 2)]);
    let unnumbered = series(&[("a1", Some(1), 1), ("a2", None, 1)]);
    for series in [paused, double, unnumbered] {
        let planned = plan(&series);
        assert!(planned.events.is_empty() && planned.obstacles.is_empty(), "{planned:?}");
    }
    let exchanged = plan(&series(&[("a1", Some(1), 1), ("a2", Some(3), 2), ("a3", Some(2), 3)]));
    let taken = |document: &str, week| {
        let document = document.to_owned();
        Obstacle::NumberTaken { document, run: 1, week }
    };
    assert!(exchanged.events.is_empty());
    assert_eq!(exchanged.obstacles, [taken("a3", 3), taken("a2", 2)]);
}

#[test]
fn a_number_that_a_person_set_stays() {
    let mut series = series(&[("a1", Some(1), 1), ("a2", None, 3), ("a3", Some(5), 5)]);
    let events =
        Decider { client: "c1", form: "f", series: &series, now: at(NOW), zone: Zone::UTC }
            .set_week("a2", 6, "she said so".to_owned())
            .unwrap();
    events.iter().for_each(|event| series.apply(&stream("c1"), event));
    assert!(plan(&series).events.is_empty());
}

#[test]
fn the_legacy_rows_are_compared_without_the_number_and_with_everything_else() {
    let documents = [("a1", Some(1), 1), ("a2", None, 3)];
    let mut earlier = LegacySeries::default();
    earlier.stored = series(&documents);
    let planned = plan(&earlier.stored);
    let Event::WeekNumberSet(setting) = &planned.events[0].event else { panic!("{planned:?}") };
    let mut later = earlier.clone();
    assert!(!later.is_renumbered(&earlier, setting), "the number is not set");
    later.apply(&stream("c1"), &planned.events[0].event);
    assert!(later.is_renumbered(&earlier, setting));
    let other = Event::AssignmentRescheduled { run: 1, week: 1, due: at(NOW) };
    earlier.apply(&stream("c1"), &other);
    assert!(!later.is_renumbered(&earlier, setting), "another week changed as well");
}

//! Differences that a recorded decision causes are explained by that decision, and by no other.

use proptest::prelude::*;
use rollbook_domain::event::{AssignedStatus, MissedReason};
use rollbook_domain::series::Series;
use rollbook_domain::series::decide::Decider;
use rollbook_domain::{Collection, Document, Event, JsonText, NewEvent, Personal, StreamId};
use rollbook_migrations::parity::{Class, ParityReport, ParityRules};
use rollbook_projections::views::LegacyView;
use serde_json::json;

use super::rows::{Both, MONDAY, event, fold, item, series_of, small, week, with};
use crate::commands::{self, Command};

fn granted(week: u32) -> Event {
    Event::ExtensionGranted { run: 1, week, reason: Personal::new("moving house".to_owned()) }
}

fn missed(week: u32) -> Event {
    Event::AssignmentMissed { run: 1, week, reason: MissedReason::Sick, comment: None }
}

fn rescheduled(week: u32, due: &str) -> Event {
    Event::AssignmentRescheduled { run: 1, week, due: due.parse().unwrap() }
}

fn migrated() -> Both {
    small(&[week("a", "f", 1, 6, MONDAY)], &[]).migrate(&ParityRules::default())
}

fn decided(report: &ParityReport) -> Vec<(u64, u64, &str)> {
    let decisions = report.decisions.iter();
    decisions.map(|one| (one.position, one.differences, one.event.as_str())).collect()
}

#[test]
fn an_action_on_a_week_that_only_one_view_stores_is_in_both() {
    let rules = ParityRules::default();
    let mut both = migrated();
    let stream = series_of("f");
    let actions = [
        granted(2),
        missed(3),
        rescheduled(4, "2026-01-30T09:00:00Z"),
        Event::AssignmentReopened { run: 1, week: 5 },
        Event::StatusAssigned { run: 1, week: 6, status: AssignedStatus::Completed },
    ];
    for action in actions {
        both.decide(event(&stream, action));
        let report = both.compare(&rules);
        assert!(report.is_explained(), "{report:#?}");
        assert!(!report.differences.contains_key(&Class::ChangedSince), "{report:#?}");
    }
}

#[test]
fn a_difference_names_the_decision_that_causes_it() {
    let rules = ParityRules::default();
    let mut both = migrated();
    let stream = series_of("f");
    // The base moves the weeks that the legacy view generates, and no stored week.
    let at = both.decide(event(&stream, rescheduled(1, "2026-01-12T09:00:00Z"))).start;
    let report = both.compare(&rules);
    assert!(report.is_explained(), "{report:#?}");
    assert!(report.differences[&Class::ChangedSince] > 0);
    let texts: Vec<&str> = report.decisions.iter().map(|one| one.event.as_str()).collect();
    let moved = "due date changed to 2026-01-12T09:00:00.000Z (of week 1) by coach k1";
    assert!(texts.iter().all(|text| text.contains(moved)), "{texts:?}");
    assert!(texts.iter().all(|text| text.ends_with(&format!("at position {at}"))), "{texts:?}");
    let examples = &report.examples[&Class::ChangedSince];
    assert!(examples.iter().any(|one| one.event.as_deref() == Some(texts[0])), "{examples:#?}");
}

#[test]
fn of_two_decisions_the_one_that_the_difference_began_with_is_named() {
    let rules = ParityRules::default();
    let mut both = migrated();
    let stream = series_of("f");
    both.decide(event(&stream, rescheduled(4, "2026-01-30T09:00:00Z")));
    both.decide(event(&stream, rescheduled(4, "2026-01-26T09:00:00Z")));
    assert_eq!(decided(&both.compare(&rules)), []);
    // The base moves the weeks that the legacy view generates, and no stored week.
    let base = both.decide(event(&stream, rescheduled(1, "2026-01-12T09:00:00Z"))).start;
    let report = both.compare(&rules);
    assert!(report.is_explained(), "{report:#?}");
    assert!(!report.decisions.is_empty());
    assert!(report.decisions.iter().all(|one| one.position == base), "{report:#?}");
    assert!(report.decisions[0].event.contains(" (of week 1) by coach k1"), "{report:#?}");
}

#[test]
fn a_document_that_a_later_import_changed_is_named() {
    let rules = ParityRules::default();
    let mut both = migrated();
    let body = with(week("a", "f", 1, 6, "2026-01-12T09:00:00Z"), json!({}));
    let body = Personal::new(JsonText::from_value(&body));
    let document = Document::new(Collection::CheckInAssignments, "a".to_owned(), 0, body);
    let at = both.log.len() as u64 + 1;
    both.append(event(&series_of("f"), Event::DocumentChanged(document)));
    let report = both.compare(&rules);
    assert!(report.is_explained(), "{report:#?}");
    assert!(report.decisions.iter().all(|one| one.position == at), "{report:#?}");
    assert!(
        report.decisions[0].event.contains("document a changed by import or batch test"),
        "{report:#?}"
    );
}

#[test]
fn a_decision_explains_no_difference_that_it_does_not_cause() {
    let rules = ParityRules::default();
    let stream = series_of("f");
    let mut decided = migrated();
    for decision in [granted(2), missed(3), rescheduled(4, "2026-01-30T09:00:00Z")] {
        decided.decide(event(&stream, decision));
    }
    assert!(decided.compare(&rules).is_explained());

    // The rows of one view are damaged beside the decisions, or where a decision was made.
    for damaged in 2..=5 {
        let mut both = decided.clone();
        both.tamper(&stream, |series| item(series, damaged).set_total_weeks(7));
        assert!(!both.compare(&rules).is_explained(), "week {damaged}");
    }
    let mut both = decided.clone();
    fold(&mut both.legacy, &LegacyView, event(&stream, rescheduled(1, "2026-01-12T09:00:00Z")));
    assert!(!both.compare(&rules).is_explained());

    // A batch that made a week otherwise than its rules say is no decision.
    let mut wrong = small(&[week("a", "f", 1, 6, MONDAY)], &[]);
    let mut made = migrated().log;
    made.retain(|recorded| matches!(recorded.event, Event::AssignmentCreated { .. }));
    let events = made.into_iter().map(|recorded| {
        let mut event = recorded.event;
        if let Event::AssignmentCreated { week: 3, due, .. } = &mut event {
            *due = "2026-01-20T09:00:00Z".parse().unwrap();
        }
        let (stream, occurred_at) = (recorded.stream, recorded.occurred_at);
        NewEvent { stream, id: Some(recorded.id), occurred_at, event }
    });
    wrong.append(events.collect());
    wrong.decide(event(&stream, granted(3)));
    let report = wrong.compare(&rules);
    assert!(
        report.unexplained.iter().all(|found| found.week == 3) && !report.is_explained(),
        "{report:#?}"
    );

    // Nor is a week that a batch left out.
    let mut short = small(&[week("a", "f", 1, 6, MONDAY)], &[]);
    let mut made = migrated().log;
    made.retain(
        |recorded| matches!(recorded.event, Event::AssignmentCreated { week, .. } if week != 5),
    );
    let events = made.into_iter().map(|recorded| NewEvent {
        stream: recorded.stream,
        id: Some(recorded.id),
        occurred_at: recorded.occurred_at,
        event: recorded.event,
    });
    short.append(events.collect());
    short.decide(event(&stream, granted(2)));
    let report = short.compare(&rules);
    assert!(
        report.unexplained.iter().all(|found| found.week == 5) && !report.is_explained(),
        "{report:#?}"
    );
}

/// Carries out a command. Returns whether it did anything.
fn carry_out(both: &mut Both, command: &Command, now: rollbook_domain::Timestamp) -> bool {
    let stream = series_of("f");
    let StreamId::Series { client, form } = &stream else { panic!("{stream} is no series") };
    let series: Series = both.series(&stream);
    let zone = ParityRules::default().zone;
    let decider = Decider { client, form, series: &series, now, zone };
    let events: Vec<NewEvent> = commands::events(command, &decider)
        .into_iter()
        .flat_map(|decided| event(&stream, decided))
        .collect();
    let did = !events.is_empty();
    both.decide(events);
    did
}

/// Whether a command is a decision, and not a part of an import or a migration.
fn is_decision(command: &Command) -> bool {
    !matches!(
        command,
        Command::Import { .. }
            | Command::Remove { .. }
            | Command::ImportResponse { .. }
            | Command::Migrate
            | Command::Link { .. }
    )
}

fn any_decision() -> impl Strategy<Value = (Command, rollbook_domain::Timestamp)> {
    (commands::any_command().prop_filter("no decision", is_decision), commands::any_now())
}

/// The batch was planned from a base that a decision had made: without the decision, the batch would
/// have made other due dates.
#[test]
fn a_decision_that_a_batch_was_planned_from_explains_its_weeks() {
    let rules = ParityRules::default();
    let now = "2025-12-26T09:00:00Z".parse().unwrap();
    let mut both = small(&[week("a", "f", 1, 5, MONDAY)], &[]);
    let decisions = [
        Command::Respond { run: 1, week: 3 },
        Command::WithdrawWeek { run: 1, week: 1 },
        Command::AssignStatus { run: 1, week: 2, done: true },
    ];
    for command in &decisions {
        assert!(carry_out(&mut both, command, now), "{command:?}");
    }
    let report = both.migrate(&rules).compare(&rules);
    assert!(report.is_explained() && !report.decisions.is_empty(), "{report:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_history_of_decisions_leaves_a_difference_unexplained(
        due in prop_oneof![Just(MONDAY), Just("2026-01-08T15:30:00Z")],
        second in any::<bool>(),
        before in prop::collection::vec(any_decision(), 0..6),
        after in prop::collection::vec(any_decision(), 0..10),
    ) {
        let rules = ParityRules::default();
        let mut documents = vec![week("a", "f", 1, 5, due)];
        documents.extend(second.then(|| week("b", "f", 2, 5, "2026-01-12T09:00:00Z")));
        let mut both = small(&documents, &[]);
        for (command, now) in &before {
            carry_out(&mut both, command, *now);
        }
        let mut both = both.migrate(&rules);
        for (command, now) in &after {
            carry_out(&mut both, command, *now);
        }
        let report = both.compare(&rules);
        prop_assert!(report.is_explained(), "{:#?}", report);
    }
}

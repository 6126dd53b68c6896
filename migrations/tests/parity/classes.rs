//! Each class with its cause, and the same difference without it.

use std::collections::BTreeSet;

use rollbook_domain::event::Origin;
use rollbook_domain::series::assignment_id;
use rollbook_domain::series::items::terms_of;
use rollbook_domain::{Collection, Event};
use rollbook_migrations::parity::{Class, ParityRules};
use rollbook_migrations::rules::DueRule;
use rollbook_projections::views::{LegacyView, PrecreatedView};
use serde_json::json;

use super::rows::{MONDAY, event, figures, fold, item, series_of, small, week, with};

#[test]
fn a_series_that_stays_as_it_was_differs_in_nothing() {
    let rules = ParityRules::default();
    let single = with(
        week("a", "f", 1, 1, MONDAY),
        json!({"isRecurring": false, "id": null, "status": "completed"}),
    );
    let report = small(&[single], &[]).migrate(&rules).compare(&rules);
    assert_eq!((figures(&report), report.unexplained_total, report.clients), (vec![], 0, 2));
}

#[test]
fn week_id_needs_the_weeks_own_id_and_a_base_that_was_granted_more_time() {
    let rules = ParityRules::default();
    let both = small(&[with(week("a", "f", 1, 4, MONDAY), json!({"extensionGranted": true}))], &[])
        .migrate(&rules);
    let report = both.compare(&rules);
    assert!(report.is_explained() && report.differences[&Class::WeekId] == 4, "{report:#?}");

    let mut other_id = both.clone();
    other_id.tamper(&series_of("f"), |series| {
        let mut made = item(series, 3).clone();
        series.items.retain(|item| item.week() != 3);
        made.stored.document = assignment_id("c1", "f", 1, 30).to_string();
        series.items.insert(made);
    });
    let report = other_id.compare(&rules);
    assert_eq!(
        report.unexplained.iter().map(|found| found.week).collect::<BTreeSet<_>>(),
        [3].into()
    );
    assert!(report.unexplained.iter().any(|found| found.what.starts_with("id: ")), "{report:#?}");

    let mut granted = small(&[week("a", "f", 1, 4, MONDAY)], &[]).migrate(&rules);
    granted.tamper(&series_of("f"), |series| item(series, 2).extend());
    assert!(
        granted.compare(&rules).unexplained[0]
            .what
            .starts_with("extensionGranted: legacy false, pre-created true")
    );
}

#[test]
fn gap_week_needs_a_rule_that_did_not_generate_the_week() {
    let rules = ParityRules::default();
    let answered =
        json!({"status": "completed", "responseId": "r5", "completedAt": "2026-02-02T10:00:00Z"});
    let both = small(
        &[
            week("a", "f", 1, 8, MONDAY),
            with(week("b", "f", 5, 8, "2026-02-02T09:00:00Z"), answered),
        ],
        &[],
    )
    .migrate(&rules);
    let report = both.compare(&rules);
    assert!(report.is_explained(), "{report:#?}");
    // Weeks 2 to 4 always, weeks 6 to 8 once the legacy view forgets them.
    assert_eq!(report.differences[&Class::GapWeek], 6);

    // A week beyond the last one is no gap.
    let mut beyond = both.clone();
    let terms = terms_of(&beyond.series(&series_of("f")).items.base(1).unwrap().stored);
    let due = "2026-03-02T09:00:00Z".parse().unwrap();
    let assignment = assignment_id("c1", "f", 1, 9);
    let made = Event::AssignmentCreated {
        assignment,
        run: 1,
        week: 9,
        due,
        origin: Origin::Migration,
        terms: terms.into(),
    };
    fold(&mut beyond.precreated, &PrecreatedView, event(&series_of("f"), made));
    let report = beyond.compare(&rules);
    assert!(
        report.unexplained_total > 0 && report.unexplained.iter().all(|found| found.week == 9),
        "{report:#?}"
    );

    // Nor may a gap be filled with another week than the one that was left out.
    let mut moved = both;
    moved.tamper(&series_of("f"), |series| {
        item(series, 3).reschedule(Some("2026-01-19T09:00:01Z".parse().unwrap()))
    });
    assert_eq!(moved.compare(&rules).unexplained[0].week, 3);
}

#[test]
fn form_collision_needs_the_other_form() {
    let rules = ParityRules::default();
    let later_assigned =
        with(week("b", "g", 1, 1, MONDAY), json!({"assignedAt": "2026-01-02T10:00:00Z"}));
    let mut both = small(&[week("a", "f", 1, 1, MONDAY), later_assigned], &[]).migrate(&rules);
    let report = both.compare(&rules);
    assert!(report.is_explained(), "{report:#?}");
    assert_eq!(report.differences[&Class::FormCollision], 1);
    assert_eq!(report.examples[&Class::FormCollision][0].form, "f");

    // The same difference, with nothing that took the place.
    let gone =
        Event::DocumentRemoved { collection: Collection::CheckInAssignments, id: "a".to_owned() };
    fold(&mut both.legacy, &LegacyView, event(&series_of("f"), gone));
    let report = both.compare(&rules);
    assert_eq!(
        (report.unexplained_total, report.unexplained[0].form.as_str()),
        (1, "f"),
        "{report:#?}"
    );
}

#[test]
fn identity_split_needs_two_identities() {
    let rules = ParityRules::default();
    let of_other = with(week("b", "f", 1, 4, "2026-01-13T09:00:00Z"), json!({"clientId": "u1"}));
    let both = small(&[week("a", "f", 1, 4, MONDAY), of_other], &[]).migrate(&rules);
    let report = both.compare(&rules);
    assert!(report.is_explained(), "{report:#?}");
    assert!(
        report.differences.contains_key(&Class::IdentitySplit)
            && !report.differences.contains_key(&Class::DuplicateAllocation)
    );

    // The same double, but the pre-created view never heard of the other document.
    let mut unheard = both.clone();
    unheard.tamper(&series_of("f"), |series| series.items.remove("b"));
    let report = unheard.compare(&rules);
    assert!(
        report.unexplained_total > 0 && !report.differences.contains_key(&Class::IdentitySplit),
        "{report:#?}"
    );
    // And a split hides no other change of the week that is shown.
    let mut moved = both;
    moved.tamper(&series_of("f"), |series| item(series, 3).mark_missed());
    assert!(moved.compare(&rules).unexplained.iter().any(|found| found.week == 3));
}

#[test]
fn duplicate_allocation_needs_several_documents_in_both_views() {
    let rules = ParityRules::default();
    let again = with(
        week("b", "f", 1, 4, "2026-01-13T09:00:00Z"),
        json!({"isRecurring": false, "id": null}),
    );
    let both = small(&[week("a", "f", 1, 4, MONDAY), again], &[]).migrate(&rules);
    let report = both.compare(&rules);
    assert!(report.is_explained(), "{report:#?}");
    assert_eq!(report.differences[&Class::DuplicateAllocation], 1);

    let mut unheard = both;
    unheard.tamper(&series_of("f"), |series| series.items.remove("b"));
    let report = unheard.compare(&rules);
    assert!(
        report.unexplained_total > 0
            && !report.differences.contains_key(&Class::DuplicateAllocation),
        "{report:#?}"
    );

    // Once within a series and once on its own.
    let alone = with(
        week("b", "f", 3, 1, "2026-01-20T09:00:00Z"),
        json!({"isRecurring": false, "id": null}),
    );
    let report = small(&[week("a", "f", 1, 4, MONDAY), alone], &[]).migrate(&rules).compare(&rules);
    assert!(
        report.is_explained() && report.differences[&Class::DuplicateAllocation] == 1,
        "{report:#?}"
    );
    // Two bases: the legacy view counts from the answered one, the migration from the earlier one.
    let answered =
        json!({"status": "completed", "responseId": "r1", "completedAt": "2026-01-13T10:00:00Z"});
    let later_base = with(week("b", "f", 1, 3, "2026-01-13T09:00:00Z"), answered);
    let report =
        small(&[week("a", "f", 1, 4, MONDAY), later_base], &[]).migrate(&rules).compare(&rules);
    assert!(report.is_explained(), "{report:#?}");
    assert_eq!(report.differences[&Class::DuplicateAllocation], 3);

    // Of two answered documents the legacy view shows the one with a response. That hides no change
    // of the other.
    let closed = with(week("a", "f", 1, 2, MONDAY), json!({"status": "completed"}));
    let answered =
        json!({"status": "completed", "responseId": "r1", "completedAt": "2026-01-13T10:00:00Z"});
    let mut both =
        small(&[closed, with(week("b", "f", 1, 2, "2026-01-13T09:00:00Z"), answered)], &[])
            .migrate(&rules);
    let report = both.compare(&rules);
    assert!(
        report.is_explained() && report.differences.contains_key(&Class::DuplicateAllocation),
        "{report:#?}"
    );
    both.tamper(&series_of("f"), |series| item(series, 1).stored.score = Some(7.into()));
    assert!(both.compare(&rules).unexplained.iter().any(|found| found.what.starts_with("score: ")));
}

#[test]
fn kept_weekday_needs_the_rule() {
    let weekday = ParityRules { due: DueRule::Weekday, ..ParityRules::default() };
    let both = small(&[week("a", "f", 1, 4, "2026-01-08T15:30:00Z")], &[]).migrate(&weekday);
    let report = both.compare(&weekday);
    assert!(report.is_explained(), "{report:#?}");
    assert_eq!(report.differences[&Class::KeptWeekday], 3);
    let report = both.compare(&ParityRules::default());
    assert!(report.unexplained_total > 0 && !report.differences.contains_key(&Class::KeptWeekday));
    // The rule explains its own weekday only.
    let mut moved = both;
    moved.tamper(&series_of("f"), |series| {
        item(series, 3).reschedule(Some("2026-01-23T09:00:00Z".parse().unwrap()))
    });
    assert!(moved.compare(&weekday).unexplained.iter().all(|found| found.week == 3));
    assert!(!moved.compare(&weekday).is_explained());
}

#[test]
fn status_rule_needs_another_grace_and_explains_nothing_but_overdue() {
    let at_once = ParityRules { overdue_after_milliseconds: 0, ..ParityRules::default() };
    let both = small(&[week("a", "f", 1, 4, MONDAY)], &[]).migrate(&at_once);
    let report = both.compare(&at_once);
    assert!(report.is_explained(), "{report:#?}");
    assert_eq!(report.differences[&Class::StatusRule], 4);
    assert!(!both.compare(&ParityRules::default()).differences.contains_key(&Class::StatusRule));
    let mut missed = both;
    missed.tamper(&series_of("f"), |series| item(series, 2).mark_missed());
    for rules in [at_once, ParityRules::default()] {
        assert!(
            missed
                .compare(&rules)
                .unexplained
                .iter()
                .any(|found| found.week == 2 && found.what.starts_with("status: "))
        );
    }
}

#[test]
fn late_link_needs_the_link_and_the_responses_own_values() {
    let rules = ParityRules::default();
    let response = json!({"_id": "r3", "assignmentId": "assignment-a", "clientId": "c1", "formId": "f", "recurringWeek": 3, "score": 71,
        "submittedAt": "2026-01-20T10:00:00Z"});
    let both = small(&[week("a", "f", 1, 4, MONDAY)], &[response]).migrate(&rules);
    let report = both.compare(&rules);
    assert!(report.is_explained(), "{report:#?}");
    assert_eq!(report.differences[&Class::LateLink], 1);

    let mut better = both.clone();
    better.tamper(&series_of("f"), |series| item(series, 3).stored.score = Some(72.into()));
    assert!(
        better.compare(&rules).unexplained[0]
            .what
            .starts_with("score: legacy absent, pre-created 72")
    );
    let mut unlinked = both;
    unlinked.tamper(&series_of("f"), |series| series.linked.clear());
    let report = unlinked.compare(&rules);
    assert!(
        report.unexplained_total > 0 && !report.differences.contains_key(&Class::LateLink),
        "{report:#?}"
    );
}

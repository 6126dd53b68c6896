//! The audit: every kind of dirt is found where it is and nowhere else, and the figures are those
//! of the fixtures.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{MemoryStore, assert_golden, read_fixture, small_export, write_collection};
use rollbook_domain::event::{LinkKind, Origin};
use rollbook_domain::series::items::terms_of;
use rollbook_domain::series::{assignment_id, response_id};
use rollbook_domain::{Event, JsonText, NewEvent, Personal, StreamId};
use rollbook_migrations::audit::{AuditReport, AuditRules, FindingKind, audit};
use rollbook_migrations::export_reader::{Export, ExportSource, JsonDirectory};
use rollbook_migrations::import::{ImportedState, plan_import};
use serde_json::{Value, json};

fn rules(zone: &str) -> AuditRules {
    AuditRules { now: "2026-01-15T09:30:00Z".parse().unwrap(), zone: zone.parse().unwrap() }
}

fn report_of(store: &MemoryStore) -> AuditReport {
    audit(store, &rules("UTC")).unwrap()
}

fn store_of(export: Export) -> MemoryStore {
    MemoryStore::of(&plan_import(export, &ImportedState::default()).events)
}

fn fixture_report(name: &str) -> AuditReport {
    audit(
        &store_of(read_fixture(name)),
        &rules(if name == "dirty-london" { "Europe/London" } else { "UTC" }),
    )
    .unwrap()
}

fn with(mut document: Value, fields: Value) -> Value {
    for (key, value) in fields.as_object().unwrap() {
        match value {
            Value::String(text) if text == "(absent)" => {
                document.as_object_mut().unwrap().remove(key)
            }
            _ => document.as_object_mut().unwrap().insert(key.clone(), value.clone()),
        };
    }
    document
}

/// A week of client `c`, form `f`, without any dirt.
fn week(id: &str, week: u32, fields: Value) -> Value {
    let due = format!("2026-01-{:02}T09:00:00Z", 5 + 7 * (week - 1).min(3));
    with(
        json!({"_id": id, "id": format!("legacy-{id}"), "clientId": "c", "formId": "f", "formTitle": "Weekly", "coachId": "k", "assignedBy": "k",
        "dueDate": due, "status": "active", "isRecurring": true, "recurringWeek": week, "totalWeeks": 4}),
        fields,
    )
}

fn answer(id: &str, named: &str, fields: Value) -> Value {
    with(
        json!({"_id": id, "assignmentId": named, "clientId": "c", "formId": "f", "recurringWeek": 1, "score": 50, "submittedAt": "2026-01-06T09:00:00Z"}),
        fields,
    )
}

/// The findings among these assignments and responses: codes and the documents of each.
fn found(assignments: &[Value], responses: &[Value]) -> BTreeMap<&'static str, Vec<Vec<String>>> {
    let directory = small_export(&[json!({"_id": "c", "authUid": "u"})], assignments, responses);
    write_collection(directory.path(), "coaches", &[json!({"_id": "k"})]);
    let report = report_of(&store_of(JsonDirectory::new(directory.path()).read().unwrap()));
    report
        .findings
        .iter()
        .map(|group| {
            (
                group.code.code(),
                group.findings.iter().map(|finding| finding.documents.clone()).collect(),
            )
        })
        .collect()
}

#[track_caller]
fn assert_found(
    assignments: &[Value],
    responses: &[Value],
    expected: &[(&'static str, &[&[&str]])],
) {
    let expected: BTreeMap<&str, Vec<Vec<String>>> = expected
        .iter()
        .map(|(code, findings)| {
            (
                *code,
                findings
                    .iter()
                    .map(|documents| documents.iter().map(|id| (*id).to_owned()).collect())
                    .collect(),
            )
        })
        .collect();
    assert_eq!(found(assignments, responses), expected);
}

#[test]
fn a_clean_series_has_no_findings() {
    let done = json!({"status": "completed", "responseId": "r", "completedAt": "2026-01-06T09:00:00Z", "score": 50});
    assert_found(
        &[week("a", 1, done), week("b", 2, json!({}))],
        &[answer("r", "a", json!({}))],
        &[],
    );
    assert_found(
        &[
            week("a", 1, json!({"status": "inactive", "assignedBy": "Coach"})),
            week(
                "s",
                1,
                json!({"formId": "g", "isRecurring": false, "totalWeeks": 1, "dueDate": "2026-01-07T09:00:00Z", "assignedBy": "Kim Frost", "score": 0}),
            ),
        ],
        &[],
        &[],
    );
}

#[test]
fn dirt_of_one_assignment_is_found() {
    let one = |fields: Value, code: &'static str| {
        assert_found(&[week("a", 1, json!({})), week("b", 2, fields)], &[], &[(code, &[&["b"]])])
    };
    one(json!({"dueDate": null}), "due-null");
    one(json!({"dueDate": "(absent)"}), "due-missing");
    one(
        json!({"status": "inactive", "pausedUntil": "2026-01-15T09:30:00Z"}),
        "inactive-pause-past",
    );
    one(
        json!({"status": "inactive", "pausedUntil": "2026-01-15T09:30:00.001Z"}),
        "inactive-pause-future",
    );
    one(json!({"status": "overdue"}), "stored-overdue");
    one(json!({"status": "missed", "score": 0}), "stored-missed");
    one(json!({"status": "completed", "score": 0}), "score-zero");
    one(json!({"formTitle": ""}), "form-title-empty");
    one(json!({"formTitle": "(absent)"}), "form-title-empty");
    one(json!({"assignedBy": "someone-gone"}), "assigned-by-gone");
    one(json!({"clientId": "u"}), "split-identity");
    one(json!({"id": "a_week_2"}), "week-n-id");
    one(json!({"id": "legacy-a"}), "base-id-reused");
    one(json!({"id": "a"}), "base-id-reused");
    assert_found(
        &[week("a", 1, json!({"recurringWeek": "(absent)"}))],
        &[],
        &[("assignment-without-week", &[&["a"]])],
    );
    assert_found(
        &[week("a", 1, json!({"dueDate": "2026-01-06T09:00:00Z"}))],
        &[],
        &[("base-due-not-monday", &[&["a"]])],
    );
}

#[test]
fn numbers_of_weeks_beyond_a_run_are_found_by_document_and_field() {
    for weeks in [521_u64, 20_000_000, 4_000_000_000, 5_000_000_000] {
        let base = json!({"totalWeeks": weeks});
        assert_found(&[week("a", 1, base)], &[], &[("total-weeks-too-large", &[&["a"]])]);
    }
    assert_found(&[week("a", 1, json!({"totalWeeks": 520}))], &[], &[]);
    assert_found(
        &[week("a", 1, json!({})), week("b", 521, json!({}))],
        &[],
        &[("recurring-week-too-large", &[&["b"]])],
    );
    let directory = small_export(
        &[json!({"_id": "c"})],
        &[week("a", 1, json!({"totalWeeks": 4_000_000_000_u64}))],
        &[],
    );
    let store = store_of(JsonDirectory::new(directory.path()).read().unwrap());
    assert_eq!(report_of(&store).totals.weeks_expected, 520);
}

#[test]
fn a_monday_is_one_in_the_old_servers_zone() {
    let directory = small_export(
        &[json!({"_id": "c"})],
        &[week("a", 1, json!({"dueDate": "2026-07-05T23:30:00Z"}))],
        &[],
    );
    write_collection(directory.path(), "coaches", &[json!({"_id": "k"})]);
    let store = store_of(JsonDirectory::new(directory.path()).read().unwrap());
    assert_eq!(report_of(&store).of(FindingKind::BaseDueNotMonday).len(), 1);
    assert!(audit(&store, &rules("Europe/London")).unwrap().findings.is_empty());
}

#[test]
fn dirt_of_a_series_is_found() {
    assert_found(
        &[
            week("a", 1, json!({})),
            week("x", 1, json!({})),
            week("b", 2, json!({"clientId": "u"})),
            week("y", 2, json!({})),
        ],
        &[],
        &[("duplicate-week", &[&["a", "x"], &["b", "y"]]), ("split-identity", &[&["b"]])],
    );
    assert_found(&[week("b", 2, json!({}))], &[], &[("series-without-week-1", &[&["b"]])]);
    let far = json!({"totalWeeks": 52, "status": "completed"});
    assert_found(
        &[week("a", 1, json!({})), week("b", 2, json!({})), week("z", 49, far)],
        &[],
        &[("completed-week-ahead", &[&["z"]])],
    );
    let unknown = [
        week("a", 1, json!({"clientId": "nobody"})),
        week("b", 1, json!({"clientId": "nobody", "formId": "g"})),
    ];
    assert_found(&unknown, &[], &[("client-unknown", &[&["a", "b"]])]);
}

#[test]
fn dirt_between_assignments_and_responses_is_found() {
    let done = |response: &str| json!({"status": "completed", "responseId": response, "score": 50});
    let weekless = json!({"recurringWeek": "(absent)"});
    assert_found(
        &[week("a", 1, done("r"))],
        &[answer("r", "a", weekless.clone())],
        &[("response-without-week", &[&["r"]])],
    );
    assert_found(
        &[week("a", 1, done("r")), week("b", 2, json!({}))],
        &[answer("r", "a", json!({"recurringWeek": 2}))],
        &[("response-names-week-1", &[&["r"]])],
    );
    assert_found(
        &[week("a", 1, done("r"))],
        &[answer("r", "legacy-a", json!({}))],
        &[("response-names-legacy-id", &[&["r"]])],
    );
    assert_found(
        &[week("a", 1, json!({}))],
        &[answer("r", "nothing", json!({}))],
        &[("response-names-nothing", &[&["r"]]), ("response-not-named-back", &[&["r"]])],
    );
    assert_found(
        &[week("a", 1, done("absent"))],
        &[],
        &[("assignment-response-missing", &[&["a"]])],
    );
    assert_found(
        &[week("a", 1, json!({})), week("b", 2, done("r"))],
        &[answer("r", "a", weekless)],
        &[
            ("assignment-response-names-another", &[&["b", "r"]]),
            ("response-without-week", &[&["r"]]),
        ],
    );
    assert_found(
        &[week("a", 1, json!({}))],
        &[answer("r", "a", json!({}))],
        &[("response-not-named-back", &[&["r"]])],
    );
    // The id is the base's too: the response's own week bears the name it uses.
    assert_found(
        &[week("a", 1, json!({})), week("b", 2, with(done("r"), json!({"id": "legacy-a"})))],
        &[answer("r", "legacy-a", json!({"recurringWeek": 2}))],
        &[("base-id-reused", &[&["b"]]), ("response-names-legacy-id", &[&["r"]])],
    );
}

#[test]
fn names_are_looked_for_in_every_series() {
    let done = |response: &str| json!({"status": "completed", "responseId": response, "score": 50});
    let elsewhere = json!({"formId": "g"});
    let clean = [week("a", 1, done("r"))];
    assert_found(&clean, &[answer("r", "a", elsewhere.clone())], &[]);
    assert_found(
        &clean,
        &[answer("r", "legacy-a", elsewhere.clone())],
        &[("response-names-legacy-id", &[&["r"]])],
    );
    assert_found(
        &[week("a", 1, done("r")), week("b", 2, json!({}))],
        &[answer("r", "b", with(elsewhere, json!({"recurringWeek": 2})))],
        &[("assignment-response-names-another", &[&["a", "r"]])],
    );
    let directory = small_export(
        &[],
        &[week("a", 3, json!({}))],
        &[answer("r", "legacy-a", json!({"formId": "g", "recurringWeek": "(absent)"}))],
    );
    let report = report_of(&store_of(JsonDirectory::new(directory.path()).read().unwrap()));
    assert_eq!(
        report.responses_by_week.weeks,
        BTreeMap::from([(3, 1)]),
        "a response without a week counts under its assignment's, wherever that is"
    );
}

#[test]
fn the_tracker_counts_what_the_old_audit_counted() {
    let report = fixture_report("tracker");
    assert_eq!(
        (report.totals.clients, report.totals.responses, report.totals.weeks_missing),
        (26, 36, 691)
    );
    assert_eq!(
        report.responses_by_week.weeks,
        BTreeMap::from([(1, 31), (2, 2), (3, 1), (4, 1), (5, 1)])
    );
    assert_eq!(report.responses_by_week.unknown, 0);
    let by_client: u64 = report.clients.values().map(|client| client.responses).sum();
    assert_eq!((by_client, report.clients.len()), (36, 26));
}

#[test]
fn the_fixtures_findings_are_those_counted_by_hand() {
    let counts = |name| {
        fixture_report(name)
            .findings
            .iter()
            .map(|group| (group.code.code(), group.count))
            .collect::<BTreeMap<_, _>>()
    };
    let dirty = [
        ("assigned-by-gone", 4),
        ("assignment-response-names-another", 9),
        ("assignment-without-week", 1),
        ("base-due-not-monday", 9),
        ("base-id-reused", 29),
        ("completed-week-ahead", 21),
        ("due-null", 3),
        ("duplicate-week", 18),
        ("form-title-empty", 5),
        ("inactive-pause-future", 6),
        ("inactive-pause-past", 1),
        ("response-names-legacy-id", 11),
        ("response-names-week-1", 5),
        ("response-not-named-back", 2),
        ("response-without-week", 24),
        ("score-zero", 16),
        ("split-identity", 9),
        ("stored-missed", 8),
        ("stored-overdue", 6),
        ("week-n-id", 46),
    ];
    assert_eq!(counts("dirty"), BTreeMap::from(dirty));
    let tracker = [
        ("completed-week-ahead", 1),
        ("response-names-week-1", 2),
        ("response-not-named-back", 2),
        ("response-without-week", 2),
        ("week-n-id", 3),
    ];
    assert_eq!(counts("tracker"), BTreeMap::from(tracker));
}

#[test]
fn what_the_migration_and_later_answers_add_is_no_dirt() {
    let directory = small_export(
        &[json!({"_id": "c"})],
        &[week("a", 1, json!({})), week("z", 4, json!({"status": "completed"}))],
        &[answer("r", "a", json!({"recurringWeek": 2}))],
    );
    write_collection(directory.path(), "coaches", &[json!({"_id": "k"})]);
    let mut store = store_of(JsonDirectory::new(directory.path()).read().unwrap());
    let stream = StreamId::series("c", "f");
    let terms = terms_of(&store.series[&stream].items.base(1).unwrap().stored);
    let due = "2026-01-12T09:00:00Z".parse().unwrap();
    let made = |week| Event::AssignmentCreated {
        assignment: assignment_id("c", "f", 1, week),
        run: 1,
        week,
        due,
        origin: Origin::Migration,
        terms: terms.clone().into(),
    };
    let linked = Event::ResponseLinked {
        response: "r".to_owned(),
        run: 1,
        week: 2,
        named: "a".to_owned(),
        kind: LinkKind::Linked,
        completed_at: Some(due),
        score: None,
    };
    let assignment = assignment_id("c", "f", 1, 3);
    let submitted = Event::ResponseSubmitted {
        assignment,
        run: 1,
        week: 3,
        response: response_id(assignment, 1).to_string(),
        submitted_at: due,
        score: Some(70),
        answers: Personal::new(JsonText::parse("[]").unwrap()),
        legacy_due: due,
    };
    let event = |event| NewEvent { stream: stream.clone(), id: None, occurred_at: due, event };
    assert!(!report_of(&store).findings.is_empty());
    store.append(&[event(made(2)), event(made(3)), event(linked), event(submitted)]);
    let report = report_of(&store);
    assert_eq!(
        report.findings.iter().map(|group| group.code.code()).collect::<Vec<_>>(),
        Vec::<&str>::new()
    );
    assert_eq!((report.totals.responses, report.totals.weeks_missing), (2, 0));
    assert_eq!(report.responses_by_week.weeks, BTreeMap::from([(2, 1), (3, 1)]));
}

#[test]
fn a_week_that_was_withdrawn_is_not_missing() {
    let directory = small_export(
        &[json!({"_id": "c"})],
        &[week("a", 1, json!({})), week("b", 2, json!({}))],
        &[],
    );
    let mut store = store_of(JsonDirectory::new(directory.path()).read().unwrap());
    assert_eq!(report_of(&store).totals.weeks_missing, 2);
    let event =
        Event::AssignmentWithdrawn { run: 1, week: 2, reason: Personal::new("left".to_owned()) };
    store.append(&[NewEvent {
        stream: StreamId::series("c", "f"),
        id: None,
        occurred_at: rules("UTC").now,
        event,
    }]);
    let totals = report_of(&store).totals;
    assert_eq!((totals.weeks_stored, totals.weeks_missing), (1, 2));
}

#[test]
fn every_kind_has_a_code_of_its_own_and_an_explanation() {
    let codes: BTreeSet<&str> = FindingKind::ALL.into_iter().map(FindingKind::code).collect();
    assert_eq!(codes.len(), FindingKind::ALL.len());
    for kind in FindingKind::ALL {
        assert!(
            kind.code().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
            "{}",
            kind.code()
        );
        assert!(
            kind.explanation().ends_with('.') && kind.migration().ends_with('.'),
            "{}",
            kind.code()
        );
    }
}

#[test]
fn the_report_as_markdown_and_json() {
    let report = fixture_report("dirty");
    assert_golden("audit-dirty.md", report.to_markdown().as_bytes());
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["totals"]["responses"], 80);
    assert_eq!(json["findings"][0]["code"], "split-identity");
    assert_eq!(json["findings"][0]["count"], 9);
    assert_eq!(json["responsesByWeek"]["weeks"]["1"], 45);
}

#[test]
fn ids_cannot_break_the_markdown() {
    let directory = small_export(&[json!({"_id": "a`|\nb"})], &[], &[]);
    let text =
        report_of(&store_of(JsonDirectory::new(directory.path()).read().unwrap())).to_markdown();
    assert!(text.contains("| `` a`\\| b `` | 0 | 0 | 0 |  |"), "{text}");
}

/// The findings about fields: code, document and field.
fn odd_fields(report: &AuditReport) -> Vec<(&'static str, String, String)> {
    [FindingKind::FieldOfOtherType, FindingKind::FieldBeyondReason]
        .into_iter()
        .flat_map(|kind| report.of(kind).iter().map(move |finding| (kind.code(), finding)))
        .map(|(code, found)| (code, found.documents[0].clone(), found.field.clone().unwrap()))
        .collect()
}

#[test]
fn a_week_written_as_a_float_is_that_week() {
    let weeks: Value =
        serde_json::from_str(r#"{"recurringWeek": 3.0, "totalWeeks": 5.2e1}"#).unwrap();
    let directory = small_export(
        &[json!({"_id": "c"})],
        &[week("a", 1, json!({"totalWeeks": 52.0})), week("b", 3, weeks)],
        &[answer("r", "b", json!({"recurringWeek": 3.0}))],
    );
    let store = store_of(JsonDirectory::new(directory.path()).read().unwrap());
    let report = report_of(&store);
    assert_eq!((report.totals.weeks_expected, report.totals.weeks_missing), (52, 50));
    assert_eq!(report.responses_by_week.weeks, BTreeMap::from([(3, 1)]));
    assert_eq!(odd_fields(&report), []);
}

#[test]
fn a_value_that_is_read_as_something_else_is_found_with_its_field() {
    let directory = small_export(
        &[json!({"_id": "c", "canStartCheckIns": 1})],
        &[
            week("a", 1, json!({"totalWeeks": "52", "isRecurring": 1})),
            week("b", 2, json!({"formId": null})),
            week(
                "d",
                3,
                json!({"dueDate": {"_seconds": 1_767_603_600_000_i64, "_nanoseconds": 0}}),
            ),
            week("e", 4, json!({"totalWeeks": 0})),
        ],
        &[answer("r", "a", json!({"score": "80"}))],
    );
    let report = report_of(&store_of(JsonDirectory::new(directory.path()).read().unwrap()));
    let mut found = odd_fields(&report);
    found.sort();
    let found: Vec<(&str, &str, &str)> = (found.iter())
        .map(|(code, document, field)| (*code, document.as_str(), field.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("field-beyond-reason", "d", "check_in_assignments.dueDate"),
            ("field-beyond-reason", "e", "check_in_assignments.totalWeeks"),
            ("field-of-other-type", "a", "check_in_assignments.isRecurring"),
            ("field-of-other-type", "a", "check_in_assignments.totalWeeks"),
            ("field-of-other-type", "b", "check_in_assignments.formId"),
            ("field-of-other-type", "c", "clients.canStartCheckIns"),
            ("field-of-other-type", "r", "formResponses.score"),
        ]
    );
    let text = report.to_markdown();
    assert!(
        text.contains("client `c`, form `f`: `a`, field `check_in_assignments.isRecurring`"),
        "{text}"
    );
}

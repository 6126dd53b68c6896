//! The properties of a sample, read back from its files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use chrono::{DateTime, Datelike, NaiveDate, Weekday};
use serde_json::Value;

use super::{SampleOptions, SampleSize, SampleSummary, write_export};

const COLLECTIONS: [&str; 8] = [
    "clients",
    "coaches",
    "users",
    "forms",
    "check_in_assignments",
    "formResponses",
    "coachFeedback",
    "check_in_extensions",
];

/// Documents of all collections.
type Documents = BTreeMap<&'static str, Vec<Value>>;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn write(options: &SampleOptions) -> (SampleSummary, Documents, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let summary = write_export(directory.path(), options).unwrap();
    let documents = COLLECTIONS.map(|name| (name, read(directory.path(), name)));
    (summary, documents.into_iter().collect(), directory)
}

fn read(directory: &Path, name: &str) -> Vec<Value> {
    let file: Value =
        serde_json::from_str(&fs::read_to_string(directory.join(format!("{name}.json"))).unwrap())
            .unwrap();
    assert_eq!(file["collection"], name);
    let documents = file["documents"].as_array().unwrap().clone();
    assert_eq!(file["totalDocuments"], documents.len());
    let ids: BTreeSet<&str> = documents.iter().map(|document| text(document, "_id")).collect();
    assert_eq!(ids.len(), documents.len(), "{name} has an id twice");
    documents
}

fn text<'a>(document: &'a Value, field: &str) -> &'a str {
    document[field].as_str().unwrap_or_else(|| panic!("{field} of {document}"))
}

fn number(document: &Value, field: &str) -> u64 {
    document[field].as_u64().unwrap_or_else(|| panic!("{field} of {document}"))
}

fn by_id(documents: &[Value]) -> BTreeMap<&str, &Value> {
    documents.iter().map(|document| (text(document, "_id"), document)).collect()
}

/// Counts series, weeks without a document, and responses stored under another week.
fn figures(documents: &Documents) -> (u64, u64, u64) {
    let mut weeks: BTreeMap<(&str, &str), (u64, BTreeSet<u64>)> = BTreeMap::new();
    let assignments = &documents["check_in_assignments"];
    for document in assignments.iter().filter(|document| document["isRecurring"] == true) {
        let (total, stored) =
            weeks.entry((text(document, "clientId"), text(document, "formId"))).or_default();
        *total = number(document, "totalWeeks");
        stored.insert(number(document, "recurringWeek"));
    }
    let missing = weeks.values().map(|(total, stored)| total - stored.len() as u64).sum();
    let named = by_id(assignments);
    let misfiled = documents["formResponses"].iter().filter(|response| {
        let week = response["recurringWeek"].as_u64();
        week.is_some_and(|week| {
            week > 1 && number(named[text(response, "assignmentId")], "recurringWeek") != week
        })
    });
    (weeks.len() as u64, missing, misfiled.count() as u64)
}

#[test]
fn the_demo_has_its_figures_on_every_day_of_the_week() {
    for offset in 0..14 {
        let today = day("2026-12-24") + chrono::Duration::days(offset);
        let (summary, documents, _directory) = write(&SampleOptions::demo(today));
        assert_eq!(documents["clients"].len(), 26);
        assert_eq!(figures(&documents), (28, 691, 2));
        let counted = (summary.clients, summary.assignments, summary.responses);
        assert_eq!(counted, (26, 34, 36));
        assert_eq!(
            (summary.series, summary.weeks_to_create, summary.responses_to_link),
            (28, 691, 2)
        );

        let named = by_id(&documents["check_in_assignments"]);
        let mut by_week: BTreeMap<u64, u32> = BTreeMap::new();
        let mut weekless = 0;
        for response in &documents["formResponses"] {
            weekless += u32::from(response["recurringWeek"].is_null());
            let own = response["recurringWeek"].as_u64();
            *by_week
                .entry(own.unwrap_or_else(|| {
                    number(named[text(response, "assignmentId")], "recurringWeek")
                }))
                .or_default() += 1;
        }
        assert_eq!(by_week, BTreeMap::from([(1, 31), (2, 2), (3, 1), (4, 1), (5, 1)]));
        assert_eq!(weekless, 2);
    }
}

#[test]
fn dates_lie_around_the_day_of_the_export() {
    for offset in 0..7 {
        let today = day("2026-03-23") + chrono::Duration::days(offset);
        let (_summary, documents, _directory) = write(&SampleOptions::demo(today));
        let date = |document: &Value, field: &str| {
            DateTime::parse_from_rfc3339(text(document, field)).unwrap().to_utc()
        };
        for document in &documents["check_in_assignments"] {
            let due = date(document, "dueDate");
            assert_eq!(
                (due.weekday(), due.time().to_string()),
                (Weekday::Mon, String::from("09:00:00"))
            );
            assert!((due.date_naive() - today).num_days().abs() <= 35, "{document}");
            assert!(date(document, "assignedAt") < date(document, "completedAt"), "{document}");
            assert!(date(document, "completedAt").date_naive() < today, "{document}");
        }
        for response in &documents["formResponses"] {
            assert!(date(response, "submittedAt").date_naive() < today, "{response}");
        }
    }
}

#[test]
fn every_reference_names_a_document() {
    let (_summary, documents, _directory) = write(&SampleOptions::demo(day("2026-06-17")));
    let (clients, coaches, forms) =
        (by_id(&documents["clients"]), by_id(&documents["coaches"]), by_id(&documents["forms"]));
    let (assignments, responses) =
        (by_id(&documents["check_in_assignments"]), by_id(&documents["formResponses"]));
    for document in documents["check_in_assignments"].iter().chain(&documents["formResponses"]) {
        assert!(clients.contains_key(text(document, "clientId")), "{document}");
        assert!(coaches.contains_key(text(document, "coachId")), "{document}");
        assert_eq!(forms[text(document, "formId")]["title"], document["formTitle"]);
    }
    for assignment in assignments.values() {
        let response = responses[text(assignment, "responseId")];
        assert_eq!(response["assignmentId"], assignment["_id"]);
        for field in ["score", "totalQuestions", "clientId", "formId"] {
            assert_eq!(response[field], assignment[field], "{field} of {assignment}");
        }
        assert_eq!(response["submittedAt"], assignment["completedAt"]);
    }
    let emails = ["clients", "coaches", "users"]
        .into_iter()
        .flat_map(|name| &documents[name])
        .map(|document| text(document, "email"));
    assert!(emails.into_iter().all(|email| email.ends_with("@example.com")));
}

#[test]
fn the_series_worth_showing_are_named() {
    let (summary, documents, _directory) = write(&SampleOptions::demo(day("2026-06-17")));
    let gap = summary.gap.unwrap();
    assert_eq!((gap.answered_week, gap.first_missing_week), (4, 2));
    let stored = documents["check_in_assignments"]
        .iter()
        .filter(|document| document["clientId"] == gap.client_id.as_str());
    let weeks: Vec<u64> = stored.map(|document| number(document, "recurringWeek")).collect();
    assert_eq!(weeks, [1, 4]);
    let late = summary.late_link.unwrap();
    assert_eq!((late.answered_week, late.first_missing_week), (2, 2));
    assert_ne!(late.client_id, gap.client_id);
}

#[test]
fn the_same_options_write_the_same_bytes_and_another_seed_other_ids() {
    let options = SampleOptions::demo(day("2026-06-17"));
    let (_, _, first) = write(&options);
    let (_, _, again) = write(&options);
    let (_, _, other) = write(&SampleOptions { seed: options.seed + 1, ..options });
    for name in COLLECTIONS.into_iter().chain(["BACKUP_SUMMARY"]) {
        let bytes = |directory: &tempfile::TempDir| {
            fs::read(directory.path().join(format!("{name}.json"))).unwrap()
        };
        assert_eq!(bytes(&first), bytes(&again), "{name}");
    }
    let ids = |directory: &tempfile::TempDir| {
        by_id(&read(directory.path(), "clients"))
            .into_keys()
            .map(str::to_owned)
            .collect::<BTreeSet<_>>()
    };
    assert!(ids(&first).is_disjoint(&ids(&other)));
}

#[test]
fn a_scaled_sample_lacks_every_week_but_the_first() {
    let size = SampleSize::Scaled { clients: 150, series_per_client: 6, total_weeks: 52 };
    let (summary, documents, directory) =
        write(&SampleOptions { seed: 1, today: day("2026-06-17"), size });
    assert_eq!(documents["clients"].len(), 150);
    assert_eq!(figures(&documents), (900, 900 * 51, 45));
    assert_eq!(
        (summary.series, summary.weeks_to_create, summary.responses_to_link),
        (900, 900 * 51, 45)
    );
    assert_eq!(summary.responses, 945);
    let backup: Value = serde_json::from_str(
        &fs::read_to_string(directory.path().join("BACKUP_SUMMARY.json")).unwrap(),
    )
    .unwrap();
    let counts: Vec<(&str, u64)> = backup["collections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (text(entry, "name"), number(entry, "count")))
        .collect();
    assert_eq!(counts, COLLECTIONS.map(|name| (name, documents[name].len() as u64)));
}

//! The legacy view against an independent reading of its rules: random exports in fifteen zones,
//! asked on the edges of both horizons.

mod calendar;
mod exports;
mod rules;

use std::path::Path;

use chrono_tz::Tz;
use rollbook_domain::event::View;
use rollbook_projections::{Runtime, all};
use serde_json::{Value, json};

use crate::support;
use exports::{Export, Random};
use rules::{Documents, OldServer};

const ZONES: [Tz; 15] = [
    Tz::UTC,
    Tz::Europe__London,
    Tz::Africa__Casablanca,
    Tz::Australia__Sydney,
    Tz::Australia__Lord_Howe,
    Tz::America__New_York,
    Tz::America__St_Johns,
    Tz::America__Santiago,
    Tz::America__Havana,
    Tz::Atlantic__Azores,
    Tz::Africa__Cairo,
    Tz::Asia__Beirut,
    Tz::Asia__Kolkata,
    Tz::Pacific__Auckland,
    Tz::Pacific__Chatham,
];

/// Questions to each export.
const QUESTIONS: usize = 120;

/// How many exports are made: `ROLLBOOK_ORACLE_EXPORTS`, or a short run.
fn exports() -> usize {
    std::env::var("ROLLBOOK_ORACLE_EXPORTS").map_or(45, |count| count.parse().unwrap())
}

fn write(directory: &Path, all: &[&Documents]) {
    let file = |name: &str, of: fn(&Documents) -> &Vec<Value>| {
        let documents: Vec<&Value> = all.iter().flat_map(|documents| of(documents)).collect();
        let text = json!({"collection": name, "documents": documents}).to_string();
        std::fs::write(directory.join(format!("{name}.json")), text).unwrap();
    };
    file("clients", |documents| &documents.clients);
    file("coaches", |documents| &documents.coaches);
    file("check_in_assignments", |documents| &documents.assignments);
    file("coachFeedback", |documents| &documents.feedback);
    std::fs::write(directory.join("formResponses.json"), r#"{"documents": []}"#).unwrap();
}

/// A store with these documents, answered from by the legacy view.
fn store(zone: Tz, all_documents: &[&Documents]) -> (tempfile::TempDir, Runtime) {
    let directory = tempfile::tempdir().unwrap();
    let export = tempfile::tempdir().unwrap();
    write(export.path(), all_documents);
    let log = support::open(directory.path());
    support::import(&log, export.path(), zone.name());
    (directory, Runtime::new(log, all()))
}

/// Compares the answers of `count` exports of one zone; returns how many were compared, and how
/// many entries they had.
fn compare(zone: Tz, seed: u64, count: usize) -> (usize, usize) {
    let mut random = Random(seed);
    let mut made = Vec::new();
    for number in 0..count {
        let name = format!("e{number}");
        let documents = Documents::default();
        let mut export = Export { name: &name, zone, random: &mut random, documents };
        export.fill();
        let ids = export.ids();
        let edges: Vec<i64> = (0..QUESTIONS).map(|_| export.edge()).collect();
        made.push((export.documents, ids, edges));
    }
    let documents: Vec<&Documents> = made.iter().map(|(documents, ..)| documents).collect();
    let (_directory, runtime) = store(zone, &documents);
    let snapshot = runtime.snapshot().unwrap();
    let (rows, _) = snapshot.view(View::Legacy).unwrap();
    let (mut answers, mut entries) = (0, 0);
    for (documents, ids, edges) in &made {
        let server = OldServer { documents, zone };
        for now in edges {
            let id = random.one_of(ids);
            let body = support::body(&rows, &id, calendar::text(*now).parse().unwrap());
            let body: Value = serde_json::from_str(&body).unwrap();
            let expected = server.answer(&id, *now);
            assert_eq!(body, expected, "seed {seed}, {zone}: {id} at {}", calendar::text(*now));
            answers += 1;
            entries += expected["data"]["checkins"].as_array().unwrap().len();
        }
    }
    (answers, entries)
}

#[test]
fn random_exports_are_answered_as_the_rules_say() {
    let (mut answers, mut entries) = (0, 0);
    let count = exports();
    for (at, zone) in ZONES.into_iter().enumerate() {
        let share = count / ZONES.len() + usize::from(at < count % ZONES.len());
        let (more, shown) = compare(zone, 0x5eed + at as u64, share);
        (answers, entries) = (answers + more, entries + shown);
    }
    println!("{answers} answers of {count} exports with {entries} entries, 0 different");
    assert_eq!(answers, count * QUESTIONS);
    assert!(entries > answers, "the lists are nearly empty");
}

/// One client with the first of ten weeks.
fn one_series(due: &str) -> Documents {
    Documents {
        clients: vec![json!({"_id": "c1", "onboardingStatus": "completed"})],
        assignments: vec![json!({"_id": "a1", "id": "base1", "clientId": "c1", "formId": "f1",
            "dueDate": due, "assignedAt": "2026-01-01T10:00:00.000Z", "status": "active",
            "isRecurring": true, "recurringWeek": 1, "totalWeeks": 10})],
        ..Documents::default()
    }
}

/// Whether the answer shows a week, asked of the product and of the oracle.
fn shows(zone: Tz, base_due: &str, week: u64, now: &str) -> bool {
    let documents = one_series(base_due);
    let (_directory, runtime) = store(zone, &[&documents]);
    let body = support::view(&runtime, View::Legacy, "c1", support::at(now));
    let body: Value = serde_json::from_str(&body).unwrap();
    let server = OldServer { documents: &documents, zone };
    assert_eq!(body, server.answer("c1", calendar::instant(now)), "{zone} at {now}");
    let list = body["data"]["checkins"].as_array().unwrap();
    list.iter().any(|entry| entry["recurringWeek"] == json!(week))
}

#[test]
fn three_weeks_back_and_six_ahead_are_elapsed_time() {
    // Clocks went forward on 2026-03-22 in Casablanca: week 2 is due at 09:00Z.
    let casablanca = |now| shows(Tz::Africa__Casablanca, "2026-03-02T09:00:00.000Z", 2, now);
    assert!(casablanca("2026-03-30T09:00:00.000Z"), "exactly three weeks");
    assert!(!casablanca("2026-03-30T09:00:00.001Z"), "a millisecond more");
    // Clocks went back on 2026-04-05 in Sydney: week 2 is due at 2026-03-22T22:00Z.
    let sydney = |now| shows(Tz::Australia__Sydney, "2026-03-15T22:00:00.000Z", 2, now);
    assert!(sydney("2026-04-12T22:00:00.000Z"), "exactly three weeks");
    assert!(!sydney("2026-04-12T22:00:00.312Z"), "312 milliseconds more");
    // Week 7 in London is due at 2026-04-13T08:00Z, 6 elapsed weeks after 2026-03-02T08:00Z. Rule
    // 15 counts local days, so the list shows the week an hour later.
    let london = |now| shows(Tz::Europe__London, "2026-03-02T09:00:00.000Z", 7, now);
    assert!(!london("2026-03-02T08:59:59.999Z"));
    assert!(london("2026-03-02T09:00:00.000Z"));
    // Clocks go back in between, and rule 13 is the later of both.
    let autumn = |now| shows(Tz::Europe__London, "2026-09-21T08:00:00.000Z", 7, now);
    assert!(!autumn("2026-09-21T08:59:59.999Z"));
    assert!(autumn("2026-09-21T09:00:00.000Z"));
}

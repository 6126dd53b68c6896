//! The way back: an export of an import is the export, what happened since is in it, and a failed
//! export leaves nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::support::{FIXTURES, as_json, fixture, small_export, write_collection};
use proptest::prelude::*;
use rollbook_domain::document::StoredAssignment;
use rollbook_domain::event::{
    AssignedStatus, EventRecord, ExportedCollection, LinkKind, MissedReason, Origin, Terms,
    WeekDue, WeekMove,
};
use rollbook_domain::series::{LegacySeries, assignment_id, response_id};
use rollbook_domain::{
    Actor, Collection, Document, Event, JsonText, NewEvent, Personal, StreamId, Timestamp,
};
use rollbook_migrations::export_reader::{Export, ExportSource, JsonDirectory};
use rollbook_migrations::export_writer::{
    DocumentSource, ExportError, ExportMetadata, NO_PLACE, stream_documents, write_export,
};
use rollbook_migrations::import::{ImportedState, plan_import};
use serde_json::{Value, json};

/// A log in memory, read stream by stream.
#[derive(Default)]
struct MemoryLog {
    streams: BTreeMap<StreamId, Vec<EventRecord>>,
    collections: Vec<ExportedCollection>,
    summary: Option<JsonText>,
    breaks_after: Option<usize>,
}

impl MemoryLog {
    fn of(export: Export) -> Self {
        let mut log = Self::default();
        let plan = plan_import(export, &ImportedState::default());
        let completed = plan.completed("UTC");
        for event in plan.events.into_iter().chain(completed) {
            log.append(event);
        }
        log
    }

    fn append(&mut self, event: NewEvent) {
        if let Event::ImportCompleted { collections, summary, .. } = &event.event {
            (self.collections, self.summary) = (collections.clone(), summary.clone());
        }
        let position = 1 + self.streams.values().map(Vec::len).sum::<usize>() as u64;
        let stream = self.streams.entry(event.stream.clone()).or_default();
        stream.push(EventRecord {
            position,
            stream: event.stream,
            version: stream.len() as u64 + 1,
            id: event.id.unwrap_or(uuid::Uuid::from_u128(u128::from(position))),
            occurred_at: event.occurred_at,
            recorded_at: event.occurred_at,
            actor: Actor::System("test".to_owned()),
            cause: String::new(),
            event: event.event,
        });
    }

    fn happen(&mut self, stream: &StreamId, event: Event) {
        self.append(NewEvent {
            stream: stream.clone(),
            id: None,
            occurred_at: at("2026-02-01T10:00:00Z"),
            event,
        });
    }

    fn export(&self, directory: &Path) -> Result<BTreeMap<Collection, u64>, ExportError> {
        write_export(
            self,
            &ExportMetadata {
                collections: self.collections.clone(),
                summary: self.summary.clone(),
            },
            directory,
        )
    }

    /// Exports, and reads the export.
    fn exported(&self) -> Export {
        let directory = tempfile::tempdir().unwrap();
        self.export(directory.path()).unwrap();
        JsonDirectory::new(directory.path()).read().unwrap()
    }
}

impl DocumentSource for MemoryLog {
    fn each_document(
        &self,
        take: &mut dyn FnMut(&Document) -> Result<(), ExportError>,
    ) -> Result<(), ExportError> {
        let mut shown = 0;
        for (stream, events) in self.streams.iter().rev() {
            for document in stream_documents(stream, events) {
                if self.breaks_after == Some(shown) {
                    return Err(ExportError::Store("the disk is gone".into()));
                }
                shown += 1;
                take(&document)?;
            }
        }
        Ok(())
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn documents(export: &Export, collection: Collection) -> BTreeMap<String, Value> {
    let of = export.collections.iter().filter(|(exported, _)| exported.collection == collection);
    of.flat_map(|(_, documents)| documents)
        .map(|document| (document.id.clone(), document.body.expose().unwrap().read().unwrap()))
        .collect()
}

fn names_in(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn an_export_of_an_import_equals_the_export() {
    for name in FIXTURES {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("again");
        let log = MemoryLog::of(crate::support::read_fixture(name));
        let counts = log.export(&target).unwrap();
        assert_eq!(as_json(&target), as_json(&fixture(name)), "{name}");
        let read = crate::support::read_fixture(name);
        assert_eq!(
            counts,
            read.collections
                .iter()
                .map(|(exported, documents)| (exported.collection, documents.len() as u64))
                .collect()
        );
        assert_eq!(names_in(parent.path()), ["again"], "nothing is left beside the export");
        let first = plan_import(read, &ImportedState::default());
        let again =
            plan_import(JsonDirectory::new(&target).read().unwrap(), &ImportedState::default());
        assert_eq!(first.events, again.events);
        assert_eq!(first.completed("UTC"), again.completed("UTC"));
    }
}

#[test]
fn odd_fields_numbers_and_headers_survive() {
    let directory = small_export(
        &[],
        &[
            json!({"_id": "a\"\\\n", "clientId": 7, "dueDate": {"_seconds": 1, "_nanoseconds": 5}}),
            json!({"_id": "b"}),
        ],
        &[],
    );
    let forms = r#"{"collection":"forms","totalDocuments":2,"exporter":{"v":{"x":1.10}},"documents":[{"_id":"z","n":12345678901234567890.50},{"_id":"a","e":[1e2]}]}"#;
    std::fs::write(directory.path().join("forms.json"), forms).unwrap();
    write_collection(directory.path(), "users", &[]);
    let read = JsonDirectory::new(directory.path()).read().unwrap();
    let exported = MemoryLog::of(read.clone()).exported();
    assert_eq!(exported, read, "field by field and digit by digit");
}

#[test]
fn a_document_of_several_streams_is_exported_once() {
    let weeks = ["f", "g"]
        .map(|form| json!({"_id": form, "clientId": "c", "formId": form, "responseId": "r"}));
    let directory = small_export(&[], &weeks, &[]);
    write_collection(directory.path(), "coachFeedback", &[json!({"_id": "b", "responseId": "r"})]);
    let read = JsonDirectory::new(directory.path()).read().unwrap();
    let log = MemoryLog::of(read.clone());
    assert_eq!(
        log.streams
            .values()
            .flatten()
            .filter(|recorded| recorded.event.name() == "FeedbackImported")
            .count(),
        2
    );
    assert_eq!(log.exported(), read);
}

#[test]
fn a_directory_that_holds_something_is_refused() {
    let log = MemoryLog::of(crate::support::read_fixture("tracker"));
    let parent = tempfile::tempdir().unwrap();
    std::fs::write(parent.path().join("file"), "x").unwrap();
    let error = log.export(parent.path()).unwrap_err();
    assert!(
        matches!(&error, ExportError::NotEmpty { .. })
            && error.to_string().contains("is not empty"),
        "{error}"
    );
    let error = log.export(&parent.path().join("file")).unwrap_err();
    assert!(matches!(error, ExportError::NotADirectory { .. }), "{error}");
    let error = log.export(&parent.path().join("absent/target")).unwrap_err();
    assert!(
        matches!(&error, ExportError::Write { .. }) && error.to_string().contains("absent"),
        "{error}"
    );
    assert_eq!(names_in(parent.path()), ["file"]);
    std::fs::create_dir(parent.path().join("empty")).unwrap();
    log.export(&parent.path().join("empty")).unwrap();
    assert_eq!(as_json(&parent.path().join("empty")).len(), 9);
}

#[test]
fn an_export_that_breaks_off_leaves_nothing() {
    let parent = tempfile::tempdir().unwrap();
    for breaks_after in [0, 1, 50] {
        let mut log = MemoryLog::of(crate::support::read_fixture("tracker"));
        log.breaks_after = Some(breaks_after);
        let error = log.export(&parent.path().join("target")).unwrap_err();
        assert!(error.to_string().contains("the disk is gone"), "{error}");
        assert_eq!(names_in(parent.path()), Vec::<String>::new());
    }
}

fn series() -> StreamId {
    StreamId::series("c", "f")
}

/// A client with weeks 1 and 2 of 4, under both identities, and one response.
fn small_log() -> MemoryLog {
    let assignments = [
        json!({"_id": "a1", "id": "base", "clientId": "u", "coachId": "k", "formId": "f", "formTitle": "Weekly", "dueDate": {"_seconds": 1_767_603_600, "_nanoseconds": 5},
            "status": "completed", "responseId": "r", "completedAt": "2026-01-06T09:00:00Z", "score": 50.0, "isRecurring": true, "recurringWeek": 1, "totalWeeks": 4, "odd": [1.50, null]}),
        json!({"_id": "a2", "clientId": "c", "formId": "f", "dueDate": "2026-01-12T09:00:00.000Z", "isRecurring": true, "recurringWeek": 2, "totalWeeks": 4, "extra": {"b": 1, "a": 2}}),
    ];
    let directory = small_export(
        &[json!({"_id": "c", "authUid": "u"})],
        &assignments,
        &[json!({"_id": "r", "assignmentId": "a1", "clientId": "u", "formId": "f"})],
    );
    let summary = json!({"collections": [{"name": "formResponses", "count": 1, "sizeMB": 0.0}, {"name": "clients", "count": 1}], "totals": {"totalDocuments": 4}});
    std::fs::write(directory.path().join("BACKUP_SUMMARY.json"), summary.to_string()).unwrap();
    MemoryLog::of(JsonDirectory::new(directory.path()).read().unwrap())
}

fn submitted(week: u32, ordinal: u32) -> Event {
    let assignment = assignment_id("c", "f", 1, week);
    Event::ResponseSubmitted {
        assignment,
        run: 1,
        week,
        response: response_id(assignment, ordinal).to_string(),
        submitted_at: at("2026-01-20T08:00:00.123456Z"),
        score: Some(80),
        answers: Personal::new(
            JsonText::parse(r#"[{"questionId":"q1","answer":"yes","weight":1.50},{"questionId":"q2","answer":null}]"#).unwrap(),
        ),
        legacy_due: at("2026-01-19T09:00:00Z"),
    }
}

#[test]
fn an_answer_to_a_stored_week_changes_that_document_only() {
    let mut log = small_log();
    let before = log.exported();
    log.happen(&series(), submitted(2, 1));
    let after = log.exported();
    let response = response_id(assignment_id("c", "f", 1, 2), 1).to_string();
    let (mut wanted, mut responses) = (
        documents(&before, Collection::CheckInAssignments),
        documents(&before, Collection::FormResponses),
    );
    for (field, value) in [
        ("status", json!("completed")),
        ("completedAt", json!("2026-01-20T08:00:00.123456000Z")),
        ("score", json!(80)),
        ("responseId", json!(response)),
    ] {
        wanted.get_mut("a2").unwrap()[field] = value;
    }
    assert_eq!(documents(&after, Collection::CheckInAssignments), wanted);
    responses.insert(
        response,
        json!({"assignmentId": "a2", "clientId": "c", "coachId": "", "formId": "f", "formTitle": "", "recurringWeek": 2, "score": 80, "status": "completed",
            "responses": [{"questionId": "q1", "answer": "yes", "weight": 1.5}, {"questionId": "q2", "answer": null}],
            "answeredQuestions": 1, "totalQuestions": 2, "submittedAt": "2026-01-20T08:00:00.123456000Z"}),
    );
    assert_eq!(documents(&after, Collection::FormResponses), responses);
    let summary: Value = after.summary.as_ref().unwrap().read().unwrap();
    assert_eq!(
        summary,
        json!({"collections": [{"name": "formResponses", "count": 2, "sizeMB": 0.0}, {"name": "clients", "count": 1}], "totals": {"totalDocuments": 5}})
    );
    // Told by text, not as JSON values: a document that nothing happened to keeps its digits and
    // its timestamps' form.
    let text =
        |export: &Export| export.collections[1].1[0].body.expose().unwrap().as_str().to_owned();
    assert_eq!(text(&before), text(&after));
}

#[test]
fn an_answer_to_a_made_week_becomes_the_documents_the_old_system_would_have_made() {
    let mut log = small_log();
    let terms = Terms {
        stored_client: "u".into(),
        coach: "k".into(),
        title: "Weekly".into(),
        description: String::new(),
        assigned_by: None,
        assigned_at: None,
        window: None,
        recurring: true,
        total_weeks: 4,
    };
    let made = Event::AssignmentCreated {
        assignment: assignment_id("c", "f", 1, 3),
        run: 1,
        week: 3,
        due: at("2026-01-19T09:00:00Z"),
        origin: Origin::Migration,
        terms: terms.into(),
    };
    let before = log.exported();
    log.happen(&series(), made);
    assert_eq!(
        log.exported(),
        before,
        "a week that the migration made is no document until it is answered"
    );
    log.happen(&series(), submitted(3, 1));
    let id = assignment_id("c", "f", 1, 3).to_string();
    let response = response_id(assignment_id("c", "f", 1, 3), 1).to_string();
    log.happen(
        &series(),
        Event::FeedbackGiven {
            response: response.clone(),
            coach: "k".into(),
            text: Personal::new("Well done".into()),
        },
    );
    let after = log.exported();
    assert_eq!(
        documents(&after, Collection::CheckInAssignments)[&id],
        json!({"id": "base_week_3", "clientId": "u", "coachId": "k", "formId": "f", "formTitle": "Weekly", "description": "", "status": "completed", "dueDate": "2026-01-19T09:00:00.000Z",
            "completedAt": "2026-01-20T08:00:00.123456000Z", "responseId": response, "score": 80, "isRecurring": true, "recurringWeek": 3, "totalWeeks": 4, "checkInWindow": null})
    );
    let given = &documents(&after, Collection::FormResponses)[&response];
    assert_eq!(
        (&given["assignmentId"], &given["clientId"], &given["coachId"], &given["formTitle"]),
        (&json!(id), &json!("u"), &json!("k"), &json!("Weekly"))
    );
    let feedback: Vec<Value> = documents(&after, Collection::CoachFeedback).into_values().collect();
    assert_eq!(
        feedback,
        [
            json!({"responseId": response, "coachId": "k", "clientId": "u", "feedbackType": "text", "content": "Well done", "createdAt": "2026-02-01T10:00:00.000Z"})
        ]
    );
}

#[test]
fn documents_without_a_place_stand_last_and_withdrawn_ones_are_gone() {
    let mut log = small_log();
    log.happen(&series(), submitted(4, 1));
    log.happen(
        &series(),
        Event::AssignmentWithdrawn { run: 1, week: 2, reason: Personal::new("left".into()) },
    );
    let stream = stream_documents(&series(), &log.streams[&series()]);
    let made = assignment_id("c", "f", 1, 4).to_string();
    assert!(stream.iter().any(|document| document.id == made && document.ordinal == NO_PLACE));
    let after = log.exported();
    let ids: Vec<&str> =
        after.collections[1].1.iter().map(|document| document.id.as_str()).collect();
    assert_eq!(ids, ["a1", made.as_str()]);
    assert!(documents(&after, Collection::FormResponses).len() == 2);
}

fn later_event() -> impl Strategy<Value = Event> {
    let week = 1u32..6;
    let when =
        (0i64..90).prop_map(|days| at("2026-01-01T08:30:00Z").plus_milliseconds(days * 86_400_000));
    prop_oneof![
        (week.clone(), 1u32..9).prop_map(|(week, ordinal)| submitted(week, ordinal)),
        week.clone().prop_map(|week| Event::AssignmentMissed {
            run: 1,
            week,
            reason: MissedReason::Sick,
            comment: None
        }),
        week.clone().prop_map(|week| Event::ExtensionGranted {
            run: 1,
            week,
            reason: Personal::new("ill".into())
        }),
        week.clone().prop_map(|week| Event::AssignmentReopened { run: 1, week }),
        week.clone().prop_map(|week| Event::StatusAssigned {
            run: 1,
            week,
            status: AssignedStatus::Completed
        }),
        week.clone().prop_map(|week| Event::StatusAssigned {
            run: 1,
            week,
            status: AssignedStatus::Pending
        }),
        (week.clone(), when.clone()).prop_map(|(week, due)| Event::AssignmentRescheduled {
            run: 1,
            week,
            due
        }),
        week.clone().prop_map(|week| Event::ResponseCleared {
            run: 1,
            week,
            response: "r".into(),
            reason: Personal::new("wrong".into())
        }),
        (week.clone(), when.clone(), proptest::option::of(when.clone())).prop_map(
            |(week, until, to)| Event::SeriesPaused {
                run: 1,
                pause_weeks: 1,
                until,
                moved: vec![WeekMove { week, from: None, to }]
            }
        ),
        (week.clone(), when.clone()).prop_map(|(week, due)| Event::SeriesResumed {
            run: 1,
            restored: vec![WeekDue { week, due: Some(due) }]
        }),
        (4u32..8).prop_map(|total_weeks| Event::SeriesExtended { run: 1, total_weeks }),
        week.clone().prop_map(|week| Event::AssignmentWithdrawn {
            run: 1,
            week,
            reason: Personal::new("left".into())
        }),
        (week, when).prop_map(|(week, at)| Event::ResponseLinked {
            response: "r".into(),
            run: 1,
            week,
            named: "a1".into(),
            kind: LinkKind::Linked,
            completed_at: Some(at),
            score: None
        }),
    ]
}

/// The stored weeks as both views read them: an id that is the document's own, or `active`, says
/// what a missing one says.
fn read_weeks(legacy: &LegacySeries) -> BTreeMap<String, StoredAssignment> {
    let read = |stored: &StoredAssignment| StoredAssignment {
        legacy_id: stored.public_id().to_owned(),
        // The old application had no such field.
        opened: false,
        status: if stored.status.is_empty() { "active".to_owned() } else { stored.status.clone() },
        ..stored.clone()
    };
    legacy
        .stored
        .items
        .iter()
        .map(|item| (item.stored.document.clone(), read(&item.stored)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// The law of an export: read again, it is the series as the old system would have it now.
    #[test]
    fn an_export_read_again_is_the_legacy_series(events in proptest::collection::vec(later_event(), 0..14)) {
        let mut log = small_log();
        let imported: BTreeMap<String, JsonText> =
            stream_documents(&series(), &log.streams[&series()]).into_iter().map(|document| (document.id, document.body.into_inner().unwrap())).collect();
        for event in events {
            log.happen(&series(), event);
        }
        let recorded = &log.streams[&series()];
        let mut legacy = LegacySeries::default();
        recorded.iter().for_each(|recorded| legacy.apply(&series(), &recorded.event));
        let mut again = LegacySeries::default();
        let mut answers = BTreeSet::new();
        for document in stream_documents(&series(), recorded) {
            if let Some(original) = imported.get(&document.id) {
                let was = StoredAssignment::read(&document.id, original);
                let is_untouched = legacy.stored.items.document(&document.id).is_none_or(|item| item.stored == was);
                prop_assert!(!is_untouched || document.body.expose() == Some(original), "{} changed for nothing", document.id);
            }
            if document.collection == Collection::FormResponses {
                answers.insert(document.id.clone());
            }
            again.apply(&series(), &Event::DocumentImported(document));
        }
        prop_assert_eq!(read_weeks(&again), read_weeks(&legacy));
        let given = recorded.iter().filter_map(|recorded| match &recorded.event { Event::ResponseSubmitted { response, .. } => Some(response), _ => None });
        for response in given {
            prop_assert!(answers.contains(response), "no answer is lost");
        }
    }
}

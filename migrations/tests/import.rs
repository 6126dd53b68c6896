//! Import as events: where documents go, what a second import changes, and that the events are the
//! same everywhere.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{FIXTURES, apply, read_fixture, small_export, write_collection};
use proptest::prelude::*;
use rollbook_domain::{Collection, Event, NewEvent, StreamId};
use rollbook_migrations::export_reader::{Export, ExportSource, JsonDirectory};
use rollbook_migrations::import::{
    ImportCounts, ImportedState, MetPut, events_digest, plan_import,
};
use serde_json::{Value, json};

fn read(directory: &tempfile::TempDir) -> Export {
    JsonDirectory::new(directory.path()).read().unwrap()
}

/// `collection/document` of every event, by stream.
fn by_stream(events: &[NewEvent]) -> BTreeMap<String, Vec<String>> {
    let mut streams: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for event in events {
        let (Event::DocumentImported(document) | Event::DocumentChanged(document)) = &event.event
        else {
            continue;
        };
        streams.entry(event.stream.to_string()).or_default().push(format!(
            "{}/{}",
            document.collection.name(),
            document.id
        ));
    }
    streams
}

/// An export with split identities, feedback and extensions.
fn tangled() -> tempfile::TempDir {
    let clients = [
        json!({"_id": "c1", "authUid": "u"}),
        json!({"_id": "c0", "authUid": "u"}),
        json!({"_id": "c2", "authUid": "c1"}),
    ];
    let assignments = [
        json!({"_id": "a1", "id": "l", "clientId": "u", "formId": "f", "responseId": "r"}),
        json!({"_id": "a2", "id": "l", "clientId": "c1", "formId": "g", "responseId": "r"}),
        json!({"_id": "a3", "clientId": 5}),
        json!({"_id": "a4", "clientId": "gone", "formId": "f/1"}),
    ];
    let directory = small_export(
        &clients,
        &assignments,
        &[
            json!({"_id": "r", "clientId": "c0", "formId": "f"}),
            json!({"_id": "r2", "clientId": "c2", "formId": "f"}),
        ],
    );
    let feedback = [
        json!({"_id": "b1", "responseId": "r", "clientId": "c2"}),
        json!({"_id": "b2", "responseId": "r2", "clientId": "c1"}),
        json!({"_id": "b3", "responseId": "none", "clientId": "u"}),
        json!({"_id": "b4"}),
    ];
    write_collection(directory.path(), "coachFeedback", &feedback);
    let extensions = [
        json!({"_id": "e1", "assignmentId": "a4"}),
        json!({"_id": "e2", "assignmentId": "l"}),
        json!({"_id": "e3", "assignmentId": "x", "clientId": "u"}),
    ];
    write_collection(directory.path(), "check_in_extensions", &extensions);
    write_collection(directory.path(), "users", &[json!({"_id": "c1", "role": "client"})]);
    write_collection(directory.path(), "coaches", &[json!({"_id": "k"})]);
    write_collection(directory.path(), "forms", &[json!({"_id": "f/1"})]);
    directory
}

#[test]
fn every_document_goes_to_the_stream_it_belongs_to() {
    let plan = plan_import(read(&tangled()), &ImportedState::default());
    let expected = [
        ("client/", vec!["coachFeedback/b4"]),
        ("client/c0", vec!["clients/c0", "coachFeedback/b3", "check_in_extensions/e3"]),
        ("client/c1", vec!["clients/c1", "users/c1"]),
        ("client/c2", vec!["clients/c2"]),
        ("coach/k", vec!["coaches/k"]),
        ("form/f%2F1", vec!["forms/f/1"]),
        ("series//", vec!["check_in_assignments/a3"]),
        (
            "series/c0/f",
            vec![
                "check_in_assignments/a1",
                "formResponses/r",
                "coachFeedback/b1",
                "check_in_extensions/e2",
            ],
        ),
        ("series/c1/g", vec!["check_in_assignments/a2", "coachFeedback/b1"]),
        ("series/c2/f", vec!["formResponses/r2", "coachFeedback/b2"]),
        ("series/gone/f%2F1", vec!["check_in_assignments/a4", "check_in_extensions/e1"]),
    ];
    let expected: BTreeMap<String, Vec<String>> = expected
        .into_iter()
        .map(|(stream, documents)| {
            (stream.to_owned(), documents.into_iter().map(str::to_owned).collect())
        })
        .collect();
    assert_eq!(by_stream(&plan.events), expected);
    let order: Vec<String> = plan.events.iter().map(|event| event.stream.to_string()).collect();
    let mut streams = order.clone();
    streams.dedup();
    assert_eq!(
        streams,
        expected.keys().cloned().collect::<Vec<_>>(),
        "each stream's events stand together, people first"
    );
}

#[test]
fn the_same_export_gives_the_same_events_everywhere_and_nothing_the_second_time() {
    for name in FIXTURES {
        let plan = plan_import(read_fixture(name), &ImportedState::default());
        let same = plan_import(read_fixture(name), &ImportedState::default());
        assert_eq!((&plan.events, &plan.digest), (&same.events, &same.digest));
        assert_eq!(plan.completed("UTC"), same.completed("UTC"));
        let ids: BTreeSet<_> = plan.events.iter().filter_map(|event| event.id).collect();
        assert_eq!(ids.len(), plan.events.len(), "{name}: every event has an id of its own");
        assert_eq!(events_digest(&plan.events), plan.digest);
        let mut held = ImportedState::default();
        apply(&mut held, &plan.events);
        let again = plan_import(read_fixture(name), &held);
        assert!(again.events.is_empty() && again.completed("UTC").is_none(), "{name}");
        let unchanged: u64 = again.counts.values().map(|counts| counts.unchanged).sum();
        assert_eq!(unchanged, plan.events.len() as u64);
    }
}

#[test]
fn the_closing_event_tells_what_was_imported() {
    let plan = plan_import(read_fixture("tracker"), &ImportedState::default());
    let completed = plan.completed("Europe/London").unwrap();
    assert_eq!(
        (completed.stream, completed.occurred_at.to_string().as_str()),
        (StreamId::Control, "2026-01-11T00:52:51.000Z")
    );
    let Event::ImportCompleted { digest, legacy_timezone, collections, summary } = completed.event
    else {
        panic!("another event")
    };
    assert_eq!((digest, legacy_timezone.as_str()), (plan.digest.clone(), "Europe/London"));
    assert_eq!(
        collections.iter().map(|exported| exported.documents).collect::<Vec<_>>(),
        [26, 2, 2, 2, 34, 36, 0, 0]
    );
    assert!(summary.is_some());
    let empty = plan_import(read(&small_export(&[], &[], &[])), &ImportedState::default());
    assert!(
        empty.events.is_empty() && empty.completed("UTC").is_some(),
        "the first import is on record even when it is empty"
    );
}

#[test]
fn an_interrupted_import_is_finished_with_the_same_ids() {
    let whole = plan_import(read_fixture("dirty"), &ImportedState::default());
    for cut in [1, 100, whole.events.len() - 1] {
        let mut held = ImportedState::default();
        apply(&mut held, &whole.events[..cut]);
        held.imports = 0;
        assert_eq!(plan_import(read_fixture("dirty"), &held).events, whole.events[cut..]);
    }
}

#[test]
fn a_document_that_changes_there_and_back_is_another_event_each_time() {
    let one =
        || small_export(&[], &[json!({"_id": "a", "clientId": "c", "formId": "f", "x": 1})], &[]);
    let two =
        || small_export(&[], &[json!({"_id": "a", "clientId": "c", "formId": "f", "x": 2})], &[]);
    let none = || small_export(&[], &[], &[]);
    let mut held = ImportedState::default();
    let mut ids = BTreeSet::new();
    for directory in [one(), two(), one(), two(), none(), two(), none(), two(), one()] {
        let plan = plan_import(read(&directory), &held);
        assert_eq!(plan.events.len(), 1);
        assert!(ids.insert(plan.events[0].id.unwrap()), "an id twice");
        apply(&mut held, &plan.events);
    }
}

#[test]
fn a_document_whose_stream_changes_is_removed_there_and_imported_here() {
    let assignment = [json!({"_id": "a", "clientId": "u", "formId": "f"})];
    let mut held = ImportedState::default();
    apply(
        &mut held,
        &plan_import(
            read(&small_export(&[json!({"_id": "c1", "authUid": "u"})], &assignment, &[])),
            &ImportedState::default(),
        )
        .events,
    );
    let moved = plan_import(
        read(&small_export(
            &[json!({"_id": "c0", "authUid": "u"}), json!({"_id": "c1", "authUid": "u"})],
            &assignment,
            &[],
        )),
        &held,
    );
    let assignments = moved.counts[&Collection::CheckInAssignments];
    assert_eq!(assignments, ImportCounts { imported: 1, removed: 1, ..ImportCounts::default() });
    let series: Vec<(String, &str)> = moved
        .events
        .iter()
        .skip(1)
        .map(|event| (event.stream.to_string(), event.event.name()))
        .collect();
    assert_eq!(
        series,
        [
            ("series/c0/f".to_owned(), "AssignmentImported"),
            ("series/c1/f".to_owned(), "AssignmentRemoved")
        ]
    );
}

/// A put before, at and after the time of the export (`write_collection` of the support code).
#[test]
fn a_put_stays_unless_the_export_is_newer_and_is_told_either_way() {
    let directory =
        small_export(&[json!({"_id": "c1", "x": 1}), json!({"_id": "c2", "x": 1})], &[], &[]);
    let mut imported = ImportedState::default();
    apply(&mut imported, &plan_import(read(&directory), &ImportedState::default()).events);
    let place = |id: &str| (Collection::Clients, id.to_owned(), StreamId::Client(id.to_owned()));
    for (put, kept) in [
        ("2026-01-11T00:52:50.999Z", false),
        ("2026-01-11T00:52:51Z", true),
        ("2026-01-11T00:52:51.001Z", true),
    ] {
        let mut held = imported.clone();
        held.documents.get_mut(&place("c1")).unwrap().digest = [7; 32];
        // `c3` is in no export; `c2` was put with the content that the export has.
        let other = held.documents[&place("c1")];
        held.documents.insert(place("c3"), other);
        held.put = ["c1", "c2", "c3"].map(|id| (place(id), put.parse().unwrap())).into();
        let plan = plan_import(read(&directory), &held);
        let met = MetPut { collection: "clients".to_owned(), id: "c1".to_owned(), kept };
        assert_eq!(plan.puts, [met], "{put}");
        let counts = ImportCounts {
            changed: u64::from(!kept),
            kept: u64::from(kept),
            unchanged: 1,
            ..ImportCounts::default()
        };
        assert_eq!(plan.counts[&Collection::Clients], counts, "{put}");
        let names: Vec<&str> = plan.events.iter().map(|event| event.event.name()).collect();
        assert_eq!(names, if kept { &[][..] } else { &["ClientChanged"] }, "{put}");
    }
}

#[test]
fn a_collection_without_a_file_says_nothing_about_its_documents() {
    let directory = tangled();
    let mut held = ImportedState::default();
    apply(&mut held, &plan_import(read(&directory), &ImportedState::default()).events);
    std::fs::remove_file(directory.path().join("coachFeedback.json")).unwrap();
    assert!(plan_import(read(&directory), &held).events.is_empty());
    write_collection(directory.path(), "coachFeedback", &[]);
    let plan = plan_import(read(&directory), &held);
    assert_eq!(plan.counts[&Collection::CoachFeedback].removed, 5);
    assert_eq!(plan.events.len(), 5);
}

#[derive(Clone, Debug)]
enum Edit {
    Change(usize),
    Remove(usize),
    Add(u32),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        any::<usize>().prop_map(Edit::Change),
        any::<usize>().prop_map(Edit::Remove),
        any::<u32>().prop_map(Edit::Add)
    ];
    proptest::collection::vec(edit, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_edited_export_gives_exactly_its_edits(edits in edits(), shuffle in any::<bool>()) {
        let original: BTreeMap<String, Value> = (0..20).map(|n| (format!("d{n:02}"), json!({"_id": format!("d{n:02}"), "clientId": format!("c{}", n % 3), "n": n}))).collect();
        let mut edited = original.clone();
        for (step, edit) in edits.iter().enumerate() {
            let at = |n: usize| original.keys().nth(n % original.len()).cloned().unwrap();
            match edit {
                Edit::Change(n) => { edited.entry(at(*n)).and_modify(|document| document["edit"] = json!(step)); }
                Edit::Remove(n) => { edited.remove(&at(*n)); }
                Edit::Add(n) => { edited.insert(format!("new{n}"), json!({"_id": format!("new{n}"), "clientId": "c0"})); }
            }
        }
        let mut held = ImportedState::default();
        let before: Vec<Value> = original.values().cloned().collect();
        apply(&mut held, &plan_import(read(&small_export(&[], &before, &[])), &ImportedState::default()).events);
        let mut after: Vec<Value> = edited.values().cloned().collect();
        if shuffle { after.reverse(); }
        let plan = plan_import(read(&small_export(&[], &after, &[])), &held);
        let mut found: Vec<(String, &str)> = plan.events.iter().map(|event| match &event.event {
            Event::DocumentImported(document) | Event::DocumentChanged(document) => (document.id.clone(), event.event.name()),
            Event::DocumentRemoved { id, .. } => (id.clone(), event.event.name()),
            other => panic!("{other:?}"),
        }).collect();
        found.sort();
        let mut wanted: Vec<(String, &str)> = Vec::new();
        wanted.extend(original.keys().filter(|id| !edited.contains_key(*id)).map(|id| (id.clone(), "AssignmentRemoved")));
        wanted.extend(edited.iter().filter(|(id, _)| !original.contains_key(*id)).map(|(id, _)| (id.clone(), "AssignmentImported")));
        wanted.extend(edited.iter().filter(|(id, document)| original.get(*id).is_some_and(|before| before != *document)).map(|(id, _)| (id.clone(), "AssignmentChanged")));
        wanted.sort();
        prop_assert_eq!(found, wanted);
        apply(&mut held, &plan.events);
        prop_assert!(plan_import(read(&small_export(&[], &after, &[])), &held).events.is_empty());
    }
}

//! Exports that would lose data: failed, incomplete, older, or without documents that the store has.

use std::fs;

use serde_json::{Value, json};
use testkit::{Store, fixture, fixture_case};

use crate::exports::{Copy, is_answered};

/// Requires that an import is refused with a code, names some words, and changes nothing.
fn refused(store: &Store, export: &str, code: &str, words: &[&str]) {
    let before = store.files();
    let ran = store.run(&["--json", "import", export]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains(&format!("\"{code}\"")), "{ran:?}");
    for word in words {
        assert!(ran.stderr.contains(word), "{word}: {ran:?}");
    }
    assert_eq!(store.files(), before, "nothing is written");
}

#[test]
fn a_failed_export_is_refused_by_name() {
    let home = tempfile::tempdir().unwrap();
    let case = fixture_case("failed-export");
    let store = Store::at(home.path().join("case"));
    store.ok(&["import", case.join("first").to_str().unwrap()]);
    let second = case.join("second");
    let words = ["check_in_assignments", "failed", "DEADLINE_EXCEEDED"];
    let said = store.fails(3, &["import", second.to_str().unwrap()]);
    assert!(words.iter().any(|word| said.contains(word)), "{said}");
    refused(&store, second.to_str().unwrap(), "export_incomplete", &["failed"]);

    let store = Store::imported_at(home.path().join("store"), "tracker");
    type Change = fn(&mut Value);
    let changes: [(&str, Change, &[&str]); 5] = [
        ("status", |summary| summary["status"] = "failed".into(), &["failed"]),
        (
            "one",
            |summary| {
                summary["collections"][5]["status"] = "failed".into();
                summary["collections"][5]["error"] = "14 UNAVAILABLE".into();
            },
            &["formResponses", "14 UNAVAILABLE"],
        ),
        ("partial", |summary| summary["collections"][4]["status"] = "partial".into(), &["partial"]),
        (
            "totals",
            |summary| summary["totals"]["failedCollections"] = 2.into(),
            &["2 collections failed"],
        ),
        (
            "count",
            |summary| summary["collections"][4]["count"] = 35.into(),
            &["counts 35 documents of check_in_assignments", "have 34"],
        ),
    ];
    for (name, change, words) in changes {
        let export = Copy::new(home.path(), name);
        export.dated("2026-02-01T00:00:00Z").summary(change);
        refused(&store, export.path(), "export_incomplete", words);
    }
    // A file that is missing although the summary counts its documents.
    let export = Copy::new(home.path(), "missing");
    fs::remove_file(export.directory.join("forms.json")).unwrap();
    refused(&store, export.path(), "export_incomplete", &["forms", "have 0"]);
    // Collections that Rollbook does not store are not compared.
    let export = Copy::new(home.path(), "other");
    export.summary(|summary| {
        let other = json!({"name": "notifications", "count": 3, "status": "failed"});
        summary["collections"].as_array_mut().unwrap().push(other);
    });
    assert_eq!(store.json(&["import", export.path()])["appended"], 0);
}

#[test]
fn an_older_export_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::imported_at(home.path().join("store"), "tracker");
    let later = Copy::new(home.path(), "later");
    later.dated("2026-02-01T00:00:00Z").change("forms.json", |file| {
        file["documents"][0]["title"] = "Another title".into();
    });
    assert_eq!(store.json(&["import", later.path()])["appended"], 2);
    let first = Copy::new(home.path(), "first");
    let words = ["2026-01-11T00:52:51", "2026-02-01T00:00:00", "--allow-older"];
    refused(&store, first.path(), "export_older", &words);
    let tried = store.json(&["import", first.path(), "--dry-run"]);
    assert!(tried["refused"].as_str().unwrap().contains("2026-02-01"), "{tried}");
    assert_eq!(tried["collections"]["forms"]["changed"], 1, "{tried}");
    // The last export again is no older one, and an older one without a change changes nothing.
    assert_eq!(store.json(&["import", later.path()])["appended"], 0);
    assert_eq!(store.json(&["import", first.path(), "--allow-older"])["appended"], 2);
    assert_eq!(store.json(&["import", first.path()])["appended"], 0);
}

#[test]
fn the_removal_of_many_documents_or_of_an_answer_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::imported_at(home.path().join("store"), "clean");
    let open: Vec<usize> = {
        let file = fixture("clean").join("export/check_in_assignments.json");
        let file: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        let documents = file["documents"].as_array().unwrap();
        (0..documents.len()).filter(|at| !is_answered(&documents[*at])).collect()
    };
    assert!(open.len() >= 6, "the fixture has {} open weeks", open.len());

    let many = Copy::of("clean", home.path(), "many");
    many.retain("check_in_assignments", |at, _| !open[..6].contains(&at));
    refused(&store, many.path(), "export_removes", &["6 documents, 0 of them", "--dry-run"]);

    let mut taken = None;
    let answer = Copy::of("clean", home.path(), "answer");
    answer.retain("check_in_assignments", |_, document| {
        let keep = taken.is_some() || !is_answered(document);
        if !keep {
            taken = document["_id"].as_str().map(str::to_owned);
        }
        keep
    });
    let taken = taken.unwrap();
    let name = format!("check_in_assignments/{taken}");
    refused(&store, answer.path(), "export_removes", &["1 documents, 1 of them", &name]);

    let response = Copy::of("clean", home.path(), "response");
    response.retain("formResponses", |at, _| at != 0);
    refused(&store, response.path(), "export_removes", &["1 of them", "formResponses/"]);

    // A dry run lists the answered ones first, and writes nothing.
    let both = Copy::of("clean", home.path(), "both");
    both.retain("check_in_assignments", |at, document| {
        !open[..6].contains(&at) && document["_id"] != taken.as_str()
    });
    let before = store.files();
    let text = store.ok(&["import", both.path(), "--dry-run"]);
    assert!(text.starts_with(&format!("removed: {name}, with an answer\n")), "{text}");
    assert!(text.contains("nothing written: 8 events to append"), "{text}");
    assert!(text.contains("would be refused"), "{text}");
    let tried = store.json(&["import", both.path(), "--dry-run"]);
    assert_eq!(tried["removals"].as_array().unwrap().len(), 7, "{tried}");
    assert_eq!(store.files(), before);
    let imported = store.json(&["import", both.path(), "--allow-removals"]);
    assert_eq!(imported["appended"], 8, "seven removals and the import: {imported}");
    assert_eq!(imported["removals"], tried["removals"]);

    // A few open weeks go without a question.
    let other = Store::imported_at(home.path().join("other"), "clean");
    let few = Copy::of("clean", home.path(), "few");
    few.retain("check_in_assignments", |at, _| !open[..5].contains(&at));
    assert_eq!(other.json(&["import", few.path()])["appended"], 6);
}

#[test]
fn a_dry_run_makes_no_store() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::at(home.path().join("new"));
    let export = fixture("tracker").join("export");
    let tried = store.json(&["import", export.to_str().unwrap(), "--dry-run"]);
    assert_eq!(tried["dry_run"], true);
    assert!(!store.path().exists(), "nothing is made");
    let imported = store.json(&["import", export.to_str().unwrap()]);
    assert_eq!(imported["appended"], tried["appended"]);
    assert_eq!(imported["digest"], tried["digest"]);
}

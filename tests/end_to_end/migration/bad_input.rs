//! Batches and exports that are refused: a clear error, an exit code, and no byte of the store
//! changed.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::{Store, fixture};

/// Copies an export, changing one file's text.
fn edited(home: &Path, name: &str, file: &str, edit: impl Fn(String) -> String) -> PathBuf {
    let copy = home.join(name);
    fs::create_dir_all(&copy).unwrap();
    for entry in fs::read_dir(fixture("clean").join("export")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let to = copy.join(path.file_name().unwrap());
        fs::write(&to, if path.ends_with(file) { edit(text) } else { text }).unwrap();
    }
    copy
}

/// What is done to a file's text.
type Edit = fn(String) -> String;

#[test]
fn what_is_no_document_fails_the_import_before_the_first_event() {
    let home = tempfile::tempdir().unwrap();
    let cases: [(&str, &str, Edit); 4] = [
        ("no-json", "clients.json", |text| text.replacen('{', "", 1)),
        ("no-documents", "forms.json", |text| text.replacen("\"documents\"", "\"papers\"", 1)),
        ("bad-time", "formResponses.json", |text| {
            text.replacen("\"submittedAt\": \"2", "\"submittedAt\": \"x2", 1)
        }),
        ("other-total", "coaches.json", |text| {
            text.replacen("\"totalDocuments\": ", "\"totalDocuments\": 9", 1)
        }),
    ];
    for (name, file, edit) in cases {
        let export = edited(home.path(), name, file, edit);
        assert_ne!(
            fs::read(export.join(file)).unwrap(),
            fs::read(fixture("clean").join("export").join(file)).unwrap(),
            "{name} edits nothing"
        );
        let fresh = Store::at(home.path().join(format!("fresh-{name}")));
        let said = fresh.fails(1, &["import", export.to_str().unwrap()]);
        assert!(said.contains(file), "{name}: {said}");
        assert!(!fresh.path().exists(), "{name}: nothing is made");
        let store = Store::imported_at(home.path().join(format!("store-{name}")), "clean");
        let before = store.files();
        store.fails(1, &["import", export.to_str().unwrap()]);
        assert_eq!(store.files(), before, "{name}");
    }
}

#[test]
fn a_batch_that_is_not_whole_or_not_for_this_store_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::imported_at(home.path().join("store"), "tracker");
    let batch = home.path().join("batch.ndjson");
    store.plan(&batch);
    let text = fs::read_to_string(&batch).unwrap();
    let before = store.files();
    let lines: Vec<&str> = text.lines().collect();
    let cut_short = lines[..lines.len() - 1].join("\n") + "\n";
    let cases = [
        ("cut-short", cut_short, "cut short"),
        ("cut-in-a-line", text[..text.len() - 20].to_owned(), "cut short"),
        ("edited", text.replacen("T09:00:00.000Z", "T10:00:00.000Z", 1), "digest"),
        (
            "other-kind",
            text.replacen("\"kind\":\"precreate\"", "\"kind\":\"postcreate\"", 1),
            "postcreate",
        ),
        ("newer", text.replacen("\"rollbook_batch\":1", "\"rollbook_batch\":3", 1), "format 3"),
        ("empty", String::new(), "empty"),
    ];
    for (name, text, says) in cases {
        let file = home.path().join(name);
        fs::write(&file, text).unwrap();
        let said = store.fails(1, &["migrate", "apply", file.to_str().unwrap()]);
        assert!(said.contains(says), "{name}: {said}");
        assert_eq!(store.files(), before, "{name}");
    }
    store.fails(1, &["migrate", "apply", home.path().join("nowhere").to_str().unwrap()]);

    let other = Store::imported_at(home.path().join("other"), "clean");
    let before = other.files();
    let said = other.fails(3, &["migrate", "apply", batch.to_str().unwrap()]);
    assert!(said.contains("drifted") && said.contains("series/"), "{said}");
    assert_eq!(other.files(), before);
}

#[test]
fn a_base_that_moved_since_planning_is_drift_that_names_its_series() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::imported_at(home.path().join("store"), "clean");
    let batch = home.path().join("batch.ndjson");
    store.plan(&batch);
    let documents: Value = serde_json::from_str(
        &fs::read_to_string(fixture("clean").join("export/check_in_assignments.json")).unwrap(),
    )
    .unwrap();
    let base = documents["documents"]
        .as_array()
        .unwrap()
        .iter()
        .find(|doc| doc["totalWeeks"] == 52 && doc["recurringWeek"] == 1)
        .unwrap();
    let (due, client, form) = (
        base["dueDate"].as_str().unwrap(),
        base["clientId"].as_str().unwrap(),
        base["formId"].as_str().unwrap(),
    );
    let id = base["_id"].as_str().unwrap();
    let changed = edited(home.path(), "moved", "check_in_assignments.json", |text| {
        let at = text.find(id).unwrap();
        let (before, after) = text.split_at(at);
        format!("{before}{}", after.replacen(due, "2026-02-02T09:00:00.000Z", 1))
    });
    let imported = store.import(&changed, "clean");
    assert_eq!(imported["collections"]["check_in_assignments"]["changed"], 1, "{imported}");
    let before = store.files();
    let said = store.fails(3, &["migrate", "apply", batch.to_str().unwrap()]);
    assert!(
        said.contains("1 series drifted") && said.contains(client) && said.contains(form),
        "{said}"
    );
    assert_eq!(store.files(), before);
}

#[test]
fn zones_and_stores_that_do_not_fit_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::imported_at(home.path().join("store"), "clean");
    let export = fixture("clean").join("export");
    let before = store.files();
    store.fails(2, &["import", export.to_str().unwrap(), "--legacy-timezone", "Europe/Nowhere"]);
    let said =
        store.fails(3, &["import", export.to_str().unwrap(), "--legacy-timezone", "Europe/London"]);
    assert!(said.contains("UTC"), "{said}");
    store.fails(1, &["import", home.path().join("nowhere").to_str().unwrap()]);
    assert_eq!(store.files(), before);
    let papers = Store::at(home.path().join("papers"));
    fs::create_dir(papers.path()).unwrap();
    fs::write(papers.path().join("notes.txt"), "mine").unwrap();
    papers.fails(1, &["import", export.to_str().unwrap()]);
    assert_eq!(papers.files().len(), 1);
    let missing = Store::at(home.path().join("missing"));
    for arguments in
        [&["audit"][..], &["migrate", "plan"], &["migrate", "validate"], &["export", "out"]]
    {
        missing.fails(1, arguments);
        assert!(!missing.path().exists());
    }
}

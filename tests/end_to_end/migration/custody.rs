//! An export of an import equals the original; importing again appends nothing; a changed export
//! appends its changes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use testkit::{FIXTURES, Store, fixture};

fn documents(directory: &Path) -> BTreeMap<String, Value> {
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| {
            (
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                serde_json::from_slice(&fs::read(&path).unwrap()).unwrap(),
            )
        })
        .collect()
}

#[test]
fn the_export_of_an_import_equals_the_original_and_importing_again_appends_nothing() {
    for (name, _) in FIXTURES {
        let home = tempfile::tempdir().unwrap();
        let store = Store::imported_at(home.path().join("store"), name);
        let original = fixture(name).join("export");
        let out = home.path().join("out");
        store.ok(&["export", out.to_str().unwrap()]);
        assert_eq!(documents(&out), documents(&original), "{name}");
        let before = store.files();
        assert_eq!(store.import(&original, name)["appended"], 0);
        assert_eq!(store.import(&out, name)["appended"], 0);
        assert_eq!(store.files(), before, "{name}");
        store.fails(1, &["export", out.to_str().unwrap()]);
    }
}

#[test]
fn a_changed_export_appends_only_the_changes_and_comes_out_changed() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::imported_at(home.path().join("store"), "clean");
    let changed = home.path().join("changed");
    fs::create_dir(&changed).unwrap();
    for (name, mut file) in documents(&fixture("clean").join("export")) {
        if name == "forms.json" {
            file["documents"][0]["title"] = "Another title".into();
        }
        if name == "coaches.json" {
            file["documents"].as_array_mut().unwrap().pop();
            file["totalDocuments"] = (file["totalDocuments"].as_u64().unwrap() - 1).into();
        }
        if name == "BACKUP_SUMMARY.json" {
            let listed = file["collections"].as_array_mut().unwrap();
            let coaches = listed.iter_mut().find(|entry| entry["name"] == "coaches").unwrap();
            coaches["count"] = (coaches["count"].as_u64().unwrap() - 1).into();
        }
        fs::write(changed.join(name), file.to_string()).unwrap();
    }
    let imported = store.import(&changed, "clean");
    assert_eq!(imported["collections"]["forms"]["changed"], 1, "{imported}");
    assert_eq!(imported["collections"]["coaches"]["removed"], 1, "{imported}");
    assert_eq!(imported["appended"], 3, "two changes and the import itself: {imported}");
    let out = home.path().join("out");
    store.ok(&["export", out.to_str().unwrap()]);
    let (out, changed) = (documents(&out), documents(&changed));
    for name in ["forms.json", "coaches.json", "check_in_assignments.json", "formResponses.json"] {
        assert_eq!(out[name]["documents"], changed[name]["documents"], "{name}");
    }
}

#[test]
fn the_audit_of_the_tracker_has_the_figures_of_the_old_audit() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::imported_at(home.path().join("store"), "tracker");
    let audit = store.json(&["audit", "--format", "json"]);
    assert_eq!(
        (&audit["totals"]["clients"], &audit["totals"]["responses"]),
        (&26.into(), &36.into())
    );
    let markdown = store.ok(&["audit"]);
    assert!(markdown.contains("26") && markdown.contains("36"), "{markdown}");
    assert_eq!(store.json(&["audit"])["totals"], audit["totals"]);
}

//! Reading exports, valid and invalid: each kind of text that is no document is refused by name.

use crate::support::{FIXTURES, as_json, fixture, read_fixture, small_export, write_collection};
use rollbook_domain::Collection;
use rollbook_migrations::export_reader::{
    Export, ExportSource, ImportError, JsonDirectory, read_export, read_texts,
};
use serde_json::{Value, json};

fn error_of(directory: &std::path::Path) -> String {
    JsonDirectory::new(directory).read().unwrap_err().to_string()
}

/// The error of an export whose assignments' file is this text.
fn error_of_text(text: impl AsRef<[u8]>) -> String {
    let directory = small_export(&[], &[], &[]);
    std::fs::write(directory.path().join("check_in_assignments.json"), text).unwrap();
    error_of(directory.path())
}

fn error_of_documents(documents: &[Value]) -> String {
    error_of(small_export(&[], documents, &[]).path())
}

fn assert_names(error: &str, parts: &[&str]) {
    for part in parts {
        assert!(error.contains(part), "{error:?} does not say {part:?}");
    }
}

fn again(export: &Export) -> Value {
    let mut files = serde_json::Map::new();
    for (exported, documents) in &export.collections {
        let mut file: Value = exported.header.read().unwrap();
        file["collection"] = json!(exported.collection.name());
        file["totalDocuments"] = json!(exported.documents);
        let documents = documents.iter().map(|document| {
            let mut whole: Value = document.body.expose().unwrap().read().unwrap();
            whole["_id"] = json!(document.id);
            whole
        });
        file["documents"] = documents.collect();
        files.insert(format!("{}.json", exported.collection.name()), file);
    }
    if let Some(summary) = &export.summary {
        files.insert("BACKUP_SUMMARY.json".to_owned(), summary.read().unwrap());
    }
    Value::Object(files)
}

#[test]
fn every_field_of_every_fixture_is_read() {
    for name in FIXTURES {
        let export = read_fixture(name);
        assert_eq!(again(&export), json!(as_json(&fixture(name))), "{name}");
        assert!(export.unknown.is_empty());
    }
}

#[test]
fn numbers_keep_their_digits_and_documents_their_places() {
    let directory = small_export(&[], &[], &[]);
    let text = r#"{"exportDate":"2026-01-01T00:00:00Z","exporter":{"v":1.10},"documents":[{"b":12345678901234567890.50,"_id":"z","a":1e2},{"_id":"a"}],"totalDocuments":2,"collection":"forms"}"#;
    std::fs::write(directory.path().join("forms.json"), text).unwrap();
    let export = JsonDirectory::new(directory.path()).read().unwrap();
    let (forms, documents) = export
        .collections
        .iter()
        .find(|(exported, _)| exported.collection == Collection::Forms)
        .unwrap();
    assert_eq!(
        forms.header.as_str(),
        r#"{"exportDate":"2026-01-01T00:00:00Z","exporter":{"v":1.10}}"#
    );
    assert_eq!(
        documents[0].body.expose().unwrap().as_str(),
        r#"{"a":1e2,"b":12345678901234567890.50}"#
    );
    assert_eq!(
        documents.iter().map(|d| (d.id.as_str(), d.ordinal)).collect::<Vec<_>>(),
        [("z", 0), ("a", 1)]
    );
}

#[test]
fn what_is_no_json_is_named_with_its_line_and_document() {
    let name = "check_in_assignments.json";
    assert_names(&error_of_text(""), &[name, "line 1"]);
    assert_names(&error_of_text("[]"), &[name, "`documents`"]);
    let cut = "{\"collection\":\"check_in_assignments\",\"totalDocuments\":2,\n\"documents\":[{\"_id\":\"a\"},\n{\"_id\":";
    assert_names(&error_of_text(cut), &[name, "index 1", "line 3"]);
    let cut_in_number = "{\"collection\":\"check_in_assignments\",\"totalDocuments\":2,\"documents\":[{\"_id\":\"a\",\"n\":01}]}";
    assert_names(&error_of_text(cut_in_number), &[name, "index 0"]);
    let whole = "{\"collection\":\"check_in_assignments\",\"totalDocuments\":0,\"documents\":[]}";
    assert_names(&error_of_text(format!("{whole}x")), &[name, "trailing"]);
    assert_names(&error_of_text(b"{\"collection\":\"\xff\"}"), &[name, "UTF-8", "byte 15"]);
    assert_names(&error_of_text(format!("\u{feff}{whole}")), &[name, "byte order mark"]);
}

#[test]
fn a_file_without_documents_or_with_other_figures_is_named() {
    let name = "check_in_assignments.json";
    assert_names(
        &error_of_text(r#"{"collection":"check_in_assignments","totalDocuments":0}"#),
        &[name, "no `documents` array"],
    );
    assert_names(
        &error_of_text(
            r#"{"collection":"check_in_assignments","totalDocuments":0,"documents":{}}"#,
        ),
        &[name, "`documents` array"],
    );
    assert_names(
        &error_of_text(r#"{"collection":"check_in_assignments","documents":[]}"#),
        &[name, "no `totalDocuments`"],
    );
    assert_names(
        &error_of_text(r#"{"totalDocuments":0,"documents":[]}"#),
        &[name, "no `collection`"],
    );
    assert_names(
        &error_of_text(r#"{"collection":"forms","totalDocuments":0,"documents":[]}"#),
        &[name, "\"forms\"", "\"check_in_assignments\""],
    );
    assert_names(
        &error_of_text(
            r#"{"collection":"check_in_assignments","totalDocuments":2,"documents":[{"_id":"a"}]}"#,
        ),
        &[name, "totalDocuments 2", "contains 1"],
    );
    assert_names(
        &error_of_text(
            r#"{"collection":"check_in_assignments","totalDocuments":0,"documents":[],"exportDate":"yesterday"}"#,
        ),
        &[name, "exportDate", "yesterday"],
    );
    assert_names(
        &error_of_text(
            r#"{"collection":"check_in_assignments","totalDocuments":0,"documents":[],"documents":[]}"#,
        ),
        &[name, "\"documents\"", "twice"],
    );
    assert_names(
        &error_of_text(
            r#"{"collection":"check_in_assignments","totalDocuments":0,"documents":[],"x":{"y":1,"y":1}}"#,
        ),
        &[name, "\"y\"", "twice"],
    );
}

#[test]
fn what_is_no_document_is_named() {
    let file = "check_in_assignments.json";
    let good = json!({"_id": "good"});
    for (bad, parts) in [
        (json!("text"), vec!["index 1", "not a JSON object"]),
        (json!({"id": "x"}), vec!["index 1", "`_id`"]),
        (json!({"_id": 5}), vec!["index 1", "`_id`"]),
        (json!({"_id": ""}), vec!["index 1", "`_id`"]),
        (json!({"_id": "a\0b"}), vec!["index 1", "NUL", "_id"]),
        (json!({"_id": "b", "formId": "a\0b"}), vec!["\"b\"", "NUL", "formId"]),
        (json!({"_id": "good"}), vec!["\"good\"", "index 1", "index 0", "same `_id`"]),
        (json!({"_id": "b", "dueDate": "soon"}), vec!["\"b\"", "dueDate", "soon"]),
        (
            json!({"_id": "b", "pausedUntil": {"_seconds": "1", "_nanoseconds": 0}}),
            vec!["\"b\"", "pausedUntil"],
        ),
        (
            json!({"_id": "b", "x": [{"y/z": {"__datatype__": "timestamp", "value": "soon"}}]}),
            vec!["\"b\"", "/x/0/y~1z", "soon"],
        ),
        (
            json!({"_id": "b", "x": {"_seconds": 1, "_nanoseconds": 1_000_000_000}}),
            vec!["\"b\"", "/x", "1000000000"],
        ),
        (json!({"_id": "b", "x": {"_seconds": i64::MAX, "_nanoseconds": 0}}), vec!["\"b\"", "/x"]),
    ] {
        let error = error_of_documents(&[good.clone(), bad]);
        assert_names(&error, &[file]);
        assert_names(&error, &parts);
    }
    let twice = r#"{"collection":"check_in_assignments","totalDocuments":1,"documents":[{"_id":"b","x":{"y":1,"y":2}}]}"#;
    assert_names(&error_of_text(twice), &[file, "\"b\"", "\"y\"", "twice"]);
}

#[test]
fn what_only_looks_like_a_timestamp_is_kept() {
    let documents = [
        json!({"_id": "a", "x": {"_seconds": "1"}, "y": {"__datatype__": "geopoint", "value": 5}, "z": {"_seconds": "1", "_nanoseconds": 2, "w": 3},
        "dueDate": {"__datatype__": "timestamp", "value": {"_seconds": 1, "_nanoseconds": 2}}, "createdAt": "whenever"}),
    ];
    let directory = small_export(&[], &documents, &[]);
    assert_eq!(JsonDirectory::new(directory.path()).read().unwrap().documents(), 1);
}

#[test]
fn a_response_with_a_bad_time_and_a_bad_summary_are_named() {
    let directory = small_export(&[], &[], &[json!({"_id": "r", "submittedAt": 5})]);
    assert_names(&error_of(directory.path()), &["formResponses.json", "\"r\"", "submittedAt"]);
    let directory = small_export(&[], &[], &[]);
    std::fs::write(directory.path().join("BACKUP_SUMMARY.json"), "{\"backupDate\":\"never\"}")
        .unwrap();
    assert_names(&error_of(directory.path()), &["BACKUP_SUMMARY.json", "backupDate"]);
    std::fs::write(directory.path().join("BACKUP_SUMMARY.json"), "nonsense").unwrap();
    assert_names(&error_of(directory.path()), &["BACKUP_SUMMARY.json", "line 1"]);
}

#[test]
fn a_directory_that_is_none_is_named() {
    let directory = small_export(&[], &[], &[]);
    assert_names(&error_of(&directory.path().join("absent")), &["absent", "cannot be read"]);
    assert_names(
        &error_of(&directory.path().join("clients.json")),
        &["clients.json", "is not a directory"],
    );
    for name in ["clients", "check_in_assignments", "formResponses"] {
        let directory = small_export(&[], &[], &[]);
        std::fs::remove_file(directory.path().join(format!("{name}.json"))).unwrap();
        assert_names(&error_of(directory.path()), &[&format!("has no {name}.json")]);
    }
}

#[test]
fn unknown_collections_are_counted_and_skipped_only_when_asked() {
    let directory = small_export(&[], &[], &[]);
    write_collection(directory.path(), "measurements", &[json!({"_id": "m"}), json!({"_id": "n"})]);
    for ignored in ["README.txt", "._clients.json"] {
        std::fs::write(directory.path().join(ignored), "no export").unwrap();
    }
    std::fs::create_dir(directory.path().join("old.json")).unwrap();
    let source = JsonDirectory::new(directory.path());
    let error = read_export(&source, false).unwrap_err();
    assert_names(&error.to_string(), &["measurements (2 documents)", "would not be imported"]);
    assert!(matches!(error, ImportError::UnknownCollections { .. }));
    let export = read_export(&source, true).unwrap();
    assert_eq!((export.unknown.len(), export.unknown[0].documents, export.documents()), (1, 2, 0));
}

fn nested(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

#[test]
fn a_document_nested_too_deep_is_refused_by_file_and_id() {
    let text = |levels: usize| {
        format!(
            r#"{{"collection":"check_in_assignments","totalDocuments":1,"documents":[{{"_id":"a-1","checkInWindow":{}}}]}}"#,
            nested(levels)
        )
    };
    let directory = small_export(&[], &[], &[]);
    std::fs::write(directory.path().join("check_in_assignments.json"), text(63)).unwrap();
    assert!(JsonDirectory::new(directory.path()).read().is_ok());
    for levels in [64, 36_000, 200_000] {
        let error = error_of_text(text(levels));
        let found = format!("nested {} levels deep; the limit is 64", levels + 1);
        assert_names(&error, &["check_in_assignments.json", "\"a-1\" (index 0)", &found]);
    }
}

#[test]
fn fields_of_a_file_and_the_summary_are_nested_no_deeper() {
    let header = format!(
        r#"{{"collection":"check_in_assignments","totalDocuments":0,"documents":[],"more":{}}}"#,
        nested(50_000)
    );
    assert_names(&error_of_text(header), &["check_in_assignments.json", "50001 levels deep"]);
    let directory = small_export(&[], &[], &[]);
    std::fs::write(directory.path().join("BACKUP_SUMMARY.json"), nested(50_000)).unwrap();
    assert_names(&error_of(directory.path()), &["BACKUP_SUMMARY.json", "50000 levels deep"]);
    // A collection that is not imported is only counted.
    let directory = small_export(&[], &[], &[]);
    let text =
        format!(r#"{{"collection":"other","totalDocuments":1,"documents":[{}]}}"#, nested(50_000));
    std::fs::write(directory.path().join("other.json"), text).unwrap();
    assert!(JsonDirectory::new(directory.path()).read().is_ok());
}

#[test]
fn an_id_that_no_erasure_can_name_is_refused_by_field() {
    let long = "i".repeat(1_025);
    for field in ["_id", "clientId", "formId", "authUid", "id", "assignmentId", "responseId"] {
        let mut document = json!({"_id": "a-1"});
        document[field] = json!("i".repeat(1_024));
        let directory = small_export(&[], std::slice::from_ref(&document), &[]);
        assert!(JsonDirectory::new(directory.path()).read().is_ok(), "{field}");
        document[field] = json!(long);
        let error = error_of_documents(&[document]);
        assert_names(
            &error,
            &["check_in_assignments.json", field, "1025 bytes; the limit is 1024"],
        );
    }
}

#[test]
fn one_stream_of_all_files_in_any_order_is_the_same_export() {
    for fixture_name in FIXTURES {
        let directory = JsonDirectory::new(fixture(fixture_name));
        let expected = directory.read().unwrap();
        let counted = std::cell::Cell::new(0);
        let read = read_texts(directory.texts().unwrap(), true, &|read| counted.set(read)).unwrap();
        assert_eq!(read, expected, "{fixture_name}");
        assert_eq!(counted.get(), expected.documents() as u64);
        let mut files: Vec<String> = std::fs::read_dir(fixture(fixture_name))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .map(|path| std::fs::read_to_string(path).unwrap())
            .collect();
        for _turn in 0..files.len() {
            files.rotate_left(1);
            assert_eq!(read_texts(files.concat().as_bytes(), true, &|_| {}).unwrap(), expected);
        }
    }
}

#[test]
fn a_stream_that_is_cut_off_or_has_a_file_twice_or_without_a_name_is_refused() {
    let clients = r#"{"collection":"clients","totalDocuments":0,"documents":[]}"#;
    let error = |text: &str| read_texts(text.as_bytes(), false, &|_| {}).unwrap_err();
    for (text, parts) in [
        (String::new(), ["the export has no clients.json", "every import needs"]),
        (clients.to_owned(), ["the export has no check_in_assignments.json", "every import needs"]),
        (clients.repeat(2), ["clients.json", "the export has it twice"]),
        (format!("{clients}{{\"collection\":"), ["text 2 of the export", "EOF"]),
        (r#"{"documents":[]}"#.to_owned(), ["text 1 of the export", "does not name"]),
        ("[]".to_owned(), ["text 1 of the export", "invalid"]),
        (format!("{{}}{{}}{clients}"), ["BACKUP_SUMMARY.json", "twice"]),
    ] {
        assert_names(&error(&text).to_string(), &parts);
    }
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _buffer: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::UnexpectedEof.into())
        }
    }
    let broken = std::io::Read::chain(clients.as_bytes(), Broken);
    let error = read_texts(broken, false, &|_| {}).unwrap_err();
    assert!(matches!(error, ImportError::Unreadable { .. }), "{error:?}");
}

#[test]
fn a_stream_is_checked_against_its_summary_as_a_directory_is() {
    let directory = small_export(&[], &[], &[]);
    let summary = json!({"status": "failed", "collections": []});
    std::fs::write(directory.path().join("BACKUP_SUMMARY.json"), summary.to_string()).unwrap();
    let source = JsonDirectory::new(directory.path());
    let error = read_texts(source.texts().unwrap(), false, &|_| {}).unwrap_err();
    assert!(error.is_incomplete(), "{error}");
    let unknown = small_export(&[], &[], &[]);
    write_collection(unknown.path(), "other", &[json!({"_id": "o"})]);
    let texts = || JsonDirectory::new(unknown.path()).texts().unwrap();
    let refused = read_texts(texts(), false, &|_| {}).unwrap_err();
    assert!(matches!(refused, ImportError::UnknownCollections { .. }), "{refused}");
    assert!(read_texts(texts(), true, &|_| {}).is_ok());
}

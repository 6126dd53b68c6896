//! `rollbook client|coach|form put`: what is put can be allocated at once, and stays through imports,
//! exports and dumps until its client is erased.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testkit::{Store, assert_same, files};

const AT: &str = "2026-02-25T12:00:00Z";
const NOW: &str = "2026-03-02T10:00:00Z";

/// Puts a coach, a form and a client.
fn put_all(store: &Store) {
    store.ok(&["coach", "put", "lee", "--first-name", "Lee", "--at", AT]);
    store.ok(&["form", "put", "sleep", "--title", "Sleep diary", "--at", AT]);
    store.ok(&["client", "put", "cleo", "--email", "cleo@example.com", "--at", AT]);
}

const ASSIGN: [&str; 13] = [
    "assign",
    "--client",
    "cleo",
    "--form",
    "sleep",
    "--coach",
    "lee",
    "--weeks",
    "3",
    "--first-due",
    "2026-03-02",
    "--at",
    AT,
];

/// A store to which the migration was applied.
fn migrated() -> Store {
    let store = Store::imported("clean");
    store.migrate();
    store
}

/// The files of an export, by name.
fn named(export: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let name = |path: PathBuf| path.strip_prefix(export).unwrap().to_owned();
    files(export).into_iter().map(|(path, bytes)| (name(path), bytes)).collect()
}

/// Runs the checks; all are green.
fn validate(store: &Store) {
    let validation: Value = store.json(&["migrate", "validate"]);
    assert_eq!(validation["all_green"], true, "{validation}");
}

/// An export of a few clients and assignments, made at `time`.
fn export(directory: &Path, time: &str, clients: &[Value], weeks: &[Value]) -> PathBuf {
    std::fs::create_dir_all(directory).unwrap();
    let files = [("clients", clients), ("check_in_assignments", weeks), ("formResponses", &[][..])];
    for (name, documents) in files {
        let file = json!({"collection": name, "exportDate": time,
            "totalDocuments": documents.len(), "documents": documents});
        std::fs::write(directory.join(format!("{name}.json")), file.to_string()).unwrap();
    }
    directory.to_owned()
}

fn import(store: &Store, name: &str, time: &str, clients: &[Value], weeks: &[Value]) -> Value {
    let export = export(&store.beside(name), time, clients, weeks);
    store.json(&["import", export.to_str().unwrap()])
}

#[test]
fn what_was_put_can_be_allocated_at_once_and_both_views_show_it() {
    for store in [Store::none(), migrated()] {
        for (kind, id) in [("coach", "lee"), ("form", "sleep"), ("client", "cleo")] {
            let refused = store.run(&ASSIGN);
            assert_ne!(refused.code, 0, "{kind} {id} is missing: {refused:?}");
            store.ok(&[kind, "put", id, "--at", AT]);
        }
        put_all(&store);
        store.ok(&ASSIGN);
        for view in ["legacy", "precreated"] {
            let weeks = store.check_ins(view, "cleo", NOW);
            assert_eq!(weeks.len(), 3, "{view}: {weeks:?}");
            assert!(weeks.iter().all(|week| week["title"] == "Sleep diary"), "{view}: {weeks:?}");
        }
        validate(&store);
        let batch = store.beside("realign.ndjson");
        let batch = batch.to_str().unwrap();
        store.ok(&[
            "migrate",
            "plan",
            "--kind",
            "realign",
            "--weekday",
            "friday",
            "--at",
            AT,
            "--out",
            batch,
        ]);
        store.ok(&["migrate", "apply", batch]);
        validate(&store);
        let certificate = store.beside("certificate.json");
        store.ok(&["migrate", "certificate", "--out", certificate.to_str().unwrap()]);
        assert!(certificate.exists());
        store.ok(&["verify"]);
    }
}

#[test]
fn a_put_that_changes_nothing_writes_nothing_and_says_so() {
    let store = Store::none();
    put_all(&store);
    let before = store.files();
    let said = store.ok(&["coach", "put", "lee", "--first-name", "Lee"]);
    assert_eq!(said, "coach lee: it is so already since position 1, nothing written\n");
    let again = store.json(&["coach", "put", "lee"]);
    assert_eq!((&again["change"], &again["position"]), (&json!("unchanged"), &json!(1)));
    assert_eq!(store.files(), before);
    let changed = store.ok(&["coach", "put", "lee", "--last-name", "Moss"]);
    assert_eq!(changed, "coach lee: changed at position 4\n");
    let history = store.ok(&["history", "coach/lee"]);
    assert!(history.contains("CoachImported") && history.contains("CoachChanged"), "{history}");
}

#[test]
fn a_refused_put_makes_no_store_and_changes_none() {
    let file = |store: &Store, name: &str, text: &str| {
        let path = store.beside(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let present = Store::none();
    put_all(&present);
    for store in [Store::none(), present] {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(64), "]".repeat(64));
        let large = format!("{{\"title\":\"{}\"}}", "x".repeat(1 << 20));
        for (name, text, named) in [
            ("cut.json", "{\"title\":", "it is not JSON"),
            ("list.json", "[]", "not a JSON object"),
            ("twice.json", "{\"a\":1,\"a\":2}", "occurs twice"),
            ("deep.json", &deep, "64"),
            ("large.json", &large, "1048576"),
            ("other.json", "{\"_id\":\"rest\"}", "rest"),
            ("time.json", "{\"at\":{\"_seconds\":1,\"_nanoseconds\":-1}}", "/at"),
        ] {
            let document = file(&store, name, text);
            let error = store.fails(3, &["form", "put", "nap", "--document", &document]);
            assert!(error.contains(named), "{name}: {error}");
        }
        let error = store.fails(1, &["form", "put", "nap", "--document", "no-such.json"]);
        assert!(error.contains("no-such.json"), "{error}");
        let error = store.fails(3, &["form", "put", "a\nb"]);
        assert!(error.contains("control character"), "{error}");
        let document = file(&store, "fine.json", "{}");
        let both = ["form", "put", "nap", "--document", &document, "--title", "Nap"];
        assert_eq!(store.run(&both).code, 2);
        assert_eq!(store.run(&["form", "put", ""]).code, 2);
    }
}

#[test]
fn a_document_is_taken_as_it_is_also_from_standard_input() {
    let store = Store::none();
    let document = store.beside("lee.json");
    std::fs::write(&document, r#"{"rate": 1.10, "_id": "lee"}"#).unwrap();
    let put = store.json(&["coach", "put", "lee", "--document", document.to_str().unwrap()]);
    assert_eq!((&put["change"], &put["kind"]), (&json!("created"), &json!("coach")));
    let mut command = store.command(&["client", "put", "cleo", "--document", "-", "--json"]);
    command.stdin(std::fs::File::open(&document).unwrap());
    assert_eq!(testkit::run(&mut command).code, 3, "its _id is another");
    std::fs::write(&document, r#"{"rate": 1.10}"#).unwrap();
    let mut command = store.command(&["client", "put", "cleo", "--document", "-", "--json"]);
    command.stdin(std::fs::File::open(&document).unwrap());
    let ran = testkit::run(&mut command);
    assert!(ran.stdout.contains(r#""document":{"rate":1.10}"#), "{ran:?}");
}

#[test]
fn two_clients_with_one_auth_uid_are_refused_by_name() {
    let store = Store::none();
    store.ok(&["client", "put", "cleo", "--auth-uid", "u-1"]);
    let error = store.fails(3, &["client", "put", "dora", "--auth-uid", "u-1"]);
    for named in ["\"u-1\"", "\"cleo\"", "rollbook history client/cleo"] {
        assert!(error.contains(named), "{error}");
    }
    store.ok(&["client", "put", "cleo", "--auth-uid", "u-2"]);
    store.ok(&["client", "put", "dora", "--auth-uid", "u-1"]);
}

#[test]
fn an_older_export_keeps_a_put_and_a_newer_one_replaces_it() {
    let client = |id: &str, email: &str| json!({"_id": id, "email": email});
    let store = Store::none();
    import(&store, "first", "2026-01-01T00:00:00Z", &[client("ada", "old@example.com")], &[]);
    let put = |id: &str| {
        store.ok(&[
            "client",
            "put",
            id,
            "--email",
            "put@example.com",
            "--at",
            "2026-02-01T00:00:00Z",
        ])
    };
    put("ada");
    put("cleo");
    let email = |id: &str| {
        let away = store.beside("seen");
        store.ok(&["export", away.to_str().unwrap()]);
        let clients = std::fs::read_to_string(away.join("clients.json")).unwrap();
        std::fs::remove_dir_all(&away).unwrap();
        let clients: Value = serde_json::from_str(&clients).unwrap();
        let found = clients["documents"].as_array().unwrap().iter();
        found.clone().find(|client| client["_id"] == id).unwrap()["email"].clone()
    };
    // The export was made before the put, and does not have `cleo`.
    let older = store.beside("older");
    let at = "2026-01-31T00:00:00Z";
    let older = export(&older, at, &[client("ada", "export@example.com")], &[]);
    let said = store.ok(&["import", older.to_str().unwrap()]);
    assert!(said.contains("kept: clients/ada, which was put after this export"), "{said}");
    assert_eq!((email("ada"), email("cleo")), (json!("put@example.com"), json!("put@example.com")));
    let newer = [client("ada", "new@example.com")];
    let imported = import(&store, "newer", "2026-02-02T00:00:00Z", &newer, &[]);
    let replaced = json!([{"collection": "clients", "id": "ada", "kept": false}]);
    assert_eq!(imported["puts"], replaced);
    assert_eq!(imported["collections"]["clients"]["removed"], 0, "{imported}");
    assert_eq!((email("ada"), email("cleo")), (json!("new@example.com"), json!("put@example.com")));
    // From now on the document is that of the export.
    let newest = [client("ada", "newest@example.com")];
    let imported = import(&store, "newest", "2026-02-03T00:00:00Z", &newest, &[]);
    assert_eq!(imported["puts"], json!([]));
    assert_eq!(imported["collections"]["clients"]["changed"], 1);
    validate(&store);
}

#[test]
fn an_export_of_a_store_with_puts_alone_is_imported_as_the_same_documents() {
    let store = Store::none();
    put_all(&store);
    let first = store.beside("first");
    store.ok(&["export", first.to_str().unwrap()]);
    let other = Store::of_export(&first);
    let second = other.beside("second");
    other.ok(&["export", second.to_str().unwrap()]);
    assert_same(&named(&first), &named(&second), &["exports"]);
    for collection in ["clients", "coaches", "forms"] {
        assert_eq!(
            other.json(&["import", first.to_str().unwrap()])["collections"][collection]["unchanged"],
            1
        );
    }
    other.ok(&ASSIGN);
    // With weeks, and back into the store that it came from.
    store.ok(&ASSIGN);
    let third = store.beside("third");
    store.ok(&["export", third.to_str().unwrap()]);
    // The old application has a document for the first week only.
    let copy = Store::of_export(&third);
    assert_eq!(copy.migrate()["all_green"], true);
    for view in ["legacy", "precreated"] {
        assert_eq!(copy.check_ins(view, "cleo", NOW).len(), 3, "{view}");
    }
    let back = store.json(&["import", third.to_str().unwrap()]);
    assert_eq!(back["puts"], json!([]), "{back}");
    for collection in ["clients", "coaches", "forms"] {
        assert_eq!(back["collections"][collection]["unchanged"], 1, "{back}");
    }
}

#[test]
fn an_erased_client_cannot_be_put_again() {
    let store = Store::imported("clean");
    put_all(&store);
    store.ok(&["erase", "--client", "cleo", "--reason", "asked", "--yes"]);
    let error = store.fails(3, &["client", "put", "cleo", "--email", "cleo@example.com"]);
    assert!(error.contains("erased"), "{error}");
}

#[test]
fn a_dump_carries_puts_and_the_audit_names_a_put_as_the_remedy() {
    let store = Store::none();
    let week = json!({"_id": "a1", "id": "a1", "clientId": "ghost ada", "coachId": "lee", "formId": "sleep",
        "formTitle": "Sleep", "dueDate": "2026-01-05T09:00:00Z", "status": "pending",
        "isRecurring": true, "recurringWeek": 1, "totalWeeks": 2});
    import(&store, "first", "2026-01-01T00:00:00Z", &[], &[week]);
    let unknown = |store: &Store| {
        let audit: Value =
            serde_json::from_str(&store.ok(&["audit", "--format", "json", "--at", AT])).unwrap();
        let groups = audit["findings"].as_array().unwrap().clone();
        let group = groups.into_iter().find(|group| group["code"] == "client-unknown");
        group.map(|group| group["findings"][0]["resolve"].as_str().unwrap().to_owned())
    };
    let remedy = unknown(&store).unwrap();
    assert_eq!(remedy, "rollbook client put 'ghost ada'");
    let words = shlex::split(remedy.strip_prefix("rollbook ").unwrap()).unwrap();
    store.ok(&words.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(unknown(&store), None);
    assert!(!store.check_ins("legacy", "ghost ada", "2026-01-05T10:00:00Z").is_empty());
    let dump = store.beside("dump.ndjson");
    store.ok(&["dump", "--clear", dump.to_str().unwrap()]);
    let copy = Store::none();
    copy.ok(&["load", dump.to_str().unwrap()]);
    assert_eq!(unknown(&copy), None);
}

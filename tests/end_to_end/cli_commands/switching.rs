//! `rollbook switch` and `status`: the view that each client gets, the guard of the switch, and the
//! next step that is printed.

use serde_json::{Value, json};
use testkit::Store;

fn next(store: &Store) -> String {
    store.json(&["status"])["next"].as_str().unwrap().to_owned()
}

#[test]
fn the_guard_refuses_until_a_green_validation_and_force_is_on_record() {
    let store = Store::imported("clean");
    let refused = store.fails(3, &["switch", "precreated", "--reason", "go"]);
    assert!(refused.contains("rollbook migrate validate"), "{refused}");
    crate::opened::validated(&store, false);
    let refused = store.fails(3, &["switch", "precreated", "--reason", "go"]);
    assert!(refused.contains("response-count"), "{refused}");
    let forced = store.json(&["switch", "precreated", "--reason", "go", "--force"]);
    assert_eq!(
        (&forced["forced"], &forced["before"]["default"], &forced["after"]["default"]),
        (&json!(true), &json!("legacy"), &json!("precreated"))
    );
    assert_eq!(
        (&forced["after"]["legacy"], &forced["after"]["precreated"]),
        (&json!(0), &json!(30))
    );
    let back = store.json(&["switch", "legacy", "--reason", "back"]);
    assert_eq!((&back["forced"], &back["after"]["default"]), (&json!(false), &json!("legacy")));
    crate::opened::validated(&store, true);
    let green = store.json(&["switch", "precreated", "--reason", "go"]);
    assert_eq!(green["forced"], json!(false));
    let history = store.ok(&["history", "control"]);
    assert!(history.contains("precreated for everybody, forced: go"), "{history}");
}

#[test]
fn clients_are_named_by_any_identity_and_stored_by_document_id() {
    let store = Store::imported("dirty");
    crate::opened::validated(&store, true);
    let clients: Vec<Value> = testkit::lines(
        &std::fs::read_to_string(testkit::fixture("dirty").join("export/clients.json"))
            .unwrap()
            .replace('\n', " "),
    );
    let other = clients[0]["documents"].as_array().unwrap().iter().find(|client| {
        let uid = client["authUid"].as_str().unwrap_or_default();
        !uid.is_empty() && client["_id"] != client["authUid"]
    });
    let (id, uid) =
        (other.unwrap()["_id"].as_str().unwrap(), other.unwrap()["authUid"].as_str().unwrap());
    let switched = store.json(&["switch", "precreated", "--client", uid, "--reason", "pilot"]);
    assert_eq!(switched["after"]["clients"], json!({ id: "precreated" }));
    assert_eq!(switched["after"]["precreated"], json!(1));
    let unknown = store.fails(
        1,
        &["switch", "precreated", "--client", id, "--client", "nobody", "--reason", "pilot"],
    );
    assert!(unknown.contains("\"nobody\""), "{unknown}");
}

#[test]
fn a_percentage_serves_that_part_and_excludes_names() {
    let store = Store::imported("clean");
    crate::opened::validated(&store, true);
    let half = store.json(&["switch", "precreated", "--percent", "50", "--reason", "half"]);
    let served = half["after"]["precreated"].as_u64().unwrap();
    assert!((5..=25).contains(&served), "{served} of 30 at 50 per cent");
    assert_eq!(store.json(&["status"])["switch"]["precreated"], json!(served));
    store.fails(2, &["switch", "precreated", "--percent", "50", "--client", "x", "--reason", "no"]);
    store.fails(2, &["switch", "precreated", "--percent", "101", "--reason", "no"]);
    store.fails(2, &["switch", "precreated"]);
    store.fails(3, &["switch", "legacy", "--reason", "  "]);
}

#[test]
fn status_says_what_to_do_next_from_import_to_rollback() {
    let store = Store::imported("clean");
    assert!(next(&store).starts_with("rollbook audit, then rollbook migrate plan"));
    let status = store.json(&["status"]);
    assert_eq!((&status["format"], &status["zone"]), (&json!(1), &json!("UTC")));
    assert_eq!(status["import"]["collections"]["clients"], json!(30));
    assert_eq!(status["events"]["ClientImported"], json!(30));
    assert_eq!((&status["validation"], &status["batches"]), (&Value::Null, &json!([])));
    let projections = status["projections"].as_array().unwrap();
    assert_eq!(projections.len(), 7);
    assert!(
        projections
            .iter()
            .all(|one| one["behind"] == json!(0) && one["position"] == status["head"]),
        "{projections:?}"
    );
    let text = store.ok(&["status"]);
    assert!(text.contains("legacy for everybody (30 clients legacy, 0 precreated)"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colours in a pipe");
}

#[test]
fn status_of_a_store_that_is_not_folded_tells_so_and_folds_nothing() {
    let store = Store::imported("clean");
    let current = store.json(&["status"]);
    {
        let open = crate::opened::open(&store);
        let event = rollbook_domain::Event::StageRecorded {
            stage: "staging".to_owned(),
            note: String::new(),
        };
        crate::opened::append(&open, event);
    }
    let before = testkit::files(store.around());
    let behind = store.json(&["status"]);
    testkit::assert_same(&before, &testkit::files(store.around()), &["status"]);
    assert_eq!(behind["head"].as_u64().unwrap(), current["head"].as_u64().unwrap() + 1);
    assert!(
        behind["projections"].as_array().unwrap().iter().all(|one| one["behind"] == json!(1)),
        "{behind}"
    );
    assert_eq!(behind["events"]["StageRecorded"], json!(1));
    assert_eq!(behind["events"]["ClientImported"], current["events"]["ClientImported"]);
    assert_eq!(behind["switch"]["legacy"], Value::Null);
    // The next read folds, once.
    store.ok(&["view", "legacy", "--all"]);
    assert_eq!(store.json(&["status"])["projections"][0]["behind"], json!(0));
}

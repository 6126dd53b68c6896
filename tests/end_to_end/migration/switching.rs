//! Switch, answer, roll back: nothing is lost, whichever view is on.

use rollbook_application::operations::switch::{SwitchRequest, switch};
use rollbook_application::store::{Request, Store as Inner, ViewChoice};
use rollbook_domain::Actor;
use rollbook_domain::event::View;
use rollbook_projections::entry::ListParameters;
use serde_json::Value;
use testkit::Store;

const NOW: &str = "2026-02-20T10:00:00.000Z";

fn migrated(home: &std::path::Path) -> Store {
    let store = Store::imported_at(home.join("store"), "clean");
    let batch = home.join("batch.ndjson");
    store.plan(&batch);
    store.apply(&batch);
    store
}

fn entry<'a>(body: &'a Value, assignment: &str) -> Option<&'a Value> {
    body["data"]["checkins"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["documentId"] == assignment)
}

/// A week that the migration made and that has no answer.
fn open_week(store: &Store) -> (String, String) {
    let bodies = store.all("precreated", NOW);
    let open = |client: &String, body: &Value| {
        let weeks = body["data"]["checkins"].as_array().unwrap();
        let week = weeks.iter().find(|entry| {
            entry["status"] == "pending" && entry["id"].as_str().unwrap().len() == 36
        })?;
        Some((client.clone(), week["id"].as_str().unwrap().to_owned()))
    };
    bodies.iter().find_map(|(client, body)| open(client, body)).unwrap()
}

#[test]
fn the_switch_is_guarded_and_rolling_back_needs_only_a_reason() {
    let home = tempfile::tempdir().unwrap();
    let store = migrated(home.path());
    let before = store.files();
    let said = store.fails(3, &["switch", "precreated", "--reason", "go"]);
    assert!(said.contains("validate"), "{said}");
    assert_eq!(store.files(), before, "a refused switch changes no file");
    store.validate();
    store.ok(&["switch", "precreated", "--reason", "go"]);
    store.ok(&["switch", "legacy", "--reason", "back"]);
    store.fails(3, &["switch", "legacy", "--reason", " "]);
}

#[test]
fn an_answer_after_the_switch_is_in_both_views_and_stays_after_rollback() {
    let home = tempfile::tempdir().unwrap();
    let store = migrated(home.path());
    store.validate();
    store.ok(&["switch", "precreated", "--reason", "go"]);
    let (client, assignment) = open_week(&store);
    let answers = r#"[{"questionId":"q1","question":"How?","answer":7,"weight":5,"score":8}]"#;
    let answered = store.json(&["respond", &assignment, "--answers", answers, "--at", NOW]);
    assert_eq!(
        (&answered["assignmentId"], &answered["score"], &answered["alreadyCompleted"]),
        (&assignment.clone().into(), &80.into(), &false.into())
    );
    let again = store.json(&["respond", &assignment, "--at", NOW]);
    assert_eq!(
        (&again["responseId"], &again["alreadyCompleted"]),
        (&answered["responseId"], &true.into())
    );
    let look = |view: &str| store.json(&["view", view, "--client", &client, "--at", NOW]);
    let check = |view: &str| {
        let body = look(view);
        let found = entry(&body, &assignment)
            .unwrap_or_else(|| panic!("{view} lacks {assignment}: {body}"));
        assert_eq!(
            (&found["status"], &found["responseId"], &found["score"]),
            (&"completed".into(), &answered["responseId"], &80.into()),
            "{view}"
        );
    };
    ["legacy", "precreated", "live"].iter().for_each(|view| check(view));
    store.ok(&["switch", "legacy", "--reason", "back"]);
    assert_eq!(look("live"), look("legacy"));
    check("live");
    let history = store.ok(&["history", &assignment]);
    assert!(
        history.contains("AssignmentCreated") && history.contains("ResponseSubmitted"),
        "{history}"
    );
    // The old name of the week leads to the same assignment.
    let body = look("legacy");
    let old_name = entry(&body, &assignment).unwrap()["id"].as_str().unwrap().to_owned();
    assert!(old_name.contains("_week_"), "{old_name}");
    assert_eq!(store.json(&["respond", &old_name])["assignmentId"], assignment.as_str());
}

#[test]
fn switching_forth_and_back_a_thousand_times_loses_nothing() {
    let home = tempfile::tempdir().unwrap();
    let store = migrated(home.path());
    store.validate();
    let before = [store.all("legacy", NOW), store.all("precreated", NOW)];
    forth_and_back(&crate::opened::open(&store), before[0].keys().next().unwrap());
    assert_eq!([store.all("legacy", NOW), store.all("precreated", NOW)], before);
}

fn forth_and_back(inner: &Inner, client: &str) {
    let head = inner.log().head();
    let asked =
        ListParameters { now: NOW.parse().unwrap(), overdue_after_milliseconds: 259_200_000 };
    for number in 0..1_000 {
        let view = if number % 2 == 0 { View::Precreated } else { View::Legacy };
        let request = Request {
            actor: Actor::Admin("test".into()),
            now: NOW.parse().unwrap(),
            key: None,
            cause: None,
        };
        let wanted = SwitchRequest {
            view,
            percent: None,
            clients: Vec::new(),
            reason: "forth and back".to_owned(),
            force: false,
        };
        switch(&inner.reading(), &wanted, &request).unwrap();
        assert_eq!(inner.check_ins(ViewChoice::Live, client, asked, None).unwrap().view, view);
    }
    assert_eq!(inner.log().head(), head + 1_000);
}

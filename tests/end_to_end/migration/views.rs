//! Both views equal the old system's answers.

use std::collections::BTreeMap;

use serde_json::Value;
use testkit::{ExpectedAnswer, FIXTURES, Store, expected, starred};

/// Every answer of a kind, asked client by client and all at once.
fn compare(
    store: &Store,
    answers: &[ExpectedAnswer],
    view: &str,
    options: &[&str],
    shown: impl Fn(Value) -> Value,
) {
    let mut all: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for ExpectedAnswer { now, client, body, .. } in answers {
        let mut arguments = vec!["view", view, "--client", client, "--at", now];
        arguments.extend(options);
        assert_eq!(shown(store.json(&arguments)), *body, "{view} of {client} at {now}");
        let everybody = all.entry(now.clone()).or_insert_with(|| {
            let mut arguments = vec!["view", view, "--all", "--at", now];
            arguments.extend(options);
            let lines = store.ok(&arguments);
            let values = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            values
                .map(|value| {
                    (value["clientId"].as_str().unwrap().to_owned(), value["body"].clone())
                })
                .collect()
        });
        // `--all` asks by document id; the fixtures also ask by the other identity.
        if let Some(listed) = everybody.get(client) {
            assert_eq!(shown(listed.clone()), *body, "{view} of {client} at {now}, with --all");
        }
    }
    for everybody in all.values() {
        let asked = answers.iter().filter(|answer| everybody.contains_key(&answer.client)).count();
        assert!(asked >= everybody.len(), "the fixtures ask for every client document");
    }
}

#[test]
fn the_legacy_view_equals_the_old_system_before_and_after_the_migration() {
    for (name, _) in FIXTURES {
        let home = tempfile::tempdir().unwrap();
        let store = Store::imported_at(home.path().join("store"), name);
        let answers = expected(name, "legacy");
        compare(&store, &answers, "legacy", &[], |body| body);
        let before = store.files();
        let (first, _): (Vec<ExpectedAnswer>, Vec<ExpectedAnswer>) =
            expected(name, "legacy").into_iter().partition(|answer| answer.now == answers[0].now);
        compare(&store, &first, "live", &[], |body| body);
        assert_eq!(store.files(), before, "a read writes nothing");
        let batch = home.path().join("batch.ndjson");
        store.plan(&batch);
        store.apply(&batch);
        for now in ["2026-01-11T00:52:51.000Z", "2026-03-29T01:30:00.000Z"] {
            let bodies = store.all("legacy", now);
            for answer in answers.iter().filter(|answer| answer.now == now) {
                if let Some(body) = bodies.get(&answer.client) {
                    assert_eq!(*body, answer.body, "{name}: {} at {now}", answer.client);
                }
            }
        }
    }
}

#[test]
fn the_pre_created_view_after_the_migration_equals_the_old_systems_new_endpoint() {
    for (name, figures) in [("tracker", [28, 691, 2]), ("clean", [41, 731, 6])] {
        let home = tempfile::tempdir().unwrap();
        let store = Store::imported_at(home.path().join("store"), name);
        let batch = home.path().join("batch.ndjson");
        let planned = store.plan(&batch);
        assert_eq!(
            [&planned["series"], &planned["created"], &planned["linked"]]
                .map(|figure| figure.as_u64().unwrap()),
            figures,
            "{name}"
        );
        let applied = store.apply(&batch);
        assert_eq!(
            [&applied["series"], &applied["created"], &applied["linked"]]
                .map(|figure| figure.as_u64().unwrap()),
            figures,
            "{name}"
        );
        compare(
            &store,
            &expected(name, "precreated-after-migration"),
            "precreated",
            &["--overdue-after", "0s"],
            starred,
        );
        let validation = store.validate();
        assert_eq!(
            (validation["green"].as_u64(), validation["total"].as_u64()),
            (Some(13), Some(13)),
            "{name}: {validation}"
        );
    }
}

//! `rollbook correct` on the dirty fixtures: every finding that the audit has a command for is
//! resolved by that command, and undoing all corrections gives both views as they were.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use testkit::Store;

const NOW: &str = "2026-02-04T12:00:00Z";

fn audit(store: &Store) -> Value {
    serde_json::from_str(&store.ok(&["audit", "--format", "json", "--at", NOW])).unwrap()
}

/// Every finding: its kind, what it names, and how it is resolved.
fn findings(store: &Store) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    for group in audit(store)["findings"].as_array().unwrap() {
        for finding in group["findings"].as_array().unwrap() {
            let named = format!("{} {}", finding["client"], finding["documents"]);
            let resolve = finding["resolve"].as_str().unwrap().to_owned();
            all.push((group["code"].as_str().unwrap().to_owned(), named, resolve));
        }
    }
    all
}

/// Both views of every client.
fn views(store: &Store) -> [BTreeMap<String, Value>; 2] {
    ["legacy", "precreated"].map(|view| store.all(view, NOW))
}

/// The command of a finding with a reason, if the finding has one of `rollbook correct`.
fn command(resolve: &str) -> Option<Vec<String>> {
    let words = shlex::split(resolve.strip_prefix("rollbook correct ")?)?;
    let mut arguments = vec!["correct".to_owned()];
    arguments.extend(words);
    *arguments.last_mut()? = "as the audit says".to_owned();
    (!arguments.contains(&"N".to_owned())).then_some(arguments)
}

/// Runs the command of every finding until no finding has one. Returns how many findings it
/// resolved.
fn correct_all(store: &Store) -> usize {
    let mut resolved = BTreeSet::new();
    let mut done = BTreeSet::new();
    loop {
        let open = findings(store);
        let Some((code, named, arguments)) = open
            .iter()
            .filter_map(|(code, named, resolve)| Some((code, named, command(resolve)?)))
            .find(|(_, _, arguments)| !done.contains(arguments))
        else {
            return resolved.len();
        };
        done.insert(arguments.clone());
        let tried: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let before = store.files();
        store.ok(&[&tried[..], &["--dry-run"]].concat());
        assert_eq!(store.files(), before, "a dry run writes nothing: {tried:?}");
        store.ok(&tried);
        let left = findings(store);
        let is_left = left.iter().any(|(c, n, _)| (c, n) == (code, named));
        assert!(!is_left, "{code} {named} is there after {tried:?}");
        // One command may resolve several findings.
        for finding in &open {
            if !left.iter().any(|(c, n, _)| (c, n) == (&finding.0, &finding.1)) {
                resolved.insert((finding.0.clone(), finding.1.clone()));
            }
        }
    }
}

fn held(store: &Store) -> Vec<Value> {
    store.json(&["correct", "list"]).as_array().unwrap().clone()
}

fn undo_all(store: &Store) {
    while let Some(last) =
        held(store).into_iter().max_by_key(|held| held["position"].as_u64().unwrap())
    {
        let position = last["position"].to_string();
        store.ok(&["correct", "undo", "--position", &position, "--reason", "back"]);
    }
}

fn corrects(fixture: &str, migrate_first: bool) {
    let store = Store::imported(fixture);
    if migrate_first {
        store.migrate();
    }
    let (all, before) = (findings(&store), views(&store));
    let resolved = correct_all(&store);
    let left: BTreeSet<String> = findings(&store).into_iter().map(|(code, ..)| code).collect();
    println!("{fixture}: {resolved} of {} findings resolved; left: {left:?}", all.len());
    assert!(resolved > 10, "{resolved}");
    undo_all(&store);
    assert_eq!(views(&store), before, "{fixture}");
    assert!(findings(&store) == all, "{fixture}");
}

#[test]
fn the_findings_of_dirty_that_have_a_command_are_resolved_by_it() {
    corrects("dirty", false);
}

#[test]
fn the_findings_of_dirty_london_that_have_a_command_are_resolved_by_it() {
    corrects("dirty-london", false);
}

#[test]
fn findings_are_resolved_after_a_migration_too() {
    corrects("dirty", true);
}

#[test]
fn a_correction_survives_the_import_of_the_same_export_and_its_own_export_is_clean() {
    let store = Store::imported("dirty");
    correct_all(&store);
    let (before, open) = (views(&store), findings(&store));
    store.import(&testkit::fixture("dirty").join("export"), "dirty");
    assert_eq!(views(&store), before);
    assert!(findings(&store) == open);
    let directory = store.beside("corrected");
    store.ok(&["export", directory.to_str().unwrap()]);
    let again = Store::of_export(&directory);
    assert_eq!(views(&again)[0], before[0], "the legacy view of the corrected documents");
    let corrected: Vec<String> = findings(&again)
        .into_iter()
        .filter_map(|(code, _, resolve)| command(&resolve).map(|_| code))
        .collect();
    assert_eq!(corrected, [""; 0]);
}

#[test]
fn history_shows_a_correction_with_its_reason_only_on_request() {
    let store = Store::imported("clean");
    let response = "2tOmF32nl0g8Dh76Gz1n";
    let told = store.json(&[
        "correct",
        "move-response",
        response,
        "--week",
        "9",
        "--reason",
        "the wrong week",
    ]);
    let correction = told["correction"].as_str().unwrap();
    for id in [response, correction] {
        let closed = store.ok(&["history", id]);
        assert!(
            closed.contains("ResponsePlaced") && !closed.contains("the wrong week"),
            "{closed}"
        );
        assert!(store.ok(&["history", id, "--with-answers"]).contains("the wrong week"));
    }
    store.ok(&["correct", "undo", correction, "--reason", "it was right"]);
    assert!(store.ok(&["history", response]).contains("CorrectionUndone"));
    let again = store.run(&["--json", "correct", "undo", correction, "--reason", "x"]);
    assert_eq!((again.code, again.error()["code"].as_str()), (3, Some("unknown_id")));
}

#[test]
fn a_correction_between_plan_and_apply_is_drift() {
    let store = Store::imported("dirty");
    let file = store.beside("batch");
    let file = file.to_str().unwrap();
    store.ok(&["migrate", "plan", "--out", file]);
    let open = findings(&store);
    let moved = open.iter().find(|(code, ..)| code == "response-names-week-1").unwrap();
    let mut arguments = command(&moved.2).unwrap();
    // Another week than the one that the batch links it to.
    let at = arguments.iter().position(|argument| argument == "--week").unwrap() + 1;
    let week: u32 = arguments[at].parse().unwrap();
    let was_moved = (1..=52_u32).filter(|other| *other != week).any(|other| {
        arguments[at] = other.to_string();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        store.run(&arguments).code == 0
    });
    assert!(was_moved);
    let refused = store.run(&["--json", "migrate", "apply", file]);
    assert_eq!(refused.error()["code"], "drift", "{refused:?}");
    store.ok(&["migrate", "plan", "--out", store.beside("second").to_str().unwrap()]);
    store.ok(&["migrate", "apply", store.beside("second").to_str().unwrap()]);
}

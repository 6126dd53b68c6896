//! The old system's own answers, line by line: every export of `tests/fixtures` imported into a
//! real log, folded by the runtime, and asked at every instant that was recorded.

use std::path::Path;

use rollbook_domain::Timestamp;
use rollbook_domain::event::View;
use rollbook_projections::{Runtime, all};

use crate::support;

/// `legacy@2026-01-11T005251.000Z.ndjson` was asked at 00:52:51.
fn asked_at(file: &Path) -> Option<Timestamp> {
    let text = file.file_name()?.to_str()?.strip_prefix("legacy@")?.strip_suffix(".ndjson")?;
    Some(format!("{}:{}:{}", &text[..13], &text[13..15], &text[15..]).parse().unwrap())
}

/// Compares every recorded answer; returns how many there were.
fn compare(name: &str, zone: &str) -> usize {
    let directory = tempfile::tempdir().unwrap();
    let log = support::open(directory.path());
    support::import(&log, &support::fixture(name).join("export"), zone);
    let runtime = Runtime::new(log, all());
    let mut answers = 0;
    for file in std::fs::read_dir(support::fixture(name).join("expected")).unwrap() {
        let file = file.unwrap().path();
        let Some(now) = asked_at(&file) else { continue };
        let snapshot = runtime.snapshot().unwrap();
        let (rows, _) = snapshot.view(View::Legacy).unwrap();
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            let expected: serde_json::Value = serde_json::from_str(line).unwrap();
            let client = expected["clientId"].as_str().unwrap();
            let body: serde_json::Value =
                serde_json::from_str(&support::body(&rows, client, now)).unwrap();
            assert_eq!(body, expected["body"], "{name}: {client} at {now}");
            answers += 1;
        }
    }
    answers
}

#[test]
fn the_legacy_view_answers_as_the_old_system_did_on_tracker() {
    assert_eq!(compare("tracker", "UTC"), recorded("tracker"));
}

#[test]
fn the_legacy_view_answers_as_the_old_system_did_on_clean() {
    assert_eq!(compare("clean", "UTC"), recorded("clean"));
}

#[test]
fn the_legacy_view_answers_as_the_old_system_did_on_dirty() {
    assert_eq!(compare("dirty", "UTC"), recorded("dirty"));
}

#[test]
fn the_legacy_view_answers_as_the_old_system_did_in_london() {
    assert_eq!(compare("dirty-london", "Europe/London"), recorded("dirty-london"));
}

/// How many answers were recorded: four instants, and every client asked for at each.
fn recorded(name: &str) -> usize {
    let files = std::fs::read_dir(support::fixture(name).join("expected"))
        .unwrap()
        .map(|file| file.unwrap().path());
    let legacy: Vec<_> = files.filter(|file| asked_at(file).is_some()).collect();
    assert_eq!(legacy.len(), 4, "{name}");
    legacy.iter().map(|file| std::fs::read_to_string(file).unwrap().lines().count()).sum()
}

//! `migrate show`: what a person reads before a batch is applied.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::{Store, assert_golden, rollbook, run};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end/migration/golden").join(name)
}

/// A copy of the batch that has every event with every optional field, beside a store.
fn every_event(store: &Store) -> String {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("migrations/tests/golden/batch-every-event.ndjson");
    let to = store.beside("every.ndjson");
    std::fs::copy(from, &to).unwrap();
    to.to_str().unwrap().to_owned()
}

#[test]
fn the_report_of_a_batch_is_the_golden_one_in_every_format() {
    let store = Store::none();
    let batch = every_event(&store);
    for (format, name) in [("table", "show.txt"), ("md", "show.md"), ("csv", "show.csv")] {
        let shown = store.ok(&["migrate", "show", &batch, "--format", format]);
        assert_golden(&golden(name), &shown.replace(&batch, "every.ndjson"));
    }
    let table = store.ok(&["migrate", "show", &batch]);
    assert_eq!(table, store.ok(&["migrate", "show", &batch, "--format", "table"]));
    let json = store.json(&["migrate", "show", &batch]);
    assert_eq!(json["review"][0]["weeks"].as_array().unwrap().len(), 2, "{json}");
    assert_eq!(json["review"][0]["links"].as_array().unwrap().len(), 3, "{json}");
    assert_eq!(json["by_series"], serde_json::json!([["series/c%2F1/weekly form", 5]]));
}

fn reviews(shown: &Value) -> &Vec<Value> {
    shown["review"].as_array().unwrap()
}

#[test]
fn every_week_and_link_of_a_plan_is_shown_once_and_each_reason_of_the_plan_with_its_series() {
    for fixture in ["clean", "dirty", "dirty-london"] {
        let store = Store::imported(fixture);
        let batch = store.beside("batch.ndjson");
        let planned = store.plan(&batch);
        let file = batch.to_str().unwrap();
        let shown = store.json(&["migrate", "show", file, "--left-out"]);
        let count = |field: &str| -> usize {
            reviews(&shown).iter().map(|review| review[field].as_array().unwrap().len()).sum()
        };
        let figure = |name: &str| planned[name].as_u64().unwrap() as usize;
        assert_eq!(count("weeks"), figure("created"), "{fixture}");
        assert_eq!(count("links"), figure("linked") + figure("adopted"), "{fixture}");
        let names: Vec<&str> =
            reviews(&shown).iter().map(|review| review["series"].as_str().unwrap()).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{fixture}");

        let mut told: Vec<String> = Vec::new();
        for review in reviews(&shown) {
            for obstacle in review["left_out"].as_array().unwrap() {
                let mut obstacle = obstacle.clone();
                obstacle["series"] = review["series"].clone();
                told.push(obstacle.to_string());
            }
        }
        let mut expected: Vec<String> =
            planned["obstacles"].as_array().unwrap().iter().map(Value::to_string).collect();
        told.sort();
        expected.sort();
        assert_eq!(told, expected, "{fixture}");
        assert_eq!(expected.is_empty(), fixture == "clean", "{fixture}");

        let alone = store.json(&["migrate", "show", file]);
        assert!(reviews(&alone).iter().all(|review| review["left_out"] == serde_json::json!([])));
    }
}

#[test]
fn what_is_left_as_it_is_has_the_golden_reasons() {
    let store = Store::imported("dirty");
    let batch = store.beside("batch.ndjson");
    store.plan(&batch);
    let file = batch.to_str().unwrap();
    let shown = store.ok(&["migrate", "show", file, "--left-out", "--format", "csv"]);
    let left: String =
        shown.split_inclusive("\r\n").filter(|row| row.contains(",left out,")).collect();
    assert_golden(&golden("show-left-out.csv"), &left);
}

#[test]
fn one_series_is_shown_alone_and_another_is_refused_by_name() {
    let store = Store::imported("dirty");
    let batch = store.beside("batch.ndjson");
    let planned = store.plan(&batch);
    let file = batch.to_str().unwrap();
    let all = store.json(&["migrate", "show", file, "--left-out"]);
    // A series of the file, and one that the batch leaves entirely as it is.
    let untouched =
        reviews(&all).iter().find(|review| review["weeks"] == serde_json::json!([])).unwrap();
    for review in [&reviews(&all)[0], untouched] {
        let id = review["series"].as_str().unwrap();
        let shown = store.json(&["migrate", "show", file, "--left-out", "--series", id]);
        assert_eq!(reviews(&shown), std::slice::from_ref(review), "{planned}");
    }
    let error = store.fails(2, &["migrate", "show", file, "--series", "series/nobody/none"]);
    assert!(error.contains("series/nobody/none") && error.contains("names its series"), "{error}");
    store.fails(2, &["migrate", "show", file, "--series", "nobody"]);
}

#[test]
fn a_store_in_another_zone_is_refused_before_anything_is_printed() {
    let london = Store::imported("dirty-london");
    let batch = london.beside("batch.ndjson");
    london.plan(&batch);
    let utc = Store::imported("dirty");
    let error = utc.fails(3, &["migrate", "show", batch.to_str().unwrap(), "--left-out"]);
    assert!(error.contains("Europe/London") && error.contains("UTC"), "{error}");
}

#[test]
fn reasons_are_read_from_a_directory_and_never_from_a_service() {
    let store = Store::imported("dirty");
    let batch = store.beside("batch.ndjson");
    store.plan(&batch);
    let show = ["--server", "http://127.0.0.1:9", "migrate", "show", batch.to_str().unwrap()];
    let shown = run(rollbook().args(show));
    assert_eq!(shown.code, 0, "the file alone is shown without the service: {shown:?}");
    let refused = run(rollbook().args(show).arg("--left-out"));
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{refused:?}");
    assert!(refused.stderr.contains("works on a store's directory"), "{refused:?}");
}

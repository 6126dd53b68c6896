//! Tests of the number of reads that a request causes.

use rollbook_domain::JsonText;

use super::{request, sample};
use crate::operations::respond;
use crate::store::ReadCounts;

#[test]
fn a_response_takes_one_snapshot_folds_its_series_once_and_reads_nothing_back() {
    let sample = sample();
    let id = sample.allocated();
    for (name, key) in [(id.clone(), None), (format!("{id}_week_2"), Some("k"))] {
        let before = sample.store.read_counts();
        let reading = sample.store.reading();
        let week = reading.assignment(&name).unwrap();
        let answers = JsonText::parse("[]").unwrap();
        let response = respond(&reading, &week, answers.clone(), Some(80), &request(key)).unwrap();
        assert!(!response.already_completed && response.position.is_some());
        let counts = since(before, sample.store.read_counts());
        assert_eq!(counts, ReadCounts { snapshots: 1, series_folds: 1, commits_read: 0 }, "{name}");
        if key.is_some() {
            let before = sample.store.read_counts();
            let reading = sample.store.reading();
            let again = respond(&reading, &week, answers, Some(80), &request(key)).unwrap();
            assert_eq!(again, response);
            let counts = since(before, sample.store.read_counts());
            assert_eq!(counts, ReadCounts { snapshots: 0, series_folds: 0, commits_read: 1 });
        }
    }
}

#[test]
fn a_series_that_another_writer_changed_is_folded_again() {
    let sample = sample();
    let id = sample.allocated();
    let reading = sample.store.reading();
    let week = reading.assignment(&id).unwrap();
    reading.series(&week.stream).unwrap();
    let answers = || JsonText::parse("[]").unwrap();
    let first = respond(&sample.store.reading(), &week, answers(), None, &request(None)).unwrap();
    let second = respond(&reading, &week, answers(), None, &request(None)).unwrap();
    assert!(second.already_completed);
    assert_eq!(second.id, first.id);
}

fn since(before: ReadCounts, after: ReadCounts) -> ReadCounts {
    ReadCounts {
        snapshots: after.snapshots - before.snapshots,
        series_folds: after.series_folds - before.series_folds,
        commits_read: after.commits_read - before.commits_read,
    }
}

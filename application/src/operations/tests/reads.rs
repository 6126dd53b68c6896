//! Tests of the number of reads that a request causes.

use std::sync::Arc;

use rollbook_domain::event::MissedReason;
use rollbook_domain::{Event, JsonText, StreamId};

use super::{Sample, request, sample};
use crate::operations::{erase, respond};
use crate::store::{FoldedSeries, ReadCounts, WeekRef};

#[test]
fn a_response_takes_one_snapshot_folds_its_series_at_most_once_and_reads_nothing_back() {
    let sample = sample();
    let id = sample.allocated();
    sample.store.evict_series();
    let weeks = [(id.clone(), None, 1), (format!("{id}_week_2"), Some("k"), 0)];
    for (name, key, series_folds) in weeks {
        let before = sample.store.read_counts();
        let reading = sample.store.reading();
        let week = reading.assignment(&name).unwrap();
        let answers = JsonText::parse("[]").unwrap();
        let response = respond(&reading, &week, answers.clone(), Some(80), &request(key)).unwrap();
        assert!(!response.already_completed && response.position.is_some());
        let counts = since(before, sample.store.read_counts());
        assert_eq!(
            counts,
            ReadCounts { snapshots: 1, series_folds, control_folds: 0, commits_read: 0 },
            "{name}"
        );
        if key.is_some() {
            let before = sample.store.read_counts();
            let reading = sample.store.reading();
            let again = respond(&reading, &week, answers, Some(80), &request(key)).unwrap();
            assert_eq!(again, response);
            let counts = since(before, sample.store.read_counts());
            assert_eq!(
                counts,
                ReadCounts { snapshots: 0, series_folds: 0, control_folds: 0, commits_read: 1 }
            );
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

/// The series as a request reads it, and as its stream alone gives it.
fn cached_and_folded(sample: &Sample, stream: &StreamId) -> (FoldedSeries, FoldedSeries) {
    let cached = sample.store.reading().series(stream).unwrap();
    (FoldedSeries::clone(&cached), sample.store.fold_series(stream).unwrap())
}

#[test]
fn a_cached_series_has_the_events_of_every_writer() {
    let sample = sample();
    let week = sample.store.assignment(&sample.allocated()).unwrap();
    let answers = || JsonText::parse("[]").unwrap();
    for number in 1..=4_u32 {
        let reading = sample.store.reading();
        let week = WeekRef { week: number, ..week.clone() };
        if number % 2 == 0 {
            // Another writer, which knows nothing of the cache.
            let change = Event::AssignmentMissed {
                run: week.run,
                week: number,
                reason: MissedReason::Sick,
                comment: None,
            };
            sample.append(week.stream.clone(), change, None);
        } else {
            respond(&reading, &week, answers(), Some(number), &request(None)).unwrap();
        }
        let (cached, folded) = cached_and_folded(&sample, &week.stream);
        assert_eq!((cached.version, cached.series), (folded.version, folded.series), "{number}");
    }
    assert_eq!(sample.store.fold_series(&week.stream).unwrap().version, 8);
}

#[test]
fn an_erased_client_s_series_is_not_cached() {
    let sample = sample();
    let week = sample.store.assignment(&sample.allocated()).unwrap();
    let answers = JsonText::parse("[]").unwrap();
    respond(&sample.store.reading(), &week, answers, Some(80), &request(None)).unwrap();
    let (before, _) = cached_and_folded(&sample, &week.stream);
    erase::erase(&sample.store, "ada", "asked to", &request(None), &|_, _| {}).unwrap();
    let (cached, folded) = cached_and_folded(&sample, &week.stream);
    assert_ne!(before.series, folded.series);
    assert_eq!((cached.version, cached.series), (folded.version, folded.series));
    // Nor does a fold that was on its way when the client was erased bring it back.
    sample.store.cache_series(&week.stream, Arc::new(before));
    let (cached, folded) = cached_and_folded(&sample, &week.stream);
    assert_eq!(cached.series, folded.series);
}

fn since(before: ReadCounts, after: ReadCounts) -> ReadCounts {
    ReadCounts {
        snapshots: after.snapshots - before.snapshots,
        series_folds: after.series_folds - before.series_folds,
        control_folds: after.control_folds - before.control_folds,
        commits_read: after.commits_read - before.commits_read,
    }
}

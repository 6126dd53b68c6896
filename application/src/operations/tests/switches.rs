//! Tests that `before` and `after` of a switch are the states around its own event.

use std::thread;

use rollbook_domain::event::{Audience, View};
use rollbook_domain::limits::REASON_BYTES;
use rollbook_domain::series::decide::Rejection;

use super::{request, sample, switch_to};
use crate::operations::erase::erase;
use crate::operations::switch::switch;
use crate::reports::switch::SwitchReport;
use crate::store::StoreError;

const SWITCHES: u8 = 50;

#[test]
fn while_two_switch_at_once_each_sees_its_own_before_and_after() {
    let sample = sample();
    let store = &sample.store;
    let run = |first: u8| -> Vec<SwitchReport> {
        let percents = (0..SWITCHES).map(|number| first + number);
        percents
            .map(|percent| {
                let wanted =
                    switch_to(View::Precreated, &Audience::Percent(percent), "a test", true);
                let switched = switch(&store.reading(), &wanted, &request(None)).unwrap();
                assert_eq!(switched.after.other_percent, percent);
                switched
            })
            .collect()
    };
    let mut all = thread::scope(|scope| {
        let other = scope.spawn(|| run(SWITCHES));
        let mut all = run(0);
        all.extend(other.join().unwrap());
        all
    });
    all.sort_by_key(|switched| switched.position);
    assert!(all[0].before.default == View::Legacy && all[0].before.other_percent == 0);
    for pair in all.windows(2) {
        assert_eq!(pair[1].before, pair[0].after);
        assert!(pair[0].position < pair[1].position);
    }
}

/// A switch costs the same after many switches: it reads the folded rows and not the whole stream.
#[test]
fn a_switch_does_not_fold_the_control_stream() {
    let sample = sample();
    let store = &sample.store;
    for percent in 0..20 {
        let before = store.read_counts().control_folds;
        let wanted = switch_to(View::Precreated, &Audience::Percent(percent), "a test", true);
        switch(&store.reading(), &wanted, &request(None)).unwrap();
        assert_eq!(store.read_counts().control_folds, before);
        let (rows, log) = (store.control_now().unwrap(), store.control_until(u64::MAX).unwrap());
        assert_eq!(rows, log);
    }
}

#[test]
fn a_repeat_has_the_before_and_after_of_the_first_time() {
    let sample = sample();
    let reading = || sample.store.reading();
    let wanted = switch_to(View::Precreated, &Audience::Percent(10), "first tenth", true);
    let first = switch(&reading(), &wanted, &request(Some("k"))).unwrap();
    let back = switch_to(View::Legacy, &Audience::Everyone, "back", false);
    switch(&reading(), &back, &request(None)).unwrap();
    let again = switch(&reading(), &wanted, &request(Some("k"))).unwrap();
    assert_eq!(again, SwitchReport { repeated: true, ..first });
}

#[test]
fn a_reason_that_is_too_long_is_refused_and_writes_nothing() {
    let sample = sample();
    let store = &sample.store;
    let head = store.log().head();
    let refused = |length: usize| {
        let wanted = switch_to(View::Precreated, &Audience::Everyone, &"x".repeat(length), true);
        switch(&store.reading(), &wanted, &request(None))
    };
    let error = refused(REASON_BYTES + 1).unwrap_err();
    assert!(matches!(error, StoreError::Refused(Rejection::TextTooLong { .. })), "{error}");
    let error = erase(store, "ada", &"x".repeat(REASON_BYTES + 1), &request(None), &|_, _| ());
    let error = error.unwrap_err();
    assert!(matches!(error, StoreError::Refused(Rejection::TextTooLong { .. })), "{error}");
    assert_eq!(store.log().head(), head);
    refused(REASON_BYTES).unwrap();
}

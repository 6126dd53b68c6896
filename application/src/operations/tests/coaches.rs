//! Tests of the rule for coaches that a request may name.

use rollbook_domain::JsonText;

use super::{allocation, request, sample};
use crate::operations::{AllocationRequest, FeedbackRequest, allocate, give_feedback, respond};
use crate::store::StoreError;

#[test]
fn a_coach_is_known_by_the_client_document_or_by_a_document_of_their_own() {
    for (coach, is_known) in [("robin", true), ("kim", true), ("nobody", false)] {
        let sample = sample();
        let reading = sample.store.reading();
        let outcome = allocate(&reading, &allocation(coach), &request(None));
        let is_refused = matches!(&outcome, Err(StoreError::UnknownCoach(id)) if id == coach);
        assert_eq!((outcome.is_ok(), is_refused), (is_known, !is_known), "{coach}");
    }
}

#[test]
fn feedback_has_the_same_rule_and_a_coach_who_allocated_the_series_is_known_too() {
    let sample = sample();
    let wanted = AllocationRequest { allow_unknown: true, ..allocation("temp") };
    let stream = allocate(&sample.store.reading(), &wanted, &request(None)).unwrap().stream;
    let week = crate::store::WeekRef { stream, run: 1, week: 1 };
    let answers = JsonText::parse("[]").unwrap();
    let response =
        respond(&sample.store.reading(), &week, answers, None, &request(None)).unwrap().id;
    for (coach, is_known) in [("robin", true), ("kim", true), ("temp", true), ("nobody", false)] {
        let feedback = FeedbackRequest {
            response: response.clone(),
            coach: coach.to_owned(),
            text: format!("well done, {coach}"),
            allow_unknown: false,
        };
        let reading = sample.store.reading();
        let outcome = give_feedback(&reading, &week.stream, feedback, &request(None));
        let is_refused = matches!(&outcome, Err(StoreError::UnknownCoach(id)) if id == coach);
        assert_eq!((outcome.is_ok(), is_refused), (is_known, !is_known), "{coach}");
    }
}

//! Corrections: what each is refused for, what it changes in both folds, and the law that undoing
//! all of them gives the series as if none had been made, whatever was imported meanwhile.

use proptest::prelude::*;
use rollbook_domain::calendar::Zone;
use rollbook_domain::event::{LinkKind, NumberSetting, Origin, Placement};
use rollbook_domain::series::decide::{Decider, Rejection, Repair};
use rollbook_domain::series::items::terms_of;
use rollbook_domain::series::{LegacySeries, Series, assignment_id};
use rollbook_domain::{Collection, Document, Event, JsonText, Personal, StreamId, Timestamp};

const CLIENT: &str = "client-1";
const FORM: &str = "form-1";

fn stream() -> StreamId {
    StreamId::series(CLIENT, FORM)
}

fn now() -> Timestamp {
    "2026-02-01T12:00:00Z".parse().unwrap()
}

fn assignment(id: &str, week: u32, response: Option<&str>) -> Document {
    let due = format!("2026-01-{:02}T09:00:00Z", 5 + (week - 1) * 7);
    let answer = response.map_or_else(String::new, |response| {
        format!(
            r#","responseId":"{response}","status":"completed","completedAt":"2026-01-07T18:00:00Z","score":70"#
        )
    });
    document(
        Collection::CheckInAssignments,
        id,
        &format!(
            r#"{{"clientId":"{CLIENT}","formId":"{FORM}","dueDate":"{due}","isRecurring":true,"recurringWeek":{week},"totalWeeks":4{answer}}}"#
        ),
    )
}

fn response(id: &str, named: &str, week: Option<u32>) -> Document {
    let week = week.map_or_else(String::new, |week| format!(r#","recurringWeek":{week}"#));
    document(
        Collection::FormResponses,
        id,
        &format!(
            r#"{{"clientId":"{CLIENT}","formId":"{FORM}","assignmentId":"{named}","score":80,"submittedAt":"2026-01-08T10:00:00Z"{week}}}"#
        ),
    )
}

fn document(collection: Collection, id: &str, body: &str) -> Document {
    Document::new(collection, id.to_owned(), 0, Personal::new(JsonText::parse(body).unwrap()))
}

/// Both folds of one series.
#[derive(Clone, Default)]
struct Both {
    series: Series,
    legacy: LegacySeries,
}

impl Both {
    fn happen(&mut self, event: &Event) {
        self.series.apply(&stream(), event);
        self.legacy.apply(&stream(), event);
    }

    fn import(&mut self, document: Document) {
        self.happen(&Event::DocumentImported(document));
    }

    fn repair(&mut self, repair: &Repair) -> Result<Vec<Event>, Rejection> {
        let decider = Decider {
            client: CLIENT,
            form: FORM,
            series: &self.series,
            now: now(),
            zone: Zone::UTC,
        };
        let events = decider.repair(repair)?;
        events.iter().for_each(|event| self.happen(event));
        Ok(events)
    }

    /// The answered weeks of both folds: week, response.
    fn answers(&self) -> [Vec<(u32, String)>; 2] {
        [&self.series, &self.legacy.stored].map(|series| {
            let answered = series
                .items
                .iter()
                .filter_map(|item| Some((item.week(), item.stored.response_id()?.to_owned())));
            answered.collect()
        })
    }

    fn both_answer(&self, expected: &[(u32, &str)]) {
        let expected: Vec<(u32, String)> =
            expected.iter().map(|(week, response)| (*week, (*response).to_owned())).collect();
        assert_eq!(self.answers(), [expected.clone(), expected]);
    }

    /// What both views are made of, without the record of corrections.
    fn weeks(&self) -> impl PartialEq + std::fmt::Debug + use<> {
        let Series { items, linked, .. } = self.series.clone();
        (items, linked, self.legacy.stored.items.clone(), self.legacy.stored.linked.clone())
    }
}

fn moved(response: &str, week: u32) -> Repair {
    let (response, reason) = (response.to_owned(), "wrong week".to_owned());
    Repair::MoveResponse { response, run: 1, week, reason }
}

fn adopted(response: &str, week: u32) -> Repair {
    let (response, reason) = (response.to_owned(), "no week".to_owned());
    Repair::AdoptResponse { response, run: 1, week, reason }
}

fn numbered(document: &str, week: u32) -> Repair {
    let (document, reason) = (document.to_owned(), "wrong number".to_owned());
    Repair::SetWeek { document, week, reason }
}

fn undone(events: &[Event]) -> Repair {
    let correction = match &events[0] {
        Event::ResponsePlaced(Placement { correction, .. })
        | Event::WeekNumberSet(NumberSetting { correction: Some(correction), .. }) => *correction,
        _ => panic!("{events:?}"),
    };
    Repair::Undo { correction, reason: "it was right".to_owned() }
}

/// Week 1 is stored with a response, week 2 is stored, weeks 3 and 4 are not. `orphan` names
/// nothing.
fn imported() -> Both {
    let mut both = Both::default();
    both.import(assignment("d1", 1, Some("r1")));
    both.import(assignment("d2", 2, None));
    both.import(response("r1", "d1", Some(1)));
    both.import(response("orphan", "gone", Some(2)));
    both
}

/// As [`imported`], after the migration stored every week.
fn migrated() -> Both {
    let mut both = imported();
    for week in [3, 4] {
        both.happen(&made(&both, week));
    }
    both
}

#[test]
fn a_moved_response_leaves_its_week_and_completes_the_other_in_both_folds() {
    for (both, stage) in [(imported(), "imported"), (migrated(), "migrated")] {
        // Week 2 has a document; week 4 has none before the migration.
        for week in [2, 4] {
            let mut both = both.clone();
            let before = both.weeks();
            let events = both.repair(&moved("r1", week)).unwrap();
            assert_eq!(events.len(), 1, "{stage} {week}");
            both.both_answer(&[(week, "r1")]);
            for series in [&both.series, &both.legacy.stored] {
                let left = &series.items.week(1, 1).unwrap().stored;
                assert!(!left.is_completed() && left.status == "pending" && left.score.is_none());
                let here = &series.items.week(1, week).unwrap().stored;
                assert!(here.is_completed() && here.completed_at.is_some());
                assert_eq!(here.score.map(|score| score.value()), Some(70.0));
            }
            // Again changes nothing.
            assert_eq!(both.repair(&moved("r1", week)), Ok(Vec::new()));
            both.repair(&undone(&events)).unwrap();
            assert!(both.weeks() == before, "{stage} {week}");
        }
    }
}

#[test]
fn an_adopted_response_completes_its_week_in_both_folds() {
    for both in [imported(), migrated()] {
        for week in [2, 3] {
            let mut both = both.clone();
            let before = both.weeks();
            let events = both.repair(&adopted("orphan", week)).unwrap();
            both.both_answer(&[(1, "r1"), (week, "orphan")]);
            assert_eq!(both.series.linked["orphan"], (1, week, LinkKind::Linked));
            both.repair(&undone(&events)).unwrap();
            assert!(both.weeks() == before);
        }
    }
}

#[test]
fn what_the_rules_refuse() {
    let answered = |response: &str| Rejection::WeekHasResponse {
        run: 1,
        week: 1,
        response: response.to_owned(),
    };
    let mut both = migrated();
    assert_eq!(both.repair(&adopted("orphan", 1)), Err(answered("r1")));
    assert_eq!(
        both.repair(&adopted("r1", 2)),
        Err(Rejection::ResponseHeld { response: "r1".into(), run: 1, week: 1 })
    );
    assert_eq!(
        both.repair(&moved("orphan", 2)),
        Err(Rejection::ResponseNotHeld("orphan".to_owned()))
    );
    assert!(matches!(both.repair(&moved("r9", 2)), Err(Rejection::NoSuchResponse { .. })));
    assert!(matches!(both.repair(&moved("r1", 5)), Err(Rejection::NoSuchWeek { .. })));
    for reason in ["", " \n"] {
        let (response, reason) = ("r1".to_owned(), reason.to_owned());
        assert_eq!(
            both.repair(&Repair::MoveResponse { response, run: 1, week: 2, reason }),
            Err(Rejection::ShortReason { least: 1, has: 0 })
        );
    }
    let withdrawn = Event::AssignmentWithdrawn { run: 1, week: 3, reason: Personal::erased() };
    both.happen(&withdrawn);
    assert!(matches!(both.repair(&moved("r1", 3)), Err(Rejection::NoSuchWeek { .. })));
    both.happen(&Event::ResponseCleared {
        run: 1,
        week: 1,
        response: "r1".to_owned(),
        reason: Personal::erased(),
    });
    for repair in [moved("r1", 2), adopted("r1", 2)] {
        assert_eq!(both.repair(&repair), Err(Rejection::ResponseWasCleared("r1".to_owned())));
    }
}

#[test]
fn undoing_is_refused_when_the_correction_is_unknown_built_upon_or_overlaid() {
    let mut both = migrated();
    let first = both.repair(&moved("r1", 2)).unwrap();
    let second = both.repair(&adopted("orphan", 1)).unwrap();
    assert!(matches!(both.repair(&undone(&first)), Err(Rejection::LaterCorrection { .. })));
    both.repair(&undone(&second)).unwrap();
    assert!(matches!(both.repair(&undone(&second)), Err(Rejection::NotHolding { .. })));
    both.happen(&Event::ResponseCleared {
        run: 1,
        week: 2,
        response: "r1".to_owned(),
        reason: Personal::erased(),
    });
    assert!(matches!(both.repair(&undone(&first)), Err(Rejection::ChangedSince { week: 2, .. })));
}

#[test]
fn an_import_of_the_same_content_keeps_a_correction_and_a_changed_document_is_told() {
    let mut both = imported();
    let events = both.repair(&moved("r1", 2)).unwrap();
    both.happen(&Event::DocumentChanged(assignment("d2", 2, None)));
    both.happen(&Event::DocumentChanged(assignment("d1", 1, Some("r1"))));
    both.both_answer(&[(2, "r1")]);
    let overtaken = |both: &Both| {
        let held = both.series.corrections.iter().next().unwrap();
        held.overtaken.iter().cloned().collect::<Vec<_>>()
    };
    assert!(overtaken(&both).is_empty());
    both.happen(&Event::DocumentChanged(assignment("d1", 1, None)));
    both.happen(&Event::DocumentChanged(response("r1", "d2", Some(2))));
    both.both_answer(&[(2, "r1")]);
    assert_eq!(overtaken(&both), ["d1", "r1"]);
    // Without the correction, no week holds it now.
    both.repair(&undone(&events)).unwrap();
    both.both_answer(&[]);
}

#[test]
fn an_undone_correction_leaves_a_migrated_run_complete() {
    let mut both = imported();
    let events = both.repair(&moved("r1", 4)).unwrap();
    both.happen(&made(&both, 3));
    let undo = both.repair(&undone(&events)).unwrap();
    assert!(matches!(undo[1], Event::AssignmentCreated { week: 4, .. }), "{undo:?}");
    both.both_answer(&[(1, "r1")]);
    assert_eq!(both.series.items.iter().count(), 4);
    assert_eq!(both.legacy.stored.items.iter().count(), 2);
}

/// The documents of week 1 to 4 in both folds, by the id of the document.
fn numbers(both: &Both) -> [Vec<(u32, String)>; 2] {
    [&both.series, &both.legacy.stored].map(|series| {
        let items = series.items.iter().filter(|item| item.imported);
        items.map(|item| (item.week(), item.document_id().to_owned())).collect()
    })
}

fn are_numbered(both: &Both, expected: &[(u32, &str)]) {
    let expected: Vec<(u32, String)> =
        expected.iter().map(|(week, document)| (*week, (*document).to_owned())).collect();
    assert_eq!(numbers(both), [expected.clone(), expected]);
}

/// Week 1 is stored twice: `d1` and `double`, which is due in week 3 and has the response `r3`.
fn doubled(migrate: bool) -> Both {
    let mut both = if migrate { migrated() } else { imported() };
    let mut double = assignment("double", 3, Some("r3"));
    let body = double.body.expose().unwrap().as_str().replace(r#""recurringWeek":3,"#, "");
    double = document(Collection::CheckInAssignments, "double", &body);
    both.import(double);
    both
}

#[test]
fn a_document_gets_a_free_week_in_both_folds_and_undoing_gives_it_back() {
    for migrate in [false, true] {
        let mut both = doubled(migrate);
        let before = both.weeks();
        are_numbered(&both, &[(1, "d1"), (1, "double"), (2, "d2")]);
        let events = both.repair(&numbered("double", 3)).unwrap();
        let Event::WeekNumberSet(NumberSetting { from: None, replaces, .. }) = &events[0] else {
            panic!("{events:?}")
        };
        let made = assignment_id(CLIENT, FORM, 1, 3);
        assert_eq!((events.len(), *replaces), (1, migrate.then_some(made)));
        are_numbered(&both, &[(1, "d1"), (2, "d2"), (3, "double")]);
        both.both_answer(&[(1, "r1"), (3, "r3")]);
        if migrate {
            // Both ids name the week, and it is stored once.
            assert_eq!(both.series.items.of_week(1, 3).count(), 1);
            for id in ["double", &made.to_string()] {
                let week = |series: &Series| series.items.document(id).map(|item| item.week());
                assert_eq!((week(&both.series), week(&both.legacy.stored)), (Some(3), Some(3)));
            }
        }
        assert_eq!(both.repair(&numbered("double", 3)), Ok(Vec::new()));
        both.repair(&undone(&events)).unwrap();
        assert!(both.weeks() == before, "{migrate}");
    }
}

#[test]
fn a_migrated_run_stays_complete_when_a_document_leaves_its_week() {
    let mut both = migrated();
    let events = both.repair(&numbered("d2", 4)).unwrap();
    assert!(matches!(events[1], Event::AssignmentCreated { week: 2, .. }), "{events:?}");
    let weeks =
        |both: &Both| -> Vec<u32> { both.series.items.iter().map(|item| item.week()).collect() };
    assert_eq!(weeks(&both), [1, 2, 3, 4]);
    let undo = both.repair(&undone(&events)).unwrap();
    assert!(matches!(undo[1], Event::DocumentAdopted { week: 2, .. }), "{undo:?}");
    assert_eq!(weeks(&both), [1, 2, 3, 4]);
    are_numbered(&both, &[(1, "d1"), (2, "d2")]);
}

#[test]
fn a_number_set_before_the_migration_is_undone_after_it() {
    let mut both = imported();
    let events = both.repair(&numbered("d2", 4)).unwrap();
    for week in [2, 3] {
        both.happen(&made(&both, week));
    }
    let undo = both.repair(&undone(&events)).unwrap();
    assert!(matches!(undo[1], Event::DocumentAdopted { week: 2, .. }), "{undo:?}");
    assert!(matches!(undo[2], Event::AssignmentCreated { week: 4, .. }), "{undo:?}");
    let weeks: Vec<u32> = both.series.items.iter().map(|item| item.week()).collect();
    assert_eq!(weeks, [1, 2, 3, 4]);
}

#[test]
fn what_the_rules_of_numbers_refuse() {
    let mut both = doubled(true);
    let taken = |week, document: &str| {
        Err(Rejection::WeekHasDocument { run: 1, week, document: document.to_owned() })
    };
    assert_eq!(both.repair(&numbered("double", 2)), taken(2, "d2"));
    assert!(matches!(both.repair(&numbered("gone", 2)), Err(Rejection::NotADocument { .. })));
    let made = assignment_id(CLIENT, FORM, 1, 3).to_string();
    assert!(matches!(both.repair(&numbered(&made, 4)), Err(Rejection::NotADocument { .. })));
    for week in [0, 521] {
        let refused = both.repair(&numbered("double", week));
        assert!(matches!(refused, Err(Rejection::OutOfRange { .. })), "{refused:?}");
    }
    assert!(matches!(both.repair(&numbered("double", 5)), Err(Rejection::NoSuchWeek { .. })));
    let reason = " ".to_owned();
    let unsaid = Repair::SetWeek { document: "double".to_owned(), week: 3, reason };
    assert!(matches!(both.repair(&unsaid), Err(Rejection::ShortReason { .. })));
    both.repair(&adopted("orphan", 4)).unwrap();
    let answered = Rejection::WeekHasResponse { run: 1, week: 4, response: "orphan".to_owned() };
    assert_eq!(both.repair(&numbered("double", 4)), Err(answered));
    both.happen(&Event::AssignmentWithdrawn { run: 1, week: 3, reason: Personal::erased() });
    assert!(matches!(both.repair(&numbered("double", 3)), Err(Rejection::NoSuchWeek { .. })));

    let mut both = imported();
    let only = Rejection::OnlyBase { document: "d1".to_owned(), run: 1 };
    assert_eq!(both.repair(&numbered("d1", 3)), Err(only));
    both.import(response("r2", "gone", Some(2)));
    both.happen(&Event::ResponseLinked {
        response: "r2".to_owned(),
        run: 1,
        week: 2,
        named: "gone".to_owned(),
        kind: LinkKind::Linked,
        completed_at: None,
        score: None,
    });
    let linked = Rejection::LinkedToWeek { response: "r2".to_owned(), week: 2 };
    assert_eq!(both.repair(&numbered("d2", 3)), Err(linked));
}

#[test]
fn an_import_keeps_a_number_that_was_set_and_tells_when_it_brings_another() {
    let mut both = doubled(false);
    let events = both.repair(&numbered("double", 3)).unwrap();
    let body = |week: &str| {
        document(
            Collection::CheckInAssignments,
            "double",
            &format!(
                r#"{{"clientId":"{CLIENT}","formId":"{FORM}","dueDate":"2026-01-19T09:00:00Z","isRecurring":true,"totalWeeks":4{week},"responseId":"r3","status":"completed"}}"#
            ),
        )
    };
    both.happen(&Event::DocumentChanged(body("")));
    are_numbered(&both, &[(1, "d1"), (2, "d2"), (3, "double")]);
    let overtaken = |both: &Both| {
        both.series.corrections.iter().next().unwrap().overtaken.iter().cloned().collect::<Vec<_>>()
    };
    assert!(overtaken(&both).is_empty());
    both.happen(&Event::DocumentChanged(body(r#","recurringWeek":4"#)));
    are_numbered(&both, &[(1, "d1"), (2, "d2"), (3, "double")]);
    assert_eq!(overtaken(&both), ["double"]);
    both.repair(&undone(&events)).unwrap();
    are_numbered(&both, &[(1, "d1"), (2, "d2"), (4, "double")]);
}

#[test]
fn an_import_keeps_a_number_of_a_document_that_took_the_place_of_a_made_week() {
    let mut both = doubled(true);
    let events = both.repair(&numbered("double", 3)).unwrap();
    let before = both.weeks();
    let body = assignment("double", 3, Some("r3")).body.expose().unwrap().as_str().to_owned();
    let again = document(
        Collection::CheckInAssignments,
        "double",
        &body.replace(r#""recurringWeek":3,"#, ""),
    );
    both.happen(&Event::DocumentChanged(again));
    assert!(both.weeks() == before);
    both.repair(&undone(&events)).unwrap();
    are_numbered(&both, &[(1, "d1"), (1, "double"), (2, "d2")]);
}

#[test]
fn undoing_a_number_is_refused_if_the_week_was_answered_or_its_earlier_week_given_away() {
    let mut both = doubled(false);
    let events = both.repair(&numbered("d2", 4)).unwrap();
    let second = both.repair(&numbered("double", 2)).unwrap();
    let refused = both.repair(&undone(&events));
    assert!(matches!(refused, Err(Rejection::LaterCorrection { .. })), "{refused:?}");
    both.repair(&undone(&second)).unwrap();
    both.happen(&Event::DocumentChanged(assignment("d2", 2, Some("r4"))));
    let refused = both.repair(&undone(&events));
    assert!(matches!(refused, Err(Rejection::ChangedSince { week: 4, .. })), "{refused:?}");
}

#[test]
fn the_due_date_says_the_week_of_a_document() {
    let both = doubled(true);
    let decider =
        Decider { client: CLIENT, form: FORM, series: &both.series, now: now(), zone: Zone::UTC };
    let weeks = ["d1", "d2", "double", "gone"].map(|document| decider.week_by_due(document));
    assert_eq!(weeks, [Some(1), Some(2), Some(3), None]);
}

fn made(both: &Both, week: u32) -> Event {
    let terms = terms_of(&both.series.items.base(1).unwrap().stored);
    let assignment = assignment_id(CLIENT, FORM, 1, week);
    let (run, due, origin, terms) = (1, now(), Origin::Migration, terms.into());
    Event::AssignmentCreated { assignment, run, week, due, origin, terms }
}

fn adoption(document: &str, week: u32) -> Event {
    let assignment = assignment_id(CLIENT, FORM, 1, week);
    Event::DocumentAdopted { assignment, run: 1, week, document: document.to_owned() }
}

#[test]
fn a_document_that_became_a_corrected_week_keeps_its_own_answer_after_undoing() {
    // With the week made by the correction, and made by a migration before it.
    for is_made in [false, true] {
        let mut both = imported();
        if is_made {
            both.happen(&made(&both, 4));
        }
        let events = both.repair(&moved("r1", 4)).unwrap();
        both.import(assignment("d4", 4, Some("r4")));
        both.happen(&adoption("d4", 4));
        both.both_answer(&[(4, "r1")]);
        both.repair(&undone(&events)).unwrap();
        both.both_answer(&[(1, "r1"), (4, "r4")]);
        // A later version of the document is that of the week, and its removal leaves no answer.
        both.import(assignment("d4", 4, Some("r5")));
        both.both_answer(&[(1, "r1"), (4, "r5")]);
        let (collection, id) = (Collection::CheckInAssignments, "d4".to_owned());
        both.happen(&Event::DocumentRemoved { collection, id });
        both.both_answer(&[(1, "r1")]);
    }
}

#[test]
fn a_made_week_stays_after_its_document_is_removed_and_the_correction_undone() {
    let mut both = imported();
    both.happen(&made(&both, 4));
    both.import(assignment("d4", 4, None));
    both.happen(&adoption("d4", 4));
    let events = both.repair(&moved("r1", 4)).unwrap();
    let (collection, id) = (Collection::CheckInAssignments, "d4".to_owned());
    both.happen(&Event::DocumentRemoved { collection, id });
    let undo = both.repair(&undone(&events)).unwrap();
    assert_eq!(undo.len(), 1, "the week is not made again: {undo:?}");
    both.both_answer(&[(1, "r1")]);
    assert!(both.series.items.week(1, 4).is_some());
}

#[derive(Clone, Debug)]
enum Step {
    Move(usize, u32),
    Adopt(usize, u32),
    Number(usize, u32),
    /// Undo the n-th correction that holds.
    Undo(usize),
    Import(usize, u32, Option<usize>),
    Remove(usize),
}

const RESPONSES: [&str; 4] = ["r1", "r2", "r3", "r4"];
const DOCUMENTS: [&str; 5] = ["d1", "d2", "d3", "d4", "d5"];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..4_usize, 1..6_u32).prop_map(|(response, week)| Step::Move(response, week)),
        2 => (0..4_usize, 1..6_u32).prop_map(|(response, week)| Step::Adopt(response, week)),
        3 => (0..5_usize, 1..6_u32).prop_map(|(document, week)| Step::Number(document, week)),
        2 => (0..4_usize).prop_map(Step::Undo),
        2 => (0..5_usize, 1..5_u32, proptest::option::of(0..4_usize))
            .prop_map(|(document, week, response)| Step::Import(document, week, response)),
        1 => (0..5_usize).prop_map(Step::Remove),
    ]
}

/// What an import or a migration does, if the step is one.
fn of_others(step: &Step, both: &Both) -> Option<Event> {
    match *step {
        Step::Import(document, week, response) => {
            // A document keeps its week: setting another one is a correction of its own.
            let week =
                both.series.items.document(DOCUMENTS[document]).map_or(week, |item| item.week());
            let response = response.map(|response| RESPONSES[response]);
            Some(Event::DocumentChanged(assignment(DOCUMENTS[document], week, response)))
        }
        Step::Remove(document) => Some(Event::DocumentRemoved {
            collection: Collection::CheckInAssignments,
            id: DOCUMENTS[document].to_owned(),
        }),
        Step::Move(..) | Step::Adopt(..) | Step::Number(..) | Step::Undo(_) => None,
    }
}

fn random(both: &mut Both, steps: &[Step], imports: bool) {
    for step in steps {
        if let Some(event) = of_others(step, both).filter(|_| imports) {
            both.happen(&event);
            continue;
        }
        let repair = match *step {
            Step::Move(response, week) => moved(RESPONSES[response], week),
            Step::Adopt(response, week) => adopted(RESPONSES[response], week),
            Step::Number(document, week) => numbered(DOCUMENTS[document], week),
            Step::Undo(at) => {
                let Some(held) = both.series.corrections.iter().nth(at) else { continue };
                Repair::Undo { correction: held.id, reason: "back".to_owned() }
            }
            _ => continue,
        };
        let before = both.weeks();
        if both.repair(&repair).is_err() {
            assert!(both.weeks() == before, "a refused correction changes nothing");
        }
    }
}

fn start(layout: &[(u32, Option<usize>)]) -> Both {
    let mut both = Both::default();
    for (document, (week, response)) in DOCUMENTS.iter().zip(layout) {
        both.import(assignment(document, *week, response.map(|response| RESPONSES[response])));
    }
    for (index, id) in RESPONSES.iter().enumerate() {
        both.import(response(id, DOCUMENTS[index], Some(index as u32 % 4 + 1)));
    }
    both
}

fn layout() -> impl Strategy<Value = Vec<(u32, Option<usize>)>> {
    proptest::collection::vec((1..5_u32, proptest::option::of(0..4_usize)), 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn undoing_all_corrections_restores_both_folds(
        layout in layout(),
        steps in proptest::collection::vec(step(), 1..14),
    ) {
        let mut both = start(&layout);
        let before = both.weeks();
        random(&mut both, &steps, false);
        while let Some(last) = both.series.corrections.iter().last().map(|held| held.id) {
            both.repair(&Repair::Undo { correction: last, reason: "back".to_owned() }).unwrap();
        }
        prop_assert!(both.weeks() == before);
    }

    #[test]
    fn both_folds_hold_the_same_answers_after_corrections(
        layout in layout(),
        steps in proptest::collection::vec(step(), 1..14),
    ) {
        let mut both = start(&layout);
        random(&mut both, &steps, true);
        let [series, legacy] = both.answers();
        prop_assert_eq!(series, legacy);
    }

    #[test]
    fn what_is_imported_meanwhile_is_there_after_undoing(
        layout in layout(),
        steps in proptest::collection::vec(step(), 1..10),
    ) {
        let (mut both, mut without) = (start(&layout), start(&layout));
        for step in &steps {
            match of_others(step, &both) {
                Some(event) => {
                    both.happen(&event);
                    without.happen(&event);
                }
                None => random(&mut both, std::slice::from_ref(step), false),
            }
        }
        while let Some(last) = both.series.corrections.iter().last().map(|held| held.id) {
            let undo = Repair::Undo { correction: last, reason: "back".to_owned() };
            if both.repair(&undo).is_err() {
                // A week was answered by an import since: the correction stays in force.
                return Ok(());
            }
        }
        prop_assert!(both.weeks() == without.weeks());
    }
}

//! Every rejection and every success of the deciders, by the rules of `docs/spec/http-api.md`.

use rollbook_domain::calendar::Zone;
use rollbook_domain::event::{AssignedStatus, LinkKind, MissedReason, Origin, Terms};
use rollbook_domain::series::decide::{
    Allocation, Correction, Decider, Decision, MOST_WEEKS, Rejection, first_due_date, score_of,
    time_of_day,
};
use rollbook_domain::series::{Series, assignment_id, response_id};
use rollbook_domain::{
    Collection, Document, Event, JsonText, Number, Personal, StreamId, Timestamp,
};

const CLIENT: &str = "client-1";
const FORM: &str = "form-1";
const NAME: &str = "series/client-1/form-1";
/// A Monday.
const FIRST: &str = "2026-01-05T09:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn json(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}

fn terms(total_weeks: u32) -> Terms {
    Terms {
        stored_client: CLIENT.into(),
        coach: "coach-1".into(),
        title: "Habits".into(),
        description: String::new(),
        assigned_by: Some("coach-1".into()),
        assigned_at: Some(at("2026-01-01T10:00:00Z")),
        window: None,
        recurring: total_weeks > 1,
        total_weeks,
    }
}

struct Case {
    series: Series,
    now: Timestamp,
    zone: Zone,
}

impl Case {
    fn new(now: &str) -> Self {
        Self { series: Series::default(), now: at(now), zone: Zone::UTC }
    }

    /// A run of `weeks` weeks that starts at [`FIRST`].
    fn allocated(weeks: u32, now: &str) -> Self {
        let mut case = Self::new("2026-01-01T00:00:00Z");
        let events = case
            .decide()
            .allocate(&Allocation {
                terms: terms(weeks),
                first_due: at(FIRST),
                status: None,
                extend: false,
            })
            .unwrap();
        case.happen(events);
        case.now = at(now);
        case
    }

    /// An imported week 1 of a run, due at [`FIRST`].
    fn imported(weeks: u32, now: &str) -> Self {
        let mut case = Self::new(now);
        case.import("doc-1", 1, weeks, FIRST, "");
        case
    }

    fn import(&mut self, id: &str, week: u32, weeks: u32, due: &str, more: &str) {
        let recurring = weeks > 1;
        let body = json(&format!(
            r#"{{"clientId":"{CLIENT}","formId":"{FORM}","dueDate":"{due}","isRecurring":{recurring},"recurringWeek":{week},"totalWeeks":{weeks}{more}}}"#
        ));
        let document =
            Document::new(Collection::CheckInAssignments, id.into(), 0, Personal::new(body));
        self.happen(vec![Event::DocumentImported(document)]);
    }

    fn decide(&self) -> Decider<'_> {
        Decider { client: CLIENT, form: FORM, series: &self.series, now: self.now, zone: self.zone }
    }

    fn happen(&mut self, events: Vec<Event>) -> Vec<Event> {
        events.iter().for_each(|event| self.series.apply(&StreamId::series(CLIENT, FORM), event));
        events
    }

    fn answer(&mut self, run: u32, week: u32) -> Vec<Event> {
        match self.decide().respond(run, week, json("[]"), None).unwrap() {
            Decision::Append(events) => self.happen(events),
            Decision::AlreadyAnswered { .. } => panic!("week {week} was answered before"),
        }
    }

    fn due(&self, run: u32, week: u32) -> String {
        self.series.items.week(run, week).unwrap().stored.due.value().unwrap().to_string()
    }
}

fn created(events: &[Event]) -> Vec<(u32, u32, String, Origin)> {
    let created = events.iter().filter_map(|event| match event {
        Event::AssignmentCreated { run, week, due, origin, .. } => {
            Some((*run, *week, due.to_string(), *origin))
        }
        _ => None,
    });
    created.collect()
}

#[test]
fn the_first_due_is_a_monday() {
    let day = |text: &str| text.parse().unwrap();
    assert_eq!(first_due_date(Some(day("2026-01-05")), day("2026-03-01")), day("2026-01-05"));
    assert_eq!(first_due_date(Some(day("2026-01-06")), day("2026-03-01")), day("2026-01-12"));
    assert_eq!(first_due_date(Some(day("2026-01-11")), day("2026-03-01")), day("2026-01-12"));
    // The Monday after the start, even if the start is a Monday.
    assert_eq!(first_due_date(None, day("2026-01-05")), day("2026-01-12"));
    assert_eq!(first_due_date(None, day("2026-01-11")), day("2026-01-12"));
    assert_eq!(time_of_day("09:30"), Some((9, 30)));
    assert_eq!(time_of_day("24:00"), None);
}

#[test]
fn the_score_weighs_answers_that_have_both() {
    let score = |text: &str| score_of(&json(text)).unwrap();
    assert_eq!(score("[]"), None);
    assert_eq!(score(r#"[{"answer":"yes"},{"score":5},{"weight":2}]"#), None);
    assert_eq!(
        score(r#"[{"score":5,"weight":1},{"score":10,"weight":3},{"answer":"x","score":0}]"#),
        Some(88)
    );
    assert_eq!(score(r#"[{"score":10,"weight":0}]"#), None);
    assert_eq!(score(r#"[{"score":50,"weight":1}]"#), Some(100));
    assert_eq!(score(r#"[{"score":-5,"weight":1}]"#), Some(0));
    for bad in ["{}", "5", "[1]", "null"] {
        assert!(matches!(score_of(&json(bad)), Err(Rejection::BadAnswers(_))), "{bad}");
    }
}

#[test]
fn an_allocation_makes_all_weeks_at_once_at_the_same_local_time() {
    let mut case = Case::new("2026-03-20T00:00:00Z");
    case.zone = "Europe/London".parse().unwrap();
    let allocation = Allocation {
        terms: terms(3),
        first_due: at("2026-03-23T09:00:00Z"),
        status: None,
        extend: false,
    };
    let events = case.decide().allocate(&allocation).unwrap();
    let due = |week: u32, due: &str| (1, week, due.to_owned(), Origin::Allocation);
    // The clocks go forward on the 29th, and the due time stays at nine o'clock.
    let expected = [
        due(1, "2026-03-23T09:00:00.000Z"),
        due(2, "2026-03-30T08:00:00.000Z"),
        due(3, "2026-04-06T08:00:00.000Z"),
    ];
    assert_eq!(created(&events), expected);
    let Event::AssignmentCreated { assignment, terms: held, .. } = &events[1] else {
        panic!("{:?}", events[1])
    };
    assert_eq!((*assignment, &**held), (assignment_id(CLIENT, FORM, 1, 2), &terms(3)));
}

#[test]
fn an_allocation_has_one_to_520_weeks() {
    let case = Case::new(FIRST);
    let allocate = |weeks| {
        case.decide().allocate(&Allocation {
            terms: terms(weeks),
            first_due: at(FIRST),
            status: None,
            extend: false,
        })
    };
    for given in [0, MOST_WEEKS + 1, u32::MAX] {
        assert_eq!(
            allocate(given).unwrap_err(),
            Rejection::OutOfRange {
                what: "the number of weeks",
                least: 1,
                most: MOST_WEEKS,
                given
            }
        );
    }
    assert_eq!(allocate(MOST_WEEKS).unwrap().len(), 520);
    assert_eq!(allocate(1).unwrap().len(), 1);
}

#[test]
fn allocating_again_waits_for_the_end_of_the_run_or_extends_it() {
    let mut case = Case::allocated(3, "2026-01-13T00:00:00Z");
    let again = |extend| Allocation {
        terms: terms(2),
        first_due: at("2026-06-01T09:00:00Z"),
        status: None,
        extend,
    };
    // Week 1 is missed by now, weeks 2 and 3 are open.
    assert_eq!(
        case.decide().allocate(&again(false)).unwrap_err(),
        Rejection::OpenWeeks { series: NAME.into(), run: 1, open: 2 }
    );
    let extended = case.decide().allocate(&again(true)).unwrap();
    assert_eq!(extended[0], Event::SeriesExtended { run: 1, total_weeks: 5 });
    let due = |week: u32, due: &str| (1, week, due.to_owned(), Origin::Allocation);
    assert_eq!(
        created(&extended),
        [due(4, "2026-01-26T09:00:00.000Z"), due(5, "2026-02-02T09:00:00.000Z")]
    );
    case.happen(extended);
    assert!(case.series.items.iter().all(|item| item.stored.total_weeks == 5));
    // If all weeks are closed, both give a new run.
    case.now = at("2026-03-01T00:00:00Z");
    for extend in [false, true] {
        assert_eq!(
            created(&case.decide().allocate(&again(extend)).unwrap())[0],
            (2, 1, "2026-06-01T09:00:00.000Z".into(), Origin::Allocation)
        );
    }
}

#[test]
fn extending_counts_from_the_weeks_there_are_and_makes_none_twice() {
    let mut case = Case::imported(3, "2026-01-06T00:00:00Z");
    case.import("doc-5", 5, 3, "2026-02-02T09:00:00Z", "");
    let extended = case
        .decide()
        .allocate(&Allocation { terms: terms(3), first_due: at(FIRST), status: None, extend: true })
        .unwrap();
    assert_eq!(created(&extended).iter().map(|(_, week, ..)| *week).collect::<Vec<_>>(), [4, 6]);
    let mut once = Case::imported(1, "2026-01-06T00:00:00Z");
    let extended = once
        .decide()
        .allocate(&Allocation { terms: terms(2), first_due: at(FIRST), status: None, extend: true })
        .unwrap();
    assert_eq!(extended[0], Event::SeriesExtended { run: 1, total_weeks: 3 });
    once.happen(extended);
    assert!(
        once.series.items.iter().all(|item| item.stored.recurring),
        "a series of several weeks recurs"
    );
    let most = Case::imported(u32::MAX, "2026-01-06T00:00:00Z");
    let refused = most
        .decide()
        .allocate(&Allocation { terms: terms(2), first_due: at(FIRST), status: None, extend: true })
        .unwrap_err();
    assert_eq!(
        refused,
        Rejection::OutOfRange {
            what: "the number of weeks",
            least: 1,
            most: MOST_WEEKS,
            // The imported number counts as the maximum.
            given: MOST_WEEKS + 2
        }
    );
}

#[test]
fn weeks_that_no_document_stands_for_yet_are_open_too() {
    let case = Case::imported(4, "2026-01-20T00:00:00Z");
    let refused = case
        .decide()
        .allocate(&Allocation {
            terms: terms(2),
            first_due: at(FIRST),
            status: None,
            extend: false,
        })
        .unwrap_err();
    assert_eq!(refused, Rejection::OpenWeeks { series: NAME.into(), run: 1, open: 2 });
    // The answer comes at once, however many weeks an import names.
    let case = Case::imported(u32::MAX, "2026-01-20T00:00:00Z");
    let refused = case
        .decide()
        .allocate(&Allocation {
            terms: terms(2),
            first_due: at(FIRST),
            status: None,
            extend: false,
        })
        .unwrap_err();
    assert_eq!(refused, Rejection::OpenWeeks { series: NAME.into(), run: 1, open: 518 });
}

#[test]
fn an_answer_is_taken_once() {
    let mut case = Case::allocated(3, "2026-01-06T12:00:00Z");
    let answers = json(r#"[{"questionId":"q","question":"?","answer":"7","weight":2,"score":7}]"#);
    let Decision::Append(events) = case.decide().respond(1, 2, answers.clone(), None).unwrap()
    else {
        panic!("not taken")
    };
    let assignment = assignment_id(CLIENT, FORM, 1, 2);
    let expected = Event::ResponseSubmitted {
        assignment,
        run: 1,
        week: 2,
        response: response_id(assignment, 1).to_string(),
        submitted_at: case.now,
        score: Some(70),
        answers: Personal::new(answers.clone()),
        legacy_due: at("2026-01-12T09:00:00Z"),
    };
    assert_eq!(events, [expected]);
    case.happen(events);
    let before = Decision::AlreadyAnswered {
        response: response_id(assignment, 1).to_string(),
        score: Some(Number::from(70)),
    };
    assert_eq!(case.decide().respond(1, 2, answers, Some(3)).unwrap(), before);
    // A response from the import counts as well.
    case.import("doc-9", 9, 9, FIRST, r#","status":"completed","score":12"#);
    let before =
        Decision::AlreadyAnswered { response: String::new(), score: Some(Number::from(12)) };
    assert_eq!(case.decide().respond(1, 9, json("[]"), None).unwrap(), before);
}

#[test]
fn an_answer_says_its_score_or_is_scored() {
    let case = Case::allocated(3, FIRST);
    let respond = |text: &str, score| case.decide().respond(1, 1, json(text), score);
    let score = |answered| match answered {
        Decision::Append(events) => events.into_iter().find_map(|event| match event {
            Event::ResponseSubmitted { score, .. } => Some(score),
            _ => None,
        }),
        Decision::AlreadyAnswered { .. } => None,
    };
    let scored = r#"[{"score":5,"weight":1}]"#;
    assert_eq!(score(respond(scored, None).unwrap()), Some(Some(50)));
    assert_eq!(score(respond(scored, Some(100)).unwrap()), Some(Some(100)));
    assert_eq!(score(respond("[]", None).unwrap()), Some(None));
    assert_eq!(
        respond("[]", Some(101)).unwrap_err(),
        Rejection::OutOfRange { what: "the score", least: 0, most: 100, given: 101 }
    );
    assert!(matches!(respond("{}", Some(5)).unwrap_err(), Rejection::BadAnswers(_)));
}

#[test]
fn a_week_that_is_not_stored_yet_is_made_in_the_same_commit() {
    let mut case = Case::imported(4, "2026-01-20T00:00:00Z");
    case.import("doc-1", 1, 4, "2026-01-07T18:00:00Z", "");
    let events = case.answer(1, 3);
    // The due date keeps the base's weekday, as on the old submission.
    assert_eq!(created(&events), [(1, 3, "2026-01-21T09:00:00.000Z".into(), Origin::Submission)]);
    let Event::ResponseSubmitted { legacy_due, assignment, .. } = &events[1] else {
        panic!("{:?}", events[1])
    };
    assert_eq!(
        (*legacy_due, *assignment),
        (at("2026-01-21T09:00:00Z"), assignment_id(CLIENT, FORM, 1, 3))
    );
    assert!(case.series.items.week(1, 3).unwrap().is_completed());
}

#[test]
fn there_is_no_week_outside_the_run() {
    let case = Case::allocated(3, FIRST);
    for (run, week) in [(1, 0), (1, 4)] {
        let refused = Rejection::NoSuchWeek { series: NAME.into(), run, week, total: 3 };
        let decide = case.decide();
        assert_eq!(decide.respond(run, week, json("[]"), None).unwrap_err(), refused);
        assert_eq!(decide.miss(run, week, MissedReason::Sick, None).unwrap_err(), refused);
        assert_eq!(decide.extend(run, week, "a good reason".into()).unwrap_err(), refused);
        assert_eq!(decide.reopen(run, week).unwrap_err(), refused);
        assert_eq!(decide.request_reopen(run, week, "please".into()).unwrap_err(), refused);
        assert_eq!(decide.reschedule(run, week, at(FIRST)).unwrap_err(), refused);
        assert_eq!(decide.withdraw_week(run, week, "gone".into()).unwrap_err(), refused);
    }
    assert_eq!(
        case.decide().respond(2, 1, json("[]"), None).unwrap_err(),
        Rejection::NoSuchSeries(NAME.into())
    );
    // A form that does not recur has only its stored weeks.
    let mut once = Case::new(FIRST);
    once.import("doc-1", 1, 1, FIRST, "");
    assert_eq!(
        once.decide().respond(1, 2, json("[]"), None).unwrap_err(),
        Rejection::NoSuchWeek { series: NAME.into(), run: 1, week: 2, total: 1 }
    );
}

#[test]
fn a_week_is_missed_when_it_is_three_days_overdue() {
    let mut case = Case::allocated(3, "2026-01-08T08:59:59.999Z");
    let miss = |case: &Case, reason, comment: Option<&str>| {
        case.decide().miss(1, 1, reason, comment.map(str::to_owned))
    };
    assert_eq!(
        miss(&case, MissedReason::Sick, None).unwrap_err(),
        Rejection::NotOverdue { week: 1, due: at(FIRST) }
    );
    case.now = at("2026-01-08T09:00:00Z");
    for empty in [None, Some(""), Some(" \t")] {
        assert_eq!(miss(&case, MissedReason::Other, empty).unwrap_err(), Rejection::NoComment);
    }
    let told = Event::AssignmentMissed {
        run: 1,
        week: 1,
        reason: MissedReason::Other,
        comment: Some(Personal::new("wedding".into())),
    };
    assert_eq!(miss(&case, MissedReason::Other, Some("wedding")).unwrap(), [told]);
    let events = miss(&case, MissedReason::Traveling, None).unwrap();
    assert_eq!(
        events,
        [Event::AssignmentMissed {
            run: 1,
            week: 1,
            reason: MissedReason::Traveling,
            comment: None
        }]
    );
    case.happen(events);
    assert_eq!(miss(&case, MissedReason::Sick, None).unwrap_err(), Rejection::AlreadyMissed(1));
    case.answer(1, 1);
    assert_eq!(miss(&case, MissedReason::Sick, None).unwrap_err(), Rejection::Completed(1));
}

#[test]
fn an_extension_is_granted_once_for_a_reason_of_ten_characters() {
    let mut case = Case::allocated(3, FIRST);
    let extend = |case: &Case, reason: &str| case.decide().extend(1, 1, reason.into());
    assert_eq!(
        extend(&case, "  ninechars  ").unwrap_err(),
        Rejection::ShortReason { least: 10, has: 9 }
    );
    // Characters, not bytes.
    let events = extend(&case, "Grüße übe.").unwrap();
    assert_eq!(
        events,
        [Event::ExtensionGranted {
            run: 1, week: 1, reason: Personal::new("Grüße übe.".into())
        }]
    );
    case.happen(events);
    assert!(case.series.items.week(1, 1).unwrap().stored.extension_granted);
    assert_eq!(extend(&case, "once more, please").unwrap(), []);
    case.answer(1, 1);
    assert_eq!(extend(&case, "once more, please").unwrap_err(), Rejection::Completed(1));
}

#[test]
fn every_open_week_is_opened_and_only_a_closed_one_is_asked_for() {
    let mut case = Case::allocated(3, "2026-01-09T09:59:59Z");
    let opened = case.decide().reopen(1, 1).unwrap();
    assert_eq!(opened, [Event::AssignmentReopened { run: 1, week: 1 }]);
    // Opening an open week again appends nothing.
    let mut open = Case::allocated(3, "2026-01-09T09:59:59Z");
    open.happen(opened);
    assert!(open.series.items.week(1, 1).unwrap().stored.extension_granted);
    assert_eq!(open.decide().reopen(1, 1).unwrap(), []);
    assert_eq!(
        case.decide().request_reopen(1, 1, "please".into()).unwrap_err(),
        Rejection::StillOpen(1)
    );
    case.now = at("2026-01-09T10:00:00Z");
    assert_eq!(
        case.decide().reopen(1, 1).unwrap(),
        [Event::AssignmentReopened { run: 1, week: 1 }]
    );
    let asked = Event::ReopenRequested { run: 1, week: 1, reason: Personal::new("please".into()) };
    assert_eq!(case.decide().request_reopen(1, 1, "please".into()).unwrap(), [asked]);
    // A reopened week can be marked as missed again.
    let missed = case.decide().miss(1, 1, MissedReason::Sick, None).unwrap();
    case.happen(missed);
    let opened = case.decide().reopen(1, 1).unwrap();
    case.happen(opened);
    assert_eq!(case.series.items.week(1, 1).unwrap().stored.status, "active");
    case.answer(1, 1);
    assert_eq!(case.decide().reopen(1, 1).unwrap_err(), Rejection::Completed(1));
    assert_eq!(
        case.decide().request_reopen(1, 1, "please".into()).unwrap_err(),
        Rejection::Completed(1)
    );
}

#[test]
fn a_status_is_corrected_unless_it_is_right_or_an_answer_is_stronger() {
    let mut case = Case::allocated(3, FIRST);
    assert_eq!(case.decide().assign_status(1, 1, AssignedStatus::Pending).unwrap(), []);
    let missed = case.decide().assign_status(1, 1, AssignedStatus::Missed).unwrap();
    assert_eq!(missed, [Event::StatusAssigned { run: 1, week: 1, status: AssignedStatus::Missed }]);
    case.happen(missed);
    assert_eq!(case.series.items.week(1, 1).unwrap().stored.status, "missed");
    let done = case.decide().assign_status(1, 1, AssignedStatus::Completed).unwrap();
    case.happen(done);
    assert!(case.series.items.week(1, 1).unwrap().is_completed());
    let undone = case.decide().assign_status(1, 1, AssignedStatus::Active).unwrap();
    case.happen(undone);
    assert!(!case.series.items.week(1, 1).unwrap().is_completed());
    case.answer(1, 1);
    assert_eq!(case.decide().assign_status(1, 1, AssignedStatus::Completed).unwrap(), []);
    assert_eq!(
        case.decide().assign_status(1, 1, AssignedStatus::Pending).unwrap_err(),
        Rejection::Completed(1)
    );
    let refused = case.decide().assign_status(1, 4, AssignedStatus::Missed).unwrap_err();
    assert_eq!(refused, Rejection::NoSuchWeek { series: NAME.into(), run: 1, week: 4, total: 3 });
}

#[test]
fn an_imported_completion_without_a_response_is_taken_back_by_a_status() {
    let mut case = Case::new(FIRST);
    let body = json(
        r#"{"clientId":"client-1","formId":"form-1","status":"completed","completedAt":"2026-01-06T09:00:00Z"}"#,
    );
    let document =
        Document::new(Collection::CheckInAssignments, "d1".into(), 0, Personal::new(body));
    case.happen(vec![Event::DocumentImported(document.clone())]);
    let events = case.decide().assign_status(1, 1, AssignedStatus::Pending).unwrap();
    case.happen(events);
    assert!(!case.series.items.week(1, 1).unwrap().is_completed());
    // The correction survives another import of the document.
    case.happen(vec![Event::DocumentChanged(document)]);
    assert!(!case.series.items.week(1, 1).unwrap().is_completed());
}

#[test]
fn an_allocation_may_begin_with_a_status() {
    let case = Case::new("2026-01-01T00:00:00Z");
    let allocate = |status| {
        case.decide()
            .allocate(&Allocation { terms: terms(2), first_due: at(FIRST), status, extend: false })
            .unwrap()
    };
    assert_eq!(allocate(Some(AssignedStatus::Active)), allocate(None));
    let resting = allocate(Some(AssignedStatus::Inactive));
    let assigned = |week| Event::StatusAssigned { run: 1, week, status: AssignedStatus::Inactive };
    assert_eq!(resting[2..], [assigned(1), assigned(2)]);
}

#[test]
fn a_note_is_written_on_a_week_that_there_is() {
    let case = Case::imported(4, FIRST);
    let note = |week| case.decide().write_note(1, week, "call".into());
    let written = Event::NoteWritten { run: 1, week: 1, note: Personal::new("call".into()) };
    assert_eq!(note(1).unwrap(), [written]);
    // A week that is not stored yet is created.
    let made = note(3).unwrap();
    assert_eq!(made[0].name(), "AssignmentCreated");
    assert_eq!(made[1], Event::NoteWritten { run: 1, week: 3, note: Personal::new("call".into()) });
    assert!(note(5).is_err());
}

#[test]
fn corrections_of_a_week_that_is_not_stored_make_it_once() {
    let case = Case::imported(4, FIRST);
    let correction = Correction {
        due: Some(at("2026-01-20T09:00:00Z")),
        status: Some(AssignedStatus::Inactive),
        note: Some("late".into()),
    };
    let events = case.decide().correct(1, 3, &correction).unwrap();
    let names: Vec<&str> = events.iter().map(Event::name).collect();
    assert_eq!(
        names,
        ["AssignmentCreated", "AssignmentRescheduled", "StatusAssigned", "NoteWritten"]
    );
    assert_eq!(case.decide().correct(1, 3, &Correction::default()).unwrap(), []);
    assert!(case.decide().correct(1, 5, &correction).is_err());
}

#[test]
fn a_due_date_is_corrected_unless_it_is_right() {
    let mut case = Case::allocated(3, FIRST);
    assert_eq!(case.decide().reschedule(1, 2, at("2026-01-12T09:00:00Z")).unwrap(), []);
    let events = case.decide().reschedule(1, 2, at("2026-01-13T09:00:00Z")).unwrap();
    assert_eq!(
        events,
        [Event::AssignmentRescheduled { run: 1, week: 2, due: at("2026-01-13T09:00:00Z") }]
    );
    case.happen(events);
    assert_eq!(case.due(1, 2), "2026-01-13T09:00:00.000Z");
}

#[test]
fn a_pause_moves_unanswered_weeks_due_from_now_on_and_resuming_moves_them_back() {
    let mut case = Case::allocated(4, "2026-01-12T09:00:00Z");
    case.answer(1, 3);
    for given in [0, 53] {
        let refused = Rejection::OutOfRange {
            what: "the number of weeks to pause",
            least: 1,
            most: 52,
            given,
        };
        assert_eq!(case.decide().pause(given).unwrap_err(), refused);
    }
    assert_eq!(case.decide().resume().unwrap_err().to_string(), "this series has no active pause");
    let paused = case.decide().pause(2).unwrap();
    let Event::SeriesPaused { run: 1, pause_weeks: 2, until, moved } = &paused[0] else {
        panic!("{paused:?}")
    };
    assert_eq!(
        (*until, moved.iter().map(|moved| moved.week).collect::<Vec<_>>()),
        (at("2026-01-26T09:00:00Z"), vec![2, 4])
    );
    case.happen(paused);
    let dues = |case: &Case| [1, 2, 3, 4].map(|week| case.due(1, week)[5..10].to_owned());
    assert_eq!(dues(&case), ["01-05", "01-26", "01-19", "02-09"]);
    assert_eq!(
        case.series.items.week(1, 2).unwrap().stored.paused_until,
        Some(at("2026-01-26T09:00:00Z"))
    );
    // A week with a response from during the pause does not move.
    case.answer(1, 4);
    let resumed = case.decide().resume().unwrap();
    case.happen(resumed);
    assert_eq!(dues(&case), ["01-05", "01-12", "01-19", "02-09"]);
    assert_eq!(case.series.items.week(1, 2).unwrap().stored.paused_until, None);
    assert_eq!(case.decide().resume().unwrap_err(), Rejection::NoPause);
    case.now = at("2026-02-10T00:00:00Z");
    assert_eq!(case.decide().pause(1).unwrap_err(), Rejection::NothingToPause(NAME.into()));
}

#[test]
fn the_doubles_of_a_week_move_together_and_back() {
    let mut case = Case::new("2026-01-05T00:00:00Z");
    for (id, due) in [
        ("a", "2026-01-05T09:00:00Z"),
        ("b", "2026-01-12T09:00:00Z"),
        ("c", "2026-01-05T09:00:00Z"),
    ] {
        case.import(id, 1, 2, due, "");
    }
    let dues = |case: &Case| {
        ["a", "b", "c"].map(|id| {
            case.series.items.document(id).unwrap().stored.due.value().unwrap().to_string()[5..10]
                .to_owned()
        })
    };
    for _ in 0..2 {
        let paused = case.decide().pause(1).unwrap();
        case.happen(paused);
    }
    assert_eq!(dues(&case), ["01-19", "01-26", "01-19"]);
    for _ in 0..2 {
        let resumed = case.decide().resume().unwrap();
        case.happen(resumed);
    }
    assert_eq!(dues(&case), ["01-05", "01-12", "01-05"]);
}

#[test]
fn a_withdrawn_run_is_gone_but_its_answers_may_stay() {
    let mut case = Case::allocated(3, FIRST);
    case.answer(1, 2);
    assert_eq!(
        case.decide().withdraw(true, " ".into()).unwrap_err(),
        Rejection::ShortReason { least: 1, has: 0 }
    );
    let events = case.decide().withdraw(true, "left".into()).unwrap();
    assert_eq!(
        events,
        [Event::SeriesWithdrawn {
            run: 1,
            keep_answered: true,
            reason: Personal::new("left".into())
        }]
    );
    case.happen(events);
    assert_eq!(case.series.items.iter().map(|item| item.week()).collect::<Vec<_>>(), [2]);
    let refused = Rejection::NoSuchWeek { series: NAME.into(), run: 1, week: 1, total: 3 };
    assert_eq!(case.decide().respond(1, 1, json("[]"), None).unwrap_err(), refused);
    let again = case
        .decide()
        .allocate(&Allocation {
            terms: terms(2),
            first_due: at(FIRST),
            status: None,
            extend: false,
        })
        .unwrap();
    assert_eq!(
        created(&again).iter().map(|(run, week, ..)| (*run, *week)).collect::<Vec<_>>(),
        [(2, 1), (2, 2)]
    );
    assert_eq!(
        Case::new(FIRST).decide().withdraw(false, "left".into()).unwrap_err(),
        Rejection::NoSuchSeries(NAME.into())
    );
}

#[test]
fn withdrawing_a_week_clears_its_answer_first() {
    let mut case = Case::allocated(3, FIRST);
    case.answer(1, 2);
    let response = response_id(assignment_id(CLIENT, FORM, 1, 2), 1).to_string();
    let events = case.decide().withdraw_week(1, 2, "by mistake".into()).unwrap();
    assert_eq!(
        events,
        [Event::ResponseCleared {
            run: 1,
            week: 2,
            response,
            reason: Personal::new("by mistake".into())
        }]
    );
    case.happen(events);
    assert!(!case.series.items.week(1, 2).unwrap().is_completed());
    // A second response gets another id.
    let Event::ResponseSubmitted { response, .. } = &case.answer(1, 2)[0] else {
        panic!("no response")
    };
    assert_eq!(*response, response_id(assignment_id(CLIENT, FORM, 1, 2), 2).to_string());
    let events = case.decide().withdraw_week(1, 3, "not needed".into()).unwrap();
    assert_eq!(
        events,
        [Event::AssignmentWithdrawn {
            run: 1,
            week: 3,
            reason: Personal::new("not needed".into())
        }]
    );
    case.happen(events);
    assert!(case.series.items.week(1, 3).is_none());
    assert!(matches!(
        case.decide().withdraw_week(1, 3, "again".into()),
        Err(Rejection::NoSuchWeek { week: 3, .. })
    ));
    // A week completed without a response is cleared too.
    case.import("doc", 3, 3, FIRST, r#","status":"completed""#);
    let events = case.decide().withdraw_week(1, 3, "by mistake".into()).unwrap();
    assert_eq!(
        events,
        [Event::ResponseCleared {
            run: 1,
            week: 3,
            response: String::new(),
            reason: Personal::new("by mistake".into())
        }]
    );
}

#[test]
fn withdrawing_one_of_several_assignments_touches_it_alone() {
    let reason = || Personal::new("sent twice".to_owned());
    let withdrawn = |assignment: &str| {
        vec![Event::DuplicateWithdrawn {
            run: 1,
            week: 1,
            assignment: assignment.into(),
            reason: reason(),
        }]
    };
    let take = |case: &Case, assignment: &str| {
        case.decide().withdraw_assignment(1, 1, assignment, "sent twice".into())
    };
    // One of two is answered: the other goes, and the answer stays.
    let mut case = Case::new(FIRST);
    case.import("a1", 1, 2, FIRST, r#","status":"completed","responseId":"r1""#);
    case.import("a2", 1, 2, FIRST, "");
    let events = take(&case, "a2").unwrap();
    assert_eq!(events, withdrawn("a2"));
    case.happen(events);
    let held = case.series.items.week(1, 1).unwrap();
    assert_eq!((held.stored.document.as_str(), held.stored.response_id()), ("a1", Some("r1")));
    // Once gone, it is not found, and the other is not touched in its place.
    assert_eq!(
        take(&case, "a2").map(|events| events.len()),
        Err(Rejection::NoSuchAssignment { series: NAME.into(), week: 1, assignment: "a2".into() })
    );
    // Alone in its week, it is withdrawn as a week.
    assert!(
        matches!(&take(&case, "a1").unwrap()[..], [Event::ResponseCleared { response, .. }] if response == "r1")
    );
    // None of two is answered: the named one goes.
    let mut case = Case::new(FIRST);
    case.import("a1", 1, 2, FIRST, "");
    case.import("a2", 1, 2, FIRST, "");
    let events = take(&case, "a1").unwrap();
    assert_eq!(events, withdrawn("a1"));
    case.happen(events);
    assert_eq!(case.series.items.week(1, 1).unwrap().stored.document, "a2");
    // Both are answered: only the answer of the named one is cleared.
    let mut case = Case::new(FIRST);
    case.import("a1", 1, 2, FIRST, r#","status":"completed","responseId":"r1""#);
    case.import("a2", 1, 2, FIRST, r#","status":"completed","responseId":"r2""#);
    let events = take(&case, "a2").unwrap();
    assert_eq!(
        events,
        [Event::DuplicateCleared {
            run: 1,
            week: 1,
            assignment: "a2".into(),
            response: "r2".into(),
            reason: reason()
        }]
    );
    case.happen(events);
    let responses: Vec<_> =
        case.series.items.iter().map(|item| item.stored.response_id()).collect();
    assert_eq!(responses, [Some("r1"), None]);
    // Without a name, the one that represents the week is meant.
    let events = case.decide().withdraw_week(1, 1, "sent twice".into()).unwrap();
    assert!(
        matches!(&events[..], [Event::DuplicateCleared { assignment, .. }] if assignment == "a1")
    );
}

#[test]
fn an_answered_week_that_a_withdrawn_run_kept_is_cleared_and_goes() {
    let mut case = Case::allocated(2, FIRST);
    case.answer(1, 2);
    let withdrawn = case.decide().withdraw(true, "left".into()).unwrap();
    case.happen(withdrawn);
    assert!(case.series.items.week(1, 1).is_none() && case.series.items.week(1, 2).is_some());
    let response = response_id(assignment_id(CLIENT, FORM, 1, 2), 1).to_string();
    let events = case.decide().withdraw_week(1, 2, "by mistake".into()).unwrap();
    let reason = || Personal::new("by mistake".into());
    let expected = [
        Event::ResponseCleared { run: 1, week: 2, response, reason: reason() },
        Event::AssignmentWithdrawn { run: 1, week: 2, reason: reason() },
    ];
    assert_eq!(events, expected);
    case.happen(events);
    assert!(case.series.items.is_empty());
}

#[test]
fn a_cleared_week_can_be_missed_and_paused_like_any_other() {
    let mut case = Case::allocated(2, "2026-01-08T10:00:00Z");
    case.answer(1, 1);
    let cleared = case.decide().withdraw_week(1, 1, "by mistake".into()).unwrap();
    case.happen(cleared);
    assert_eq!(case.series.items.week(1, 1).unwrap().stored.status, "pending");
    let missed = case.decide().miss(1, 1, MissedReason::Sick, None).unwrap();
    case.happen(missed);
    assert_eq!(case.series.items.week(1, 1).unwrap().stored.status, "missed");
    assert_eq!(
        case.decide().miss(1, 1, MissedReason::Sick, None).unwrap_err(),
        Rejection::AlreadyMissed(1)
    );
}

#[test]
fn feedback_is_for_a_response_of_the_series() {
    let mut case = Case::allocated(2, FIRST);
    case.answer(1, 1);
    let given = response_id(assignment_id(CLIENT, FORM, 1, 1), 1).to_string();
    let refused = Rejection::NoSuchResponse { series: NAME.into(), response: "r-0".into() };
    assert_eq!(
        case.decide().give_feedback("r-0", "coach-1", "Well done".into()).unwrap_err(),
        refused
    );
    assert_eq!(
        case.decide().give_feedback(&given, "coach-1", "  ".into()).unwrap_err(),
        Rejection::ShortReason { least: 1, has: 0 }
    );
    let expected = Event::FeedbackGiven {
        response: given.clone(),
        coach: "coach-1".into(),
        text: Personal::new("Well done".into()),
    };
    assert_eq!(
        case.decide().give_feedback(&given, "coach-1", "Well done".into()).unwrap(),
        [expected]
    );
    let document =
        Document::new(Collection::FormResponses, "r-0".into(), 0, Personal::new(json("{}")));
    case.happen(vec![Event::DocumentImported(document)]);
    assert_eq!(case.decide().give_feedback("r-0", "coach-1", "Well done".into()).unwrap().len(), 1);
}

#[test]
fn a_linked_week_is_answered() {
    let mut case = Case::imported(3, FIRST);
    let linked = Event::ResponseLinked {
        response: "r-2".into(),
        run: 1,
        week: 1,
        named: "doc-0".into(),
        kind: LinkKind::Linked,
        completed_at: Some(at(FIRST)),
        score: Some(Number::from(40)),
    };
    case.happen(vec![linked]);
    let before =
        Decision::AlreadyAnswered { response: "r-2".into(), score: Some(Number::from(40)) };
    assert_eq!(case.decide().respond(1, 1, json("[]"), None).unwrap(), before);
}

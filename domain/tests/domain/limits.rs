//! The limits of new input: each text and each value at its limit is taken, and one more is
//! rejected by name. Numbers of weeks are capped wherever they are read.

use rollbook_domain::calendar::Zone;
use rollbook_domain::document::StoredAssignment;
use rollbook_domain::event::{MissedReason, Origin, Terms};
use rollbook_domain::limits::{
    ANSWERS_BYTES, DESCRIPTION_BYTES, FEEDBACK_BYTES, ID_BYTES, JSON_LEVELS, MOST_WEEKS,
    REASON_BYTES, TITLE_BYTES, WINDOW_BYTES,
};
use rollbook_domain::series::decide::{Allocation, Correction, Decider, Decision, Rejection};
use rollbook_domain::series::{LegacySeries, Series, assignment_id};
use rollbook_domain::{Collection, Document, Event, JsonText, Personal, StreamId, Timestamp};

const FIRST: &str = "2026-01-05T09:00:00Z";
/// Week 1, due at [`FIRST`], is closed.
const CLOSED: &str = "2026-01-20T09:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn stream() -> StreamId {
    StreamId::series("c", "f")
}

fn decider(series: &Series) -> Decider<'_> {
    Decider { client: "c", form: "f", series, now: at(CLOSED), zone: Zone::UTC }
}

fn terms() -> Terms {
    Terms {
        stored_client: "c".into(),
        coach: "k".into(),
        title: String::new(),
        description: String::new(),
        assigned_by: None,
        assigned_at: None,
        window: None,
        recurring: true,
        total_weeks: 3,
    }
}

fn happen(series: &mut Series, events: &[Event]) {
    events.iter().for_each(|event| series.apply(&stream(), event));
}

fn allocate(series: &Series, terms: Terms) -> Result<Vec<Event>, Rejection> {
    let allocation = Allocation { terms, first_due: at(FIRST), status: None, extend: false };
    decider(series).allocate(&allocation)
}

fn allocated() -> Series {
    let mut series = Series::default();
    let events = allocate(&series, terms()).unwrap();
    happen(&mut series, &events);
    series
}

fn answered() -> (Series, String) {
    let mut series = allocated();
    let answers = JsonText::parse("[]").unwrap();
    let Decision::Append(events) = decider(&series).respond(1, 1, answers, None).unwrap() else {
        panic!("already answered");
    };
    happen(&mut series, &events);
    let response = series.items.week(1, 1).unwrap().stored.response_id().unwrap().to_owned();
    (series, response)
}

fn nested(levels: usize) -> JsonText {
    let text = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn every_free_text_has_a_limit() {
    let series = allocated();
    let (other, response) = answered();
    let text = |bytes: usize| "é".repeat(bytes / 2) + if bytes % 2 == 1 { "x" } else { "" };
    type Command<'a> = Box<dyn Fn(String) -> Result<Vec<Event>, Rejection> + 'a>;
    let (decide, of_answered) = (decider(&series), decider(&other));
    let new = Series::default();
    let with = |change: &dyn Fn(&mut Terms)| {
        let mut terms = terms();
        change(&mut terms);
        allocate(&new, terms)
    };
    let commands: Vec<(&str, usize, Command<'_>)> = vec![
        (
            "the comment",
            REASON_BYTES,
            Box::new(|text| decide.miss(1, 1, MissedReason::Other, Some(text))),
        ),
        ("the reason", REASON_BYTES, Box::new(|text| decide.extend(1, 1, text))),
        ("the reason", REASON_BYTES, Box::new(|text| decide.request_reopen(1, 1, text))),
        ("the reason", REASON_BYTES, Box::new(|text| decide.withdraw(true, text))),
        ("the reason", REASON_BYTES, Box::new(|text| decide.withdraw_week(1, 1, text))),
        ("the reason", REASON_BYTES, Box::new(|text| of_answered.withdraw_week(1, 1, text))),
        ("the note", REASON_BYTES, Box::new(|text| decide.write_note(1, 1, text))),
        (
            "the note",
            REASON_BYTES,
            Box::new(|text| {
                decide.correct(1, 1, &Correction { note: Some(text), ..Correction::default() })
            }),
        ),
        (
            "the feedback",
            FEEDBACK_BYTES,
            Box::new(|text| of_answered.give_feedback(&response, "k", text)),
        ),
        (
            "the id of the coach",
            ID_BYTES,
            Box::new(|coach| of_answered.give_feedback(&response, &coach, "good".into())),
        ),
        ("the title", TITLE_BYTES, Box::new(|text| with(&|terms| terms.title = text.clone()))),
        (
            "the description",
            DESCRIPTION_BYTES,
            Box::new(|text| with(&|terms| terms.description = text.clone())),
        ),
        (
            "assignedBy",
            ID_BYTES,
            Box::new(|text| with(&|terms| terms.assigned_by = Some(text.clone()))),
        ),
        (
            "the id of the coach",
            ID_BYTES,
            Box::new(|text| with(&|terms| terms.coach = text.clone())),
        ),
        (
            "the id of the client",
            ID_BYTES,
            Box::new(|text| with(&|terms| terms.stored_client = text.clone())),
        ),
        (
            "the id of the form",
            ID_BYTES,
            Box::new(|form| {
                let allocation = Allocation {
                    terms: terms(),
                    first_due: at(FIRST),
                    status: None,
                    extend: false,
                };
                Decider { form: &form, ..decider(&new) }.allocate(&allocation)
            }),
        ),
        (
            "the check-in window",
            WINDOW_BYTES,
            Box::new(|text| {
                let quoted = format!("\"{}\"", "x".repeat(text.len() - 2));
                with(&|terms| terms.window = Some(JsonText::parse(&quoted).unwrap()))
            }),
        ),
        (
            "the list of answers",
            ANSWERS_BYTES,
            Box::new(|text| {
                let answers = format!("[{{\"answer\":\"{}\"}}]", "x".repeat(text.len() - 15));
                decide.respond(1, 1, JsonText::parse(&answers).unwrap(), None).map(|decided| {
                    let Decision::Append(events) = decided else { panic!("{decided:?}") };
                    events
                })
            }),
        ),
    ];
    for (what, limit, command) in commands {
        assert!(!command(text(limit)).unwrap().is_empty(), "{what}");
        for given in [limit + 1, 2 << 20] {
            let refused = Rejection::TextTooLong { what, limit, given };
            assert_eq!(command(text(given)).unwrap_err(), refused, "{what}");
        }
    }
    let text = Rejection::TextTooLong { what: "the reason", limit: 4096, given: 5000 }.to_string();
    assert_eq!(text, "the reason has 5000 bytes; the limit is 4096");
}

#[test]
fn a_series_with_a_long_id_from_before_the_limit_still_takes_commands() {
    let form = "f".repeat(60_000);
    let series = allocated();
    let events = Decider { form: &form, ..decider(&series) }.request_reopen(1, 1, "please".into());
    assert_eq!(events.unwrap().len(), 1);
}

#[test]
fn answers_and_windows_are_nested_no_deeper_than_the_limit() {
    let series = allocated();
    let refused = |what, found| Rejection::TooDeep { what, limit: JSON_LEVELS, found };
    let answers = |levels: usize| {
        let inner = nested(levels - 2);
        serde_json::from_str(&format!("[{{\"answer\":{}}}]", inner.as_str())).unwrap()
    };
    let respond = |levels| decider(&series).respond(1, 1, answers(levels), None);
    assert!(respond(JSON_LEVELS).is_ok());
    for found in [JSON_LEVELS + 1, 30_000] {
        let what = "the list of answers";
        assert_eq!(respond(found).unwrap_err(), refused(what, found));
    }
    let new = Series::default();
    let window = |levels| allocate(&new, Terms { window: Some(nested(levels)), ..terms() });
    assert!(window(JSON_LEVELS).is_ok());
    let what = "the check-in window";
    assert_eq!(window(1_000).unwrap_err(), refused(what, 1_000));
}

#[test]
fn a_stored_window_of_any_depth_is_read_as_it_is() {
    let window = nested(20_000);
    let body = JsonText::from_canonical(format!(r#"{{"checkInWindow":{}}}"#, window.as_str()));
    assert_eq!(StoredAssignment::read("d", &body).window, Some(window));
}

#[test]
fn asking_twice_to_reopen_appends_nothing_until_the_week_changes() {
    let mut series = allocated();
    let ask = |series: &Series| decider(series).request_reopen(1, 1, "please".into()).unwrap();
    let first = ask(&series);
    assert_eq!(first.len(), 1);
    happen(&mut series, &first);
    assert_eq!(ask(&series), []);
    assert_eq!(decider(&series).request_reopen(1, 1, "another".into()).unwrap(), []);
    // Another week is asked for on its own.
    let other = Decider { now: at("2026-03-20T09:00:00Z"), ..decider(&series) };
    assert_eq!(other.request_reopen(1, 2, "please".into()).unwrap().len(), 1);
    let changes = [
        vec![Event::AssignmentRescheduled { run: 1, week: 1, due: at(FIRST) }],
        vec![Event::AssignmentMissed {
            run: 1,
            week: 1,
            reason: MissedReason::Sick,
            comment: None,
        }],
        vec![Event::SeriesExtended { run: 1, total_weeks: 4 }],
    ];
    for change in changes {
        let mut changed = series.clone();
        happen(&mut changed, &change);
        assert_eq!(ask(&changed).len(), 1, "{change:?}");
    }
    // An open week is not asked for.
    let mut opened = series.clone();
    happen(&mut opened, &[Event::AssignmentReopened { run: 1, week: 1 }]);
    let refused = decider(&opened).request_reopen(1, 1, "please".into()).unwrap_err();
    assert_eq!(refused, Rejection::StillOpen(1));
    let mut elsewhere = series.clone();
    happen(&mut elsewhere, &[Event::AssignmentReopened { run: 1, week: 2 }]);
    assert_eq!(ask(&elsewhere), []);
}

fn assignment(total_weeks: &str) -> Document {
    let body = format!(
        r#"{{"clientId":"c","formId":"f","isRecurring":true,"recurringWeek":1,"totalWeeks":{total_weeks}}}"#
    );
    let body = Personal::new(JsonText::parse(&body).unwrap());
    Document::new(Collection::CheckInAssignments, "d".into(), 0, body)
}

#[test]
fn numbers_of_weeks_are_capped_wherever_they_are_read() {
    let read = |text: &str| {
        let mut series = Series::default();
        happen(&mut series, &[Event::DocumentImported(assignment(text))]);
        let stored = series.items.week(1, 1).unwrap().stored.clone();
        (stored.total_weeks, stored.total_weeks_capped)
    };
    for weeks in [1, 2, 52, 519, 520] {
        assert_eq!(read(&weeks.to_string()), (weeks, false));
    }
    for text in ["521", "20000000", "4000000000", "4294967296", "18446744073709551615"] {
        assert_eq!(read(text), (MOST_WEEKS, true), "{text}");
    }
    // What is no count stays one week.
    for text in ["0", "-1", "\"52\"", "null"] {
        assert_eq!(read(text), (1, false), "{text}");
    }
}

#[test]
fn numbers_of_weeks_in_events_are_capped() {
    let most =
        |series: &Series| series.items.iter().map(|item| item.stored.total_weeks).max().unwrap();
    let created = |total_weeks| Event::AssignmentCreated {
        assignment: assignment_id("c", "f", 1, 1),
        run: 1,
        week: 1,
        due: at(FIRST),
        origin: Origin::Allocation,
        terms: Terms { total_weeks, ..terms() }.into(),
    };
    let extended = Event::SeriesExtended { run: 1, total_weeks: u32::MAX };
    for (events, weeks) in [
        (vec![created(u32::MAX)], 520),
        (vec![created(3), extended.clone()], 520),
        (vec![created(520)], 520),
        (vec![created(4)], 4),
    ] {
        let (mut series, mut legacy) = (Series::default(), LegacySeries::default());
        for event in &events {
            series.apply(&stream(), event);
            legacy.apply(&stream(), event);
        }
        assert_eq!((most(&series), most(&legacy.stored)), (weeks, weeks));
    }
    let mut series = Series::default();
    happen(&mut series, &[extended, Event::DocumentImported(assignment("3"))]);
    assert_eq!(most(&series), 520);
}

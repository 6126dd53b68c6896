//! Events on weeks that are not stored: they are kept, and laid on the week when it is stored.

use rollbook_domain::calendar::Zone;
use rollbook_domain::event::{AssignedStatus, MissedReason, Origin};
use rollbook_domain::series::decide::{Correction, Decider};
use rollbook_domain::series::{LegacySeries, Series, assignment_id};
use rollbook_domain::status::{Clock, Status};
use rollbook_domain::{Collection, Document, Event, JsonText, Personal, StreamId, Timestamp};

const CLIENT: &str = "c";
const FORM: &str = "f";

fn stream() -> StreamId {
    StreamId::series(CLIENT, FORM)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Both folds of a series.
#[derive(Clone, Default)]
struct Folds {
    series: Series,
    legacy: LegacySeries,
}

impl Folds {
    /// A series of six weeks of which week 1 is stored, due on a Wednesday.
    fn imported() -> Self {
        let body = r#"{"clientId":"c","formId":"f","isRecurring":true,"recurringWeek":1,"totalWeeks":6,"dueDate":"2026-01-07T09:00:00Z"}"#;
        let body = Personal::new(JsonText::parse(body).unwrap());
        let week_1 = Document::new(Collection::CheckInAssignments, "week-1".into(), 0, body);
        let mut folds = Self::default();
        folds.happen(&[Event::DocumentImported(week_1)]);
        folds
    }

    fn happen(&mut self, events: &[Event]) {
        for event in events {
            self.series.apply(&stream(), event);
            self.legacy.apply(&stream(), event);
        }
    }

    /// Stores weeks 2 to 6 as a migration does.
    fn migrate(&mut self) {
        let terms =
            rollbook_domain::series::items::terms_of(&self.series.items.week(1, 1).unwrap().stored);
        for week in 2..=6 {
            if self.series.items.week(1, week).is_none() {
                self.happen(&[Event::AssignmentCreated {
                    assignment: assignment_id(CLIENT, FORM, 1, week),
                    run: 1,
                    week,
                    due: Zone::UTC.monday_due(at("2026-01-07T09:00:00Z"), week),
                    origin: Origin::Migration,
                    terms: terms.clone().into(),
                }]);
            }
        }
    }

    fn decide(&self, now: &str) -> Decider<'_> {
        let series = &self.series;
        Decider { client: CLIENT, form: FORM, series, now: at(now), zone: Zone::UTC }
    }
}

#[test]
fn a_command_on_a_generated_week_uses_the_due_date_that_the_list_shows() {
    let folds = Folds::imported();
    let extended = folds.decide("2026-01-20T12:00:00Z").extend(1, 3, "a good reason".into());
    let Event::AssignmentCreated { due, .. } = &extended.unwrap()[0] else { panic!() };
    assert_eq!(*due, at("2026-01-19T09:00:00Z"));
    // A response is due as the old application computed it.
    let answers = JsonText::parse("[]").unwrap();
    let answered = folds.decide("2026-01-20T12:00:00Z").respond(1, 3, answers, None).unwrap();
    let rollbook_domain::series::decide::Decision::Append(events) = answered else { panic!() };
    let Event::AssignmentCreated { due, .. } = &events[0] else { panic!() };
    assert_eq!(*due, at("2026-01-21T09:00:00Z"));
}

#[test]
fn a_pause_moves_generated_weeks_before_and_after_they_are_stored() {
    let mut folds = Folds::imported();
    let paused = folds.decide("2026-01-20T12:00:00Z").pause(2).unwrap();
    let Event::SeriesPaused { moved, .. } = &paused[0] else { panic!() };
    let moved: Vec<_> = moved.iter().map(|moved| (moved.week, moved.to.unwrap())).collect();
    let expected = [(4, "2026-02-09"), (5, "2026-02-16"), (6, "2026-02-23")];
    assert_eq!(moved, expected.map(|(week, date)| (week, at(&format!("{date}T09:00:00Z")))));
    folds.happen(&paused);
    assert!(folds.legacy.stored.overlays.contains(1, 4));
    let later = folds.decide("2026-01-21T12:00:00Z").assignment(1, 4).unwrap();
    assert_eq!(later.due.value(), Some(&at("2026-02-09T09:00:00Z")));
    folds.migrate();
    let due = |folds: &Folds, week| {
        *folds.series.items.week(1, week).unwrap().stored.due.value().unwrap()
    };
    assert_eq!(due(&folds, 3), at("2026-01-19T09:00:00Z"));
    assert_eq!(due(&folds, 4), at("2026-02-09T09:00:00Z"));
    let resumed = folds.decide("2026-01-22T12:00:00Z").resume().unwrap();
    folds.happen(&resumed);
    assert_eq!(due(&folds, 4), at("2026-01-26T09:00:00Z"));
    let legacy = folds.legacy.stored.clone();
    let decider = Decider { series: &legacy, ..folds.decide("2026-01-22T12:00:00Z") };
    assert_eq!(decider.assignment(1, 4).unwrap().due.value(), Some(&at("2026-01-26T09:00:00Z")));
}

#[test]
fn an_opened_week_is_not_missed_until_it_is_marked_and_the_later_holds() {
    let closed = "2026-01-26T12:00:00Z";
    for is_migrated in [false, true] {
        let mut folds = Folds::imported();
        if is_migrated {
            folds.migrate();
        }
        let status = |folds: &Folds| {
            let of = |series: &Series| {
                let stored = Decider { series, ..folds.decide(closed) }.assignment(1, 3).unwrap();
                let due = *stored.due.value().unwrap();
                (
                    Clock::new(at(closed), Zone::UTC).status_of(&stored, due),
                    stored.extension_granted,
                )
            };
            let (series, legacy) = (of(&folds.series), of(&folds.legacy.stored));
            assert_eq!(series, legacy);
            series
        };
        assert_eq!(status(&folds), (Status::Missed, false));
        let opened = folds.decide(closed).reopen(1, 3).unwrap();
        folds.happen(&opened);
        assert_eq!(status(&folds), (Status::Overdue, true));
        let missed = folds.decide(closed).miss(1, 3, MissedReason::Sick, None).unwrap();
        folds.happen(&missed);
        assert_eq!(status(&folds), (Status::Missed, true));
        let extended = folds.decide(closed).extend(1, 3, "a good reason".into()).unwrap();
        folds.happen(&extended);
        assert_eq!(status(&folds), (Status::Overdue, true));
        let missed = Correction { status: Some(AssignedStatus::Missed), ..Correction::default() };
        let missed = folds.decide(closed).correct(1, 3, &missed).unwrap();
        folds.happen(&missed);
        assert_eq!(status(&folds), (Status::Missed, true));
        let answer = |folds: &Folds| {
            let answers = JsonText::parse("[]").unwrap();
            match folds.decide(closed).respond(1, 3, answers, None).unwrap() {
                rollbook_domain::series::decide::Decision::Append(events) => events,
                other => panic!("{other:?}"),
            }
        };
        let answered = answer(&folds);
        folds.happen(&answered);
        assert_eq!(status(&folds), (Status::Completed, true));
        // The document that the answer makes has the earlier changes of its week.
        assert!(folds.legacy.stored.items.week(1, 3).is_some());
    }
}

#[test]
fn changes_of_one_week_stay_few_however_often_it_is_changed() {
    let mut folds = Folds::imported();
    folds.migrate();
    let size = |folds: &Folds| serde_json::to_vec(&folds.legacy).unwrap().len();
    let mut sizes = Vec::new();
    for round in 0..50 {
        let due = at("2026-01-19T09:00:00Z").plus_milliseconds(round * 1_000_000);
        let mut happened = folds.decide("2026-01-26T12:00:00Z").reschedule(1, 3, due).unwrap();
        happened.push(Event::AssignmentReopened { run: 1, week: 3 });
        happened.push(Event::StatusAssigned { run: 1, week: 3, status: AssignedStatus::Missed });
        folds.happen(&happened);
        sizes.push(size(&folds));
    }
    assert!(sizes[49] <= sizes[1] + 16, "{sizes:?}");
}

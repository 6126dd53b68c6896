//! Series under random histories: both folds side by side, and what must hold after every single
//! event.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rollbook_domain::calendar::Zone;
use rollbook_domain::event::{LinkKind, Origin};
use rollbook_domain::series::decide::Decider;
use rollbook_domain::series::{LegacySeries, Series, assignment_id, event_id, response_id};
use rollbook_domain::{Collection, Document, Event, JsonText, Personal, StreamId, Timestamp};

use crate::commands::{Command, any_command, any_now, events};

const CLIENT: &str = "client-1";
const FORM: &str = "form-1";

fn stream() -> StreamId {
    StreamId::series(CLIENT, FORM)
}

#[derive(Default)]
struct Model {
    series: Series,
    legacy: LegacySeries,
    /// Every assignment ever made here.
    made: BTreeSet<String>,
    /// Answers given here that still count: the response and the document that holds it.
    answered: BTreeMap<String, String>,
    responses: BTreeSet<String>,
}

impl Model {
    fn decider(&self, now: Timestamp) -> Decider<'_> {
        Decider { client: CLIENT, form: FORM, series: &self.series, now, zone: Zone::UTC }
    }

    fn happen(&mut self, event: &Event) {
        let before = (self.series.clone(), self.legacy.clone());
        self.series.apply(&stream(), event);
        self.legacy.apply(&stream(), event);
        if !LegacySeries::concerns(event) {
            assert_eq!(self.legacy, before.1, "the old system did not know {event:?}");
        }
        self.note(event, &before.0);
        self.check(event);
    }

    fn note(&mut self, event: &Event, before: &Series) {
        match event {
            Event::AssignmentCreated { assignment, run, week, origin, .. } => {
                assert!(
                    self.made.insert(assignment.to_string()),
                    "week {week} of run {run} was made twice"
                );
                assert_eq!(*assignment, assignment_id(CLIENT, FORM, *run, *week));
                assert!(
                    before.items.week(*run, *week).is_none(),
                    "week {week} of run {run} was there already"
                );
                assert_eq!(
                    LegacySeries::concerns(event),
                    *origin == Origin::Allocation && *week == 1
                );
            }
            Event::ResponseSubmitted { run, week, response, .. } => {
                assert!(
                    before.items.week(*run, *week).is_none_or(|item| !item.is_completed()),
                    "week {week} was answered already"
                );
                assert!(
                    self.responses.insert(response.clone()),
                    "the response {response} was given twice"
                );
                let item = self.series.items.week(*run, *week).unwrap();
                assert_eq!(item.stored.response_id(), Some(response.as_str()));
                self.answered.insert(response.clone(), item.stored.document.clone());
            }
            Event::ResponseCleared { response, .. } => {
                self.answered.remove(response);
            }
            Event::SeriesWithdrawn { keep_answered: false, run, .. } => {
                let gone = before
                    .items
                    .iter()
                    .filter(|item| item.run == *run)
                    .filter_map(|item| item.stored.response_id());
                gone.for_each(|response| {
                    self.answered.remove(response);
                });
            }
            Event::DocumentImported(_) | Event::DocumentChanged(_) => {
                let mut again = (self.series.clone(), self.legacy.clone());
                again.0.apply(&stream(), event);
                again.1.apply(&stream(), event);
                assert!(
                    again == (self.series.clone(), self.legacy.clone()),
                    "the same document again changed something"
                );
            }
            _ => {}
        }
    }

    /// Every answer that counts is in both folds, on the same document.
    fn check(&self, event: &Event) {
        for (response, document) in &self.answered {
            for (name, series) in [("series", &self.series), ("legacy", &self.legacy.stored)] {
                let item =
                    series.items.iter().find(|item| item.stored.response_id() == Some(response));
                let held = item.map(|item| &item.stored.document);
                assert_eq!(held, Some(document), "the answer {response} in {name} after {event:?}");
                assert!(item.unwrap().is_completed());
            }
        }
        let places: Vec<_> = self
            .series
            .items
            .iter()
            .map(|item| (item.run, item.week(), &item.stored.document))
            .collect();
        assert!(
            places.is_sorted() && places.windows(2).all(|pair| pair[0] != pair[1]),
            "{places:?}"
        );
    }

    /// Whatever is paused now and resumed at once is due as before.
    fn check_pause(&self, now: Timestamp) {
        let dues = |series: &Series| {
            series.items.iter().map(|item| item.stored.due.clone()).collect::<Vec<_>>()
        };
        let Ok(paused) = self.decider(now).pause(2) else { return };
        let mut series = self.series.clone();
        paused.iter().for_each(|event| series.apply(&stream(), event));
        assert_ne!(dues(&series), dues(&self.series));
        let resumed = Decider { series: &series, ..self.decider(now) }.resume().unwrap();
        resumed.iter().for_each(|event| series.apply(&stream(), event));
        assert_eq!(dues(&series), dues(&self.series));
    }
}

fn history() -> impl Strategy<Value = Vec<(Command, Timestamp)>> {
    proptest::collection::vec((any_command(), any_now()), 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_history_breaks_a_series(history in history()) {
        let mut model = Model::default();
        for (command, now) in history {
            for event in events(&command, &model.decider(now)) {
                model.happen(&event);
            }
            model.check_pause(now);
        }
        let row: Series = serde_json::from_str(&serde_json::to_string(&model.series).unwrap()).unwrap();
        prop_assert_eq!(row, model.series);
        let row: LegacySeries = serde_json::from_str(&serde_json::to_string(&model.legacy).unwrap()).unwrap();
        prop_assert_eq!(row, model.legacy);
    }
}

/// Histories that broke a series once.
#[test]
fn histories_that_once_broke_a_series_no_longer_do() {
    use Command::{
        Allocate, Import, ImportResponse, Link, Migrate, Pause, Remove, Reschedule, Respond,
        Resume, Withdraw, WithdrawWeek,
    };
    let now: Timestamp = "2025-12-26T09:00:00Z".parse().unwrap();
    let import = |document, week, form| Import { document, week, form };
    let allocate = |weeks, extend| Allocate { weeks, extend };
    let respond = |week| Respond { run: 1, week };
    let withdraw = |week| WithdrawWeek { run: 1, week };
    let histories = [
        // A document that knows nothing of the extension became the base.
        vec![import(2, 1, 3), allocate(1, true), withdraw(6), import(0, 1, 3), allocate(1, true)],
        // A week that the base does not have was withdrawn, then reached by extending.
        vec![
            allocate(1, false),
            Reschedule { run: 1, week: 1, days: 21 },
            import(3, 1, 0),
            withdraw(2),
            Remove { document: 3 },
            allocate(1, true),
        ],
        // A pause moved a made week that the legacy fold does not have, and there another one in
        // its place.
        vec![
            import(0, 2, 0),
            Migrate,
            import(0, 3, 4),
            import(1, 3, 4),
            Pause { weeks: 1 },
            respond(3),
        ],
        vec![
            allocate(3, false),
            Pause { weeks: 1 },
            import(0, 3, 1),
            Resume,
            import(1, 3, 0),
            respond(3),
        ],
        // A document that went, but for its answer, stood behind the made week for one fold only.
        vec![
            allocate(2, false),
            import(1, 2, 0),
            respond(2),
            Remove { document: 1 },
            withdraw(2),
            respond(2),
        ],
        // A week that only a migration's link had kept in a withdrawn run was cleared, and answered
        // again where one fold had it no more.
        vec![
            ImportResponse { response: 1, week: 1 },
            import(0, 2, 3),
            Link { response: 1, week: 2, adopted: false },
            Withdraw { keep_answered: true },
            withdraw(2),
            respond(2),
        ],
        // A withdrawn run came to weeks again by an import, and was extended over those that were
        // withdrawn with it.
        vec![
            allocate(2, false),
            Pause { weeks: 1 },
            respond(1),
            import(0, 1, 4),
            Reschedule { run: 1, week: 3, days: 0 },
            Withdraw { keep_answered: true },
            import(1, 2, 3),
            allocate(1, true),
        ],
        // Clearing a response that a migration had linked took the client's own answer away where
        // nobody knew the link.
        vec![
            ImportResponse { response: 0, week: 1 },
            import(1, 1, 3),
            respond(2),
            Link { response: 0, week: 1, adopted: false },
            import(1, 2, 0),
            withdraw(2),
        ],
    ];
    for history in histories {
        let mut model = Model::default();
        let happened: usize = history
            .iter()
            .map(|command| {
                let events = events(command, &model.decider(now));
                events.iter().for_each(|event| model.happen(event));
                events.len()
            })
            .sum();
        assert!(happened >= history.len() - 1, "{happened} events of {history:?}");
    }
}

fn imported(id: &str, body: &str) -> Event {
    let body = Personal::new(JsonText::parse(body).unwrap());
    Event::DocumentImported(Document::new(Collection::CheckInAssignments, id.into(), 0, body))
}

fn folded(events: &[Event]) -> (Series, LegacySeries) {
    let mut folds = (Series::default(), LegacySeries::default());
    for event in events {
        folds.0.apply(&stream(), event);
        folds.1.apply(&stream(), event);
    }
    folds
}

fn answer(week: u32) -> Event {
    let assignment = assignment_id(CLIENT, FORM, 1, week);
    Event::ResponseSubmitted {
        assignment,
        run: 1,
        week,
        response: response_id(assignment, 1).to_string(),
        submitted_at: Timestamp::EPOCH,
        score: Some(70),
        answers: Personal::new(JsonText::parse("[]").unwrap()),
        legacy_due: Timestamp::EPOCH,
    }
}

#[test]
fn a_changed_document_keeps_what_happened_here() {
    let open =
        r#"{"clientId":"c","formId":"f","dueDate":"2026-01-05T09:00:00Z","formTitle":"Old"}"#;
    let renamed = r#"{"clientId":"c","formId":"f","dueDate":"2026-01-06T09:00:00Z","formTitle":"New","score":3}"#;
    let (series, legacy) = folded(&[imported("d", open), answer(1), imported("d", renamed)]);
    for series in [&series, &legacy.stored] {
        let stored = &series.items.document("d").unwrap().stored;
        assert_eq!(
            (stored.title.as_str(), stored.score.unwrap().value(), stored.is_completed()),
            ("New", 70.0, true)
        );
    }
}

#[test]
fn an_answered_week_outlives_its_document_and_an_open_one_does_not() {
    let open = r#"{"clientId":"c","formId":"f"}"#;
    let gone =
        Event::DocumentRemoved { collection: Collection::CheckInAssignments, id: "d".into() };
    let (series, legacy) = folded(&[imported("d", open), answer(1), gone.clone()]);
    assert!(
        series.items.week(1, 1).unwrap().is_completed()
            && legacy.stored.items.week(1, 1).unwrap().is_completed()
    );
    let (series, legacy) = folded(&[imported("d", open), gone]);
    assert!(series.items.is_empty() && legacy.stored.items.is_empty());
}

#[test]
fn a_withdrawn_week_stays_away_however_its_document_changes() {
    let form = |title: &str| {
        imported("d", &format!(r#"{{"clientId":"c","formId":"f","formTitle":"{title}"}}"#))
    };
    let week = Event::AssignmentWithdrawn { run: 1, week: 1, reason: Personal::new("gone".into()) };
    let run = Event::SeriesWithdrawn {
        run: 1,
        keep_answered: true,
        reason: Personal::new("gone".into()),
    };
    for withdrawn in [week, run] {
        let (series, legacy) = folded(&[form("Old"), withdrawn, form("New")]);
        assert!(series.items.is_empty() && legacy.stored.items.is_empty());
    }
}

#[test]
fn a_week_answered_after_its_base_is_gone_still_has_its_terms() {
    let base = r#"{"clientId":"c","formId":"f","dueDate":"2026-01-05T09:00:00Z","isRecurring":true,"totalWeeks":3,"formTitle":"Habits"}"#;
    let gone =
        Event::DocumentRemoved { collection: Collection::CheckInAssignments, id: "d".into() };
    let (_, legacy) = folded(&[imported("d", base), gone, answer(2)]);
    let item = legacy.stored.items.week(1, 2).unwrap();
    assert_eq!(
        (item.stored.title.as_str(), item.stored.client.as_str(), item.is_completed()),
        ("Habits", "c", true)
    );
}

#[test]
fn a_migrations_link_is_nothing_the_old_system_knew() {
    let open = r#"{"clientId":"c","formId":"f"}"#;
    let linked = |kind| Event::ResponseLinked {
        response: "r".into(),
        run: 1,
        week: 1,
        named: "x".into(),
        kind,
        completed_at: None,
        score: None,
    };
    let (series, legacy) = folded(&[imported("d", open), linked(LinkKind::Linked)]);
    assert!(series.items.week(1, 1).unwrap().is_completed());
    assert!(!legacy.stored.items.week(1, 1).unwrap().is_completed());
    let (series, _) = folded(&[imported("d", open), linked(LinkKind::Adopted)]);
    assert!(
        !series.items.week(1, 1).unwrap().is_completed(),
        "an adopted response changes no view"
    );
}

/// These are stored in every log there is: they never change.
#[test]
fn derived_ids_are_frozen() {
    let assignment = assignment_id("client-1", "form-1", 1, 2);
    assert_eq!(assignment.to_string(), "a1acfa73-6f6b-59b9-8904-8060cd1cf0ac");
    assert_eq!(response_id(assignment, 1).to_string(), "5a82f031-a113-5dd5-bce0-d44421f88500");
    assert_eq!(
        event_id(&StreamId::Control, &["import-completed", "x"]).to_string(),
        "578ae8ec-63e7-5891-9e68-c55c73b3eda4"
    );
}

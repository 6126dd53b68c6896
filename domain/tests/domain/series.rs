//! Property tests of series: random histories for both folds, with invariants checked after every
//! event.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rollbook_domain::calendar::Zone;
use rollbook_domain::event::{LinkKind, Origin, WeekMove};
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
    /// Every assignment created so far.
    made: BTreeSet<String>,
    /// Submitted responses that still count.
    answered: BTreeSet<String>,
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
                self.answered.insert(response.clone());
            }
            Event::ResponseCleared { response, .. } | Event::DuplicateCleared { response, .. } => {
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

    /// Every response that counts is in both folds, on the same assignment of the same week.
    fn check(&self, event: &Event) {
        for response in &self.answered {
            let [here, old] = [&self.series, &self.legacy.stored].map(|series| {
                let mut items = series.items.iter();
                let found = items.find(|item| item.stored.response_id() == Some(response));
                found.unwrap_or_else(|| panic!("no answer {response} after {event:?}"))
            });
            assert!(
                (here.run, here.week()) == (old.run, old.week())
                    && (here.has_id(&old.stored.document) || old.has_id(&here.stored.document)),
                "the answer {response} after {event:?}: {here:?}, {old:?}"
            );
            assert!(here.is_completed() && old.is_completed());
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

    /// A pause that is resumed at once restores every due date.
    fn check_pause(&self, now: Timestamp) {
        let dues = |series: &Series| {
            series.items.iter().map(|item| item.stored.due.clone()).collect::<Vec<_>>()
        };
        let Ok(paused) = self.decider(now).pause(2) else { return };
        let mut series = self.series.clone();
        paused.iter().for_each(|event| series.apply(&stream(), event));
        let Some(Event::SeriesPaused { moved, .. }) = paused.first() else { panic!("{paused:?}") };
        assert!(!moved.is_empty());
        let is_stored = |moved: &WeekMove| self.series.items.week(1, moved.week).is_some();
        if self.series.latest_run() == 1 && moved.iter().any(is_stored) {
            assert_ne!(dues(&series), dues(&self.series));
        }
        let resumed = Decider { series: &series, ..self.decider(now) }.resume().unwrap();
        resumed.iter().for_each(|event| series.apply(&stream(), event));
        assert_eq!(dues(&series), dues(&self.series));
    }
}

fn history() -> impl Strategy<Value = Vec<(Command, Timestamp)>> {
    proptest::collection::vec((any_command(), any_now()), 1..30)
}

/// `PROPTEST_CASES` sets the number of histories.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").map_or(10_000, |count| count.parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

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

fn import(document: u8, week: u32, form: u8) -> Command {
    Command::Import { document, week, form }
}

fn allocate(weeks: u32, extend: bool) -> Command {
    Command::Allocate { weeks, extend }
}

fn respond(week: u32) -> Command {
    Command::Respond { run: 1, week }
}

fn withdraw(week: u32) -> Command {
    Command::WithdrawWeek { run: 1, week }
}

/// Runs each history and checks the model after every event.
fn replay(histories: &[Vec<Command>]) {
    let now: Timestamp = "2025-12-26T09:00:00Z".parse().unwrap();
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

/// Histories that once broke the length of a run.
#[test]
fn extending_a_run_after_imports_and_withdrawals_keeps_it_consistent() {
    replay(&[
        // A document without the extension became the base.
        vec![import(2, 1, 3), allocate(1, true), withdraw(6), import(0, 1, 3), allocate(1, true)],
        // A week beyond the base was withdrawn, and an extension reached it later.
        vec![
            allocate(1, false),
            Command::Reschedule { run: 1, week: 1, days: 21 },
            import(3, 1, 0),
            withdraw(2),
            Command::Remove { document: 3 },
            allocate(1, true),
        ],
        // An import added weeks to a withdrawn run, and an extension covered its withdrawn weeks.
        vec![
            allocate(2, false),
            Command::Pause { weeks: 1 },
            respond(1),
            import(0, 1, 4),
            Command::Reschedule { run: 1, week: 3, days: 0 },
            Command::Withdraw { keep_answered: true },
            import(1, 2, 3),
            allocate(1, true),
        ],
    ]);
}

/// Histories that once made the two folds disagree.
#[test]
fn both_folds_agree_after_pauses_links_and_removed_documents() {
    replay(&[
        // A pause moved a created week that the legacy fold does not have, and moved another week
        // there instead.
        vec![
            import(0, 2, 0),
            Command::Migrate,
            import(0, 3, 4),
            import(1, 3, 4),
            Command::Pause { weeks: 1 },
            respond(3),
        ],
        vec![
            allocate(3, false),
            Command::Pause { weeks: 1 },
            import(0, 3, 1),
            Command::Resume,
            import(1, 3, 0),
            respond(3),
        ],
        // A removed document with a response represented the week in one fold only.
        vec![
            allocate(2, false),
            import(1, 2, 0),
            respond(2),
            Command::Remove { document: 1 },
            withdraw(2),
            respond(2),
        ],
        // A week that only a migration's link kept in a withdrawn run was cleared and got a
        // response again, after one fold had dropped it.
        vec![
            Command::ImportResponse { response: 1, week: 1 },
            import(0, 2, 3),
            Command::Link { response: 1, week: 2, adopted: false },
            Command::Withdraw { keep_answered: true },
            withdraw(2),
            respond(2),
        ],
        // Clearing a linked response removed the client's own response in the fold without the
        // link.
        vec![
            Command::ImportResponse { response: 0, week: 1 },
            import(1, 1, 3),
            respond(2),
            Command::Link { response: 0, week: 1, adopted: false },
            import(1, 2, 0),
            withdraw(2),
        ],
    ]);
}

/// Histories that once hid a response, or put it on another document in one fold, after an import's
/// document had become a week that was there before.
#[test]
fn both_folds_agree_after_adoption() {
    let adopt = || Command::Adopt { which: 0 };
    let status = |week| Command::AssignStatus { run: 1, week, done: true };
    let reschedule = |week| Command::Reschedule { run: 1, week, days: 0 };
    replay(&[
        // A document that a migration's link had completed moved to a week that was answered here,
        // and became it.
        vec![
            Command::ImportResponse { response: 2, week: 1 },
            import(2, 1, 3),
            respond(2),
            Command::Link { response: 2, week: 1, adopted: false },
            import(2, 2, 0),
            adopt(),
        ],
        // A due date was changed before the document came, and only one fold kept the change.
        vec![
            allocate(3, false),
            reschedule(3),
            import(0, 3, 7),
            adopt(),
            import(1, 3, 4),
            respond(3),
        ],
        vec![
            allocate(2, false),
            Command::Pause { weeks: 1 },
            import(0, 2, 0),
            import(1, 2, 0),
            adopt(),
            respond(2),
        ],
        // A pause moved two documents of a week that one fold did not store before.
        vec![
            import(0, 1, 4),
            Command::Grant { run: 1, week: 3 },
            import(0, 3, 4),
            Command::Pause { weeks: 1 },
            import(1, 3, 4),
            adopt(),
            respond(3),
        ],
        // A pause moved a week that was made, beside documents of the same week, and only one fold
        // had that week when another document became it.
        vec![
            import(0, 1, 0),
            Command::Migrate,
            import(1, 3, 1),
            import(0, 3, 0),
            Command::Pause { weeks: 1 },
            import(4, 3, 0),
            adopt(),
            import(0, 1, 0),
            import(4, 3, 3),
            respond(3),
        ],
        vec![
            import(0, 1, 0),
            Command::Migrate,
            import(1, 3, 0),
            Command::Pause { weeks: 1 },
            import(4, 3, 4),
            adopt(),
            respond(3),
        ],
        // A status that a coach had assigned and cleared was kept in one fold.
        vec![
            import(0, 3, 0),
            status(2),
            Command::WithdrawOne { run: 1, week: 2, which: 0 },
            import(1, 2, 0),
            adopt(),
            import(0, 2, 0),
            respond(2),
        ],
    ]);
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

/// Every log stores these ids: they never change.
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

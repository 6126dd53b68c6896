//! The kinds of migration that change weeks, carried out on small stores.

mod realign;
mod window;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;

use rollbook_domain::event::View;
use rollbook_domain::series::Series;
use rollbook_domain::series::decide::{Decider, Decision};
use rollbook_domain::{Actor, Event, JsonText, NewEvent, StreamId, Timestamp};
use rollbook_log::Commit;
use rollbook_migrations::MigrationError;
use rollbook_migrations::apply::{ApplyReport, ApplyRequest, apply};
use rollbook_migrations::batch::Batch;
use rollbook_migrations::export_reader::{ExportSource, JsonDirectory};
use rollbook_migrations::import::{ImportOptions, import};
use rollbook_migrations::monitor::Monitor;
use rollbook_migrations::plan::{Plan, plan};
use rollbook_migrations::rules::{DueRule, Inversion, Options};
use rollbook_migrations::validate::{Check, ValidateRequest, Validation, validate};
use rollbook_projections::entry::ListParameters;
use rollbook_projections::rows::read_row;
use rollbook_projections::views::{PrecreatedView, answer, keys};
use rollbook_projections::{Runtime, directory};
use serde_json::{Value, json};

use crate::support::{MONITOR, fixed_store, read_fixture, small_export};

const NOW: &str = "2026-01-15T09:30:00Z";
const GRACE: i64 = 3 * 86_400_000;
const CLIENTS: [&str; 2] = ["c1", "c2"];

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn inverse(of: &str, time: &str) -> Options {
    Options::Inverse(Inversion { of: of.to_owned(), at: at(time) })
}

fn stream(client: &str) -> StreamId {
    StreamId::series(client, "f")
}

/// A store with two clients. Each has a series of six weeks from Wednesday, 7 January on, and has
/// answered week 1.
struct World {
    home: tempfile::TempDir,
    store: Runtime,
    files: Cell<u32>,
}

impl World {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let store = fixed_store(&home.path().join("store"));
        let world = Self { home, store, files: Cell::new(0) };
        world.import("Weekly");
        world
    }

    /// Imports the documents of both clients, with this title.
    fn import(&self, title: &str) {
        let clients = CLIENTS.map(|id| json!({"_id": id, "onboardingStatus": "completed"}));
        let weeks = CLIENTS.map(|client| {
            json!({"_id": format!("{client}-a1"), "clientId": client, "coachId": "k1", "formId": "f", "formTitle": title,
                "isRecurring": true, "recurringWeek": 1, "totalWeeks": 6, "dueDate": "2026-01-07T09:00:00Z",
                "assignedAt": "2026-01-01T09:00:00Z", "status": "completed", "responseId": format!("{client}-r1"),
                "completedAt": "2026-01-07T10:00:00Z"})
        });
        let responses = CLIENTS.map(|client| {
            json!({"_id": format!("{client}-r1"), "clientId": client, "formId": "f", "assignmentId": format!("{client}-a1"),
                "recurringWeek": 1, "submittedAt": "2026-01-07T10:00:00Z"})
        });
        let export = small_export(&clients, &weeks, &responses);
        let export = JsonDirectory::new(export.path()).read().unwrap();
        import(&self.store, export, &ImportOptions::default(), &MONITOR).unwrap();
        self.store.catch_up(&|_, _| {}).unwrap();
    }

    /// A store with a fixture.
    fn of_fixture(name: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let store = fixed_store(&home.path().join("store"));
        import(&store, read_fixture(name), &ImportOptions::default(), &MONITOR).unwrap();
        Self { home, store, files: Cell::new(0) }
    }

    /// How many findings each check has.
    fn findings(&self) -> Vec<(String, usize)> {
        let checks = self.validate().checks.into_iter();
        checks.map(|check| (check.name.into_owned(), check.findings.len())).collect()
    }

    /// A store whose weeks were created on the base's weekday.
    fn migrated() -> Self {
        let world = Self::new();
        world.carry_out(DueRule::Weekday);
        world
    }

    fn plan(&self, options: impl Into<Options>) -> Result<Plan, MigrationError> {
        self.files.set(self.files.get() + 1);
        self.store.catch_up(&|_, _| {})?;
        plan(&self.store, options, Some(&self.home.path().join(format!("{}", self.files.get()))))
    }

    fn apply(&self, file: &Path) -> Result<ApplyReport, MigrationError> {
        self.apply_watched(file, &MONITOR)
    }

    fn apply_watched(
        &self,
        file: &Path,
        monitor: &Monitor<'_>,
    ) -> Result<ApplyReport, MigrationError> {
        let batch = Batch::open(file)?;
        self.store.catch_up(&|_, _| {})?;
        apply(&self.store, ApplyRequest { batch: &batch, now: at(NOW), key: None }, monitor)
    }

    fn carry_out(&self, options: impl Into<Options>) -> (Plan, ApplyReport) {
        let planned = self.plan(options).unwrap();
        let applied = self.apply(&planned.file).unwrap();
        (planned, applied)
    }

    fn validate(&self) -> Validation {
        let request =
            ValidateRequest { overdue_after_milliseconds: GRACE, now: at(NOW), key: None };
        validate(&self.store, request, &MONITOR).unwrap()
    }

    fn check(&self, name: &str) -> Check {
        self.validate().checks.into_iter().find(|check| check.name == name).unwrap()
    }

    #[track_caller]
    fn assert_green(&self) {
        let validation = self.validate();
        let red: Vec<_> = validation.checks.iter().filter(|check| !check.green).collect();
        assert!(red.is_empty(), "{red:#?}");
    }

    fn series(&self, client: &str) -> Series {
        self.store.catch_up(&|_, _| {}).unwrap();
        let snapshot = self.store.snapshot().unwrap();
        let (rows, _) = snapshot.rows::<PrecreatedView>().unwrap();
        read_row(&rows, &keys::series(&stream(client))).unwrap().unwrap()
    }

    /// Carries out a coach's or client's command on the series of a client.
    fn command(&self, client: &str, decide: impl Fn(&Decider<'_>) -> Vec<Event>) {
        let series = self.series(client);
        let zone = rollbook_domain::calendar::Zone::UTC;
        let events = decide(&Decider { client, form: "f", series: &series, now: at(NOW), zone });
        assert!(!events.is_empty());
        let new = |event: Event| {
            let id = match &event {
                Event::AssignmentCreated { assignment, .. } => Some(*assignment),
                Event::ResponseSubmitted { response, .. } => Some(response.parse().unwrap()),
                _ => None,
            };
            NewEvent { stream: stream(client), id, occurred_at: at(NOW), event }
        };
        let commit = Commit {
            events: events.into_iter().map(new).collect(),
            expected: Vec::new(),
            actor: Actor::Coach("k1".to_owned()),
            cause: format!("request-{}", self.store.log().head()),
            key: None,
        };
        self.store.log().append(commit).unwrap();
        self.store.catch_up(&|_, _| {}).unwrap();
    }

    fn answer_week(&self, client: &str, week: u32) {
        self.command(client, |decider| {
            let answers = JsonText::parse("[]").unwrap();
            let Ok(Decision::Append(events)) = decider.respond(1, week, answers, Some(50)) else {
                panic!("week {week} is answered already");
            };
            events
        });
    }

    fn move_week(&self, client: &str, week: u32, due: &str) {
        self.command(client, |decider| decider.reschedule(1, week, at(due)).unwrap());
    }

    /// The days that a view shows a client as due, by week.
    fn dues(&self, view: View, client: &str) -> BTreeMap<u64, String> {
        let day = |due: Value| due.as_str().unwrap()[..10].to_owned();
        self.shown(view, client, "dueDate")
            .into_iter()
            .map(|(week, due)| (week, day(due)))
            .collect()
    }

    /// A field of each entry that a view shows a client, by week.
    fn shown(&self, view: View, client: &str, field: &str) -> BTreeMap<u64, Value> {
        let snapshot = self.store.snapshot().unwrap();
        let (rows, _) = snapshot.view(view).unwrap();
        let identity = directory::identify(&rows.directory, client).unwrap();
        let asked = ListParameters { now: at(NOW), overdue_after_milliseconds: GRACE };
        let body = answer(&rows, &identity, asked, |answer| answer.to_json()).unwrap();
        let body: Value = serde_json::from_str(&body).unwrap();
        let entries = body["data"]["checkins"].as_array().unwrap().iter();
        let shown =
            |entry: &Value| (entry["recurringWeek"].as_u64().unwrap(), entry[field].clone());
        entries.map(shown).collect()
    }

    #[track_caller]
    fn assert_dues(&self, client: &str, expected: [(u64, &str); 6]) {
        let expected: BTreeMap<u64, String> =
            expected.iter().map(|(week, day)| (*week, format!("2026-{day}"))).collect();
        assert_eq!(self.dues(View::Precreated, client), expected, "pre-created, {client}");
        assert_eq!(self.dues(View::Legacy, client), expected, "legacy, {client}");
    }

    fn series_events(&self) -> Vec<(StreamId, uuid::Uuid, Event)> {
        let commits = self.store.log().commits_after(0);
        commits
            .flat_map(|commit| commit.unwrap())
            .filter(|recorded| recorded.stream != StreamId::Control)
            .map(|recorded| (recorded.stream, recorded.id, recorded.event))
            .collect()
    }
}

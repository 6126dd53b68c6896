//! A store in daily use: whatever coaches and clients do before, during and after a migration,
//! every check stays green, and each difference between the views names the event that causes it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rollbook_domain::event::{MissedReason, Origin, View};
use rollbook_domain::series::Series;
use rollbook_domain::series::decide::{Decider, Rejection};
use rollbook_domain::{Actor, Event, NewEvent, Position, StreamId, Timestamp};
use rollbook_log::Commit;
use rollbook_migrations::MigrationError;
use rollbook_migrations::apply::{ApplyReport, ApplyRequest, LeftOut, apply};
use rollbook_migrations::batch::Batch;
use rollbook_migrations::export_reader::{ExportSource, JsonDirectory};
use rollbook_migrations::import::{ImportOptions, import};
use rollbook_migrations::parity::ParityReport;
use rollbook_migrations::plan::plan;
use rollbook_migrations::rules::DueRule;
use rollbook_migrations::validate::{ValidateRequest, Validation, parity, validate};
use rollbook_projections::entry::ListParameters;
use rollbook_projections::rows::read_row;
use rollbook_projections::tracker::{self, Tracker};
use rollbook_projections::views::{PrecreatedView, answer, keys};
use rollbook_projections::{Runtime, directory};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::commands::{self, Command};
use crate::support::{MONITOR, fixed_store, small_export};

const GRACE: i64 = rollbook_domain::status::OVERDUE_AFTER_MILLISECONDS;
/// The weeks of the series; the first two are imported.
const WEEKS: u32 = 8;
const IMPORTED: u32 = 2;
const NOT_IMPORTED: u32 = 4;
const EARLY: &str = "2026-01-06T12:00:00Z";
/// When week 4 is closed.
const LATE: &str = "2026-02-20T12:00:00Z";
const DUES: [&str; 2] = ["2026-01-05T09:00:00Z", "2026-01-08T15:30:00Z"];

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn stream() -> StreamId {
    StreamId::series("c1", "f")
}

fn document(id: &str, week: u32, due: &str) -> Value {
    json!({"_id": id, "id": format!("assignment-{id}"), "clientId": "c1", "formId": "f",
        "formTitle": "Weekly", "isRecurring": true, "recurringWeek": week, "totalWeeks": WEEKS,
        "dueDate": due, "assignedAt": "2026-01-01T10:00:00Z", "status": "pending", "coachId": "k1"})
}

/// A store with one series, and the place of its batch files.
struct Living {
    home: TempDir,
    store: Runtime,
    plans: u32,
}

impl Living {
    fn new(due: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let store = fixed_store(&home.path().join("store"));
        let clients = [json!({"_id": "c1", "onboardingStatus": "completed"})];
        let weeks = [document("a", 1, due), document("b", 2, "2026-01-13T09:00:00Z")];
        let export = small_export(&clients, &weeks, &[]);
        import(
            &store,
            JsonDirectory::new(export.path()).read().unwrap(),
            &ImportOptions::default(),
            &MONITOR,
        )
        .unwrap();
        Self { home, store, plans: 0 }
    }

    fn series(&self) -> Series {
        self.store.catch_up(&|_, _| {}).unwrap();
        let snapshot = self.store.snapshot().unwrap();
        let (rows, _) = snapshot.rows::<PrecreatedView>().unwrap();
        read_row(&rows, &keys::series(&stream())).unwrap().unwrap()
    }

    /// Carries out a step in one commit. Returns the positions of its events.
    fn decide(&self, step: &Step, now: &str) -> Vec<(Position, &'static str)> {
        let (series, stream) = (self.series(), stream());
        let zone = directory::zone(
            &self.store.snapshot().unwrap().rows::<directory::Directory>().unwrap().0,
        )
        .unwrap();
        let decider = Decider { client: "c1", form: "f", series: &series, now: at(now), zone };
        let events = step.events(&decider).unwrap_or_default();
        let new = |event: Event| {
            let id = match &event {
                Event::AssignmentCreated { assignment, .. } => Some(*assignment),
                Event::ResponseSubmitted { response, .. } => Some(response.parse().unwrap()),
                _ => None,
            };
            NewEvent { stream: stream.clone(), id, occurred_at: at(now), event }
        };
        let names: Vec<&'static str> = events.iter().map(Event::name).collect();
        if names.is_empty() {
            return Vec::new();
        }
        let committed = self
            .store
            .log()
            .append(Commit {
                events: events.into_iter().map(new).collect(),
                expected: Vec::new(),
                actor: Actor::Coach("k1".to_owned()),
                cause: format!("request-{}", self.store.log().head()),
                key: None,
            })
            .unwrap();
        (committed.first..=committed.last).zip(names).collect()
    }

    fn plan(&mut self) -> Result<PathBuf, MigrationError> {
        self.plans += 1;
        let path = self.home.path().join(format!("batch-{}.ndjson", self.plans));
        self.store.catch_up(&|_, _| {})?;
        Ok(plan(&self.store, DueRule::Monday, Some(&path))?.file)
    }

    fn apply(&self, file: &Path) -> Result<ApplyReport, MigrationError> {
        let batch = Batch::open(file)?;
        self.store.catch_up(&|_, _| {})?;
        apply(&self.store, ApplyRequest { batch: &batch, now: at(LATE), key: None }, &MONITOR)
    }

    fn migrate(&mut self) {
        match self.plan() {
            Ok(file) => {
                self.apply(&file).unwrap();
            }
            Err(MigrationError::NothingToMigrate { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }

    fn validate(&self) -> Validation {
        let request =
            ValidateRequest { overdue_after_milliseconds: GRACE, now: at(LATE), key: None };
        validate(&self.store, request, &MONITOR).unwrap()
    }

    /// The last action of a row, if a view does not show it at once.
    fn not_shown(&self, row: &Row) -> Vec<String> {
        let Some((Step::Command(command), now)) = row.last() else { return Vec::new() };
        self.store.catch_up(&|_, _| {}).unwrap();
        let snapshot = self.store.snapshot().unwrap();
        let mut missing = Vec::new();
        for view in [View::Legacy, View::Precreated] {
            let (rows, _) = snapshot.view(view).unwrap();
            let identity = directory::identify(&rows.directory, "c1").unwrap();
            let asked = ListParameters { now: at(now), overdue_after_milliseconds: GRACE };
            let body = answer(&rows, &identity, asked, |answer| answer.to_json()).unwrap();
            let body: Value = serde_json::from_str(&body).unwrap();
            let of_week = |week: u32| {
                let entries = body["data"]["checkins"].as_array().unwrap().iter();
                entries.filter(|entry| entry["recurringWeek"] == week).collect::<Vec<_>>()
            };
            let shows = |week: u32, what: &dyn Fn(&Value) -> bool| matches!(of_week(week).as_slice(), [entry] if what(entry));
            let is_shown = match command {
                Command::Respond { week, .. } => shows(*week, &|one| one["status"] == "completed"),
                Command::Miss { week, .. } => shows(*week, &|one| one["status"] == "missed"),
                Command::Grant { week, .. } | Command::Reopen { week, .. } => {
                    shows(*week, &|one| {
                        one["extensionGranted"] == true && one["status"] != "missed"
                    }) || (of_week(*week).is_empty() && now == &LATE)
                }
                Command::AssignStatus { week, done: true, .. } => {
                    shows(*week, &|one| one["status"] == "completed")
                }
                Command::Reschedule { week, days, .. } => {
                    let due = at("2026-01-05T09:00:00Z").plus_milliseconds(days * 86_400_000);
                    shows(*week, &|one| one["dueDate"] == due.to_milliseconds_text())
                }
                // Before the migration the pre-created view does not have the week.
                Command::Pause { .. } | Command::Resume
                    if view == View::Precreated && of_week(NOT_IMPORTED).is_empty() =>
                {
                    true
                }
                Command::Pause { .. } => {
                    shows(NOT_IMPORTED, &|one| one["dueDate"] == "2026-02-09T09:00:00.000Z")
                }
                Command::Resume => {
                    shows(NOT_IMPORTED, &|one| one["dueDate"] == "2026-01-26T09:00:00.000Z")
                }
                Command::WithdrawWeek { week, .. } if row.len() == 1 => of_week(*week).is_empty(),
                _ => true,
            };
            if !is_shown {
                missing.push(format!("{view:?} does not show {command:?}: {body}"));
            }
        }
        missing
    }

    fn parity(&self) -> ParityReport {
        self.store.catch_up(&|_, _| {}).unwrap();
        let snapshot = self.store.snapshot().unwrap();
        let control = tracker::control(&snapshot.rows::<Tracker>().unwrap().0).unwrap();
        parity(self.store.log(), &snapshot, &control, GRACE, &MONITOR).unwrap()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Command(Command),
    /// A note on a week, which the random commands do not have.
    Note(u32),
    /// The response of a week is moved to another week.
    Move(u32, u32),
    /// The last correction is undone.
    Undo,
}

impl Step {
    fn events(&self, decider: &Decider<'_>) -> Result<Vec<Event>, Rejection> {
        match self {
            Self::Command(command) => Ok(commands::events(command, decider)),
            Self::Note(week) => decider.write_note(1, *week, "call her".to_owned()),
            Self::Move(from, to) => {
                let held =
                    decider.series.items.week(1, *from).and_then(|item| item.stored.response_id());
                let response = held.unwrap_or_default();
                decider.move_response(response, 1, *to, "it was for the other week".to_owned())
            }
            Self::Undo => {
                let last = decider.series.corrections.iter().last().map(|held| held.id);
                decider.undo(last.unwrap_or_default(), "it was right".to_owned())
            }
        }
    }
}

/// Each command once, with the command after it. A new command does not compile until it is here.
fn next(command: &Command, week: u32) -> Option<Command> {
    Some(match command {
        Command::Respond { .. } => Command::Miss { run: 1, week },
        Command::Miss { .. } => Command::Grant { run: 1, week },
        Command::Grant { .. } => Command::AskToReopen { run: 1, week },
        Command::AskToReopen { .. } => Command::Reopen { run: 1, week },
        Command::Reopen { .. } => Command::AssignStatus { run: 1, week, done: true },
        Command::AssignStatus { .. } => Command::Reschedule { run: 1, week, days: 20 },
        Command::Reschedule { .. } => Command::Pause { weeks: 2 },
        Command::Pause { .. } => Command::Resume,
        Command::Resume => Command::WithdrawWeek { run: 1, week },
        Command::WithdrawWeek { .. } => Command::Withdraw { keep_answered: true },
        Command::Withdraw { .. } => Command::Feedback { run: 1, week },
        // Duplicates and adoption have tests of their own.
        Command::WithdrawOne { .. } | Command::Adopt { .. } => return None,
        Command::Feedback { .. } => Command::Allocate { weeks: 2, extend: true },
        Command::Allocate { .. } => return None,
        // The import and the migration are stages of the table.
        Command::Import { .. }
        | Command::Remove { .. }
        | Command::ImportResponse { .. }
        | Command::Migrate
        | Command::Link { .. } => return None,
    })
}

type Row = Vec<(Step, &'static str)>;

/// Every command with what has to come before it, and some longer histories.
fn rows(week: u32) -> Vec<Row> {
    let command = |command, now| (Step::Command(command), now);
    let respond = || command(Command::Respond { run: 1, week }, LATE);
    let miss = || command(Command::Miss { run: 1, week }, LATE);
    let mut rows: Vec<Row> = Vec::new();
    let mut all = std::iter::successors(Some(Command::Respond { run: 1, week }), |command| {
        next(command, week)
    });
    all.by_ref().for_each(|one| {
        rows.push(match one {
            Command::Reopen { .. } => vec![miss(), command(one, LATE)],
            Command::Resume => {
                vec![command(Command::Pause { weeks: 2 }, EARLY), command(one, EARLY)]
            }
            Command::Feedback { .. } | Command::Withdraw { .. } => {
                vec![respond(), command(one, LATE)]
            }
            Command::Respond { .. } | Command::Miss { .. } | Command::AskToReopen { .. } => {
                vec![command(one, LATE)]
            }
            one => vec![command(one, EARLY)],
        });
    });
    let withdraw = || command(Command::Withdraw { keep_answered: false }, LATE);
    let withdraw_week = || command(Command::WithdrawWeek { run: 1, week }, LATE);
    let grant = || command(Command::Grant { run: 1, week }, EARLY);
    rows.push(vec![(Step::Note(week), EARLY)]);
    let moved = || (Step::Move(week, week + 1), LATE);
    rows.push(vec![respond(), moved()]);
    rows.push(vec![respond(), moved(), (Step::Undo, LATE)]);
    rows.push(vec![withdraw()]);
    rows.push(vec![withdraw(), command(Command::Allocate { weeks: 2, extend: false }, LATE)]);
    rows.push(vec![respond(), withdraw_week()]);
    rows.push(vec![grant(), miss(), respond()]);
    let base = |days| command(Command::Reschedule { run: 1, week: 1, days }, EARLY);
    rows.push(vec![base(7)]);
    rows.push(vec![command(Command::WithdrawWeek { run: 1, week: 1 }, EARLY)]);
    rows
}

/// Whether an event is something that a coach or a client does to a series. A new event does not
/// compile until it is here.
fn is_decision(event: &Event) -> bool {
    match event {
        Event::AssignmentCreated { origin, .. } => *origin != Origin::Migration,
        Event::ResponseSubmitted { .. }
        | Event::AssignmentRescheduled { .. }
        | Event::AssignmentMissed { .. }
        | Event::ExtensionGranted { .. }
        | Event::ReopenRequested { .. }
        | Event::AssignmentReopened { .. }
        | Event::SeriesPaused { .. }
        | Event::SeriesResumed { .. }
        | Event::SeriesExtended { .. }
        | Event::SeriesWithdrawn { .. }
        | Event::AssignmentWithdrawn { .. }
        | Event::ResponseCleared { .. }
        | Event::FeedbackGiven { .. }
        | Event::StatusAssigned { .. }
        | Event::NoteWritten { .. }
        | Event::DuplicateWithdrawn { .. }
        | Event::DuplicateCleared { .. }
        | Event::ResponsePlaced(_)
        | Event::CorrectionUndone { .. } => true,
        Event::DocumentImported(_)
        | Event::DocumentAdopted { .. }
        | Event::DocumentChanged(_)
        | Event::DocumentRemoved { .. }
        | Event::ResponseLinked { .. }
        | Event::ImportCompleted { .. }
        | Event::BatchPlanned { .. }
        | Event::BatchApplied { .. }
        | Event::WeeksChanged { .. }
        // No command changes a window.
        | Event::WindowChanged { .. }
        | Event::ValidationRecorded { .. }
        | Event::QualifiedValidationRecorded(_)
        | Event::FindingsAccepted(_)
        | Event::AcceptanceWithdrawn { .. }
        | Event::ParityRecorded { .. }
        | Event::ViewSwitched { .. }
        | Event::BackupTaken { .. }
        | Event::StageRecorded { .. }
        | Event::LegacyRetired { .. }
        | Event::ClientErased { .. }
        | Event::ResponsesAttested { .. }
        | Event::Erased(_) => false,
    }
}

/// The number of kinds of event that [`is_decision`] holds for.
const DECISIONS: usize = 18;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    BeforePlan,
    BetweenPlanAndApply,
    AfterApply,
}

/// The events of a row, by position.
fn carry_out(living: &Living, row: &Row) -> BTreeMap<Position, &'static str> {
    row.iter().flat_map(|(step, now)| living.decide(step, now)).collect()
}

fn run(
    due: &str,
    row: &Row,
    stage: Stage,
) -> (Validation, ParityReport, BTreeMap<Position, &'static str>, Vec<String>) {
    let mut living = Living::new(due);
    let mut not_shown = Vec::new();
    let done = match stage {
        Stage::BeforePlan => {
            let done = carry_out(&living, row);
            not_shown.extend(living.not_shown(row));
            living.migrate();
            done
        }
        Stage::BetweenPlanAndApply => {
            let file = living.plan().unwrap();
            let done = carry_out(&living, row);
            not_shown.extend(living.not_shown(row));
            match living.apply(&file) {
                Ok(_) => {}
                // What the batch was planned from changed, such as the base.
                Err(MigrationError::Drift { .. }) => living.migrate(),
                Err(other) => panic!("{row:?}: {other}"),
            }
            done
        }
        Stage::AfterApply => {
            living.migrate();
            carry_out(&living, row)
        }
    };
    let parity = living.parity();
    not_shown.extend(living.not_shown(row));
    (living.validate(), parity, done, not_shown)
}

#[test]
fn every_command_leaves_every_check_green_and_every_difference_explained() {
    let mut seen: BTreeSet<&'static str> = BTreeSet::new();
    let mut wrong = Vec::new();
    for due in DUES {
        for week in [IMPORTED, NOT_IMPORTED] {
            for row in rows(week) {
                for stage in [Stage::BeforePlan, Stage::BetweenPlanAndApply, Stage::AfterApply] {
                    let (validation, parity, done, shown) = run(due, &row, stage);
                    let place = format!("{due} week {week} {stage:?} {row:?}");
                    seen.extend(done.values());
                    if done.is_empty() {
                        wrong.push(format!("{place}: nothing was done"));
                    }
                    for check in validation.checks.iter().filter(|check| !check.green) {
                        wrong.push(format!("{place}: {}: {:#?}", check.name, check.findings));
                    }
                    for decision in &parity.decisions {
                        println!("{place}: {} x {}", decision.differences, decision.event);
                        if !done.contains_key(&decision.position) {
                            wrong.push(format!("{place}: blames {}", decision.event));
                        }
                    }
                    wrong.extend(shown.into_iter().map(|what| format!("{place}: {what}")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let decisions: BTreeSet<&str> = seen.iter().copied().collect();
    assert_eq!(decisions.len(), DECISIONS, "{decisions:?}");
    let sample =
        Event::AssignmentMissed { run: 1, week: 2, reason: MissedReason::Sick, comment: None };
    assert!(is_decision(&sample) && decisions.contains(sample.name()));
}

#[test]
fn a_series_withdrawn_between_plan_and_apply_is_counted_by_reason() {
    let mut living = Living::new(DUES[0]);
    let file = living.plan().unwrap();
    let withdraw = Command::Withdraw { keep_answered: false };
    assert_eq!(living.decide(&Step::Command(withdraw), LATE).len(), 1);
    let report = living.apply(&file).unwrap();
    assert_eq!((report.created, report.skipped), (0, 6));
    assert_eq!(report.left_out, LeftOut { withdrawn: 6, ..LeftOut::default() });
    let validation = living.validate();
    assert!(validation.all_green(), "{:#?}", validation.checks);
    let applied = living.store.log().stream(&StreamId::Control, 0).unwrap();
    assert!(
        applied.iter().any(|recorded| matches!(
            recorded.event,
            Event::BatchApplied { created: 0, skipped: 6, .. }
        )),
        "{applied:#?}"
    );
}

#[test]
fn an_apply_counts_what_was_taken_and_what_was_there() {
    let mut living = Living::new(DUES[0]);
    let file = living.plan().unwrap();
    living.decide(&Step::Command(Command::Respond { run: 1, week: 4 }), EARLY);
    living.decide(&Step::Command(Command::WithdrawWeek { run: 1, week: 6 }), EARLY);
    let report = living.apply(&file).unwrap();
    let expected = LeftOut { taken: 1, withdrawn: 1, ..LeftOut::default() };
    assert_eq!((report.created, report.skipped, report.left_out), (4, 2, expected));
    assert!(living.validate().all_green());
    let again = living.apply(&file).unwrap();
    let expected = LeftOut { already: 4, taken: 1, withdrawn: 1, erased: 0 };
    assert_eq!((again.created, again.skipped, again.left_out), (0, 6, expected));
    assert_eq!(again.left_out.total(), again.skipped);
}

#[test]
fn a_plan_without_events_writes_no_batch_and_the_real_batch_stays_the_last() {
    let mut living = Living::new(DUES[0]);
    let file = living.plan().unwrap();
    living.apply(&file).unwrap();
    let digest = Batch::open(&file).unwrap().header.digest;
    let again = living.plan();
    assert!(matches!(again, Err(MigrationError::NothingToMigrate { .. })), "{again:?}");
    let files = std::fs::read_dir(living.home.path()).unwrap().count();
    assert_eq!(files, 2, "the store and the first batch");
    assert_eq!(living.validate().digest, digest);

    // A batch file without events from elsewhere is refused.
    let text = std::fs::read_to_string(&file).unwrap();
    let mut header: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    header["counts"] = json!({"series": 1, "events": 0, "created": 0, "linked": 0, "adopted": 0});
    header["digest"] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".into();
    let empty = living.home.path().join("empty.ndjson");
    std::fs::write(&empty, format!("{header}\n")).unwrap();
    let refused = living.apply(&empty);
    assert!(matches!(refused, Err(MigrationError::NothingToMigrate { .. })), "{refused:?}");
    assert_eq!(living.validate().digest, digest);
}

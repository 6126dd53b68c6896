//! An import after a migration: documents for weeks that the migration made become those weeks.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, Once};

use rollbook_domain::calendar::Zone;
use rollbook_domain::event::View;
use rollbook_domain::series::decide::{Decider, Decision, Rejection};
use rollbook_domain::series::{Series, assignment_id};
use rollbook_domain::status::OVERDUE_AFTER_MILLISECONDS;
use rollbook_domain::{
    Actor, Collection, Event, EventRecord, JsonText, NewEvent, Position, StreamId, Timestamp,
};
use rollbook_log::{Commit, CommitReceipt, Log, LogError, Ordering, PendingCommit};
use rollbook_migrations::MigrationError;
use rollbook_migrations::apply::{ApplyReport, ApplyRequest, apply};
use rollbook_migrations::batch::Batch;
use rollbook_migrations::export_reader::{Export, ExportSource, JsonDirectory, given_document};
use rollbook_migrations::import::adopt::Adoption;
use rollbook_migrations::import::{ImportOptions, ImportReport, MetPut, Removal, import};
use rollbook_migrations::monitor::Monitor;
use rollbook_migrations::plan::plan;
use rollbook_migrations::rules::DueRule;
use rollbook_migrations::validate::{ValidateRequest, Validation, validate};
use rollbook_projections::directory::{self, Directory};
use rollbook_projections::entry::ListParameters;
use rollbook_projections::rows::read_row;
use rollbook_projections::views::{self, PrecreatedView, keys};
use rollbook_projections::{Runtime, all};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{MONITOR, fixed_store, small_export};

const WEEKS: u32 = 6;
const NOW: &str = "2026-01-20T12:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn stream() -> StreamId {
    StreamId::series("c1", "f")
}

/// The id of a week that a migration makes.
fn made(week: u32) -> String {
    assignment_id("c1", "f", 1, week).to_string()
}

fn due(week: u32) -> String {
    let first: Timestamp = "2026-01-05T09:00:00Z".parse().unwrap();
    first.plus_milliseconds(i64::from(week - 1) * 7 * 86_400_000).to_string()
}

fn week(id: &str, week: u32) -> Value {
    json!({"_id": id, "id": format!("legacy-{id}"), "clientId": "c1", "formId": "f", "formTitle": "Weekly",
        "isRecurring": true, "recurringWeek": week, "totalWeeks": WEEKS, "dueDate": due(week),
        "assignedAt": "2026-01-01T10:00:00Z", "status": "active", "coachId": "k1"})
}

fn answered(id: &str, number: u32, response: &str) -> Value {
    let mut document = week(id, number);
    document["status"] = "completed".into();
    document["completedAt"] = "2026-01-19T08:00:00Z".into();
    document["score"] = 33.into();
    document["responseId"] = response.into();
    document
}

fn response(id: &str, named: &str, week: u32) -> Value {
    json!({"_id": id, "assignmentId": named, "clientId": "c1", "formId": "f", "recurringWeek": week,
        "score": 33, "submittedAt": "2026-01-19T08:00:00Z", "responses": []})
}

/// A store with one client and one series.
struct Shop {
    home: TempDir,
    store: Runtime,
    plans: u32,
}

impl Shop {
    /// A store that imported week 1.
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let store = fixed_store(&home.path().join("store"));
        let shop = Self { home, store, plans: 0 };
        shop.import(&[week("a1", 1)], &[]);
        shop
    }

    /// A store whose missing weeks a migration made.
    fn migrated() -> Self {
        let mut shop = Self::new();
        shop.migrate().unwrap();
        shop
    }

    fn import(&self, weeks: &[Value], responses: &[Value]) -> ImportReport {
        self.import_watched(weeks, responses, &MONITOR)
    }

    /// Imports while something else happens, after the import was planned and before it appends.
    fn import_while(
        &self,
        weeks: &[Value],
        responses: &[Value],
        meanwhile: impl Fn() + Sync,
    ) -> ImportReport {
        let done = Once::new();
        let interrupted = || {
            done.call_once(&meanwhile);
            false
        };
        self.import_watched(
            weeks,
            responses,
            &Monitor { progress: &|_, _| {}, interrupted: &interrupted },
        )
    }

    fn import_watched(
        &self,
        weeks: &[Value],
        responses: &[Value],
        monitor: &Monitor<'_>,
    ) -> ImportReport {
        // Later exports of these tests also take answers away.
        let options = ImportOptions { allow_removals: true, ..ImportOptions::default() };
        import(&self.store, export_of(weeks, responses), &options, monitor).unwrap()
    }

    fn plan(&mut self) -> Result<PathBuf, MigrationError> {
        self.plans += 1;
        let path = self.home.path().join(format!("batch-{}.ndjson", self.plans));
        Ok(plan(&self.store, DueRule::Monday, Some(&path))?.file)
    }

    fn apply(&self, file: &std::path::Path) -> Result<ApplyReport, MigrationError> {
        let batch = Batch::open(file)?;
        apply(&self.store, ApplyRequest { batch: &batch, now: now(), key: None }, &MONITOR)
    }

    fn migrate(&mut self) -> Result<ApplyReport, MigrationError> {
        let file = self.plan()?;
        self.apply(&file)
    }

    fn series(&self) -> Series {
        self.store.catch_up(&|_, _| {}).unwrap();
        let snapshot = self.store.snapshot().unwrap();
        let (rows, _) = snapshot.rows::<PrecreatedView>().unwrap();
        read_row(&rows, &keys::series(&stream())).unwrap().unwrap()
    }

    fn decide(
        &self,
        decide: impl FnOnce(&Decider<'_>) -> Result<Vec<Event>, Rejection>,
    ) -> Result<(), Rejection> {
        self.store.log().append(self.commit(decide)?).unwrap();
        self.store.catch_up(&|_, _| {}).unwrap();
        Ok(())
    }

    /// The commit of a decision, which is not appended.
    fn commit(
        &self,
        decide: impl FnOnce(&Decider<'_>) -> Result<Vec<Event>, Rejection>,
    ) -> Result<Commit, Rejection> {
        let series = self.series();
        let zone = Zone::default();
        let decider = Decider { client: "c1", form: "f", series: &series, now: now(), zone };
        let new = |event: Event| {
            let id = match &event {
                Event::AssignmentCreated { assignment, .. } => Some(*assignment),
                Event::ResponseSubmitted { response, .. } => Some(response.parse().unwrap()),
                _ => None,
            };
            NewEvent { stream: stream(), id, occurred_at: now(), event }
        };
        Ok(Commit {
            events: decide(&decider)?.into_iter().map(new).collect(),
            expected: Vec::new(),
            actor: Actor::Coach("k1".to_owned()),
            cause: format!("request-{}", self.store.log().head()),
            key: None,
        })
    }

    /// The client answers a week here. Returns the id of the response.
    fn answer(&self, week: u32) -> String {
        self.decide(|decider| response_to(decider, week)).unwrap();
        self.series().items.week(1, week).unwrap().stored.response_id().unwrap().to_owned()
    }

    fn withdraw(&self, week: u32, assignment: &str) -> Result<(), Rejection> {
        self.decide(|decider| {
            decider.withdraw_assignment(1, week, assignment, "not wanted".to_owned())
        })
    }

    /// What a view shows: week, id, document, status, response.
    fn view(&self, view: View) -> Vec<Value> {
        self.store.catch_up(&|_, _| {}).unwrap();
        let snapshot = self.store.snapshot().unwrap();
        let (rows, _) = snapshot.view(view).unwrap();
        let (known, _) = snapshot.rows::<Directory>().unwrap();
        let identity = directory::identify(&known, "c1").unwrap();
        let asked =
            ListParameters { now: now(), overdue_after_milliseconds: OVERDUE_AFTER_MILLISECONDS };
        let text = views::answer(&rows, &identity, asked, |answer| answer.to_json()).unwrap();
        let body: Value = serde_json::from_str(&text).unwrap();
        body["data"]["checkins"].as_array().unwrap().clone()
    }

    fn entry(&self, view: View, week: u32) -> Value {
        let of_week = |entry: &Value| entry["recurringWeek"] == week;
        let mut found = self.view(view).into_iter().filter(of_week);
        let entry = found.next().unwrap_or_else(|| panic!("{view:?} has no week {week}"));
        assert!(found.next().is_none(), "{view:?} has week {week} twice");
        entry
    }

    fn validate(&self) -> Validation {
        let grace = OVERDUE_AFTER_MILLISECONDS;
        let request = ValidateRequest { overdue_after_milliseconds: grace, now: now(), key: None };
        validate(&self.store, request, &MONITOR).unwrap()
    }

    /// The red checks with their findings.
    fn red(&self) -> Vec<(String, Vec<String>)> {
        let red = self.validate().checks.into_iter().filter(|check| !check.green);
        red.map(|check| (check.name.into_owned(), check.findings)).collect()
    }

    #[track_caller]
    fn is_green(&self) {
        assert_eq!(self.red(), []);
    }

    /// Compares the legacy view with that of a store which knows only the documents.
    #[track_caller]
    fn shows_the_old_application(&self, weeks: &[Value], responses: &[Value]) {
        let old = Shop::new();
        old.import(weeks, responses);
        assert_eq!(self.view(View::Legacy), old.view(View::Legacy));
    }
}

fn response_to(decider: &Decider<'_>, week: u32) -> Result<Vec<Event>, Rejection> {
    match decider.respond(1, week, JsonText::parse("[]").unwrap(), Some(60))? {
        Decision::Append(events) => Ok(events),
        other => panic!("{other:?}"),
    }
}

fn export_of(weeks: &[Value], responses: &[Value]) -> Export {
    let clients = [json!({"_id": "c1", "onboardingStatus": "completed"})];
    let export = small_export(&clients, weeks, responses);
    JsonDirectory::new(export.path()).read().unwrap()
}

fn adopted(week: u32, document: &str) -> Adoption {
    Adoption {
        series: stream().to_string(),
        week,
        document: document.to_owned(),
        assignment: made(week),
    }
}

#[test]
fn a_document_for_a_made_week_becomes_that_week() {
    let shop = Shop::migrated();
    let weeks = [week("a1", 1), answered("d3", 3, "r3")];
    let responses = [response("r3", "d3", 3)];
    let report = shop.import(&weeks, &responses);
    assert_eq!(report.adopted, [adopted(3, "d3")]);
    let told = shop.store.log().stream(&stream(), 0).unwrap();
    let last = told.last().map(|recorded| recorded.event.clone());
    let expected = Event::DocumentAdopted {
        assignment: assignment_id("c1", "f", 1, 3),
        run: 1,
        week: 3,
        document: "d3".to_owned(),
    };
    assert_eq!(last, Some(expected));
    let entry = shop.entry(View::Precreated, 3);
    assert_eq!((&entry["id"], &entry["documentId"]), (&json!(made(3)), &json!(made(3))));
    assert_eq!((&entry["responseId"], &entry["status"]), (&json!("r3"), &json!("completed")));
    shop.shows_the_old_application(&weeks, &responses);
    shop.is_green();
    let items = shop.series().items;
    assert_eq!(items.document("d3"), items.document(&made(3)));
    // The same export again appends nothing, and neither does the migration.
    let again = shop.import(&weeks, &responses);
    assert_eq!((again.appended, again.adopted), (0, Vec::new()));
}

#[test]
fn planning_and_applying_again_makes_nothing_twice() {
    let mut shop = Shop::migrated();
    let first = shop.home.path().join("batch-1.ndjson");
    shop.import(&[week("a1", 1), answered("d3", 3, "r3")], &[response("r3", "d3", 3)]);
    assert!(matches!(shop.plan(), Err(MigrationError::NothingToMigrate { .. })));
    let again = shop.apply(&first).unwrap();
    assert_eq!((again.created, again.skipped), (0, 5));
    shop.is_green();
}

#[test]
fn documents_with_other_terms_are_adopted_as_they_are() {
    let mut other = answered("d3", 3, "r3");
    other["dueDate"] = "2026-01-21T17:30:00Z".into();
    other["checkInWindow"] = json!({"enabled": true, "startDay": "friday"});
    other["formTitle"] = "Weekly, renamed".into();
    other["coachId"] = "k2".into();
    other["assignedAt"] = "2026-01-15T10:00:00Z".into();
    let mut gone = week("d5", 5);
    gone["dueDate"] = Value::Null;
    let mut status = week("d6", 6);
    status["status"] = "missed".into();
    for documents in [vec![other.clone()], vec![gone], vec![status.clone()], vec![other, status]] {
        let shop = Shop::migrated();
        let mut weeks = vec![week("a1", 1)];
        weeks.extend(documents);
        let report = shop.import(&weeks, &[response("r3", "d3", 3)]);
        assert_eq!(report.adopted.len(), weeks.len() - 1);
        shop.shows_the_old_application(&weeks, &[response("r3", "d3", 3)]);
        let red: Vec<String> = shop.red().into_iter().map(|(name, _)| name).collect();
        assert!(!red.contains(&"no-duplicate-weeks".to_owned()), "{weeks:#?}\n{red:?}");
        assert!(!red.contains(&"no-response-hidden".to_owned()), "{weeks:#?}\n{red:?}");
        let named = |week: &Value| (week["responseId"].clone(), week["dueDate"].clone());
        if weeks[1]["recurringWeek"] == 3 {
            let entry = shop.entry(View::Precreated, 3);
            assert_eq!(named(&entry).0, named(&weeks[1]).0);
            assert_eq!(entry["title"], "Weekly, renamed");
            assert_eq!(shop.entry(View::Legacy, 3)["dueDate"], entry["dueDate"]);
            assert_eq!(red, [] as [String; 0]);
        }
    }
}

#[test]
fn answers_in_both_systems_are_told_and_both_views_agree_which_one_holds() {
    let shop = Shop::migrated();
    let here = shop.answer(3);
    let weeks = [week("a1", 1), answered("d3", 3, "r3")];
    let report = shop.import(&weeks, &[response("r3", "d3", 3)]);
    assert_eq!(report.adopted, [adopted(3, "d3")]);
    for view in [View::Legacy, View::Precreated] {
        assert_eq!(shop.entry(view, 3)["responseId"], json!(here), "{view:?}");
    }
    let red = shop.red();
    let position = shop
        .store
        .log()
        .stream(&stream(), 0)
        .unwrap()
        .iter()
        .rev()
        .find(|recorded| matches!(&recorded.event, Event::DocumentAdopted { .. }))
        .unwrap()
        .position;
    let finding = format!(
        "response r3 of client c1, form f, run 1, week 3 is in no view since position {position} (DocumentAdopted), and no record says why; response {here} holds the week"
    );
    assert_eq!(red, [("no-response-hidden".to_owned(), vec![finding])]);
    // Withdrawing the week clears the answer that holds; the other stays told.
    shop.withdraw(3, &made(3)).unwrap();
    assert!(shop.red()[0].1[0].contains("response r3 "));
    shop.withdraw(3, &made(3)).unwrap();
    shop.is_green();
}

#[test]
fn of_several_documents_for_a_week_one_is_adopted_and_the_others_are_duplicates() {
    let shop = Shop::migrated();
    let weeks = [week("a1", 1), week("d3", 3), answered("e3", 3, "r3")];
    let responses = [response("r3", "e3", 3)];
    let report = shop.import(&weeks, &responses);
    assert_eq!(report.adopted, [adopted(3, "e3")]);
    shop.shows_the_old_application(&weeks, &responses);
    let red = shop.red();
    assert_eq!(red.len(), 1, "{red:?}");
    assert_eq!(red[0].0, "no-duplicate-weeks");
    // The superfluous one goes, and the answer stays in both views.
    shop.withdraw(3, "d3").unwrap();
    shop.is_green();
    for view in [View::Legacy, View::Precreated] {
        assert_eq!(shop.entry(view, 3)["responseId"], "r3", "{view:?}");
    }
    let refused = shop.withdraw(3, "d3").unwrap_err();
    assert!(
        matches!(&refused, Rejection::NoSuchAssignment { assignment, .. } if assignment == "d3"),
        "{refused:?}"
    );
    assert_eq!(shop.entry(View::Legacy, 3)["responseId"], "r3");
}

#[test]
fn a_week_that_the_migration_did_not_make_is_stored_as_it_comes() {
    let shop = Shop::migrated();
    let mut beyond = answered("d7", 7, "r7");
    beyond["totalWeeks"] = 7.into();
    let weeks = [week("a1", 1), beyond];
    let report = shop.import(&weeks, &[response("r7", "d7", 7)]);
    assert_eq!(report.adopted, []);
    assert_eq!(shop.entry(View::Precreated, 7)["documentId"], "d7");
    shop.shows_the_old_application(&weeks, &[response("r7", "d7", 7)]);
    shop.is_green();
}

#[test]
fn an_adopted_document_changes_and_goes_as_later_exports_say() {
    let shop = Shop::migrated();
    let responses = [response("r3", "d3", 3)];
    let history: [Vec<Value>; 6] = [
        vec![week("a1", 1), week("d3", 3)],
        vec![week("a1", 1), answered("d3", 3, "r3")],
        vec![week("a1", 1)],
        vec![week("a1", 1), answered("d3", 3, "r3")],
        // The document is now for another week that the migration made.
        vec![week("a1", 1), answered("d3", 4, "r3")],
        vec![week("a1", 1), week("d3", 4)],
    ];
    let expected = [vec![3], vec![], vec![], vec![3], vec![4], vec![]];
    for (weeks, expected) in history.iter().zip(expected) {
        let answered = weeks.iter().any(|week| week["responseId"] == "r3");
        let report = shop.import(weeks, if answered { &responses } else { &[] });
        let adopted: Vec<u32> = report.adopted.iter().map(|adopted| adopted.week).collect();
        assert_eq!(adopted, expected, "{weeks:#?}");
        shop.shows_the_old_application(weeks, if answered { &responses } else { &[] });
        let shown = shop.view(View::Precreated);
        assert_eq!(shown.len(), 6, "{shown:#?}");
        let red = shop.red();
        let is_of_the_export = |name: &str| name == "week-consistency" || name == "response-links";
        assert!(red.iter().all(|(name, _)| is_of_the_export(name)), "{weeks:#?}\n{red:#?}");
    }
    assert_eq!(shop.series().items.iter().count(), 6);
}

#[test]
fn what_was_done_here_to_a_made_week_stays_when_it_adopts() {
    let shop = Shop::migrated();
    let moved: Timestamp = "2026-02-20T09:00:00Z".parse().unwrap();
    shop.decide(|decider| decider.reschedule(1, 4, moved)).unwrap();
    let here = shop.answer(5);
    let weeks = [week("a1", 1), week("d4", 4), week("d5", 5)];
    assert_eq!(shop.import(&weeks, &[]).adopted.len(), 2);
    assert_eq!(shop.series().items.week(1, 4).unwrap().stored.due.value(), Some(&moved));
    for view in [View::Legacy, View::Precreated] {
        assert_eq!(shop.entry(view, 5)["responseId"], json!(here), "{view:?}");
    }
    assert_eq!(shop.entry(View::Legacy, 5)["documentId"], "d5");
    shop.is_green();
    // The documents go again: the weeks stand as they were made and changed here.
    shop.import(&[week("a1", 1)], &[]);
    assert_eq!(shop.series().items.week(1, 4).unwrap().stored.due.value(), Some(&moved));
    for view in [View::Legacy, View::Precreated] {
        assert_eq!(shop.entry(view, 5)["responseId"], json!(here), "{view:?}");
    }
    shop.is_green();
}

#[test]
fn a_document_for_a_week_that_was_withdrawn_here_is_shown_with_its_answer() {
    let shop = Shop::migrated();
    shop.withdraw(3, &made(3)).unwrap();
    let weeks = [week("a1", 1), answered("d3", 3, "r3")];
    let report = shop.import(&weeks, &[response("r3", "d3", 3)]);
    assert_eq!(report.adopted, []);
    for view in [View::Legacy, View::Precreated] {
        assert_eq!(shop.entry(view, 3)["responseId"], "r3", "{view:?}");
    }
    shop.is_green();
}

#[test]
fn a_withdrawn_adopted_week_stays_withdrawn_and_an_answer_that_comes_later_is_told() {
    let shop = Shop::migrated();
    shop.import(&[week("a1", 1), week("d3", 3)], &[]);
    shop.withdraw(3, "d3").unwrap();
    shop.is_green();
    assert!(shop.view(View::Legacy).iter().all(|entry| entry["recurringWeek"] != 3));
    shop.import(&[week("a1", 1), answered("d3", 3, "r3")], &[response("r3", "d3", 3)]);
    let red = shop.red();
    assert_eq!(red.len(), 1, "{red:?}");
    assert!(red[0].0 == "no-response-hidden" && red[0].1[0].contains("response r3 "), "{red:?}");
}

#[test]
fn an_import_between_plan_and_apply_is_drift_and_a_new_plan_is_not() {
    let mut shop = Shop::new();
    let file = shop.plan().unwrap();
    let weeks = [week("a1", 1), answered("d3", 3, "r3")];
    let report = shop.import(&weeks, &[response("r3", "d3", 3)]);
    assert_eq!(report.adopted, []);
    let stale = shop.apply(&file);
    assert!(matches!(stale, Err(MigrationError::Drift { .. })), "{stale:?}");
    let applied = shop.migrate().unwrap();
    assert_eq!(applied.created, 4);
    assert_eq!(shop.entry(View::Precreated, 3)["documentId"], "d3");
    shop.is_green();
}

#[test]
fn a_week_made_by_an_early_answer_adopts_too() {
    let shop = Shop::new();
    let here = shop.answer(3);
    let report = shop.import(&[week("a1", 1), week("d3", 3)], &[]);
    assert_eq!(report.adopted, [adopted(3, "d3")]);
    for view in [View::Legacy, View::Precreated] {
        assert_eq!(shop.entry(view, 3)["responseId"], json!(here), "{view:?}");
    }
    assert!(
        shop.red().iter().all(|(name, _)| name == "weeks-complete" || name == "parity-explained")
    );
}

#[test]
fn a_response_that_a_later_export_changes_or_removes_is_not_the_batchs_doing() {
    let mut shop = Shop::new();
    shop.import(&[answered("a1", 1, "r1")], &[response("r1", "a1", 1)]);
    shop.migrate().unwrap();
    let mut changed = response("r1", "a1", 1);
    changed["score"] = 90.into();
    shop.import(&[answered("a1", 1, "r1")], &[changed]);
    shop.is_green();
    shop.import(&[week("a1", 1)], &[]);
    shop.is_green();
}

#[test]
fn a_week_that_is_answered_here_while_an_import_brings_its_document_is_one_week() {
    // Week 3 is not stored when the import is planned.
    let shop = Shop::new();
    let weeks = [week("a1", 1), week("d3", 3)];
    let here = Mutex::new(String::new());
    let report = shop.import_while(&weeks, &[], || *here.lock().unwrap() = shop.answer(3));
    assert_eq!(report.adopted, [adopted(3, "d3")]);
    for view in [View::Legacy, View::Precreated] {
        assert_eq!(shop.entry(view, 3)["responseId"], json!(*here.lock().unwrap()), "{view:?}");
    }
    let red: Vec<String> = shop.red().into_iter().map(|(name, _)| name).collect();
    assert!(!red.contains(&"no-duplicate-weeks".to_owned()), "{red:?}");
    let again = shop.import(&weeks, &[]);
    assert_eq!((again.appended, again.adopted), (0, Vec::new()));
}

#[test]
fn a_week_that_is_answered_here_while_an_import_would_remove_it_stays() {
    let shop = Shop::new();
    shop.import(&[week("a1", 1), week("d3", 3), week("d4", 4)], &[]);
    let here = Mutex::new(String::new());
    let report =
        shop.import_while(&[week("a1", 1)], &[], || *here.lock().unwrap() = shop.answer(3));
    let ids = |removals: &[Removal]| -> Vec<(String, bool)> {
        removals.iter().map(|removal| (removal.id.clone(), removal.answered)).collect()
    };
    assert_eq!(ids(&report.kept), [("d3".to_owned(), true)]);
    assert_eq!(ids(&report.removals), [("d4".to_owned(), false)]);
    for view in [View::Legacy, View::Precreated] {
        assert_eq!(shop.entry(view, 3)["responseId"], json!(*here.lock().unwrap()), "{view:?}");
    }
    // The next import asks.
    let options = ImportOptions::default();
    let again = import(&shop.store, export_of(&[week("a1", 1)], &[]), &options, &MONITOR);
    assert!(
        matches!(again, Err(MigrationError::Removals { removed: 1, answered: 1, .. })),
        "{again:?}"
    );
}

#[test]
fn other_events_of_the_control_stream_do_not_stop_an_import() {
    let shop = Shop::migrated();
    let weeks = [week("a1", 1), answered("d3", 3, "r3")];
    let report = shop.import_while(&weeks, &[response("r3", "d3", 3)], || shop.is_green());
    assert_eq!(report.adopted, [adopted(3, "d3")]);
    let imports = shop.store.log().stream(&StreamId::Control, 0).unwrap();
    let imports = imports.iter().filter(|told| matches!(told.event, Event::ImportCompleted { .. }));
    assert_eq!(imports.count(), 2);
    shop.is_green();
}

/// Lets another writer be faster than the first commit of an import.
struct Faster {
    log: Log,
    other: Mutex<Option<Commit>>,
}

impl Ordering for Faster {
    fn submit(&self, commit: Commit) -> PendingCommit {
        if let Some(other) = self.other.lock().unwrap().take() {
            self.log.append(other).unwrap();
        }
        self.log.submit(commit)
    }

    fn head(&self) -> Position {
        self.log.head()
    }

    fn events(&self, committed: CommitReceipt) -> Result<Vec<EventRecord>, LogError> {
        Ordering::events(&self.log, committed)
    }

    fn requested_under(&self, key: &str) -> Result<Option<([u8; 32], CommitReceipt)>, LogError> {
        self.log.requested_under(key)
    }
}

/// A put of the client with this address.
fn put(email: &str, at: Timestamp) -> Commit {
    let body = JsonText::from_value(&json!({"onboardingStatus": "completed", "email": email}));
    let document = given_document(Collection::Clients, "c1", &body).unwrap();
    let (stream, event) = (StreamId::Client("c1".to_owned()), Event::DocumentChanged(document));
    Commit {
        events: vec![NewEvent { stream, id: None, occurred_at: at, event }],
        expected: Vec::new(),
        actor: Actor::Admin("ops".to_owned()),
        cause: "put".to_owned(),
        key: None,
    }
}

#[test]
fn a_document_that_is_put_while_an_import_runs_holds_unless_the_export_is_newer() {
    for (at, kept) in [(now(), true), (Timestamp::EPOCH, false)] {
        // Before the import reads the stream again, and after that.
        for is_late in [false, true] {
            let mut shop = Shop::new();
            let log = shop.store.log().clone();
            let other = Mutex::new(Some(put("new@example.com", at)).filter(|_| is_late));
            let faster = Faster { log: log.clone(), other };
            shop.store = Runtime::ordered_by(Arc::new(faster), log.clone(), all());
            let client =
                json!({"_id": "c1", "onboardingStatus": "completed", "email": "old@example.com"});
            let export = small_export(&[client], &[week("a1", 1)], &[]);
            let export = JsonDirectory::new(export.path()).read().unwrap();
            let (options, done) = (ImportOptions::default(), Once::new());
            let meanwhile = || {
                if !is_late {
                    done.call_once(|| {
                        log.append(put("new@example.com", at)).unwrap();
                    });
                }
                false
            };
            let monitor = Monitor { progress: &|_, _| {}, interrupted: &meanwhile };
            let report = import(&shop.store, export, &options, &monitor).unwrap();
            let met = MetPut { collection: "clients".to_owned(), id: "c1".to_owned(), kept };
            assert_eq!(report.puts, [met], "late: {is_late}");
            let events = log.stream(&StreamId::Client("c1".to_owned()), 0).unwrap();
            let Event::DocumentChanged(last) = &events.last().unwrap().event else { panic!() };
            let email = if kept { "new@example.com" } else { "old@example.com" };
            assert!(last.body.expose().unwrap().as_str().contains(email), "late: {is_late}");
        }
    }
}

#[test]
fn an_import_computes_a_series_again_if_another_writer_is_faster() {
    let mut shop = Shop::new();
    let answer = shop.commit(|decider| response_to(decider, 3)).unwrap();
    let log = shop.store.log().clone();
    let faster = Faster { log: log.clone(), other: Mutex::new(Some(answer)) };
    shop.store = Runtime::ordered_by(Arc::new(faster), log, all());
    let report = shop.import(&[week("a1", 1), week("d3", 3), week("d4", 4)], &[]);
    assert_eq!(report.adopted, [adopted(3, "d3")]);
    assert_eq!(report.appended, 4, "two documents, one adoption, one end");
    assert_eq!(shop.entry(View::Precreated, 3)["status"], "completed");
    assert_eq!(shop.entry(View::Legacy, 3)["status"], "completed");
}

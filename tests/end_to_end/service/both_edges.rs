//! The command line and the service are two edges of the same use cases: the same events, and the
//! same code for a refusal.

use rollbook::cli::error::CliError;
use rollbook_application::backup::BackupError;
use rollbook_application::code::{Code, Coded};
use rollbook_application::evidence::EvidenceError;
use rollbook_application::store::StoreError;
use rollbook_domain::control::{AcceptanceRejection, SwitchRejection};
use rollbook_domain::series::decide::Rejection;
use rollbook_domain::{StreamId, Timestamp};
use rollbook_log::AppendError;
use rollbook_migrations::MigrationError;
use rollbook_migrations::export_reader::ImportError;
use rollbook_projections::ProjectionError;
use rollbook_service::http::error::ApiError;
use serde_json::{Value, json};

use testkit::{Server, Store};

use super::answering::{CLIENT, COACH};
use crate::exports::{Copy, texts};

const NOW: &str = "2026-01-15T09:30:00Z";
/// A series of the fixture: its first week, and a response to an older one.
const BASE: &str = "assignment-1767420180000-f1bwya5l4";
const RESPONSE: &str = "2tOmF32nl0g8Dh76Gz1n";
/// A form of the fixture that the client does not have.
const FORM: &str = "form-1765694944359-zcneajnyn";

/// The code of the same error at both edges.
fn codes<E>(make: impl Fn() -> E) -> (Code, Code)
where
    CliError: From<E>,
    ApiError: From<E>,
{
    (CliError::from(make()).code(), ApiError::from(make()).code())
}

fn text() -> String {
    "x".to_owned()
}

type Pair = (&'static str, (Code, Code));

fn of_series() -> Vec<Pair> {
    let due = Timestamp::EPOCH;
    let refused =
        |name, make: fn(Timestamp) -> Rejection| (name, codes(|| StoreError::Refused(make(due))));
    vec![
        refused("no week", |_| Rejection::NoSuchWeek { series: text(), run: 1, week: 2, total: 1 }),
        refused("no series", |_| Rejection::NoSuchSeries(text())),
        refused("completed", |_| Rejection::Completed(1)),
        refused("missed", |_| Rejection::AlreadyMissed(1)),
        refused("not overdue", |due| Rejection::NotOverdue { week: 1, due }),
        refused("no comment", |_| Rejection::NoComment),
        refused("short", |_| Rejection::ShortReason { least: 10, has: 1 }),
        refused("open weeks", |_| Rejection::OpenWeeks { series: text(), run: 1, open: 1 }),
        refused("range", |_| Rejection::OutOfRange { what: "weeks", least: 1, most: 2, given: 3 }),
        refused("no pause to make", |_| Rejection::NothingToPause(text())),
        refused("no pause", |_| Rejection::NoPause),
        refused("open", |_| Rejection::StillOpen(1)),
        refused("no response", |_| Rejection::NoSuchResponse { series: text(), response: text() }),
        refused("no assignment", |_| Rejection::NoSuchAssignment {
            series: text(),
            week: 2,
            assignment: text(),
        }),
        refused("answers", |_| Rejection::BadAnswers(text())),
        refused("not held", |_| Rejection::ResponseNotHeld(text())),
        refused("held", |_| Rejection::ResponseHeld { response: text(), run: 1, week: 2 }),
        refused("was cleared", |_| Rejection::ResponseWasCleared(text())),
        refused("taken", |_| Rejection::WeekHasResponse { run: 1, week: 2, response: text() }),
        refused("not a document", |_| Rejection::NotADocument { series: text(), document: text() }),
        refused("week not free", |_| Rejection::WeekHasDocument {
            run: 1,
            week: 2,
            document: text(),
        }),
        refused("only base", |_| Rejection::OnlyBase { document: text(), run: 1 }),
        refused("linked", |_| Rejection::LinkedToWeek { response: text(), week: 2 }),
        refused("not holding", |_| Rejection::NotHolding {
            series: text(),
            correction: uuid::Uuid::nil(),
        }),
        refused("later", |_| Rejection::LaterCorrection {
            correction: uuid::Uuid::nil(),
            later: uuid::Uuid::nil(),
        }),
        refused("changed", |_| Rejection::ChangedSince { correction: uuid::Uuid::nil(), week: 2 }),
    ]
}

fn of_the_store() -> Vec<Pair> {
    let append = |name, make: fn() -> AppendError| (name, codes(|| StoreError::Append(make())));
    let switch = |name, make: fn() -> SwitchRejection| (name, codes(|| StoreError::Switch(make())));
    let accept =
        |name, make: fn() -> AcceptanceRejection| (name, codes(|| StoreError::Acceptance(make())));
    vec![
        accept("no reason to accept", || AcceptanceRejection::NoReason),
        accept("no finding", || AcceptanceRejection::NoFinding),
        accept("unknown check", || AcceptanceRejection::UnknownCheck(text())),
        accept("unknown finding", || AcceptanceRejection::UnknownFinding(text())),
        accept("other number", || AcceptanceRejection::Count {
            check: text(),
            expected: 1,
            found: 2,
        }),
        accept("not accepted", || AcceptanceRejection::NotAccepted(text())),
        ("assignment", codes(|| StoreError::UnknownAssignment(text()))),
        ("response", codes(|| StoreError::UnknownResponse(text()))),
        ("correction", codes(|| StoreError::UnknownCorrection(text()))),
        ("client", codes(|| StoreError::UnknownClient(text()))),
        ("form", codes(|| StoreError::UnknownForm(text()))),
        ("coach", codes(|| StoreError::UnknownCoach(text()))),
        ("no client", codes(|| StoreError::NotAClient(text()))),
        ("series", codes(|| StoreError::UnknownSeries(text()))),
        ("not a series", codes(|| StoreError::NoSeries(text()))),
        ("id", codes(|| StoreError::UnknownId(text()))),
        ("digest", codes(|| StoreError::AmbiguousDigest(text()))),
        ("positions", codes(|| StoreError::Range(text()))),
        ("document", codes(|| StoreError::UnfitDocument(text()))),
        ("identity", codes(|| StoreError::IdentityTaken { identity: text(), client: text() })),
        ("contended", codes(|| StoreError::Contended(text()))),
        (
            "beyond",
            codes(|| StoreError::Projection(ProjectionError::BeyondHead { asked: 2, head: 1 })),
        ),
        append("key", || AppendError::KeyReused { key: text(), first: 1, last: 1 }),
        append("name", || AppendError::BadName { name: text() }),
        append("erased", || AppendError::ClientErased { stream: text() }),
        switch("no reason", || SwitchRejection::NoReason),
        switch("percent", || SwitchRejection::Percent(101)),
        switch("not validated", || SwitchRejection::NotValidated),
        switch("stale", || SwitchRejection::Stale { validated: 1, batch: 2 }),
        switch("unfinished", || SwitchRejection::Unfinished(text())),
        switch("red", || SwitchRejection::Red(text())),
        switch("retired", || SwitchRejection::Retired),
    ]
}

fn of_operations() -> Vec<Pair> {
    let (batch, store, instant) = (text, text, Timestamp::EPOCH);
    vec![
        ("drift", codes(|| MigrationError::Drift { series: vec![text()], total: 1 })),
        ("zone", codes(|| MigrationError::Zone { batch: batch(), store: store() })),
        ("begun", codes(|| MigrationError::Unfinished { digest: text() })),
        (
            "older export",
            codes(|| MigrationError::OlderExport { exported: instant, last: instant }),
        ),
        (
            "removals",
            codes(|| MigrationError::Removals { removed: 1, answered: 1, first: vec![text()] }),
        ),
        ("zone of an import", codes(|| MigrationError::ImportZone { kept: text(), asked: text() })),
        ("failed export", codes(|| ImportError::FailedCollections { failed: 1 })),
        (
            "missing collection",
            codes(|| ImportError::MissingCollection { path: "x".into(), collection: "clients" }),
        ),
        ("untrue file", codes(|| ImportError::Untrue { file: text(), why: text() })),
        (
            "unknown collections",
            codes(|| ImportError::UnknownCollections { collections: Vec::new() }),
        ),
        ("nothing imported", codes(|| MigrationError::NothingImported)),
        ("interrupted", codes(|| MigrationError::Interrupted)),
        ("line", codes(|| MigrationError::Line { path: "x".into(), line: 1, what: text() })),
        ("count", codes(|| MigrationError::Count { path: "x".into(), expected: 2, found: 1 })),
        ("version", codes(|| MigrationError::Version { path: "x".into(), version: 2, known: 1 })),
        ("kind", codes(|| MigrationError::Kind { path: "x".into(), kind: text(), known: text() })),
        ("backup's name", codes(|| BackupError::Name { name: text() })),
        ("taken", codes(|| BackupError::NameTaken { name: text(), directory: "x".into() })),
        ("busy", codes(|| BackupError::Busy { directory: "x".into() })),
        ("key gone", codes(|| EvidenceError::KeyGone { path: "x".into(), stored: text() })),
        ("other key", codes(|| EvidenceError::OtherKey { stored: text(), given: text() })),
        (
            "contradicted",
            codes(|| EvidenceError::Contradicted { path: "x".into(), size: 1, head: 2 }),
        ),
    ]
}

#[test]
fn a_refusal_has_one_code() {
    for (name, (command_line, service)) in
        of_series().into_iter().chain(of_the_store()).chain(of_operations())
    {
        assert_eq!(command_line, service, "{name}");
    }
}

/// A use case at both edges: arguments of the command line, and a request to the service.
struct UseCase {
    arguments: Vec<String>,
    method: &'static str,
    path: String,
    body: Option<Value>,
}

fn case(arguments: &[&str], method: &'static str, path: &str, body: Value) -> UseCase {
    let arguments = arguments.iter().map(ToString::to_string).collect();
    UseCase { arguments, method, path: path.to_owned(), body: Some(body) }
}

fn use_cases() -> Vec<UseCase> {
    let series = format!("series/{CLIENT}/{FORM}");
    let week =
        |number: u32, end: &str| format!("/api/check-in-assignments/{BASE}_week_{number}{end}");
    let named = json!({"clientId": CLIENT, "formId": FORM, "coachId": COACH});
    let with = |more: Value| {
        let mut body = named.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let withdrawn = format!("withdrawn by coach {COACH}");
    let assignments = "/api/check-in-assignments";
    vec![
        case(
            &[
                "assign",
                "--client",
                CLIENT,
                "--form",
                FORM,
                "--coach",
                COACH,
                "--weeks",
                "3",
                "--first-due",
                "2026-03-02",
                "--due-time",
                "10:30",
                "--title",
                "Habits",
                "--assigned-by",
                COACH,
            ],
            "POST",
            assignments,
            with(
                json!({"duration": 3, "firstCheckInDate": "2026-03-02", "dueTime": "10:30", "title": "Habits", "assignedBy": COACH}),
            ),
        ),
        case(
            &[
                "respond",
                &format!("{BASE}_week_3"),
                "--answers",
                r#"[{"questionId":"q","answer":"yes","weight":5,"score":8}]"#,
            ],
            "POST",
            &format!("/api/client-portal/check-in/{BASE}_week_3"),
            json!({"responses": [{"questionId": "q", "answer": "yes", "weight": 5, "score": 8}]}),
        ),
        case(
            &["miss", &format!("{BASE}_week_1"), "--reason", "other", "--comment", "a \"reason\""],
            "POST",
            &week(1, "/mark-missed"),
            json!({"clientId": CLIENT, "reason": "other", "comment": "a \"reason\""}),
        ),
        case(
            &["extend", &format!("{BASE}_week_2"), "--reason", "moving house this week"],
            "POST",
            &week(2, "/extension"),
            json!({"reason": "moving house this week"}),
        ),
        case(
            &["reopen", &format!("{BASE}_week_1")],
            "POST",
            &week(1, "/open-for-check-in"),
            json!({}),
        ),
        case(
            &["pause", &series, "--weeks", "2"],
            "POST",
            &format!("{assignments}/series/pause"),
            with(json!({"pauseWeeks": 2})),
        ),
        case(
            &["resume", &series],
            "POST",
            &format!("{assignments}/series/unpause"),
            with(json!({})),
        ),
        case(
            &["feedback", RESPONSE, "--coach", COACH, "--text", "well done"],
            "POST",
            "/api/coach-feedback",
            json!({"responseId": RESPONSE, "coachId": COACH, "content": "well done"}),
        ),
        case(
            &["correct", "move-response", RESPONSE, "--week", "7", "--reason", "the wrong week"],
            "POST",
            "/v1/corrections",
            json!({"kind": "move-response", "response": RESPONSE, "week": 7, "reason": "the wrong week"}),
        ),
        UseCase {
            body: None,
            ..case(
                &["withdraw", "--assignment", &format!("{BASE}_week_4"), "--reason", "withdrawn"],
                "DELETE",
                &week(4, ""),
                json!({}),
            )
        },
        case(
            &["withdraw", &series, "--reason", &withdrawn],
            "DELETE",
            &format!("{assignments}/series"),
            with(json!({"preserveHistory": true})),
        ),
        case(
            &[
                "client",
                "put",
                CLIENT,
                "--email",
                "new@example.com",
                "--can-start-check-ins",
                "true",
            ],
            "PUT",
            &format!("/v1/clients/{CLIENT}?merge=true"),
            json!({"email": "new@example.com", "canStartCheckIns": true}),
        ),
        case(
            &["coach", "put", COACH, "--last-name", "Quill"],
            "PUT",
            &format!("/v1/coaches/{COACH}?merge=true"),
            json!({"profile": {"lastName": "Quill"}}),
        ),
        case(
            &["form", "put", FORM, "--title", "Rest"],
            "PUT",
            &format!("/v1/forms/{FORM}?merge=true"),
            json!({"title": "Rest"}),
        ),
        case(
            &["switch", "precreated", "--percent", "10", "--force", "--reason", "first tenth"],
            "PUT",
            "/v1/switch",
            json!({"view": "precreated", "percent": 10, "force": true, "reason": "first tenth"}),
        ),
    ]
}

/// The commits after a position, each event with its stream and the time that it happened.
fn commits(store: &Store, after: u64) -> Vec<Vec<Value>> {
    let inner = crate::opened::open(store);
    let told = |event: &rollbook_domain::EventRecord| json!({"stream": event.stream.to_string(), "at": event.occurred_at, "event": event.event});
    let commits = inner.log().commits_after(after);
    commits.map(|commit| commit.unwrap().iter().map(told).collect()).collect()
}

fn head(store: &Store) -> u64 {
    crate::opened::open(store).log().head()
}

#[test]
fn a_use_case_leaves_the_same_events_through_both_edges() {
    let (by_command, by_service) = (Store::imported("clean"), Store::imported("clean"));
    let before = (head(&by_command), head(&by_service));
    for UseCase { mut arguments, .. } in use_cases() {
        arguments.extend(["--at".to_owned(), NOW.to_owned()]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        by_command.ok(&arguments);
    }
    let server = Server::at(&by_service, NOW);
    for UseCase { method, path, body, .. } in use_cases() {
        let answer = server.ask(method, &path, body.as_ref(), None);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
    drop(server);
    let (commands, requests) = (commits(&by_command, before.0), commits(&by_service, before.1));
    assert_eq!(commands.len(), use_cases().len());
    for (number, (command, request)) in commands.iter().zip(&requests).enumerate() {
        assert_eq!(command, request, "{:?}", use_cases()[number].arguments);
    }
    assert_eq!(commands.len(), requests.len());
    let series = StreamId::series(CLIENT, FORM);
    assert!(commands.iter().flatten().any(|event| event["stream"] == series.to_string()));
}

#[test]
fn an_import_leaves_the_same_events_through_both_edges() {
    let (by_command, by_service) = (Store::imported("clean"), Store::imported("clean"));
    let before = head(&by_command);
    let later = Copy::of("clean", by_command.around(), "later");
    later.dated("2026-03-01T00:00:00Z").change("forms.json", |file| {
        file["documents"][0]["title"] = "Another title".into();
    });
    let report = by_command.json(&["import", later.path()]);
    let server = Server::at(&by_service, NOW);
    let json = [("content-type", "application/json")];
    let answer = server.send("POST", "/v1/imports", &json, &texts(&later.directory));
    assert_eq!((answer.status, answer.json()), (200, report));
    server.end();
    assert_eq!(commits(&by_command, before), commits(&by_service, before));
    assert_eq!(commits(&by_command, before).len(), 2, "the form, and the end");
}

/// What a refused command of the command line says.
fn refused(store: &Store, arguments: &[&str]) -> Value {
    let ran = store.run(&[&["--json"], arguments].concat());
    assert_ne!(ran.code, 0, "{arguments:?}");
    ran.error()
}

#[test]
fn a_refused_switch_has_the_same_code_and_each_edge_its_own_next_step() {
    let store = Store::imported("clean");
    let command = refused(&store, &["switch", "precreated", "--reason", "x"]);
    let nobody = refused(&store, &["switch", "legacy", "--client", "nobody", "--reason", "x"]);
    let server = Server::at(&store, NOW);
    let put = |body| server.switch(&body, None).body;
    let request = put(json!({"view": "precreated", "reason": "x"}));
    assert_eq!((&command["code"], &request["code"]), (&json!("switch_refused"), &command["code"]));
    let unknown = put(json!({"view": "legacy", "reason": "x", "clients": ["nobody"]}));
    assert_eq!((&nobody["code"], &unknown["code"]), (&json!("unknown_id"), &nobody["code"]));
    assert_eq!(unknown["next_step"], "GET /v1/check-ins lists every client document");
}

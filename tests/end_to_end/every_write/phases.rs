//! The cells of the table: a store in a phase of its migration, one deed on one week of it, and
//! what has to hold afterwards.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Server, Store, copy_store};

use super::deeds::{Call, Deed, Edge, Shown};

/// Weeks 2 and 3 are more than three days overdue, and weeks 5 and 6 are due later.
pub const NOW: &str = "2026-01-23T12:00:00Z";
pub const CLIENT: &str = "c1";
/// A client to whom nothing is done, so that there is always something to migrate.
const OTHER: &str = "c2";
pub const FORM: &str = "f1";
pub const COACH: &str = "k1";
pub const SERIES: &str = "series/c1/f1";
const WEEKS: u32 = 8;
/// The weeks that the export stores, each with its document.
const STORED: [(u32, &str); 3] = [(1, "w1"), (2, "w2"), (5, "w5")];

/// Where a migration stands, and which view serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Imported,
    Planned,
    Applied,
    Switched,
    RolledBack,
}

impl Phase {
    pub const ALL: [Self; 5] =
        [Self::Imported, Self::Planned, Self::Applied, Self::Switched, Self::RolledBack];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Imported => "before the plan",
            Self::Planned => "planned",
            Self::Applied => "applied",
            Self::Switched => "switched",
            Self::RolledBack => "rolled back",
        }
    }

    const fn is_applied(self) -> bool {
        !matches!(self, Self::Imported | Self::Planned)
    }
}

/// Which kind of week a deed is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Week {
    Stored,
    NotStored,
}

impl Week {
    pub const ALL: [Self; 2] = [Self::Stored, Self::NotStored];

    pub const fn name(self, phase: Phase) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::NotStored if phase.is_applied() => "made",
            Self::NotStored => "generated",
        }
    }
}

/// The week that a deed is done to.
#[derive(Clone, Debug)]
pub struct Target {
    pub week: u32,
    /// An id that the old application's pages use for it.
    pub id: String,
    /// The document of the week in a later export.
    pub document: String,
    /// What was prepared for the deed.
    pub prepared: Value,
}

impl Target {
    fn new(week: u32) -> Self {
        let document = format!("w{week}");
        let is_stored = STORED.iter().any(|(number, _)| *number == week);
        let id = if is_stored { document.clone() } else { format!("legacy-w1_week_{week}") };
        Self { week, id, document, prepared: Value::Null }
    }
}

/// When a week is due, as the views print it.
pub fn due(week: u32) -> String {
    let first: chrono::DateTime<chrono::Utc> = "2026-01-05T09:00:00Z".parse().unwrap();
    let due = first + chrono::Duration::weeks(i64::from(week) - 1);
    due.format("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// A document of the old application.
fn document(week: u32, id: &str, response: Option<&str>) -> Value {
    let mut document = json!({"_id": id, "id": format!("legacy-{id}"), "clientId": CLIENT,
        "formId": FORM, "formTitle": "Weekly", "isRecurring": true, "recurringWeek": week,
        "totalWeeks": WEEKS, "dueDate": due(week), "status": "active",
        "assignedAt": "2026-01-01T10:00:00Z", "coachId": COACH});
    if let Some(response) = response {
        document["responseId"] = response.into();
        document["status"] = "completed".into();
        document["completedAt"] = "2026-01-22T08:00:00Z".into();
        document["score"] = 33.into();
    }
    document
}

/// What a later export holds besides the first.
#[derive(Clone, Debug, Default)]
pub struct Later {
    /// A week that was answered in the old application.
    pub answered: Option<(u32, String)>,
    /// A response that no document holds.
    pub orphan: Option<&'static str>,
}

/// Writes an export.
pub fn write_export(directory: &Path, later: &Later) {
    std::fs::create_dir_all(directory).unwrap();
    let mut weeks: Vec<Value> = STORED.map(|(week, id)| document(week, id, None)).into();
    let mut other = document(1, "other", None);
    other["clientId"] = OTHER.into();
    weeks.push(other);
    let mut responses = Vec::new();
    let mut response = |id: &str, named: &str, week: u32| {
        responses.push(
            json!({"_id": id, "assignmentId": named, "clientId": CLIENT, "formId": FORM,
            "recurringWeek": week, "score": 33, "submittedAt": "2026-01-22T08:00:00Z",
            "responses": [{"questionId": "q1", "answer": "yes"}]}),
        );
    };
    if let Some((week, id)) = &later.answered {
        weeks.retain(|document| document["_id"] != id.as_str());
        weeks.push(document(*week, id, Some("r-later")));
        response("r-later", id, *week);
    }
    if let Some(orphan) = later.orphan {
        response(orphan, "gone", 77);
    }
    let clients = [CLIENT, OTHER]
        .map(|id| json!({"_id": id, "onboardingStatus": "completed", "coachId": COACH}));
    let coaches = [json!({"_id": COACH, "firstName": "Robin"})];
    let forms = [json!({"_id": FORM, "title": "Weekly"}), json!({"_id": "f2", "title": "Monthly"})];
    let files = [
        ("clients", &clients[..]),
        ("coaches", &coaches[..]),
        ("forms", &forms[..]),
        ("check_in_assignments", &weeks[..]),
        ("formResponses", &responses[..]),
    ];
    let time = if later.answered.is_some() || later.orphan.is_some() { "23" } else { "22" };
    for (name, documents) in files {
        let file = json!({"collection": name, "exportDate": format!("2026-01-{time}T00:00:00Z"),
            "totalDocuments": documents.len(), "documents": documents});
        std::fs::write(directory.join(format!("{name}.json")), file.to_string()).unwrap();
    }
}

/// A store in each phase, made once and copied for each cell.
pub struct Templates {
    home: TempDir,
}

impl Templates {
    pub fn new() -> Self {
        let templates = Self { home: tempfile::tempdir().unwrap() };
        let export = templates.home.path().join("export");
        write_export(&export, &Later::default());
        let store = Store::at(templates.path(Phase::Imported));
        std::fs::create_dir_all(store.around()).unwrap();
        store.ok(&["import", export.to_str().unwrap()]);
        let batch = templates.batch();
        store.plan(&batch);
        let next = |from: Phase, to: Phase| {
            let store = Store::at(templates.path(to));
            std::fs::create_dir_all(store.around()).unwrap();
            copy_store(&templates.path(from), &templates.path(to));
            store
        };
        next(Phase::Imported, Phase::Planned);
        let store = next(Phase::Planned, Phase::Applied);
        store.apply(&batch);
        assert_eq!(store.validate()["all_green"], true);
        let store = next(Phase::Applied, Phase::Switched);
        store.ok(&["switch", "precreated", "--reason", "the template"]);
        let store = next(Phase::Switched, Phase::RolledBack);
        store.ok(&["switch", "legacy", "--reason", "the template"]);
        templates
    }

    fn path(&self, phase: Phase) -> PathBuf {
        self.home.path().join(phase.name().replace(' ', "-")).join("store")
    }

    fn batch(&self) -> PathBuf {
        self.home.path().join("batch.ndjson")
    }
}

/// One cell: a store of its own.
pub struct Cell<'a> {
    templates: &'a Templates,
    home: TempDir,
    phase: Phase,
    week: Week,
}

impl<'a> Cell<'a> {
    pub fn new(templates: &'a Templates, phase: Phase, week: Week) -> Self {
        let home = tempfile::tempdir().unwrap();
        copy_store(&templates.path(phase), &home.path().join("store"));
        Self { templates, home, phase, week }
    }

    fn store(&self) -> Store {
        Store::at(self.home.path().join("store"))
    }

    /// The week that the deed is done to.
    fn target(&self, deed: &Deed) -> Target {
        Target::new(match (self.week, deed.is_overdue) {
            (Week::Stored, true) => 2,
            (Week::Stored, false) => 5,
            (Week::NotStored, true) => 3,
            (Week::NotStored, false) => 6,
        })
    }

    fn shown(&self, view: &str, target: &Target) -> Shown {
        let ran = self.store().run(&["view", view, "--client", CLIENT, "--at", NOW]);
        Shown { entries: entries(&ran.stdout), week: target.week }
    }

    /// Does it, and says what came of it.
    pub fn run(&self, deed: &Deed, edge: Edge) -> String {
        let mut target = self.target(deed);
        target.prepared = match (deed.prepare)(&self.store(), &target) {
            Ok(prepared) => prepared,
            Err(why) => return why,
        };
        if let Err(why) = self.act(deed, edge, &target) {
            return why;
        }
        let mut marks = Vec::new();
        if !(deed.shows)(&self.shown("live", &target)) {
            return format!("not seen: {:?}", self.shown("live", &target).entry());
        }
        if let Err(why) = self.migrate(&mut marks) {
            return why;
        }
        let store = self.store();
        let validation = store.validate();
        let red = validation["checks"].as_array().unwrap().iter();
        let red: Vec<&str> = red
            .filter(|check| check["green"] == false)
            .map(|check| check["name"].as_str().unwrap())
            .collect();
        if !red.is_empty() {
            return format!("red: {}", red.join(", "));
        }
        let certificate = store.run(&["migrate", "certificate", "--out", "certificate.json"]);
        if certificate.code != 0 {
            return format!("no certificate: {}", certificate.stderr);
        }
        for view in ["precreated", "legacy"] {
            let switched = store.run(&["switch", view, "--reason", "the table"]);
            if switched.code != 0 && !switched.stderr.contains("already") {
                return format!("no switch: {}", switched.stderr);
            }
            if !(deed.shows)(&self.shown("live", &target)) {
                return format!("not seen in {view}: {:?}", self.shown("live", &target).entry());
            }
        }
        marks.insert(0, "green");
        marks.join(", ")
    }

    /// Makes the calls, each with what is shown before it.
    fn act(&self, deed: &Deed, edge: Edge, target: &Target) -> Result<(), String> {
        let server = (edge == Edge::Service).then(|| Server::at(&self.store(), NOW));
        let mut step = 0;
        loop {
            let shown = match &server {
                Some(server) => {
                    Shown { entries: entries(&server.check_ins(CLIENT).text), week: target.week }
                }
                None => self.shown("live", target),
            };
            let all = (deed.calls)(target, &shown);
            let Some(call) = all.get(step) else { return Ok(()) };
            match &server {
                Some(server) => send(server, call)?,
                None => self.command(call)?,
            }
            step += 1;
        }
    }

    fn command(&self, call: &Call) -> Result<(), String> {
        let store = self.store();
        let mut arguments: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
        if arguments[0] != "import" {
            arguments.extend(["--at", NOW]);
        }
        let ran = store.run(&arguments);
        if ran.code == 0 { Ok(()) } else { Err(format!("refused: {}", ran.stderr.trim())) }
    }

    /// Plans and applies the migration where that was not done.
    fn migrate(&self, marks: &mut Vec<&'static str>) -> Result<(), String> {
        let store = self.store();
        let planned = self.templates.batch();
        if self.phase.is_applied() {
            return Ok(());
        }
        if self.phase == Phase::Planned {
            let applied = store.run(&["migrate", "apply", planned.to_str().unwrap(), "--json"]);
            if applied.code == 0 {
                return Ok(());
            }
            if applied.error()["code"] != "drift" {
                return Err(format!("not applied: {}", applied.stderr));
            }
            marks.push("planned again");
        }
        let batch = self.home.path().join("again.ndjson");
        let plan = store.run(&["migrate", "plan", "--out", batch.to_str().unwrap(), "--json"]);
        if plan.code != 0 {
            return Err(format!("not planned: {}", plan.stderr));
        }
        if batch.exists() {
            let applied = store.run(&["migrate", "apply", batch.to_str().unwrap()]);
            if applied.code != 0 {
                return Err(format!("not applied: {}", applied.stderr));
            }
        } else {
            return Err("nothing to plan".to_owned());
        }
        Ok(())
    }
}

/// The entries of a list.
fn entries(text: &str) -> Vec<Value> {
    let body: Value = serde_json::from_str(text).unwrap_or_default();
    body["data"]["checkins"].as_array().cloned().unwrap_or_default()
}

fn send(server: &Server, call: &Call) -> Result<(), String> {
    let (method, path, body) = call.request.as_ref().unwrap();
    let answer = match body {
        Value::String(file) => server.apply(&std::fs::read(file).unwrap(), None),
        Value::Null => server.ask(method, path, None, None),
        body => server.ask(method, path, Some(body), None),
    };
    match answer.status {
        200..300 => Ok(()),
        status => Err(format!("refused: {status} {}", answer.text)),
    }
}

//! A made-up practice: two coaches with a client each, whose data holds words that occur nowhere
//! else. The service runs on a copy of its store, and every kind of caller can ask it.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Server, copy_store, run};

use super::samples::Issuer;
use super::wire::{Answer, Ask, send};

const ISSUER: &str = "https://issuer.example.com/";
const AUDIENCE: &str = "rollbook";

/// One client of the town, by every name that leads to them. Those of `SECRETS` are never told to
/// anybody else.
pub struct Resident {
    pub client: &'static str,
    pub auth_uid: &'static str,
    pub coach: &'static str,
    /// Names of the first week: document id, legacy id, derived names.
    pub weeks: [&'static str; 5],
    pub response: &'static str,
    pub form: &'static str,
}

pub const ADA: Resident = Resident {
    client: "ada-client",
    auth_uid: "ada-uid",
    coach: "robin",
    weeks: ["ada-week-1", "ada-base", "ada-base_week_2", "ada-base_week_3", "ada-week-2"],
    response: "ada-response",
    form: "habits",
};

pub const BEN: Resident = Resident {
    client: "ben-client",
    auth_uid: "ben-uid",
    coach: "sam",
    weeks: ["ben-week-1", "ben-base", "ben-base_week_2", "ben-base_week_3", "ben-week-2"],
    response: "ben-response",
    form: "habits",
};

pub const NOBODY: Resident = Resident {
    client: "xyz-client",
    auth_uid: "xyz-uid",
    coach: "xyz-coach",
    weeks: ["xyz-week-1", "xyz-base", "xyz-base_week_2", "xyz-base_week_3", "xyz-week-2"],
    response: "xyz-response",
    form: "habits",
};

/// Words in the data of a resident that no other data has: names, e-mail, titles, answers,
/// feedback, reasons.
pub fn secret(resident: &Resident, of: &str) -> String {
    let name = resident.client.split('-').next().unwrap();
    format!("zq{name}{of}")
}

fn documents(collection: &str, documents: Vec<Value>) -> Value {
    json!({"collection": collection, "exportDate": "2026-01-11T00:00:00.000Z", "totalDocuments": documents.len(), "documents": documents})
}

fn client(of: &Resident) -> Value {
    json!({
        "_id": of.client, "authUid": of.auth_uid, "coachId": of.coach, "onboardingStatus": "completed",
        "firstName": secret(of, "first"), "lastName": secret(of, "last"), "email": format!("{}@example.com", secret(of, "mail")),
        "notes": secret(of, "note"),
    })
}

fn week(of: &Resident, id: &str, number: u32, response: Option<&str>) -> Value {
    json!({
        "_id": id, "id": if number == 1 { of.weeks[1] } else { id }, "clientId": of.auth_uid, "coachId": of.coach, "formId": of.form,
        "formTitle": secret(of, "title"), "description": secret(of, "description"), "assignedBy": of.coach,
        "assignedAt": "2026-01-01T00:00:00.000Z", "dueDate": format!("2026-01-{:02}T09:00:00.000Z", 5 + 7 * (number - 1)),
        "status": if response.is_some() { "completed" } else { "active" }, "responseId": response, "isRecurring": true,
        "recurringWeek": number, "totalWeeks": 8,
    })
}

fn response(of: &Resident) -> Value {
    json!({
        "_id": of.response, "assignmentId": of.weeks[4], "clientId": of.client, "coachId": of.coach, "formId": of.form,
        "formTitle": secret(of, "title"), "recurringWeek": 2, "score": 71, "submittedAt": "2026-01-13T08:00:00.000Z", "status": "completed",
        "responses": [{"questionId": "q1", "question": "How was it?", "answer": secret(of, "answer"), "weight": 5, "score": 7}],
    })
}

fn export(into: &Path) {
    let both = [&ADA, &BEN];
    let collections = [
        documents("clients", both.map(client).into()),
        documents("coaches", ["robin", "sam"].map(|id| json!({"_id": id, "profile": {"firstName": id, "lastName": "Coach"}})).into()),
        documents("users", ["robin", "sam"].map(|id| json!({"_id": id, "role": "coach"})).into()),
        documents("forms", vec![json!({"_id": "habits", "title": "Habits"}), json!({"_id": "sleep", "title": "Sleep"})]),
        documents("check_in_assignments", both.iter().flat_map(|of| [week(of, of.weeks[0], 1, None), week(of, of.weeks[4], 2, Some(of.response))]).collect()),
        documents("formResponses", both.map(response).into()),
        documents("coachFeedback", both.map(|of| json!({"_id": format!("{}-feedback", of.coach), "responseId": of.response, "clientId": of.client, "coachId": of.coach, "text": secret(of, "feedback")})).into()),
    ];
    for collection in collections {
        let name = collection["collection"].as_str().unwrap().to_owned();
        std::fs::write(into.join(format!("{name}.json")), collection.to_string()).unwrap();
    }
}

/// The built binary on this store.
pub fn rollbook(data: &Path) -> Command {
    let mut command = testkit::rollbook();
    command.arg("--data").arg(data);
    command
}

/// Runs a command that must succeed; what it printed.
pub fn ok(command: &mut Command) -> String {
    let ran = run(command);
    assert_eq!(ran.code, 0, "{command:?}: {ran:?}");
    ran.stdout
}

/// The store that every town begins with.
struct Imported {
    directory: TempDir,
    /// The digest of its import.
    digest: String,
    /// The batch that was planned for it.
    batch: String,
    /// The files of its export, one after another.
    export: String,
}

/// Made once a run.
fn imported() -> &'static Imported {
    static IMPORTED: OnceLock<Imported> = OnceLock::new();
    IMPORTED.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let (files, data) = (directory.path().join("export"), directory.path().join("store"));
        std::fs::create_dir(&files).unwrap();
        export(&files);
        ok(rollbook(&data).arg("import").arg(&files));
        let batch = directory.path().join("batch.ndjson");
        ok(rollbook(&data).args(["migrate", "plan", "--out"]).arg(&batch));
        let batch = std::fs::read_to_string(batch).unwrap();
        let export = String::from_utf8(crate::exports::texts(&files)).unwrap();
        let control = ok(rollbook(&data).args(["history", "control", "--json"]));
        let first: Value = serde_json::from_str(control.lines().next().unwrap()).unwrap();
        Imported { directory, digest: first["cause"].as_str().unwrap().to_owned(), batch, export }
    })
}

/// The issuer of all tokens here; its key is made once a run.
pub fn issuer() -> &'static Issuer {
    static ISSUER: OnceLock<Issuer> = OnceLock::new();
    ISSUER.get_or_init(|| Issuer::elliptic("town"))
}

/// A token for somebody; with a role, where there is one to claim.
pub fn token(subject: &str, role: Option<&str>) -> String {
    let mut claims =
        json!({"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "exp": 4_000_000_000_u32});
    if let Some(role) = role {
        claims["role"] = json!(role);
    }
    issuer().token(&claims)
}

/// The service on a store of its own.
pub struct Town {
    pub directory: TempDir,
    pub batch: &'static str,
    pub export: &'static str,
    pub import: &'static str,
    server: Server,
}

impl Town {
    pub fn start() -> Self {
        let before = imported();
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("store");
        copy_store(&before.directory.path().join("store"), &data);
        let rsa = Issuer::rsa("town-rsa");
        let jwks = directory.path().join("jwks.json");
        std::fs::write(&jwks, json!({"keys": [issuer().jwk(), rsa.jwk()]}).to_string()).unwrap();
        let access = ["--access-issuer", ISSUER, "--access-audience", AUDIENCE];
        let jwks = ["--access-jwks-file", jwks.to_str().unwrap()];
        let server = Server::serve(&mut rollbook(&data), &[&access[..], &jwks].concat());
        Self {
            directory,
            batch: &before.batch,
            export: &before.export,
            import: &before.digest,
            server,
        }
    }

    pub fn ask(&self, bearer: Option<&str>, ask: &Ask) -> Answer {
        send(self.server.address(), bearer, ask)
    }

    pub fn admin(&self, ask: &Ask) -> Answer {
        self.ask(Some(&token("boss", Some("admin"))), ask)
    }

    /// A new key with this scope.
    pub fn key(&self, name: &str, scope: &str) -> String {
        let arguments = ["--json", "key", "create", "--name", name, "--scope", scope];
        let made: Value = serde_json::from_str(&ok(self.rollbook().args(arguments))).unwrap();
        made["key"].as_str().unwrap().to_owned()
    }

    pub fn rollbook(&self) -> Command {
        rollbook(&self.directory.path().join("store"))
    }

    /// What the service wrote to stderr so far.
    pub fn complaints(&self) -> String {
        self.server.messages()
    }
}

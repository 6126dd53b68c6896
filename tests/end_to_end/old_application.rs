//! An old application that goes on taking answers: its documents, and the exports of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// The number of weeks of every series.
pub const WEEKS: u32 = 6;
/// The form of every series.
pub const FORM: &str = "f1";

/// The documents of the old application. Every client has one series, of which it stores week 1 and
/// the weeks that were answered.
pub struct OldApplication {
    home: PathBuf,
    exports: u32,
    clients: Vec<String>,
    weeks: BTreeMap<String, Value>,
    responses: BTreeMap<String, Value>,
}

impl OldApplication {
    /// An application with these clients, whose exports are written into a directory.
    pub fn new(home: &Path, clients: impl IntoIterator<Item = String>) -> Self {
        let mut new = Self {
            home: home.to_owned(),
            exports: 0,
            clients: Vec::new(),
            weeks: BTreeMap::new(),
            responses: BTreeMap::new(),
        };
        clients.into_iter().for_each(|client| new.add(&client));
        new
    }

    /// Adds a client with a series.
    pub fn add(&mut self, client: &str) {
        self.clients.push(client.to_owned());
        self.weeks.insert(base(client), week(client, &base(client), 1));
    }

    /// Stores an open week as a document of its own.
    pub fn store(&mut self, client: &str, number: u32) {
        let id = document(client, number);
        self.weeks.entry(id.clone()).or_insert_with(|| week(client, &id, number));
    }

    /// Takes the answer of a week and returns the id of the response.
    pub fn answer(&mut self, client: &str, number: u32) -> String {
        self.store(client, number);
        let (id, response) = (document(client, number), format!("{client}-old-r{number}"));
        let week = self.weeks.get_mut(&id).unwrap();
        week["responseId"] = json!(response);
        week["status"] = json!("completed");
        week["completedAt"] = json!("2026-01-19T08:00:00Z");
        week["score"] = json!(33);
        let answer = json!({"_id": response, "assignmentId": id, "clientId": client, "formId": FORM,
            "recurringWeek": number, "score": 33, "submittedAt": "2026-01-19T08:00:00Z", "responses": []});
        self.responses.insert(response.clone(), answer);
        response
    }

    /// The ids of all responses.
    pub fn responses(&self) -> Vec<String> {
        self.responses.keys().cloned().collect()
    }

    /// Writes an export, which is later than the ones before, and returns its directory.
    pub fn export(&mut self) -> PathBuf {
        self.exports += 1;
        let directory = self.home.join(format!("export-{}", self.exports));
        std::fs::create_dir_all(&directory).unwrap();
        let date = format!("2026-01-20T00:{:02}:00.000Z", self.exports);
        let client = |id: &String| json!({"_id": id, "onboardingStatus": "completed"});
        let files: [(&str, Vec<Value>); 4] = [
            ("clients", self.clients.iter().map(client).collect()),
            ("forms", vec![json!({"_id": FORM, "title": "Weekly"})]),
            ("check_in_assignments", self.weeks.values().cloned().collect()),
            ("formResponses", self.responses.values().cloned().collect()),
        ];
        let mut listed = Vec::new();
        for (name, documents) in files {
            listed.push(json!({"name": name, "count": documents.len(), "status": "success"}));
            let file = json!({"collection": name, "exportDate": date,
                "totalDocuments": documents.len(), "documents": documents});
            std::fs::write(directory.join(format!("{name}.json")), file.to_string()).unwrap();
        }
        let summary = json!({"backupDate": date, "status": "success", "collections": listed});
        std::fs::write(directory.join("BACKUP_SUMMARY.json"), summary.to_string()).unwrap();
        directory
    }
}

fn base(client: &str) -> String {
    document(client, 1)
}

fn document(client: &str, number: u32) -> String {
    format!("{client}-w{number}")
}

fn week(client: &str, id: &str, number: u32) -> Value {
    json!({"_id": id, "id": format!("legacy-{id}"), "clientId": client, "formId": FORM,
        "formTitle": "Weekly", "isRecurring": true, "recurringWeek": number, "totalWeeks": WEEKS,
        "dueDate": due(number), "status": "active", "assignedAt": "2026-01-01T10:00:00Z",
        "coachId": "k1"})
}

/// The Mondays from 2026-01-05 on.
fn due(number: u32) -> String {
    let day = 5 + 7 * (number - 1);
    let (month, day) = if day > 31 { (2, day - 31) } else { (1, day) };
    format!("2026-{month:02}-{day:02}T09:00:00Z")
}

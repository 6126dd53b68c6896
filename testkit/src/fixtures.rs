//! The exports under `tests/fixtures`, and what the old system answered on them.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// Each fixture that has answers of the old system, with the time zone of that system.
pub const FIXTURES: [(&str, &str); 4] =
    [("tracker", "UTC"), ("clean", "UTC"), ("dirty", "UTC"), ("dirty-london", "Europe/London")];

/// The root of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The directory of a fixture. Its export is in `export`, the answers are in `expected`.
pub fn fixture(name: &str) -> PathBuf {
    repository().join("tests/fixtures").join(name)
}

/// The directory of a small input that once led to a wrong result.
pub fn fixture_case(name: &str) -> PathBuf {
    fixture("cases").join(name)
}

/// The documents of one collection in a fixture's export.
pub fn documents(fixture_name: &str, collection: &str) -> Vec<Value> {
    let file = fixture(fixture_name).join("export").join(format!("{collection}.json"));
    let mut file: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    match file["documents"].take() {
        Value::Array(documents) => documents,
        other => panic!("{fixture_name}/{collection} has no documents but {other}"),
    }
}

/// One answer of the old system.
pub struct ExpectedAnswer {
    /// The instant that it was asked at.
    pub now: String,
    /// The id that it was asked about.
    pub client: String,
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: Value,
}

/// The old system's answers of one kind, `legacy` or `precreated-after-migration`. All answers for
/// one instant are beside each other; instants ascend.
pub fn expected(fixture_name: &str, kind: &str) -> Vec<ExpectedAnswer> {
    let directory = fixture(fixture_name).join("expected");
    let mut answers = Vec::new();
    for path in crate::paths(&directory) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some(now) = name.strip_prefix(kind).and_then(|rest| rest.strip_prefix('@')) else {
            continue;
        };
        // `legacy@2026-01-11T005251.000Z.ndjson` was asked at 00:52:51.
        let now = now.strip_suffix(".ndjson").unwrap();
        let now = format!("{}:{}:{}", &now[..13], &now[13..15], &now[15..]);
        let answer = |mut line: Value| ExpectedAnswer {
            now: now.clone(),
            client: line["clientId"].as_str().unwrap().to_owned(),
            status: u16::try_from(line["status"].as_u64().unwrap()).unwrap(),
            body: line["body"].take(),
        };
        let text = std::fs::read_to_string(&path).unwrap();
        answers.extend(crate::lines(&text).into_iter().map(answer));
    }
    assert!(!answers.is_empty(), "{fixture_name} has no {kind}");
    answers
}

/// A body in which the ids of weeks that Rollbook made are `*`, as the fixtures have it.
pub fn starred(mut body: Value) -> Value {
    let is_uuid =
        |text: &str| text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    for entry in body["data"]["checkins"].as_array_mut().unwrap() {
        for field in ["id", "documentId"] {
            if entry[field].as_str().is_some_and(is_uuid) {
                entry[field] = "*".into();
            }
        }
    }
    body
}

/// Writes an export of one client, `c1` with the coach `coach1` and the form `f1`, with these
/// assignments and responses. Each has its own fields laid over those that all have.
pub fn small_export(directory: &Path, assignments: &[Value], responses: &[Value]) {
    std::fs::create_dir_all(directory).unwrap();
    let client = json!({"_id": "c1", "authUid": "c1", "firstName": "Ada", "lastName": "Ash",
        "email": "ada@example.com", "coachId": "coach1", "onboardingStatus": "completed"});
    let assignment = json!({"formId": "f1", "formTitle": "Weekly", "clientId": "c1",
        "coachId": "coach1", "status": "active", "assignedAt": "2026-01-01T10:00:00.000Z",
        "completedAt": null, "score": 0, "isRecurring": true, "totalWeeks": 4});
    let response = json!({"clientId": "c1", "coachId": "coach1", "formId": "f1",
        "formTitle": "Weekly", "responses": [], "score": 80,
        "submittedAt": "2026-01-21T10:00:00.000Z", "status": "completed"});
    let over = |common: &Value, own: &[Value]| -> Vec<Value> {
        let mut laid = Vec::new();
        for fields in own {
            let mut document = common.clone();
            for (name, value) in fields.as_object().unwrap() {
                document[name] = value.clone();
            }
            laid.push(document);
        }
        laid
    };
    let collections = [
        ("clients", vec![client]),
        ("coaches", vec![json!({"_id": "coach1"})]),
        ("users", Vec::new()),
        ("forms", vec![json!({"_id": "f1", "title": "Weekly"})]),
        ("check_in_assignments", over(&assignment, assignments)),
        ("formResponses", over(&response, responses)),
        ("coachFeedback", Vec::new()),
        ("check_in_extensions", Vec::new()),
    ];
    let at = "2026-01-25T00:00:00.000Z";
    let mut summary = Vec::new();
    for (name, documents) in collections {
        let count = documents.len();
        let file = json!({"collection": name, "exportDate": at, "totalDocuments": count, "documents": documents});
        std::fs::write(directory.join(format!("{name}.json")), file.to_string()).unwrap();
        summary.push(json!({"name": name, "count": count, "status": "success", "error": null}));
    }
    let summary = json!({"backupDate": at, "collections": summary, "totals": {}});
    std::fs::write(directory.join("BACKUP_SUMMARY.json"), summary.to_string()).unwrap();
}

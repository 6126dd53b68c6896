//! `rollbook history` by every kind of id, with personal content only on request.

use serde_json::{Value, json};
use testkit::{Store, documents, lines};

fn history(store: &Store, id: &str) -> Vec<Value> {
    lines(&store.ok(&["history", id, "--json"]))
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

#[test]
fn an_imported_weeks_history_holds_assignment_response_and_feedback_by_every_id() {
    let store = Store::imported("clean");
    let feedback = &documents("clean", "coachFeedback")[0];
    let assignments = documents("clean", "check_in_assignments");
    let assignment = assignments
        .iter()
        .find(|one| text(one, "responseId") == text(feedback, "responseId"))
        .unwrap();
    let by_document = history(&store, text(assignment, "_id"));
    let documents_of = |events: &[Value], collection: &str| -> Vec<String> {
        let of_collection =
            events.iter().filter(|one| one["event"]["data"]["collection"] == collection);
        of_collection.map(|one| text(&one["event"]["data"], "id").to_owned()).collect()
    };
    assert_eq!(documents_of(&by_document, "check_in_assignments"), [text(assignment, "_id")]);
    assert!(
        documents_of(&by_document, "formResponses")
            .contains(&text(feedback, "responseId").to_owned()),
        "{by_document:?}"
    );
    assert!(
        documents_of(&by_document, "coachFeedback").contains(&text(feedback, "_id").to_owned())
    );
    let positions: Vec<u64> =
        by_document.iter().map(|one| one["position"].as_u64().unwrap()).collect();
    assert!(positions.is_sorted());

    let by_response = history(&store, text(feedback, "responseId"));
    assert_eq!(documents_of(&by_response, "formResponses"), [text(feedback, "responseId")]);
    assert!(
        documents_of(&by_response, "check_in_assignments")
            .contains(&text(assignment, "_id").to_owned())
    );
    let one = history(&store, by_document[0]["id"].as_str().unwrap());
    assert_eq!((one.len(), &one[0]), (1, &by_document[0]));
}

#[test]
fn what_is_personal_shows_only_on_request() {
    let store = Store::imported("clean");
    let response = documents("clean", "formResponses")
        .into_iter()
        .find(|one| !text(&one["responses"][0], "questionId").is_empty())
        .unwrap();
    let id = text(&response, "_id");
    // Text is cut short: its start is enough.
    for (json, personal) in [(&["--json"][..], "questionId"), (&[], "answeredQuestions")] {
        let closed = store.ok(&[&["history", id], json].concat());
        assert!(closed.contains("[…]") && !closed.contains(personal), "{closed}");
        let open = store.ok(&[&["history", id, "--with-answers"], json].concat());
        assert!(open.contains(personal), "{open}");
    }
    let assigned = store.json(&super::views::assign("2026-03-02", "2026-02-25T12:00:00Z"));
    let week = assigned["assignments"][0]["id"].as_str().unwrap();
    store.ok(&[
        "respond",
        week,
        "--answers",
        r#"[{"answer":"secret-answer"}]"#,
        "--at",
        "2026-03-02T09:00:00Z",
    ]);
    store.ok(&[
        "extend",
        assigned["assignments"][1]["id"].as_str().unwrap(),
        "--reason",
        "secret-reason",
    ]);
    let series = "series/vJ47rGpctaegMIc8mAsNqjSc3vux/new-form";
    for json in [&["--json"][..], &[]] {
        assert!(!store.ok(&[&["history", series], json].concat()).contains("secret-"));
        let open = store.ok(&[&["history", series, "--with-answers"], json].concat());
        assert!(open.contains("secret-answer") && open.contains("secret-reason"), "{open}");
    }
}

#[test]
fn a_weeks_history_is_its_own_and_not_its_neighbours() {
    let store = Store::imported("clean");
    let assigned = store.json(&super::views::assign("2026-03-02", "2026-02-25T12:00:00Z"));
    let week =
        |number: usize| assigned["assignments"][number - 1]["id"].as_str().unwrap().to_owned();
    store.ok(&["respond", &week(1), "--as", "client:someone", "--at", "2026-03-02T09:00:00Z"]);
    store.ok(&[
        "pause",
        "series/vJ47rGpctaegMIc8mAsNqjSc3vux/new-form",
        "--weeks",
        "1",
        "--at",
        "2026-03-03T09:00:00Z",
    ]);
    let names = |id: &str| -> Vec<String> {
        history(&store, id).iter().map(|one| text(&one["event"], "type").to_owned()).collect()
    };
    assert_eq!(names(&week(1)), ["AssignmentCreated", "ResponseSubmitted"]);
    assert_eq!(names(&week(2)), ["AssignmentCreated", "SeriesPaused"]);
    let answered = &history(&store, &week(1))[1];
    assert_eq!(answered["actor"], json!({"role": "client", "id": "someone"}));
    assert_eq!(answered["occurred_at"], json!("2026-03-02T09:00:00.000Z"));
    let by_response = names(answered["event"]["data"]["response"].as_str().unwrap());
    assert_eq!(by_response, ["ResponseSubmitted"]);
    let never = store.run(&["history", &format!("{}_week_9", week(1))]);
    assert_eq!((never.code, never.stdout.as_str()), (0, ""));
    assert!(never.stderr.contains("no stored event"), "{}", never.stderr);
}

#[test]
fn clients_coaches_series_and_batches_are_found_by_their_ids() {
    let store = Store::imported("clean");
    let assignments = documents("clean", "check_in_assignments");
    let clients = documents("clean", "clients");
    let client = clients
        .iter()
        .find(|client| assignments.iter().any(|one| one["clientId"] == client["_id"]))
        .unwrap();
    let by_id = history(&store, text(client, "_id"));
    assert_eq!(history(&store, &format!("client/{}", text(client, "_id"))), by_id);
    assert_eq!(history(&store, text(client, "authUid")), by_id);
    assert!(by_id.iter().any(|one| one["event"]["data"]["collection"] == "clients"));
    let series = by_id.iter().find(|one| text(one, "stream").starts_with("series/")).unwrap();
    assert!(history(&store, text(series, "stream")).contains(series));
    let coach = &documents("clean", "coaches")[0];
    assert_eq!(
        history(&store, text(coach, "_id")).len(),
        history(&store, &format!("coach/{}", text(coach, "_id"))).len()
    );

    let import = history(&store, "control").pop().unwrap();
    let digest = text(&import["event"]["data"], "digest").to_owned();
    let of_import = history(&store, &digest[..8]);
    let head = store.json(&["status"])["head"].as_u64().unwrap();
    assert_eq!((of_import.len() as u64, of_import.last()), (head, Some(&import)));
    let table = store.ok(&["history", "control"]);
    assert!(table.lines().next().unwrap().starts_with("position  recorded"), "{table}");
    assert!(table.contains(&digest[..12]) && !table.contains(&digest), "{table}");
}

#[test]
fn a_history_says_why_and_under_which_batch_in_every_form() {
    let store = Store::imported("clean");
    let home = store.around().join("batch.ndjson");
    let file = home.to_str().unwrap();
    let planned = store.json(&["migrate", "plan", "--out", file]);
    store.ok(&["migrate", "apply", file]);
    store.run(&["migrate", "validate"]);
    store.ok(&["switch", "precreated", "--percent", "10", "--reason", "first | tenth"]);
    let backup = store.json(&["backup", "create", "--name", "one"]);
    let digest = text(&planned, "digest").to_owned();

    let migration = history(&store, "migration");
    let of = |name: &str| -> Vec<&Value> {
        migration.iter().filter(|one| one["name"] == name).collect()
    };
    assert_eq!(
        of("AssignmentCreated").len() as u64,
        planned["counts"]["created"].as_u64().or(planned["created"].as_u64()).unwrap()
    );
    assert!(of("AssignmentCreated").iter().all(
        |one| one["batch"] == json!(digest) && one["why"] == "the migration stores every week"
    ));
    for name in [
        "ImportCompleted",
        "BatchPlanned",
        "BatchApplied",
        "ValidationRecorded",
        "ViewSwitched",
        "BackupTaken",
    ] {
        assert_eq!(of(name).len(), 1, "{name}");
    }
    assert_eq!(of("ViewSwitched")[0]["why"], "first | tenth");
    assert!(
        migration.iter().all(|one| one["name"] != "AssignmentImported"),
        "an import is no migration"
    );
    let positions: Vec<u64> =
        migration.iter().map(|one| one["position"].as_u64().unwrap()).collect();
    assert!(positions.is_sorted());

    let markdown = store.ok(&["history", "control", "--format", "md"]);
    assert!(
        markdown.starts_with(
            "# History of `control`\n\n| position | recorded | happened | who | what |"
        ),
        "{markdown}"
    );
    assert!(markdown.contains("first \\| tenth"), "{markdown}");
    assert!(markdown.contains(&format!("batch {}", &digest[..12])), "{markdown}");
    let table = store.ok(&["history", "control"]);
    assert!(table.contains(&format!("[batch {}]", &digest[..12])), "{table}");
    assert_eq!(
        store.ok(&["history", "control", "--format", "json"]),
        store.ok(&["history", "control", "--json"])
    );
    // A backup is found by the digest of its manifest.
    let of_backup = history(&store, &text(&backup, "manifest_digest")[..10]);
    assert_eq!((of_backup.len(), &of_backup[0]["name"]), (1, &json!("BackupTaken")));
}

#[test]
fn an_id_that_means_nothing_is_an_error() {
    let store = Store::imported("clean");
    for id in [
        "nobody",
        "client/nobody",
        "coach/nobody",
        "form/nobody",
        "series/nobody/nothing",
        "ffffff",
        "00000000-0000-0000-0000-000000000000",
    ] {
        let error = store.fails(1, &["history", id]);
        assert!(error.contains(id), "{error}");
    }
}

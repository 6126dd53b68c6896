//! The commands that write a series: their reports, their refusals, and that a refusal changes
//! nothing.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};
use testkit::{Store, start};

const CLIENT: &str = "vJ47rGpctaegMIc8mAsNqjSc3vux";
const SERIES: &str = "series/vJ47rGpctaegMIc8mAsNqjSc3vux/new-form";

fn assign(store: &Store, more: &[&str]) -> Value {
    let basic = [
        "assign",
        "--client",
        CLIENT,
        "--form",
        "new-form",
        "--coach",
        "new-coach",
        "--allow-unknown",
        "--at",
        "2026-02-25T12:00:00Z",
    ];
    store.json(&[&basic[..], more].concat())
}

/// A store with a series of four weeks, due 2026-03-02 and the three Mondays after it, and the ids
/// of its weeks.
fn with_series() -> (Store, Vec<String>) {
    let store = Store::imported("clean");
    let assigned = assign(&store, &["--title", "New"]);
    let ids = assigned["assignments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|week| week["id"].as_str().unwrap().to_owned());
    let ids: Vec<String> = ids.collect();
    (store, ids)
}

fn week(check_ins: &[Value], week: u64) -> &Value {
    check_ins
        .iter()
        .find(|entry| entry["formId"] == "new-form" && entry["recurringWeek"] == week)
        .unwrap()
}

#[test]
fn an_allocation_is_due_on_mondays_at_the_local_time_of_the_old_server() {
    let store = Store::imported("clean");
    let assigned = assign(&store, &["--weeks", "3", "--start", "2026-03-02"]);
    let dues: Vec<&str> = assigned["assignments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|week| week["due"].as_str().unwrap())
        .collect();
    assert_eq!(
        dues,
        ["2026-03-09T09:00:00.000Z", "2026-03-16T09:00:00.000Z", "2026-03-23T09:00:00.000Z"]
    );
    assert_eq!((&assigned["run"], &assigned["repeated"]), (&json!(1), &json!(false)));

    let london = Store::imported("dirty-london");
    let basic = ["assign", "--client", "any", "--form", "f", "--coach", "c", "--allow-unknown"];
    let more = ["--first-due", "2026-03-21", "--due-time", "18:30", "--weeks", "2"];
    let assigned = london.json(&[&basic[..], &more].concat());
    let dues: Vec<&str> = assigned["assignments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|week| week["due"].as_str().unwrap())
        .collect();
    assert_eq!(dues, ["2026-03-23T18:30:00.000Z", "2026-03-30T17:30:00.000Z"]);
}

#[test]
fn once_makes_one_week_and_the_title_is_the_forms() {
    let store = Store::imported("clean");
    let form = "form-1765694942359-rssdwugus";
    let arguments = [
        "assign",
        "--client",
        CLIENT,
        "--form",
        form,
        "--coach",
        "pLIix6MEOLeMa61EqJomTEI1JEzO",
        "--once",
    ];
    let at = ["--first-due", "2027-03-01", "--at", "2027-02-25T12:00:00Z"];
    let assigned = store.json(&[&arguments[..], &at].concat());
    assert_eq!(assigned["assignments"].as_array().unwrap().len(), 1);
    let check_ins = store.check_ins("precreated", CLIENT, "2027-02-25T13:00:00Z");
    let entry =
        check_ins.iter().find(|entry| entry["dueDate"] == "2027-03-01T09:00:00.000Z").unwrap();
    assert_eq!(
        (&entry["title"], &entry["isRecurring"], &entry["totalWeeks"]),
        (&json!("Weekly Check In"), &json!(false), &json!(1))
    );
}

#[test]
fn a_run_with_open_weeks_is_extended_or_refused() {
    let (store, ids) = with_series();
    let basic = [
        "assign",
        "--client",
        CLIENT,
        "--form",
        "new-form",
        "--coach",
        "new-coach",
        "--allow-unknown",
    ];
    let refused = store.fails(3, &[&basic[..], &["--at", "2026-02-25T12:00:00Z"]].concat());
    assert!(refused.contains("4 open weeks") && refused.contains("--extend"), "{refused}");
    let extended = assign(&store, &["--extend", "--weeks", "2"]);
    assert_eq!(
        (&extended["run"], &extended["assignments"][0]["week"]),
        (&json!(1), &json!(ids.len() + 1))
    );
    assert_eq!(
        store
            .check_ins("precreated", CLIENT, "2026-03-02T10:00:00Z")
            .iter()
            .filter(|e| e["formId"] == "new-form")
            .count(),
        6
    );
}

#[test]
fn an_answer_is_taken_once_and_shows_in_both_views() {
    let (store, ids) = with_series();
    let answers = r#"[{"questionId":"q1","answer":"yes","weight":5,"score":8},{"questionId":"q2","answer":"no","weight":5,"score":4}]"#;
    let at = ["--at", "2026-03-03T08:00:00Z"];
    let answered = store.json(&[&["respond", &ids[0], "--answers", answers], &at[..]].concat());
    assert_eq!(
        (&answered["score"], &answered["alreadyCompleted"], &answered["week"]),
        (&json!(60), &json!(false), &json!(1))
    );
    assert_eq!(answered["assignmentId"], json!(ids[0]));
    let head = store.json(&["status"])["head"].clone();
    assert_eq!(answered["position"], head);

    let again = store.json(&["respond", SERIES, "--week", "1", "--score", "3"]);
    assert_eq!(
        (&again["alreadyCompleted"], &again["score"], &again["position"]),
        (&json!(true), &json!(60), &Value::Null)
    );
    assert_eq!(
        (&again["responseId"], &again["assignmentId"]),
        (&answered["responseId"], &answered["assignmentId"])
    );
    assert_eq!(store.json(&["status"])["head"], head);
    for view in ["legacy", "precreated", "live"] {
        let check_ins = store.check_ins(view, CLIENT, "2026-03-03T10:00:00Z");
        let entry = week(&check_ins, 1);
        assert_eq!(
            (&entry["status"], &entry["responseId"]),
            (&json!("completed"), &answered["responseId"]),
            "{view}"
        );
    }
}

#[test]
fn answers_come_from_a_file_or_stdin_and_must_be_a_list() {
    let (store, ids) = with_series();
    let file = store.around().join("answers.json");
    std::fs::write(&file, r#"[{"weight":1,"score":7}]"#).unwrap();
    let answered = store.json(&["respond", &ids[0], "--answers", file.to_str().unwrap()]);
    assert_eq!(answered["score"], json!(70));
    let mut command = store.command(&["respond", &ids[1], "--answers", "-", "--json"]);
    let mut child = start(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
    child.stdin.take().unwrap().write_all(br#"[{"weight":1,"score":9}]"#).unwrap();
    let answered = child.finish();
    assert_eq!(serde_json::from_str::<Value>(&answered.stdout).unwrap()["score"], json!(90));

    let none = store.json(&["respond", &ids[2]]);
    assert_eq!(none["score"], Value::Null);
    store.fails(3, &["respond", &ids[3], "--answers", "{}"]);
    store.fails(3, &["respond", &ids[3], "--answers", "[1]"]);
    store.fails(3, &["respond", &ids[3], "--answers", "[{]"]);
    store.fails(3, &["respond", &ids[3], "--score", "101"]);
    let missing = store.fails(1, &["respond", &ids[3], "--answers", "no-such-file"]);
    assert!(missing.contains("no-such-file"), "{missing}");
}

#[test]
fn a_key_does_a_thing_once_and_never_another() {
    let (store, ids) = with_series();
    let first = store.json(&[
        "respond",
        &ids[0],
        "--score",
        "5",
        "--key",
        "k1",
        "--at",
        "2026-03-03T08:00:00Z",
    ]);
    let head = store.json(&["status"])["head"].clone();
    assert_eq!(
        store.json(&[
            "respond",
            &ids[0],
            "--score",
            "5",
            "--key",
            "k1",
            "--at",
            "2026-03-03T08:00:00Z"
        ]),
        first
    );
    assert_eq!(store.json(&["status"])["head"], head);
    let reused = store.fails(3, &["respond", &ids[1], "--score", "5", "--key", "k1"]);
    assert!(reused.contains("k1\"") && reused.contains("next: "), "{reused}");
    let granted = store.json(&["extend", &ids[1], "--reason", "moving house", "--key", "k2"]);
    let again = store.json(&["extend", &ids[1], "--reason", "moving house", "--key", "k2"]);
    assert_eq!((&granted["repeated"], &again["repeated"]), (&json!(false), &json!(true)));
    assert_eq!(granted["events"], again["events"]);
}

#[test]
fn an_allocation_under_a_key_is_the_same_at_any_later_time() {
    let store = Store::imported("clean");
    let first = assign(&store, &["--key", "k1"]);
    // Asked again later, without dates: what followed from the clock follows from the first time.
    let basic = [
        "assign",
        "--client",
        CLIENT,
        "--form",
        "new-form",
        "--coach",
        "new-coach",
        "--allow-unknown",
        "--key",
        "k1",
    ];
    let again = store.json(&basic);
    assert_eq!((&again["repeated"], &again["assignments"]), (&json!(true), &first["assignments"]));
    store.fails(3, &[&basic[..], &["--weeks", "9"]].concat());
}

#[test]
fn a_week_is_missed_reopened_extended_and_withdrawn() {
    let (store, ids) = with_series();
    let at = |time: &'static str| ["--at", time];
    let early = store.fails(
        3,
        &[&["miss", &ids[0], "--reason", "sick"], &at("2026-03-05T08:59:59Z")[..]].concat(),
    );
    assert!(
        early.contains("next: it can be marked missed from 2026-03-05T09:00:00.000Z on"),
        "{early}"
    );
    store.fails(
        3,
        &[&["miss", &ids[0], "--reason", "other"], &at("2026-03-05T09:00:00Z")[..]].concat(),
    );
    store.fails(2, &["miss", &ids[0], "--reason", "lazy"]);
    let missed = store.json(
        &[&["miss", &ids[0], "--reason", "personal_emergency"], &at("2026-03-05T09:00:00Z")[..]]
            .concat(),
    );
    assert_eq!(missed["events"][0]["event"], json!("AssignmentMissed"));
    assert_eq!(
        week(&store.check_ins("legacy", CLIENT, "2026-03-05T10:00:00Z"), 1)["status"],
        json!("missed")
    );
    store.fails(
        3,
        &[&["miss", &ids[0], "--reason", "sick"], &at("2026-03-05T09:00:00Z")[..]].concat(),
    );

    store.json(
        &[&["reopen", &ids[0], "--as", "coach:robin"], &at("2026-03-05T09:30:00Z")[..]].concat(),
    );
    // It is open: opening it again writes nothing.
    let again = store.json(&[&["reopen", &ids[0]], &at("2026-03-05T09:30:00Z")[..]].concat());
    assert_eq!(again["events"], json!([]));
    assert_eq!(
        week(&store.check_ins("legacy", CLIENT, "2026-03-05T10:00:00Z"), 1)["status"],
        json!("overdue")
    );

    store.fails(3, &["extend", &ids[0], "--reason", "too short"]);
    store.json(&["extend", &ids[0], "--reason", "long enough"]);
    assert_eq!(
        store.json(&["extend", &ids[0], "--reason", "once more please"])["events"],
        json!([])
    );
    assert_eq!(
        week(&store.check_ins("precreated", CLIENT, "2026-03-05T10:00:00Z"), 1)["extensionGranted"],
        json!(true)
    );

    store.json(&["withdraw", "--assignment", &ids[1], "--reason", "sent twice"]);
    assert!(
        !store
            .check_ins("precreated", CLIENT, "2026-03-05T10:00:00Z")
            .iter()
            .any(|entry| entry["id"] == json!(ids[1]))
    );
    store.fails(3, &["respond", &ids[1]]);
}

#[test]
fn a_series_is_paused_resumed_and_withdrawn_by_either_name() {
    let (store, ids) = with_series();
    let due = |store: &Store| {
        week(&store.check_ins("precreated", CLIENT, "2026-03-02T08:00:00Z"), 2)["dueDate"].clone()
    };
    let at = ["--at", "2026-03-02T08:00:00Z"];
    let none = store.fails(3, &["resume", SERIES]);
    assert!(none.contains("this series has no active pause"), "{none}");
    store.fails(3, &[&["pause", SERIES, "--weeks", "0"], &at[..]].concat());
    store.json(
        &[&["pause", "--client", CLIENT, "--form", "new-form", "--weeks", "2"], &at[..]].concat(),
    );
    assert_eq!(due(&store), json!("2026-03-23T09:00:00.000Z"));
    store.json(&[&["resume", SERIES], &at[..]].concat());
    assert_eq!(due(&store), json!("2026-03-09T09:00:00.000Z"));

    store.json(&[&["respond", &ids[0], "--score", "9"], &at[..]].concat());
    store.fails(2, &["withdraw", SERIES]);
    store.fails(
        2,
        &["withdraw", SERIES, "--client", CLIENT, "--form", "new-form", "--reason", "both"],
    );
    store.json(&["withdraw", SERIES, "--reason", "left"]);
    let left: Vec<Value> = store.check_ins("precreated", CLIENT, "2026-03-02T08:00:00Z");
    let left: Vec<&Value> = left.iter().filter(|entry| entry["formId"] == "new-form").collect();
    assert_eq!((left.len(), &left[0]["status"]), (1, &json!("completed")));
    let next = assign(&store, &[]);
    assert_eq!(next["run"], json!(2));
    store.json(&[
        "withdraw",
        "--client",
        CLIENT,
        "--form",
        "new-form",
        "--reason",
        "left again",
        "--drop-answered",
    ]);
}

#[test]
fn feedback_goes_to_a_response_from_a_known_coach() {
    let (store, ids) = with_series();
    let response = store.json(&["respond", &ids[0], "--at", "2026-03-03T08:00:00Z"])["responseId"]
        .as_str()
        .unwrap()
        .to_owned();
    let unknown =
        store.fails(1, &["feedback", &response, "--coach", "nobody", "--text", "well done"]);
    assert!(unknown.contains("\"nobody\""), "{unknown}");
    store.fails(
        1,
        &[
            "feedback",
            "no-response",
            "--coach",
            "pLIix6MEOLeMa61EqJomTEI1JEzO",
            "--text",
            "well done",
        ],
    );
    store.fails(
        3,
        &["feedback", &response, "--coach", "pLIix6MEOLeMa61EqJomTEI1JEzO", "--text", " "],
    );
    store.json(&[
        "feedback",
        &response,
        "--coach",
        "pLIix6MEOLeMa61EqJomTEI1JEzO",
        "--text",
        "well done",
    ]);
    assert_eq!(
        week(&store.check_ins("legacy", CLIENT, "2026-03-03T10:00:00Z"), 1)["coachResponded"],
        json!(true)
    );
}

//! Past states: views as of a position or an instant, changes for a client with the events that
//! made them, and the list that a client saw.

use serde_json::{Value, json};
use testkit::Store;

const CLIENT: &str = "vJ47rGpctaegMIc8mAsNqjSc3vux";
const FORM: &str = "form-1765694942359-rssdwugus";
const COACH: &str = "pLIix6MEOLeMa61EqJomTEI1JEzO";

fn head(store: &Store) -> u64 {
    store.json(&["status"])["head"].as_u64().unwrap()
}

fn recorded_at(store: &Store, position: u64) -> String {
    let control = store.ok(&["history", &format!("client/{CLIENT}"), "--json"]);
    let events = testkit::lines(&control);
    let event =
        events.iter().rfind(|event| event["position"].as_u64().unwrap() <= position).unwrap();
    event["recorded_at"].as_str().unwrap().to_owned()
}

/// A store where a client gets four weeks and answers one; the positions before, between and after.
fn lived() -> (Store, [u64; 3], String) {
    let store = Store::imported("clean");
    let before = head(&store);
    let assign = [
        "assign",
        "--client",
        CLIENT,
        "--form",
        FORM,
        "--coach",
        COACH,
        "--weeks",
        "4",
        "--start",
        "2026-03-02",
    ];
    let assigned = store.run(&[&assign[..], &["--at", "2026-03-01T09:00:00Z", "--json"]].concat());
    assert!(matches!(assigned.code, 0), "{assigned:?}");
    let assigned: Value = serde_json::from_str(&assigned.stdout).unwrap();
    let week_one = assigned["assignments"][0]["id"].as_str().unwrap().to_owned();
    let between = head(&store);
    store.ok(&["respond", &week_one, "--score", "70", "--at", "2026-03-09T10:00:00Z"]);
    let after = head(&store);
    (store, [before, between, after], week_one)
}

#[test]
fn as_of_an_instant_is_as_of_the_last_position_recorded_by_then() {
    let (store, [_, between, after], _) = lived();
    for position in [between, after] {
        let instant = recorded_at(&store, position);
        for view in ["legacy", "precreated", "live"] {
            let asked =
                ["view", view, "--client", CLIENT, "--at", "2026-03-10T09:00:00Z", "--as-of"];
            let by_position = store.ok(&[&asked[..], &[&position.to_string()]].concat());
            assert_eq!(
                store.ok(&[&asked[..], &[&instant]].concat()),
                by_position,
                "{view} at {position}"
            );
        }
        let all = ["view", "live", "--all", "--at", "2026-03-10T09:00:00Z", "--as-of"];
        let by_position = store.ok(&[&all[..], &[&position.to_string()]].concat());
        assert_eq!(store.ok(&[&all[..], &[&instant]].concat()), by_position);
        assert!(by_position.lines().count() > 10);
    }
    // Before the first event no client had a list.
    let nothing =
        store.ok(&["view", "live", "--client", CLIENT, "--as-of", "1999-01-01T00:00:00Z"]);
    assert!(nothing.contains("\"checkins\":[]"), "{nothing}");
    let error = store.fails(2, &["view", "live", "--client", CLIENT, "--as-of", "lately"]);
    assert!(error.contains("neither a position nor"), "{error}");
}

#[test]
fn a_diff_names_what_came_changed_and_went_and_the_events_that_did_it() {
    let (store, [before, between, after], week_one) = lived();
    let diff = |from: u64, to: u64, more: &[&str]| {
        let (from, to) = (from.to_string(), to.to_string());
        let asked = [
            "diff",
            "--from",
            &from,
            "--to",
            &to,
            "--client",
            CLIENT,
            "--at",
            "2026-03-10T09:00:00Z",
        ];
        store.json(&[&asked[..], more].concat())
    };
    let came = diff(before, between, &["--view", "precreated"]);
    assert_eq!((came["changed"].clone(), came["removed"].clone()), (json!([]), json!([])));
    assert!(
        came["added"].as_array().unwrap().iter().any(|entry| entry["id"] == json!(week_one)),
        "{came}"
    );
    assert!(
        came["events"]
            .as_array()
            .unwrap()
            .iter()
            .all(|event| event["event"] == "AssignmentCreated"),
        "{came}"
    );
    for entry in came["added"].as_array().unwrap() {
        assert_eq!(
            entry["events"].as_array().unwrap().len(),
            1,
            "each week was made by one event: {entry}"
        );
    }

    let answered = diff(between, after, &["--view", "precreated"]);
    let [changed] = answered["changed"].as_array().unwrap().as_slice() else {
        panic!("{answered}")
    };
    assert_eq!(
        (&changed["id"], &changed["fields"]["status"]["to"], &changed["fields"]["score"]["to"]),
        (&json!(week_one), &json!("completed"), &json!(70))
    );
    let [event] = answered["events"].as_array().unwrap().as_slice() else { panic!("{answered}") };
    assert_eq!((&event["event"], &event["position"]), (&json!("ResponseSubmitted"), &json!(after)));
    assert_eq!(changed["events"], json!([after]));

    // The way back: the same, the other way round is refused.
    let (from, to) = (after.to_string(), before.to_string());
    let error = store.fails(2, &["diff", "--from", &from, "--to", &to, "--client", CLIENT]);
    assert!(error.contains("earlier position first"), "{error}");
    let same = diff(after, after, &[]);
    assert_eq!((same["added"].clone(), same["events"].clone()), (json!([]), json!([])));
    let beyond = store.fails(1, &["diff", "--from", "1", "--to", "999999", "--client", CLIENT]);
    assert!(beyond.contains("999999"), "{beyond}");
}

#[test]
fn a_switch_is_an_event_that_changes_what_is_seen_and_weeks_are_paired_over_it() {
    let (store, [_, _, after], week_one) = lived();
    crate::opened::validated(&store, true);
    store.ok(&["switch", "precreated", "--client", CLIENT, "--reason", "pilot"]);
    let (from, to) = (after.to_string(), head(&store).to_string());
    let asked =
        ["diff", "--from", &from, "--to", &to, "--client", CLIENT, "--at", "2026-03-10T09:00:00Z"];
    let diff = store.json(&asked);
    assert_eq!(
        (&diff["from"]["view"], &diff["to"]["view"]),
        (&json!("legacy"), &json!("precreated"))
    );
    let [event] = diff["events"].as_array().unwrap().as_slice() else { panic!("{diff}") };
    assert_eq!(event["event"], json!("ViewSwitched"));
    let changes =
        ["added", "removed", "changed"].map(|kind| diff[kind].as_array().unwrap().clone()).concat();
    assert!(changes.iter().all(|change| change["events"] == json!([event["position"]])), "{diff}");
    let text = store.ok(&asked);
    assert!(text.contains("ViewSwitched") && text.contains("precreated view"), "{text}");
    let markdown = store.ok(&[&asked[..], &["--format", "md"]].concat());
    assert!(
        markdown.starts_with("# What changed for") && markdown.contains("| ViewSwitched |"),
        "{markdown}"
    );
    assert!(!week_one.is_empty());
}

#[test]
fn what_a_client_saw_is_the_view_the_switch_and_the_list_of_that_instant() {
    let (store, [before, between, after], week_one) = lived();
    crate::opened::validated(&store, true);
    store.ok(&["switch", "precreated", "--client", CLIENT, "--reason", "pilot"]);
    let switched = head(&store);
    let seen = |at: &str| store.json(&["history", "--seen", "--client", CLIENT, "--at", at]);
    for (position, view) in
        [(before, "legacy"), (between, "legacy"), (after, "legacy"), (switched, "precreated")]
    {
        let at = recorded_anywhere(&store, position);
        let then = seen(&at);
        assert_eq!((&then["position"], &then["view"]), (&json!(position), &json!(view)), "{then}");
        let as_of = position.to_string();
        let body = store.ok(&["view", view, "--client", CLIENT, "--as-of", &as_of, "--at", &at]);
        assert_eq!(then["body"], serde_json::from_str::<Value>(&body).unwrap());
        assert_eq!(
            then["switch"]["clients"][CLIENT],
            if view == "legacy" { Value::Null } else { json!("precreated") }
        );
    }
    let nothing = seen("1999-01-01T00:00:00Z");
    assert_eq!((&nothing["position"], &nothing["recorded_at"]), (&json!(0), &Value::Null));
    let at = recorded_anywhere(&store, switched);
    let asked = ["history", "--seen", "--client", CLIENT, "--at", &at];
    let text = store.ok(&asked);
    assert!(
        text.contains("precreated for ") && text.contains(&format!("{switched} (recorded {at})")),
        "{text}"
    );
    let markdown = store.ok(&[&asked[..], &["--format", "md"]].concat());
    assert!(
        markdown.starts_with(&format!("# What `{CLIENT}` saw at "))
            && markdown.contains("- view precreated"),
        "{markdown}"
    );
    assert!(!week_one.is_empty());
    store.fails(2, &["history", "--seen", "--client", CLIENT]);
    store.fails(2, &["history", "--at", &at]);
    store.fails(2, &["history"]);
}

/// When a position was recorded, by the store's dump.
fn recorded_anywhere(store: &Store, position: u64) -> String {
    let dumped = testkit::lines(&store.ok(&["dump", "--clear"]));
    let event = dumped.iter().find(|line| line["position"] == json!(position)).unwrap();
    event["recorded_at"].as_str().unwrap().to_owned()
}

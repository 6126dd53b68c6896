//! A client asks at random, by every kind of id: no answer holds data of another client, and no
//! request changes it.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use testkit::escaped;

use super::table::{asks, routes};
use super::town::{ADA, BEN, Resident, Town, secret, token};
use super::wire::Ask;

/// How often for each caller under each view.
const CASES: u32 = 400;

/// Everything that is said of one resident only: what is in their data, and ids that
/// lead to it.
fn told_to_nobody(of: &Resident) -> Vec<String> {
    let words = ["first", "last", "mail", "note", "title", "description", "answer", "feedback"]
        .map(|part| secret(of, part));
    let ids = [of.client, of.auth_uid, of.response].into_iter().chain(of.weeks);
    words.into_iter().chain(ids.map(str::to_owned)).collect()
}

/// Names of things of the other's, of one's own, of nobody's, and what they could be mistaken for.
/// `made` are the ids of weeks that the service made for the other.
fn id(made: &[String]) -> impl Strategy<Value = String> + use<> {
    let names = |of: &Resident| {
        [of.client, of.auth_uid, of.response, of.coach, of.form]
            .into_iter()
            .chain(of.weeks)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (mut pool, mut others) = (names(&ADA), names(&BEN));
    others.extend_from_slice(made);
    pool.extend(others.clone());
    let series = |of: &Resident| {
        [
            format!("series/{}/{}", of.client, of.form),
            format!("client/{}", of.client),
            format!("client/{}", of.auth_uid),
        ]
    };
    let streams = [series(&ADA), series(&BEN)].concat();
    prop_oneof![
        4 => prop::sample::select(others.clone()),
        1 => prop::sample::select(pool.clone()),
        2 => prop::sample::select(streams),
        1 => (prop::sample::select(others.clone()), 0_u32..12).prop_map(|(base, week)| format!("{base}_week_{week}")),
        1 => (prop::sample::select(pool.clone()), prop::sample::select(pool), prop::sample::select(vec!["/", "\0", ",", "%2F", "&clientId=", "_week_", " ", "/../", "\n", "*"]))
            .prop_map(|(one, other, between)| format!("{one}{between}{other}")),
        1 => (prop::sample::select(others), prop::sample::select(vec![" ", "\0", "/", "?", "#", "%00", "\u{200b}"])).prop_map(|(one, after)| format!("{one}{after}")),
        1 => prop::sample::select(vec!["".to_owned(), "*".to_owned(), "%".to_owned(), "null".to_owned(), "control".to_owned(), "undefined".to_owned()]),
        1 => "[a-zA-Z0-9_/%.-]{0,12}",
    ]
}

/// What only operators may ask.
const OPERATORS: [&str; 8] = [
    "/v1/audit",
    "/v1/events",
    "/v1/migrations/plan",
    "/v1/migrations/plan/report",
    "/v1/migrations/validations",
    "/v1/parity",
    "/v1/status",
    "/metrics",
];

/// A request with ids in every place that takes one.
fn ask(made: &[String]) -> impl Strategy<Value = Ask> + use<> {
    let id = || id(made);
    (0_usize..32, id(), id(), id(), id(), 0_usize..8).prop_map(|(which, one, two, three, four, extra)| {
        let (path_id, client, form, coach) = (escaped(&one), escaped(&two), escaped(&three), escaped(&four));
        let body = json!({"clientId": two, "formId": three, "coachId": four, "responseId": one, "pauseWeeks": 1, "content": "a feedback", "reason": "other",
            "comment": "a comment", "responses": [{"questionId": "q", "question": "q", "answer": "a", "weight": 1, "score": 1}]});
        let extra = ["", "&with_answers=true", "&as_of=5", "&view=legacy", "&view=precreated&at=2026-02-01T00:00:00Z", "&after=0&limit=5", "&status=completed", "&overdue_after=0s"][extra];
        let get = |target: String| Ask::new("GET", target, None);
        let with = |method: &str, target: String, body: Value| Ask::new(method, target, Some(body));
        let week = format!("/api/check-in-assignments/{path_id}");
        match which {
            0 => get(format!("/api/client-portal/check-ins?clientId={client}{extra}")),
            1 => get(format!("/api/client-portal/check-ins-precreated?clientId={client}")),
            2 => get(week),
            3 => with("POST", format!("/api/client-portal/check-in/{path_id}"), json!({"responses": body["responses"]})),
            4 => with("POST", "/api/check-in-assignments".to_owned(), json!({"clientId": two, "formId": three, "coachId": four})),
            5 => get(format!("/api/check-in-assignments?clientId={client}&coachId={coach}{extra}")),
            6 => get(format!("/api/check-in-assignments?coachId={coach}{extra}")),
            7 => get(format!("/api/check-in-assignments?{}", extra.trim_start_matches('&'))),
            8 => with("PATCH", week, json!({"status": "completed"})),
            9 => with("PATCH", week, json!({"coachNotes": "a note"})),
            10 => with("DELETE", format!("{week}?coachId={coach}"), json!({})),
            11 => with("POST", format!("{week}/mark-missed"), json!({"clientId": two, "reason": "other", "comment": "a comment"})),
            12 => with("POST", format!("{week}/extension"), json!({"reason": "a reason that is long enough"})),
            13 => get(format!("{week}/extension")),
            14 => with("POST", format!("{week}/open-for-check-in"), json!({})),
            15 => with("POST", format!("{week}/request-reopen"), json!({})),
            16 => with("POST", "/api/check-in-assignments/series/pause".to_owned(), json!({"clientId": two, "formId": three, "coachId": four, "pauseWeeks": 1})),
            17 => with("DELETE", "/api/check-in-assignments/series".to_owned(), json!({"clientId": two, "formId": three, "coachId": four})),
            18 => with("POST", "/api/coach-feedback".to_owned(), body),
            19 => get(format!("/v1/clients/{client}/check-ins?{}", extra.trim_start_matches('&'))),
            20 => get(format!("/v1/check-ins?{}", extra.trim_start_matches('&'))),
            21 => get(format!("/v1/events?stream={form}{extra}")),
            22 => get(format!("/v1/events/live?stream={form}")),
            23 => get(format!("/v1/streams/{form}?{}", extra.trim_start_matches('&'))),
            24 => get(format!("/v1/history/{path_id}?{}", extra.trim_start_matches('&'))),
            25 => get(format!("/v1/history/{one}").replace(|character: char| !character.is_ascii_graphic(), "")),
            27 => get(format!("/v1/clients/{client}/seen?at=2026-02-01T00:00:00Z")),
            28 => with("POST", "/api/check-in-assignments/series/unpause".to_owned(), json!({"clientId": two, "formId": three, "coachId": four})),
            29 => with("PATCH", week, json!({"dueDate": "2026-03-02T09:00:00Z"})),
            30 => get(OPERATORS[one.len() % OPERATORS.len()].to_owned()),
            26 => with("POST", "/ofrep/v1/evaluate/flags".to_owned(), json!({"context": {"targetingKey": two, "clientId": one}})),
            _ => with("POST", "/ofrep/v1/evaluate/flags/use-pre-created-assignments".to_owned(), json!({"context": {"targetingKey": two}})),
        }
    })
}

/// The other's data as an admin sees it: every event of theirs.
fn everything_of(town: &Town, of: &Resident) -> String {
    let lines = |target: String| town.admin(&Ask::new("GET", target, None)).body().to_owned();
    let events = lines(format!("/v1/history/{}?with_answers=true", of.client));
    assert!(
        events.contains(&secret(of, "answer")) && events.contains(&secret(of, "mail")),
        "{events}"
    );
    events
}

/// Which view the switch serves: the legacy one of an import, or the pre-created one after the
/// migration.
#[derive(Clone, Copy, Debug)]
enum Served {
    Legacy,
    Precreated,
}

/// Migrates and switches; the ids of the weeks that were made for the other.
fn switch_over(town: &Town, other: &Resident) -> Vec<String> {
    let batch = Ask {
        method: "POST".to_owned(),
        target: "/v1/migrations/apply".to_owned(),
        body: Some(town.batch.to_owned()),
    };
    let applied = town.admin(&batch);
    assert_eq!(applied.status, 200, "{}", applied.text);
    let switched = town.admin(&Ask::new(
        "PUT",
        "/v1/switch",
        Some(json!({"view": "precreated", "reason": "a test", "force": true})),
    ));
    assert_eq!(switched.status, 200, "{}", switched.text);
    let list = town.admin(&Ask::new(
        "GET",
        format!("/api/check-in-assignments?clientId={}&limit=200", other.client),
        None,
    ));
    let list: Value = serde_json::from_str(list.body()).unwrap();
    let ids = list["assignments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|week| week["id"].as_str().unwrap().to_owned());
    let made: Vec<String> = ids.filter(|id| !other.weeks.contains(&id.as_str())).collect();
    assert!(made.len() > 3, "{made:?}");
    made
}

/// Asks at random with a caller's token, under both views; the other's secrets must be in no answer
/// that the question did not hold already.
fn nothing_leaks(subject: &str, role: Option<&str>, other: &Resident) {
    for served in [Served::Legacy, Served::Precreated] {
        nothing_leaks_where(served, subject, role, other);
    }
}

fn nothing_leaks_where(served: Served, subject: &str, role: Option<&str>, other: &Resident) {
    let town = Town::start();
    let made = match served {
        Served::Legacy => Vec::new(),
        Served::Precreated => switch_over(&town, other),
    };
    let bearer = token(subject, role);
    let before = everything_of(&town, other);
    let mut secrets = told_to_nobody(other);
    secrets.extend_from_slice(&made);
    let (mut runner, let_in) = (
        TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() }),
        Cell::new(0_u32),
    );
    let outcome = runner.run(&ask(&made), |ask| {
        let answer = town.ask(Some(&bearer), &ask);
        let asked = format!("{} {}", ask.target, ask.body.as_deref().unwrap_or_default());
        for secret in &secrets {
            prop_assert!(
                !answer.text.contains(secret.as_str()) || asked.contains(secret.as_str()),
                "{secret} is in {}",
                answer.text
            );
        }
        prop_assert!(answer.status < 500, "{}", answer.text);
        let_in.set(let_in.get() + u32::from(answer.status == 200));
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{subject} as {role:?}, {served:?}: {failure}\n{}", town.complaints());
    }
    // A caller who is always refused learns nothing anyway.
    assert!(let_in.get() > 0 || role == Some("nobody"), "{subject} was never let in");
    assert_eq!(everything_of(&town, other), before, "{subject} changed what is another's");
}

#[test]
fn a_client_never_receives_a_byte_of_another_client() {
    nothing_leaks(ADA.auth_uid, Some("client"), &BEN);
}

#[test]
fn a_client_by_the_id_of_their_document_and_without_a_claim_neither() {
    nothing_leaks(ADA.client, None, &BEN);
}

#[test]
fn a_coach_never_receives_a_byte_of_another_coachs_client() {
    nothing_leaks(ADA.coach, Some("coach"), &BEN);
}

#[test]
fn whoever_has_no_role_receives_nothing_of_anybody() {
    nothing_leaks("stranger", Some("nobody"), &ADA);
}

#[test]
fn an_operator_never_receives_who_a_client_is_or_what_they_said() {
    let town = Town::start();
    let key = town.key("operator", "operator");
    let mut let_in = 0;
    for (method, route) in routes() {
        for of in [&ADA, &BEN] {
            for (_, ask) in asks(&method, &route, of, &town) {
                let with_answers = format!(
                    "{}{}with_answers=true",
                    ask.target,
                    if ask.target.contains('?') { '&' } else { '?' }
                );
                for ask in [Ask { target: with_answers, ..ask.clone() }, ask] {
                    let answer = town.ask(Some(&key), &ask);
                    let_in += u32::from(answer.status == 200);
                    for part in ["first", "last", "mail", "note", "answer", "feedback"] {
                        assert!(
                            !answer.text.contains(&secret(of, part)),
                            "{ask:?}: {}",
                            answer.text
                        );
                    }
                }
            }
        }
    }
    assert!(let_in > 10, "let in {let_in} times");
}

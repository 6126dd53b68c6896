//! The table of who may do what: every route of the router's own description, for everybody, asked
//! for one's own, another's and what does not exist, each on a service of its own. Written into
//! `docs/access.md`, and compared with what stands there.
//!
//! `ROLLBOOK_BLESS=1 cargo test --release --test end_to_end access::table` writes it again.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testkit::{escaped, repository};

use super::town::{ADA, BEN, NOBODY, Resident, Town, token};
use super::wire::{Answer, Ask};

/// Everybody: the column's heading, and what they bring.
const CALLERS: [(&str, Brings); 10] = [
    ("nobody", Brings::Nothing),
    ("no role", Brings::Token("stranger", None)),
    ("client", Brings::Token(ADA.auth_uid, Some("client"))),
    ("coach", Brings::Token(ADA.coach, Some("coach"))),
    ("metrics", Brings::Key),
    ("status", Brings::Key),
    ("switch", Brings::Key),
    ("migrations", Brings::Key),
    ("operator", Brings::Key),
    ("admin", Brings::Token("boss", Some("admin"))),
];

#[derive(Clone, Copy)]
enum Brings {
    Nothing,
    Token(&'static str, Option<&'static str>),
    /// An API key whose scope is the heading.
    Key,
}

/// What is open to everybody, and nothing else is.
const OPEN: [&str; 4] = ["/healthz", "/readyz", "/openapi.json", "/docs/"];

/// Routes that stand beside the description, where they are served: it need not describe itself.
const BESIDE: [&str; 2] = ["/openapi.json", "/docs/"];

/// How a route is asked for something of a resident; two ways where the route has two, nothing for
/// a route that is not known.
pub fn asks(method: &str, route: &str, of: &Resident, town: &Town) -> Vec<(&'static str, Ask)> {
    let [week, _, _, unanswered, _] = of.weeks;
    let (client, coach, form) = (of.client, of.coach, of.form);
    let named = |id: &str| route.replace("{id}", &escaped(id));
    let get = |target: String| vec![("", Ask::new(method, target, None))];
    let send = |target: String, body: Value| vec![("", Ask::new(method, target, Some(body)))];
    let key = json!({"context": {"targetingKey": client}});
    match (method, route) {
        ("GET", "/api/client-portal/check-ins" | "/api/client-portal/check-ins-precreated") => {
            get(format!("{route}?clientId={client}"))
        }
        ("POST", "/api/client-portal/check-in/{id}") => {
            let answer = json!({"questionId": "q1", "question": "How was it?", "answer": "fine", "weight": 5, "score": 7});
            send(named(unanswered), json!({"responses": [answer]}))
        }
        ("GET", "/api/check-in-assignments/{id}" | "/api/check-in-assignments/{id}/extension") => {
            get(named(week))
        }
        ("POST", "/api/check-in-assignments") => send(
            route.to_owned(),
            json!({"formId": "sleep", "clientId": client, "coachId": coach, "duration": 2}),
        ),
        ("GET", "/api/check-in-assignments") => vec![
            ("", Ask::new(method, route, None)),
            ("?clientId=", Ask::new(method, format!("{route}?clientId={client}"), None)),
            ("?coachId=", Ask::new(method, format!("{route}?coachId={coach}"), None)),
        ],
        ("PATCH", "/api/check-in-assignments/{id}") => {
            send(named(week), json!({"coachNotes": "well done"}))
        }
        ("DELETE", "/api/check-in-assignments/{id}") => {
            get(format!("{}?coachId={coach}", named(week)))
        }
        ("POST", "/api/check-in-assignments/{id}/mark-missed") => {
            send(named(week), json!({"clientId": client, "reason": "sick"}))
        }
        ("POST", "/api/check-in-assignments/{id}/extension") => {
            send(named(week), json!({"reason": "a reason that is long enough"}))
        }
        (
            "POST",
            "/api/check-in-assignments/{id}/open-for-check-in"
            | "/api/check-in-assignments/{id}/request-reopen",
        ) => send(named(week), json!({})),
        ("POST", "/api/check-in-assignments/series/pause") => send(
            route.to_owned(),
            json!({"clientId": client, "formId": form, "pauseWeeks": 1, "coachId": coach}),
        ),
        ("POST", "/api/check-in-assignments/series/unpause")
        | ("DELETE", "/api/check-in-assignments/series") => {
            send(route.to_owned(), json!({"clientId": client, "formId": form, "coachId": coach}))
        }
        ("POST", "/api/coach-feedback") => send(
            route.to_owned(),
            json!({"responseId": of.response, "coachId": coach, "content": "well done"}),
        ),
        ("GET", "/v1/clients/{id}/check-ins") => get(named(client)),
        ("GET", "/v1/clients/{id}/seen") => {
            get(format!("{}?at={}", named(client), escaped("2026-01-20T12:00:00Z")))
        }
        ("GET", "/v1/streams/{stream}") => vec![
            (" of a series", Ask::new(method, format!("/v1/streams/series/{client}/{form}"), None)),
            (" of a client", Ask::new(method, format!("/v1/streams/client/{client}"), None)),
            (" of control", Ask::new(method, "/v1/streams/control", None)),
        ],
        ("GET", "/v1/history/{id}") => vec![
            (" of an assignment", Ask::new(method, named(week), None)),
            (" of a response", Ask::new(method, named(of.response), None)),
            (" of a client", Ask::new(method, named(client), None)),
            (" of an import", Ask::new(method, named(town.import), None)),
            (
                " of an import, with answers",
                Ask::new(method, format!("{}?with_answers=true", named(town.import)), None),
            ),
            (" of control", Ask::new(method, named("control"), None)),
        ],
        ("GET", "/v1/events" | "/v1/events/live") => vec![
            ("", Ask::new(method, route, None)),
            (
                "?stream=",
                Ask::new(
                    method,
                    format!("{route}?stream={}", escaped(&format!("series/{client}/{form}"))),
                    None,
                ),
            ),
        ],
        (
            "GET",
            "/v1/check-ins"
            | "/v1/audit"
            | "/v1/imports"
            | "/v1/migrations/plan"
            | "/v1/migrations/plan/report"
            | "/v1/migrations/validations"
            | "/v1/migrations/findings",
        )
        | (
            "GET",
            "/v1/parity" | "/v1/switch" | "/v1/status" | "/v1/backups" | "/metrics" | "/healthz"
            | "/readyz" | "/openapi.json" | "/docs/",
        ) => get(route.to_owned()),
        ("POST", "/v1/migrations/plan" | "/v1/migrations/validations" | "/v1/parity") => {
            send(route.to_owned(), json!({}))
        }
        ("POST", "/v1/migrations/acceptances") => send(
            route.to_owned(),
            json!({"kind": "check", "check": "additive-only", "expected": 0, "reason": "nothing is found"}),
        ),
        ("POST", "/v1/migrations/apply") => {
            vec![(
                "",
                Ask {
                    method: method.to_owned(),
                    target: route.to_owned(),
                    body: Some(town.batch.to_owned()),
                },
            )]
        }
        ("POST", "/v1/imports") => {
            let (method, target) = (method.to_owned(), route.to_owned());
            vec![("", Ask { method, target, body: Some(town.export.to_owned()) })]
        }
        ("GET", "/v1/imports/{id}") => get(named("no-import")),
        ("POST", "/v1/backups" | "/v1/checkpoints") => send(route.to_owned(), json!({})),
        ("GET", "/v1/corrections") => vec![
            ("", Ask::new(method, route, None)),
            ("?client=", Ask::new(method, format!("{route}?client={client}"), None)),
        ],
        ("POST", "/v1/corrections") => send(
            route.to_owned(),
            json!({"kind": "move-response", "response": of.response, "week": 2, "reason": "the wrong week", "dry_run": true}),
        ),
        ("GET", "/v1/clients/{id}") => get(named(client)),
        ("GET", "/v1/coaches/{id}") => get(named(coach)),
        ("GET", "/v1/forms/{id}") => get(named(form)),
        ("PUT", "/v1/clients/{id}") => {
            send(format!("{}?merge=true", named(client)), json!({"phone": "none"}))
        }
        ("PUT", "/v1/coaches/{id}") => send(named(coach), json!({"profile": {"firstName": "R"}})),
        ("PUT", "/v1/forms/{id}") => send(named(form), json!({"title": "Habits"})),
        ("PUT", "/v1/switch") => {
            send(route.to_owned(), json!({"view": "legacy", "reason": "as it was"}))
        }
        ("POST", "/ofrep/v1/evaluate/flags") => send(route.to_owned(), key),
        ("POST", "/ofrep/v1/evaluate/flags/{key}") => {
            send(route.replace("{key}", "use-pre-created-assignments"), key)
        }
        _ => Vec::new(),
    }
}

/// Every route there is, as the router describes itself; what takes something away, or adds what was
/// not there, comes last.
pub fn routes() -> Vec<(String, String)> {
    let description = serde_json::to_value(rollbook_service::http::router::description()).unwrap();
    let mut routes = Vec::new();
    for (route, methods) in description["paths"].as_object().unwrap() {
        let methods = methods.as_object().unwrap().keys().map(|method| method.to_uppercase());
        let methods = methods
            .filter(|method| ["GET", "PUT", "POST", "DELETE", "PATCH"].contains(&method.as_str()));
        routes.extend(methods.map(|method| (method, route.clone())));
    }
    assert!(routes.len() > 20, "{routes:?}");
    let taken_away = |method: &str, route: &str| {
        let adds = method == "PUT" && route.contains("{id}");
        (method == "DELETE" || adds, method == "DELETE" && !route.contains("{id}"))
    };
    routes.sort_by_key(|(method, route)| {
        (group(route), taken_away(method, route), route.clone(), method.clone())
    });
    routes
}

fn group(route: &str) -> usize {
    let prefixes = ["/api/", "/v1/", "/ofrep/"];
    prefixes.iter().position(|prefix| route.starts_with(prefix)).unwrap_or(prefixes.len())
}

/// What came of it, as far as access goes: what is let in and then refused for another reason was
/// let in.
fn word(answer: &Answer) -> &'static str {
    match answer.status {
        401 => "401",
        403 => "no",
        404 => "404",
        status => {
            assert!(status < 500, "{}", answer.text);
            "yes"
        }
    }
}

/// One cell of the table, and the law that no answer tells another's from nothing.
fn cell(town: &Town, bearer: Option<&str>, method: &str, route: &str, way: usize) -> String {
    let ask = |of: &Resident| {
        let (_, ask) = asks(method, route, of, town).swap_remove(way);
        (format!("{ask:?}"), ask)
    };
    let [(own, first), (others, second), (nobodys, third)] = [&ADA, &BEN, &NOBODY].map(ask);
    if own == others && others == nobodys {
        return word(&town.ask(bearer, &first)).to_owned();
    }
    let answers = [first, second, third].map(|ask| town.ask(bearer, &ask));
    let words = [0, 1, 2].map(|index: usize| word(&answers[index]));
    if words[1] == "no" || words[2] == "no" {
        assert_eq!(
            answers[1].essence(),
            answers[2].essence(),
            "{method} {route} tells another's from what does not exist"
        );
    }
    if words.iter().all(|word| *word == words[0]) {
        words[0].to_owned()
    } else {
        words.join(" · ")
    }
}

/// The column of one caller: a cell for each way of each route.
fn column(name: &str, brings: Brings, rows: &[(String, String, usize)]) -> Vec<String> {
    let town = Town::start();
    let bearer = match brings {
        Brings::Nothing => None,
        Brings::Token(subject, role) => Some(token(subject, role)),
        Brings::Key => Some(town.key(name, name)),
    };
    rows.iter()
        .map(|(method, route, way)| cell(&town, bearer.as_deref(), method, route, *way))
        .collect()
}

#[test]
fn the_table_in_the_manual_is_what_the_service_does_and_knows_every_route() {
    let town = Town::start();
    let mut rows = Vec::new();
    let mut labels = Vec::new();
    let is_served = |route: &&str| town.admin(&Ask::new("GET", *route, None)).status != 404;
    let beside =
        BESIDE.into_iter().filter(is_served).map(|route| ("GET".to_owned(), route.to_owned()));
    let mut routes = routes();
    let new: Vec<(String, String)> = beside.filter(|route| !routes.contains(route)).collect();
    routes.extend(new);
    for (method, route) in routes {
        let ways = asks(&method, &route, &ADA, &town);
        assert!(
            !ways.is_empty(),
            "the table knows no {method} {route}: say in `asks` how it is asked for something"
        );
        for (index, (way, _)) in ways.into_iter().enumerate() {
            labels.push(format!("{method} `{route}`{way}"));
            rows.push((method.clone(), route.clone(), index));
        }
    }
    drop(town);
    let columns: Vec<Vec<String>> =
        CALLERS.iter().map(|(name, brings)| column(name, *brings, &rows)).collect();
    hold_to_the_rules(&rows, &columns);
    let table = written(&labels, &columns);
    compare(&table);
}

/// What must hold whatever the table says.
fn hold_to_the_rules(rows: &[(String, String, usize)], columns: &[Vec<String>]) {
    let of = |name: &str| &columns[CALLERS.iter().position(|(caller, _)| *caller == name).unwrap()];
    let answers_of_clients: BTreeSet<&str> = ["yes", "yes · yes · yes"].into();
    for (row, (method, route, _)) in rows.iter().enumerate() {
        let is_open = OPEN.contains(&route.as_str());
        assert_eq!(of("nobody")[row] == "401", !is_open, "{method} {route} for nobody");
        assert_eq!(
            of("no role")[row] == "no",
            !is_open,
            "{method} {route} for whoever has no role"
        );
        for name in ["client", "coach"] {
            let words: Vec<&str> = of(name)[row].split(" · ").collect();
            assert!(
                words.len() == 1 || words[1..] == ["no", "no"],
                "{method} {route} for a {name}: {words:?}"
            );
        }
        let about_clients = ["check-in", "/events", "/streams", "/history", "feedback"]
            .iter()
            .any(|part| route.contains(part));
        for name in ["metrics", "status", "switch", "migrations", "operator"] {
            let lets_in = answers_of_clients.contains(of(name)[row].as_str());
            let of_control = route.contains("/streams") || route.contains("/history");
            assert!(
                !(lets_in && about_clients) || of_control,
                "{method} {route} for the scope {name}"
            );
        }
        assert!(!of("admin")[row].contains("no"), "{method} {route} for an admin");
    }
}

fn written(labels: &[String], columns: &[Vec<String>]) -> String {
    let headings: Vec<&str> = CALLERS.iter().map(|(name, _)| *name).collect();
    let mut table = format!(
        "| asked for | {} |\n|---|{}\n",
        headings.join(" | "),
        "---|".repeat(headings.len())
    );
    for (row, label) in labels.iter().enumerate() {
        let cells: Vec<&str> = columns.iter().map(|column| column[row].as_str()).collect();
        table.push_str(&format!("| {label} | {} |\n", cells.join(" | ")));
    }
    table
}

const BEGIN: &str = "<!-- table -->\n";
const END: &str = "<!-- end of table -->";

fn compare(table: &str) {
    let path = repository().join("docs/access.md");
    let manual = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = manual.split_once(BEGIN).unwrap();
    let (stands, after) = rest.split_once(END).unwrap();
    if std::env::var_os("ROLLBOOK_BLESS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
        return;
    }
    let differs = table.lines().zip(stands.lines()).find(|(is, stands)| is != stands);
    assert!(
        table == stands,
        "docs/access.md says otherwise (ROLLBOOK_BLESS=1 writes it anew): {differs:?}"
    );
}

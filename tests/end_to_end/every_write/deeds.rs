//! What can be done: each deed as a command and as a request, and how it is seen in a view.

use serde_json::{Value, json};
use testkit::Store;

use super::phases::{CLIENT, COACH, FORM, Later, NOW, SERIES, Target, due, write_export};

/// Where a deed is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    CommandLine,
    Service,
}

/// One command, and the same as a request.
#[derive(Clone, Debug)]
pub struct Call {
    pub arguments: Vec<String>,
    /// Method, path, and the body; as the body a text is the file that holds it.
    pub request: Option<(&'static str, String, Value)>,
}

/// The list of the client in a view.
pub struct Shown {
    pub entries: Vec<Value>,
    pub week: u32,
}

impl Shown {
    pub fn of(&self, week: u32) -> Option<&Value> {
        self.entries.iter().find(|entry| entry["formId"] == FORM && entry["recurringWeek"] == week)
    }

    /// The entry of the week that the deed is done to.
    pub fn entry(&self) -> Option<&Value> {
        self.of(self.week)
    }

    fn due(&self) -> String {
        self.field("dueDate").as_str().unwrap_or_default().to_owned()
    }

    fn field(&self, name: &str) -> Value {
        self.entry().map_or(Value::Null, |entry| entry[name].clone())
    }
}

/// Something that can be done to a week, and how it is seen.
#[derive(Clone, Copy)]
pub struct Deed {
    /// The command; empty where there is none.
    pub command: &'static str,
    /// The method and the path of the request; empty where there is none.
    pub request: &'static str,
    /// What distinguishes it from another deed of the same command or request.
    pub variant: &'static str,
    /// Whether the week is overdue when it is done.
    pub is_overdue: bool,
    /// What is done before it, on the command line; what the calls need to know of it.
    pub prepare: fn(&Store, &Target) -> Result<Value, String>,
    /// The calls, the deed itself last. They are asked for anew before each call, with what is
    /// shown then.
    pub calls: fn(&Target, &Shown) -> Vec<Call>,
    pub shows: fn(&Shown) -> bool,
}

impl Deed {
    /// The name of the command, or the method and the path of the request.
    pub fn operation(&self, edge: Edge) -> Option<&'static str> {
        let name = match edge {
            Edge::CommandLine => self.command,
            Edge::Service => self.request,
        };
        (!name.is_empty()).then_some(name)
    }

    pub fn edges(&self) -> Vec<Edge> {
        let edges = [Edge::CommandLine, Edge::Service];
        edges.into_iter().filter(|edge| self.operation(*edge).is_some()).collect()
    }

    /// The name of the deed's row.
    pub fn row(&self, edge: Edge) -> String {
        let name = self.operation(edge).unwrap_or_default();
        let variant = if self.variant.is_empty() { "" } else { &format!(", {}", self.variant) };
        match edge {
            Edge::CommandLine => format!("`rollbook {name}`{variant}"),
            Edge::Service => format!("`{name}`{variant}"),
        }
    }
}

fn nothing(_: &Store, _: &Target) -> Result<Value, String> {
    Ok(Value::Null)
}

const DEED: Deed = Deed {
    command: "",
    request: "",
    variant: "",
    is_overdue: true,
    prepare: nothing,
    calls: |_, _| Vec::new(),
    shows: |_| false,
};

fn call(arguments: &[&str], method: &'static str, path: &str, body: Value) -> Call {
    Call {
        arguments: arguments.iter().map(ToString::to_string).collect(),
        request: Some((method, path.to_owned(), body)),
    }
}

fn command(arguments: &[&str]) -> Call {
    Call { arguments: arguments.iter().map(ToString::to_string).collect(), request: None }
}

fn request(method: &'static str, path: &str, body: Value) -> Call {
    Call { arguments: Vec::new(), request: Some((method, path.to_owned(), body)) }
}

fn path(target: &Target, end: &str) -> String {
    format!("/api/check-in-assignments/{}{end}", target.id)
}

fn series(more: &Value) -> Value {
    let mut body = json!({"clientId": CLIENT, "formId": FORM, "coachId": COACH});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn respond(target: &Target) -> Call {
    call(
        &["respond", &target.id, "--score", "71"],
        "POST",
        &format!("/api/client-portal/check-in/{}", target.id),
        json!({"responses": [{"questionId": "q", "answer": "yes", "weight": 5, "score": 7}]}),
    )
}

fn miss(target: &Target) -> Call {
    call(
        &["miss", &target.id, "--reason", "sick"],
        "POST",
        &path(target, "/mark-missed"),
        json!({"clientId": CLIENT, "reason": "sick"}),
    )
}

fn pause() -> Call {
    call(
        &["pause", SERIES, "--weeks", "1"],
        "POST",
        "/api/check-in-assignments/series/pause",
        series(&json!({"pauseWeeks": 1})),
    )
}

/// Imports a later export of the old application.
fn import_later(store: &Store, later: &Later) -> Result<Value, String> {
    let export = store.beside("later");
    write_export(&export, later);
    Ok(store.json(&["import", export.to_str().unwrap()]))
}

/// Plans a migration that changes weeks.
fn planned(store: &Store, kind: &[&str]) -> Result<Value, String> {
    let batch = store.beside("changes.ndjson");
    let out = ["migrate", "plan", "--at", NOW, "--out", batch.to_str().unwrap()];
    let ran = store.run(&[&out[..], kind].concat());
    if ran.code == 0 { Ok(json!(batch)) } else { Err(format!("refused: {}", ran.stderr.trim())) }
}

fn apply(target: &Target) -> Call {
    let batch = target.prepared.as_str().unwrap();
    call(&["migrate", "apply", batch], "POST", "/v1/migrations/apply", json!(batch))
}

/// Everything that can be done.
pub fn deeds() -> Vec<Deed> {
    [weeks_of_clients(), weeks_of_coaches(), of_series(), corrections(), of_stores()].concat()
}

fn weeks_of_clients() -> Vec<Deed> {
    vec![
        Deed {
            command: "respond",
            request: "POST /api/client-portal/check-in/{id}",
            calls: |target, _| vec![respond(target)],
            shows: |shown| {
                shown.field("status") == "completed" && shown.field("responseId").is_string()
            },
            ..DEED
        },
        Deed {
            command: "miss",
            request: "POST /api/check-in-assignments/{id}/mark-missed",
            calls: |target, _| vec![miss(target)],
            shows: |shown| shown.field("status") == "missed",
            ..DEED
        },
        Deed {
            command: "extend",
            request: "POST /api/check-in-assignments/{id}/extension",
            calls: |target, _| {
                let reason = "moving house this week";
                let body = json!({"reason": reason});
                let arguments = ["extend", &target.id, "--reason", reason];
                vec![call(&arguments, "POST", &path(target, "/extension"), body)]
            },
            shows: |shown| shown.field("extensionGranted") == true,
            ..DEED
        },
        Deed {
            request: "POST /api/check-in-assignments/{id}/request-reopen",
            variant: "and opened",
            calls: |target, _| {
                let reopen = request(
                    "POST",
                    &path(target, "/request-reopen"),
                    json!({"reason": "was away"}),
                );
                let open =
                    request("POST", &path(target, "/open-for-check-in"), json!({"coachId": COACH}));
                vec![miss(target), reopen, open]
            },
            shows: |shown| shown.field("extensionGranted") == true,
            ..DEED
        },
    ]
}

fn weeks_of_coaches() -> Vec<Deed> {
    vec![
        Deed {
            command: "reopen",
            request: "POST /api/check-in-assignments/{id}/open-for-check-in",
            calls: |target, _| {
                let arguments = ["reopen", &target.id];
                let body = json!({"coachId": COACH});
                vec![call(&arguments, "POST", &path(target, "/open-for-check-in"), body)]
            },
            shows: |shown| shown.field("extensionGranted") == true,
            ..DEED
        },
        Deed {
            request: "PATCH /api/check-in-assignments/{id}",
            variant: "due date",
            calls: |target, _| {
                vec![request(
                    "PATCH",
                    &path(target, ""),
                    json!({"dueDate": "2026-02-05T18:00:00Z"}),
                )]
            },
            shows: |shown| shown.field("dueDate") == "2026-02-05T18:00:00.000Z",
            ..DEED
        },
        Deed {
            request: "PATCH /api/check-in-assignments/{id}",
            variant: "status",
            calls: |target, _| {
                vec![request("PATCH", &path(target, ""), json!({"status": "completed"}))]
            },
            shows: |shown| shown.field("status") == "completed",
            ..DEED
        },
        Deed {
            command: "withdraw",
            request: "DELETE /api/check-in-assignments/{id}",
            variant: "one week",
            calls: |target, _| {
                let arguments = ["withdraw", "--assignment", &target.id, "--reason", "sent twice"];
                let path = path(target, &format!("?coachId={COACH}"));
                vec![call(&arguments, "DELETE", &path, Value::Null)]
            },
            shows: |shown| shown.entry().is_none(),
            ..DEED
        },
        Deed {
            command: "withdraw",
            request: "DELETE /api/check-in-assignments/{id}",
            variant: "an answered week",
            calls: |target, _| {
                let arguments = ["withdraw", "--assignment", &target.id, "--reason", "of another"];
                let path = path(target, &format!("?coachId={COACH}"));
                vec![respond(target), call(&arguments, "DELETE", &path, Value::Null)]
            },
            shows: |shown| shown.entry().is_some_and(|entry| entry["responseId"].is_null()),
            ..DEED
        },
        Deed {
            command: "feedback",
            request: "POST /api/coach-feedback",
            calls: |target, shown| {
                let response = shown.field("responseId");
                let response = response.as_str().unwrap_or_default();
                let arguments = ["feedback", response, "--coach", COACH, "--text", "well done"];
                let body =
                    json!({"responseId": response, "coachId": COACH, "content": "well done"});
                vec![respond(target), call(&arguments, "POST", "/api/coach-feedback", body)]
            },
            shows: |shown| shown.field("coachResponded") == true,
            ..DEED
        },
    ]
}

fn of_series() -> Vec<Deed> {
    vec![
        Deed {
            command: "assign",
            request: "POST /api/check-in-assignments",
            variant: "another form",
            calls: |_, _| {
                let arguments = ["assign", "--client", CLIENT, "--form", "f2", "--coach", COACH];
                let body = json!({"clientId": CLIENT, "formId": "f2", "coachId": COACH});
                vec![call(&arguments, "POST", "/api/check-in-assignments", body)]
            },
            shows: |shown| {
                shown.entries.iter().filter(|entry| entry["formId"] == "f2").count() == 4
            },
            ..DEED
        },
        Deed {
            command: "assign",
            request: "POST /api/check-in-assignments",
            variant: "more weeks",
            is_overdue: false,
            calls: |_, _| {
                let arguments = ["assign", "--client", CLIENT, "--form", FORM, "--coach", COACH];
                let more = ["--extend", "--weeks", "2"];
                let body = series(&json!({"extend": true, "duration": 2}));
                let arguments = [&arguments[..], &more].concat();
                vec![call(&arguments, "POST", "/api/check-in-assignments", body)]
            },
            shows: |shown| shown.field("totalWeeks") == 10,
            ..DEED
        },
        Deed {
            command: "pause",
            request: "POST /api/check-in-assignments/series/pause",
            is_overdue: false,
            calls: |_, _| vec![pause()],
            shows: |shown| shown.due() == due(shown.week + 1),
            ..DEED
        },
        Deed {
            command: "resume",
            request: "POST /api/check-in-assignments/series/unpause",
            is_overdue: false,
            calls: |_, _| {
                let path = "/api/check-in-assignments/series/unpause";
                vec![pause(), call(&["resume", SERIES], "POST", path, series(&json!({})))]
            },
            shows: |shown| shown.due() == due(shown.week),
            ..DEED
        },
        Deed {
            command: "withdraw",
            request: "DELETE /api/check-in-assignments/series",
            variant: "the series",
            calls: |_, _| {
                let arguments = ["withdraw", SERIES, "--reason", "left the programme"];
                let body = series(&json!({"preserveHistory": true}));
                vec![call(&arguments, "DELETE", "/api/check-in-assignments/series", body)]
            },
            shows: |shown| shown.entries.is_empty(),
            ..DEED
        },
    ]
}

fn correct(kind: &'static str, response: &str, week: u32) -> Call {
    let week_text = week.to_string();
    let arguments = ["correct", kind, response, "--week", &week_text, "--reason", "the wrong week"];
    let body =
        json!({"kind": kind, "response": response, "week": week, "reason": "the wrong week"});
    call(&arguments, "POST", "/v1/corrections", body)
}

fn corrections() -> Vec<Deed> {
    vec![
        Deed {
            command: "correct move-response",
            request: "POST /v1/corrections",
            variant: "to another week",
            calls: |target, shown| {
                let response = shown.field("responseId");
                let moved = correct("move-response", response.as_str().unwrap_or_default(), 4);
                vec![respond(target), moved]
            },
            shows: |shown| {
                shown.entry().is_some_and(|entry| entry["responseId"].is_null())
                    && shown.of(4).is_some_and(|entry| entry["responseId"].is_string())
            },
            ..DEED
        },
        Deed {
            command: "correct adopt-response",
            request: "POST /v1/corrections",
            variant: "of a response without a week",
            prepare: |store, _| {
                import_later(store, &Later { orphan: Some("r-orphan"), answered: None })
            },
            calls: |target, _| vec![correct("adopt-response", "r-orphan", target.week)],
            shows: |shown| shown.field("responseId") == "r-orphan",
            ..DEED
        },
        Deed {
            command: "correct undo",
            request: "POST /v1/corrections",
            variant: "undone",
            prepare: |store, target| {
                let at = ["--at", NOW];
                let answer = store.json(&[&["respond", &target.id][..], &at].concat());
                let response = answer["responseId"].as_str().unwrap().to_owned();
                let moved = correct("move-response", &response, 4).arguments;
                let moved: Vec<&str> = moved.iter().map(String::as_str).collect();
                store.ok(&[&moved[..], &at].concat());
                Ok(store.json(&["correct", "list"])[0]["correction"].clone())
            },
            calls: |target, _| {
                let id = target.prepared.as_str().unwrap();
                let arguments = ["correct", "undo", id, "--reason", "it was right"];
                let body = json!({"kind": "undo", "correction": id, "reason": "it was right"});
                vec![call(&arguments, "POST", "/v1/corrections", body)]
            },
            shows: |shown| {
                shown.field("responseId").is_string()
                    && shown.of(4).is_none_or(|entry| entry["responseId"].is_null())
            },
            ..DEED
        },
    ]
}

fn of_stores() -> Vec<Deed> {
    vec![
        Deed {
            command: "import",
            variant: "answered in the old application",
            prepare: |store, target| {
                let export = store.beside("later");
                let answered = Some((target.week, target.document.clone()));
                write_export(&export, &Later { answered, orphan: None });
                Ok(json!(export))
            },
            calls: |target, _| vec![command(&["import", target.prepared.as_str().unwrap()])],
            shows: |shown| shown.field("responseId") == "r-later",
            ..DEED
        },
        Deed {
            command: "migrate apply",
            request: "POST /v1/migrations/apply",
            variant: "kind realign",
            is_overdue: false,
            prepare: |store, _| planned(store, &["--kind", "realign", "--weekday", "friday"]),
            calls: |target, _| vec![apply(target)],
            shows: |shown| {
                let due: chrono::DateTime<chrono::Utc> = shown.due().parse().unwrap();
                chrono::Datelike::weekday(&due) == chrono::Weekday::Fri
            },
        },
        Deed {
            command: "migrate apply",
            request: "POST /v1/migrations/apply",
            variant: "kind window",
            is_overdue: false,
            prepare: |store, _| {
                planned(
                    store,
                    &["--kind", "window", "--window", r#"{"enabled":false}"#, "--from", NOW],
                )
            },
            calls: |target, _| vec![apply(target)],
            shows: |shown| shown.field("checkInWindow") == json!({"enabled": false}),
        },
        Deed {
            command: "erase",
            variant: "the client",
            calls: |_, _| {
                vec![command(&["erase", "--client", CLIENT, "--reason", "asked for it", "--yes"])]
            },
            shows: |shown| shown.entries.is_empty(),
            ..DEED
        },
    ]
}

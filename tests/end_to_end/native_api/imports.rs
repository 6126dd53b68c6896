//! Imports into a running service: by request and by `import --server`, with the checks of an import
//! into the store's directory, one at a time, beside writers, and after a kill.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rollbook::sample::{SampleOptions, SampleSize, write_export};
use serde_json::{Value, json};
use testkit::{
    Answer, Exclusive, Server, Store, copy_store, documents, eventually, fixture, fixture_case,
    moment, random, rollbook, run, under_load, until,
};

use crate::exports::{Copy, is_answered, texts};
use crate::old_application::{OldApplication, WEEKS};

const NOW: &str = "2026-01-20T12:00:00Z";
const JSON: (&str, &str) = ("content-type", "application/json");

/// Imports an export directory by request.
fn post(server: &Server, query: &str, export: &Path) -> Answer {
    server.send("POST", &format!("/v1/imports{query}"), &[JSON], &texts(export))
}

/// Imports an export directory with the command line against a service.
fn remotely(server: &Server, export: &str, options: &[&str]) -> testkit::ProcessOutput {
    let arguments = ["--json", "--server", &server.url, "import", export];
    run(rollbook().args(arguments).args(options))
}

/// Everything but when it was recorded.
fn events(store: &Store) -> Vec<Value> {
    let log = rollbook_log::Log::open(&store.path(), rollbook_log::OpenOptions::default());
    let log = Exclusive::new(log.unwrap());
    let all = log.commits_after(0).flat_map(Result::unwrap);
    let told = |event: rollbook_domain::EventRecord| {
        json!({"position": event.position, "stream": event.stream.to_string(), "id": event.id,
            "actor": format!("{:?}", event.actor), "occurred": event.occurred_at, "event": event.event})
    };
    all.map(told).collect()
}

/// `tracker` with a later title of a form and a later answer.
fn later(home: &Path, name: &str) -> Copy {
    let later = Copy::new(home, name);
    later.dated("2026-02-01T00:00:00Z").change("forms.json", |file| {
        file["documents"][0]["title"] = "Another title".into();
    });
    later
}

#[test]
fn an_import_by_request_is_the_import_of_the_directory() {
    let home = tempfile::tempdir().unwrap();
    let stores = ["here", "posted", "sent"].map(|name| {
        let store = Store::at(home.path().join(name));
        if name == "here" {
            store.import(&fixture("tracker").join("export"), "tracker");
        } else {
            copy_store(&home.path().join("here"), &store.path());
        }
        store
    });
    let [here, posted, sent] = stores;
    let later = later(home.path(), "later");
    let report = here.json(&["import", later.path()]);
    assert_eq!(report["appended"], 2);

    let server = Server::on(&posted);
    let answer = post(&server, "", &later.directory);
    assert_eq!((answer.status, answer.json()), (200, report.clone()));
    assert_eq!(answer.position(), report["head"].as_u64().unwrap());
    let imported = server.get(&format!("/v1/imports/{}", answer.header("x-rollbook-import")));
    let record = imported.json();
    assert_eq!((&record["state"], &record["report"]), (&json!("done"), &report));
    assert_eq!((&record["events_done"], &record["events_planned"]), (&json!(2), &json!(2)));
    assert_eq!(record["bytes_received"], texts(&later.directory).len());
    let read: usize = ["clients", "forms", "coaches", "users", "check_in_assignments"]
        .iter()
        .map(|collection| documents("tracker", collection).len())
        .sum();
    assert!(record["documents_read"].as_u64().unwrap() as usize > read, "{record}");
    server.end();

    let server = Server::on(&sent);
    let ran = remotely(&server, later.path(), &[]);
    assert_eq!((ran.code, &serde_json::from_str::<Value>(&ran.stdout).unwrap()), (0, &report));
    let text = run(rollbook().args(["--server", &server.url, "import", later.path()]));
    assert!(text.stdout.contains("\n0 events appended, head "), "{text:?}");
    server.end();
    let expected = events(&here);
    assert_eq!(events(&posted), expected);
    assert_eq!(events(&sent), expected);
}

#[test]
fn what_the_directory_refuses_the_service_refuses_with_the_same_code() {
    let home = tempfile::tempdir().unwrap();
    let at = home.path();
    let store = Store::imported_at(at.join("store"), "tracker");
    let other = Store::at(at.join("other"));
    copy_store(&store.path(), &other.path());
    let failed = Copy::new(at, "failed");
    failed.dated("2026-02-01T00:00:00Z").summary(|summary| summary["status"] = "failed".into());
    let short = Copy::new(at, "short");
    short.summary(|summary| summary["collections"][4]["count"] = 35.into());
    let older = Copy::new(at, "older");
    older.dated("2025-12-01T00:00:00Z").change("forms.json", |file| {
        file["documents"][0]["title"] = "Another title".into();
    });
    let answer = Copy::new(at, "answer");
    let mut taken = false;
    answer.dated("2026-02-01T00:00:00Z").retain("check_in_assignments", |_, document| {
        let keep = taken || !is_answered(document);
        taken |= !keep;
        keep
    });
    let unknown = Copy::new(at, "unknown");
    fs::write(
        unknown.directory.join("notes.json"),
        json!({"collection": "notes", "exportDate": "2026-02-01T00:00:00Z", "totalDocuments": 0, "documents": []})
            .to_string(),
    )
    .unwrap();
    let missing = Copy::new(at, "missing");
    fs::remove_file(missing.directory.join("clients.json")).unwrap();
    missing.summary(|summary| {
        summary["collections"].as_array_mut().unwrap().retain(|one| one["name"] != "clients");
    });
    let broken = Copy::new(at, "broken");
    fs::write(broken.directory.join("forms.json"), "{\"collection\": \"forms\", ").unwrap();
    let case = fixture_case("failed-export").join("second");
    let zone: &[&str] = &["--legacy-timezone", "Asia/Tokyo"];
    let cases: [(&str, &[&str], &str, u16, &str); 9] = [
        (failed.path(), &[], "", 400, "export_incomplete"),
        (short.path(), &[], "", 400, "export_incomplete"),
        (case.to_str().unwrap(), &[], "", 400, "export_incomplete"),
        (older.path(), &[], "", 409, "export_older"),
        (answer.path(), &[], "", 409, "export_removes"),
        (unknown.path(), &[], "", 400, "import"),
        (missing.path(), &[], "", 400, "import"),
        (broken.path(), &[], "", 400, "import"),
        (failed.path(), zone, "?legacy_timezone=Asia/Tokyo", 400, "export_incomplete"),
    ];
    let server = Server::on(&store);
    let head = server.head();
    for (export, options, query, status, code) in cases {
        let exit = if code == "import" { 1 } else { 3 };
        let here = other.run(&[&["--json", "import", export], options].concat());
        assert_eq!((&here.error()["code"], here.code), (&json!(code), exit), "{export}: {here:?}");
        let there = remotely(&server, export, options);
        assert_eq!(
            (&there.error()["code"], there.code),
            (&json!(code), exit),
            "{export}: {there:?}"
        );
        let answer = post(&server, query, Path::new(export));
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{export}: {answer:?}");
        let record = server.get("/v1/imports").json()[0].take();
        assert_eq!((&record["state"], &record["error"]["code"]), (&json!("failed"), &json!(code)));
        assert_eq!(record["error"]["message"], answer.json()["detail"], "{export}");
    }
    let tokyo = post(&server, "?legacy_timezone=Asia/Tokyo", &later(at, "later").directory);
    let here = other.run(&["--json", "import", older.path(), "--legacy-timezone", "Asia/Tokyo"]);
    assert_eq!((tokyo.status, &here.error()["code"]), (409, &json!(tokyo.code())));
    let moon = post(&server, "?legacy_timezone=Moon/Base", &older.directory);
    assert_eq!((moon.status, moon.code().as_str()), (400, "bad_query"));
    assert_eq!(server.head(), head, "nothing is written");

    // The way on is told in the words of the edge, and leads on.
    let refused = post(&server, "", &answer.directory).json();
    assert!(refused["next_step"].as_str().unwrap().contains("allow_removals=true"), "{refused}");
    let tried = post(&server, "?dry_run=true", &answer.directory).json();
    assert!(tried["refused"].as_str().unwrap().contains("check_in_assignments/"), "{tried}");
    assert_eq!(tried["removals"].as_array().unwrap().len(), 1, "{tried}");
    assert_eq!(other.json(&["import", answer.path(), "--dry-run"]), tried);
    assert_eq!(server.head(), head, "a dry run writes nothing");
    let removed = post(&server, "?allow_removals=true", &answer.directory).json();
    assert_eq!((&removed["appended"], &removed["removals"]), (&json!(2), &tried["removals"]));
    let older = remotely(&server, older.path(), &["--allow-older", "--allow-removals"]);
    assert_eq!(older.code, 0, "{older:?}");
    let skipped = post(&server, "?skip_unknown=true&allow_older=true", &unknown.directory);
    assert_eq!(skipped.json()["skipped"], json!({"notes": 0}), "{skipped:?}");
}

/// An import whose body arrives slowly.
struct Slow {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Slow {
    /// Sends the head and half of the body.
    fn begin(server: &Server, export: &Path) -> Self {
        let body = texts(export);
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(testkit::PATIENCE)).unwrap();
        let head = format!(
            "POST /v1/imports HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            server.address(),
            body.len()
        );
        let (first, rest) = body.split_at(body.len() / 2);
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(first).unwrap();
        Self { stream, rest: rest.to_owned() }
    }

    /// Sends the rest and returns the answer.
    fn finish(mut self) -> String {
        self.stream.write_all(&self.rest).unwrap();
        let mut answer = String::new();
        self.stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

fn state(server: &Server) -> Value {
    server.get("/v1/imports").json()[0]["state"].clone()
}

/// The files in the store's directory that the service holds open and that have no name.
fn nameless(server: &Server, store: &Store) -> Vec<u32> {
    let open = fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap();
    let open = open.map(|entry| entry.unwrap().path()).filter(|path| {
        let file = fs::read_link(path).unwrap_or_default();
        let file = file.to_string_lossy();
        file.starts_with(store.path().to_str().unwrap()) && file.ends_with("(deleted)")
    });
    open.filter_map(|path| Some(fs::metadata(path).ok()?.permissions().mode() & 0o777)).collect()
}

fn names(store: &Store) -> BTreeSet<String> {
    let entries = fs::read_dir(store.path()).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn one_import_runs_at_a_time_and_its_body_has_no_name_on_disk() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::imported_at(home.path().join("store"), "tracker");
    let export = later(home.path(), "later").directory;
    let mut server = Server::on(&store);
    post(&server, "?dry_run=true", &export);
    let before = names(&store);
    let slow = Slow::begin(&server, &export);
    until("it runs", || state(&server) == "running");
    assert_eq!(nameless(&server, &store), [0o600]);
    assert_eq!(names(&store), before, "the body has no name");
    let second = post(&server, "", &export);
    assert_eq!((second.status, second.code().as_str()), (409, "import_running"));
    let second = second.json();
    let running = server.get("/v1/imports").json()[0]["id"].as_str().unwrap().to_owned();
    assert!(second["detail"].as_str().unwrap().contains(&running), "{second}");
    assert!(second["next_step"].as_str().unwrap().contains("GET /v1/imports"), "{second}");
    let third = remotely(&server, export.to_str().unwrap(), &[]);
    assert_eq!((&third.error()["code"], third.code), (&json!("import_running"), 3), "{third:?}");
    let answer = slow.finish();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains(&running) && answer.contains(r#""appended":2"#), "{answer}");
    assert_eq!((state(&server), nameless(&server, &store)), (json!("done"), Vec::new()));
    assert_eq!(server.get("/v1/imports/nothing").status, 404);

    // A caller who leaves while the body arrives is no obstacle to the next.
    let slow = Slow::begin(&server, &export);
    until("it runs", || state(&server) == "running");
    drop(slow);
    until("it is over", || state(&server) != "running");
    assert_eq!(nameless(&server, &store), Vec::<u32>::new());
    assert_eq!(post(&server, "", &export).json()["appended"], 0);

    // Nor is a service that is killed: nothing stays of the body but the word on record.
    let slow = Slow::begin(&server, &export);
    until("it runs", || state(&server) == "running");
    server.signal("KILL");
    server.ended();
    drop(slow);
    let after: BTreeSet<String> = names(&store).difference(&before).cloned().collect();
    assert_eq!(after, BTreeSet::new());
    let server = Server::on(&store);
    assert_eq!(state(&server), "interrupted");
    assert_eq!(post(&server, "", &export).json()["appended"], 0);
    let states = server.get("/v1/imports").json();
    let states: Vec<&str> =
        states.as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap()).collect();
    assert_eq!(states[..2], ["done", "interrupted"]);
    let mode = fs::metadata(store.path().join("imports.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_body_that_is_too_large_or_of_another_type_or_ends_early_is_refused() {
    let store = Store::imported("tracker");
    let limits = ["--limits-body-bytes", "1KiB", "--limits-export-bytes", "64KiB"];
    let server = Server::with(&store, &limits);
    let head = server.head();
    let send = |kind: &str, body: &[u8]| {
        server.send("POST", "/v1/imports", &[("content-type", kind)], body)
    };
    let refused = |answer: &Answer| (answer.status, answer.code());
    let large = send("application/json", &vec![b' '; (64 << 10) + 1]);
    assert_eq!(refused(&large), (413, "too_large".to_owned()));
    for kind in ["application/x-ndjson", "text/plain", "application/gzip"] {
        assert_eq!(refused(&send(kind, b"{}")), (415, "no_json".to_owned()), "{kind}");
    }
    assert_eq!(refused(&send("application/json; charset=utf-8", b"")), (400, "import".to_owned()));
    assert_eq!(refused(&send("application/json", b"[]")), (400, "import".to_owned()));
    assert_eq!(refused(&send("application/json", b"\xff")), (400, "import".to_owned()));
    // One that does not announce its size.
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(testkit::PATIENCE)).unwrap();
    let head_of_request = format!(
        "POST /v1/imports HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
        server.address()
    );
    stream.write_all(head_of_request.as_bytes()).unwrap();
    let chunk = vec![b' '; 33 << 10];
    for _ in 0..2 {
        stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes()).unwrap();
        stream.write_all(&chunk).unwrap();
        stream.write_all(b"\r\n").unwrap();
    }
    // The rest is heard out.
    stream.write_all(b"0\r\n\r\n").unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    until("none runs", || state(&server) != "running");
    assert_eq!(server.head(), head);
    assert_eq!(nameless(&server, &store), Vec::<u32>::new());
}

/// Empty collections, so that a store exists that can be served.
fn empty_export(directory: &Path) {
    fs::create_dir_all(directory).unwrap();
    for name in ["clients", "check_in_assignments", "formResponses"] {
        let file = json!({"collection": name, "exportDate": "2020-01-01T00:00:00Z",
            "totalDocuments": 0, "documents": []});
        fs::write(directory.join(format!("{name}.json")), file.to_string()).unwrap();
    }
}

/// The events of an import without the one that completes it: its digest is that of what was missing.
fn without_ends(store: &Store) -> Vec<Value> {
    let all = events(store).into_iter();
    let all = all.filter(|event| event["stream"] != "control").map(|mut event| {
        event["actor"].take();
        event
    });
    all.collect()
}

#[test]
fn killed_in_the_middle_the_same_export_resumes_it() {
    let home = tempfile::tempdir().unwrap();
    let (empty, export) = (home.path().join("empty"), home.path().join("export"));
    empty_export(&empty);
    let size = SampleSize::Scaled { clients: 1_500, series_per_client: 2, total_weeks: 12 };
    write_export(&export, &SampleOptions { seed: 3, today: "2026-01-05".parse().unwrap(), size })
        .unwrap();
    let undisturbed = Store::at(home.path().join("undisturbed"));
    undisturbed.ok(&["import", empty.to_str().unwrap()]);
    let killed = Store::at(home.path().join("killed"));
    copy_store(&undisturbed.path(), &killed.path());
    let server = Server::on(&undisturbed);
    let began = Instant::now();
    let whole = post(&server, "", &export);
    let time = began.elapsed();
    assert_eq!(whole.status, 200, "{whole:?}");
    server.end();

    let body = texts(&export);
    let (seed, mut random) = random();
    let mut in_the_middle = 0;
    for round in 0..8 {
        let mut server = Server::on(&killed);
        std::thread::scope(|threads| {
            let sent =
                threads.spawn(|| server.try_send("POST", "/v1/imports", &[JSON], &body).is_ok());
            if round == 0 {
                // Surely between two commits.
                let begun = || {
                    let record = server.get("/v1/imports").json();
                    record.get(0).is_some_and(|one| one["events_done"].as_u64() > Some(0))
                };
                until("the first commit is done", begun);
            } else {
                std::thread::sleep(moment(&mut random, time));
            }
            server.signal("KILL");
            sent.join().unwrap()
        });
        server.ended();
        let server = Server::on(&killed);
        let head = server.head();
        if head > 1 && head < undisturbed_head(&whole) {
            in_the_middle += 1;
        }
        let record = server.get("/v1/imports").json();
        assert_ne!(record.get(0).map(|one| &one["state"]), Some(&json!("running")), "seed {seed}");
        server.end();
    }
    assert!(in_the_middle > 0, "seed {seed}");
    let server = Server::on(&killed);
    let last = post(&server, "", &export);
    assert_eq!(last.status, 200, "seed {seed}: {last:?}");
    assert_eq!(post(&server, "", &export).json()["appended"], 0, "seed {seed}");
    assert_eq!(server.get("/v1/imports").json()[0]["state"], "done");
    server.end();
    assert_eq!(without_ends(&killed), without_ends(&undisturbed), "seed {seed}");
    for view in ["legacy", "precreated"] {
        let now = "2026-02-20T10:00:00Z";
        assert_eq!(killed.all(view, now), undisturbed.all(view, now), "seed {seed}");
    }
}

fn undisturbed_head(report: &Answer) -> u64 {
    report.json()["head"].as_u64().unwrap()
}

/// Answers a week as it is listed, if it is open, and returns the id of the response.
pub fn answer(server: &Server, client: &str, week: u32) -> Option<String> {
    let seen = server.check_ins(client);
    assert_eq!(seen.status, 200, "{seen:?}");
    let entries = seen.body["data"]["checkins"].as_array().unwrap();
    let open = |entry: &&Value| entry["recurringWeek"] == week && entry["responseId"].is_null();
    let id = entries.iter().find(open)?["id"].as_str().unwrap().to_owned();
    let body = json!({"responses": [], "score": week});
    let answer = server.post(&format!("/api/client-portal/check-in/{id}"), body);
    assert_eq!(answer.status, 200, "{answer:?}");
    (answer.body["alreadyCompleted"] != true)
        .then(|| answer.body["responseId"].as_str().unwrap().to_owned())
}

/// The response of each week of a client in the view that serves.
pub fn held(server: &Server, client: &str) -> BTreeMap<u64, Value> {
    let seen = server.check_ins(client);
    let entries = seen.body["data"]["checkins"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| (entry["recurringWeek"].as_u64().unwrap(), entry["responseId"].clone()))
        .collect()
}

#[test]
fn who_answers_while_imports_run_loses_nothing_and_is_never_refused() {
    const CLIENTS: usize = 24;
    const IMPORTS: usize = 6;
    let home = tempfile::tempdir().unwrap();
    let client = |number: usize| format!("c{number}");
    let mut old = OldApplication::new(home.path(), (0..CLIENTS).map(client));
    let store = Store::at(home.path().join("store"));
    store.ok(&["import", old.export().to_str().unwrap()]);
    store.migrate();
    store.ok(&["switch", "precreated", "--reason", "test"]);
    let server = Server::at(&store, NOW);
    // Each writer has some clients, and answers their even weeks again and again until none is open.
    let write = |number: usize, stop: &AtomicBool| {
        let mut acknowledged = Vec::new();
        let mine: Vec<String> = (0..CLIENTS).filter(|at| at % 4 == number).map(client).collect();
        for week in (2..=WEEKS).step_by(2) {
            for client in &mine {
                let given = answer(&server, client, week);
                acknowledged.extend(given.map(|response| (client.clone(), week, response)));
            }
        }
        while !stop.load(Ordering::SeqCst) {
            mine.iter().for_each(|client| drop(held(&server, client)));
        }
        acknowledged
    };
    let import = || {
        let mut adopted = 0;
        for round in 0..IMPORTS {
            for number in (0..CLIENTS).filter(|number| number % IMPORTS == round) {
                for week in (1..=WEEKS).step_by(2) {
                    old.answer(&client(number), week);
                }
            }
            let imported = post(&server, "", &old.export());
            assert_eq!(imported.status, 200, "{imported:?}");
            adopted += imported.json()["adopted"].as_array().unwrap().len();
        }
        adopted
    };
    let (adopted, acknowledged) = under_load(4, write, import);
    assert_eq!(adopted, CLIENTS * 2, "weeks 3 and 5 of each");
    let acknowledged: Vec<_> = acknowledged.into_iter().flatten().collect();
    assert_eq!(acknowledged.len(), CLIENTS * 3);
    for view in ["precreated", "legacy"] {
        if view == "legacy" {
            let back = server.switch(&json!({"view": view, "reason": "test"}), None);
            assert_eq!(back.status, 200, "{back:?}");
        }
        for (client, week, response) in &acknowledged {
            let held = held(&server, client);
            assert_eq!(held[&u64::from(*week)], json!(response), "{view}: {client}, {week}");
            assert_eq!(held[&1], json!(format!("{client}-old-r1")), "{view}: {client}");
        }
        let seen: Vec<Value> =
            (0..CLIENTS).flat_map(|number| held(&server, &client(number)).into_values()).collect();
        for response in old.responses() {
            assert!(seen.contains(&json!(response)), "{view}: {response}");
        }
    }
    let validated = server.send("POST", "/v1/migrations/validations", &[], b"").json();
    assert_eq!(validated["all_green"], true, "{validated}");
}

#[test]
fn a_service_that_ends_stops_an_import_between_two_commits() {
    let home = tempfile::tempdir().unwrap();
    let (empty, export) = (home.path().join("empty"), home.path().join("export"));
    empty_export(&empty);
    let size = SampleSize::Scaled { clients: 3_000, series_per_client: 2, total_weeks: 12 };
    write_export(&export, &SampleOptions { seed: 3, today: "2026-01-05".parse().unwrap(), size })
        .unwrap();
    let store = Store::at(home.path().join("store"));
    store.ok(&["import", empty.to_str().unwrap()]);
    let body = texts(&export);
    let mut server = Server::on(&store);
    let answer = std::thread::scope(|threads| {
        let sent = threads.spawn(|| server.try_send("POST", "/v1/imports", &[JSON], &body));
        eventually("the first commit is done", || {
            let record = server.get("/v1/imports").json();
            let done = record.get(0)?["events_done"].as_u64()?;
            (done > 0).then_some(())
        });
        server.signal("TERM");
        sent.join().unwrap().unwrap()
    });
    server.ended();
    if answer.status != 200 {
        assert_eq!((answer.status, answer.code().as_str()), (503, "interrupted"), "{answer:?}");
        let server = Server::on(&store);
        assert_eq!(state(&server), "interrupted");
    }
    let server = Server::on(&store);
    assert_eq!(post(&server, "", &export).status, 200);
    assert_eq!(post(&server, "", &export).json()["appended"], 0);
}

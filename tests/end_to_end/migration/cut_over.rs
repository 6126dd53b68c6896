//! Runs every command of `docs/cut-over.md` in its order, with clients who answer over HTTP all the
//! time and an old application that takes answers until the end.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};
use testkit::{ProcessOutput, Server, Store, binary, repository, rollbook, run, under_load};

use crate::native_api::imports::{answer, held};
use crate::old_application::{OldApplication, WEEKS};

const NOW: &str = "2026-01-20T12:00:00Z";
const CLIENTS: usize = 36;
const WRITERS: usize = 3;
/// The new client of the old application.
const NEW: &str = "newcomer";

/// The lines of the page's shell blocks.
fn lines() -> Vec<String> {
    let page = std::fs::read_to_string(repository().join("docs/cut-over.md")).unwrap();
    let blocks = page.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    blocks.flat_map(str::lines).map(str::to_owned).collect()
}

/// A shell in a directory, whose commands find the binary.
struct Shell<'h> {
    home: &'h Path,
    server: Option<String>,
}

impl Shell<'_> {
    fn run(&self, line: &str) -> ProcessOutput {
        let binary = binary();
        let path = binary.parent().unwrap().display();
        let path = format!("{path}:{}", std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).env("PATH", path).current_dir(self.home);
        match &self.server {
            Some(url) => shell.env("ROLLBOOK_SERVER", url),
            None => shell.env_remove("ROLLBOOK_SERVER"),
        };
        let ran = run(&mut shell);
        assert_eq!(ran.code, 0, "{line}: {ran:?}");
        ran
    }
}

fn client(number: usize) -> String {
    format!("c{number}")
}

/// Every answer that a system took: the client, the week, the response.
type Answers = BTreeMap<(String, u32), String>;

/// What the old application does before each of its exports: answers of odd weeks.
fn go_on(old: &mut OldApplication, export: usize, answers: &mut Answers) {
    if export == 3 {
        old.add(NEW);
        answers.insert((NEW.to_owned(), 2), old.answer(NEW, 2));
    }
    for number in (0..CLIENTS).filter(|number| number % 4 + 1 == export) {
        for week in (1..=WEEKS).step_by(2) {
            let client = client(number);
            answers.insert((client.clone(), week), old.answer(&client, week));
        }
    }
}

/// Checks what the commands say, as far as the page tells it.
fn check(line: &str, ran: &ProcessOutput) {
    let says = |words: &str| assert!(ran.stdout.contains(words), "{line}: {words:?}: {ran:?}");
    match line {
        "rollbook import export-2 --dry-run" => says("dry run, nothing written: "),
        "rollbook import export-3" => says("adopted: document "),
        "rollbook migrate validate" => says("\n13 of 13 at position "),
        _ => {}
    }
}

#[test]
fn the_cut_over_page_leads_through_while_both_systems_take_answers() {
    let home = tempfile::tempdir().unwrap();
    let mut old = OldApplication::new(home.path(), (0..CLIENTS).map(client));
    let mut of_old = Answers::new();
    let mut shell = Shell { home: home.path(), server: None };
    let mut lines = lines().into_iter();

    let mut exports = 0;
    let mut step = |shell: &Shell<'_>, line: &str| -> ProcessOutput {
        if line.contains(&format!("export-{}", exports + 1)) {
            exports += 1;
            go_on(&mut old, exports, &mut of_old);
            old.export();
        }
        let ran = shell.run(line);
        check(line, &ran);
        ran
    };
    let serve = "rollbook --data prod serve";
    for line in lines.by_ref().take_while(|line| line != serve) {
        step(&shell, &line);
    }
    let mut command = rollbook();
    command.args(["--data", "prod"]).current_dir(home.path());
    let clock = ["--fixed-clock", NOW, "--allow-fixed-clock", "--limits-requests-per-second", "0"];
    let server = Server::serve(&mut command, &clock);
    shell.server = Some(server.url.clone());
    assert_eq!(lines.next().unwrap(), "export ROLLBOOK_SERVER=http://127.0.0.1:7350");

    // With every command the writers answer some of the even weeks of their clients, and look.
    let during: Vec<String> =
        lines.by_ref().take_while(|line| !line.starts_with("unset")).collect();
    let reached = AtomicUsize::new(0);
    let write = |writer: usize, stop: &AtomicBool| {
        let mine = (0..CLIENTS).filter(|number| number % WRITERS == writer).map(client);
        let mut open: Vec<(String, u32)> =
            mine.flat_map(|client| [6, 4, 2].map(|week| (client.clone(), week))).collect();
        let each = open.len().div_ceil(during.len());
        let (mut answers, mut given) = (Answers::new(), 0);
        while !open.is_empty() || !stop.load(Ordering::SeqCst) {
            let is_over = stop.load(Ordering::SeqCst);
            let is_due = given < each * reached.load(Ordering::SeqCst) || is_over;
            if let Some((client, week)) = open.pop_if(|_| is_due) {
                // The legacy list has no open week before an answered one.
                let Some(response) = answer(&server, &client, week) else {
                    assert!(!is_over, "week {week} of {client} is never open");
                    open.insert(0, (client, week));
                    continue;
                };
                // It is in the view that serves.
                assert_eq!(held(&server, &client)[&u64::from(week)], json!(response));
                answers.insert((client, week), response);
                given += 1;
            } else {
                for (client, week) in answers.keys().take(3) {
                    let held = held(&server, client);
                    assert_eq!(held[&u64::from(*week)], json!(answers[&(client.clone(), *week)]));
                }
            }
        }
        answers
    };
    let ((), of_service) = under_load(WRITERS, write, || {
        for line in &during {
            reached.fetch_add(1, Ordering::SeqCst);
            let ran = step(&shell, line);
            if line == "rollbook import export-4" && ran.stdout.contains("0 events appended") {
                reached.fetch_add(100, Ordering::SeqCst);
            }
        }
    });
    let of_service: Vec<((String, u32), String)> = of_service.into_iter().flatten().collect();
    assert_eq!(of_service.len(), CLIENTS * 3);
    assert_eq!(exports, 4);
    assert_eq!(of_old.len(), CLIENTS * 3 + 1);
    let everybody = |view: &str| {
        for ((client, week), response) in
            of_old.iter().chain(of_service.iter().map(|(a, b)| (a, b)))
        {
            let held = held(&server, client);
            assert_eq!(held[&u64::from(*week)], json!(response), "{view}: {client}, week {week}");
        }
    };
    assert_eq!(server.check_ins(&client(0)).view(), "precreated");
    everybody("precreated");
    let back = server.switch(&json!({"view": "legacy", "reason": "a look"}), None);
    assert_eq!(back.status, 200, "{back:?}");
    everybody("legacy");
    let forward = server.switch(&json!({"view": "precreated", "reason": "a look"}), None);
    assert_eq!(forward.status, 200, "{forward:?}");
    let validated = server.send("POST", "/v1/migrations/validations", &[], b"").json();
    assert_eq!(validated["all_green"], true, "{validated}");
    server.end();

    shell.server = None;
    for line in lines {
        shell.run(&line);
    }
    let certificate = std::fs::read(home.path().join("certificate.json")).unwrap();
    let certificate: Value = serde_json::from_slice(&certificate).unwrap();
    assert!(certificate.is_object());
    let store = Store::at(home.path().join("prod"));
    let all = store.responses();
    for response in of_old.values().chain(of_service.iter().map(|(_, response)| response)) {
        assert!(all.contains(response), "{response}");
    }
}

#[test]
fn of_two_answers_of_one_week_both_views_show_one_and_the_other_is_told() {
    let home = tempfile::tempdir().unwrap();
    let mut old = OldApplication::new(home.path(), [client(0)]);
    let store = Store::at(home.path().join("store"));
    store.ok(&["import", old.export().to_str().unwrap()]);
    store.migrate();
    store.ok(&["switch", "precreated", "--reason", "test"]);
    let server = Server::at(&store, NOW);
    // A week that the import brought, and one that the migration made.
    let here = [1, 2].map(|week| answer(&server, &client(0), week).unwrap());
    let there = [1, 2].map(|week| old.answer(&client(0), week));
    let export = old.export();
    let shell = Shell { home: home.path(), server: Some(server.url.clone()) };
    shell.run(&format!("rollbook import {}", export.display()));
    let shown = || held(&server, &client(0));
    let in_precreated = shown();
    assert_eq!(server.switch(&json!({"view": "legacy", "reason": "a look"}), None).status, 200);
    let in_legacy = shown();
    for week in [1, 2] {
        assert_eq!(in_precreated[&week], in_legacy[&week], "week {week}");
        assert!([&here, &there].iter().any(|of| in_legacy[&week] == json!(of[week as usize - 1])));
    }
    let validate = || server.send("POST", "/v1/migrations/validations", &[], b"").json();
    let red = validate();
    let red = red["checks"].as_array().unwrap().iter().filter(|check| check["green"] == false);
    let red: Vec<&str> = red.map(|check| check["name"].as_str().unwrap()).collect();
    assert!(red.contains(&"no-response-hidden"), "{red:?}");
    let found =
        shell.run("rollbook --json migrate findings --check no-response-hidden --all").stdout;
    for week in [1, 2] {
        let hidden = [&here, &there]
            .map(|of| &of[week as usize - 1])
            .into_iter()
            .find(|response| in_legacy[&week] != json!(response))
            .unwrap();
        assert!(found.contains(hidden.as_str()), "{hidden}: {found}");
    }
    for name in &red {
        let found = format!("rollbook --json migrate findings --check {name} --all");
        let found: Value = serde_json::from_str(&shell.run(&found).stdout).unwrap();
        let open = &found["open"];
        shell.run(&format!(
            "rollbook migrate accept --check {name} --expect {open} --reason 'answered twice'"
        ));
    }
    let validated = validate();
    assert_eq!(validated["all_green"], true, "{validated}");
    // The same export again has nothing to say about it.
    let again = shell.run(&format!("rollbook import {}", export.display())).stdout;
    assert!(again.contains("0 events appended"), "{again}");
}

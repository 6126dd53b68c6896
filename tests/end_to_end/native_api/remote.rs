//! The command line against a service: the same output, JSON and exit codes as on the directory.

use serde_json::Value;
use testkit::{ProcessOutput, Server, Store, copy_directory, rollbook, run};

use super::AT;

/// What a command gave back, as far as it must be the same: the exit code, stdout, the code of its
/// error.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    exit: i32,
    stdout: String,
    code: Option<String>,
}

fn said(ran: &ProcessOutput) -> Said {
    let error = ran.stderr.lines().last();
    let error = error.and_then(|error| serde_json::from_str::<Value>(error).ok());
    let code = error.and_then(|error| error["error"]["code"].as_str().map(str::to_owned));
    Said { exit: ran.code, stdout: without_resolutions(&without_log_digest(&ran.stdout)), code }
}

/// Without the text that says how a finding of the audit is resolved: a command here, a request of
/// the service there.
fn without_resolutions(stdout: &str) -> String {
    let without = |line: &str| match line.split_once("- resolve: ") {
        Some((before, _)) => format!("{before}- resolve\n"),
        None => match line.split_once(r#""resolve":""#) {
            Some(_) => {
                let mut parts = line.split(r#""resolve":""#);
                let first = parts.next().unwrap_or_default().to_owned();
                parts.fold(first, |said, part| {
                    let (_, after) = part.split_once('"').unwrap();
                    said + r#""resolve":""# + after
                })
            }
            None => line.to_owned(),
        },
    };
    stdout.split_inclusive('\n').map(without).collect()
}

/// The digest over the stored bytes, which hold when each event was recorded, is no two runs' the
/// same.
fn without_log_digest(stdout: &str) -> String {
    let mut parts = stdout.split("are what they were, digest ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |said, part| {
        said + "are what they were"
            + part.trim_start_matches(|letter: char| letter.is_ascii_hexdigit())
    })
}

fn client_of(store: &Store) -> String {
    let listed = store.ok(&["view", "legacy", "--all"]);
    let line: Value = serde_json::from_str(listed.lines().nth(3).unwrap()).unwrap();
    line["clientId"].as_str().unwrap().to_owned()
}

/// Everything that runs remotely, in an order that leads through a whole migration, with what is
/// refused on the way.
fn script(client: &str) -> Vec<Vec<&str>> {
    let mut script: Vec<Vec<&str>> = vec![
        vec!["status"],
        vec!["view", "legacy", "--client", client, "--at", AT],
        vec!["view", "live", "--client", "nobody", "--at", AT],
        vec!["view", "precreated", "--all", "--at", AT, "--overdue-after", "0s"],
        vec!["view", "live", "--client", client, "--at", AT, "--as-of", "40"],
        vec!["view", "live", "--all", "--at", AT, "--as-of", "99999"],
        vec!["history", client],
        vec!["history", client, "--with-answers"],
        vec!["history", client, "--format", "md"],
        vec!["history", "control"],
        vec!["history", "nobody-at-all"],
        vec!["history", "--seen", "--client", client, "--at", AT],
        vec!["audit", "--at", AT],
        vec!["audit", "--at", AT, "--format", "json"],
        vec!["switch", "precreated", "--reason", "too early"],
        vec!["migrate", "validate"],
        vec!["migrate", "parity"],
        vec!["migrate", "plan", "--out", "monday.ndjson"],
        vec!["migrate", "plan", "--due", "weekday", "--out", "weekday.ndjson"],
        vec!["migrate", "plan", "--due", "weekday", "--out", "monday.ndjson"],
        vec!["migrate", "plan"],
        vec!["migrate", "show", "monday.ndjson"],
        vec!["migrate", "apply", "no-such.ndjson"],
        vec!["migrate", "apply", "monday.ndjson", "--at", AT],
        vec!["migrate", "apply", "monday.ndjson"],
        vec!["migrate", "apply", "weekday.ndjson"],
        vec!["migrate", "validate", "--overdue-after", "0s"],
        vec!["migrate", "validate"],
        vec!["migrate", "parity", "--overdue-after", "1d"],
        vec!["switch", "precreated", "--percent", "10", "--reason", "first tenth", "--key", "k"],
        vec!["switch", "precreated", "--percent", "10", "--reason", "first tenth", "--key", "k"],
        vec!["switch", "precreated", "--percent", "20", "--reason", "first tenth", "--key", "k"],
        vec!["switch", "precreated", "--client", client, "--reason", "pilot"],
        vec!["switch", "precreated", "--client", "nobody", "--reason", "pilot"],
        vec!["switch", "legacy", "--reason", " "],
        vec!["switch", "legacy", "--reason", "back", "--force"],
        vec!["client", "put", "cleo", "--email", "cleo@example.com", "--coach", "lee", "--at", AT],
        vec!["client", "put", "cleo", "--last-name", "Ash", "--key", "put", "--at", AT],
        vec!["client", "put", "dora", "--auth-uid", "cleo", "--at", AT],
        vec!["coach", "put", "lee", "--first-name", "Lee", "--at", AT],
        vec!["form", "put", "a form/with: signs", "--title", "Sleep diary", "--at", AT],
        vec!["form", "put", "sleep", "--document", "no-such.json"],
        vec!["view", "live", "--all", "--at", AT],
        vec!["status"],
    ];
    let with_json: Vec<Vec<&str>> = script
        .iter()
        .flat_map(|arguments| {
            let is_repeatable =
                !matches!(arguments[..], ["switch", ..] | ["migrate", "apply" | "validate", ..]);
            let json = [arguments.clone(), vec!["--json"]].concat();
            if is_repeatable { vec![arguments.clone(), json] } else { vec![json] }
        })
        .collect();
    script = with_json;
    script
}

#[test]
fn every_command_says_the_same_remotely() {
    let store = Store::imported("tracker");
    let away = store.beside("away");
    copy_directory(&store.path(), &away);
    let client = client_of(&store);
    let here: Vec<Said> =
        script(&client).iter().map(|arguments| said(&store.run(arguments))).collect();
    // The same store again, at the same place.
    std::fs::remove_dir_all(store.path()).unwrap();
    std::fs::rename(&away, store.path()).unwrap();
    for entry in std::fs::read_dir(store.around()).unwrap() {
        let path = entry.unwrap().path();
        // What the commands left; the store's keys are no such thing.
        if path.is_file()
            && !path.extension().is_some_and(|kind| kind.to_string_lossy().ends_with("-key"))
        {
            std::fs::remove_file(path).unwrap();
        }
    }
    let server = Server::on(&store);
    let mut exits = std::collections::BTreeSet::new();
    for (arguments, here) in script(&client).iter().zip(here) {
        let output = run(rollbook()
            .args(["--server", &server.url])
            .args(arguments)
            .current_dir(store.around()));
        let there = said(&output);
        assert_eq!(there, here, "{arguments:?}: {}", output.stderr);
        exits.insert(there.exit);
    }
    assert_eq!(exits.into_iter().collect::<Vec<_>>(), [0, 1, 3]);
}

#[test]
fn what_cannot_run_remotely_says_so_and_the_command_line_is_stronger_than_the_environment() {
    let store = Store::imported("tracker");
    let server = Server::on(&store);
    let refused = |arguments: &[&str], environment: &[(&str, &str)]| {
        let output = run(rollbook()
            .args(arguments)
            .envs(environment.iter().copied())
            .current_dir(store.around()));
        (output.code, output.stderr)
    };
    let url = server.url.as_str();
    for command in [
        vec!["verify"],
        vec!["rebuild", "--all"],
        vec!["export", "x"],
        vec!["migrate", "certificate"],
        vec!["serve"],
    ] {
        let (exit, stderr) = refused(&[&["--server", url], command.as_slice()].concat(), &[]);
        assert_eq!(exit, 2, "{command:?}: {stderr}");
        assert!(stderr.contains("works on a store's directory"), "{stderr}");
    }
    let (exit, stderr) = refused(&["verify"], &[("ROLLBOOK_SERVER", url)]);
    assert!(exit == 2 && stderr.contains("ROLLBOOK_SERVER"), "{stderr}");
    let (exit, _) = refused(
        &["switch", "legacy", "--reason", "x", "--as", "admin:ada"],
        &[("ROLLBOOK_SERVER", url)],
    );
    assert_eq!(exit, 2);
    let (exit, stderr) = refused(&["--server", url, "--data", "store", "status"], &[]);
    assert!(exit == 2 && stderr.contains("two stores"), "{stderr}");
    // Of the environment's service and the command line's directory, the directory.
    let (exit, stderr) =
        refused(&["--data", "nothing-here", "status"], &[("ROLLBOOK_SERVER", url)]);
    assert!(exit == 1 && stderr.contains("nothing-here"), "{stderr}");
    assert_eq!(refused(&["status"], &[("ROLLBOOK_SERVER", url)]).0, 0);
    for (wrong, exit) in [("nonsense", 2), ("ftp://localhost", 2), ("http://127.0.0.1:1", 1)] {
        assert_eq!(refused(&["--server", wrong, "status"], &[]).0, exit, "{wrong}");
    }
    let (exit, stderr) =
        refused(&["--server", "http://rollbook.example.com", "--token", "t", "status"], &[]);
    assert!(exit == 2 && stderr.contains("unencrypted"), "{stderr}");
}

#[test]
fn a_key_opens_what_its_scopes_allow_from_a_file_the_environment_or_the_command_line() {
    let store = Store::imported("tracker");
    let key = |scope: &str| -> String {
        let made = store.json(&["key", "create", "--name", scope, "--scope", scope]);
        let object = made.as_object().unwrap();
        object.values().filter_map(Value::as_str).max_by_key(|text| text.len()).unwrap().to_owned()
    };
    let (status, operator) = (key("status"), key("operator"));
    let file = store.beside("ops.key");
    std::fs::write(&file, format!("{operator}\n")).unwrap();
    let server = Server::on(&store);
    let ask = |arguments: &[&str], environment: &[(&str, &str)]| {
        let command = [&["--server", &server.url, "--json"], arguments].concat();
        run(rollbook().args(command).envs(environment.iter().copied()).current_dir(store.around()))
    };
    let nobody = said(&ask(&["status"], &[]));
    assert_eq!((nobody.exit, nobody.code.as_deref()), (1, Some("unauthenticated")));
    assert_eq!(
        said(&ask(&["status"], &[("ROLLBOOK_TOKEN", "nonsense")])).code.as_deref(),
        Some("unauthenticated")
    );
    for (arguments, environment) in [
        (vec!["--token-file", file.to_str().unwrap(), "status"], vec![]),
        (vec!["--token", &status, "status"], vec![]),
        (vec!["status"], vec![("ROLLBOOK_TOKEN", status.as_str())]),
        (vec!["status"], vec![("ROLLBOOK_TOKEN_FILE", file.to_str().unwrap())]),
        (
            vec!["--token-file", file.to_str().unwrap(), "migrate", "plan", "--out", "b.ndjson"],
            vec![],
        ),
    ] {
        let said = said(&ask(&arguments, &environment));
        assert_eq!(said.exit, 0, "{arguments:?} {said:?}");
    }
    let refused = ask(&["migrate", "plan", "--out", "c.ndjson"], &[("ROLLBOOK_TOKEN", &status)]);
    assert_eq!((said(&refused).exit, said(&refused).code.as_deref()), (1, Some("forbidden")));
    let stderr = &refused.stderr;
    assert!(
        stderr.contains("answered 403 forbidden")
            && stderr.contains("next:")
            && !stderr.contains(&status),
        "{stderr}"
    );
    // An operator may read neither answers nor lists.
    assert_eq!(
        said(&ask(&["view", "live", "--all"], &[("ROLLBOOK_TOKEN", &operator)])).code.as_deref(),
        Some("forbidden")
    );
}

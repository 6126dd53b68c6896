//! Settings: `config show`, precedence among the real sources, errors, and that `serve` reads the
//! same settings.

use std::process::Command;

use rollbook_service::configuration::KEYS;
use serde_json::Value;
use tempfile::TempDir;
use testkit::{ProcessOutput, Store, rollbook, run};

use super::running::Running;

const MANUAL: &str = include_str!("../../../../docs/service-operation.md");

fn in_directory(file: Option<&str>) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    if let Some(text) = file {
        std::fs::write(directory.path().join("rollbook.toml"), text).unwrap();
    }
    directory
}

fn show(directory: &TempDir, change: impl FnOnce(&mut Command)) -> ProcessOutput {
    let mut command = rollbook();
    command.args(["config", "show", "--json"]).current_dir(directory.path());
    change(&mut command);
    run(&mut command)
}

fn setting(ran: &ProcessOutput, key: &str) -> (Value, Value) {
    assert_eq!(ran.code, 0, "{ran:?}");
    let shown: Value = serde_json::from_str(&ran.stdout).unwrap();
    let found =
        shown["settings"].as_array().unwrap().iter().find(|one| one["key"] == key).unwrap().clone();
    (found["value"].clone(), found["origin"].clone())
}

#[test]
fn every_setting_can_be_given_as_flag_variable_and_line_of_the_file_and_the_stronger_wins() {
    for key in KEYS.iter().filter(|key| key.default.is_some_and(|default| !default.is_empty())) {
        let default = key.default.unwrap();
        let bare = default.parse::<u64>().is_ok() || ["true", "false"].contains(&default);
        let value = if bare { default.to_owned() } else { format!("{default:?}") };
        let directory = in_directory(Some(&format!("\n{} = {value}\n", key.name)));
        let (from_file, origin) = setting(&show(&directory, |_| {}), key.name);
        assert_eq!(
            (&origin["kind"], &origin["line"], &origin["file"]),
            (&"file".into(), &2.into(), &"rollbook.toml".into()),
            "{}",
            key.name
        );
        let variable = key.variable();
        let (from_variable, origin) = setting(
            &show(&directory, |command| {
                command.env(&variable, default);
            }),
            key.name,
        );
        assert_eq!(
            (&origin["kind"], &origin["variable"]),
            (&"environment".into(), &variable.clone().into())
        );
        let flag = format!("--{}", key.flag);
        let both = show(&directory, |command| {
            command.env(&variable, default).args([&flag, default]);
        });
        let (from_flag, origin) = setting(&both, key.name);
        assert_eq!((&origin["kind"], &origin["flag"]), (&"flag".into(), &flag.into()));
        let (by_default, origin) = setting(&show(&in_directory(None), |_| {}), key.name);
        assert_eq!(origin["kind"], "default");
        assert!(
            from_file == from_variable && from_variable == from_flag && from_flag == by_default,
            "{}",
            key.name
        );
    }
}

#[test]
fn a_wrong_file_is_refused_by_show_and_serve_alike_with_the_place_and_exit_code_2() {
    let cases = [
        (
            "[limits]\nheader = 3\n",
            "rollbook.toml:2: there is no setting \"limits.header\"; did you mean \"limits.headers\"?",
        ),
        (
            "listen = 80\n",
            "rollbook.toml:1: listen is an IP address and a port, such as 127.0.0.1:8080, not \"80\"",
        ),
        ("timeouts.drain = \"soon\"\n", "rollbook.toml:1: timeouts.drain is a span"),
        ("x = \n", "rollbook.toml:1: this is not valid TOML"),
    ];
    for (text, said) in cases {
        let directory = in_directory(Some(text));
        for arguments in [["config", "show"].as_slice(), &["serve"]] {
            let ran = run(rollbook().args(arguments).current_dir(directory.path()));
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
            assert!(ran.stderr.contains(said), "{ran:?}");
        }
    }
    let named = run(rollbook().args(["config", "show", "--config", "/nowhere/at/all.toml"]));
    assert!(named.stderr.contains("cannot read the configuration file /nowhere/at/all.toml"));
}

#[test]
fn secrets_are_masked_and_a_slip_in_a_variable_is_named() {
    let directory = in_directory(Some("telemetry.headers = [\"authorization=Bearer hush\"]\n"));
    for arguments in [["config", "show"].as_slice(), &["config", "show", "--json"]] {
        let mut show = rollbook();
        show.args(arguments).env("ROLLBOOK_LISTN", "x").current_dir(directory.path());
        let stdout = run(&mut show).stdout;
        assert!(
            stdout.contains("********")
                && !stdout.contains("hush")
                && stdout.contains("ROLLBOOK_LISTN"),
            "{stdout}"
        );
    }
}

#[test]
fn serve_runs_with_what_show_shows() {
    let store = Store::imported("clean");
    let file = store.path().with_file_name("given.toml");
    std::fs::write(&file, "metrics.enabled = false\nlog.format = \"json\"\n").unwrap();
    let service = Running::new(
        &store,
        &["--config", file.to_str().unwrap()],
        &[("ROLLBOOK_LIMITS_HEADERS", "8")],
    );
    assert_eq!(service.get("/metrics", "").status, 404);
    let many: String = (0..10).map(|number| format!("x-{number}: 1\r\n")).collect();
    assert_eq!(service.get("/", &many).status, 431);
    assert!(service.messages().lines().all(|line| line.starts_with('{')));
}

#[test]
fn the_manual_lists_every_setting_with_its_default() {
    let rows: Vec<Vec<&str>> = MANUAL
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split(" | ").collect())
        .collect();
    for key in KEYS {
        let row = rows
            .iter()
            .find(|row| row[0] == format!("| `{}`", key.name))
            .unwrap_or_else(|| panic!("{} is missing", key.name));
        let default = key
            .default
            .filter(|default| !default.is_empty())
            .map_or("-".to_owned(), |default| format!("`{default}`"));
        assert_eq!(row[1], default, "{}", key.name);
    }
    let listed = rows.iter().filter(|row| {
        row[0].contains('.')
            || ["| `listen`", "| `data`", "| `backups`", "| `overdue_after`"].contains(&row[0])
    });
    assert_eq!(listed.count(), KEYS.len());
}

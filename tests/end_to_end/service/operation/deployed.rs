//! The files under `deploy/`: the commands of the unit and of the image are command lines of this
//! binary, the example configuration loads, and the alerts use metrics that exist.

use std::path::PathBuf;
use std::process::Command;

use testkit::{Store, repository, rollbook, run};

use super::running::{Running, list_path};

fn deploy(name: &str) -> PathBuf {
    repository().join("deploy").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(deploy(name)).unwrap()
}

/// Whether these words are a command line: asked for its help, the binary refuses what it does not
/// know.
fn is_command(words: &[&str]) {
    let ran = run(rollbook().args(words).arg("--help"));
    assert_eq!(ran.code, 0, "{words:?}: {ran:?}");
    assert!(ran.stdout.contains("Usage: rollbook"), "{words:?}");
}

fn setting<'t>(unit: &'t str, name: &str) -> &'t str {
    unit.lines()
        .find_map(|line| line.strip_prefix(&format!("{name}=")))
        .unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn the_unit_starts_this_binary_and_waits_longer_than_the_drain() {
    let unit = read("rollbook.service");
    let command = setting(&unit, "ExecStart").strip_prefix("/usr/bin/rollbook ").unwrap();
    is_command(&command.split(' ').collect::<Vec<_>>());
    let check = setting(&unit, "ExecStartPre").strip_prefix("/usr/bin/rollbook ").unwrap();
    is_command(&check.split(' ').collect::<Vec<_>>());
    assert_eq!(setting(&unit, "Type"), "notify");
    for hardened in [
        "ProtectSystem=strict",
        "NoNewPrivileges=true",
        "User=rollbook",
        "StateDirectory=rollbook",
        "ProtectHome=true",
    ] {
        assert!(unit.contains(hardened), "{hardened}");
    }
    let stop: u64 = setting(&unit, "TimeoutStopSec").parse().unwrap();
    let show = ["config", "show", "--json", "--config"];
    let ran = run(rollbook().args(show).arg(deploy("rollbook.toml")));
    assert_eq!(ran.code, 0, "{ran:?}");
    let shown: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let value = |key: &str| {
        shown["settings"].as_array().unwrap().iter().find(|one| one["key"] == key).unwrap()["value"]
            .clone()
    };
    let drain =
        value("timeouts.drain").as_str().unwrap().trim_end_matches('s').parse::<u64>().unwrap();
    assert!(stop >= drain + 5, "{stop} {drain}");
    assert_eq!(value("data"), "/var/lib/rollbook/store");
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    // Only where systemd is.
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|place| place.join("systemd-analyze").is_file()) {
        return;
    }
    let mut analyze = Command::new("systemd-analyze");
    let ran = run(analyze.args(["verify", "--man=no"]).arg(deploy("rollbook.service")));
    let wrong: Vec<&str> = ran
        .stderr
        .lines()
        .filter(|line| line.contains("rollbook.service") && !line.contains("is not executable"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn a_service_says_that_it_is_ready_and_that_it_stops() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(testkit::PATIENCE)).unwrap();
    let said = || {
        let mut bytes = [0; 256];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    };
    let store = Store::imported("clean");
    let service = Running::new(&store, &[], &[("NOTIFY_SOCKET", path.to_str().unwrap())]);
    assert!(said().contains("READY=1"));
    assert_eq!(service.get(&list_path(), "").status, 200);
    service.messages();
    assert!(said().contains("STOPPING=1"));
}

#[test]
fn the_images_commands_are_command_lines_of_this_binary() {
    let file = read("Containerfile");
    let words = |line: &str| -> Vec<String> { serde_json::from_str(line).unwrap() };
    let instruction = |name: &str| {
        file.lines()
            .find_map(|line| line.strip_prefix(&format!("{name} ")))
            .unwrap_or_else(|| panic!("no {name}"))
    };
    let (entry, arguments) = (words(instruction("ENTRYPOINT")), words(instruction("CMD")));
    assert_eq!(entry, ["/usr/bin/rollbook"]);
    is_command(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(
        file.contains("libclang-dev")
            && file.lines().any(|line| line.starts_with("USER ") && !line.contains("root"))
    );
    assert!(
        file.matches("\nFROM ").count() + usize::from(file.starts_with("FROM ")) >= 2,
        "one stage only"
    );
}

#[test]
fn the_example_configuration_names_every_setting() {
    let example = read("rollbook.toml");
    for key in rollbook_service::configuration::KEYS {
        let name = key.name.rsplit('.').next().unwrap();
        assert!(
            example
                .lines()
                .any(|line| line.trim_start_matches("# ").starts_with(&format!("{name} = "))),
            "{}",
            key.name
        );
    }
    // What is commented out is right too; the issuer's keys come from one place only.
    let all: String = example
        .lines()
        .map(|line| {
            line.strip_prefix("# ")
                .filter(|rest| rest.contains(" = ") && !rest.starts_with("jwks_file"))
                .unwrap_or(line)
                .to_owned()
                + "\n"
        })
        .collect();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("all.toml");
    std::fs::write(&file, all).unwrap();
    let ran = run(rollbook().args(["config", "show", "--config"]).arg(file));
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn alerts_ask_for_figures_that_there_are() {
    let store = Store::imported("clean");
    let service = Running::new(&store, &[], &[]);
    service.get(&list_path(), "");
    service.get("/nothing", "");
    let text = service.get("/metrics", "").body;
    let rules = read("prometheus-rules.yaml");
    let names = rules
        .split(|symbol: char| !symbol.is_ascii_alphanumeric() && symbol != '_')
        .filter(|word| word.starts_with("rollbook_") || word.starts_with("process_"));
    let names: std::collections::BTreeSet<&str> = names.collect();
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        assert!(
            text.contains(&format!("\n{name}{{")) || text.contains(&format!("\n{name} ")),
            "{name}"
        );
    }
}

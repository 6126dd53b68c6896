//! Stores for the service to serve, made by the binary, and what the old system answered.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A fixture with its zone.
pub const FIXTURES: [(&str, &str); 4] =
    [("tracker", "UTC"), ("clean", "UTC"), ("dirty", "UTC"), ("dirty-london", "Europe/London")];

/// A store in a directory that goes away with the test.
pub struct Store {
    home: TempDir,
}

impl Store {
    /// A store with a fixture imported.
    pub fn imported(name: &str) -> Self {
        let store = Self { home: tempfile::tempdir().unwrap() };
        let zone = FIXTURES.iter().find(|(fixture, _)| *fixture == name).unwrap().1;
        let export = fixture(name).join("export");
        store.ok(&["import", export.to_str().unwrap(), "--legacy-timezone", zone]);
        store
    }

    /// Plans, applies and validates the migration.
    pub fn migrate(&self) {
        let batch = self.home.path().join("batch.ndjson");
        let batch = batch.to_str().unwrap();
        self.ok(&["migrate", "plan", "--out", batch]);
        self.ok(&["migrate", "apply", batch]);
        self.ok(&["migrate", "validate"]);
    }

    pub fn path(&self) -> PathBuf {
        self.home.path().join("store")
    }

    /// The binary on this store.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = rollbook();
        command.arg("--data").arg(self.path()).args(arguments);
        command
    }

    /// Runs a command that must succeed; its stdout.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).stdin(Stdio::null()).output().unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// The ids of all responses that the store holds, as an export has them. The store must not be in use.
    pub fn responses(&self) -> BTreeSet<String> {
        let export = self.home.path().join("export");
        self.ok(&["export", export.to_str().unwrap()]);
        let responses: Value =
            serde_json::from_slice(&std::fs::read(export.join("formResponses.json")).unwrap())
                .unwrap();
        responses["documents"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["_id"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// The built binary, with nothing of the surroundings.
pub fn rollbook() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollbook"));
    for (name, _) in
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ROLLBOOK_"))
    {
        command.env_remove(name);
    }
    command
}

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// One of the old system's answers.
pub struct Expected {
    pub client: String,
    pub status: u64,
    pub body: Value,
}

/// The old system's answers of one kind, by the instant they are for.
pub fn expected(fixture_name: &str, kind: &str) -> Vec<(String, Vec<Expected>)> {
    let mut answers = Vec::new();
    for entry in std::fs::read_dir(fixture(fixture_name).join("expected")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some(now) = name.strip_prefix(kind).and_then(|rest| rest.strip_prefix('@')) else {
            continue;
        };
        let now = now.strip_suffix(".ndjson").unwrap();
        let now = format!("{}:{}:{}", &now[..13], &now[13..15], &now[15..]);
        let text = std::fs::read_to_string(&path).unwrap();
        let of_line = |line: &str| {
            let value: Value = serde_json::from_str(line).unwrap();
            let client = value["clientId"].as_str().unwrap().to_owned();
            Expected {
                client,
                status: value["status"].as_u64().unwrap(),
                body: value["body"].clone(),
            }
        };
        answers.push((now, text.lines().map(of_line).collect()));
    }
    assert!(!answers.is_empty(), "{fixture_name} has no {kind}");
    answers
}

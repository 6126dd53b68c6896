//! Stores that the built binary makes and works on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::{FIXTURES, ProcessOutput, assert_same, files, fixture, lines, rollbook, run, start};

/// A place for a store, driven through the built binary.
pub struct Store {
    directory: PathBuf,
    /// The directory around it, which is deleted with this.
    _home: Option<TempDir>,
}

impl Store {
    /// A place without a store, in a directory that is deleted after the test.
    pub fn none() -> Self {
        let home = tempfile::tempdir().unwrap();
        Self { directory: home.path().join("store"), _home: Some(home) }
    }

    /// A place at this path.
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), _home: None }
    }

    /// A store with a fixture imported, in a directory that is deleted after the test.
    pub fn imported(fixture_name: &str) -> Self {
        let store = Self::none();
        store.import(&fixture(fixture_name).join("export"), fixture_name);
        store
    }

    /// A store with a fixture imported, at this path.
    pub fn imported_at(directory: impl Into<PathBuf>, fixture_name: &str) -> Self {
        let store = Self::at(directory);
        store.import(&fixture(fixture_name).join("export"), fixture_name);
        store
    }

    /// A store with an export of a system in UTC, in a directory that is deleted after the test.
    pub fn of_export(export: &Path) -> Self {
        let store = Self::none();
        store.ok(&["import", export.to_str().unwrap()]);
        store
    }

    /// Imports an export of the system that a fixture is of; the report.
    pub fn import(&self, export: &Path, fixture_name: &str) -> Value {
        let (_, zone) = FIXTURES.iter().find(|(name, _)| *name == fixture_name).unwrap();
        let export = export.to_str().unwrap();
        match *zone {
            "UTC" => self.json(&["import", export]),
            zone => self.json(&["import", export, "--legacy-timezone", zone]),
        }
    }

    /// The store's directory.
    pub fn path(&self) -> PathBuf {
        self.directory.clone()
    }

    /// The directory around the store.
    pub fn around(&self) -> &Path {
        self.directory.parent().unwrap()
    }

    /// What is beside the store, by its name.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.around().join(name)
    }

    /// Every file of the store with its bytes.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files(&self.directory)
    }

    /// A command on this store, ready to run in the directory around it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = rollbook();
        command.arg("--data").arg(&self.directory).args(arguments).current_dir(self.around());
        command
    }

    /// Runs a command that can write no file longer than this many blocks of 512 bytes: for the
    /// command, the disk is full.
    pub fn run_on_full_disk(&self, blocks: u32, arguments: &[&str]) -> ProcessOutput {
        // Without the signal, which would end it, the write fails.
        self.run_after(&format!(r#"trap "" XFSZ; ulimit -f {blocks}"#), arguments)
    }

    /// Runs a command that may have this many files open.
    pub fn run_with_open_files(&self, limit: u32, arguments: &[&str]) -> ProcessOutput {
        self.run_after(&format!("ulimit -n {limit}"), arguments)
    }

    /// Runs a command in a shell that has first set its limits.
    fn run_after(&self, limits: &str, arguments: &[&str]) -> ProcessOutput {
        let script = format!(r#"{limits}; exec "$0" "$@""#);
        let limited = self.command(arguments);
        let mut command = Command::new("sh");
        command.args(["-c", &script]).arg(limited.get_program()).args(limited.get_args());
        for (name, value) in limited.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.current_dir(self.around()).stdin(Stdio::null());
        // Through pipes: files for its output would be limited too.
        start(command.stdout(Stdio::piped()).stderr(Stdio::piped())).finish()
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> ProcessOutput {
        run(&mut self.command(arguments))
    }

    /// Runs a command that must succeed; what it printed.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
        ran.stdout
    }

    /// Runs a command with `--json` that must succeed; the value that it printed.
    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(&[arguments, &["--json"]].concat())).unwrap()
    }

    /// Runs a command that must fail with this exit code, print nothing to stdout, and leave every
    /// file in the directory around the store as it was; what it wrote to stderr.
    pub fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let before = files(self.around());
        let ran = self.run(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.starts_with("error: "), "{arguments:?}: {ran:?}");
        assert_same(&before, &files(self.around()), arguments);
        ran.stderr
    }

    /// Plans a migration into a file; the report.
    pub fn plan(&self, batch: &Path) -> Value {
        self.json(&["migrate", "plan", "--out", batch.to_str().unwrap()])
    }

    /// Plans a migration by a rule for due days into a file beside the store; its path.
    pub fn batch(&self, due: &str) -> PathBuf {
        let batch = self.beside(&format!("{due}.ndjson"));
        self.ok(&["migrate", "plan", "--due", due, "--out", batch.to_str().unwrap()]);
        batch
    }

    /// Applies a batch; the report.
    pub fn apply(&self, batch: &Path) -> Value {
        self.json(&["migrate", "apply", batch.to_str().unwrap()])
    }

    /// Runs and records the checks, whether they are green or red; the report.
    pub fn validate(&self) -> Value {
        let ran = self.run(&["migrate", "validate", "--json"]);
        assert!(matches!(ran.code, 0 | 3), "{ran:?}");
        serde_json::from_str(&ran.stdout).unwrap()
    }

    /// Plans, applies and validates a migration. The checks may be red only where the export has
    /// dirt that one of them names; the report of the checks.
    pub fn migrate(&self) -> Value {
        self.apply(&self.batch("monday"));
        self.validate()
    }

    /// The body of every client document in a view at an instant, by the client's id.
    pub fn all(&self, view: &str, at: &str) -> BTreeMap<String, Value> {
        let listed = lines(&self.ok(&["view", view, "--all", "--at", at]));
        let body = |mut line: Value| {
            let client = line["clientId"].as_str().unwrap().to_owned();
            (client, line["body"].take())
        };
        listed.into_iter().map(body).collect()
    }

    /// The ids of all responses that the store holds, as an export has them. The store must not be
    /// in use.
    pub fn responses(&self) -> BTreeSet<String> {
        let export = tempfile::tempdir().unwrap();
        let export = export.path().join("export");
        self.ok(&["export", export.to_str().unwrap()]);
        let responses = std::fs::read(export.join("formResponses.json")).unwrap();
        let responses: Value = serde_json::from_slice(&responses).unwrap();
        let responses = responses["documents"].as_array().unwrap();
        responses.iter().map(|one| one["_id"].as_str().unwrap().to_owned()).collect()
    }

    /// A client's list in a view at an instant.
    pub fn check_ins(&self, view: &str, client: &str, at: &str) -> Vec<Value> {
        let body = self.json(&["view", view, "--client", client, "--at", at]);
        body["data"]["checkins"].as_array().unwrap().clone()
    }
}

//! Running the built binary on a store, and what the old system answered.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

/// A fixture with its zone.
pub const FIXTURES: [(&str, &str); 4] =
    [("tracker", "UTC"), ("clean", "UTC"), ("dirty", "UTC"), ("dirty-london", "Europe/London")];

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A child holds copies of this process's locks from its fork to its exec. So while a store is open here, nothing is started.
static STARTING: Mutex<()> = Mutex::new(());

/// Starts a process. Every one that these tests start is started here.
pub fn start(command: &mut Command) -> Child {
    let _until_it_runs = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    command.spawn().unwrap()
}

/// A store in a directory, driven through the binary.
pub struct Store {
    pub directory: PathBuf,
}

impl Store {
    pub fn new(home: &Path, name: &str) -> Self {
        Self { directory: home.join(name) }
    }

    /// A store with a fixture imported.
    pub fn imported(home: &Path, name: &str, fixture_name: &str) -> Self {
        let store = Self::new(home, name);
        store.import(&fixture(fixture_name).join("export"), fixture_name);
        store
    }

    pub fn import(&self, export: &Path, fixture_name: &str) -> Value {
        let zone = FIXTURES.iter().find(|(name, _)| *name == fixture_name).unwrap().1;
        let mut arguments =
            vec!["import".to_owned(), export.display().to_string(), "--json".to_owned()];
        if zone != "UTC" {
            arguments.extend(["--legacy-timezone".to_owned(), zone.to_owned()]);
        }
        self.json(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollbook"));
        command.arg("--data").arg(&self.directory).args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        start(self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()))
            .wait_with_output()
            .unwrap()
    }

    /// Opens the store in this process; nothing is started meanwhile.
    pub fn inside<R>(&self, look: impl FnOnce(&rollbook_application::store::Store) -> R) -> R {
        let _nobody_starts = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        let store = rollbook_application::store::Store::open(&self.directory, false).unwrap();
        look(&store)
    }

    /// Every key and value of the database, as RocksDB itself gives them: not compressed, as they may be in its files.
    pub fn entries(&self) -> Vec<u8> {
        let copy = tempfile::tempdir().unwrap();
        for (path, bytes) in self.files() {
            let to = copy.path().join(path.strip_prefix(&self.directory).unwrap());
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::write(to, bytes).unwrap();
        }
        let _nobody_starts = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        let (options, path) = (rocksdb::Options::default(), copy.path().join("db"));
        let families = rocksdb::DB::list_cf(&options, &path).unwrap();
        let db = rocksdb::DB::open_cf(&options, &path, &families).unwrap();
        let mut entries = Vec::new();
        for family in &families {
            for entry in db.iterator_cf(db.cf_handle(family).unwrap(), rocksdb::IteratorMode::Start)
            {
                let (key, value) = entry.unwrap();
                entries.extend([&key[..], b"\n", &value[..], b"\n"].concat());
            }
        }
        entries
    }

    /// Runs a command that must succeed; its stdout.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(arguments)).unwrap()
    }

    /// Runs a command that must end with this exit code; its stderr.
    pub fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        said
    }

    /// Plans into a file and gives the report.
    pub fn plan(&self, out: &Path) -> Value {
        self.json(&["migrate", "plan", "--out", out.to_str().unwrap(), "--json"])
    }

    pub fn apply(&self, batch: &Path) -> Value {
        self.json(&["migrate", "apply", batch.to_str().unwrap(), "--json"])
    }

    /// Runs the checks whether they are green or red; the report.
    pub fn validate(&self) -> Value {
        let output = self.run(&["migrate", "validate", "--json"]);
        assert!(
            matches!(output.status.code(), Some(0 | 3)),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Every client document's body.
    pub fn all(&self, view: &str, at: &str) -> BTreeMap<String, Value> {
        let lines = self.ok(&["view", view, "--all", "--at", at]);
        let line = |line: &str| {
            let value: Value = serde_json::from_str(line).unwrap();
            (value["clientId"].as_str().unwrap().to_owned(), value["body"].clone())
        };
        lines.lines().map(line).collect()
    }

    /// SHA-256-like picture of every file: name and bytes.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn walk(directory: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
            let Ok(entries) = std::fs::read_dir(directory) else { return };
            for entry in entries {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, files);
                } else {
                    files.insert(path.clone(), std::fs::read(&path).unwrap());
                }
            }
        }
        let mut files = BTreeMap::new();
        walk(&self.directory, &mut files);
        files
    }
}

/// One of the old system's answers.
pub struct Expected {
    pub now: String,
    pub client: String,
    pub body: Value,
}

/// The old system's answers of one kind: `legacy` or `precreated-after-migration`.
pub fn expected(fixture_name: &str, kind: &str) -> Vec<Expected> {
    let mut answers = Vec::new();
    for entry in std::fs::read_dir(fixture(fixture_name).join("expected")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some(now) = name.strip_prefix(kind).and_then(|rest| rest.strip_prefix('@')) else {
            continue;
        };
        let now = now.strip_suffix(".ndjson").unwrap();
        let now = format!("{}:{}:{}", &now[..13], &now[13..15], &now[15..]);
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let value: Value = serde_json::from_str(line).unwrap();
            let client = value["clientId"].as_str().unwrap().to_owned();
            answers.push(Expected { now: now.clone(), client, body: value["body"].clone() });
        }
    }
    assert!(!answers.is_empty(), "{fixture_name} has no {kind}");
    answers
}

/// A body with the ids of weeks that were made here as `*`, as the fixtures write them.
pub fn starred(mut body: Value) -> Value {
    for entry in body["data"]["checkins"].as_array_mut().unwrap() {
        for field in ["id", "documentId"] {
            let is_uuid =
                |text: &str| text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
            if entry[field].as_str().is_some_and(is_uuid) {
                entry[field] = "*".into();
            }
        }
    }
    body
}

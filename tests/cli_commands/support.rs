//! What these tests share: stores made from the fixtures, and the binary run on them.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rollbook::store::Store;
use rollbook_domain::event::CheckOutcome;
use rollbook_domain::{Actor, Event, NewEvent, StreamId, Timestamp};
use rollbook_log::Commit;
use rollbook_migrations::export_reader::{ExportSource, JsonDirectory};
use rollbook_migrations::import::{ImportedState, plan_import};
use serde_json::Value;
use tempfile::TempDir;

pub const FIXTURES: [(&str, &str); 4] =
    [("tracker", "UTC"), ("clean", "UTC"), ("dirty", "UTC"), ("dirty-london", "Europe/London")];

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A child has copies of this process's locks from its fork to its exec. So no store is closed here while one is being started:
/// the lock would outlive the store.
static STARTING: Mutex<()> = Mutex::new(());

fn nobody_starts() -> MutexGuard<'static, ()> {
    // A test that failed has left nothing half done here.
    STARTING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a process. Every one that these tests start is started here.
pub fn start(command: &mut Command) -> Child {
    let _until_it_runs = nobody_starts();
    command.spawn().unwrap()
}

/// Runs a process to its end.
pub fn run_to_end(command: &mut Command) -> Ran {
    ran(start(command.stdout(Stdio::piped()).stderr(Stdio::piped())).wait_with_output().unwrap())
}

/// A store that is open in this process.
pub struct OpenStore(Option<Store>);

impl OpenStore {
    fn open(directory: &Path, create: bool) -> Self {
        Self(Some(Store::open(directory, create).unwrap()))
    }
}

impl Deref for OpenStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        self.0.as_ref().unwrap()
    }
}

impl Drop for OpenStore {
    fn drop(&mut self) {
        let _until_it_is_closed = nobody_starts();
        drop(self.0.take());
    }
}

/// A store in a directory that goes away with the test.
pub struct TestStore {
    directory: TempDir,
}

/// What a command gave back.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl TestStore {
    /// A directory without a store.
    pub fn none() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// A store that holds one fixture's export.
    pub fn of(fixture_name: &str) -> Self {
        let zone = FIXTURES.iter().find(|(name, _)| *name == fixture_name).unwrap().1;
        Self::of_export(&fixture(fixture_name).join("export"), zone)
    }

    /// A store that holds an export.
    pub fn of_export(export: &Path, zone: &str) -> Self {
        let test = Self::none();
        let store = OpenStore::open(&test.path(), true);
        let plan = plan_import(
            JsonDirectory::new(export.to_owned()).read().unwrap(),
            &ImportedState::default(),
        );
        let events: Vec<NewEvent> =
            plan.events.iter().cloned().chain(plan.completed(zone)).collect();
        append(&store, events, &plan.digest);
        store.catch_up(&|_, _| {}).unwrap();
        test
    }

    /// The store's directory.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("store")
    }

    /// The directory around it.
    pub fn around(&self) -> &Path {
        self.directory.path()
    }

    /// Opens the store in this process; while it is open, no command can.
    pub fn open(&self) -> OpenStore {
        OpenStore::open(&self.path(), false)
    }

    /// Records a validation with one green or red check, as `migrate validate` does.
    pub fn validated(&self, green: bool) {
        let store = self.open();
        let check =
            CheckOutcome { name: "response-count".to_owned(), green, detail: "made up".to_owned() };
        let event = Event::ValidationRecorded {
            digest: String::new(),
            at: store.log().head(),
            checks: vec![check],
        };
        append(
            &store,
            vec![NewEvent {
                stream: StreamId::Control,
                id: None,
                occurred_at: Timestamp::EPOCH,
                event,
            }],
            "validation",
        );
        store.catch_up(&|_, _| {}).unwrap();
    }

    /// The command, ready to run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollbook"));
        command
            .arg("--data")
            .arg(self.path())
            .args(arguments)
            .stdin(Stdio::null())
            .env("USER", "tester");
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        run_to_end(&mut self.command(arguments))
    }

    /// Runs a command that must succeed; what it printed.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
        ran.stdout
    }

    /// Runs a command with `--json` that must succeed; the value it printed.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        serde_json::from_str(&self.ok(&arguments)).unwrap()
    }

    /// Runs a command that must fail with this exit code, print nothing to stdout, and leave every file as it was.
    pub fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let before = files(self.around());
        let ran = self.run(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.starts_with("error: "), "{arguments:?}: {ran:?}");
        assert_same(&before, &files(self.around()), arguments);
        ran.stderr
    }

    /// A client's list as a view has it at an instant.
    pub fn check_ins(&self, view: &str, client: &str, at: &str) -> Vec<Value> {
        let body: Value =
            serde_json::from_str(&self.ok(&["view", view, "--client", client, "--at", at]))
                .unwrap();
        body["data"]["checkins"].as_array().unwrap().clone()
    }
}

pub fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Appends events as an import or a migration does.
pub fn append(store: &Store, events: Vec<NewEvent>, cause: &str) {
    let commit = Commit {
        events,
        expected: Vec::new(),
        actor: Actor::Migration(cause.to_owned()),
        cause: cause.to_owned(),
        key: None,
    };
    store.log().append(commit).unwrap();
}

/// Every file under a directory with its bytes.
pub fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                found.insert(path, bytes);
            }
        }
    }
    found
}

/// Compares without printing megabytes.
pub fn assert_same(
    before: &BTreeMap<PathBuf, Vec<u8>>,
    after: &BTreeMap<PathBuf, Vec<u8>>,
    about: &[&str],
) {
    let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(before), names(after), "{about:?} made or removed files");
    let changed: Vec<_> = before
        .iter()
        .filter(|(path, bytes)| after[*path] != **bytes)
        .map(|(path, _)| path)
        .collect();
    assert!(changed.is_empty(), "{about:?} changed {changed:?}");
}

/// JSON values of lines.
pub fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

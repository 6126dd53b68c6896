//! The built binary on a store, and the store's files.

use std::fs::{self, File};
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// A child holds copies of this process's locks from its fork to its exec. So while a store is open here, nothing is started.
static STARTING: Mutex<()> = Mutex::new(());

/// Does something during which no process may be started.
pub fn while_nobody_starts<R>(run: impl FnOnce() -> R) -> R {
    let _nobody_starts = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    run()
}

/// Longer than any command takes, however busy the machine is.
const ENDS_WITHIN: Duration = Duration::from_secs(300);

/// Runs a command to its end. One that does not come to it is ended, and the test with it.
pub fn run(store: &Path, arguments: &[&str]) -> Output {
    // Not pipes: nobody reads before the end.
    let (stdout, stderr) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollbook"));
    command.arg("--data").arg(store).args(arguments).stdin(Stdio::null());
    command.stdout(stdout.try_clone().unwrap()).stderr(stderr.try_clone().unwrap());
    let mut child = while_nobody_starts(|| command.spawn().unwrap());
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > ENDS_WITHIN {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{arguments:?} on {store:?} does not end");
        }
        thread::sleep(Duration::from_millis(1));
    };
    Output { status, stdout: content(stdout), stderr: content(stderr) }
}

fn content(mut file: File) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Runs a command that must succeed; what it printed.
pub fn ok(store: &Path, arguments: &[&str]) -> String {
    let output = run(store, arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What `verify` says is wrong: its message and its findings.
pub fn wrong(store: &Path, more: &[&str]) -> (String, Vec<String>) {
    let output = run(store, &[&["verify", "--json"], more].concat());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{said}");
    let error: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    let causes = error["error"]["causes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cause| cause.as_str().unwrap().to_owned())
        .collect();
    (error["error"]["message"].as_str().unwrap().to_owned(), causes)
}

/// A store with a fixture imported, the migration applied and validated, a checkpoint before and after, and an API key.
pub fn sample(home: &Path) -> PathBuf {
    let store = home.join("store");
    let export = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/clean/export");
    ok(&store, &["import", export.to_str().unwrap()]);
    ok(&store, &["checkpoint"]);
    let batch = home.join("batch.ndjson");
    ok(&store, &["migrate", "plan", "--out", batch.to_str().unwrap()]);
    ok(&store, &["migrate", "apply", batch.to_str().unwrap()]);
    ok(&store, &["migrate", "validate"]);
    ok(&store, &["checkpoint"]);
    ok(&store, &["key", "create", "--name", "deploy", "--scope", "operator"]);
    store
}

/// Every file under a directory, in the order of their names.
pub fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { waiting.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// A copy of a store, with the keys beside it.
pub fn copy(store: &Path, to: &Path) {
    for file in files(store) {
        let target = to.join(file.strip_prefix(store).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, target).unwrap();
    }
    for kind in ["signing-key", "master-key"] {
        let key = |store: &Path| PathBuf::from(format!("{}.{kind}", store.display()));
        fs::copy(key(store), key(to)).unwrap();
    }
}

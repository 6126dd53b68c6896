//! Stores, a service that runs on one, and what it answers.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use ureq::http::{Method, Request};

pub const AT: &str = "2026-01-15T09:30:00Z";

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A child has copies of the pipes of children that are being started beside it, and an end of a pipe that stays open is heard.
static STARTING: Mutex<()> = Mutex::new(());

fn start(command: &mut Command) -> Child {
    let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    command.spawn().unwrap()
}

/// The built binary, with nothing of the surroundings.
pub fn rollbook() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollbook"));
    for (name, _) in
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ROLLBOOK_"))
    {
        command.env_remove(name);
    }
    command.env("USER", "tester").stdin(Stdio::null());
    command
}

pub fn run(command: &mut Command) -> Output {
    start(command.stdout(Stdio::piped()).stderr(Stdio::piped())).wait_with_output().unwrap()
}

/// A store in a directory that goes away with the test.
pub struct Store {
    pub home: TempDir,
}

impl Store {
    pub fn imported(name: &str) -> Self {
        Self::of_export(&fixture(name).join("export"))
    }

    pub fn of_export(export: &Path) -> Self {
        let store = Self { home: tempfile::tempdir().unwrap() };
        store.ok(&["import", export.to_str().unwrap()]);
        store
    }

    pub fn path(&self) -> PathBuf {
        self.home.path().join("store")
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        run(rollbook().arg("--data").arg(self.path()).args(arguments).current_dir(self.home.path()))
    }

    /// Runs a command that must succeed; its stdout.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Plans into a file; its path.
    pub fn plan(&self, due: &str) -> PathBuf {
        let path = self.home.path().join(format!("{due}.ndjson"));
        self.ok(&["migrate", "plan", "--due", due, "--out", path.to_str().unwrap()]);
        path
    }

    pub fn migrate(&self) {
        let batch = self.plan("monday");
        self.ok(&["migrate", "apply", batch.to_str().unwrap()]);
        // Red where the export has dirt that a check names; it is recorded all the same.
        assert!(matches!(self.run(&["migrate", "validate"]).status.code(), Some(0 | 3)));
    }
}

/// A service that runs, and ends with the test.
pub struct Server {
    child: Child,
    pub url: String,
    agent: ureq::Agent,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn lines(&self) -> Vec<Value> {
        self.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn position(&self) -> u64 {
        self.headers["x-rollbook-position"].parse().unwrap()
    }

    /// The code of a refusal in the form of RFC 9457.
    pub fn code(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{self:?}");
        for field in ["type", "title", "detail"] {
            assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{self:?}");
        }
        problem["code"].as_str().unwrap().to_owned()
    }
}

impl Server {
    pub fn on(store: &Store) -> Self {
        Self::with(store, &[])
    }

    pub fn with(store: &Store, arguments: &[&str]) -> Self {
        let mut command = rollbook();
        command
            .arg("--data")
            .arg(store.path())
            .args(["--json", "serve", "--listen", "127.0.0.1:0"])
            .args(arguments);
        let mut child = start(command.stdout(Stdio::piped()));
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("the service did not start: {line:?}"));
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build();
        Self { child, url: said["listening"].as_str().unwrap().to_owned(), agent: config.into() }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a request and reads the whole answer.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = match body.is_empty() {
            true => self.agent.run(request.body(()).unwrap()).unwrap(),
            false => self.agent.run(request.body(body).unwrap()).unwrap(),
        };
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let text = response.body_mut().with_config().limit(u64::MAX).read_to_string().unwrap();
        Answer { status: response.status().as_u16(), headers, text }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    /// The body of an answer that goes on, as it comes.
    pub fn follow(
        &self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> BufReader<impl std::io::Read + use<>> {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.call().unwrap();
        assert_eq!(response.status(), 200);
        BufReader::new(response.into_body().into_with_config().limit(u64::MAX).reader())
    }

    pub fn switch(&self, body: &Value, key: Option<&str>) -> Answer {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        self.send("PUT", "/v1/switch", &headers, body.to_string().as_bytes())
    }

    pub fn apply(&self, batch: &[u8], key: Option<&str>) -> Answer {
        let mut headers = vec![("content-type", "application/x-ndjson")];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        self.send("POST", "/v1/migrations/apply", &headers, batch)
    }

    pub fn head(&self) -> u64 {
        self.get("/v1/status").json()["head"].as_u64().unwrap()
    }

    /// Asks it to end, as a service manager does; it must, without an error.
    pub fn end(mut self) {
        let asked = run(Command::new("kill").arg("-TERM").arg(self.child.id().to_string()));
        assert!(asked.status.success());
        let deadline = Instant::now() + Duration::from_secs(60);
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "the service does not end");
            std::thread::yield_now();
            std::thread::park_timeout(Duration::from_millis(10));
        };
        assert!(status.success(), "{status}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that failed ends it here; one that ended it has nothing left to end.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// Waits for a condition, as long as a busy machine may need.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// Text in a query or a path.
pub fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

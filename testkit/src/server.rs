//! The built service on a port of its own, and requests to it.

use std::borrow::Borrow;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::process::{Command, ExitStatus, Stdio};

use serde_json::{Value, json};
use tempfile::NamedTempFile;
use ureq::Agent;
use ureq::http::Request;

use crate::{Answer, PATIENCE, Process, Store, start};

/// A service that runs. It is killed when this is dropped.
pub struct Server {
    process: Process,
    messages: NamedTempFile,
    agent: Agent,
    /// Where it listens, such as `http://127.0.0.1:40001`.
    pub url: String,
}

/// The default limit is 10,000 requests a second for each address, and a loaded test can pass it.
const NO_RATE_LIMIT: [&str; 2] = ["--limits-requests-per-second", "0"];

impl Server {
    /// Serves a store without a rate limit: all requests of a test come from one address.
    pub fn on(store: &Store) -> Self {
        Self::with(store, &NO_RATE_LIMIT)
    }

    /// Serves a store at a fixed instant, without a rate limit.
    pub fn at(store: &Store, now: &str) -> Self {
        let clock = ["--fixed-clock", now, "--allow-fixed-clock"];
        Self::with(store, &[&clock[..], &NO_RATE_LIMIT].concat())
    }

    /// Serves a store with these arguments beside the address.
    pub fn with(store: &Store, arguments: &[&str]) -> Self {
        Self::serve(&mut store.command(&[]), arguments)
    }

    /// Serves with a command that names the binary and a store, and with these arguments beside the
    /// address. Returns when the service listens.
    pub fn serve(command: &mut Command, arguments: &[&str]) -> Self {
        let messages = NamedTempFile::new().unwrap();
        command.args(["--json", "serve", "--listen", "127.0.0.1:0"]).args(arguments);
        command.stdout(Stdio::piped()).stderr(messages.reopen().unwrap());
        let mut process = start(command);
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| {
            let messages = std::fs::read_to_string(messages.path()).unwrap();
            panic!("the service did not start: {line:?} {messages}")
        });
        let url = said["listening"].as_str().unwrap().to_owned();
        Self { process, messages, agent: agent(), url }
    }

    /// The address and the port that it listens on.
    pub fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// The id of its process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Sends its process a signal by its name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// Whether its process still runs.
    pub fn is_up(&mut self) -> bool {
        self.process.is_up()
    }

    /// Waits for the end of its process.
    pub fn ended(&mut self) -> ExitStatus {
        self.process.ended()
    }

    /// Asks it to end, as a service manager does. It must do so without an error. Returns all of
    /// its messages.
    pub fn end(mut self) -> String {
        self.signal("TERM");
        let status = self.ended();
        assert!(status.success(), "{status}: {}", self.messages());
        self.messages()
    }

    /// What it has written to stderr so far.
    pub fn messages(&self) -> String {
        std::fs::read_to_string(self.messages.path()).unwrap()
    }

    /// Sends a request; an error if no complete answer came back.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, ureq::Error> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = match body.is_empty() {
            true => self.agent.run(request.body(()).unwrap())?,
            false => self.agent.run(request.body(body).unwrap())?,
        };
        let headers = response.headers().iter();
        let headers = headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let text = response.body_mut().with_config().limit(u64::MAX).read_to_string()?;
        let body = serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.clone()));
        Ok(Answer { status: response.status().as_u16(), headers, text, body })
    }

    /// Whether a request failed because nothing listens there any more, so that it was never taken.
    pub fn is_unreachable(error: &ureq::Error) -> bool {
        match error {
            ureq::Error::ConnectionFailed => true,
            ureq::Error::Io(error) => error.kind() == ErrorKind::ConnectionRefused,
            _ => false,
        }
    }

    /// Whether a request failed because the connection was reset before a complete answer came.
    pub fn is_reset(error: &ureq::Error) -> bool {
        use ErrorKind::{BrokenPipe, ConnectionReset};
        matches!(error, ureq::Error::Io(error) if matches!(error.kind(), BrokenPipe | ConnectionReset))
    }

    /// Sends a request.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.try_send(method, path, headers, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// Sends a request with a JSON body and an idempotency key, where they are given; an error if
    /// no whole answer came back.
    pub fn try_ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Result<Answer, ureq::Error> {
        let mut headers = Vec::new();
        headers.extend(body.map(|_| ("content-type", "application/json")));
        headers.extend(key.map(|key| ("idempotency-key", key)));
        let body = body.map(Value::to_string).unwrap_or_default();
        self.try_send(method, path, &headers, body.as_bytes())
    }

    /// Sends a request with a JSON body and an idempotency key, where they are given.
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>, key: Option<&str>) -> Answer {
        self.try_ask(method, path, body, key)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// Sends a GET request.
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    /// Sends a POST request with a JSON body.
    pub fn post(&self, path: &str, body: impl Borrow<Value>) -> Answer {
        self.ask("POST", path, Some(body.borrow()), None)
    }

    /// Sends a PATCH request with a JSON body.
    pub fn patch(&self, path: &str, body: impl Borrow<Value>) -> Answer {
        self.ask("PATCH", path, Some(body.borrow()), None)
    }

    /// Sends a DELETE request with a JSON body, where one is given.
    pub fn delete(&self, path: &str, body: Option<Value>) -> Answer {
        self.ask("DELETE", path, body.as_ref(), None)
    }

    /// The body of an answer that does not end, as it comes; the answer itself if it is refused.
    pub fn try_follow(
        &self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<BufReader<impl Read + use<>>, u16> {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.call().unwrap();
        match response.status().as_u16() {
            200 => {
                let body = response.into_body().into_with_config().limit(u64::MAX);
                Ok(BufReader::new(body.reader()))
            }
            refused => Err(refused),
        }
    }

    /// The body of an answer that does not end, as it comes.
    pub fn follow(&self, path: &str, headers: &[(&str, &str)]) -> BufReader<impl Read + use<>> {
        self.try_follow(path, headers).unwrap_or_else(|status| panic!("{path}: {status}"))
    }

    /// A client's check-ins as they are served.
    pub fn check_ins(&self, client: &str) -> Answer {
        self.get(&format!("/api/client-portal/check-ins?clientId={client}"))
    }

    /// Sets the switch.
    pub fn switch(&self, body: &Value, key: Option<&str>) -> Answer {
        self.ask("PUT", "/v1/switch", Some(body), key)
    }

    /// Applies a batch.
    pub fn apply(&self, batch: &[u8], key: Option<&str>) -> Answer {
        let mut headers = vec![("content-type", "application/x-ndjson")];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        self.send("POST", "/v1/migrations/apply", &headers, batch)
    }

    /// Takes a backup; the answer of one that is cut off never comes.
    pub fn try_back_up(&self, name: &str) -> Result<Answer, ureq::Error> {
        self.try_ask("POST", "/v1/backups", Some(&json!({"name": name})), None)
    }

    /// The position of the last event.
    pub fn head(&self) -> u64 {
        self.get("/v1/status").json()["head"].as_u64().unwrap()
    }
}

/// Shows every answer as it comes: no status is an error, and no redirect is followed. Each of many
/// threads keeps a connection.
fn agent() -> Agent {
    let config = Agent::config_builder().http_status_as_error(false).proxy(None);
    let config = config.max_redirects(0).max_redirects_will_error(false);
    config
        .timeout_recv_response(Some(PATIENCE))
        .max_idle_connections(256)
        .max_idle_connections_per_host(256)
        .build()
        .into()
}

//! The built service, started on a port of its own and ended with the test.

use std::io::{BufRead, BufReader};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

use crate::store::Store;

/// A service that runs.
pub struct Server {
    child: Child,
    pub url: String,
    pub client: Client,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub view: Option<String>,
    pub position: Option<u64>,
    pub body: Value,
}

impl Answer {
    pub fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

impl Server {
    /// Serves a store at a fixed instant.
    pub fn at(store: &Store, now: &str) -> Self {
        Self::with(store, &["--fixed-clock", now, "--allow-fixed-clock"])
    }

    pub fn with(store: &Store, arguments: &[&str]) -> Self {
        let mut command = store.command(&["--json", "serve", "--listen", "127.0.0.1:0"]);
        let mut child = command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("the service did not start: {line:?}"));
        Self { child, url: said["listening"].as_str().unwrap().to_owned(), client: Client::new() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, None).await.unwrap()
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body), None).await.unwrap()
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body), None).await.unwrap()
    }

    pub async fn delete(&self, path: &str, body: Option<Value>) -> Answer {
        self.send(Method::DELETE, path, body, None).await.unwrap()
    }

    /// Sends a request under an idempotency key, where there is one; an error when no whole answer came back.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        key: Option<&str>,
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if let Some(body) = body {
            request = request.json(&body);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        answer(request.send().await?).await
    }

    /// The client's check-ins as they are served.
    pub async fn check_ins(&self, client: &str) -> Answer {
        self.get(&format!("/api/client-portal/check-ins?clientId={client}")).await
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let sent = std::process::Command::new("kill")
            .args([format!("-{name}"), self.process().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Waits until the process has ended.
    pub fn ended(mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the service does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// A whole answer.
pub async fn answer(response: reqwest::Response) -> Result<Answer, reqwest::Error> {
    let status: StatusCode = response.status();
    let header =
        |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let (view, position) = (
        header("x-rollbook-view"),
        header("x-rollbook-position").map(|text| text.parse().unwrap()),
    );
    let text = response.text().await?;
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Ok(Answer { status: status.as_u16(), view, position, body })
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

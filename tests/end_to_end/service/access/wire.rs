//! Requests over raw sockets, so that a test sees a complete answer with its headers.

use std::io::{Read, Write};
use std::net::TcpStream;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Ask {
    pub method: String,
    /// Path and query, escaped.
    pub target: String,
    pub body: Option<String>,
}

impl Ask {
    pub fn new(method: &str, target: impl Into<String>, body: Option<serde_json::Value>) -> Self {
        Self {
            method: method.to_owned(),
            target: target.into(),
            body: body.map(|body| body.to_string()),
        }
    }
}

/// Everything that came back, but for an endless answer's rest.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Answer {
    /// Status, headers and body without what differs between any two answers.
    pub fn essence(&self) -> String {
        let (head, body) = self.text.split_once("\r\n\r\n").unwrap();
        let passing = |line: &&str| {
            !["date:", "x-request-id:"]
                .iter()
                .any(|name| line.to_ascii_lowercase().starts_with(name))
        };
        let mut lines: Vec<&str> = head.lines().filter(passing).collect();
        lines.sort_unstable();
        format!("{}\n\n{body}", lines.join("\n"))
    }

    pub fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").unwrap().1
    }
}

/// Sends a request on a connection of its own.
pub fn send(address: &str, bearer: Option<&str>, ask: &Ask) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    // A deadline for a service that hangs, and no measure.
    stream.set_read_timeout(Some(testkit::PATIENCE)).unwrap();
    let bearer =
        bearer.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let body = ask.body.as_deref().unwrap_or_default();
    // A batch is lines of JSON; every other body is one value.
    let media_type = if ask.target.starts_with("/v1/migrations/apply") {
        "application/x-ndjson"
    } else {
        "application/json"
    };
    let content = ask
        .body
        .as_ref()
        .map(|body| format!("content-type: {media_type}\r\ncontent-length: {}\r\n", body.len()));
    let content = content.unwrap_or_default();
    let head = format!(
        "{} {} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{bearer}{content}\r\n",
        ask.method, ask.target
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let text = String::from_utf8_lossy(&receive(&mut stream)).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
    Answer { status: status.unwrap_or_else(|| panic!("{ask:?}: {text:?}")), text }
}

fn receive(stream: &mut TcpStream) -> Vec<u8> {
    let (mut received, mut portion) = (Vec::new(), [0; 1 << 14]);
    loop {
        let count = stream.read(&mut portion).unwrap();
        received.extend_from_slice(&portion[..count]);
        let is_endless = || {
            String::from_utf8_lossy(&received)
                .to_ascii_lowercase()
                .contains("content-type: text/event-stream")
        };
        if count == 0 || is_endless() {
            return received;
        }
    }
}

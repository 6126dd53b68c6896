//! A service whose messages are read, and requests written byte by byte.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::store::Store;

/// How long anything may take before a test says that it never happens.
pub const NEVER: Duration = Duration::from_secs(30);

/// A running service.
pub struct Running {
    child: Child,
    pub address: String,
    messages: PathBuf,
}

/// What came back over a raw socket.
#[derive(Debug)]
pub struct Raw {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Raw {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let line =
            self.head.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}: ")))?;
        Some(line[name.len() + 2..].trim())
    }
}

impl Running {
    /// Serves with these arguments beside the port, and these variables.
    pub fn new(store: &Store, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let messages = store.path().with_file_name(format!(
            "messages-{}",
            std::thread::current().name().unwrap_or_default().replace("::", "-")
        ));
        let mut command = store.command(&["--json", "serve", "--listen", "127.0.0.1:0"]);
        command.args(arguments).envs(variables.iter().copied()).stdin(Stdio::null());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(File::create(&messages).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Ok(said) = serde_json::from_str::<Value>(&line) else {
            panic!("not started: {}", std::fs::read_to_string(messages).unwrap())
        };
        let address = said["listening"].as_str().unwrap().trim_start_matches("http://").to_owned();
        Self { child, address, messages }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(NEVER)).unwrap();
        stream
    }

    /// Sends these bytes on a connection of their own; the answer.
    pub fn send(&self, bytes: &[u8]) -> Raw {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        answer(&mut stream)
    }

    pub fn get(&self, path: &str, headers: &str) -> Raw {
        self.send(
            format!(
                "GET {path} HTTP/1.1\r\nhost: {}\r\n{headers}connection: close\r\n\r\n",
                self.address
            )
            .as_bytes(),
        )
    }

    pub fn post(&self, path: &str, headers: &str, body: &str) -> Raw {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n",
            self.address
        );
        self.send(
            format!("{head}{headers}connection: close\r\ncontent-length: {length}\r\n\r\n{body}")
                .as_bytes(),
        )
    }

    pub fn signal(&self, name: &str) {
        let sent = std::process::Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    pub fn is_up(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub fn ended(&mut self) -> ExitStatus {
        eventually("the service ends", || self.child.try_wait().unwrap())
    }

    /// Ends the service; everything that it said.
    pub fn messages(mut self) -> String {
        self.signal("TERM");
        assert!(self.ended().success());
        std::fs::read_to_string(&self.messages).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Waits for something to be there.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + NEVER;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Reads one answer by its length.
pub fn answer(stream: &mut TcpStream) -> Raw {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "cut off after {head:?}");
    }
    let status = head[9..12].parse().unwrap();
    let raw = Raw { status, head, body: String::new() };
    let length: usize = raw.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Raw { body: String::from_utf8(body).unwrap(), ..raw }
}

/// Whether the other side closes without an answer.
pub fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => rest.is_empty(),
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

/// A client with check-ins, and the path of its list.
pub fn list_path() -> String {
    let text = std::fs::read_to_string(
        crate::store::fixture("clean").join("export/check_in_assignments.json"),
    )
    .unwrap();
    let documents: Value = serde_json::from_str(&text).unwrap();
    format!(
        "/api/client-portal/check-ins?clientId={}",
        documents["documents"][0]["clientId"].as_str().unwrap()
    )
}

/// The path that answers a week: a base's first.
pub fn answer_path() -> String {
    let text = std::fs::read_to_string(
        crate::store::fixture("clean").join("export/check_in_assignments.json"),
    )
    .unwrap();
    let documents: Value = serde_json::from_str(&text).unwrap();
    let open = documents["documents"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["isRecurring"] == true && one["status"] != "completed")
        .unwrap();
    format!("/api/client-portal/check-in/{}", open["_id"].as_str().unwrap())
}

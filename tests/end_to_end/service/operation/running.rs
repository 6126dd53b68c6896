//! A service with requests that are written byte by byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::ops::{Deref, DerefMut};

use serde_json::Value;
use testkit::{PATIENCE, Server, Store, documents};

/// A running service.
pub struct Running(Server);

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
    /// Serves with these arguments beside the address, and these variables.
    pub fn new(store: &Store, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self(Server::serve(store.command(&[]).envs(variables.iter().copied()), arguments))
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
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
                self.address()
            )
            .as_bytes(),
        )
    }

    pub fn post(&self, path: &str, headers: &str, body: &str) -> Raw {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n",
            self.address()
        );
        self.send(
            format!("{head}{headers}connection: close\r\ncontent-length: {length}\r\n\r\n{body}")
                .as_bytes(),
        )
    }

    /// Ends the service; everything that it wrote to stderr.
    pub fn messages(self) -> String {
        self.0.end()
    }
}

impl Deref for Running {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.0
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Server {
        &mut self.0
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

/// The path of the list of a client who has check-ins.
pub fn list_path() -> String {
    let client = documents("clean", "check_in_assignments")[0]["clientId"].clone();
    format!("/api/client-portal/check-ins?clientId={}", client.as_str().unwrap())
}

/// The path that answers the first week of a series.
pub fn answer_path() -> String {
    let documents = documents("clean", "check_in_assignments");
    let open =
        documents.iter().find(|one| one["isRecurring"] == true && one["status"] != "completed");
    format!("/api/client-portal/check-in/{}", open.unwrap()["_id"].as_str().unwrap())
}

//! The live view of a client with 52 weeks over HTTP, compared with a bare axum handler that
//! responds with a constant body of the same size. `wrk` measures both on loopback in turns, in one
//! run. Then the bench measures the time from a switch until the next request sees it.
//!
//! `cargo xtask bench --http` installs wrk if it is missing.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use serde_json::Value;
use support::{answered, directory, median};

/// The environment variable with the size of the bare handler's body, in bytes.
const BARE: &str = "ROLLBOOK_BENCH_BARE";
const ROUNDS: usize = 7;
const SECONDS: u32 = 2;
const CONNECTIONS: u32 = 32;
const FLIPS: usize = 200;

/// A process that serves HTTP and prints its address on the first line.
struct ServerProcess {
    child: Child,
    address: String,
}

impl ServerProcess {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let started: Value = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("the process does not serve: {line:?}"));
        let address =
            started["listening"].as_str().unwrap().trim_start_matches("http://").to_owned();
        Self { child, address }
    }

    /// The built service on a store, with its log of this level in a file.
    fn service(store: &Path, level: &str) -> Self {
        let messages = File::create(store.with_extension("messages")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollbook"));
        command.arg("--data").arg(store).args([
            "--json",
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--limits-requests-per-second",
            "0",
        ]);
        Self::start(command.args(["--log-level", level]).stderr(messages))
    }

    fn bare(bytes: usize) -> Self {
        Self::start(Command::new(std::env::current_exe().unwrap()).env(BARE, bytes.to_string()))
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The bare handler: a constant body and nothing else.
fn serve_bare(bytes: usize) {
    let body = Bytes::from(vec![b'x'; bytes]);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let answer = move || async move { ([(CONTENT_TYPE, "application/json")], body) };
        let router = Router::new().route("/api/client-portal/check-ins", get(answer));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{{\"listening\":\"http://{}\"}}", listener.local_addr().unwrap());
        axum::serve(listener, router).await.unwrap();
    });
}

/// One measurement of wrk.
struct Measurement {
    requests_a_second: f64,
    p99_milliseconds: f64,
}

fn wrk(address: &str, client: &str, seconds: u32) -> Measurement {
    let url = format!("http://{address}/api/client-portal/check-ins?clientId={client}");
    let duration = format!("{seconds}s");
    let connections = CONNECTIONS.to_string();
    let output = Command::new("wrk")
        .args(["-t1", "-c", &connections, "-d", &duration, "--latency", &url])
        .output();
    let output = output.expect("wrk cannot be started; `cargo xtask bench --http` installs it");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && !text.contains("Non-2xx") && !text.contains("Socket errors"),
        "{text}"
    );
    let after = |label: &str| {
        text.lines().find_map(|line| line.trim().strip_prefix(label)).unwrap().trim().to_owned()
    };
    Measurement {
        requests_a_second: after("Requests/sec:").parse().unwrap(),
        p99_milliseconds: milliseconds(&after("99%")),
    }
}

fn milliseconds(text: &str) -> f64 {
    let (number, factor) = if let Some(number) = text.strip_suffix("us") {
        (number, 0.001)
    } else if let Some(number) = text.strip_suffix("ms") {
        (number, 1.0)
    } else {
        (text.strip_suffix('s').unwrap(), 1000.0)
    };
    number.parse::<f64>().unwrap() * factor
}

/// One connection with hand-written HTTP, so that only the service takes time.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn to(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    /// Sends a request. Returns the status line with the headers, and the length of the body.
    fn send(&mut self, method: &str, path: &str, body: &str) -> (String, usize) {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(self.0.read_line(&mut head).unwrap() > 0, "the connection was closed: {head}");
        }
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .unwrap()
            .parse()
            .unwrap();
        self.0.read_exact(&mut vec![0; length]).unwrap();
        (head, length)
    }
}

/// The times from the acknowledgement of a switch to the complete response of the next request,
/// which must come from the other view. In milliseconds, sorted.
fn switch_to_effect(address: &str, path: &str) -> Vec<f64> {
    let mut connection = Connection::to(address);
    let mut times = Vec::new();
    for flip in 0..FLIPS {
        let view = if flip % 2 == 0 { "precreated" } else { "legacy" };
        let (head, _) = connection.send(
            "PUT",
            "/v1/switch",
            &format!(r#"{{"view":"{view}","reason":"a bench","force":true}}"#),
        );
        let acknowledged = Instant::now();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let (head, _) = connection.send("GET", path, "");
        times.push(acknowledged.elapsed().as_secs_f64() * 1000.0);
        assert!(
            head.contains(&format!("x-rollbook-view: {view}")),
            "the switch had no effect: {head}"
        );
    }
    times.sort_by(f64::total_cmp);
    times
}

fn main() {
    if let Some(bytes) = std::env::var(BARE).ok().and_then(|bytes| bytes.parse().ok()) {
        return serve_bare(bytes);
    }
    let home = directory();
    let (runtime, client) = answered(home.path());
    drop(runtime);
    let store = home.path().join("store");
    let path = format!("/api/client-portal/check-ins?clientId={client}");

    let quiet = ServerProcess::service(&store, "warn");
    let (_, bytes) = Connection::to(&quiet.address).send("GET", &path, "");
    let bare = ServerProcess::bare(bytes);
    println!(
        "live view of a client with 52 weeks, {bytes} bytes, wrk -t1 -c{CONNECTIONS} -d{SECONDS}s, {ROUNDS} rounds in turns\n"
    );
    println!("{:<26} {:>12} {:>9} {:>11}", "", "requests/s", "ratio", "p99 ms");
    let table = |name: &str, service: &ServerProcess| {
        // A first run warms up the caches and is not measured.
        for address in [&bare.address, &service.address] {
            wrk(address, &client, 1);
        }
        let (mut of_bare, mut of_service) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            of_bare.push(wrk(&bare.address, &client, SECONDS));
            of_service.push(wrk(&service.address, &client, SECONDS));
        }
        let rate =
            |all: &[Measurement]| median(all.iter().map(|one| one.requests_a_second).collect());
        let p99 =
            |all: &[Measurement]| median(all.iter().map(|one| one.p99_milliseconds).collect());
        println!(
            "{:<26} {:>12.0} {:>9} {:>11.2}",
            "bare axum, constant body",
            rate(&of_bare),
            "1.00",
            p99(&of_bare)
        );
        // The ratio of each round, because other load on the machine affects both sides of a round.
        let ratios: Vec<f64> = of_service
            .iter()
            .zip(&of_bare)
            .map(|(service, bare)| service.requests_a_second / bare.requests_a_second)
            .collect();
        let spread = ratios.iter().fold((f64::MAX, 0.0_f64), |(least, most), ratio| {
            (least.min(*ratio), most.max(*ratio))
        });
        println!(
            "{name:<26} {:>12.0} {:>9.2} {:>11.2}",
            rate(&of_service),
            median(ratios),
            p99(&of_service)
        );
        println!("{:<26} {:>12} {:>4.2}-{:.2}", "", "", spread.0, spread.1);
    };
    table("rollbook, log.level warn", &quiet);
    let effect = switch_to_effect(&quiet.address, &path);
    drop(quiet);
    let verbose = ServerProcess::service(&store, "info");
    table("rollbook, log.level info", &verbose);
    println!(
        "\nfrom a switch's acknowledgement to the next request's complete response, {FLIPS} switches: median {:.3} ms, p99 {:.3} ms, worst {:.3} ms",
        effect[FLIPS / 2],
        effect[FLIPS * 99 / 100],
        effect[FLIPS - 1]
    );
}

//! `cargo xtask fuzz-api`: runs schemathesis against the built service, on a store of its own.
//! `xtask/fuzz-api/schemathesis.toml` configures the checks.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::cargo::{announce_long_build, built, cargo, run, target_directory, workspace_root};
use crate::python;
use crate::setup::{self, Need};

pub const HELP: &str = "\
cargo xtask fuzz-api [--seed N] [--examples N] [--seconds N] [-- ARGS]

Builds the program and serves a store with the fixture `described`. Runs schemathesis with all its
checks against every operation of /openapi.json, also those that write, with an administrator's API
key. Fails when a check fails, or when the store does not verify afterwards. Needs Python 3.11 or
newer. schemathesis is installed below the target directory, in the versions of
xtask/fuzz-api/requirements.txt.

  --seed N       the seed, to repeat a run; by default a new one, which is printed
  --examples N   the largest number of test cases for each operation and phase (30)
  --seconds N    the longest time for the whole run (600)
  ARGS           further arguments for `schemathesis run`";

/// The options of the command.
#[derive(Debug, PartialEq, Eq)]
struct Options<'a> {
    seed: u64,
    examples: u64,
    seconds: u64,
    rest: &'a [String],
}

pub fn command(arguments: &[String]) -> Result<()> {
    let options = parse(arguments, new_seed())?;
    let directory = target_directory()?.join("fuzz-api");
    fs::create_dir_all(&directory)
        .with_context(|| format!("cannot create {}", directory.display()))?;
    let requirements = workspace_root().join("xtask/fuzz-api/requirements.txt");
    let requirements = fs::read_to_string(&requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    let schemathesis = python::environment("fuzz-api", &requirements, 11)?.join("schemathesis");
    setup::ensure(Need::Build)?;
    announce_long_build()?;
    run(&mut cargo(["build", "--release", "--bin", "rollbook"])?)?;
    let program = built("rollbook")?;
    let store = directory.join("store");
    let key = prepare(&program, &store)?;
    let service = Service::start(&program, &store)?;
    let outcome = fuzz(&schemathesis, &directory, &service.url, &key, &options);
    let ended = service.end();
    outcome.with_context(|| {
        format!("seed {}: cargo xtask fuzz-api --seed {0} repeats the run", options.seed)
    })?;
    ended?;
    run(Command::new(&program).arg("--data").arg(&store).arg("verify"))
}

fn parse(arguments: &[String], seed: u64) -> Result<Options<'_>> {
    let mut options = Options { seed, examples: 30, seconds: 600, rest: &[] };
    let mut rest = arguments;
    while let Some((word, after)) = rest.split_first() {
        if word == "--" {
            options.rest = after;
            break;
        }
        let place = match word.as_str() {
            "--seed" => &mut options.seed,
            "--examples" => &mut options.examples,
            "--seconds" => &mut options.seconds,
            other => bail!("fuzz-api does not accept {other:?}\n\n{HELP}"),
        };
        let (value, after) =
            after.split_first().with_context(|| format!("{word} needs a number\n\n{HELP}"))?;
        *place = value.parse().with_context(|| format!("{word} needs a number, not {value:?}"))?;
        rest = after;
    }
    Ok(options)
}

/// A different seed every time. It is printed, so that the run can be repeated.
fn new_seed() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(1, |since| u64::from(since.subsec_micros()))
}

/// Makes a new store with the fixture, and returns an administrator's key for it.
fn prepare(program: &Path, store: &Path) -> Result<String> {
    if store.exists() {
        fs::remove_dir_all(store).with_context(|| format!("cannot remove {}", store.display()))?;
    }
    let export = workspace_root().join("tests/fixtures/described/export");
    run(rollbook(program, store).arg("import").arg(export).stdout(Stdio::null()))?;
    let made = rollbook(program, store)
        .args(["key", "create", "--name", "fuzz-api", "--scope", "admin"])
        .output();
    let made = made.context("cannot start rollbook")?;
    let text = String::from_utf8_lossy(&made.stdout);
    text_field(&text, "key").with_context(|| {
        format!("rollbook key create printed no key: {}", String::from_utf8_lossy(&made.stderr))
    })
}

fn rollbook(program: &Path, store: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg("--data").arg(store).arg("--json");
    command
}

/// A text field of a JSON line of rollbook. Its keys and addresses have no escapes.
fn text_field(json: &str, name: &str) -> Option<String> {
    let (_, after) = json.split_once(&format!("\"{name}\":"))?;
    let (value, _) = after.trim_start().strip_prefix('"')?.split_once('"')?;
    Some(value.to_owned())
}

/// The running service. Dropping it kills the process.
struct Service {
    child: Child,
    url: String,
}

impl Service {
    /// The clock is fixed at an instant of the fixture. There is no rate limit, because one address
    /// sends more requests here than any front end.
    fn start(program: &Path, store: &Path) -> Result<Self> {
        let mut command = rollbook(program, store);
        command.args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--limits-requests-per-second",
            "0",
            "--log-level",
            "warn",
        ]);
        // Requests that wait for a position that never comes get their answer soon.
        command.args(["--timeouts-behind", "50ms"]);
        command.args(["--fixed-clock", "2026-02-04T12:00:00Z", "--allow-fixed-clock"]);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start rollbook serve")?;
        let mut line = String::new();
        let output = child.stdout.take().context("rollbook serve has no output")?;
        let mut service = Self { child, url: String::new() };
        BufReader::new(output).read_line(&mut line).context("rollbook serve prints nothing")?;
        service.url = text_field(&line, "listening")
            .with_context(|| format!("rollbook serve did not start: {line:?}"))?;
        Ok(service)
    }

    /// Stops the service as an operator would. It must still run, and exit with success.
    fn end(mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the service ended before it was stopped ({status})");
        }
        run(Command::new("kill").arg(self.child.id().to_string()))?;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("the service failed when it was stopped ({status})");
        }
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Usually it has ended already.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn fuzz(
    schemathesis: &Path,
    directory: &Path,
    url: &str,
    key: &str,
    options: &Options<'_>,
) -> Result<()> {
    let configuration = workspace_root().join("xtask/fuzz-api/schemathesis.toml");
    let mut command = Command::new(schemathesis);
    command.arg("--config-file").arg(configuration).arg("run").arg(format!("{url}/openapi.json"));
    command
        .arg("--seed")
        .arg(options.seed.to_string())
        .arg("--max-examples")
        .arg(options.examples.to_string());
    command.arg("--max-time").arg(options.seconds.to_string()).args(options.rest);
    // The key is not an argument, because every user of the machine can read those.
    command.env("SCHEMATHESIS_HOOKS", workspace_root().join("xtask/fuzz-api/hooks.py"));
    run(command.env("ROLLBOOK_FUZZ_KEY", key).current_dir(directory))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn numbers_are_ours_and_the_rest_goes_to_schemathesis() {
        let arguments = words("--seed 7 --seconds 60 -- --phases examples");
        let options = parse(&arguments, 1).unwrap();
        assert_eq!((options.seed, options.examples, options.seconds), (7, 30, 60));
        assert_eq!(options.rest, words("--phases examples"));
        assert!(parse(&words("--seed x"), 1).unwrap_err().to_string().contains("\"x\""));
        assert!(parse(&words("--fast"), 1).unwrap_err().to_string().contains("\"--fast\""));
    }

    #[test]
    fn a_field_is_read_with_and_without_spaces() {
        assert_eq!(
            text_field("{\"name\": \"a\", \"key\": \"rbk_1\"}", "key").as_deref(),
            Some("rbk_1")
        );
        assert_eq!(
            text_field("{\"listening\":\"http://127.0.0.1:1\"}", "listening").as_deref(),
            Some("http://127.0.0.1:1")
        );
        assert_eq!(text_field("{\"other\":1}", "key"), None);
    }
}

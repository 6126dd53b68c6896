//! `cargo xtask test`: everything that must be green before a change goes in. Owns the parts, their order and the summary.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::cargo::{announce_long_build, answers, cargo, run};
use crate::setup::{self, Need};

pub const HELP: &str = "\
cargo xtask test [--only PART]... [-- ARGS]

Sets up, then runs every part, also after one has failed, and ends with a summary:

  fmt      cargo fmt --check
  clippy   cargo clippy --release --workspace --all-targets, warnings denied
  tests    cargo test --release --workspace: unit, integration and doc tests (ARGS go to cargo test)
  docs     cargo doc --release --no-deps, warnings denied
  deny     cargo deny check, where cargo-deny and its advisory data are at hand; never fetches

  --only PART   only this part; may be repeated, or list several with commas";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Fmt,
    Clippy,
    Tests,
    Docs,
    Deny,
}

const PARTS: [Part; 5] = [Part::Fmt, Part::Clippy, Part::Tests, Part::Docs, Part::Deny];

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Clippy => "clippy",
            Self::Tests => "tests",
            Self::Docs => "docs",
            Self::Deny => "deny",
        }
    }

    /// Runs the part; the answer is what the summary says of a part that is not red.
    fn run(self, test_arguments: &[String]) -> Result<String> {
        let ok = String::from("ok");
        match self {
            Self::Fmt => run(&mut cargo(["fmt", "--all", "--check"])?).map(|()| ok),
            Self::Clippy => run(&mut cargo([
                "clippy",
                "--release",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ])?)
            .map(|()| ok),
            Self::Tests => run_tests(test_arguments),
            Self::Docs => {
                let mut command = cargo(["doc", "--release", "--workspace", "--no-deps"])?;
                run(command.env("RUSTDOCFLAGS", "-D warnings")).map(|()| ok)
            }
            Self::Deny => run_deny(),
        }
    }
}

pub fn command(arguments: &[String]) -> Result<()> {
    let (parts, test_arguments) = parse(arguments)?;
    setup::ensure(Need::Checks)?;
    announce_long_build()?;
    let results: Vec<(Part, Result<String>)> =
        parts.into_iter().map(|part| (part, part.run(test_arguments))).collect();

    println!("\nSummary");
    for (part, result) in &results {
        match result {
            Ok(outcome) => println!("  {:<7} {outcome}", part.name()),
            Err(error) => println!("  {:<7} FAILED: {error:#}", part.name()),
        }
    }
    let red: Vec<&str> =
        results.iter().filter(|(_, result)| result.is_err()).map(|(part, _)| part.name()).collect();
    if !red.is_empty() {
        bail!("red: {}. One part again: cargo xtask test --only {}", red.join(", "), red.join(","));
    }
    Ok(())
}

/// The parts to run, in their order, and what goes to `cargo test`.
fn parse(arguments: &[String]) -> Result<(Vec<Part>, &[String])> {
    let mut chosen = Vec::new();
    let mut rest = arguments;
    while let Some((word, after)) = rest.split_first() {
        rest = after;
        let names = match word.as_str() {
            "--" => break,
            "--only" => {
                let (names, after) =
                    rest.split_first().with_context(|| format!("--only what?\n\n{HELP}"))?;
                rest = after;
                names.as_str()
            }
            other => match other.strip_prefix("--only=") {
                Some(names) => names,
                None => bail!("test knows no {other:?}\n\n{HELP}"),
            },
        };
        for name in names.split(',') {
            let part = PARTS.into_iter().find(|part| part.name() == name);
            chosen.push(part.with_context(|| format!("{name:?} is no part\n\n{HELP}"))?);
        }
    }
    let parts =
        PARTS.into_iter().filter(|part| chosen.is_empty() || chosen.contains(part)).collect();
    Ok((parts, rest))
}

/// Runs the tests, shows their output as it comes, and adds up the results of all test programs.
fn run_tests(arguments: &[String]) -> Result<String> {
    let mut command = cargo(["test", "--release", "--workspace", "--no-fail-fast"])?;
    command.args(arguments).stdout(Stdio::piped());
    eprintln!("\n$ cargo test --release --workspace {}", arguments.join(" "));
    let mut child = command.spawn().context("cannot start cargo test")?;
    let mut total = Tally::default();
    let mut out = std::io::stdout().lock();
    for line in
        BufReader::new(child.stdout.take().context("cargo test has no output")?).split(b'\n')
    {
        let line = line.context("cannot read the output of cargo test")?;
        out.write_all(&line)?;
        out.write_all(b"\n")?;
        total.add(&String::from_utf8_lossy(&line));
    }
    let status = child.wait()?;
    let counts =
        format!("{} passed, {} failed, {} ignored", total.passed, total.failed, total.ignored);
    if !status.success() {
        bail!("{counts} ({status})");
    }
    if total.passed == 0 {
        bail!("no test has run");
    }
    Ok(format!("ok: {counts}"))
}

/// Tests counted from the `test result:` lines.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Tally {
    fn add(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result: ") else { return };
        let words: Vec<&str> = counts.split_whitespace().collect();
        for (number, name) in words.iter().zip(words.iter().skip(1)) {
            let Ok(number) = number.parse::<u64>() else { continue };
            match *name {
                "passed;" => self.passed += number,
                "failed;" => self.failed += number,
                "ignored;" => self.ignored += number,
                _ => {}
            }
        }
    }
}

fn run_deny() -> Result<String> {
    if !answers("cargo", &["deny", "--version"]) {
        return Ok(String::from(
            "skipped: cargo-deny is not installed (cargo install --locked cargo-deny)",
        ));
    }
    if !has_advisory_data() {
        return Ok(String::from(
            "skipped: no advisory data here, and nothing is fetched (cargo deny fetch)",
        ));
    }
    let mut command = Command::new("cargo");
    run(command.args(["deny", "--offline", "check"]).current_dir(crate::cargo::workspace_root()))
        .map(|()| String::from("ok"))
}

/// Whether cargo-deny has fetched its data at some time: its default directory holds a database.
fn has_advisory_data() -> bool {
    let cargo_home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let databases = cargo_home.and_then(|home| home.join("advisory-dbs").read_dir().ok());
    databases.is_some_and(|entries| entries.flatten().any(|entry| entry.path().is_dir()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn parts_run_in_their_order_and_the_rest_goes_to_the_tests() {
        assert_eq!(parse(&[]).unwrap(), (PARTS.to_vec(), &[][..]));
        let arguments = words("--only docs,fmt --only=tests -- -p rollbook-log");
        let (parts, rest) = parse(&arguments).unwrap();
        assert_eq!(parts, [Part::Fmt, Part::Tests, Part::Docs]);
        assert_eq!(rest, words("-p rollbook-log"));
    }

    #[test]
    fn an_unknown_word_is_refused_by_name() {
        for (line, named) in
            [("--only lint", "\"lint\""), ("--fast", "\"--fast\""), ("--only", "--only what?")]
        {
            let error = parse(&words(line)).unwrap_err().to_string();
            assert!(
                error.starts_with(named) || error.contains(&format!("knows no {named}")),
                "{line}: {error}"
            );
        }
    }

    #[test]
    fn results_of_all_test_programs_add_up() {
        let mut total = Tally::default();
        total.add("test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s");
        total.add("test rows::equal ... ok");
        total.add("test result: FAILED. 7 passed; 2 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.10s");
        assert_eq!(total, Tally { passed: 12, failed: 2, ignored: 1 });
    }
}

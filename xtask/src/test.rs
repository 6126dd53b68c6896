//! `cargo xtask test`: every check that must pass before a change is merged, with a summary.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::cargo::{announce_long_build, cargo, run, workspace_root};
use crate::setup::{self, Need};
use crate::{deny, structure};

pub const HELP: &str = "\
cargo xtask test [--only PART]... [-- ARGS]

Installs what is missing and runs every part, even after one has failed. Ends with a summary of the
results and times:

  fmt         cargo fmt --check
  structure   cargo xtask structure: import circles, sizes and forbidden texts
  deny        cargo deny check: licenses, banned crates and sources; advisories too, when their
              database can be downloaded. cargo-deny is compiled the first time: 2 to 3 minutes.
  clippy      cargo clippy --release --workspace --all-targets; warnings are errors
  tests       cargo test --release --workspace: unit, integration and doc tests (gets ARGS)
  docs        cargo doc --release --no-deps; warnings are errors

  --only PART   only this part. Repeat it, or separate several parts with commas.";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Fmt,
    Structure,
    Deny,
    Clippy,
    Tests,
    Docs,
}

/// The parts in the order in which they run: those that take seconds come first.
const PARTS: [Part; 6] =
    [Part::Fmt, Part::Structure, Part::Deny, Part::Clippy, Part::Tests, Part::Docs];

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Structure => "structure",
            Self::Deny => "deny",
            Self::Clippy => "clippy",
            Self::Tests => "tests",
            Self::Docs => "docs",
        }
    }

    /// Runs the part. The summary prints the answer, or the error of a part that failed.
    fn run(self, test_arguments: &[String]) -> Result<String> {
        let ok = String::from("ok");
        match self {
            Self::Fmt => run(&mut cargo(["fmt", "--all", "--check"])?).map(|()| ok),
            Self::Structure => structure::check(&workspace_root()).map(|()| ok),
            Self::Deny => deny::check(),
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
        }
    }
}

pub fn command(arguments: &[String]) -> Result<()> {
    let (parts, test_arguments) = parse(arguments)?;
    setup::ensure(Need::Checks)?;
    announce_long_build()?;
    let results: Vec<Outcome> = parts
        .into_iter()
        .map(|part| {
            let start = Instant::now();
            let result = part.run(test_arguments);
            let outcome = Outcome { part, result, time: start.elapsed() };
            println!("\n{}", outcome.line());
            outcome
        })
        .collect();

    println!("\nSummary");
    for outcome in &results {
        println!("{}", outcome.line());
    }
    let failed: Vec<&str> = results
        .iter()
        .filter(|outcome| outcome.result.is_err())
        .map(|outcome| outcome.part.name())
        .collect();
    if !failed.is_empty() {
        bail!(
            "failed: {}. To repeat only that: cargo xtask test --only {}",
            failed.join(", "),
            failed.join(",")
        );
    }
    Ok(())
}

/// A part that has run.
struct Outcome {
    part: Part,
    result: Result<String>,
    time: Duration,
}

impl Outcome {
    /// `  clippy       3 min 20 s  ok`
    fn line(&self) -> String {
        let seconds = self.time.as_secs();
        let time = match seconds / 60 {
            0 => format!("{:.1} s", self.time.as_secs_f64()),
            minutes => format!("{minutes} min {:02} s", seconds % 60),
        };
        let result = match &self.result {
            Ok(outcome) => outcome.clone(),
            Err(error) => format!("FAILED: {error:#}"),
        };
        format!("  {:<10} {time:>11}  {result}", self.part.name())
    }
}

/// The parts to run, in their order, and the arguments for `cargo test`.
fn parse(arguments: &[String]) -> Result<(Vec<Part>, &[String])> {
    let mut chosen = Vec::new();
    let mut rest = arguments;
    while let Some((word, after)) = rest.split_first() {
        rest = after;
        let names = match word.as_str() {
            "--" => break,
            "--only" => {
                let (names, after) =
                    rest.split_first().with_context(|| format!("--only needs a part\n\n{HELP}"))?;
                rest = after;
                names.as_str()
            }
            other => match other.strip_prefix("--only=") {
                Some(names) => names,
                None => bail!("test does not accept {other:?}\n\n{HELP}"),
            },
        };
        for name in names.split(',') {
            let part = PARTS.into_iter().find(|part| part.name() == name);
            chosen.push(part.with_context(|| format!("{name:?} is not a part\n\n{HELP}"))?);
        }
    }
    let parts =
        PARTS.into_iter().filter(|part| chosen.is_empty() || chosen.contains(part)).collect();
    Ok((parts, rest))
}

/// Runs the tests, passes their output through, and adds up the results of all test programs.
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
        bail!("no test ran");
    }
    Ok(format!("ok: {counts}"))
}

/// Test counts, read from the `test result:` lines.
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
        for (line, message) in [
            ("--only lint", "\"lint\" is not a part"),
            ("--fast", "test does not accept \"--fast\""),
            ("--only", "--only needs a part"),
        ] {
            let error = parse(&words(line)).unwrap_err().to_string();
            assert!(error.starts_with(message), "{line}: {error}");
        }
    }

    #[test]
    fn the_summary_has_the_time_and_the_result_of_a_part() {
        let time = Duration::from_millis(200_900);
        let ok = Outcome { part: Part::Clippy, result: Ok("ok".to_owned()), time };
        assert_eq!(ok.line(), "  clippy      3 min 20 s  ok");
        let result = Err(anyhow::anyhow!("2 findings"));
        let failed = Outcome { part: Part::Structure, result, time: Duration::from_millis(1_240) };
        assert_eq!(failed.line(), "  structure        1.2 s  FAILED: 2 findings");
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

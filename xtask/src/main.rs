//! `cargo xtask …`: what a person repeats here. Owns the commands and their help; the steps are one file each.
//! Links neither RocksDB nor any crate of the workspace, so that it builds in seconds on a machine that has nothing yet.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

mod bench;
mod cargo;
mod demo;
mod fuzz_api;
mod libclang;
mod proofs;
mod python;
mod setup;
mod test;
mod test_clients;

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask COMMAND [OPTIONS]

  setup          check for the C++ compiler, libclang, rustfmt and clippy; install what is missing
  demo [ARGS]    set up, build, run `rollbook demo ARGS`
  test           set up, then everything that must be green
  test-clients   the generated TypeScript client against the built service (needs node and npm)
  fuzz-api       schemathesis against the built service (needs python3)
  bench          set up, then the benches and their figures as one table
  check-proofs   have checkpoints, proofs and a certificate checked by programs from PyPI

`cargo xtask COMMAND --help` says more. Everything is built with --release into CARGO_TARGET_DIR, by default
$HOME/.cache/rollbook-target, so that RocksDB is compiled once: 10 to 20 minutes the first time, never again.";

/// What a command does with the words after its name.
type Action = fn(&[String]) -> Result<()>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let Some((command, rest)) = arguments.split_first() else {
        bail!("which command?\n\n{HELP}");
    };
    // Only what stands before `--` is ours: `demo -- --help` asks the program itself.
    let asks_help =
        rest.iter().take_while(|word| *word != "--").any(|word| word == "--help" || word == "-h");
    let (help, action): (&str, Action) = match command.as_str() {
        "setup" => (setup::HELP, setup::command),
        "demo" => (demo::HELP, demo::command),
        "test" => (test::HELP, test::command),
        "test-clients" => (test_clients::HELP, test_clients::command),
        "fuzz-api" => (fuzz_api::HELP, fuzz_api::command),
        "bench" => (bench::HELP, bench::command),
        "check-proofs" => (proofs::HELP, proofs::command),
        "help" | "--help" | "-h" => (HELP, |_| Ok(())),
        other => bail!("{other:?} is no command\n\n{HELP}"),
    };
    if asks_help || help == HELP {
        // A reader that has seen enough (`| head`) is no failure.
        let _ = writeln!(std::io::stdout(), "{help}");
        return Ok(());
    }
    action(rest)
}

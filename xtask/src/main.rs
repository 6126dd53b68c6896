//! `cargo xtask …`: the tasks that people repeat in this repository. Each command is one file.
//!
//! xtask links neither RocksDB nor any crate of the workspace. It builds in seconds on a machine
//! that has nothing yet.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

mod bench;
mod cargo;
mod demo;
mod deny;
mod fuzz_api;
mod libclang;
mod proofs;
mod python;
mod setup;
mod store_fixture;
mod structure;
mod test;
mod test_clients;

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask COMMAND [OPTIONS]

  setup          install the C++ compiler, libclang, rustfmt and clippy where they are missing
  demo [ARGS]    set up, build, run `rollbook demo ARGS`
  test           set up, then run every check that must pass
  structure      check imports, sizes and forbidden texts of all source files
  test-clients   test the generated TypeScript client against the built service (needs node, npm)
  fuzz-api       run schemathesis against the built service (needs python3)
  bench          set up, run the benches, print their figures as one table
  check-proofs   check checkpoints, proofs and a certificate with programs from PyPI
  store-fixture  make a store with a released binary, for the tests of later releases

`cargo xtask COMMAND --help` says more. Everything is built with --release into CARGO_TARGET_DIR,
by default $HOME/.cache/rollbook-target. RocksDB is compiled there once: 10 to 20 minutes.";

/// A command, with the arguments after its name.
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
        bail!("no command given\n\n{HELP}");
    };
    // Arguments after `--` belong to the program: `demo -- --help` prints the help of rollbook.
    let asks_help =
        rest.iter().take_while(|word| *word != "--").any(|word| word == "--help" || word == "-h");
    let (help, action): (&str, Action) = match command.as_str() {
        "setup" => (setup::HELP, setup::command),
        "demo" => (demo::HELP, demo::command),
        "test" => (test::HELP, test::command),
        "test-clients" => (test_clients::HELP, test_clients::command),
        "fuzz-api" => (fuzz_api::HELP, fuzz_api::command),
        "structure" => (structure::HELP, structure::command),
        "bench" => (bench::HELP, bench::command),
        "store-fixture" => (store_fixture::HELP, store_fixture::command),
        "check-proofs" => (proofs::HELP, proofs::command),
        "help" | "--help" | "-h" => (HELP, |_| Ok(())),
        other => bail!("{other:?} is not a command\n\n{HELP}"),
    };
    if asks_help || help == HELP {
        // `| head` closes the pipe early. That is not an error.
        let _ = writeln!(std::io::stdout(), "{help}");
        return Ok(());
    }
    action(rest)
}

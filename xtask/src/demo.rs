//! `cargo xtask demo`: from a fresh clone to the program showing what it does. What it shows is `rollbook demo`'s.

use anyhow::Result;

use crate::cargo::{announce_long_build, cargo, run};
use crate::setup::{self, Need};

pub const HELP: &str = "\
cargo xtask demo [ARGS]

Sets up, builds, and runs `rollbook demo ARGS`: a sample export is imported, its migration planned, replayed on a staging store, applied
and validated; the view is switched, a week answered and the switch rolled back. `cargo xtask demo -- --help` asks the program itself.";

pub fn command(arguments: &[String]) -> Result<()> {
    setup::ensure(Need::Build)?;
    announce_long_build()?;
    let for_program = match arguments.split_first() {
        Some((first, rest)) if first == "--" => rest,
        _ => arguments,
    };
    run(cargo(["run", "--release", "--bin", "rollbook", "--", "demo"])?.args(for_program))
}

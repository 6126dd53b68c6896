//! `cargo xtask demo`: builds Rollbook on a fresh clone and runs `rollbook demo`.

use anyhow::Result;

use crate::cargo::{announce_long_build, cargo, run};
use crate::setup::{self, Need};

pub const HELP: &str = "\
cargo xtask demo [ARGS]

Sets up, builds, and runs `rollbook demo ARGS`. The demo imports a sample export, plans its
migration, replays it on a staging store, applies and validates it. Then it switches the view,
answers a week, and rolls the switch back. `cargo xtask demo -- --help` prints its own help.";

pub fn command(arguments: &[String]) -> Result<()> {
    setup::ensure(Need::Build)?;
    announce_long_build()?;
    let for_program = match arguments.split_first() {
        Some((first, rest)) if first == "--" => rest,
        _ => arguments,
    };
    run(cargo(["run", "--release", "--bin", "rollbook", "--", "demo"])?.args(for_program))
}

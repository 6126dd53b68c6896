//! `cargo xtask bench`: how fast it is. Owns the order of the programs; what is measured is in `benches/`.

use anyhow::Result;

use crate::cargo::{announce_long_build, cargo, run};
use crate::setup::{self, Need};

pub const HELP: &str = "\
cargo xtask bench [--http | FILTER]

Sets up, runs the criterion benches (only those whose name contains FILTER) and then prints the figures as one table, each next to raw
RocksDB on the same bytes in the same run. Leave the machine alone meanwhile.

With --http: the live view over HTTP next to a bare axum handler, under wrk, which is installed where it is missing.";

pub fn command(arguments: &[String]) -> Result<()> {
    setup::ensure(Need::Build)?;
    announce_long_build()?;
    if arguments == ["--http"] {
        setup::ensure_wrk()?;
        return run(&mut cargo(["bench", "--bench", "http"])?);
    }
    run(cargo(["bench", "--bench", "append", "--bench", "replay", "--bench", "view", "--"])?
        .args(arguments))?;
    print_figures()
}

/// The one table of the figures in `docs/performance.md`.
fn print_figures() -> Result<()> {
    run(&mut cargo(["bench", "--bench", "figures"])?)
}

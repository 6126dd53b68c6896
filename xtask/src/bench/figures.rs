//! `cargo xtask bench --against REV`: the `figures` bench of two revisions, run in turns.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::checkout::Checkout;
use super::table::{self, Row};

/// Builds and runs both sides, and prints their tables side by side.
pub fn compare(here: &Checkout, other: &Checkout, rounds: usize, words: &[&str]) -> Result<()> {
    let (our_program, other_program) = (here.bench("figures")?, other.bench("figures")?);
    let (mut ours, mut others) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        let mut run_here = || figures(&our_program, here, words).map(|rows| ours.push(rows));
        let mut run_other = || figures(&other_program, other, words).map(|rows| others.push(rows));
        eprintln!("xtask: round {round} of {rounds}");
        // The first of a round finds a cooler machine, so the sides take turns.
        if round % 2 == 1 {
            run_here()?;
            run_other()?;
        } else {
            run_other()?;
            run_here()?;
        }
    }
    print!("{}", table::side_by_side(&other.name, &ours, &others));
    Ok(())
}

fn figures(program: &Path, checkout: &Checkout, words: &[&str]) -> Result<Vec<Row>> {
    eprintln!("xtask: the figures of {}", checkout.name);
    let output = Command::new(program)
        .arg("--bench")
        .args(words)
        .current_dir(&checkout.sources)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("the figures of {} failed ({}):\n{text}", checkout.name, output.status);
    }
    let rows = table::parse(&text);
    if rows.is_empty() {
        bail!("the figures of {} have no rows:\n{text}", checkout.name);
    }
    Ok(rows)
}

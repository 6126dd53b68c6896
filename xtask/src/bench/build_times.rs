//! `cargo xtask bench --build-times`: how long `cargo build --release` takes after a change in
//! `src/cli`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail};

use super::checkout::Checkout;
use super::median;

/// Prints the median time for each side.
pub fn measure(here: &Checkout, other: Option<&Checkout>, rounds: usize) -> Result<()> {
    let sides: Vec<(&Checkout, PathBuf)> = std::iter::once(here)
        .chain(other)
        .map(|side| Ok((side, file_of_cli(&side.sources)?)))
        .collect::<Result<_>>()?;
    for (side, _) in &sides {
        eprintln!("xtask: building {} completely", side.name);
        build(side)?;
    }
    let mut times = vec![Vec::new(); sides.len()];
    for round in 1..=rounds {
        eprintln!("xtask: round {round} of {rounds}");
        for ((side, file), times) in sides.iter().zip(&mut times) {
            touch(file)?;
            times.push(build(side)?.as_secs_f64());
        }
    }
    println!("`cargo build --release` after one file of src/cli was touched, median of {rounds}");
    for ((side, file), times) in sides.iter().zip(times) {
        let file = file.strip_prefix(&side.sources).unwrap_or(file).display();
        let time = median(times).unwrap_or(f64::NAN);
        println!("  {:<16} {time:>7.1} s  ({file})", side.name);
    }
    Ok(())
}

/// The first file of `src/cli` by name, other than `mod.rs`.
fn file_of_cli(sources: &Path) -> Result<PathBuf> {
    let directory = sources.join("src").join("cli");
    let entries =
        fs::read_dir(&directory).with_context(|| format!("cannot list {}", directory.display()))?;
    let files = entries.flatten().map(|entry| entry.path());
    let source = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("mod.rs")
    };
    files.filter(source).min().with_context(|| format!("no file in {}", directory.display()))
}

fn touch(file: &Path) -> Result<()> {
    let cannot = || format!("cannot touch {}", file.display());
    let open = File::options().append(true).open(file).with_context(cannot)?;
    open.set_modified(SystemTime::now()).with_context(cannot)
}

fn build(side: &Checkout) -> Result<Duration> {
    let start = Instant::now();
    let output =
        side.cargo(&["build", "--release", "--quiet"])?.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        bail!("{} does not build", side.name);
    }
    Ok(start.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_touched_file_is_newer_and_unchanged() {
        let home = tempfile::tempdir().unwrap();
        let cli = home.path().join("src/cli");
        fs::create_dir_all(&cli).unwrap();
        for name in ["mod.rs", "switch.rs", "erase.rs"] {
            fs::write(cli.join(name), "//! A command.\n").unwrap();
        }
        let file = file_of_cli(home.path()).unwrap();
        assert_eq!(file, cli.join("erase.rs"));
        let long_ago = SystemTime::UNIX_EPOCH;
        File::options().append(true).open(&file).unwrap().set_modified(long_ago).unwrap();
        touch(&file).unwrap();
        assert!(fs::metadata(&file).unwrap().modified().unwrap() > long_ago);
        assert_eq!(fs::read_to_string(&file).unwrap(), "//! A command.\n");
    }
}

//! The `deny` part of `cargo xtask test`: licences, banned crates, sources and advisories of all
//! dependencies, as `deny.toml` says. Installs cargo-deny where it is missing.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::cargo::{answers, cargo, run, target_directory, workspace_root};

/// The version that is installed where there is none.
const VERSION: &str = "0.20.2";

/// How long the download of the advisory database may take before the check does without it.
const DOWNLOAD_LIMIT: Duration = Duration::from_secs(120);

/// Runs the checks. The answer says whether the advisories were checked.
///
/// # Errors
/// If cargo-deny cannot be installed, or a check fails.
pub fn check() -> Result<String> {
    let program = installed()?;
    run(deny(&program).args(["check", "licenses", "bans", "sources"]))?;
    if let Err(error) = download_advisories(&program) {
        return Ok(format!("ok: licenses, bans, sources. Advisories were NOT checked: {error:#}"));
    }
    // The database and the crates are all here by now.
    run(deny(&program).args(["--offline", "check", "advisories"]))?;
    Ok(String::from("ok: licenses, bans, sources, advisories"))
}

/// cargo-deny for all crates of the workspace. Warnings are left out: there is one with a page of
/// text for each crate that is there in two versions.
fn deny(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["--log-level", "error", "--workspace"]).current_dir(workspace_root());
    command
}

/// The program on the path, else the one below the target directory, which is compiled if need be.
fn installed() -> Result<PathBuf> {
    let on_path = PathBuf::from("cargo-deny");
    if answers(&on_path, &["--version"]) {
        return Ok(on_path);
    }
    let root = std::path::absolute(workspace_root().join(target_directory()?).join("tools"))?;
    let program = root.join("bin").join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX));
    if answers(&program, &["--version"]) {
        return Ok(program);
    }
    eprintln!("xtask: cargo-deny is missing. Compiling version {VERSION} takes 2 to 3 minutes.");
    run(cargo(["install", "cargo-deny", "--locked", "--version", VERSION, "--debug", "--root"])?
        .arg(&root)
        .arg("--target-dir")
        .arg(root.join("build"))
        // Little optimisation: compiling the release profile takes longer than all its runs here.
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
        .env("CARGO_INCREMENTAL", "0"))
    .context("cargo-deny cannot be installed")?;
    // The build results are of no further use.
    let _ = std::fs::remove_dir_all(root.join("build"));
    Ok(program)
}

/// Brings the advisory database up to date. Without a network this fails within a second.
fn download_advisories(program: &Path) -> Result<()> {
    let mut command = deny(program);
    command.args(["fetch", "db"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().context("cannot start cargo-deny")?;
    let start = Instant::now();
    loop {
        match child.try_wait().context("cannot wait for cargo-deny")? {
            Some(status) if status.success() => return Ok(()),
            Some(_) => bail!("the advisory database cannot be downloaded"),
            None if start.elapsed() > DOWNLOAD_LIMIT => {
                let _ = child.kill();
                let _ = child.wait();
                bail!("the advisory database did not arrive in {} s", DOWNLOAD_LIMIT.as_secs());
            }
            None => thread::sleep(Duration::from_millis(100)),
        }
    }
}

//! How xtask runs programs. Owns the one target directory, the notice before a long first build, and the environment a child sees.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The root of the workspace, which is where every command runs.
pub fn workspace_root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// Where everything is built: `CARGO_TARGET_DIR`, else one directory a user, shared by all clones, so that RocksDB is compiled once.
pub fn target_directory() -> Result<PathBuf> {
    if let Some(chosen) = env::var_os("CARGO_TARGET_DIR").filter(|value| !value.is_empty()) {
        return Ok(PathBuf::from(chosen));
    }
    let home = env::var_os("HOME").or_else(|| env::var_os("USERPROFILE"));
    let home = home.context("neither CARGO_TARGET_DIR nor HOME is set: set CARGO_TARGET_DIR to a directory for build results")?;
    Ok(PathBuf::from(home).join(".cache").join("rollbook-target"))
}

/// A program of the workspace, as `cargo build --release` leaves it.
pub fn built(name: &str) -> Result<PathBuf> {
    let target = target_directory()?;
    // Whoever is given the path may run elsewhere.
    let target = std::path::absolute(workspace_root().join(&target))
        .with_context(|| format!("no such place: {}", target.display()))?;
    Ok(target.join("release").join(format!("{name}{}", env::consts::EXE_SUFFIX)))
}

/// A `cargo` command in the workspace, building into [`target_directory`].
pub fn cargo<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(arguments: I) -> Result<Command> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(workspace_root());
    // `cargo run` tells us who we are; passed on, this would read as a changed environment to build scripts that watch it.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command.env("CARGO_TARGET_DIR", target_directory()?);
    Ok(command)
}

/// Runs a command to its end with our own standard streams.
///
/// # Errors
/// When it cannot be started, or fails: the message is the whole command line.
pub fn run(command: &mut Command) -> Result<()> {
    let line = command_line(command);
    eprintln!("\n$ {line}");
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// Whether a program can be started and says yes.
pub fn answers(program: impl AsRef<OsStr>, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(workspace_root())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Says so on stderr when the next build is the long one.
pub fn announce_long_build() -> Result<()> {
    let target = target_directory()?;
    if !rocksdb_is_built(&target) {
        eprintln!("xtask: RocksDB is not yet built in {}:", target.display());
        eprintln!("xtask: this first build takes 10 to 20 minutes; later ones use it again.");
    }
    Ok(())
}

/// Whether a build script has already left a compiled RocksDB for the release profile.
fn rocksdb_is_built(target: &Path) -> bool {
    let Ok(entries) = target.join("release").join("build").read_dir() else { return false };
    entries.flatten().any(|entry| {
        let is_ours = entry.file_name().to_string_lossy().starts_with("librocksdb-sys-");
        is_ours && entry.path().join("out").join("librocksdb.a").is_file()
    })
}

fn command_line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rocksdb_counts_as_built_only_with_its_archive() {
        let target = tempfile::tempdir().unwrap();
        assert!(!rocksdb_is_built(target.path()));
        let out = target.path().join("release/build/librocksdb-sys-0123/out");
        std::fs::create_dir_all(&out).unwrap();
        assert!(!rocksdb_is_built(target.path()), "a build that was cut short is no build");
        std::fs::write(out.join("librocksdb.a"), "").unwrap();
        assert!(rocksdb_is_built(target.path()));
    }

    #[test]
    fn a_failing_program_is_an_error_that_names_it() {
        let error = run(Command::new("false").arg("--really")).unwrap_err();
        assert!(error.to_string().starts_with("`false --really` failed"), "{error}");
        let error = run(&mut Command::new("no-such-program-here")).unwrap_err();
        assert_eq!(error.to_string(), "cannot start `no-such-program-here`");
    }
}

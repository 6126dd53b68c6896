//! Runs programs: which target directory is used, which environment a child gets, and the notice
//! before the long first build.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The root of the workspace. Every command runs there.
pub fn workspace_root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// The target directory: `CARGO_TARGET_DIR`, else one directory for each user. All clones share it,
/// so that RocksDB is compiled once.
pub fn target_directory() -> Result<PathBuf> {
    if let Some(chosen) = env::var_os("CARGO_TARGET_DIR").filter(|value| !value.is_empty()) {
        return Ok(PathBuf::from(chosen));
    }
    let home = env::var_os("HOME").or_else(|| env::var_os("USERPROFILE"));
    let home = home.context(
        "neither CARGO_TARGET_DIR nor HOME is set. Set CARGO_TARGET_DIR to a directory for build results",
    )?;
    Ok(PathBuf::from(home).join(".cache").join("rollbook-target"))
}

/// The path of a program of the workspace that `cargo build --release` has built.
pub fn built(name: &str) -> Result<PathBuf> {
    let target = target_directory()?;
    // The caller may run the program in another directory.
    let target = std::path::absolute(workspace_root().join(&target))
        .with_context(|| format!("{} is not a valid directory", target.display()))?;
    Ok(target.join("release").join(format!("{name}{}", env::consts::EXE_SUFFIX)))
}

/// A `cargo` command in the workspace, building into [`target_directory`].
pub fn cargo<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(arguments: I) -> Result<Command> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(workspace_root());
    // `cargo run` sets these for xtask. Build scripts that watch them would run again.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command.env("CARGO_TARGET_DIR", target_directory()?);
    Ok(command)
}

/// Runs a command and waits for it. The command uses our standard streams.
///
/// # Errors
/// If it cannot be started, or fails. The message has the complete command line.
pub fn run(command: &mut Command) -> Result<()> {
    let line = command_line(command);
    eprintln!("\n$ {line}");
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// Whether a program can be started and succeeds.
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

/// Prints a notice on stderr when the next build has to compile RocksDB.
pub fn announce_long_build() -> Result<()> {
    let target = target_directory()?;
    if !rocksdb_is_built(&target) {
        eprintln!("xtask: RocksDB is not yet compiled in {}.", target.display());
        eprintln!(
            "xtask: this first build takes 10 to 20 minutes. Later builds use the result again."
        );
    }
    Ok(())
}

/// Whether the target directory has a compiled RocksDB for the release profile.
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
        assert!(!rocksdb_is_built(target.path()), "an interrupted build does not count");
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

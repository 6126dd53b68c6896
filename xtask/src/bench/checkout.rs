//! The two sides of a comparison: this working tree, and another revision in a checkout of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::cargo::{cargo, run, target_directory, workspace_root};

/// Sources and the target directory that they are built into.
pub struct Checkout {
    /// How the tables name it.
    pub name: String,
    pub sources: PathBuf,
    target: PathBuf,
}

impl Checkout {
    /// This working tree.
    pub fn here() -> Result<Self> {
        let sources = workspace_root();
        let target = std::path::absolute(sources.join(target_directory()?))?;
        Ok(Self { name: "here".to_owned(), sources, target })
    }

    /// A git revision, checked out below the target directory. A second call uses the same
    /// checkout, and what was built there.
    pub fn of(revision: &str) -> Result<Self> {
        let commit = commit_of(revision)?;
        let here = Self::here()?;
        let home = here.target.join("against").join(&commit);
        let (sources, target) = (home.join("sources"), home.join("target"));
        if !sources.join("Cargo.toml").is_file() {
            fs::create_dir_all(&home)
                .with_context(|| format!("cannot create {}", home.display()))?;
            // --force: a checkout whose directory was deleted is still registered.
            let mut git = Command::new("git");
            git.args(["worktree", "add", "--quiet", "--detach", "--force"]).arg(&sources);
            run(git.arg(&commit).current_dir(workspace_root()))?;
        }
        if !target.join("release").is_dir() {
            copy_dependencies(&here.target.join("release"), &target.join("release"))?;
        }
        Ok(Self { name: revision.to_owned(), sources, target })
    }

    /// A `cargo` command for these sources.
    pub fn cargo(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = cargo(arguments)?;
        command.current_dir(&self.sources).env("CARGO_TARGET_DIR", &self.target);
        Ok(command)
    }

    /// Builds a bench and returns its program.
    pub fn bench(&self, name: &str) -> Result<PathBuf> {
        eprintln!("\nxtask: building the bench {name} of {}", self.name);
        let arguments =
            ["bench", "--bench", name, "--no-run", "--message-format=json-render-diagnostics"];
        let output = self.cargo(&arguments)?.stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            bail!("the bench {name} of {} does not build", self.name);
        }
        let messages = String::from_utf8_lossy(&output.stdout);
        let program = messages.lines().find_map(|line| executable(line, name));
        program.with_context(|| format!("cargo does not say where the bench {name} is"))
    }
}

/// The full hash of a revision.
fn commit_of(revision: &str) -> Result<String> {
    let output = Command::new("git")
        .args(["rev-parse", "--verify", "--quiet", "--end-of-options"])
        .arg(format!("{revision}^{{commit}}"))
        .current_dir(workspace_root())
        .output()
        .context("cannot start git")?;
    if !output.status.success() {
        bail!("git does not know the revision {revision:?}");
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Copies what was compiled of other people's crates, so that RocksDB is not compiled again. `cp`
/// keeps the times of the files, which cargo compares.
fn copy_dependencies(from: &Path, to: &Path) -> Result<()> {
    if !from.join("deps").is_dir() {
        return Ok(());
    }
    for part in ["build", ".fingerprint", "deps"] {
        let entries = fs::read_dir(from.join(part))
            .with_context(|| format!("cannot list {}", from.join(part).display()))?;
        let copied: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| is_dependency(path, part == "deps"))
            .collect();
        fs::create_dir_all(to.join(part))?;
        for some in copied.chunks(200) {
            let status = Command::new("cp").arg("-a").args(some).arg(to.join(part)).status();
            if !status.context("cannot start cp")?.success() {
                // Half a copy would be taken for a whole one.
                let _ = fs::remove_dir_all(to);
                bail!("cannot copy the compiled crates to {}", to.display());
            }
        }
    }
    Ok(())
}

/// Whether a build result may be copied: not our own crates, and of `deps` no program.
fn is_dependency(path: &Path, is_deps: bool) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_ours = name.starts_with("rollbook") || name.starts_with("librollbook");
    let is_library = path.extension().is_some_and(|extension| {
        ["rlib", "rmeta", "so", "dylib", "d"].iter().any(|known| extension == *known)
    });
    !is_ours && (!is_deps || is_library)
}

/// The program that a message of cargo announces for a bench.
fn executable(message: &str, bench: &str) -> Option<PathBuf> {
    let is_bench = message.contains(r#""kind":["bench"]"#)
        && message.contains(&format!(r#""name":"{bench}""#));
    let (_, rest) = message.split_once(r#""executable":""#).filter(|_| is_bench)?;
    rest.split('"').next().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_of_a_bench_is_read_from_the_messages() {
        let message = r#"{"reason":"compiler-artifact","target":{"kind":["bench"],"name":"figures"},"executable":"/t/release/deps/figures-01","fresh":true}"#;
        assert_eq!(executable(message, "figures"), Some("/t/release/deps/figures-01".into()));
        assert_eq!(executable(message, "view"), None);
        assert_eq!(executable(&message.replace("bench", "lib"), "figures"), None);
    }

    #[test]
    fn only_libraries_of_other_people_are_copied() {
        for name in ["librocksdb-0a.rlib", "libserde_derive-0a.so", "serde-0a.d"] {
            assert!(is_dependency(Path::new(name), true), "{name}");
        }
        for name in ["librollbook_log-0a.rlib", "rollbook-0a.d", "figures-0a", "service-0a"] {
            assert!(!is_dependency(Path::new(name), true), "{name}");
        }
        assert!(is_dependency(Path::new("librocksdb-sys-0a"), false));
        assert!(!is_dependency(Path::new("rollbook-log-0a"), false));
    }
}

//! `cargo xtask check-proofs`: Rollbook's proofs in the hands of programs that share no code with it. Owns finding a Python and giving it those
//! programs; what is checked is `tests/independent/check_proofs.py`'s.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cargo::{announce_long_build, answers, cargo, run, target_directory, workspace_root};
use crate::setup::{self, Need};

pub const HELP: &str = "\
cargo xtask check-proofs [EXPORT]...

Builds Rollbook, makes checkpoints, proofs and a certificate of each export directory of the old application (by default two of
tests/fixtures), and has each checked, and each forged one refused, by aics-tlog and pymerkle from PyPI. Needs a Python of version 3.12 or newer with venv, and PyPI for the first time; what is installed stays under the target
directory.";

/// Fixed, so that a check means the same tomorrow.
const PACKAGES: [&str; 2] = ["aics-tlog==0.2.1", "pymerkle==7.0.0"];
const PYTHONS: [&str; 6] = ["python3", "python3.15", "python3.14", "python3.13", "python3.12", "python"];

pub fn command(arguments: &[String]) -> Result<()> {
    if let Some(word) = arguments.iter().find(|word| word.starts_with('-')) {
        bail!("check-proofs knows no {word:?}\n\n{HELP}");
    }
    let root = workspace_root();
    let given: Vec<PathBuf> = arguments.iter().map(PathBuf::from).collect();
    let fixtures = || ["clean", "tracker"].map(|name| root.join("tests/fixtures").join(name).join("export")).to_vec();
    let exports = if given.is_empty() { fixtures() } else { given };
    setup::ensure(Need::Build)?;
    announce_long_build()?;
    run(&mut cargo(["build", "--release", "--bin", "rollbook"])?)?;
    let environment = target_directory()?.join("check-proofs");
    let python = environment.join("bin").join("python");
    if !answers(&python, &["-c", "import aics_tlog, pymerkle"]) {
        run(Command::new(find_python()?).args(["-m", "venv", "--clear"]).arg(&environment))?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(PACKAGES))?;
    }
    let rollbook = target_directory()?.join("release").join("rollbook");
    for export in exports {
        run(Command::new(&python).arg(root.join("tests/independent/check_proofs.py")).arg(&rollbook).arg(export))?;
    }
    Ok(())
}

/// The first Python that is new enough. A version manager's shims may name one that is not.
fn find_python() -> Result<String> {
    let is_new_enough = |python: &str| answers(python, &["-c", "import sys, venv; sys.exit(sys.version_info < (3, 12))"]);
    let of_manager =
        |version: &&str| Command::new("pyenv").args(["prefix", version]).output().ok().filter(|output| output.status.success());
    let prefixes = ["3.14", "3.13", "3.12"].iter().filter_map(of_manager);
    let managed = prefixes.map(|output| format!("{}/bin/python", String::from_utf8_lossy(&output.stdout).trim()));
    let found = PYTHONS.iter().map(ToString::to_string).chain(managed).find(|python| is_new_enough(python));
    found.context(
        "no Python of version 3.12 or newer is here (tried python3, python3.12 and later); install one, such as Debian's python3.13-venv",
    )
}

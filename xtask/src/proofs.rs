//! `cargo xtask check-proofs`: Rollbook's proofs in the hands of programs that share no code with it. Owns which
//! programs those are; what is checked is `tests/independent/check_proofs.py`'s.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::cargo::{announce_long_build, built, cargo, run, workspace_root};
use crate::python;
use crate::setup::{self, Need};

pub const HELP: &str = "\
cargo xtask check-proofs [EXPORT]...

Builds Rollbook, makes checkpoints, proofs and a certificate of each export directory of the old application (by default two of
tests/fixtures), and has each checked, and each forged one refused, by aics-tlog and pymerkle from PyPI. Needs a Python of version 3.12 or newer with venv, and PyPI for the first time; what is installed stays under the target
directory.";

/// Fixed, so that a check means the same tomorrow.
const REQUIREMENTS: &str = "aics-tlog==0.2.1\npymerkle==7.0.0\n";

pub fn command(arguments: &[String]) -> Result<()> {
    if let Some(word) = arguments.iter().find(|word| word.starts_with('-')) {
        bail!("check-proofs knows no {word:?}\n\n{HELP}");
    }
    let root = workspace_root();
    let given: Vec<PathBuf> = arguments.iter().map(PathBuf::from).collect();
    let fixtures = || {
        ["clean", "tracker"]
            .map(|name| root.join("tests/fixtures").join(name).join("export"))
            .to_vec()
    };
    let exports = if given.is_empty() { fixtures() } else { given };
    setup::ensure(Need::Build)?;
    announce_long_build()?;
    run(&mut cargo(["build", "--release", "--bin", "rollbook"])?)?;
    let python = python::environment("check-proofs", REQUIREMENTS, 12)?.join("python");
    let rollbook = built("rollbook")?;
    for export in exports {
        run(Command::new(&python)
            .arg(root.join("tests/independent/check_proofs.py"))
            .arg(&rollbook)
            .arg(export))?;
    }
    Ok(())
}

//! `cargo xtask check-proofs`: checks Rollbook's proofs with programs that share no code with it.
//! `tests/independent/check_proofs.py` does the checks.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::cargo::{announce_long_build, built, cargo, run, workspace_root};
use crate::python;
use crate::setup::{self, Need};

pub const HELP: &str = "\
cargo xtask check-proofs [EXPORT]...

Builds Rollbook and makes checkpoints, proofs and a certificate of each export directory of the old
application (by default two of tests/fixtures). aics-tlog and pymerkle from PyPI must accept each of
them, and refuse each forged one. Needs Python 3.12 or newer with venv, and PyPI the first time. The
packages are installed below the target directory.";

/// Fixed versions, so that a check gives the same result later.
const REQUIREMENTS: &str = "aics-tlog==0.2.1\npymerkle==7.0.0\n";

pub fn command(arguments: &[String]) -> Result<()> {
    if let Some(word) = arguments.iter().find(|word| word.starts_with('-')) {
        bail!("check-proofs does not accept {word:?}\n\n{HELP}");
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

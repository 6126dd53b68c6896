//! Makes Python environments for packages from PyPI, below the target directory. An environment
//! holds exactly the packages of its requirements.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::cargo::{answers, run, target_directory};

const PYTHONS: [&str; 6] =
    ["python3", "python3.15", "python3.14", "python3.13", "python3.12", "python"];

/// The directory with the programs of the environment `name`. `requirements` has one package on
/// each line. An environment that is missing or has other packages is made again. Needs Python
/// 3.`minor` or newer.
pub fn environment(name: &str, requirements: &str, minor: u8) -> Result<PathBuf> {
    let environment = target_directory()?.join(name).join("venv");
    let (programs, mark) = (environment.join("bin"), environment.join("installed.txt"));
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == requirements)
        && answers(programs.join("python"), &["--version"])
    {
        return Ok(programs);
    }
    run(Command::new(find_python(minor)?).args(["-m", "venv", "--clear"]).arg(&environment))?;
    let list = environment.join("requirements.txt");
    fs::write(&list, requirements).with_context(|| format!("cannot write {}", list.display()))?;
    run(Command::new(programs.join("pip"))
        .args(["install", "--quiet", "--disable-pip-version-check", "-r"])
        .arg(&list))?;
    fs::rename(&list, &mark).with_context(|| format!("cannot write {}", mark.display()))?;
    Ok(programs)
}

/// The first Python that is new enough. The shims of a version manager may start an older one.
fn find_python(minor: u8) -> Result<String> {
    let probe = format!("import sys, venv, ensurepip; sys.exit(sys.version_info < (3, {minor}))");
    let of_manager = |version: &&str| {
        Command::new("pyenv")
            .args(["prefix", version])
            .output()
            .ok()
            .filter(|output| output.status.success())
    };
    let prefixes = ["3.14", "3.13", "3.12"].iter().filter_map(of_manager);
    let managed = prefixes
        .map(|output| format!("{}/bin/python", String::from_utf8_lossy(&output.stdout).trim()));
    let found = PYTHONS
        .iter()
        .map(ToString::to_string)
        .chain(managed)
        .find(|python| answers(python, &["-c", &probe]));
    found.with_context(|| {
        format!("missing: Python 3.{minor} or newer with venv. Install it (Debian and Ubuntu: `sudo apt-get install -y python3-venv`, or a newer python3.N-venv) and run this again")
    })
}

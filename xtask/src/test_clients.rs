//! `cargo xtask test-clients`: runs the tests of the generated clients against the built service,
//! with the npm packages of the lock file.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cargo::{announce_long_build, answers, built, cargo, run, workspace_root};
use crate::setup::{self, Need};

pub const HELP: &str = "\
cargo xtask test-clients [--generate]

Builds the program and runs the tests of the TypeScript client in clients/typescript against it.
They check that the generated types are those of docs/openapi.json and that everything compiles.
Then they read and write on a service with a store of its own. Needs node 20 or newer and npm. npm
installs the packages of package-lock.json where they are missing.

  --generate   generate the types from docs/openapi.json first";

pub fn command(arguments: &[String]) -> Result<()> {
    let generates = match arguments {
        [] => false,
        [word] if word == "--generate" => true,
        _ => bail!("test-clients does not accept {:?}\n\n{HELP}", arguments.join(" ")),
    };
    require()?;
    let client = workspace_root().join("clients/typescript");
    install(&client)?;
    if generates {
        run(Command::new("npm").args(["run", "generate"]).current_dir(&client))?;
    }
    setup::ensure(Need::Build)?;
    announce_long_build()?;
    run(&mut cargo(["build", "--release", "--bin", "rollbook"])?)?;
    run(Command::new("npm")
        .arg("test")
        .env("ROLLBOOK_BIN", built("rollbook")?)
        .current_dir(&client))
}

/// The names of the missing programs.
pub fn lacking() -> Vec<&'static str> {
    let is_new = "process.exit(Number(process.versions.node.split('.')[0]) >= 20 ? 0 : 1)";
    let tools = [
        ("node 20 or newer", answers("node", &["-e", is_new])),
        ("npm", answers("npm", &["--version"])),
    ];
    tools.into_iter().filter(|(_, present)| !present).map(|(name, _)| name).collect()
}

fn require() -> Result<()> {
    let lacking = lacking();
    if lacking.is_empty() {
        return Ok(());
    }
    bail!(
        "missing: {}. Install them (Debian and Ubuntu: `sudo apt-get install -y nodejs npm`) and run this again",
        lacking.join(", ")
    )
}

/// Installs the packages of the lock file, unless exactly this file was installed before.
fn install(client: &Path) -> Result<()> {
    let lock = client.join("package-lock.json");
    let wanted = std::fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    let mark = client.join("node_modules/.installed-lock");
    if std::fs::read(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(client))?;
    std::fs::write(&mark, wanted).with_context(|| format!("cannot write {}", mark.display()))
}

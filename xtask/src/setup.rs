//! `cargo xtask setup`: finds and installs the tools that are needed besides Rust. `libclang.rs`
//! decides which libraries count as libclang.

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::cargo::{answers, run, workspace_root};
use crate::libclang;

pub const HELP: &str = "\
cargo xtask setup

Checks for the tools that Rollbook needs besides Rust: a C++20 compiler and libclang (RocksDB is
written in C++, and its bindings are generated), rustfmt and clippy. On Debian and Ubuntu, missing
tools are installed with apt-get, as root or with a sudo that needs no password. On other systems
the package to install is named. Does nothing when all tools are there.";

/// What the tools are needed for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// To build a program.
    Build,
    /// To build a program and to run all checks on the source.
    Checks,
}

pub fn command(arguments: &[String]) -> Result<()> {
    if let Some(word) = arguments.first() {
        bail!("setup does not accept {word:?}\n\n{HELP}");
    }
    ensure(Need::Checks)?;
    println!("Everything that Rollbook needs is installed. Next: cargo xtask demo");
    Ok(())
}

/// Installs the tools that are missing, where that needs no password.
///
/// # Errors
/// If a tool is missing and cannot be installed. The message names the command to run.
pub fn ensure(need: Need) -> Result<()> {
    ensure_system_tools()?;
    if need == Need::Checks {
        ensure_components()?;
    }
    Ok(())
}

fn ensure_system_tools() -> Result<()> {
    let lacking = lacking();
    if lacking.is_empty() {
        return Ok(());
    }
    eprintln!("xtask: missing: {}", lacking.join(", "));
    let Some(system) = System::here() else {
        bail!(
            "missing: {}. Install them with your system's packages and run this again",
            lacking.join(", ")
        );
    };
    if system.program != "apt-get" {
        bail!("missing: {}. Run `{}` and then this again", lacking.join(", "), system.install);
    }
    apt_get_install(system.install, &["libclang-dev", "g++"])?;
    let still = self::lacking();
    if !still.is_empty() {
        bail!(
            "still missing after `{}`: {}. Set CXX or LIBCLANG_PATH when they are in unusual directories",
            system.install,
            still.join(", ")
        );
    }
    Ok(())
}

/// The names of the missing tools.
fn lacking() -> Vec<&'static str> {
    let tools = [("a C++20 compiler", compiles_cpp20()), ("libclang", libclang::is_installed())];
    tools.into_iter().filter(|(_, present)| !present).map(|(name, _)| name).collect()
}

/// Tries the compiler and the standard library that the build of RocksDB uses.
fn compiles_cpp20() -> bool {
    let compiler =
        std::env::var_os("CXX").filter(|name| !name.is_empty()).unwrap_or_else(|| "c++".into());
    let mut command = Command::new(compiler);
    command
        .args(["-std=c++20", "-fsyntax-only", "-x", "c++", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else { return false };
    // Dropping the pipe ends the source text.
    let written = child.stdin.take().is_some_and(|mut source| {
        source.write_all(b"#include <span>\nstd::span<int> here;\n").is_ok()
    });
    child.wait().is_ok_and(|status| status.success()) && written
}

/// A way to install packages.
#[derive(Clone, Copy)]
struct System {
    /// The program that shows which system this is.
    program: &'static str,
    /// The command to type there.
    install: &'static str,
}

const SYSTEMS: [System; 6] = [
    System { program: "apt-get", install: "sudo apt-get install -y libclang-dev g++" },
    System { program: "dnf", install: "sudo dnf install clang-devel gcc-c++" },
    System { program: "zypper", install: "sudo zypper install clang-devel gcc-c++" },
    System { program: "pacman", install: "sudo pacman -S clang gcc" },
    System { program: "apk", install: "sudo apk add clang-dev g++" },
    System { program: "xcode-select", install: "xcode-select --install" },
];

impl System {
    fn here() -> Option<Self> {
        SYSTEMS.into_iter().find(|system| answers(system.program, &["--version"]))
    }
}

/// Installs wrk where it is missing. The bench over HTTP measures with it.
pub fn ensure_wrk() -> Result<()> {
    // No option of wrk succeeds without measuring. It is enough that it starts.
    if Command::new("wrk").arg("--version").output().is_ok() {
        return Ok(());
    }
    if !answers("apt-get", &["--version"]) {
        bail!("wrk is missing. Install your system's package of it, and then run this again");
    }
    apt_get_install("sudo apt-get install -y wrk", &["wrk"])
}

/// Installs packages. `by_hand` is the command that a person would type.
fn apt_get_install(by_hand: &str, packages: &[&str]) -> Result<()> {
    let through_sudo = !is_root();
    if through_sudo && !answers("sudo", &["-n", "true"]) {
        bail!(
            "this needs root, and sudo would ask for a password. Run `{by_hand}` and then this again"
        );
    }
    let apt_get = |words: &[&str]| {
        let mut command = Command::new(if through_sudo { "sudo" } else { "env" });
        if through_sudo {
            command.args(["-n", "env"]);
        }
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(words);
        run(&mut command)
    };
    // An old package list may still have the packages, so only the installation decides.
    if let Err(error) = apt_get(&["update"]) {
        eprintln!("xtask: {error:#}; trying the old package lists");
    }
    apt_get(&[&["install", "-y", "--no-install-recommends"], packages].concat())
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn ensure_components() -> Result<()> {
    let has_all =
        || answers("cargo", &["fmt", "--version"]) && answers("cargo", &["clippy", "--version"]);
    if has_all() {
        return Ok(());
    }
    if answers("rustup", &["--version"]) {
        run(Command::new("rustup")
            .args(["component", "add", "rustfmt", "clippy"])
            .current_dir(workspace_root()))?;
    }
    if !has_all() {
        bail!(
            "rustfmt and clippy are not part of this Rust toolchain. Run `rustup component add rustfmt clippy`, or install your system's packages of them"
        );
    }
    Ok(())
}

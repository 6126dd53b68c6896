//! `cargo xtask structure`: the rules for files and imports that the compiler does not check.

mod allowed;
mod arrows;
mod attributes;
mod circles;
mod digests;
mod finding;
mod literals;
mod modules;
mod ordering;
mod references;
mod resolve;
mod sizes;
mod source;
#[cfg(test)]
mod tests;
mod texts;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::cargo::workspace_root;
use finding::{Finding, Rule};
use modules::Modules;
use references::Uses;
use source::Sources;

pub const HELP: &str = "\
cargo xtask structure [--report | --arrows]

Parses every .rs file of every crate and reports:

  - import circles: groups of files that use each other. Every path in the code is resolved to the
    file that defines its last name, through re-exports. Uses between a file and the files of the
    modules below it are not counted, and neither is test code.
  - files over 400 lines and functions over 70 lines, outside tests and benches
  - files that do not open with `//!`
  - Debug output in digests and idempotency keys, `snapshot.of(\"…\")`, flags and commands in the
    error texts of domain, log, projections, migrations and proofs, and `unwrap_or_default()` on
    a read that can fail; all outside tests
  - commits that crates above the log append to a log and not through `Ordering`, and syncs and
    renames of log, migrations, application and service outside `rollbook_log::durable`; outside tests

Fails when something is found. xtask/structure-allowed.txt lists exceptions, each with its reason.

  --report   print the findings and succeed
  --arrows   print how often each crate and each folder uses another, and succeed";

/// The list of exceptions, relative to the root of the workspace.
const ALLOWED: &str = "xtask/structure-allowed.txt";

pub fn command(arguments: &[String]) -> Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = workspace_root();
    match words.as_slice() {
        [] => check(&root),
        ["--report"] => {
            print!("{}", report(&find(&root)?));
            Ok(())
        }
        ["--arrows"] => {
            let (sources, _, uses) = read(&root)?;
            print!("{}", arrows::table(&sources, &uses));
            Ok(())
        }
        _ => bail!("structure does not accept {}\n\n{HELP}", arguments.join(" ")),
    }
}

/// Prints the findings and fails when there are any.
pub fn check(root: &Path) -> Result<()> {
    let findings = find(root)?;
    print!("{}", report(&findings));
    if findings.is_empty() {
        return Ok(());
    }
    bail!("{} findings. `cargo xtask structure --help` explains the rules", findings.len())
}

fn read(root: &Path) -> Result<(Sources, Modules, Uses)> {
    let mut sources = Sources::read(root)?;
    let modules = Modules::of(&mut sources);
    let uses = references::all(&sources, &modules);
    Ok((sources, modules, uses))
}

fn find(root: &Path) -> Result<Vec<Finding>> {
    let (sources, modules, uses) = read(root)?;
    let mut findings: Vec<Finding> = circles::find(&modules, &uses)
        .iter()
        .map(|circle| circle_finding(circle, &sources, &modules, &uses))
        .collect();
    for file in &sources.files {
        sizes::check(file, &mut findings);
        texts::check(file, &mut findings);
        ordering::check(file, &mut findings);
    }
    let list = match fs::read_to_string(root.join(ALLOWED)) {
        Ok(list) => list,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {ALLOWED}")),
    };
    allowed::apply(&list, Path::new(ALLOWED), &mut findings).context(ALLOWED)?;
    findings.sort();
    Ok(findings)
}

fn circle_finding(circle: &[usize], sources: &Sources, modules: &Modules, uses: &Uses) -> Finding {
    let path =
        |file: usize| sources.files.get(file).map(|file| file.path.clone()).unwrap_or_default();
    let mut text = format!("{} files", circle.len());
    for ((user, used), places) in circles::edges(circle, modules, uses) {
        let Some(first) = places.first() else { continue };
        let (user, used) = (path(*user), path(*used));
        let more = match places.len() {
            1 => String::new(),
            places => format!(" and {} more", places - 1),
        };
        text += &format!(
            "\n      {}:{} -> {}  {}{more}",
            user.display(),
            first.line,
            used.display(),
            first.path
        );
    }
    let path = circle.first().map(|file| path(*file)).unwrap_or_default();
    Finding { rule: Rule::ImportCircle, path, line: 1, name: "-".to_owned(), text }
}

/// The findings under the heading of their rule, and every rule with its count.
fn report(findings: &[Finding]) -> String {
    let mut text = String::new();
    for rule in Rule::ALL {
        let of_rule: Vec<&Finding> = findings.iter().filter(|one| one.rule == rule).collect();
        text += &format!("{:>4}  {} ({})\n", of_rule.len(), rule.title(), rule.name());
        for finding in of_rule {
            let name =
                if finding.name == "-" { String::new() } else { format!(" {}:", finding.name) };
            text += &format!(
                "    {}:{}{name} {}\n",
                finding.path.display(),
                finding.line,
                finding.text
            );
        }
    }
    text
}

//! The list of findings that are right as they are, each with its reason.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::finding::{Finding, Rule};

/// One line of the list: `RULE | PATH | NAME | REASON`. The path is a file or a directory. The
/// name is a function or type, or `*` for any.
#[derive(Debug, PartialEq, Eq)]
struct Allowance<'a> {
    line: usize,
    rule: Rule,
    path: &'a Path,
    name: &'a str,
}

/// Takes the allowed findings away. An entry that matches none becomes a finding itself, so that
/// the list does not outlive the code.
///
/// # Errors
/// If a line of the list is not of its form, or gives no reason.
pub fn apply(list: &str, list_path: &Path, findings: &mut Vec<Finding>) -> Result<()> {
    for allowance in parse(list)? {
        let before = findings.len();
        findings.retain(|finding| {
            finding.rule != allowance.rule
                || !finding.path.starts_with(allowance.path)
                || (allowance.name != "*" && finding.name != allowance.name)
        });
        if findings.len() == before {
            findings.push(Finding {
                rule: Rule::StaleAllowance,
                path: list_path.to_path_buf(),
                line: allowance.line,
                name: allowance.name.to_owned(),
                text: format!("{} in {}", allowance.rule.name(), allowance.path.display()),
            });
        }
    }
    Ok(())
}

fn parse(list: &str) -> Result<Vec<Allowance<'_>>> {
    let lines = list.lines().enumerate().map(|(index, text)| (index + 1, text.trim()));
    let entries = lines.filter(|(_, text)| !text.is_empty() && !text.starts_with('#'));
    entries
        .map(|(line, text)| {
            let fields: Vec<&str> = text.splitn(4, '|').map(str::trim).collect();
            let [rule, path, name, reason] = fields.as_slice() else {
                bail!("line {line}: not of the form RULE | PATH | NAME | REASON");
            };
            if reason.is_empty() {
                bail!("line {line}: the reason is missing");
            }
            let found = Rule::ALL.into_iter().find(|known| known.name() == *rule);
            let rule = found.with_context(|| format!("line {line}: unknown rule {rule:?}"))?;
            Ok(Allowance { line, rule, path: Path::new(*path), name })
        })
        .collect()
}

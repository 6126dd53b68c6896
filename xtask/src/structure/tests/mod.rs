//! Each rule on small source trees that are made up for it: once broken, once kept.

mod imports;
mod rules;

use std::fs;
use std::path::Path;

use super::finding::{Finding, Rule};

/// A workspace with one crate `log`, from pairs of a path in it and a text.
fn workspace(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "log/Cargo.toml", "[package]\nname = \"made-up-log\"\n");
    for (path, text) in files {
        let opening = if path.ends_with(".rs") { "//! Made up.\n" } else { "" };
        write(root.path(), path, &format!("{opening}{text}"));
    }
    root
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn findings(files: &[(&str, &str)]) -> Vec<Finding> {
    super::find(workspace(files).path()).unwrap()
}

/// The rule, file and name of every finding.
fn found(files: &[(&str, &str)]) -> Vec<(Rule, String, String)> {
    let brief = |one: Finding| (one.rule, one.path.display().to_string(), one.name);
    findings(files).into_iter().map(brief).collect()
}

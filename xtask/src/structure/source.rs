//! Finds the crates and their source files, and parses every file.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// All crates below one directory, and all their `.rs` files.
pub struct Sources {
    /// In the order of their directories.
    pub crates: Vec<Package>,
    /// In the order of their paths.
    pub files: Vec<SourceFile>,
}

/// A directory with a `Cargo.toml` that has a `[package]`.
pub struct Package {
    /// The name in Rust paths: `rollbook_log`.
    pub name: String,
    /// Relative to the root of the workspace; empty for the package in the root itself.
    pub directory: PathBuf,
}

/// One parsed file.
pub struct SourceFile {
    /// Relative to the root of the workspace.
    pub path: PathBuf,
    pub text: String,
    pub syntax: syn::File,
    /// The index of its package in [`Sources::crates`].
    pub package: usize,
    /// Whether it holds only tests or benches. The path decides at first, later also
    /// `#[cfg(test)]`.
    pub is_test: bool,
}

impl Sources {
    /// Reads everything below `root`.
    ///
    /// # Errors
    /// If a file cannot be read or is not Rust.
    pub fn read(root: &Path) -> Result<Self> {
        let mut paths = Vec::new();
        collect(root, root, &mut paths)?;
        paths.sort();
        let mut crates = Vec::new();
        for path in paths.iter().filter(|path| path.ends_with("Cargo.toml")) {
            let manifest = read(&root.join(path))?;
            if let Some(name) = package_name(&manifest) {
                let directory = path.parent().unwrap_or(Path::new("")).to_path_buf();
                crates.push(Package { name, directory });
            }
        }
        let mut files = Vec::new();
        for path in paths.into_iter().filter(|path| path.extension().is_some_and(|e| e == "rs")) {
            let Some(package) = package_of(&crates, &path) else { continue };
            let text = read(&root.join(&path))?;
            let syntax = syn::parse_file(&text)
                .with_context(|| format!("cannot parse {}", path.display()))?;
            let is_test = is_test_path(&path);
            files.push(SourceFile { path, text, syntax, package, is_test });
        }
        Ok(Self { crates, files })
    }

    /// The index of the file with this path.
    pub fn find(&self, path: &Path) -> Option<usize> {
        self.files.binary_search_by(|file| file.path.as_path().cmp(path)).ok()
    }
}

/// Adds the manifests and source files below `directory`. Build results and hidden directories are
/// left out.
fn collect(root: &Path, directory: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let cannot = || format!("cannot list {}", directory.display());
    for entry in fs::read_dir(directory).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if entry.file_type().with_context(cannot)?.is_dir() {
            let is_skipped = name.starts_with('.') || name == "target" || name == "node_modules";
            // A second checkout inside this one has its own sources.
            if !is_skipped && !path.join(".git").exists() {
                collect(root, &path, paths)?;
            }
        } else if name == "Cargo.toml" || name.ends_with(".rs") {
            paths.push(path.strip_prefix(root).unwrap_or(&path).to_path_buf());
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The `name` of `[lib]`, else of `[package]`, as Rust paths write it.
fn package_name(manifest: &str) -> Option<String> {
    let (mut section, mut package, mut library) = ("", None, None);
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
        } else if let Some(value) = line.strip_prefix("name") {
            let value = value.trim_start().strip_prefix('=').map(|v| v.trim().trim_matches('"'));
            match section {
                "[package]" => package = value,
                "[lib]" => library = value,
                _ => {}
            }
        }
    }
    package?;
    library.or(package).map(|name| name.replace('-', "_"))
}

/// The package with the longest directory that contains `path`.
fn package_of(crates: &[Package], path: &Path) -> Option<usize> {
    let contains = crates.iter().enumerate().filter(|(_, one)| path.starts_with(&one.directory));
    contains.max_by_key(|(_, one)| one.directory.components().count()).map(|(index, _)| index)
}

/// Whether the path alone says that a file belongs to tests or benches.
fn is_test_path(path: &Path) -> bool {
    let mut directories = path.parent().into_iter().flat_map(Path::components);
    directories.any(|part| {
        let name = part.as_os_str();
        name == "tests" || name == "benches"
    })
}

//! Checks the files of a backup against its manifest: each file exists, with the length and the
//! SHA-256 of the manifest, and there is no other file.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path};

use super::copy::{self, Content};
use super::manifest::{FileEntry, MANIFEST, Manifest, SUMS};
use super::{BackupError, Finding, Progress};

/// Refuses a backup with a file that is missing, has another length, or is not in the manifest.
/// Reads no content.
pub(super) fn lengths(backup: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    let mut findings: Vec<Finding> =
        manifest.files.iter().filter_map(|file| length(backup, file)).collect();
    let known: BTreeSet<&str> =
        manifest.files.iter().map(|file| file.path.as_str()).chain([MANIFEST, SUMS]).collect();
    for found in files_below(backup, Path::new(""))? {
        if !known.contains(found.as_str()) {
            findings.push(Finding { file: found, what: format!("is not in {MANIFEST}") });
        }
    }
    sound(manifest, findings)
}

/// As [`lengths`], and reads the content of every file.
pub(super) fn contents(
    backup: &Path,
    manifest: &Manifest,
    progress: Progress<'_>,
) -> Result<(), BackupError> {
    lengths(backup, manifest)?;
    let all: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    let (mut done, mut findings) = (0, Vec::new());
    for file in &manifest.files {
        match copy::content(&backup.join(&file.path)) {
            Ok(content) => findings.extend(compare(file, &content)),
            Err(BackupError::File { source, .. }) => {
                findings.push(Finding {
                    file: file.path.clone(),
                    what: format!("cannot be read: {source}"),
                });
            }
            Err(other) => return Err(other),
        }
        done += file.bytes;
        progress("checking files", done, all);
    }
    sound(manifest, findings)
}

fn sound(manifest: &Manifest, findings: Vec<Finding>) -> Result<(), BackupError> {
    if findings.is_empty() {
        Ok(())
    } else {
        Err(BackupError::Damaged { name: manifest.name.clone(), findings })
    }
}

fn length(backup: &Path, file: &FileEntry) -> Option<Finding> {
    let finding = |what| Some(Finding { file: file.path.clone(), what });
    // A manifest is untrusted input: a path must not lead out of the backup's directory.
    if !Path::new(&file.path).components().all(|part| matches!(part, Component::Normal(_))) {
        return finding("is no path below the backup".to_owned());
    }
    match fs::symlink_metadata(backup.join(&file.path)) {
        Ok(there) if !there.is_file() => finding("is no file".to_owned()),
        Ok(there) if there.len() == file.bytes => None,
        Ok(there) => finding(format!("has {} bytes instead of {}", there.len(), file.bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => finding("is missing".to_owned()),
        Err(error) => finding(format!("cannot be read: {error}")),
    }
}

/// Compares a file's content with its manifest entry; `None` if they agree.
pub(super) fn compare(file: &FileEntry, content: &Content) -> Option<Finding> {
    let what = match content {
        Content { bytes, .. } if *bytes != file.bytes => {
            format!("has {bytes} bytes instead of {}", file.bytes)
        }
        Content { sha256, .. } if *sha256 != file.sha256 => {
            format!("has the SHA-256 {sha256} instead of {}: it was edited", file.sha256)
        }
        _ => return None,
    };
    Some(Finding { file: file.path.clone(), what })
}

/// Lists the paths of all files in a directory tree, with `/` as the separator.
fn files_below(root: &Path, below: &Path) -> Result<Vec<String>, BackupError> {
    let directory = root.join(below);
    let read = |source| BackupError::file("read", &directory)(source);
    let mut found = Vec::new();
    for entry in fs::read_dir(&directory).map_err(read)? {
        let entry = entry.map_err(read)?;
        let path = below.join(entry.file_name());
        if entry.file_type().map_err(read)?.is_dir() {
            found.extend(files_below(root, &path)?);
        } else {
            found.push(path.to_string_lossy().replace('\\', "/"));
        }
    }
    found.sort();
    Ok(found)
}

//! Directories: what is in them, copies of them, and whether two states of one are the same.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use walkdir::WalkDir;

/// Every file under a directory, in the order of their paths. A directory that does not exist has
/// none.
pub fn paths(directory: &Path) -> Vec<PathBuf> {
    if !directory.exists() {
        return Vec::new();
    }
    let entries = WalkDir::new(directory).sort_by_file_name().into_iter().map(Result::unwrap);
    entries.filter(|entry| !entry.file_type().is_dir()).map(walkdir::DirEntry::into_path).collect()
}

/// Every file under a directory with its bytes.
pub fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let read = |path: PathBuf| {
        let bytes = std::fs::read(&path).unwrap();
        (path, bytes)
    };
    paths(directory).into_iter().map(read).collect()
}

/// Asserts that two states of a directory are the same, without printing megabytes.
pub fn assert_same(
    before: &BTreeMap<PathBuf, Vec<u8>>,
    after: &BTreeMap<PathBuf, Vec<u8>>,
    about: &[&str],
) {
    let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(before), names(after), "{about:?} made or removed files");
    let changed = before.iter().filter(|(path, bytes)| after[*path] != **bytes);
    let changed: Vec<&PathBuf> = changed.map(|(path, _)| path).collect();
    assert!(changed.is_empty(), "{about:?} changed {changed:?}");
}

/// Copies every file of a directory into another one, which is made where it does not exist.
pub fn copy_directory(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in paths(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(&file, target).unwrap();
    }
}

/// Copies a store that is not in use, with those of its keys that are beside it.
pub fn copy_store(from: &Path, to: &Path) {
    copy_directory(from, to);
    for kind in ["signing-key", "master-key"] {
        let key = |store: &Path| PathBuf::from(format!("{}.{kind}", store.display()));
        if key(from).exists() {
            std::fs::copy(key(from), key(to)).unwrap();
        }
    }
}

/// Unpacks an archive `*.tar.gz` into a directory.
pub fn unpack(archive: &Path, to: &Path) {
    let file = File::open(archive).unwrap();
    tar::Archive::new(GzDecoder::new(file)).unpack(to).unwrap();
}

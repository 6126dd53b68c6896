//! The store that is tampered with.

use std::path::{Path, PathBuf};

use testkit::Store;

/// A store with a fixture imported, the migration applied and validated, a checkpoint before and
/// after, and an API key.
pub fn sample(home: &Path) -> PathBuf {
    let store = Store::imported_at(home.join("store"), "clean");
    store.ok(&["checkpoint"]);
    assert_eq!(store.migrate()["all_green"], true);
    store.ok(&["checkpoint"]);
    store.ok(&["key", "create", "--name", "deploy", "--scope", "operator"]);
    store.path()
}

/// What `verify` finds wrong: its message and its findings.
pub fn wrong(store: &Path, more: &[&str]) -> (String, Vec<String>) {
    let ran = Store::at(store).run(&[&["verify", "--json"], more].concat());
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
    let error = ran.error();
    let causes = error["causes"].as_array().unwrap().iter();
    let causes = causes.map(|cause| cause.as_str().unwrap().to_owned()).collect();
    (error["message"].as_str().unwrap().to_owned(), causes)
}

//! How many table files a store has after many short commands, and what happens if the process may
//! not open them.

use testkit::{Store, paths};

fn table_files(store: &Store) -> usize {
    let is_table = |path: &std::path::PathBuf| path.extension().is_some_and(|name| name == "sst");
    paths(&store.path()).iter().filter(|path| is_table(path)).count()
}

#[test]
fn writing_commands_do_not_pile_up_table_files() {
    let store = Store::imported("clean");
    let mut most = 0;
    for number in 1..=60 {
        let id = format!("number-{number}");
        store.ok(&[
            "assign",
            "--client",
            &id,
            "--form",
            "form",
            "--coach",
            "coach",
            "--title",
            "Form",
            "--allow-unknown",
        ]);
        most = most.max(table_files(&store));
    }
    // Each of the six families has fewer than 8 small files side by side, and two of this command.
    assert!(most < 6 * 10, "{most}");
    store.ok(&["verify"]);
}

#[test]
fn too_low_a_limit_of_open_files_is_named() {
    let store = Store::imported("clean");
    let ran = store.run_with_open_files(40, &["status"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("raise its limit of open files"), "{ran:?}");
    let ran = store.run_with_open_files(256, &["status"]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

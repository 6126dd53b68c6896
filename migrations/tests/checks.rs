//! The documents and the list of checks agree.

use std::path::Path;

use rollbook_migrations::validate::CHECKS;

fn document(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

#[test]
fn the_manual_has_every_check_in_its_order() {
    let manual = document("docs/operations.md");
    let table = manual.split_once("| check | holds if |").unwrap().1;
    let rows = table.lines().skip(2).take_while(|line| line.starts_with("| `"));
    let names: Vec<&str> = rows.map(|row| row.split('`').nth(1).unwrap()).collect();
    assert_eq!(names, CHECKS);
}

#[test]
fn the_documents_count_the_checks_right() {
    let words = ["eleven", "twelve", "thirteen", "fourteen", "fifteen"];
    let right = words[CHECKS.len() - 11];
    let documents = [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "docs/concepts.md",
        "docs/custody.md",
        "docs/glossary.md",
        "docs/operations.md",
        "docs/write-a-migration.md",
    ];
    for path in documents {
        let text = document(path).to_lowercase().replace('*', "");
        for wrong in words.iter().filter(|word| **word != right) {
            assert!(!text.contains(&format!("{wrong} checks")), "{path} has {wrong} checks");
        }
        for count in (1..20).filter(|count| *count != CHECKS.len()) {
            let stale = format!("{count} of {count} ");
            assert!(!text.contains(&format!(" {stale}")), "{path} has {stale}");
        }
    }
}

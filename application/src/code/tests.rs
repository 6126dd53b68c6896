//! Every code is in the manual, has an exit code and a name.

use super::*;
use std::path::Path;
use strum::IntoEnumIterator;

/// `docs/errors.md` holds this table between two marks; `ROLLBOOK_BLESS=1` updates it.
#[test]
fn the_manual_lists_every_code() {
    const BEGIN: &str = "| code | exit | meaning |\n| --- | --- | --- |\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors.md");
    let line = |code: Code| format!("| `{code}` | {} | {} |\n", code.exit() as u8, code.meaning());
    let table: String = Code::iter().map(line).collect();
    let manual = std::fs::read_to_string(&path).unwrap();
    let (before, stored) = manual.split_once(BEGIN).unwrap();
    if std::env::var_os("ROLLBOOK_BLESS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{table}")).unwrap();
        return;
    }
    assert_eq!(stored, table, "docs/errors.md differs; ROLLBOOK_BLESS=1 writes it anew");
}

#[test]
fn a_code_without_an_exit_code_of_its_own_is_a_failure() {
    let exits = [Code::Damaged, Code::Usage, Code::NoPause, Code::Interrupted];
    let expected = [Exit::Failed, Exit::Usage, Exit::Refused, Exit::Interrupted];
    assert_eq!(exits.map(Code::exit), expected);
    let properties = Code::iter().filter_map(|code| code.get_int("exit"));
    assert!(properties.into_iter().all(|exit| [2, 3, 130].contains(&exit)));
}

#[test]
fn names_are_read_back() {
    for code in Code::iter() {
        assert_eq!(code.name().parse(), Ok(code));
    }
    assert!("made_up".parse::<Code>().is_err());
}

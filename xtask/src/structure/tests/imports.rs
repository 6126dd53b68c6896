//! Circles: what counts as a use, and what does not.

use super::{findings, workspace};
use crate::structure::finding::Rule;
use crate::structure::{arrows, read};

/// The texts of all circles in a crate.
fn circles(files: &[(&str, &str)]) -> Vec<String> {
    let all = findings(files);
    assert!(all.iter().all(|one| one.rule == Rule::ImportCircle), "{all:?}");
    all.into_iter().map(|one| one.text).collect()
}

const ROOT: (&str, &str) = ("log/src/lib.rs", "mod a;\nmod b;\n");

#[test]
fn two_files_that_import_each_other_are_a_circle() {
    let found = circles(&[
        ROOT,
        ("log/src/a.rs", "use crate::b::B;\npub struct A(B);\n"),
        ("log/src/b.rs", "use super::a;\npub struct B(Option<Box<a::A>>);\n"),
    ]);
    let expected = "2 files
      log/src/a.rs:2 -> log/src/b.rs  crate::b::B
      log/src/b.rs:3 -> log/src/a.rs  a::A";
    assert_eq!(found, [expected]);
}

#[test]
fn one_direction_is_no_circle() {
    let a = ("log/src/a.rs", "use crate::b::B;\npub struct A(B);\n");
    assert_eq!(circles(&[ROOT, a, ("log/src/b.rs", "pub struct B;\n")]), [""; 0]);
}

#[test]
fn a_circle_may_take_three_files_and_inline_paths() {
    let found = circles(&[
        ("log/src/lib.rs", "mod a;\nmod b;\nmod c;\n"),
        ("log/src/a.rs", "pub fn a() { crate::b::b() }\n"),
        ("log/src/b.rs", "pub fn b() { println!(\"{}\", crate::c::c()) }\n"),
        ("log/src/c.rs", "pub fn c() -> u8 { let _ = super::a::a; 1 }\n"),
    ]);
    assert!(matches!(found.as_slice(), [one] if one.starts_with("3 files")), "{found:?}");
}

#[test]
fn a_module_and_its_children_may_use_each_other() {
    let files = [
        ("log/src/lib.rs", "mod a;\npub use a::A;\n"),
        ("log/src/a/mod.rs", "mod child;\npub struct A;\npub fn f(_: child::C) {}\n"),
        ("log/src/a/child.rs", "use super::A;\nuse crate::A as Root;\npub struct C(A, Root);\n"),
    ];
    assert_eq!(circles(&files), [""; 0]);
}

#[test]
fn a_reexport_leads_to_the_file_that_defines_the_name() {
    let root = ("log/src/lib.rs", "mod a;\nmod b;\npub use b::B;\n");
    let a = ("log/src/a/mod.rs", "mod inner;\npub use inner::*;\n");
    let inner = ("log/src/a/inner.rs", "use crate::B;\npub struct A(B);\n");
    let b = ("log/src/b.rs", "use crate::a::A;\npub struct B(Option<Box<A>>);\n");
    let found = circles(&[root, a, inner, b]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("log/src/b.rs:2 -> log/src/a/inner.rs  crate::a::A"), "{found:?}");
}

#[test]
fn test_code_makes_no_circle() {
    let files = [
        ROOT,
        ("log/src/a.rs", "use crate::b::B;\npub struct A(B);\n"),
        (
            "log/src/b.rs",
            "pub struct B;\n#[cfg(test)]\nmod tests;\n#[cfg(test)]\nmod c { use super::a::A; }\n",
        ),
        ("log/src/b/tests.rs", "use crate::a::A;\nfn f(_: A) {}\n"),
    ];
    assert_eq!(circles(&files), [""; 0]);
}

#[test]
fn arrows_count_uses_between_rooms_and_crates() {
    let home = workspace(&[
        ("log/src/lib.rs", "pub mod a;\nmod b;\n"),
        (
            "log/src/a.rs",
            "use crate::b::B;\npub struct A(B);\npub fn f() -> B { crate::b::new() }\n",
        ),
        ("log/src/b.rs", "pub struct B;\npub fn new() -> B { B }\n"),
        ("app/Cargo.toml", "[package]\nname = \"app\"\n"),
        ("app/src/main.rs", "fn main() { made_up_log::a::f(); }\n"),
    ]);
    let (sources, _, uses) = read(home.path()).unwrap();
    let expected = "\
Crates (1 arrows)
  app -> made_up_log  1
Rooms (2 arrows)
  app/main      -> made_up_log/a  1
  made_up_log/a -> made_up_log/b  2
";
    assert_eq!(arrows::table(&sources, &uses), expected);
}

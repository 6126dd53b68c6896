//! Sizes, openings, forbidden texts, and the list of exceptions.

use super::{findings, found, workspace, write};
use crate::structure::finding::Rule;

const FILE: &str = "log/src/lib.rs";

/// The rules that one file with this text breaks, with the name of the function or type.
fn broken(text: &str) -> Vec<(Rule, String)> {
    found(&[(FILE, text)]).into_iter().map(|(rule, _, name)| (rule, name)).collect()
}

fn rule(rule: Rule, name: &str) -> Vec<(Rule, String)> {
    vec![(rule, name.to_owned())]
}

#[test]
fn files_have_400_lines_at_most() {
    // The opening is a line too.
    let lines = |count: usize| "const _: () = ();\n".repeat(count - 1);
    assert_eq!(broken(&lines(400)), []);
    assert_eq!(broken(&lines(401)), rule(Rule::LongFile, "-"));
    let in_tests =
        found(&[("log/tests/it/long.rs", &lines(500)), ("log/benches/b.rs", &lines(500))]);
    assert_eq!(in_tests, []);
    let below_cfg = found(&[(FILE, "#[cfg(test)]\nmod long;\n"), ("log/src/long.rs", &lines(401))]);
    assert_eq!(below_cfg, []);
}

#[test]
fn functions_have_70_lines_at_most() {
    let function =
        |lines: usize| format!("pub fn long() {{\n{}}}\n", "    drop(1);\n".repeat(lines - 2));
    assert_eq!(broken(&function(70)), []);
    assert_eq!(broken(&function(71)), rule(Rule::LongFunction, "long"));
    let method = format!("struct S;\nimpl S {{\n{}}}\n", function(71));
    assert_eq!(broken(&method), rule(Rule::LongFunction, "long"));
    assert_eq!(broken(&format!("#[cfg(test)]\nmod tests {{\n#[test]\n{}}}\n", function(90))), []);
    assert_eq!(found(&[("log/tests/a.rs", &function(90))]), []);
}

#[test]
fn every_file_opens_with_a_comment_about_itself() {
    let home = workspace(&[]);
    write(home.path(), "log/tests/it.rs", "// What is this?\nfn f() {}\n");
    write(home.path(), "log/src/lib.rs", "//! The log.\n");
    let all = super::super::find(home.path()).unwrap();
    let openings: Vec<_> = all.iter().map(|one| (one.rule, one.path.to_str().unwrap())).collect();
    assert_eq!(openings, [(Rule::NoOpening, "log/tests/it.rs")]);
}

#[test]
fn debug_output_stays_out_of_digests() {
    for body in [
        "idempotency(key, &(stream, format!(\"{command:?}\")))",
        "let text = format!(\"{:#?}\", command);\nlet mut digest = Sha256::new();\ndigest.update(text)",
        "write!(text, \"{score:?}\").unwrap();\nself.request_digest(text)",
    ] {
        let text = format!("fn bind() {{\n{body}\n}}\n");
        assert_eq!(broken(&text), rule(Rule::DebugDigest, "bind"), "{body}");
    }
    for body in [
        "idempotency(key, &(stream, format!(\"{command}\")))",
        "digest(text).map_err(|error| format!(\"no digest: {error:?}\"))",
        "if digest(text) { return Err(format!(\"{text:?}\")); }",
        "println!(\"{}\", format!(\"{command:?}\"))",
    ] {
        assert_eq!(broken(&format!("fn bind() {{\n{body}\n}}\n")), [], "{body}");
    }
}

#[test]
fn projections_are_named_by_type() {
    assert_eq!(broken("fn f() { snapshot.of(\"tracker\"); }\n"), rule(Rule::ProjectionByText, "f"));
    assert_eq!(broken("fn f() { snapshot.rows::<Tracker>(); snapshot.of(name); }\n"), []);
    let test = "#[cfg(test)]\nmod tests { fn f() { snapshot.of(\"tracker\"); } }\n";
    assert_eq!(broken(test), []);
}

#[test]
fn errors_of_lower_crates_name_no_flag_and_no_command() {
    let error = |text: &str| format!("enum E {{\n#[error(\"{text}\")]\nA,\n}}\n");
    for text in ["open it with --create", "run `rollbook check`", "{0} and --force"] {
        assert_eq!(broken(&error(text)), rule(Rule::FlagInError, "E"), "{text}");
    }
    for text in ["the store is missing", "a -- b", "--- {0} ---", "rollbook has no store"] {
        assert_eq!(broken(&error(text)), [], "{text}");
    }
    let flag = error("open it with --create");
    let edge = [("Cargo.toml", "[package]\nname = \"app\"\n"), ("src/error.rs", &flag)];
    assert_eq!(found(&edge), [], "the edge may name its flags");
}

#[test]
fn a_failed_read_has_no_default() {
    for call in [
        "fs::read_to_string(path).unwrap_or_default()",
        "self.rows.get(key).ok().flatten().unwrap_or_default()",
        "File::open(path).map(size).unwrap_or_default()",
        "(client.read(key).await).unwrap_or_default()",
    ] {
        let text = format!("async fn f() {{ {call}; }}\n");
        assert_eq!(broken(&text), rule(Rule::DefaultForFailedRead, "f"), "{call}");
    }
    for call in [
        "fs::read_to_string(path)?.lines().next().unwrap_or_default()",
        "list.get(1).unwrap_or_default()",
        "self.rows.get(key)?.unwrap_or_default()",
        "text.split(',').next().unwrap_or_default()",
    ] {
        assert_eq!(broken(&format!("fn f() {{ {call}; }}\n")), [], "{call}");
    }
}

#[test]
fn exceptions_have_a_reason_and_an_end() {
    let list = "xtask/structure-allowed.txt";
    let source = (FILE, "fn f() { snapshot.of(\"tracker\"); }\n");
    let entry = "# Why.\nprojection-by-text | log/src/lib.rs | f | a name from the user\n";
    assert_eq!(found(&[source, (list, entry)]), []);
    let anywhere = "projection-by-text | log/src | * | a name from the user\n";
    assert_eq!(found(&[source, (list, anywhere)]), []);

    let other = "projection-by-text | log/src/lib.rs | g | a name from the user\n";
    let all = findings(&[source, (list, other)]);
    let rules: Vec<Rule> = all.iter().map(|one| one.rule).collect();
    assert_eq!(rules, [Rule::ProjectionByText, Rule::StaleAllowance]);

    for (wrong, message) in [
        ("projection-by-text | log/src/lib.rs | f |\n", "line 1: the reason is missing"),
        ("projection-by-text | log/src/lib.rs\n", "line 1: not of the form"),
        ("made-up | log/src/lib.rs | f | because\n", "line 1: unknown rule \"made-up\""),
    ] {
        let error = super::super::find(workspace(&[source, (list, wrong)]).path()).unwrap_err();
        assert!(format!("{error:#}").contains(message), "{error:#}");
    }
}

#[test]
fn commits_above_the_log_go_through_the_ordering() {
    let in_crate = |file: &str, text: &str| {
        let manifest = "[package]\nname = \"made-up-migrations\"\n";
        found(&[("migrations/Cargo.toml", manifest), (file, text)])
    };
    let file = "migrations/src/lib.rs";
    for call in [
        "self.runtime.log().append(commit)",
        "self.log.submit(commit)",
        "log.append_raw(commit)",
        "Log::append(&log, commit)",
    ] {
        let text = format!("fn f() {{ {call}; }}\n");
        let expected = [(Rule::AppendToLog, file.to_owned(), "f".to_owned())];
        assert_eq!(in_crate(file, &text), expected, "{call}");
        assert_eq!(in_crate("migrations/tests/it.rs", &text), [], "{call}");
        assert_eq!(broken(&text), [], "{call}");
    }
    for call in ["self.ordering().append(commit)", "list.append(other)"] {
        assert_eq!(in_crate(file, &format!("fn f() {{ {call}; }}\n")), [], "{call}");
    }
}

#[test]
fn syncs_and_renames_are_in_one_module() {
    let manifest = ("proofs/Cargo.toml", "[package]\nname = \"made-up-proofs\"\n");
    for call in ["file.sync_all()", "file.sync_data()", "std::fs::rename(from, to)"] {
        let text = format!("fn f() {{ {call}; }}\n");
        assert_eq!(broken(&text), rule(Rule::SyncOutsideDurable, "f"), "{call}");
        assert_eq!(found(&[("log/src/durable.rs", &text)]), [], "{call}");
        assert_eq!(found(&[manifest, ("proofs/src/lib.rs", &text)]), [], "{call}");
        assert_eq!(found(&[("log/tests/it.rs", &text)]), [], "{call}");
    }
    assert_eq!(broken("fn f() { durable::rename(from, to); }\n"), []);
}

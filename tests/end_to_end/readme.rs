//! Runs every command of the README in its order.

use std::process::Command;

use testkit::{binary, repository, rollbook, run};

/// The lines of the README's shell blocks, block by block.
fn blocks() -> Vec<Vec<String>> {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let mut blocks = Vec::new();
    for block in readme.split("```sh\n").skip(1) {
        let lines = block.split("```").next().unwrap().lines();
        blocks.push(lines.map(str::to_owned).collect());
    }
    blocks
}

#[test]
fn the_readme_starts_with_the_two_commands_and_xtask_knows_them() {
    assert_eq!(blocks()[0], ["cargo xtask demo", "cargo xtask test"]);
    let mut xtask = Command::new(env!("CARGO"));
    let help = run(xtask.args(["xtask", "--help"]).current_dir(repository())).stdout;
    assert!(help.contains("demo") && help.contains("test"), "{help}");
    let home = tempfile::tempdir().unwrap();
    let demo = run(rollbook().arg("demo").current_dir(home.path()));
    let said = demo.stdout;
    assert_eq!(demo.code, 0, "{said}");
    for figure in [
        "26 clients, 36 responses",
        "28 series, 691 weeks to create, 2 responses to link",
        "13 of 13 checks green",
        "week 3 is completed",
    ] {
        assert!(said.contains(figure), "the demo does not say {figure:?}: {said}");
    }
    assert!(!said.contains('\u{1b}'), "no colours in a pipe");
}

#[test]
fn every_command_of_the_tour_succeeds_in_its_order() {
    let home = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(repository().join("tests"), home.path().join("tests")).unwrap();
    let binary = binary();
    let directory = binary.parent().unwrap().display();
    let path = format!("{directory}:{}", std::env::var("PATH").unwrap());
    let mut ran = 0;
    // The first block is the two commands, the second builds what is built already.
    for line in blocks().into_iter().skip(2).flatten() {
        let mut shell = Command::new("sh");
        shell.args(["-c", &line]).env("PATH", &path).current_dir(home.path());
        let shown = run(&mut shell);
        assert_eq!(shown.code, 0, "{line}: {shown:?}");
        let stdout = shown.stdout;
        if line.contains("migrate plan") {
            assert!(stdout.contains("28 series, 691 created, 2 linked"), "{stdout}");
        }
        if line.contains("view live") {
            assert!(stdout.contains("assignment-1767335640000-jrzqad9w2_week_3"), "{stdout}");
        }
        ran += 1;
    }
    assert!(ran > 15, "the README shows {ran} commands");
}

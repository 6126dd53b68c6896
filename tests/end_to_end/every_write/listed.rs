//! The list of everything that writes, read from the command line and from the API description.

use std::collections::{BTreeMap, BTreeSet};

use clap::CommandFactory;
use rollbook::cli::Cli;
use serde_json::Value;

use super::deeds::{Edge, deeds};

/// Commands that are no row of the table, each with the reason.
const OTHER_COMMANDS: &[(&str, &str)] = &[
    ("audit", "reads"),
    ("backup create", "writes beside the store"),
    ("backup list", "reads"),
    ("backup prune", "writes beside the store"),
    ("backup restore", "makes another store of the same log"),
    ("backup verify", "reads"),
    ("check-certificate", "reads"),
    ("check-proof", "reads"),
    ("checkpoint", "writes beside the log"),
    ("client put", "changes a document of no week, see cli_commands::putting"),
    ("coach put", "changes a document of no week, see cli_commands::putting"),
    ("config show", "reads"),
    ("correct list", "reads"),
    ("correct set-week", "acts on a document with a wrong number, see cli_commands::numbering"),
    ("demo", "makes a store of its own"),
    ("diff", "reads"),
    ("dump", "reads"),
    ("export", "reads"),
    ("form put", "changes a document of no week, see cli_commands::putting"),
    ("history", "reads"),
    ("key create", "writes keys of the service"),
    ("key list", "reads"),
    ("key revoke", "writes keys of the service"),
    ("keyring repair", "destroys what was erased, see cli_commands::keyring"),
    ("keyring rotate", "writes beside the log"),
    ("keyring status", "reads"),
    ("load", "makes another store of the same log"),
    ("migrate accept", "acts on findings, see migration::accepting"),
    ("migrate certificate", "is a step of every cell"),
    ("migrate findings", "reads"),
    ("migrate parity", "reads"),
    ("migrate plan", "is a step of every cell"),
    ("migrate show", "reads"),
    ("migrate validate", "is a step of every cell"),
    ("prove consistency", "reads"),
    ("prove event", "reads"),
    ("rebuild", "folds again"),
    ("serve", "is the other edge"),
    ("status", "reads"),
    ("switch", "is a step of every cell"),
    ("verify", "reads"),
    ("view", "reads"),
];

/// Requests that are no row of the table, each with the reason.
const OTHER_REQUESTS: &[(&str, &str)] = &[
    ("POST /ofrep/v1/evaluate/flags", "reads"),
    ("POST /ofrep/v1/evaluate/flags/{key}", "reads"),
    ("POST /v1/backups", "writes beside the store"),
    ("POST /v1/checkpoints", "writes beside the log"),
    ("POST /v1/migrations/acceptances", "acts on findings, see migration::accepting"),
    ("POST /v1/migrations/validations", "a step of every cell at the other edge"),
    ("PUT /v1/clients/{id}", "changes a document of no week, see native_api::documents"),
    ("PUT /v1/coaches/{id}", "changes a document of no week, see native_api::documents"),
    ("PUT /v1/forms/{id}", "changes a document of no week, see native_api::documents"),
    ("PUT /v1/switch", "a step of every cell at the other edge"),
];

/// Every command that has no subcommand, and whether it has the options of a write.
fn commands() -> BTreeMap<String, bool> {
    fn add(command: &clap::Command, name: &str, all: &mut BTreeMap<String, bool>) {
        let subcommands = command.get_subcommands().filter(|one| one.get_name() != "help");
        let mut is_leaf = true;
        for subcommand in subcommands {
            is_leaf = false;
            add(subcommand, format!("{name} {}", subcommand.get_name()).trim(), all);
        }
        if is_leaf {
            let writes = command.get_arguments().any(|argument| argument.get_long() == Some("as"));
            all.insert(name.to_owned(), writes);
        }
    }
    let mut all = BTreeMap::new();
    add(&Cli::command(), "", &mut all);
    all
}

/// Every operation of the API description whose method is not GET.
fn requests() -> BTreeSet<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    let description: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut all = BTreeSet::new();
    for (path, operations) in description["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            if ["post", "put", "patch", "delete"].contains(&method.as_str()) {
                all.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    all
}

/// Asserts that the heading of the options that every write has is above no other option.
fn check_headings(command: &clap::Command) {
    for argument in command.get_arguments() {
        if argument.get_help_heading() == Some("Every write") {
            let name = argument.get_long().unwrap_or_default();
            let is_one = ["as", "at", "key"].contains(&name);
            assert!(is_one, "{}: --{name} is under the heading of every write", command.get_name());
        }
    }
    command.get_subcommands().for_each(check_headings);
}

#[test]
fn the_help_lists_the_options_of_a_command_apart_from_those_of_every_write() {
    check_headings(&Cli::command());
}

fn named(edge: Edge) -> BTreeSet<String> {
    deeds().iter().filter_map(|deed| deed.operation(edge)).map(str::to_owned).collect()
}

#[test]
fn every_command_is_a_row_or_has_a_reason() {
    let rows = named(Edge::CommandLine);
    let others: BTreeSet<String> =
        OTHER_COMMANDS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let commands = commands();
    for (command, writes) in &commands {
        let is_row = rows.contains(command);
        assert!(
            is_row != others.contains(command),
            "{command} is to be a row, or to have a reason"
        );
        let is_reading = OTHER_COMMANDS.contains(&(command.as_str(), "reads"));
        assert!(!(*writes && is_reading), "{command} has the options of a write");
    }
    for name in rows.iter().chain(&others) {
        assert!(commands.contains_key(name), "{name} is no command");
    }
}

#[test]
fn every_request_is_a_row_or_has_a_reason() {
    let rows = named(Edge::Service);
    let others: BTreeSet<String> =
        OTHER_REQUESTS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let requests = requests();
    for request in &requests {
        assert!(
            rows.contains(request) != others.contains(request),
            "{request} is to be a row, or to have a reason"
        );
    }
    for name in rows.iter().chain(&others) {
        assert!(requests.contains(name), "{name} is no request");
    }
}

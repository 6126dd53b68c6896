//! The command line: the list of commands, and the way from the arguments to an exit code. Each
//! command has a file of its own.
//!
//! Results go to stdout, everything else to stderr. A command that fails prints nothing to stdout,
//! except for commands that print line by line. Exit codes: 0 done, 1 failed, 2 usage, 3 refused,
//! 130 interrupted.

mod arguments;
mod assign;
mod backup;
mod certificate;
mod checkpoint;
mod config;
mod context;
mod correct;
mod demo;
mod diff;
mod dump;
mod erase;
pub mod error;
mod findings;
mod format;
mod history;
mod import;
mod interrupt;
mod key;
mod keyring;
mod migrate;
mod naming;
mod next_step;
mod output;
mod plan;
mod progress;
mod prove;
mod put;
mod rebuild;
mod remote;
mod resolve;
mod respond;
mod review;
mod series;
mod serve;
mod status;
mod switch;
mod text;
mod verify;
mod view;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use rollbook_log::MasterKeySource;

pub use context::Context;
pub use interrupt::interrupted;
pub use output::Output;
pub use progress::Bar;

use crate::cli::context::{GLOBAL_OPTIONS, Place};
use crate::cli::error::CliError;

const AFTER_HELP: &str = "\
Examples:
  rollbook --data prod status
  rollbook --data prod view live --client ada
  rollbook --data prod switch precreated --percent 10 --reason 'first tenth'
  rollbook --data prod switch legacy --reason 'complaints about week 3'
  rollbook --server https://rollbook.example.com --token-file ops.key status

Exit codes: 0 done, 1 failed, 2 usage, 3 refused, 130 interrupted.";

/// An event-sourced store for recurring check-in assignments: migrate a read model, switch it,
/// switch it back.
#[derive(Debug, Parser)]
#[command(name = "rollbook", version, about, after_help = AFTER_HELP, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// The store's directory.
    #[arg(long, global = true, env = "ROLLBOOK_DATA", default_value = "./rollbook-data", value_name = "DIR", help_heading = GLOBAL_OPTIONS)]
    data: PathBuf,
    #[command(flatten)]
    remote: remote::RemoteArguments,
    /// The file of the master key. Default DIR.master-key, beside the store. ROLLBOOK_MASTER_KEY
    /// can hold the key itself.
    #[arg(long, global = true, env = "ROLLBOOK_MASTER_KEY_FILE", value_name = "FILE", help_heading = GLOBAL_OPTIONS)]
    master_key: Option<PathBuf>,
    /// Print JSON instead of text. An error is a JSON object on the last line of stderr.
    #[arg(long, global = true, help_heading = GLOBAL_OPTIONS)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

// The help lists the commands in this order: the order in which a migration needs them.
#[derive(Debug, Subcommand)]
enum Command {
    Import(import::ImportArguments),
    Audit(import::AuditArguments),
    Migrate(migrate::MigrateArguments),
    View(view::ViewArguments),
    Switch(switch::SwitchArguments),
    History(history::HistoryArguments),
    Diff(diff::DiffArguments),
    Status(status::StatusArguments),
    Verify(verify::VerifyArguments),
    Checkpoint(checkpoint::CheckpointArguments),
    Prove(prove::ProveArguments),
    CheckProof(prove::CheckProofArguments),
    CheckCertificate(certificate::CheckCertificateArguments),
    Rebuild(rebuild::RebuildArguments),
    Client(put::ClientArguments),
    Coach(put::CoachArguments),
    Form(put::FormArguments),
    Assign(assign::AssignArguments),
    Respond(respond::RespondArguments),
    Miss(series::MissArguments),
    Extend(series::ExtendArguments),
    Reopen(series::ReopenArguments),
    Pause(series::PauseArguments),
    Resume(series::ResumeArguments),
    Withdraw(series::WithdrawArguments),
    Feedback(series::FeedbackArguments),
    Correct(correct::CorrectArguments),
    Export(import::ExportArguments),
    Backup(backup::BackupArguments),
    Dump(dump::DumpArguments),
    Load(dump::LoadArguments),
    Serve(serve::ServeArguments),
    Config(config::ConfigArguments),
    Key(key::KeyArguments),
    Keyring(keyring::KeyringArguments),
    Erase(erase::EraseArguments),
    Demo(demo::DemoArguments),
}

impl Command {
    /// Where the command works.
    fn place(&self) -> Place {
        match self {
            Self::Import(_)
            | Self::Audit(_)
            | Self::Migrate(_)
            | Self::View(_)
            | Self::Switch(_)
            | Self::History(_)
            | Self::Status(_)
            | Self::Client(_)
            | Self::Coach(_)
            | Self::Form(_) => Place::Either,
            Self::Backup(arguments) => arguments.place(),
            Self::Checkpoint(arguments) => arguments.place(),
            Self::Serve(_)
            | Self::Config(_)
            | Self::Demo(_)
            | Self::CheckProof(_)
            | Self::CheckCertificate(_) => Place::Here,
            _ => Place::Directory,
        }
    }
}

fn run(command: &Command, context: &Context) -> Result<(), CliError> {
    match command {
        Command::Import(arguments) => arguments.run(context),
        Command::Audit(arguments) => arguments.run(context),
        Command::Migrate(arguments) => arguments.run(context),
        Command::View(arguments) => arguments.run(context),
        Command::Switch(arguments) => arguments.run(context),
        Command::History(arguments) => arguments.run(context),
        Command::Diff(arguments) => arguments.run(context),
        Command::Status(arguments) => arguments.run(context),
        Command::Verify(arguments) => arguments.run(context),
        Command::Checkpoint(arguments) => arguments.run(context),
        Command::Prove(arguments) => arguments.run(context),
        Command::CheckProof(arguments) => arguments.run(context),
        Command::CheckCertificate(arguments) => arguments.run(context),
        Command::Rebuild(arguments) => arguments.run(context),
        Command::Client(arguments) => arguments.run(context),
        Command::Coach(arguments) => arguments.run(context),
        Command::Form(arguments) => arguments.run(context),
        Command::Assign(arguments) => arguments.run(context),
        Command::Respond(arguments) => arguments.run(context),
        Command::Miss(arguments) => arguments.run(context),
        Command::Extend(arguments) => arguments.run(context),
        Command::Reopen(arguments) => arguments.run(context),
        Command::Pause(arguments) => arguments.run(context),
        Command::Resume(arguments) => arguments.run(context),
        Command::Withdraw(arguments) => arguments.run(context),
        Command::Feedback(arguments) => arguments.run(context),
        Command::Correct(arguments) => arguments.run(context),
        Command::Export(arguments) => arguments.run(context),
        Command::Backup(arguments) => arguments.run(context),
        Command::Dump(arguments) => arguments.run(context),
        Command::Load(arguments) => arguments.run(context),
        Command::Serve(arguments) => arguments.run(context),
        Command::Config(arguments) => arguments.run(context),
        Command::Key(arguments) => arguments.run(context),
        Command::Keyring(arguments) => arguments.run(context),
        Command::Erase(arguments) => arguments.run(context),
        Command::Demo(arguments) => arguments.run(context),
    }
}

/// Where the master key is: in the given file, in ROLLBOOK_MASTER_KEY, or beside the store.
fn master_key(file: Option<PathBuf>) -> MasterKeySource {
    match (file, std::env::var("ROLLBOOK_MASTER_KEY")) {
        (Some(file), _) => MasterKeySource::File(file),
        (None, Ok(text)) if !text.is_empty() => MasterKeySource::Text(text.into()),
        (None, _) => MasterKeySource::Beside,
    }
}

/// Parses the command line, runs the command and returns the exit code.
pub fn main() -> ExitCode {
    let parsed = Cli::command()
        .try_get_matches()
        .and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches)));
    let (cli, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return output::usage(&error),
    };
    let master_key = master_key(cli.master_key);
    let data_is_flag = context::is_on_command_line(&matches, "data");
    let mut context = Context {
        data: cli.data,
        data_is_flag,
        remote: None,
        master_key,
        output: Output::new(cli.json),
    };
    let ran = cli.remote.resolve(&matches, cli.command.place()).and_then(|remote| {
        context.remote = remote;
        run(&cli.command, &context)
    });
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of the output closed it, as `head` does.
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            context.output.report(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_help_with_an_example() {
        for command in Cli::command().get_subcommands() {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "{name} has no description");
            let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(
                examples.contains(&format!("rollbook {name} ")),
                "{name} has no example: {examples:?}"
            );
        }
    }

    #[test]
    fn every_example_in_the_help_and_the_manual_is_a_valid_command() {
        let manual = concat!(
            include_str!("../../docs/concepts.md"),
            include_str!("../../docs/operations.md"),
            include_str!("../../docs/cut-over.md"),
            include_str!("../../docs/migrations/precreate.md"),
            include_str!("../../docs/migrations/realign.md"),
            include_str!("../../docs/migrations/window.md"),
            include_str!("../../docs/migrations/renumber.md"),
            include_str!("../../docs/migrations/inverse.md"),
            include_str!("../../docs/backup.md"),
            include_str!("../../docs/service-operation.md"),
            include_str!("../../docs/access.md"),
            include_str!("../../docs/erasure.md"),
            include_str!("../../docs/proofs.md"),
            include_str!("../../docs/custody.md"),
            include_str!("../../docs/native-api.md")
        );
        let mut texts: Vec<String> =
            manual.split("```").skip(1).step_by(2).map(str::to_owned).collect();
        let mut commands = vec![Cli::command()];
        while let Some(command) = commands.pop() {
            texts.extend(command.get_after_help().map(ToString::to_string));
            commands.extend(command.get_subcommands().cloned());
        }
        let lines = texts
            .iter()
            .flat_map(|text| text.lines())
            .map(|line| line.trim().trim_start_matches("$ "));
        let examples: Vec<&str> = lines.filter(|line| line.starts_with("rollbook ")).collect();
        assert!(examples.len() > 60, "{} examples", examples.len());
        for example in examples {
            let command = example.split(['|', '>', '&']).next().unwrap();
            if let Err(error) = Cli::try_parse_from(shlex::split(command).unwrap()) {
                panic!("{example}: {error}");
            }
        }
    }
}

//! `--server`: the same commands against a service. Owns where a command goes when the environment and the command line say
//! different things, and that a command which only works on a directory says so.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args};

use crate::cli::error::CliError;
use crate::remote::Remote;

/// Which service, and who asks.
#[derive(Args)]
#[command(next_help_heading = super::EVERYWHERE)]
pub(super) struct RemoteArguments {
    /// Ask this service instead of a store's directory: audit, migrate, view, switch, history, status, checkpoint, backup create and backup list.
    #[arg(long, global = true, env = "ROLLBOOK_SERVER", value_name = "URL")]
    server: Option<String>,
    /// The token or API key for it. Others on this machine can read a command line: better a file, or the environment.
    #[arg(
        long,
        global = true,
        env = "ROLLBOOK_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN",
        conflicts_with = "token_file"
    )]
    token: Option<String>,
    /// A file with the token in it.
    #[arg(long, global = true, env = "ROLLBOOK_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl std::fmt::Debug for RemoteArguments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the token.
        f.debug_struct("RemoteArguments")
            .field("server", &self.server)
            .field("token_file", &self.token_file)
            .finish_non_exhaustive()
    }
}

impl RemoteArguments {
    /// The service that is to be asked, if one is. What stands on the command line is stronger than the environment.
    ///
    /// # Errors
    /// When both a directory and a service are named, or the command needs a directory.
    pub(super) fn resolve(
        &self,
        matches: &ArgMatches,
        place: Place,
    ) -> Result<Option<Remote>, CliError> {
        let Some(server) = self.server.as_deref().filter(|server| !server.is_empty()) else {
            return Ok(None);
        };
        let is_typed = (is_typed(matches, "server"), is_typed(matches, "data"));
        match (is_typed, place) {
            ((true, true), _) => {
                return Err(CliError::Usage(
                    "--server and --data are two stores; give one of them".to_owned(),
                ));
            }
            ((false, true), _) | ((false, false), Place::Here) => return Ok(None),
            ((_, false), Place::Either) => {}
            ((_, false), Place::Directory | Place::Here) => return Err(directory_only()),
        }
        let token = match (&self.token, &self.token_file) {
            (Some(token), _) => Some(token.clone()),
            (None, Some(file)) => Some(Remote::token_of(file)?),
            (None, None) => None,
        };
        Ok(Some(Remote::new(server, token.as_deref())?))
    }
}

/// A command, or a step of one, that no service is asked for.
pub(super) fn directory_only() -> CliError {
    let why = "this command works on a store's directory, and --server or ROLLBOOK_SERVER names a service; run it where the store is, with --data";
    CliError::Usage(why.to_owned())
}

/// What a command works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A store's directory, or a service.
    Either,
    /// A store's directory.
    Directory,
    /// This machine, whatever service the environment names.
    Here,
}

/// Whether an argument that every command has stands on the command line.
pub(super) fn is_typed(matches: &ArgMatches, name: &str) -> bool {
    matches.value_source(name) == Some(ValueSource::CommandLine)
}

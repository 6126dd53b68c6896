//! `--server`: the same commands at a service. This module decides between the service and the
//! directory when the environment and the command line disagree.

use std::path::PathBuf;

use clap::{ArgMatches, Args};

use super::context::{GLOBAL_OPTIONS, Place, directory_only, is_on_command_line};
use crate::cli::error::CliError;
use crate::remote::Remote;

/// The service, and the token for it.
#[derive(Args)]
#[command(next_help_heading = GLOBAL_OPTIONS)]
pub(super) struct RemoteArguments {
    /// Send the command to this service instead of opening a directory: import, audit, migrate, view,
    /// switch, history, status, client, coach, form, checkpoint, backup create and backup list.
    #[arg(long, global = true, env = "ROLLBOOK_SERVER", value_name = "URL")]
    server: Option<String>,
    /// The token or API key for the service. Other users of this machine can read a command line; a
    /// file or the environment is safer.
    #[arg(
        long,
        global = true,
        env = "ROLLBOOK_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN",
        conflicts_with = "token_file"
    )]
    token: Option<String>,
    /// A file that holds the token.
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
    /// The service to send the command to, if any. The command line overrides the environment.
    ///
    /// # Errors
    /// If the command line names both a directory and a service, or the command needs a
    /// directory.
    pub(super) fn resolve(
        &self,
        matches: &ArgMatches,
        place: Place,
    ) -> Result<Option<Remote>, CliError> {
        let Some(server) = self.server.as_deref().filter(|server| !server.is_empty()) else {
            return Ok(None);
        };
        let given = (is_on_command_line(matches, "server"), is_on_command_line(matches, "data"));
        match (given, place) {
            ((true, true), _) => {
                return Err(CliError::Usage(
                    "--server and --data name two stores; give only one of them".to_owned(),
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

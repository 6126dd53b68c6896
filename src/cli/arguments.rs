//! How arguments are read into values: instants, actors, JSON. Owns their text forms on the command line, and the three
//! options that every writing command has.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use rollbook_domain::{Actor, JsonText, Timestamp};
use rollbook_log::{MasterKeySource, OpenOptions};

use super::Bar;
use crate::cli::error::CliError;

use rollbook_application::backup::BackupError;
use rollbook_application::backup::erasure_ledger::known_to;
use rollbook_application::operations::erase::erase_again;
pub(super) use rollbook_application::reports::span::milliseconds;
use rollbook_application::store::{Request, Store};

/// Who does it, when, and under which key.
#[derive(Debug, Args)]
#[command(next_help_heading = "Every write")]
pub(super) struct Writing {
    /// On whose behalf: admin:NAME, coach:ID or client:ID. Default admin: and the user's name.
    #[arg(long = "as", value_name = "ROLE:ID", value_parser = actor)]
    actor: Option<Actor>,
    /// A name for this request; giving the same one again does nothing twice.
    #[arg(long, value_name = "KEY", value_parser = NonEmptyStringValueParser::new())]
    key: Option<String>,
    /// When it happened (RFC 3339). Default now.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

impl Writing {
    /// What a command with options of its own was given of these.
    pub(super) fn of(actor: Option<Actor>, at: Option<Timestamp>) -> Self {
        Self { actor, key: None, at }
    }

    /// When and under which key a service is asked; on whose behalf, its token says.
    ///
    /// # Errors
    /// [`CliError::Usage`] when somebody else is named.
    pub(super) fn remotely(&self) -> Result<(Option<Timestamp>, Option<&str>), CliError> {
        match self.actor {
            Some(_) => Err(CliError::Usage(
                "a service knows from the token who asks; leave --as out".to_owned(),
            )),
            None => Ok((self.at, self.key.as_deref())),
        }
    }

    pub(super) fn request(&self) -> Request {
        let actor = self.actor.clone().unwrap_or_else(|| {
            let user = std::env::var("USER").ok().filter(|user| !user.is_empty());
            Actor::Admin(user.unwrap_or_else(|| "operator".to_owned()))
        });
        Request {
            actor,
            now: self.at.unwrap_or_else(Store::now),
            key: self.key.clone(),
            cause: None,
        }
    }
}

/// Who else knows of erasures.
#[derive(Debug, Args)]
pub(super) struct Forgetting {
    /// A directory that knows who was erased since, of a store or of backups; may be given several times.
    #[arg(long, value_name = "DIR")]
    pub(super) forget: Vec<PathBuf>,
}

impl Forgetting {
    /// Erases from a store that nobody can find yet whom these directories know to be erased; how many that were.
    ///
    /// # Errors
    /// When a directory says nothing of erasures, or the store cannot be opened or written.
    pub(super) fn forget_in(
        &self,
        directory: &Path,
        options: &OpenOptions,
        key: &MasterKeySource,
    ) -> Result<u64, CliError> {
        let mut forgotten = Vec::new();
        for known in &self.forget {
            forgotten.extend(known_to(known, key).map_err(BackupError::from)?);
        }
        if forgotten.is_empty() {
            return Ok(0);
        }
        let bar = Bar::new("forgetting again", "events");
        let store = Store::open_with(directory, options.clone())?;
        Ok(erase_again(&store, &forgotten, &|done, of| bar.fold_progress(done, of))?)
    }
}

pub(super) fn actor(text: &str) -> Result<Actor, String> {
    let expected = || format!("{text:?} names nobody; write admin:NAME, coach:ID or client:ID");
    let (role, id) = text.split_once(':').filter(|(_, id)| !id.is_empty()).ok_or_else(expected)?;
    match role {
        "admin" => Ok(Actor::Admin(id.to_owned())),
        "coach" => Ok(Actor::Coach(id.to_owned())),
        "client" => Ok(Actor::Client(id.to_owned())),
        _ => Err(expected()),
    }
}

/// Any JSON value.
pub(super) fn json(text: &str) -> Result<JsonText, String> {
    JsonText::parse(text).map_err(|error| format!("this is no JSON: {error}"))
}

/// A time of day such as `09:00`, as (hour, minute).
pub(super) fn time_of_day(text: &str) -> Result<(u32, u32), String> {
    rollbook_domain::series::decide::time_of_day(text)
        .ok_or_else(|| format!("{text:?} is no time of day; write it like 09:00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actors_have_a_role_and_an_id() {
        assert_eq!(actor("coach:c:1"), Ok(Actor::Coach("c:1".to_owned())));
        for wrong in ["", "coach", "coach:", "system:x", ":x"] {
            assert!(actor(wrong).is_err(), "{wrong}");
        }
    }
}

//! Parsers of arguments (actors, JSON, times of day, names of enum values), and the options that
//! all writing commands share.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};
use rollbook_domain::event::{MissedReason, View};
use rollbook_domain::{Actor, JsonText, Timestamp};
use rollbook_log::{MasterKeySource, OpenOptions};

use super::progress::Bar;
use crate::cli::error::CliError;

use rollbook_application::backup::BackupError;
use rollbook_application::backup::erasure_ledger::known_to;
use rollbook_application::operations::erase::erase_again;
use rollbook_application::reports::check_ins::Which;
pub(super) use rollbook_application::reports::span::milliseconds;
use rollbook_application::store::{CallerKey, Request, Store};

/// The actor, the time and the idempotency key of a write.
#[derive(Debug, Args)]
#[command(next_help_heading = "Every write")]
pub(super) struct WriteOptions {
    /// Who acts: admin:NAME, coach:ID or client:ID. Default admin: and the user's name.
    #[arg(long = "as", value_name = "ROLE:ID", value_parser = actor)]
    actor: Option<Actor>,
    /// The idempotency key of this request: a repeated request with the same key writes nothing.
    #[arg(long, value_name = "KEY", value_parser = NonEmptyStringValueParser::new())]
    key: Option<String>,
    /// When it happened (RFC 3339). Default now.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

impl WriteOptions {
    /// The same values from a command that declares its own options.
    pub(super) fn of(actor: Option<Actor>, at: Option<Timestamp>) -> Self {
        Self { actor, key: None, at }
    }

    /// The time and the key for a request to a service. The service takes the actor from the token.
    ///
    /// # Errors
    /// [`CliError::Usage`] if an actor was given.
    pub(super) fn remotely(&self) -> Result<(Option<Timestamp>, Option<&str>), CliError> {
        match self.actor {
            Some(_) => Err(CliError::Usage(
                "a service takes the actor from the token; leave --as out".to_owned(),
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
            key: self.key.as_deref().map(CallerKey::of_command_line),
            cause: None,
        }
    }
}

/// Directories with erasure ledgers.
#[derive(Debug, Args)]
pub(super) struct ErasureSources {
    /// A store or a directory of backups that records the clients erased since; may be repeated.
    #[arg(long, value_name = "DIR")]
    pub(super) forget: Vec<PathBuf>,
}

impl ErasureSources {
    /// Erases the clients recorded in these directories from a store that is not published yet.
    /// Returns how many it erased.
    ///
    /// # Errors
    /// If a directory has no record of erasures, or the store cannot be opened or written.
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
        let bar = Bar::new("erasing clients again", "events");
        let store = Store::open_with(directory, options.clone())?;
        Ok(erase_again(&store, &forgotten, &|done, of| bar.fold_progress(done, of))?)
    }
}

pub(super) fn actor(text: &str) -> Result<Actor, String> {
    let expected = || format!("{text:?} is not an actor; write admin:NAME, coach:ID or client:ID");
    let (role, id) = text.split_once(':').filter(|(_, id)| !id.is_empty()).ok_or_else(expected)?;
    match role {
        "admin" => Ok(Actor::Admin(id.to_owned())),
        "coach" => Ok(Actor::Coach(id.to_owned())),
        "client" => Ok(Actor::Client(id.to_owned())),
        _ => Err(expected()),
    }
}

/// Parses the name of a domain value. Help and usage errors list the names.
fn one_of<T>(all: &'static [T], name: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    PossibleValuesParser::new(all.iter().map(|value| name(*value))).try_map(move |text| {
        all.iter().copied().find(|value| name(*value) == text).ok_or("this name is unknown")
    })
}

/// The name of a stored view.
pub(super) fn view() -> impl TypedValueParser<Value = View> {
    one_of(&[View::Legacy, View::Precreated], View::name)
}

/// The name of a stored view, or `live`.
pub(super) fn view_or_live() -> impl TypedValueParser<Value = Which> {
    one_of(&[Which::Legacy, Which::Precreated, Which::Live], Which::name)
}

/// Why a client missed a week.
pub(super) fn missed_reason() -> impl TypedValueParser<Value = MissedReason> {
    one_of(&MissedReason::ALL, MissedReason::name)
}

/// Any JSON value.
pub(super) fn json(text: &str) -> Result<JsonText, String> {
    JsonText::parse(text).map_err(|error| format!("this is not JSON: {error}"))
}

/// A time of day such as `09:00`, as (hour, minute).
pub(super) fn time_of_day(text: &str) -> Result<(u32, u32), String> {
    rollbook_domain::series::decide::time_of_day(text)
        .ok_or_else(|| format!("{text:?} is not a time of day; write it like 09:00"))
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

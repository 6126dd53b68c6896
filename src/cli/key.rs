//! `rollbook key`: the API keys of the service. Owns how they are asked for and shown; what a key is, is `access`'s.

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use rollbook_application::reports::span::milliseconds;
use rollbook_application::store::Store;
use rollbook_domain::Timestamp;
use rollbook_service::access::{ApiKey, KeyFile, Scope, list_keys};
use serde::Serialize;

use super::Context;
use super::output::{BAD, BOLD, FAINT, GOOD, styled};
use crate::cli::error::CliError;

const EXAMPLES: &str = "\
Examples:
  rollbook key create --name deploy --scope operator
  rollbook key create --name prometheus --scope metrics --expires-in never
  rollbook key list
  rollbook key revoke deploy

The store may be in use: a running service sees a change with the next request. The first key ends the service's time without
authentication.";

const CREATE_EXAMPLES: &str = "\
Examples:
  rollbook key create --name deploy --scope operator
  rollbook key create --name import-check --scope migrations --scope status --expires-in 2d
  rollbook key create --name kiosk --scope client:ada --expires-in 12h
  rollbook key create --name prometheus --scope metrics --expires-in never --json

Scopes: admin (everything), operator (migrations, switch, status and metrics, never what a client said), migrations, switch, status,
metrics, coach:ID and client:ID (what that coach or client may). The key is shown once; only its hash is stored.";

/// Make, list and revoke API keys of the service.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct KeyArguments {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    Create(CreateArguments),
    List(ListArguments),
    Revoke(RevokeArguments),
}

/// Make a key and show it, once.
#[derive(Debug, Args)]
#[command(after_help = CREATE_EXAMPLES)]
struct CreateArguments {
    /// What people call it; history shows it as who acted. No other live key may have it.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// What it opens; may be repeated.
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scopes: Vec<Scope>,
    /// How long it lasts, such as 90d or 12h, or never.
    #[arg(long, value_name = "SPAN", default_value = "90d", value_parser = lifetime)]
    expires_in: Lifetime,
}

/// List all keys, oldest first: never what opens.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  rollbook key list\n  rollbook key list --json | jq '.[] | select(.state == \"live\").name'"
)]
struct ListArguments {}

/// Revoke a key: the next request under it is refused.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  rollbook key revoke deploy\n  rollbook key revoke 3f9a01c2")]
struct RevokeArguments {
    /// The key's id, or a live key's name.
    #[arg(value_name = "ID")]
    which: String,
}

#[derive(Clone, Copy, Debug)]
enum Lifetime {
    Milliseconds(i64),
    Never,
}

fn lifetime(text: &str) -> Result<Lifetime, String> {
    match text {
        "never" => Ok(Lifetime::Never),
        _ => match milliseconds(text)? {
            0 => Err("a key that never was valid is of no use; give a span, or never".to_owned()),
            span => Ok(Lifetime::Milliseconds(span)),
        },
    }
}

impl KeyArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        match &self.command {
            KeyCommand::Create(arguments) => arguments.run(context),
            KeyCommand::List(_) => list(context),
            KeyCommand::Revoke(arguments) => {
                let revoked =
                    KeyFile::open(&context.data)?.revoke(&arguments.which, Store::now())?;
                let shown = Shown::of(&revoked, Store::now());
                context.output.either(&shown, || format!("revoked\n{}\n", shown.line()))
            }
        }
    }
}

impl CreateArguments {
    fn run(&self, context: &Context) -> Result<(), CliError> {
        let now = Store::now();
        let expires_at = match self.expires_in {
            Lifetime::Milliseconds(span) => Some(now.plus_milliseconds(span)),
            Lifetime::Never => None,
        };
        let mut scopes = self.scopes.clone();
        scopes.sort();
        scopes.dedup();
        let (key, secret) =
            KeyFile::open(&context.data)?.create(&self.name, scopes, now, expires_at)?;
        let created = Created { key: secret, shown: Shown::of(&key, now) };
        let note = "Keep it now: only its hash is stored, and nobody can show it again. Send it as `Authorization: Bearer …`.";
        context.output.either(&created, || {
            format!("{}\n{}\n{note}\n", created.shown.line(), styled(BOLD, &created.key))
        })
    }
}

fn list(context: &Context) -> Result<(), CliError> {
    let now = Store::now();
    let keys = list_keys(&context.data)?;
    let shown: Vec<Shown<'_>> = keys.iter().map(|key| Shown::of(key, now)).collect();
    context.output.either(&shown, || {
        let lines: String = shown.iter().map(|key| format!("{}\n", key.line())).collect();
        if lines.is_empty() {
            "no keys; `rollbook key create --help` tells how to make one\n".to_owned()
        } else {
            lines
        }
    })
}

/// A key as it is told.
#[derive(Serialize)]
struct Shown<'k> {
    id: &'k str,
    name: &'k str,
    state: &'static str,
    scopes: Vec<String>,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct Created<'k> {
    key: String,
    #[serde(flatten)]
    shown: Shown<'k>,
}

impl<'k> Shown<'k> {
    fn of(key: &'k ApiKey, now: Timestamp) -> Self {
        let state = match key.revoked_at {
            Some(_) => "revoked",
            None if key.is_live(now) => "live",
            None => "expired",
        };
        Self {
            id: &key.id,
            name: &key.name,
            state,
            scopes: key.scopes.iter().map(ToString::to_string).collect(),
            created_at: key.created_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
        }
    }

    fn line(&self) -> String {
        let style = if self.state == "live" { GOOD } else { BAD };
        let instant = |at: Timestamp| at.to_milliseconds_text();
        let until = match (self.revoked_at, self.expires_at) {
            (Some(at), _) => format!("revoked {}", instant(at)),
            (None, Some(at)) => format!("expires {}", instant(at)),
            (None, None) => "never expires".to_owned(),
        };
        let state = styled(style, format!("{:<7}", self.state));
        let Self { id, name, .. } = self;
        let about = styled(FAINT, format!("made {}, {until}", instant(self.created_at)));
        format!("{id}  {state}  {name}  {}  {about}", self.scopes.join(" "))
    }
}

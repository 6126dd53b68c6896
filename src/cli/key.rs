//! `rollbook key`: makes, lists and revokes API keys of the service.

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use rollbook_application::reports::span::milliseconds;
use rollbook_application::store::Store;
use rollbook_domain::Timestamp;
use rollbook_service::access::{ApiKey, KeyFile, Scope, list_keys};
use serde::Serialize;

use super::context::Context;
use super::output::{BAD, BOLD, FAINT, GOOD, styled};
use crate::cli::error::CliError;

const EXAMPLES: &str = "\
Examples:
  rollbook key create --name deploy --scope operator
  rollbook key create --name prometheus --scope metrics --expires-in never
  rollbook key list
  rollbook key revoke deploy

The store may be in use: a running service applies a change to the next request. Without any key the service does not authenticate requests;
the first key changes that.";

const CREATE_EXAMPLES: &str = "\
Examples:
  rollbook key create --name deploy --scope operator
  rollbook key create --name import-check --scope migrations --scope status --expires-in 2d
  rollbook key create --name kiosk --scope client:ada --expires-in 12h
  rollbook key create --name prometheus --scope metrics --expires-in never --json

Scopes: admin (everything), operator (migrations, switch, status and metrics, but no answers of clients), migrations, switch, status,
metrics, coach:ID and client:ID (the permissions of that coach or client). The key is shown once; only its hash is stored.";

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
    /// The name of the key; history shows it as the actor. No two live keys have the same name.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// What the key permits; may be repeated.
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scopes: Vec<Scope>,
    /// How long the key is valid, such as 90d or 12h, or never.
    #[arg(long, value_name = "SPAN", default_value = "90d", value_parser = lifetime)]
    expires_in: Lifetime,
}

/// List all keys, oldest first, without the secrets.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  rollbook key list\n  rollbook key list --json | jq '.[] | select(.state == \"live\").name'"
)]
struct ListArguments {}

/// Revoke a key. The next request with it is refused.
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
            0 => Err("a key that is never valid has no use; give a span longer than 0, or never"
                .to_owned()),
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
                let report = KeyReport::of(&revoked, Store::now());
                context.output.either(&report, || format!("revoked\n{}\n", report.line()))
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
        let created = NewKeyReport { key: secret, report: KeyReport::of(&key, now) };
        let note = "Save the key now: only its hash is stored, so it cannot be shown again. Send it as `Authorization: Bearer …`.";
        context.output.either(&created, || {
            format!("{}\n{}\n{note}\n", created.report.line(), styled(BOLD, &created.key))
        })
    }
}

fn list(context: &Context) -> Result<(), CliError> {
    let now = Store::now();
    let keys = list_keys(&context.data)?;
    let reports: Vec<KeyReport<'_>> = keys.iter().map(|key| KeyReport::of(key, now)).collect();
    context.output.either(&reports, || {
        let lines: String = reports.iter().map(|key| format!("{}\n", key.line())).collect();
        if lines.is_empty() {
            "no keys; `rollbook key create --help` shows how to make one\n".to_owned()
        } else {
            lines
        }
    })
}

/// A key without its secret.
#[derive(Serialize)]
struct KeyReport<'k> {
    id: &'k str,
    name: &'k str,
    state: &'static str,
    scopes: Vec<String>,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct NewKeyReport<'k> {
    key: String,
    #[serde(flatten)]
    report: KeyReport<'k>,
}

impl<'k> KeyReport<'k> {
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

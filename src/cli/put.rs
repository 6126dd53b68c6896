//! `rollbook client|coach|form put`: puts the document of a client, a coach or a form.

use std::io::Read as _;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use rollbook_application::operations::{Person, PutRequest, put};
use rollbook_domain::{Actor, JsonText, Timestamp};
use serde::Serialize;

use super::Context;
use super::arguments::{self, WriteOptions};
use crate::cli::error::CliError;

/// What every put has.
#[derive(Debug, Args)]
struct PutOptions {
    /// The id of the document.
    #[arg(value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    id: String,
    /// A complete document as JSON, instead of the one that is there; - reads standard input.
    #[arg(long, value_name = "FILE")]
    document: Option<String>,
    /// Who acts: admin:NAME, coach:ID or client:ID. Default admin: and the user's name.
    #[arg(long = "as", value_name = "ROLE:ID", value_parser = arguments::actor)]
    actor: Option<Actor>,
    /// When it happened (RFC 3339). Default now.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

/// Add or change a client.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct ClientArguments {
    #[command(subcommand)]
    command: ClientCommand,
}

#[derive(Debug, Subcommand)]
enum ClientCommand {
    /// Add a client, or change the fields that are given.
    #[command(after_help = "Examples:\n  rollbook client put cleo --first-name Cleo --coach robin")]
    Put {
        #[command(flatten)]
        options: PutOptions,
        /// The first name.
        #[arg(long, value_name = "TEXT")]
        first_name: Option<String>,
        /// The last name.
        #[arg(long, value_name = "TEXT")]
        last_name: Option<String>,
        /// The address for mail.
        #[arg(long, value_name = "TEXT")]
        email: Option<String>,
        /// The id of the coach. There need not be a document of the coach.
        #[arg(long, value_name = "ID")]
        coach: Option<String>,
        /// The id with which the client signs in.
        #[arg(long, value_name = "ID")]
        auth_uid: Option<String>,
        /// Whether the client's lists are open. Default true for a client without a value.
        #[arg(long, value_name = "BOOL")]
        can_start_check_ins: Option<bool>,
    },
}

/// Add or change a coach.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct CoachArguments {
    #[command(subcommand)]
    command: CoachCommand,
}

#[derive(Debug, Subcommand)]
enum CoachCommand {
    /// Add a coach, or change the fields that are given.
    #[command(after_help = "Examples:\n  rollbook coach put kim --first-name Kim --last-name Lee")]
    Put {
        #[command(flatten)]
        options: PutOptions,
        /// The first name.
        #[arg(long, value_name = "TEXT")]
        first_name: Option<String>,
        /// The last name.
        #[arg(long, value_name = "TEXT")]
        last_name: Option<String>,
    },
}

/// Add or change a form.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct FormArguments {
    #[command(subcommand)]
    command: FormCommand,
}

#[derive(Debug, Subcommand)]
enum FormCommand {
    /// Add a form, or change the fields that are given.
    #[command(after_help = "Examples:\n  rollbook form put sleep --title 'Sleep diary' --coach kim")]
    Put {
        #[command(flatten)]
        options: PutOptions,
        /// The title.
        #[arg(long, value_name = "TEXT")]
        title: Option<String>,
        /// The id of the coach whose form it is.
        #[arg(long, value_name = "ID")]
        coach: Option<String>,
    },
}

type Fields = Vec<(&'static str, JsonText)>;

/// The fields that were given.
fn given<const N: usize>(fields: [(&'static str, &Option<String>); N]) -> Fields {
    let given = fields.into_iter().filter_map(|(name, text)| Some((name, text.as_ref()?)));
    given.map(|(name, text)| (name, JsonText::from_value(&text.as_str().into()))).collect()
}

impl ClientArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let ClientCommand::Put {
            options,
            first_name,
            last_name,
            email,
            coach,
            auth_uid,
            can_start_check_ins,
        } = &self.command;
        let mut fields = given([
            ("firstName", first_name),
            ("lastName", last_name),
            ("email", email),
            ("coachId", coach),
            ("authUid", auth_uid),
        ]);
        let flag = |value: bool| ("canStartCheckIns", JsonText::from_value(&value.into()));
        fields.extend(can_start_check_ins.map(flag));
        options.run(context, Person::Client, fields, vec![flag(true)])
    }
}

impl CoachArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let CoachCommand::Put { options, first_name, last_name } = &self.command;
        let fields = given([("profile.firstName", first_name), ("profile.lastName", last_name)]);
        options.run(context, Person::Coach, fields, Vec::new())
    }
}

impl FormArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let FormCommand::Put { options, title, coach } = &self.command;
        let fields = given([("title", title), ("coachId", coach)]);
        options.run(context, Person::Form, fields, Vec::new())
    }
}

#[derive(Serialize)]
struct PutReport {
    id: String,
    position: Option<u64>,
    document: JsonText,
}

impl PutOptions {
    fn run(
        &self,
        context: &Context,
        kind: Person,
        fields: Fields,
        defaults: Fields,
    ) -> Result<(), CliError> {
        let document = self.document.as_deref().map(read).transpose()?;
        // A complete document is taken as it is.
        let defaults = if document.is_some() { Vec::new() } else { defaults };
        let wanted = PutRequest { kind, id: self.id.clone(), document, fields, defaults };
        let request = WriteOptions::of(self.actor.clone(), self.at).request();
        let store = context.open_or_make(false)?;
        let done = put(&store.reading(), &wanted, &request)?;
        context.fold(&store)?;
        let position = done.outcome.events().first().map(|written| written.position);
        let report = PutReport { id: self.id.clone(), position, document: done.document };
        context.output.either(&report, || match report.position {
            Some(position) => format!("{} is stored at position {position}\n", report.id),
            None => format!("{} is stored already; nothing was written\n", report.id),
        })
    }
}

/// Reads a document from a file, or from standard input.
fn read(file: &str) -> Result<JsonText, CliError> {
    let unreadable = |error: std::io::Error| CliError::Usage(format!("cannot read {file}: {error}"));
    let mut text = String::new();
    if file == "-" {
        std::io::stdin().read_to_string(&mut text).map_err(unreadable)?;
    } else {
        text = std::fs::read_to_string(file).map_err(unreadable)?;
    }
    JsonText::parse(&text)
        .map_err(|error| CliError::Usage(format!("{file} is not a JSON document: {error}")))
}

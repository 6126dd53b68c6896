//! `rollbook client|coach|form put`: puts the document of a client, a coach or a form, here or
//! through a service.

use std::io::Read as _;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use rollbook_application::operations::{
    DocumentChange, DocumentKind, PutReport, PutRequest, document_of, put,
};
use rollbook_domain::JsonText;
use serde_json::{Map, Value, json};

use super::Context;
use super::arguments::WriteOptions;
use super::output::{BOLD, styled};
use crate::cli::error::CliError;

/// The arguments and options of every put command.
#[derive(Debug, Args)]
struct PutOptions {
    /// The id of the document.
    #[arg(value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    id: String,
    /// A file with the complete document as JSON, which replaces the stored one; - reads standard
    /// input.
    #[arg(long, value_name = "FILE")]
    document: Option<String>,
    #[command(flatten)]
    writing: WriteOptions,
}

/// Add a client, or change the client's document.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Example:\n  rollbook client put cleo --first-name Cleo --coach lee"
)]
pub(super) struct ClientArguments {
    #[command(subcommand)]
    command: ClientCommand,
}

#[derive(Debug, Subcommand)]
enum ClientCommand {
    Put(ClientPut),
}

/// Add a client, or change the fields that are given.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  rollbook client put cleo --first-name Cleo --coach lee\n  rollbook client put cleo --document cleo.json"
)]
struct ClientPut {
    /// The first name.
    #[arg(long, value_name = "TEXT", conflicts_with = "document")]
    first_name: Option<String>,
    /// The last name.
    #[arg(long, value_name = "TEXT", conflicts_with = "document")]
    last_name: Option<String>,
    /// The address for mail.
    #[arg(long, value_name = "TEXT", conflicts_with = "document")]
    email: Option<String>,
    /// The id of the coach, who need not have a document.
    #[arg(long, value_name = "ID", conflicts_with = "document")]
    coach: Option<String>,
    /// The id with which the client signs in. No other client may have it.
    #[arg(long, value_name = "ID", conflicts_with = "document")]
    auth_uid: Option<String>,
    /// Whether the client's lists are open. Those of a new client are, unless this says false.
    #[arg(long, value_name = "BOOL", conflicts_with = "document")]
    can_start_check_ins: Option<bool>,
    // Last: its heading holds for everything after it.
    #[command(flatten)]
    options: PutOptions,
}

/// Add a coach, or change the coach's document.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Example:\n  rollbook coach put lee --first-name Lee --last-name Moss"
)]
pub(super) struct CoachArguments {
    #[command(subcommand)]
    command: CoachCommand,
}

#[derive(Debug, Subcommand)]
enum CoachCommand {
    Put(CoachPut),
}

/// Add a coach, or change the fields that are given.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  rollbook coach put lee --first-name Lee --last-name Moss\n  rollbook coach put lee --document lee.json"
)]
struct CoachPut {
    /// The first name.
    #[arg(long, value_name = "TEXT", conflicts_with = "document")]
    first_name: Option<String>,
    /// The last name.
    #[arg(long, value_name = "TEXT", conflicts_with = "document")]
    last_name: Option<String>,
    // Last: its heading holds for everything after it.
    #[command(flatten)]
    options: PutOptions,
}

/// Add a form, or change its document.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Example:\n  rollbook form put sleep --title 'Sleep diary' --coach lee"
)]
pub(super) struct FormArguments {
    #[command(subcommand)]
    command: FormCommand,
}

#[derive(Debug, Subcommand)]
enum FormCommand {
    Put(FormPut),
}

/// Add a form, or change the fields that are given.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  rollbook form put sleep --title 'Sleep diary' --coach lee\n  rollbook form put sleep --document sleep.json"
)]
struct FormPut {
    /// The title.
    #[arg(long, value_name = "TEXT", conflicts_with = "document")]
    title: Option<String>,
    /// The id of the coach whose form it is.
    #[arg(long, value_name = "ID", conflicts_with = "document")]
    coach: Option<String>,
    // Last: its heading holds for everything after it.
    #[command(flatten)]
    options: PutOptions,
}

/// The fields that were given, as an object.
fn given<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect::<Map<String, Value>>())
}

fn text(given: &Option<String>) -> Option<Value> {
    given.clone().map(Value::String)
}

impl ClientArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let ClientCommand::Put(wanted) = &self.command;
        let fields = given([
            ("firstName", text(&wanted.first_name)),
            ("lastName", text(&wanted.last_name)),
            ("email", text(&wanted.email)),
            ("coachId", text(&wanted.coach)),
            ("authUid", text(&wanted.auth_uid)),
            ("canStartCheckIns", wanted.can_start_check_ins.map(Value::Bool)),
        ]);
        wanted.options.run(context, DocumentKind::Client, &fields)
    }
}

impl CoachArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let CoachCommand::Put(wanted) = &self.command;
        let (first, last) = (text(&wanted.first_name), text(&wanted.last_name));
        let fields = match given([("firstName", first), ("lastName", last)]) {
            Value::Object(names) if names.is_empty() => json!({}),
            names => json!({ "profile": names }),
        };
        wanted.options.run(context, DocumentKind::Coach, &fields)
    }
}

impl FormArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let FormCommand::Put(wanted) = &self.command;
        let fields = given([("title", text(&wanted.title)), ("coachId", text(&wanted.coach))]);
        wanted.options.run(context, DocumentKind::Form, &fields)
    }
}

impl PutOptions {
    /// Puts the document, or else the given fields.
    fn run(&self, context: &Context, kind: DocumentKind, fields: &Value) -> Result<(), CliError> {
        let document = self.document.as_deref().map(read).transpose()?;
        let wanted = PutRequest {
            kind,
            id: self.id.clone(),
            merge: document.is_none(),
            document: document.unwrap_or_else(|| JsonText::from_value(fields)),
        };
        let report = match &context.remote {
            Some(remote) => {
                let (at, key) = self.writing.remotely()?;
                remote.put(&wanted, at, key)?
            }
            None => {
                // A store is made by its first event, so a refused put makes none.
                let store = context.open_or_make(false)?;
                let report = put(&store.reading(), &wanted, &self.writing.request())?;
                context.fold(&store)?;
                report
            }
        };
        context.output.either(&report, || report_text(&report))
    }
}

fn report_text(report: &PutReport) -> String {
    let name = styled(BOLD, format!("{} {}", report.kind.name(), report.id));
    let position = report.position;
    let before = if report.repeated { " (done before under this key)" } else { "" };
    match report.change {
        DocumentChange::Created => format!("{name}: added at position {position}{before}\n"),
        DocumentChange::Changed => format!("{name}: changed at position {position}{before}\n"),
        DocumentChange::Unchanged => {
            format!("{name}: it is so already since position {position}, nothing written\n")
        }
    }
}

/// Reads a document from a file, or from standard input.
fn read(file: &str) -> Result<JsonText, CliError> {
    let read = if file == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_bytes| text)
    } else {
        std::fs::read_to_string(file)
    };
    let text = read.map_err(|source| CliError::Input { path: file.into(), source })?;
    Ok(document_of(&text)?)
}

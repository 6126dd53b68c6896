//! `rollbook config`: the settings that the service would use, and where each comes from.

use clap::{Args, Subcommand};
use rollbook_service::configuration::{self, Configuration, Origin, SettingFlags, SourcedValue};
use serde_json::{Value, json};

use super::context::Context;
use super::output::{BOLD, FAINT, styled};
use crate::cli::error::CliError;

/// The text printed instead of a secret.
const MASK: &str = "********";

/// Show the configuration of the service.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rollbook config show
  rollbook config show --config /etc/rollbook/rollbook.toml --json
  ROLLBOOK_LOG_FORMAT=json rollbook config show")]
pub(super) struct ConfigArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print every setting with its value and its source. Opens no store and starts nothing.
    #[command(after_help = "\
Examples:
  rollbook config show
  rollbook config show --listen 127.0.0.1:9000
  rollbook config show --config /etc/rollbook/rollbook.toml --json")]
    Show(Box<SettingFlags>),
}

impl ConfigArguments {
    /// Prints the settings.
    ///
    /// # Errors
    /// [`CliError::Configuration`], [`CliError::Output`].
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let Action::Show(flags) = &self.action;
        let loaded = configuration::load(flags, context.given_data())?;
        context.output.either(&as_json(&loaded), || as_text(&loaded))
    }
}

fn as_json(loaded: &Configuration) -> Value {
    let settings: Vec<Value> = loaded.effective.iter().map(setting).collect();
    json!({ "file": loaded.file, "settings": settings, "ignored": loaded.ignored })
}

fn setting(given: &SourcedValue) -> Value {
    let key = given.key;
    let value = match &given.value {
        Value::Null => Value::Null,
        _ if key.secret => MASK.into(),
        Value::Number(_) if matches!(key.kind, configuration::Kind::Span(..)) => {
            key.kind.show(&given.value).into()
        }
        other => other.clone(),
    };
    let origin = match &given.origin {
        Origin::Flag(flag) => json!({ "kind": "flag", "flag": format!("--{flag}") }),
        Origin::Environment(variable) => json!({ "kind": "environment", "variable": variable }),
        Origin::File { path, line } => json!({ "kind": "file", "file": path, "line": line }),
        Origin::Default => json!({ "kind": "default" }),
    };
    json!({ "key": key.name, "value": value, "origin": origin, "about": key.about })
}

fn as_text(loaded: &Configuration) -> String {
    let rows: Vec<(String, String, String)> = loaded.effective.iter().map(row).collect();
    let width = |column: fn(&(String, String, String)) -> &str| {
        rows.iter().map(|row| column(row).chars().count()).max().unwrap_or_default()
    };
    let (names, values) = (width(|row| &row.0), width(|row| &row.1));
    let mut text = match &loaded.file {
        Some(file) => format!("{} {}\n", styled(BOLD, "file"), file.display()),
        None => format!(
            "{} none (there is no rollbook.toml here, and --config names no file)\n",
            styled(BOLD, "file")
        ),
    };
    for (name, value, origin) in &rows {
        let origin = if origin == "default" { styled(FAINT, origin) } else { styled(BOLD, origin) };
        text.push_str(&format!("{name:<names$}  {value:<values$}  {origin}\n"));
    }
    for variable in &loaded.ignored {
        text.push_str(&format!(
            "{} {variable} is not a setting and is ignored\n",
            styled(BOLD, "warning:")
        ));
    }
    text
}

fn row(given: &SourcedValue) -> (String, String, String) {
    let value = match &given.value {
        Value::Null => "-".to_owned(),
        _ if given.key.secret => MASK.to_owned(),
        value => Some(given.key.kind.show(value))
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| "-".to_owned()),
    };
    (given.key.name.to_owned(), value, given.origin.to_string())
}

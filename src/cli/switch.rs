//! `rollbook switch`: switches which view serves which clients, here or through a service. The
//! guard is in the domain.

use clap::Args;
use rollbook_application::operations::switch::{SwitchRequest, switch};
use rollbook_application::reports::switch::{SwitchReport, SwitchStatus};
use rollbook_domain::event::View;

use super::Context;
use super::arguments::{self, WriteOptions};
use super::output::{BOLD, styled};
use super::text::Text;
use crate::cli::error::CliError;

const EXAMPLES: &str = "\
Examples:
  rollbook switch precreated --client ada --client ben --reason 'pilot'
  rollbook switch precreated --percent 10 --reason 'first tenth'
  rollbook switch precreated --reason 'all green for a week'
  rollbook switch legacy --reason 'complaints about week 3'

Giving somebody the pre-created view needs a green validation newer than the last batch. If a check is red, correct its
findings or accept them by name (rollbook migrate accept). --force overrides the whole guard, and is on record with the
reason. Switching back needs nothing but the reason.";

/// Switch which view serves whom.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct SwitchArguments {
    /// The view to serve.
    #[arg(value_parser = arguments::view())]
    view: View,
    /// Only that part of all clients, 0 to 100, by a hash of their ids; the rest have the other view.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100), conflicts_with = "clients")]
    percent: Option<u8>,
    /// Only this client, by any id; may be repeated.
    #[arg(long = "client", value_name = "ID")]
    clients: Vec<String>,
    /// Why; history shows it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Override the whole guard. `rollbook migrate accept` accepts single findings instead.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    writing: WriteOptions,
}

impl Text for SwitchStatus {
    fn text(&self) -> String {
        let (default, other) = (self.default.name(), self.default.other().name());
        let mut text = match self.other_percent {
            0 => format!("{default} for everybody"),
            percent => format!("{other} for {percent} % of all clients, {default} for the rest"),
        };
        if !self.clients.is_empty() {
            let named: Vec<String> = self
                .clients
                .iter()
                .map(|(client, view)| format!("{} for {client}", view.name()))
                .collect();
            text.push_str(&format!("; by name {}", named.join(", ")));
        }
        if let (Some(legacy), Some(precreated)) = (self.legacy, self.precreated) {
            text.push_str(&format!(" ({legacy} clients legacy, {precreated} precreated)"));
        }
        text
    }
}

impl SwitchArguments {
    fn wanted(&self) -> SwitchRequest {
        let Self { percent, clients, reason, force, .. } = self;
        SwitchRequest {
            view: self.view,
            percent: *percent,
            clients: clients.clone(),
            reason: reason.clone(),
            force: *force,
        }
    }

    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let switched = match &context.remote {
            Some(remote) => {
                let (at, key) = self.writing.remotely()?;
                remote.switch(&self.wanted(), at, key)?
            }
            None => {
                let store = context.open()?;
                let switched = switch(&store.reading(), &self.wanted(), &self.writing.request())?;
                context.fold(&store)?;
                switched
            }
        };
        context.output.either(&switched, || switched.text())
    }
}

impl Text for SwitchReport {
    fn text(&self) -> String {
        let mut notes = String::new();
        if self.forced {
            notes.push_str(", the guard was overridden");
        }
        if self.repeated {
            notes.push_str(", done before under this key");
        }
        let position = self.position.map(|position| position.to_string()).unwrap_or_default();
        let moved: Vec<String> = [(self.to_precreated, "precreated"), (self.to_legacy, "legacy")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, view)| match count {
                1 => format!("1 client to {view}"),
                count => format!("{count} clients to {view}"),
            })
            .collect();
        let moved = if moved.is_empty() { "no clients".to_owned() } else { moved.join(", ") };
        format!(
            "{} {}\n{}  {}\nmoved:  {moved}\nposition {position}{notes}\n",
            styled(BOLD, "before:"),
            self.before.text(),
            styled(BOLD, "after:"),
            self.after.text()
        )
    }
}

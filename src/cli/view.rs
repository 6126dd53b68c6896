//! `rollbook view`: what a view shows one client, or all of them. Owns the lines it prints; the answers are the projections'.

use std::io::Write;

use clap::{Args, ValueEnum};
use rollbook_application::reports::check_ins::{Which, line};
use rollbook_application::reports::moment::Moment;
use rollbook_application::store::{Store, ViewChoice};
use rollbook_domain::status::OVERDUE_AFTER_MILLISECONDS;
use rollbook_domain::{Position, StreamId, Timestamp};
use rollbook_projections::entry::Asked;

use super::{Context, arguments, interrupt};
use crate::cli::error::CliError;
use crate::remote::ViewAsked;

const EXAMPLES: &str = "\
Examples:
  rollbook view live --client ada
  rollbook view legacy --all --at 2026-01-15T09:30:00Z
  rollbook view precreated --client ada --as-of 812 --overdue-after 0s
  rollbook view live --client ada --as-of 2026-01-15T09:30:00Z --at 2026-01-15T09:30:00Z

--client prints the body that the endpoint would answer: an unknown client has an empty list. --all prints one line a client
document, in the order of their ids: {\"clientId\": …, \"body\": …}.";

/// Show the check-ins of one client, or of all.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ViewArguments {
    /// Which view answers; `live` is the one that the switch serves the client.
    #[arg(value_enum)]
    view: Named,
    /// The client, by document id or authUid.
    #[arg(long, value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    client: Option<String>,
    /// Every client document.
    #[arg(long)]
    all: bool,
    /// The instant the list is asked for (RFC 3339). Default now.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// The store as it was at this position, or at this instant by the time of record (RFC 3339).
    #[arg(long, value_name = "POSITION|TIME")]
    as_of: Option<Moment>,
    /// The grace before overdue, such as 3d or 0s; the legacy view always has 3d.
    #[arg(long, value_name = "SPAN", value_parser = arguments::milliseconds)]
    overdue_after: Option<i64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Named {
    Legacy,
    Precreated,
    Live,
}

impl From<Named> for Which {
    fn from(named: Named) -> Self {
        match named {
            Named::Legacy => Self::Legacy,
            Named::Precreated => Self::Precreated,
            Named::Live => Self::Live,
        }
    }
}

impl ViewArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let now = self.at.unwrap_or_else(Store::now);
        match &self.client {
            Some(client) if client.is_empty() => {
                Err(CliError::Usage("Client ID is required".to_owned()))
            }
            Some(client) => self.one(context, client, now),
            None => self.all(context, now),
        }
    }

    fn one(&self, context: &Context, client: &str, now: Timestamp) -> Result<(), CliError> {
        let body = match &context.remote {
            Some(remote) => remote.check_ins(client, &self.remotely())?,
            None => {
                let store = context.open()?;
                context.fold(&store)?;
                if store.log().is_erased(&StreamId::Client(client.to_owned())) {
                    let _unheard = writeln!(
                        anstream::stderr().lock(),
                        "{client} was erased: there is nothing to show"
                    );
                }
                store
                    .check_ins(self.asking(), client, self.asked(now), self.position(&store)?)?
                    .body
            }
        };
        context.output.text(&format!("{body}\n"))
    }

    fn all(&self, context: &Context, now: Timestamp) -> Result<(), CliError> {
        let mut out = context.output.lines();
        match &context.remote {
            Some(remote) => {
                remote.everyone(&self.remotely())?.try_for_each(
                    |line| -> Result<(), CliError> {
                        out.write_all(line?.as_bytes()).map_err(CliError::Output)
                    },
                )?;
            }
            None => {
                let store = context.open()?;
                context.fold(&store)?;
                let mut everyone =
                    store.all_clients(self.asking(), self.asked(now), self.position(&store)?)?;
                while let Some((client, answered)) = everyone.next(&store)? {
                    interrupt::check()?;
                    let line = line(&client, &answered);
                    let is_erased = store.log().is_erased(&StreamId::Client(client));
                    // What stands for an erased client: an empty list, and that it is one.
                    let line = if is_erased {
                        line.replacen("\"body\":", "\"erased\":true,\"body\":", 1)
                    } else {
                        line
                    };
                    out.write_all(line.as_bytes()).map_err(CliError::Output)?;
                }
            }
        }
        out.flush().map_err(CliError::Output)
    }

    /// What a service is asked: what is left out is as it has it.
    fn remotely(&self) -> ViewAsked {
        ViewAsked {
            view: self.view.into(),
            at: self.at,
            as_of: self.as_of,
            overdue_after_milliseconds: self.overdue_after,
        }
    }

    fn asking(&self) -> ViewChoice {
        Which::from(self.view).into()
    }

    fn position(&self, store: &Store) -> Result<Option<Position>, CliError> {
        Ok(self.as_of.map(|moment| moment.position(store)).transpose()?)
    }

    fn asked(&self, now: Timestamp) -> Asked {
        Asked {
            now,
            overdue_after_milliseconds: self.overdue_after.unwrap_or(OVERDUE_AFTER_MILLISECONDS),
        }
    }
}

//! `rollbook view`: the list that a view gives one client, or all clients.

use std::io::Write;

use clap::Args;
use rollbook_application::reports::check_ins::{Which, line};
use rollbook_application::reports::moment::Moment;
use rollbook_application::store::Store;
use rollbook_domain::status::OVERDUE_AFTER_MILLISECONDS;
use rollbook_domain::{Position, StreamId, Timestamp};
use rollbook_projections::entry::ListParameters;

use super::context::Context;
use super::{arguments, interrupt};
use crate::cli::error::CliError;
use crate::remote::ViewQuery;

const EXAMPLES: &str = "\
Examples:
  rollbook view live --client ada
  rollbook view legacy --all --at 2026-01-15T09:30:00Z
  rollbook view precreated --client ada --as-of 812 --overdue-after 0s
  rollbook view live --client ada --as-of 2026-01-15T09:30:00Z --at 2026-01-15T09:30:00Z

--client prints the body of the endpoint's response: an unknown client has an empty list. --all prints one line per client
document, ordered by id: {\"clientId\": …, \"body\": …}.";

/// Show the check-ins of one client, or of all.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ViewArguments {
    /// The view. `live` is the view that the switch selects for the client.
    #[arg(value_parser = arguments::view_or_live())]
    view: Which,
    /// The client, by document id or authUid.
    #[arg(long, value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    client: Option<String>,
    /// All client documents.
    #[arg(long)]
    all: bool,
    /// The instant of the list (RFC 3339). Default now.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Read the store as it was at this position, or at this instant of recording (RFC 3339).
    #[arg(long, value_name = "POSITION|TIME")]
    as_of: Option<Moment>,
    /// The grace before a week is overdue, such as 3d or 0s. The legacy view always has 3d.
    #[arg(long, value_name = "SPAN", value_parser = arguments::milliseconds)]
    overdue_after: Option<i64>,
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
            Some(remote) => remote.check_ins(client, &self.query())?,
            None => {
                let store = context.open()?;
                context.fold(&store)?;
                if store.log().is_erased(&StreamId::Client(client.to_owned())) {
                    let _unwritable = writeln!(
                        anstream::stderr().lock(),
                        "{client} was erased; the list is empty"
                    );
                }
                store
                    .check_ins(self.view.into(), client, self.request(now), self.position(&store)?)?
                    .body
            }
        };
        context.output.text(&format!("{body}\n"))
    }

    fn all(&self, context: &Context, now: Timestamp) -> Result<(), CliError> {
        let mut out = context.output.lines();
        match &context.remote {
            Some(remote) => {
                remote.everyone(&self.query())?.try_for_each(|line| -> Result<(), CliError> {
                    out.write_all(line?.as_bytes()).map_err(CliError::Output)
                })?;
            }
            None => {
                let store = context.open()?;
                context.fold(&store)?;
                let mut everyone = store.all_clients(
                    self.view.into(),
                    self.request(now),
                    self.position(&store)?,
                )?;
                while let Some((client, answered)) = everyone.next(&store)? {
                    interrupt::check()?;
                    let line = line(&client, &answered);
                    let is_erased = store.log().is_erased(&StreamId::Client(client));
                    // An erased client has an empty list and a mark.
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

    /// The query for a service, which has its own defaults.
    fn query(&self) -> ViewQuery {
        ViewQuery {
            view: self.view,
            at: self.at,
            as_of: self.as_of,
            overdue_after_milliseconds: self.overdue_after,
        }
    }

    fn position(&self, store: &Store) -> Result<Option<Position>, CliError> {
        Ok(self.as_of.map(|moment| moment.position(store)).transpose()?)
    }

    fn request(&self, now: Timestamp) -> ListParameters {
        ListParameters {
            now,
            overdue_after_milliseconds: self.overdue_after.unwrap_or(OVERDUE_AFTER_MILLISECONDS),
        }
    }
}

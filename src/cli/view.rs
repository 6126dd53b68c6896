//! `rollbook view`: what a view shows one client, or all of them. Owns the lines it prints; the answers are the projections'.

use std::io::Write;

use clap::{Args, ValueEnum};
use rollbook_domain::event::View;
use rollbook_domain::status::OVERDUE_AFTER_MILLISECONDS;
use rollbook_domain::{Collection, Event, Position, StreamId, Timestamp};
use rollbook_projections::ProjectionError;
use rollbook_projections::entry::Asked;

use super::{Context, arguments, interrupt};
use crate::error::StoreError;
use crate::store::{Answered, Asking, Store};

const EXAMPLES: &str = "\
Examples:
  rollbook view live --client ada
  rollbook view legacy --all --at 2026-01-15T09:30:00Z
  rollbook view precreated --client ada --as-of 812 --overdue-after 0s

--client prints the body that the endpoint would answer: an unknown client has an empty list. --all prints one line a client
document, in the order of their ids: {\"clientId\": …, \"body\": …}.";

/// Show the check-ins of one client, or of all.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ViewArguments {
    /// Which view answers; `live` is the one that the switch serves the client.
    #[arg(value_enum)]
    view: Which,
    /// The client, by document id or authUid.
    #[arg(long, value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    client: Option<String>,
    /// Every client document.
    #[arg(long)]
    all: bool,
    /// The instant the list is asked for (RFC 3339). Default now.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// The store as it was at this position.
    #[arg(long, value_name = "POSITION")]
    as_of: Option<Position>,
    /// The grace before overdue, such as 3d or 0s; the legacy view always has 3d.
    #[arg(long, value_name = "SPAN", value_parser = arguments::milliseconds)]
    overdue_after: Option<i64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Which {
    Legacy,
    Precreated,
    Live,
}

impl From<Which> for Asking {
    fn from(which: Which) -> Self {
        match which {
            Which::Legacy => Self::View(View::Legacy),
            Which::Precreated => Self::View(View::Precreated),
            Which::Live => Self::Live,
        }
    }
}

impl ViewArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), StoreError> {
        let now = self.at.unwrap_or_else(Store::now);
        match &self.client {
            Some(client) if client.is_empty() => Err(StoreError::Usage("Client ID is required".to_owned())),
            Some(client) => self.one(context, client, now),
            None => self.all(context, now),
        }
    }

    fn one(&self, context: &Context, client: &str, now: Timestamp) -> Result<(), StoreError> {
        let store = context.open()?;
        context.fold(&store)?;
        let answered = self.answer(&store, client, now)?;
        context.output.text(&format!("{}\n", answered.body))
    }

    fn all(&self, context: &Context, now: Timestamp) -> Result<(), StoreError> {
        let store = context.open()?;
        context.fold(&store)?;
        let mut out = context.output.lines();
        let mut line = |client: &str, answered: Answered| -> Result<(), StoreError> {
            interrupt::check()?;
            let client = serde_json::to_string(client).map_err(std::io::Error::from)?;
            Ok(writeln!(out, "{{\"clientId\":{client},\"body\":{}}}", answered.body)?)
        };
        match self.as_of {
            None => store.each_check_ins(self.view.into(), self.asked(now), line)?,
            Some(position) => {
                clients_at(&store, position)?.iter().try_for_each(|client| line(client, self.answer(&store, client, now)?))?;
            }
        }
        Ok(out.flush()?)
    }

    fn answer(&self, store: &Store, client: &str, now: Timestamp) -> Result<Answered, StoreError> {
        store.check_ins(self.view.into(), client, self.asked(now), self.as_of)
    }

    fn asked(&self, now: Timestamp) -> Asked {
        Asked { now, overdue_after_milliseconds: self.overdue_after.unwrap_or(OVERDUE_AFTER_MILLISECONDS) }
    }
}

/// The client documents that there were at a position, in id order.
fn clients_at(store: &Store, position: Position) -> Result<Vec<String>, StoreError> {
    let head = store.log().head();
    if position > head {
        return Err(ProjectionError::BeyondHead { asked: position, head }.into());
    }
    let mut clients = Vec::new();
    for stream in store.log().streams_with_prefix("client/")? {
        let StreamId::Client(id) = &stream else { continue };
        let mut is_there = false;
        for recorded in store.log().stream_until(&stream, 0, position)? {
            match recorded.event {
                Event::DocumentImported(document) if document.collection == Collection::Clients => is_there = true,
                Event::DocumentRemoved { collection: Collection::Clients, .. } => is_there = false,
                _ => {}
            }
        }
        if is_there {
            clients.push(id.clone());
        }
    }
    clients.sort();
    Ok(clients)
}

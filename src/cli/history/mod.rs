//! `rollbook history`: the events that concern an id, and the list that a client got at an instant.
//! `detail` has the text of each event, `lines` the printed forms, `seen` the list of a client.

mod detail;
mod lines;
mod seen;

use std::io::Write;

use clap::Args;
use rollbook_domain::{Actor, Timestamp};
use rollbook_migrations::batch;

pub(super) use detail::detail;
use lines::Lines;

use super::context::Context;
use super::format::Format;
use super::{arguments, interrupt};
use crate::cli::error::CliError;
use rollbook_application::reports::history::history;

const EXAMPLES: &str = "\
Examples:
  rollbook history base42_week_3
  rollbook history client/ada --format md
  rollbook history series/ada/weekly --json | jq .event.type
  rollbook history control
  rollbook history migration
  rollbook history --seen --client ada --at 2026-01-15T09:30:00Z

ID is any id of an assignment, a response, a client (document id or authUid), a coach, a form, a series or an event; the digest of a
batch, an import or a backup, or its first digits; `control`; or `migration`: the control stream and every event of its batches.
Answers, comments and other personal content are shown as […] unless --with-answers is given, with --json too.

--seen shows the list that the client got at that instant, with the view that the switch selected and the position. An instant means
the last position recorded by then.";

/// Show the events of an assignment, response, client, series, coach, event, batch or migration; or
/// the list that a client got.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct HistoryArguments {
    /// The id.
    #[arg(value_name = "ID", required_unless_present = "seen", conflicts_with = "seen")]
    id: Option<String>,
    /// Show personal content: answers, comments, imported documents.
    #[arg(long)]
    with_answers: bool,
    /// Show the list that a client got instead.
    #[arg(long, requires_all = ["client", "at"])]
    seen: bool,
    /// The client that got the list, by any id.
    #[arg(long, value_name = "ID", requires = "seen")]
    client: Option<String>,
    /// The instant of the list (RFC 3339).
    #[arg(long, value_name = "TIME", requires = "seen")]
    at: Option<Timestamp>,
    /// The grace before a week of the pre-created view is overdue, such as 3d or 0s.
    #[arg(long, value_name = "SPAN", value_parser = arguments::milliseconds, requires = "seen")]
    overdue_after: Option<i64>,
    /// The format.
    #[arg(long, value_enum)]
    format: Option<Format>,
}

impl HistoryArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let format = Format::of(self.format, context.output);
        if let (Some(client), Some(at)) = (&self.client, self.at) {
            return seen::run(context, client, at, self.overdue_after, format);
        }
        let id = self.id.as_deref().unwrap_or_default();
        let mut lines = Lines::new(context.output, format, id, self.with_answers);
        match &context.remote {
            Some(remote) => remote
                .history(id, self.with_answers)?
                .try_for_each(|recorded| lines.write(recorded?))?,
            None => {
                let store = context.open()?;
                context.fold(&store)?;
                for recorded in history(&store, id, self.with_answers)? {
                    interrupt::check()?;
                    lines.write(recorded?)?;
                }
            }
        }
        let count = lines.finish()?;
        if count == 0 {
            let _unwritable =
                writeln!(anstream::stderr().lock(), "{id}: no stored event concerns it");
        }
        Ok(())
    }
}

pub(super) fn who(actor: &Actor) -> String {
    match actor {
        Actor::Client(id) => format!("client {id}"),
        Actor::Coach(id) => format!("coach {id}"),
        Actor::Admin(id) => format!("admin {id}"),
        Actor::System(id) => format!("system {id}"),
        Actor::Migration(digest) => format!("migration {}", short(digest)),
    }
}

/// The first digits of a digest; any other text unchanged.
pub(super) fn short(text: &str) -> &str {
    let is_digest = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_digest { batch::short(text) } else { text }
}

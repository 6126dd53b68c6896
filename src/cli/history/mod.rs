//! `rollbook history`: everything that happened to something, by any id, and what a client saw. Owns how that is asked for; which events
//! they are is the report's, how an event reads `detail`'s, how lines are printed `lines`', what a client saw `seen`'s.

mod detail;
mod lines;
mod seen;

use std::io::Write;

use clap::Args;
use rollbook_domain::{Actor, Timestamp};
use rollbook_migrations::batch;

pub(super) use detail::detail;
use lines::Lines;

use super::format::Format;
use super::{Context, arguments, interrupt};
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

ID is any id of an assignment, a response, a client (document id or authUid), a coach, a form, a series, an event, a digest of a
batch, an import or a backup (or its beginning), `control`, or `migration`: the control stream and every event of its batches.
Answers, comments and other personal content read […] unless --with-answers is given, with --json too.

--seen tells what the client saw at that instant: the view that the switch served, the position, the list. An instant means the last
position recorded by then.";

/// Show everything that happened to an assignment, response, client, series, coach, event, batch or migration; or what a client saw.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct HistoryArguments {
    /// What to tell about.
    #[arg(value_name = "ID", required_unless_present = "seen", conflicts_with = "seen")]
    id: Option<String>,
    /// Show personal content: answers, comments, imported documents.
    #[arg(long)]
    with_answers: bool,
    /// Tell what a client saw instead.
    #[arg(long, requires_all = ["client", "at"])]
    seen: bool,
    /// The client that saw it, by any id.
    #[arg(long, value_name = "ID", requires = "seen")]
    client: Option<String>,
    /// When (RFC 3339).
    #[arg(long, value_name = "TIME", requires = "seen")]
    at: Option<Timestamp>,
    /// The grace before overdue of the pre-created view, such as 3d or 0s.
    #[arg(long, value_name = "SPAN", value_parser = arguments::milliseconds, requires = "seen")]
    overdue_after: Option<i64>,
    /// How to print it.
    #[arg(long, value_enum)]
    format: Option<Format>,
}

impl HistoryArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let format = Format::asked(self.format, context.output);
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
            let _unheard =
                writeln!(anstream::stderr().lock(), "{id}: nothing happened to it that was stored");
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

/// A digest's beginning; anything else as it is.
pub(super) fn short(text: &str) -> &str {
    let is_digest = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_digest { batch::short(text) } else { text }
}

//! `rollbook history`: everything that happened to something, by any id. Owns the lines that are printed; which events they are is the
//! report's, how an event reads `detail`'s.

mod detail;

use std::io::Write;

use clap::Args;
use rollbook_domain::{Actor, Recorded};

pub(super) use detail::detail;

use super::output::{BOLD, styled};
use super::{Context, Output, interrupt};
use crate::error::StoreError;
use crate::reports::history::history;

const EXAMPLES: &str = "\
Examples:
  rollbook history base42_week_3
  rollbook history client/ada
  rollbook history series/ada/weekly --json | jq .event.type
  rollbook history control

ID is any id of an assignment, a response, a client (document id or authUid), a coach, a form, a series, an event, a digest of a
batch or an import (or its beginning), or `control`. Answers, comments and other personal content read […] unless
--with-answers is given, with --json too.";

/// Show everything that happened to an assignment, response, client, series, coach, event or batch.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct HistoryArguments {
    /// What to tell about.
    #[arg(value_name = "ID")]
    id: String,
    /// Show personal content: answers, comments, imported documents.
    #[arg(long)]
    with_answers: bool,
}

impl HistoryArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), StoreError> {
        let store = context.open()?;
        context.fold(&store)?;
        let mut lines = Lines::new(context.output, self.with_answers);
        for recorded in history(&store, &self.id, self.with_answers)? {
            interrupt::check()?;
            lines.write(&recorded?)?;
        }
        let count = lines.finish()?;
        if count == 0 {
            let _unheard = writeln!(anstream::stderr().lock(), "{}: nothing happened to it that was stored", self.id);
        }
        Ok(())
    }
}

/// Events on stdout, a line each.
struct Lines {
    out: Box<dyn Write>,
    json: bool,
    with_answers: bool,
    count: u64,
}

impl Lines {
    fn new(output: Output, with_answers: bool) -> Self {
        let json = output.is_json();
        let out: Box<dyn Write> = if json { Box::new(output.lines()) } else { Box::new(output.coloured_lines()) };
        Self { out, json, with_answers, count: 0 }
    }

    fn write(&mut self, recorded: &Recorded) -> Result<(), StoreError> {
        if self.json {
            serde_json::to_writer(&mut self.out, recorded).map_err(std::io::Error::from)?;
            writeln!(self.out)?;
        } else {
            if self.count == 0 {
                let heading =
                    format!("{:>8}  {:24}  {:24}  {:28}  {:20}  {}", "position", "recorded", "occurred", "who", "what", "detail [cause]");
                writeln!(self.out, "{}", styled(BOLD, heading))?;
            }
            let Recorded { position, recorded_at, occurred_at, actor, cause, event, .. } = recorded;
            let (who, detail, cause) = (who(actor), detail(event, self.with_answers), short(cause));
            let recorded_at = recorded_at.to_milliseconds_text();
            writeln!(
                self.out,
                "{position:>8}  {recorded_at:24}  {:24}  {who:28}  {:20}  {detail} [{cause}]",
                occurred_at.to_milliseconds_text(),
                event.name()
            )?;
        }
        self.count += 1;
        Ok(())
    }

    fn finish(mut self) -> Result<u64, StoreError> {
        self.out.flush()?;
        Ok(self.count)
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
    if is_digest { text.get(..12).unwrap_or(text) } else { text }
}

//! Prints the events of a history on stdout, one line each: a table, Markdown or JSON.

use std::io::Write;

use rollbook_application::reports::history::ExplainedEvent;
use rollbook_domain::EventRecord;

use super::{detail, short, who};
use crate::cli::error::CliError;
use crate::cli::format::{Format, md_head, md_row};
use crate::cli::output::Output;
use crate::cli::output::{BOLD, styled};

/// The printer of events.
pub(super) struct Lines {
    out: Box<dyn Write>,
    format: Format,
    id: String,
    with_answers: bool,
    count: u64,
}

impl Lines {
    pub(super) fn new(output: Output, format: Format, id: &str, with_answers: bool) -> Self {
        let out: Box<dyn Write> = match format {
            Format::Table => Box::new(output.coloured_lines()),
            Format::Md | Format::Json => Box::new(output.lines()),
        };
        Self { out, format, id: id.to_owned(), with_answers, count: 0 }
    }

    pub(super) fn write(&mut self, recorded: EventRecord) -> Result<(), CliError> {
        let report = ExplainedEvent::of(recorded);
        match self.format {
            Format::Json => {
                serde_json::to_writer(&mut self.out, &report)
                    .map_err(|error| CliError::Output(error.into()))?;
                writeln!(self.out).map_err(CliError::Output)?;
            }
            Format::Md => self.markdown(&report)?,
            Format::Table => self.row(&report)?,
        }
        self.count += 1;
        Ok(())
    }

    fn row(&mut self, report: &ExplainedEvent) -> Result<(), CliError> {
        if self.count == 0 {
            let (position, detail) = ("position", "content, and why [batch or cause]");
            let heading = format!(
                "{position:>8}  {:24}  {:24}  {:28}  {:20}  {detail}",
                "recorded", "occurred", "who", "what"
            );
            writeln!(self.out, "{}", styled(BOLD, heading)).map_err(CliError::Output)?;
        }
        let EventRecord { position, recorded_at, occurred_at, actor, event, .. } = &report.recorded;
        let (who, detail, under) = (who(actor), detail(event, self.with_answers), under(report));
        let (recorded, occurred) =
            (recorded_at.to_milliseconds_text(), occurred_at.to_milliseconds_text());
        writeln!(
            self.out,
            "{position:>8}  {recorded:24}  {occurred:24}  {who:28}  {:20}  {detail} [{under}]",
            report.name
        )
        .map_err(CliError::Output)
    }

    fn markdown(&mut self, report: &ExplainedEvent) -> Result<(), CliError> {
        if self.count == 0 {
            writeln!(self.out, "# History of `{}`\n", self.id).map_err(CliError::Output)?;
            let columns = [
                "position",
                "recorded",
                "happened",
                "who",
                "what",
                "content",
                "why",
                "batch or cause",
            ];
            self.out.write_all(md_head(&columns).as_bytes()).map_err(CliError::Output)?;
        }
        let EventRecord { position, recorded_at, occurred_at, actor, event, .. } = &report.recorded;
        let (position, recorded, occurred) = (
            position.to_string(),
            recorded_at.to_milliseconds_text(),
            occurred_at.to_milliseconds_text(),
        );
        let (who, content, under) = (who(actor), detail(event, self.with_answers), under(report));
        let why = report.why.as_deref().unwrap_or_default();
        let row = md_row([
            position.as_str(),
            &recorded,
            &occurred,
            &who,
            report.name,
            &content,
            why,
            &under,
        ]);
        self.out.write_all(row.as_bytes()).map_err(CliError::Output)
    }

    pub(super) fn finish(mut self) -> Result<u64, CliError> {
        self.out.flush().map_err(CliError::Output)?;
        Ok(self.count)
    }
}

/// The batch of the event, or the request that caused it.
fn under(report: &ExplainedEvent) -> String {
    match &report.batch {
        Some(digest) => format!("batch {}", short(digest)),
        None => short(&report.recorded.cause).to_owned(),
    }
}

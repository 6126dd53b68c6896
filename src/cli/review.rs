//! `rollbook migrate show`: the report that a person reads before a batch is applied, as a table, as
//! Markdown, as CSV or as JSON. It is written series by series, so a large batch needs little memory.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use rollbook_application::reports::migration::{PlanReport, review};
use rollbook_domain::calendar::Zone;
use rollbook_domain::{StreamId, Timestamp};
use rollbook_migrations::MigrationError;
use rollbook_migrations::batch::Batch;
use rollbook_migrations::review::{ChangeReview, LinkReason, ReviewError, SeriesReview};

use super::Context;
use super::format::{md_head, md_row};
use super::output::{BOLD, Output, styled};
use super::text::Text;
use crate::cli::error::CliError;

const EXAMPLES: &str = "\
Examples:
  rollbook migrate show precreate.ndjson
  rollbook migrate show precreate.ndjson --series series/c1/f1
  rollbook migrate show precreate.ndjson --format csv > review.csv
  rollbook --data staging migrate show precreate.ndjson --left-out --format md

The file alone says which weeks are made and which responses are linked. What stays as it is, and why, is in no
file: --left-out reads the store for it.";

/// Check a batch file and say what it does to each series; needs no store.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ShowArguments {
    /// The batch file.
    file: PathBuf,
    /// Only this series, as the report names it: series/CLIENT/FORM.
    #[arg(long, value_name = "ID")]
    series: Option<StreamId>,
    /// How to print it.
    #[arg(long, value_name = "FORMAT")]
    format: Option<ReviewFormat>,
    /// Also read the store, and say what stays as it is and why.
    #[arg(long)]
    left_out: bool,
}

/// The format of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReviewFormat {
    /// Text for a terminal.
    Table,
    /// Markdown, for a ticket or a page.
    Md,
    /// CSV with one row a week, response or reason, for a spreadsheet.
    Csv,
    /// JSON, the same as `--json`.
    Json,
}

impl ReviewFormat {
    fn of(format: Option<Self>, output: Output) -> Self {
        format.unwrap_or(if output.is_json() { Self::Json } else { Self::Table })
    }
}

impl ShowArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let batch = Batch::open(&self.file)?;
        let store = self.left_out.then(|| context.open()).transpose()?;
        let format = ReviewFormat::of(self.format, context.output);
        let mut report = Report::of(&batch, format)?;
        let mut out: Box<dyn Write> = match format {
            ReviewFormat::Table => Box::new(context.output.coloured_lines()),
            _ => Box::new(context.output.lines()),
        };
        let reviewed = review(&batch, self.series.as_ref(), store.as_ref(), &mut |series| {
            report.series(series, &mut out)
        })
        .map_err(|error| match error {
            ReviewError::Output(error) => CliError::Output(error),
            ReviewError::Migration(error) => error.into(),
            other => CliError::Output(io::Error::other(other)),
        })?;
        if let (0, Some(series)) = (reviewed, &self.series) {
            let file = self.file.display();
            let reason = format!(
                "the batch {file} does nothing to {series}; `rollbook migrate show {file}` names its series"
            );
            return Err(CliError::Usage(reason));
        }
        report.end(&mut out).and_then(|()| out.flush()).map_err(CliError::Output)
    }
}

/// A report that is being written. Nothing is written before the first series, so that a failed
/// command prints only its error.
struct Report<'a> {
    batch: &'a Batch,
    format: ReviewFormat,
    /// The zone of the batch, for days of the week.
    zone: Zone,
    begun: bool,
    /// How many series were written.
    written: u64,
}

impl<'a> Report<'a> {
    fn of(batch: &'a Batch, format: ReviewFormat) -> Result<Self, MigrationError> {
        let zone = batch.header.rules.zone.parse().map_err(|_| MigrationError::Line {
            path: batch.path.clone(),
            line: 1,
            what: format!("{:?} is not a time zone", batch.header.rules.zone),
        })?;
        Ok(Self { batch, format, zone, begun: false, written: 0 })
    }

    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        let header = &self.batch.header;
        let report = PlanReport::of(&self.batch.path, header, Vec::new());
        let source = header.source;
        match self.format {
            ReviewFormat::Table => writeln!(
                out,
                "{}planned from store {} at position {}",
                report.text(),
                source.log,
                source.position
            ),
            ReviewFormat::Md => out.write_all(md_beginning(&report, self.batch).as_bytes()),
            ReviewFormat::Csv => out.write_all(csv_row(&CSV_COLUMNS.map(String::from)).as_bytes()),
            ReviewFormat::Json => self.json_beginning(&report, out),
        }
    }

    /// Every field before the reviews, with the number of events by series.
    fn json_beginning(&self, report: &PlanReport, out: &mut dyn Write) -> io::Result<()> {
        let mut object = serde_json::to_string(report)?;
        object.pop();
        let source = serde_json::to_string(&self.batch.header.source)?;
        write!(out, "{object},\"source\":{source},\"by_series\":[")?;
        let (mut first, mut written) = (true, Ok(()));
        let read = self.batch.each_stream(&mut |events| {
            if let (Some(event), true) = (events.first(), written.is_ok()) {
                let comma = if std::mem::take(&mut first) { "" } else { "," };
                written = serde_json::to_string(&(event.stream.to_string(), events.len()))
                    .map_err(io::Error::from)
                    .and_then(|pair| write!(out, "{comma}{pair}"));
            }
            Ok(())
        });
        read.map_err(io::Error::other)?;
        written?;
        out.write_all(b"],\"review\":[")
    }

    fn series(&mut self, review: &SeriesReview, out: &mut dyn Write) -> io::Result<()> {
        self.begin(out)?;
        let text = match self.format {
            ReviewFormat::Table => self.table(review),
            ReviewFormat::Md => self.markdown(review),
            ReviewFormat::Csv => self.csv(review),
            ReviewFormat::Json => {
                let comma = if self.written == 0 { "" } else { "," };
                format!("{comma}{}", serde_json::to_string(review)?)
            }
        };
        self.written += 1;
        out.write_all(text.as_bytes())
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.begin(out)?;
        if self.format == ReviewFormat::Json { out.write_all(b"]}\n") } else { Ok(()) }
    }

    /// The day of the week and the date of an instant, in the zone of the batch.
    fn day(&self, instant: Timestamp) -> String {
        self.zone.date(instant).format("%a %Y-%m-%d").to_string()
    }

    /// What a week has from now on.
    fn change(&self, change: &ChangeReview) -> String {
        match (&change.due, &change.window) {
            (Some(due), _) => format!("due from now on {}, {due}", self.day(*due)),
            (None, Some(Some(window))) => format!("window from now on {}", window.as_str()),
            (None, _) => "no window from now on".to_owned(),
        }
    }

    fn table(&self, review: &SeriesReview) -> String {
        let SeriesReview { series, weeks, links, changes, left_out } = review;
        let changed = if changes.is_empty() {
            format!("{} weeks, {} responses", weeks.len(), links.len())
        } else {
            format!("{} weeks changed", changes.len())
        };
        let mut text = format!(
            "\n{}\n{:>6} events: {changed}\n",
            styled(BOLD, plain(&series.to_string())),
            weeks.len() + links.len() + changes.len()
        );
        // Writing to a string cannot fail.
        for week in weeks {
            let day = self.day(week.due);
            let _ = writeln!(
                text,
                "  run {} week {:>3}  due {day}, {}  {}",
                week.run, week.week, week.due, week.assignment
            );
        }
        for link in links {
            let (response, named) = (plain(&link.response), plain(&link.named));
            let _ = writeln!(
                text,
                "  run {} week {:>3}  response {response} (submitted {}), {}; it names {named}",
                link.run,
                link.week,
                submitted(link.submitted_at),
                reason(link.reason)
            );
        }
        for change in changes {
            let ChangeReview { run, week, .. } = change;
            let _ = writeln!(text, "  run {run} week {week:>3}  {}", self.change(change));
        }
        for obstacle in left_out {
            let _ = writeln!(text, "  left as it is: {}", plain(&obstacle.to_string()));
        }
        text
    }

    fn markdown(&self, review: &SeriesReview) -> String {
        let SeriesReview { series, weeks, links, changes, left_out } = review;
        let mut text = format!("\n## {}\n", md_inline(&series.to_string()));
        if !weeks.is_empty() {
            text.push('\n');
            text.push_str(&md_head(&["run", "week", "due on", "due", "assignment"]));
        }
        for week in weeks {
            let (run, number) = (week.run.to_string(), week.week.to_string());
            let (due, id) = (week.due.to_string(), week.assignment.to_string());
            text.push_str(&md_row([&*run, &*number, &*self.day(week.due), &*due, &*id]));
        }
        if !links.is_empty() {
            text.push('\n');
            text.push_str(&md_head(&["response", "run", "week", "why", "it names", "submitted"]));
        }
        for link in links {
            let (run, week) = (link.run.to_string(), link.week.to_string());
            let submitted = submitted(link.submitted_at);
            let cells =
                [&*link.response, &*run, &*week, reason(link.reason), &*link.named, &*submitted];
            text.push_str(&md_row(cells));
        }
        if !changes.is_empty() {
            text.push('\n');
            text.push_str(&md_head(&["run", "week", "from now on"]));
        }
        for change in changes {
            let (run, week) = (change.run.to_string(), change.week.to_string());
            text.push_str(&md_row([&*run, &*week, &*self.change(change)]));
        }
        if !left_out.is_empty() {
            text.push('\n');
            text.push_str(&md_head(&["left as it is"]));
        }
        for obstacle in left_out {
            text.push_str(&md_row([&*obstacle.to_string()]));
        }
        text
    }

    fn csv(&self, review: &SeriesReview) -> String {
        let SeriesReview { series, weeks, links, changes, left_out } = review;
        let series = series.to_string();
        let mut text = String::new();
        let mut row = |what: &str, rest: [String; 7]| {
            let mut cells = vec![series.clone(), what.to_owned()];
            cells.extend(rest);
            text.push_str(&csv_row(&cells));
        };
        let none = String::new;
        for week in weeks {
            let (run, number, due) = (week.run.to_string(), week.week.to_string(), week.due);
            let id = week.assignment.to_string();
            row("week", [run, number, self.day(due), due.to_string(), id, none(), none()]);
        }
        for link in links {
            let (run, week) = (link.run.to_string(), link.week.to_string());
            let (response, why) = (link.response.clone(), reason(link.reason).to_owned());
            row("response", [run, week, none(), none(), link.named.clone(), response, why]);
        }
        for change in changes {
            let (run, week) = (change.run.to_string(), change.week.to_string());
            let (day, due) =
                change.due.map_or_else(|| (none(), none()), |due| (self.day(due), due.to_string()));
            let why = self.change(change);
            row("change", [run, week, day, due, none(), none(), why]);
        }
        for obstacle in left_out {
            let why = obstacle.to_string();
            row("left out", [none(), none(), none(), none(), none(), none(), why]);
        }
        text
    }
}

const CSV_COLUMNS: [&str; 9] =
    ["series", "what", "run", "week", "due on", "due", "assignment", "response", "why"];

/// One row of CSV (RFC 4180). A cell that a spreadsheet would read as a formula is made text by an
/// apostrophe, because ids come from an export.
fn csv_row(cells: &[String]) -> String {
    let cells: Vec<String> = cells
        .iter()
        .map(|cell| {
            let text = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
                format!("'{cell}")
            } else {
                cell.clone()
            };
            if text.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", text.replace('"', "\"\""))
            } else {
                text
            }
        })
        .collect();
    cells.join(",") + "\r\n"
}

fn md_beginning(report: &PlanReport, batch: &Batch) -> String {
    let source = batch.header.source;
    let mut text = format!("# Batch {} {}\n\n", report.kind, report.digest);
    text.push_str(&md_head(&["what", "value"]));
    let mut rows = match &report.due {
        Some(due) => vec![("due", due.clone()), ("zone", report.zone.clone())],
        None => vec![("rules", report.rules.clone())],
    };
    rows.push(("series", report.series.to_string()));
    if report.due.is_some() {
        rows.extend([
            ("weeks created", report.created.to_string()),
            ("responses linked", report.linked.to_string()),
            ("responses adopted", report.adopted.to_string()),
        ]);
    } else {
        rows.push(("weeks changed", report.changed.to_string()));
    }
    rows.extend([
        ("planned from store", source.log.to_string()),
        ("at position", source.position.to_string()),
    ]);
    for (what, value) in rows {
        text.push_str(&md_row([what, &*value]));
    }
    text
}

fn reason(reason: LinkReason) -> &'static str {
    match reason {
        LinkReason::StatesTheWeek => "it states this week",
        LinkReason::NamedByTheWeek => "only this week names it",
    }
}

fn submitted(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "at no known time".to_owned(), |at| at.to_string())
}

/// A text on one line, without characters that a terminal obeys.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A text as a Markdown heading shows it.
fn md_inline(text: &str) -> String {
    plain(text).replace('\\', "\\\\").replace('<', "&lt;").replace('`', "\\`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_of_csv_ends_no_row_and_is_no_formula() {
        let cells = ["=1+1", "a,b", "say \"so\"", "two\nlines", "plain"].map(String::from);
        let row = csv_row(&cells);
        assert_eq!(row, "'=1+1,\"a,b\",\"say \"\"so\"\"\",\"two\nlines\",plain\r\n");
    }
}

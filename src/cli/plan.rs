//! `rollbook migrate plan`: the kind of migration and its options, here or through a service.

use std::path::PathBuf;

use clap::Args;
use rollbook_application::operations::migration::plan;
use rollbook_application::reports::migration::PlanReport;
use rollbook_application::store::Store;
use rollbook_domain::{JsonText, Timestamp};
use rollbook_migrations::request::{PlanRequest, PlanRequestError};
use rollbook_migrations::rules::{DueRule, TimeOfDay, Weekday};

use super::Context;
use super::output::{BOLD, FAINT, styled};
use super::status::batch_counts;
use super::text::Text;
use crate::cli::error::CliError;

const EXAMPLES: &str = "\
Examples:
  rollbook migrate plan --due monday --out precreate.ndjson
  rollbook migrate plan --kind realign --weekday monday --out realign.ndjson
  rollbook migrate plan --kind realign --weekday friday --time 08:30 --client c1 --client c2
  rollbook migrate plan --kind window --window '{\"enabled\":true,\"startDay\":\"friday\"}' --from 2026-02-01T00:00:00Z
  rollbook migrate plan --inverse-of 3f9a1c20b7de --out inverse.ndjson

A realignment moves open weeks that are due after --at to the given day of the same week, Monday to Sunday. An inverse
gives back the due dates or windows that a batch changed, except where a week changed since.";

/// Write the batch file; change nothing.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct PlanArguments {
    /// The kind of migration. Default precreate, or inverse with --inverse-of.
    #[arg(long, value_name = "precreate|realign|window|inverse")]
    kind: Option<String>,
    /// Precreate: when a made week is due: on its Monday at 09:00, as clients saw (the default), or
    /// on the base's weekday.
    #[arg(long, value_name = "monday|weekday")]
    due: Option<DueRule>,
    /// Realign: the day of the week on which weeks are due.
    #[arg(long, value_name = "DAY")]
    weekday: Option<Weekday>,
    /// Realign: the local time of day. Default: each week keeps its own.
    #[arg(long, value_name = "HH:MM")]
    time: Option<TimeOfDay>,
    /// Window: the new check-in window as JSON; null removes it.
    #[arg(long, value_name = "JSON", value_parser = super::arguments::json)]
    window: Option<JsonText>,
    /// Window: only weeks that are due from this instant on change (RFC 3339).
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Realign and window: only this client, by document id; may be repeated. Default: all clients.
    #[arg(long, value_name = "ID")]
    client: Vec<String>,
    /// The batch to undo: its digest, or the first digits.
    #[arg(long, value_name = "DIGEST")]
    inverse_of: Option<String>,
    /// Realign, window and inverse: when it happens (RFC 3339). Default now.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// The file. Default: kind and digest, in the current directory.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl PlanArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let options = self.request().options(Store::now()).map_err(|error| usage(&error))?;
        let report = match &context.remote {
            Some(remote) => remote.plan(&options, self.out.as_deref())?,
            None => plan(&context.open()?, options, self.out.as_deref())?,
        };
        context.output.either(&report, || {
            let file = report.file.display();
            let next = format!("nothing was changed; next: rollbook migrate apply {file}");
            format!("{}{}\n", report.text(), styled(FAINT, next))
        })
    }

    fn request(&self) -> PlanRequest {
        PlanRequest {
            kind: self.kind.clone(),
            due: self.due,
            weekday: self.weekday,
            time: self.time,
            window: self.window.clone(),
            from: self.from,
            clients: self.client.iter().cloned().collect(),
            inverse_of: self.inverse_of.clone(),
            at: self.at,
        }
    }
}

fn usage(error: &PlanRequestError) -> CliError {
    let next = match error {
        PlanRequestError::UnknownKind { .. } => {
            "`rollbook migrate plan --help` explains them".into()
        }
        PlanRequestError::Lacks { option, .. } => format!("give --{option}"),
        PlanRequestError::NotOfKind { option, .. } => format!("leave --{option} out"),
        PlanRequestError::Window(_) => "give another one with --window".into(),
    };
    CliError::Usage(format!("{error}; {next}"))
}

impl Text for PlanReport {
    fn text(&self) -> String {
        let counts = [self.created, self.linked, self.adopted, self.changed];
        let rules = match &self.due {
            Some(due) => format!("due {due}, zone {}", self.zone),
            None => self.rules.clone(),
        };
        let mut text = format!(
            "{} {}\ndigest  {}\nrules   {rules}\n{} series, {}\n",
            styled(BOLD, &self.kind),
            self.file.display(),
            self.digest,
            self.series,
            batch_counts(&self.kind, counts)
        );
        for left in &self.obstacles {
            text.push_str(&format!("left as it is: {}: {}\n", left.series, left.obstacle));
        }
        text
    }
}

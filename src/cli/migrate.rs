//! `rollbook migrate`: apply, validate and parity, here or through a service. `plan`, `review`,
//! `findings` and `certificate` have the other steps. The migrations crate does the work.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use rollbook_application::operations::migration::{apply, parity, validate};
use rollbook_application::reports::migration::ValidationReport;
use rollbook_application::store::{Request, Store};
use rollbook_domain::status::OVERDUE_AFTER_MILLISECONDS;
use rollbook_domain::{Actor, Timestamp};
use rollbook_migrations::apply::{ApplyReport, LeftOut};
use rollbook_migrations::batch::Batch;
use rollbook_migrations::parity::{DecisionSummary, Example, ParityReport, UnexplainedDifference};
use rollbook_migrations::validate::Validation;

use super::Context;
use super::arguments::milliseconds;
use super::certificate::CertificateArguments;
use super::findings::{AcceptArguments, FindingsArguments};
use super::output::{BAD, BOLD, FAINT, GOOD, styled};
use super::plan::PlanArguments;
use super::progress::watched;
use super::review::ShowArguments;
use super::status::batch_counts;
use crate::cli::error::CliError;

const EXAMPLES: &str = "\
Examples:
  rollbook --data staging migrate plan --out precreate.ndjson
  rollbook migrate show precreate.ndjson
  rollbook --data staging migrate apply precreate.ndjson
  rollbook --data staging migrate validate
  rollbook --data prod migrate apply precreate.ndjson
  rollbook --data staging migrate plan --kind realign --weekday monday --out realign.ndjson

Plan is the dry run: it reads, writes the batch file and changes nothing. The same file is applied to staging and to
production: same digest, same ids.";

/// Plan, show, apply and validate the migration.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct MigrateArguments {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    Plan(PlanArguments),
    Show(ShowArguments),
    Apply(ApplyArguments),
    Validate(CompareArguments),
    Findings(FindingsArguments),
    Accept(AcceptArguments),
    Parity(CompareArguments),
    Certificate(CertificateArguments),
}

/// Apply a batch file; what is there already is skipped and counted.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  rollbook --data prod migrate apply precreate.ndjson\n\nIf it is interrupted, run it again to resume."
)]
struct ApplyArguments {
    /// The batch file.
    file: PathBuf,
    /// When it happened (RFC 3339). Default now.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

/// Compare both views of every client, at every instant at which they may change.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  rollbook migrate validate && rollbook switch precreated --percent 10 --reason 'first tenth'"
)]
struct CompareArguments {
    /// When the pre-created view calls a week overdue; the legacy view always after 3d.
    #[arg(long, value_name = "SPAN", value_parser = milliseconds)]
    overdue_after: Option<i64>,
}

impl MigrateArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        match &self.step {
            Step::Plan(arguments) => arguments.run(context),
            Step::Show(arguments) => arguments.run(context),
            Step::Apply(arguments) => arguments.run(context),
            Step::Validate(arguments) => arguments.validate(context),
            Step::Findings(arguments) => arguments.run(context),
            Step::Accept(arguments) => arguments.run(context),
            Step::Parity(arguments) => arguments.parity(context),
            Step::Certificate(arguments) => arguments.run(context),
        }
    }
}

impl ApplyArguments {
    fn run(&self, context: &Context) -> Result<(), CliError> {
        let batch = Batch::open(&self.file)?;
        let applied = match &context.remote {
            Some(remote) => remote.apply(&batch, self.at)?,
            None => self.apply_here(context, &batch)?,
        };
        context.output.either(&applied, || applied_text(batch.header.kind(), &applied))
    }

    fn apply_here(&self, context: &Context, batch: &Batch) -> Result<ApplyReport, CliError> {
        let store = context.open()?;
        // Events of a batch name the batch as their actor.
        let actor = Actor::Migration(batch.header.digest.clone());
        let request =
            Request { actor, now: self.at.unwrap_or_else(Store::now), key: None, cause: None };
        watched("applying", "events", |watch| Ok(apply(&store, batch, &request, watch)?))
    }
}

fn applied_text(kind: &str, applied: &ApplyReport) -> String {
    let ApplyReport { digest, series, left_out, head, .. } = applied;
    let counts =
        batch_counts(kind, [applied.created, applied.linked, applied.adopted, applied.changed]);
    let LeftOut { already, taken, withdrawn, erased } = left_out;
    let reasons = [
        (taken, "taken meanwhile"),
        (withdrawn, "withdrawn meanwhile"),
        (erased, "of erased clients"),
    ];
    let others: String = (reasons.iter().filter(|(count, _)| **count > 0))
        .map(|(count, reason)| format!(", {count} {reason}"))
        .collect();
    format!(
        "batch {digest}\n{series} series, {counts}, {already} skipped as there already{others}, head {head}\n{}\n",
        styled(FAINT, "next: rollbook migrate validate")
    )
}

impl CompareArguments {
    fn overdue_after(&self) -> i64 {
        self.overdue_after.unwrap_or(OVERDUE_AFTER_MILLISECONDS)
    }

    fn validate(&self, context: &Context) -> Result<(), CliError> {
        let report = match &context.remote {
            Some(remote) => remote.validate(self.overdue_after)?,
            None => {
                let store = context.open()?;
                let request = Request {
                    actor: Actor::System("validate".to_owned()),
                    now: Store::now(),
                    key: None,
                    cause: None,
                };
                watched("validating", "clients", |watch| {
                    validate(&store, self.overdue_after(), &request, watch)
                })?
                .0
            }
        };
        context.output.either(&report, || validation_text(&report.validation))?;
        let ValidationReport { green, total, all_green, .. } = report;
        if all_green { Ok(()) } else { Err(CliError::ValidationRed { green, total }) }
    }

    fn parity(&self, context: &Context) -> Result<(), CliError> {
        let report = match &context.remote {
            Some(remote) => remote.parity(self.overdue_after)?,
            None => {
                let store = context.open()?;
                watched("comparing", "clients", |watch| {
                    parity(&store, self.overdue_after(), watch)
                })?
            }
        };
        context.output.either(&report, || parity_text(&report))?;
        match report.unexplained_total {
            0 => Ok(()),
            unexplained => Err(CliError::Unexplained(unexplained)),
        }
    }
}

/// How many findings of a check are printed as text; `--json` and `migrate findings` print all.
const FINDINGS_SHOWN: usize = 20;

pub(crate) fn validation_text(validation: &Validation) -> String {
    let mut text = String::new();
    for check in &validation.checks {
        let mark = if check.green { styled(GOOD, "green") } else { styled(BAD, "red  ") };
        text.push_str(&format!("{mark}  {:<22}  {}\n", check.name, check.detail));
        for (finding, id) in check.findings.iter().zip(&check.finding_ids).take(FINDINGS_SHOWN) {
            text.push_str(&format!("         {id}  {finding}\n"));
        }
        if check.findings.len() > FINDINGS_SHOWN {
            text.push_str(&format!(
                "         and {} more (rollbook migrate findings --all lists them)\n",
                check.findings.len() - FINDINGS_SHOWN
            ));
        }
    }
    let accepted = match validation.accepted().count() {
        0 => String::new(),
        accepted => format!(", with {accepted} accepted findings"),
    };
    text.push_str(&format!(
        "{} of {} at position {}{accepted}\n",
        validation.green(),
        validation.checks.len(),
        validation.at
    ));
    if !validation.stale.is_empty() {
        let stale = validation.stale.len();
        text.push_str(&format!("{stale} accepted findings are no longer found (stale)\n"));
    }
    if !validation.all_green() {
        let next = "next: correct the findings, or accept them: rollbook migrate accept FINDING --reason TEXT";
        text.push_str(&format!("{}\n", styled(FAINT, next)));
    }
    text
}

fn parity_text(report: &ParityReport) -> String {
    let mut text = format!("{} clients compared at {} instants\n", report.clients, report.instants);
    for (class, count) in &report.differences {
        text.push_str(&format!("{count:>8}  {}\n", styled(BOLD, class)));
        for example in report.examples.get(class).into_iter().flatten() {
            let Example { client, at, week, what, legacy, precreated, .. } = example;
            let line =
                format!("client {client}, week {week}, from {at}: {what} {legacy} / {precreated}");
            text.push_str(&format!("          {}\n", styled(FAINT, line)));
        }
    }
    for DecisionSummary { client, form, differences, event, .. } in &report.decisions {
        text.push_str(&format!(
            "decision     client {client}, form {form}, {event}: {differences} differences\n"
        ));
    }
    for UnexplainedDifference { client, at, form, week, what, .. } in &report.unexplained {
        text.push_str(&format!(
            "{} client {client}, form {form}, week {week}, from {at}: {what}\n",
            styled(BAD, "unexplained")
        ));
    }
    text.push_str(&format!("{} unexplained\n", report.unexplained_total));
    text
}

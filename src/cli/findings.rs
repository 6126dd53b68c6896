//! `rollbook migrate findings` and `migrate accept`: lists the findings of the checks, accepts
//! findings by id, and withdraws an acceptance, here or through a service.

use clap::{ArgGroup, Args};
use rollbook_application::operations::acceptance::{
    AcceptRequest, AcceptanceReport, Selection, accept, withdraw,
};
use rollbook_application::reports::findings::{
    FindingPage, FindingQuery, FindingState, ListedFinding, findings,
};
use rollbook_application::store::Store;
use rollbook_domain::status::OVERDUE_AFTER_MILLISECONDS;
use rollbook_domain::{Actor, Timestamp};

use super::Context;
use super::arguments::{WriteOptions, actor, milliseconds};
use super::output::{BAD, BOLD, FAINT, GOOD, styled};
use super::progress::watched;
use super::text::Text;
use crate::cli::error::CliError;

/// List what the checks find now, with ids; record nothing.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  rollbook migrate findings\n  rollbook migrate findings --check parity-explained --all\n  rollbook migrate findings --state stale"
)]
pub(super) struct FindingsArguments {
    /// Only those of this check.
    #[arg(long, value_name = "NAME")]
    check: Option<String>,
    /// Only those in this state: open, accepted, or stale (accepted and no longer found).
    #[arg(long, value_name = "open|accepted|stale")]
    state: Option<FindingState>,
    /// How many to list.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    /// Skip so many: the `next` of the previous page.
    #[arg(long, value_name = "N", default_value_t = 0)]
    after: u64,
    /// List all, however many there are.
    #[arg(long, conflicts_with_all = ["limit", "after"])]
    all: bool,
    /// When the pre-created view calls a week overdue.
    #[arg(long, value_name = "SPAN", value_parser = milliseconds)]
    overdue_after: Option<i64>,
}

const ACCEPT_EXAMPLES: &str = "\
Examples:
  rollbook migrate accept 3f9a1c0b5d7e2a48 --reason 'the old application shows no due date either'
  rollbook migrate accept --check weeks-complete --expect 12 --reason 'these runs ended early'
  rollbook migrate accept 3f9a1c0b5d7e2a48 --withdraw --reason 'it was corrected'

A check whose findings are all accepted counts as green in the next validation. A new finding makes it red again.
History and certificate name each accepted finding, who accepted it and why. The reason is not sealed: name no person in it.";

/// Accept findings of the checks by id, with a reason, or withdraw that.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).args(["findings", "check"]), after_help = ACCEPT_EXAMPLES)]
pub(super) struct AcceptArguments {
    /// The ids, from `rollbook migrate findings`.
    #[arg(value_name = "FINDING")]
    findings: Vec<String>,
    /// Every open finding of this check; needs --expect.
    #[arg(long, value_name = "NAME", requires = "expect", conflicts_with = "withdraw")]
    check: Option<String>,
    /// How many open findings the check has; another number is refused.
    #[arg(long, value_name = "N", requires = "check")]
    expect: Option<u64>,
    /// Why; history and certificate show it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Accept them no longer.
    #[arg(long)]
    withdraw: bool,
    /// When the pre-created view calls a week overdue, as for the validation.
    #[arg(long, value_name = "SPAN", value_parser = milliseconds)]
    overdue_after: Option<i64>,
    /// Who acts: admin:NAME. Default admin: and the user's name.
    #[arg(long = "as", value_name = "ROLE:ID", value_parser = actor)]
    actor: Option<Actor>,
    /// When it happened (RFC 3339). Default now.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

impl FindingsArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let query = FindingQuery {
            check: self.check.clone(),
            state: self.state,
            after: self.after,
            limit: (!self.all).then(|| usize::try_from(self.limit).unwrap_or(usize::MAX)),
            overdue_after_milliseconds: self.overdue_after.unwrap_or(OVERDUE_AFTER_MILLISECONDS),
        };
        let page = match &context.remote {
            Some(remote) => remote.findings(&query, self.overdue_after)?,
            None => {
                let store = context.open()?;
                watched("checking", "clients", |watch| {
                    findings(&store, &query, Store::now(), watch)
                })?
            }
        };
        context.output.either(&page, || page.text())
    }
}

impl Text for ListedFinding {
    fn text(&self) -> String {
        let Self { id, check, state, what, acceptance } = self;
        let state = match state {
            FindingState::Open => styled(BAD, "open    "),
            FindingState::Accepted => styled(GOOD, "accepted"),
            FindingState::Stale => styled(FAINT, "stale   "),
        };
        let mut text = format!("{} {state} {check}: {what}\n", styled(BOLD, id));
        if let Some(acceptance) = acceptance {
            let by = format!(
                "accepted by {} at {}: {}",
                acceptance.by, acceptance.position, acceptance.reason
            );
            text.push_str(&format!("                 {}\n", styled(FAINT, by)));
        }
        text
    }
}

impl Text for FindingPage {
    fn text(&self) -> String {
        let mut text: String = self.findings.iter().map(ListedFinding::text).collect();
        let Self { at, open, accepted, stale, next, .. } = self;
        text.push_str(&format!(
            "{open} open, {accepted} accepted, {stale} stale at position {at}\n"
        ));
        if let Some(next) = next {
            text.push_str(&format!("more: --after {next}, or --all\n"));
        }
        if *open > 0 {
            let next = "next: correct what is wrong (rollbook correct --help), or accept it: rollbook migrate accept FINDING --reason TEXT";
            text.push_str(&format!("{}\n", styled(FAINT, next)));
        }
        text
    }
}

impl AcceptArguments {
    fn wanted(&self) -> AcceptRequest {
        let selection = match (&self.check, self.expect) {
            (Some(check), Some(expected)) => Selection::Check { check: check.clone(), expected },
            _ => Selection::Findings(self.findings.clone()),
        };
        AcceptRequest {
            selection,
            reason: self.reason.clone(),
            overdue_after_milliseconds: self.overdue_after.unwrap_or(OVERDUE_AFTER_MILLISECONDS),
        }
    }

    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let writing = WriteOptions::of(self.actor.clone(), self.at);
        let report = match &context.remote {
            Some(remote) => {
                let (at, _) = writing.remotely()?;
                let wanted = self.wanted();
                remote.accept(&wanted, self.withdraw, self.overdue_after, at)?
            }
            None => {
                let store = context.open()?;
                let report = self.accept_here(&store, &writing)?;
                context.fold(&store)?;
                report
            }
        };
        context.output.either(&report, || self.text(&report))
    }

    fn accept_here(
        &self,
        store: &Store,
        writing: &WriteOptions,
    ) -> Result<AcceptanceReport, CliError> {
        let request = writing.request();
        if self.withdraw {
            return Ok(withdraw(store, &self.findings, &self.reason, &request)?);
        }
        let accepted =
            watched("checking", "clients", |watch| accept(store, &self.wanted(), &request, watch))?;
        Ok(accepted)
    }

    fn text(&self, report: &AcceptanceReport) -> String {
        let AcceptanceReport { findings, already, position } = report;
        let done = if self.withdraw { "no longer accepted" } else { "accepted" };
        let mut text = format!("{} findings {done}", findings.len());
        if *already > 0 {
            text.push_str(&format!(", {already} accepted before"));
        }
        if let Some(position) = position {
            text.push_str(&format!(", position {position}"));
        }
        format!("{text}\n{}\n", styled(FAINT, "next: rollbook migrate validate"))
    }
}

//! `rollbook demo`: a complete migration on made-up data in a few seconds, with the code that the
//! commands use. This module has the steps and their explanations; `narrator` prints them,
//! `compare` puts the two views side by side.

mod compare;
mod narrator;

use std::path::{Path, PathBuf};

use clap::Args;
use rollbook_application::operations::switch::{SwitchRequest, switch};
use rollbook_application::store::{Outcome, Request, SeriesCommand, Store, ViewChoice};
use rollbook_domain::event::View;
use rollbook_domain::status::OVERDUE_AFTER_MILLISECONDS;
use rollbook_domain::{Actor, JsonText, StreamId, Timestamp};
use rollbook_migrations::adapters::StoredAudit;
use rollbook_migrations::apply::{ApplyReport, ApplyRequest, apply};
use rollbook_migrations::audit::{AuditRules, audit};
use rollbook_migrations::batch::Batch;
use rollbook_migrations::export_reader::{JsonDirectory, read_export};
use rollbook_migrations::import::{ImportOptions, import};
use rollbook_migrations::monitor::Monitor;
use rollbook_migrations::plan::plan;
use rollbook_migrations::rules::DueRule;
use rollbook_migrations::validate::{ValidateRequest, validate};
use rollbook_projections::entry::ListParameters;

use super::context::Context;
use super::interrupt::interrupted;
use crate::cli::error::CliError;
use crate::sample::{SampleGap, SampleOptions, SampleSummary, write_export};
use narrator::Narrator;

const EXAMPLES: &str = "\
Examples:
  rollbook demo
  rollbook demo /tmp/first-look

All data is made up. The demo keeps its stores, so that you can look at them afterwards.";

/// Run a complete migration on made-up data: import, plan, apply, validate, switch, answer, roll
/// back.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct DemoArguments {
    /// A new directory. Default: rollbook-demo, or rollbook-demo-2 and so on if that exists.
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

impl DemoArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let directory = match &self.directory {
            Some(directory) if directory.exists() => {
                return Err(CliError::DirectoryExists(directory.clone()));
            }
            Some(directory) => directory.clone(),
            None => free_name(),
        };
        let now = Store::now();
        let demo = Demo {
            export: directory.join("export"),
            staging: directory.join("staging"),
            production: directory.join("production"),
            batch: directory.join("precreate.ndjson"),
            now,
            out: Narrator::new(context.output),
        };
        std::fs::create_dir_all(&directory)
            .map_err(CliError::system("make the demo's directory"))?;
        demo.run(&directory)
    }
}

fn free_name() -> PathBuf {
    let name = |number: u32| {
        PathBuf::from(if number == 1 {
            "rollbook-demo".to_owned()
        } else {
            format!("rollbook-demo-{number}")
        })
    };
    (1..).map(name).find(|name| !name.exists()).unwrap_or_else(|| name(1))
}

struct Demo {
    export: PathBuf,
    staging: PathBuf,
    production: PathBuf,
    batch: PathBuf,
    now: Timestamp,
    out: Narrator,
}

const WATCH: Monitor<'static> = Monitor { progress: &|_, _| {}, interrupted: &interrupted };

impl Demo {
    fn run(&self, directory: &Path) -> Result<(), CliError> {
        self.out.title("A safe migration of a read model", "All names and answers are made up.")?;
        let sample = self.sample()?;
        let (staging, production) =
            (Store::open(&self.staging, true)?, Store::open(&self.production, true)?);
        self.import(&staging, &production)?;
        self.audit(&production)?;
        self.plan(&staging)?;
        let batch = Batch::open(&self.batch)?;
        self.apply_and_validate(&staging, &batch, &production)?;
        let Some(gap) = sample.gap else { return Ok(()) };
        self.side_by_side(&production, &gap)?;
        self.switch(&production, View::Precreated, "all thirteen checks are green")?;
        let assignment = self.answer(&production, &gap)?;
        self.switch(&production, View::Legacy, "a client asks about week 3")?;
        self.answer_is_there(&production, &gap, &assignment)?;
        self.history(&production, &assignment)?;
        self.what_next(directory, &gap)
    }

    fn sample(&self) -> Result<SampleSummary, CliError> {
        let today = self.now.as_chrono().date_naive();
        let sample = write_export(&self.export, &SampleOptions::demo(today))
            .map_err(CliError::system("write the made-up export"))?;
        self.out.step(
            "The old application's backup",
            "The old application stored only week 1 of each series and generated the other weeks for every read. Its backup is a directory of JSON files.",
            None,
        )?;
        self.out.figure(&format!(
            "{} clients, {} responses, {} stored weeks",
            sample.clients, sample.responses, sample.assignments
        ))?;
        Ok(sample)
    }

    fn import(&self, staging: &Store, production: &Store) -> Result<(), CliError> {
        let command =
            format!("rollbook --data {} import {}", self.staging.display(), self.export.display());
        self.out.step(
            "Import into staging and production",
            "Every document becomes one event. The same export gives the same event ids in both stores. A test on staging therefore shows what will happen in production.",
            Some(&command),
        )?;
        for (name, store) in [("staging", staging), ("production", production)] {
            let export = read_export(&JsonDirectory::new(&self.export), false)?;
            let imported = import(store.runtime(), export, &ImportOptions::default(), &WATCH)?;
            self.out.figure(&format!(
                "{name:<10}  {} events, head at position {}",
                imported.appended, imported.head
            ))?;
        }
        Ok(())
    }

    fn audit(&self, production: &Store) -> Result<(), CliError> {
        self.out.step(
            "Audit the imported data",
            "Old data has inconsistencies. The import keeps them. The audit lists them by kind, with the ids, before you decide anything.",
            Some(&format!("rollbook --data {} audit", self.production.display())),
        )?;
        let snapshot = production.snapshot()?;
        let rules = AuditRules { now: self.now, zone: production.zone()? };
        let report = audit(&StoredAudit { snapshot: &snapshot, log: production.log() }, &rules)?;
        self.out.figure(&format!(
            "{} clients, {} responses, {} series",
            report.totals.clients, report.totals.responses, report.totals.series
        ))?;
        for group in &report.findings {
            self.out.detail(&format!("{:<36} {:>3}", group.code.code(), group.findings.len()))?;
        }
        Ok(())
    }

    fn plan(&self, staging: &Store) -> Result<(), CliError> {
        let command = format!(
            "rollbook --data {} migrate plan --out {}",
            self.staging.display(),
            self.batch.display()
        );
        self.out.step(
            "Plan the migration: a dry run into a file",
            "The plan writes a batch file and does not change the store. You can review the file with jq and diff. Its digest identifies its events.",
            Some(&command),
        )?;
        let planned = plan(staging.runtime(), DueRule::Monday, Some(&self.batch))?;
        let counts = planned.header.counts;
        self.out.figure(&format!(
            "{} series, {} weeks to create, {} responses to link",
            counts.series, counts.created, counts.linked
        ))?;
        self.out.detail(&format!("digest {}", planned.header.digest))
    }

    fn apply_and_validate(
        &self,
        staging: &Store,
        batch: &Batch,
        production: &Store,
    ) -> Result<(), CliError> {
        let result = |name: &str, applied: &ApplyReport| {
            let ApplyReport { created, linked, skipped, head, .. } = applied;
            format!(
                "{name:<10}  {created} created, {linked} linked, {skipped} skipped, head at position {head}"
            )
        };
        for (name, path, store) in
            [("staging", &self.staging, staging), ("production", &self.production, production)]
        {
            let (title, why) = match name {
                "staging" => (
                    "Apply the batch to staging, then validate",
                    "The batch only adds events; existing data does not change. Thirteen checks verify this, and the store records their result.",
                ),
                _ => (
                    "Apply the same file to production",
                    "The digest and the ids are the same. If production had drifted from the plan, the batch would be rejected before the first write, with the series named.",
                ),
            };
            let path = path.display();
            self.out.step(
                title,
                why,
                Some(&format!("rollbook --data {path} migrate apply {}", self.batch.display())),
            )?;
            let applied =
                apply(store.runtime(), ApplyRequest { batch, now: self.now, key: None }, &WATCH)?;
            self.out.figure(&result(name, &applied))?;
            let validation = validate(
                store.runtime(),
                ValidateRequest {
                    overdue_after_milliseconds: OVERDUE_AFTER_MILLISECONDS,
                    now: self.now,
                    key: None,
                },
                &WATCH,
            )?;
            self.out.figure(&format!(
                "{} of {} checks green",
                validation.green(),
                validation.checks.len()
            ))?;
            if name == "staging" {
                for check in &validation.checks {
                    self.out.check(check)?;
                }
            }
        }
        Ok(())
    }

    fn side_by_side(&self, production: &Store, gap: &SampleGap) -> Result<(), CliError> {
        self.out.step(
            "Compare both views of one client",
            "The client answered week 4 early. The old system then no longer generated the weeks before it, so they disappeared from the list. The new view stores every week.",
            Some(&format!("rollbook --data {} view precreated --client {}", self.production.display(), gap.client_id)),
        )?;
        let both = compare::both(production, &gap.client_id, &gap.form_id, self.query())?;
        self.out.block(&both)
    }

    fn query(&self) -> ListParameters {
        ListParameters { now: self.now, overdue_after_milliseconds: OVERDUE_AFTER_MILLISECONDS }
    }

    fn request(&self, actor: Actor) -> Request {
        Request { actor, now: Store::now(), key: None, cause: None }
    }

    fn switch(&self, production: &Store, view: View, reason: &str) -> Result<(), CliError> {
        let (title, why) = match view {
            View::Precreated => (
                "Switch to the new view",
                "The switch is one event, and takes effect at once. It needs a green validation that is newer than the last batch.",
            ),
            View::Legacy => (
                "Roll back to the old view",
                "A rollback is a switch in the other direction. It needs no validation, no deployment and no restore.",
            ),
        };
        let command = format!(
            "rollbook --data {} switch {} --reason '{reason}'",
            self.production.display(),
            view.name()
        );
        self.out.step(title, why, Some(&command))?;
        let request = self.request(Actor::Admin("demo".to_owned()));
        let wanted = SwitchRequest {
            view,
            percent: None,
            clients: Vec::new(),
            reason: reason.to_owned(),
            force: false,
        };
        switch(&production.reading(), &wanted, &request)?;
        production.catch_up(&|_, _| {})?;
        self.out.figure(&format!(
            "all clients get the {} view, from position {}",
            view.name(),
            production.log().head()
        ))
    }

    /// Answers the last hidden week. Returns the id of its assignment.
    fn answer(&self, production: &Store, gap: &SampleGap) -> Result<String, CliError> {
        let week = gap.answered_week.saturating_sub(1);
        let stream = StreamId::series(&gap.client_id, &gap.form_id);
        let id = rollbook_domain::series::assignment_id(&gap.client_id, &gap.form_id, 1, week)
            .to_string();
        self.out.step(
            &format!("The client answers week {week} under the new view"),
            "The old view does not show this week. An acknowledged response is on disk.",
            Some(&format!(
                "rollbook --data {} respond {id} --answers '[…]'",
                self.production.display()
            )),
        )?;
        let answers = JsonText::parse(r#"[{"questionId":"q1","question":"How was your week?","answer":8,"weight":5,"score":8}]"#)
            .map_err(|error| CliError::Output(std::io::Error::other(error)))?;
        let command = SeriesCommand::Respond { run: 1, week, answers, score: None };
        let outcome = production.command(
            &stream,
            &command,
            &self.request(Actor::Client(gap.client_id.clone())),
        )?;
        production.catch_up(&|_, _| {})?;
        if let Outcome::Done { events, .. } = outcome {
            self.out.figure(&format!(
                "answered at position {}, assignment {id}",
                events.first().map_or(0, |event| event.position)
            ))?;
        }
        Ok(id)
    }

    fn answer_is_there(
        &self,
        production: &Store,
        gap: &SampleGap,
        assignment: &str,
    ) -> Result<(), CliError> {
        self.out.step(
            "The response is in the legacy view too",
            "Both views are computed from one log. The response therefore created a stored week in the old view as well, with the same assignment id.",
            Some(&format!("rollbook --data {} view live --client {}", self.production.display(), gap.client_id)),
        )?;
        let list = production.check_ins(ViewChoice::Live, &gap.client_id, self.query(), None)?;
        let entry = compare::entry_of(&list.body, assignment)?;
        self.out.figure(&format!("the {} view shows: {entry}", list.view.name()))
    }

    fn history(&self, production: &Store, assignment: &str) -> Result<(), CliError> {
        self.out.step(
            "The history of that week",
            "Events are never overwritten. The history is the data itself, not a separate log file.",
            Some(&format!("rollbook --data {} history {assignment}", self.production.display())),
        )?;
        self.out.block(&compare::history(production, assignment)?)
    }

    fn what_next(&self, directory: &Path, gap: &SampleGap) -> Result<(), CliError> {
        let data = self.production.display();
        self.out.closing(
            &format!("The stores are in {}. Next, try:", directory.display()),
            &[
                format!("rollbook --data {data} status"),
                format!(
                    "rollbook --data {data} switch precreated --percent 10 --reason 'first tenth'"
                ),
                format!(
                    "rollbook --data {data} view live --client {} | jq .data.summary",
                    gap.client_id
                ),
                format!("rollbook --data {data} verify"),
                format!("rollbook --data {data} export {}", directory.join("way-back").display()),
            ],
        )
    }
}

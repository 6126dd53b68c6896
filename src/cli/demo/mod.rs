//! `rollbook demo`: a whole migration in a few seconds, on made-up data, through the same code as the commands. Owns the story:
//! what each step shows and why it matters; `narrator` owns how it is told, `compare` the two views side by side.

mod compare;
mod narrator;

use std::path::{Path, PathBuf};

use clap::Args;
use rollbook_application::store::{Asking, Outcome, Request, SeriesCommand, Store};
use rollbook_domain::event::{Audience, View};
use rollbook_domain::status::OVERDUE_AFTER_MILLISECONDS;
use rollbook_domain::{Actor, JsonText, StreamId, Timestamp};
use rollbook_migrations::adapters::StoredAudit;
use rollbook_migrations::apply::{ApplyReport, ApplyRequest, apply};
use rollbook_migrations::audit::{AuditRules, audit};
use rollbook_migrations::batch::Batch;
use rollbook_migrations::export_reader::{JsonDirectory, read_export};
use rollbook_migrations::import::import;
use rollbook_migrations::monitor::Monitor;
use rollbook_migrations::plan::plan;
use rollbook_migrations::rules::DueRule;
use rollbook_migrations::validate::{ValidateRequest, validate};
use rollbook_projections::entry::Asked;

use super::{Context, interrupted};
use crate::cli::error::CliError;
use crate::sample::{SampleGap, SampleOptions, SampleSummary, write_export};
use narrator::Narrator;

const EXAMPLES: &str = "\
Examples:
  rollbook demo
  rollbook demo /tmp/first-look

Everything in it is made up. The stores stay, for you to look around in.";

/// Watch a whole migration on made-up data: import, plan, apply, validate, switch, answer, roll back.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct DemoArguments {
    /// A new directory. Default: rollbook-demo, or rollbook-demo-2 and so on where that exists.
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
        self.out.title(
            "A read model migrated without fear",
            "Every name and answer in this demo is made up.",
        )?;
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
        self.switch(&production, View::Precreated, "all twelve checks are green")?;
        let assignment = self.answer(&production, &gap)?;
        self.switch(&production, View::Legacy, "a client asks where week 3 came from: look first")?;
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
            "The old application stored week 1 of each series and made up the other weeks whenever someone looked. This is its backup: a directory of JSON files.",
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
            "Import, twice: staging and production",
            "Every document becomes an event, whole. The same export gives the same event ids in both stores, so what is tried on staging is what happens in production.",
            Some(&command),
        )?;
        for (name, store) in [("staging", staging), ("production", production)] {
            let export = read_export(&JsonDirectory::new(&self.export), false)?;
            let imported = import(store.runtime(), export, None, &WATCH)?;
            self.out.figure(&format!(
                "{name:<10}  {} events, head at position {}",
                imported.appended, imported.head
            ))?;
        }
        Ok(())
    }

    fn audit(&self, production: &Store) -> Result<(), CliError> {
        self.out.step(
            "Audit: what is there, and what is odd about it",
            "Old data has dirt. It is imported as it is, and every kind of it is a finding with ids, before anything is decided.",
            Some(&format!("rollbook --data {} audit", self.production.display())),
        )?;
        let snapshot = production.snapshot()?;
        let rules = AuditRules { now: self.now, zone: production.zone()? };
        let report = audit(&StoredAudit(&snapshot), &rules)?;
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
            "Plan: the dry run is a file",
            "The plan reads, writes a batch file and changes nothing. The file can be reviewed with jq and diff, and carries a digest of its events.",
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
        let said = |name: &str, applied: &ApplyReport| {
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
                    "Apply to staging, then check",
                    "The batch only adds events: nothing that was there is touched. Twelve named checks prove it, and the proof is on record.",
                ),
                _ => (
                    "Apply the very same file to production",
                    "Same digest, same ids. Had production drifted from what was planned, the batch would be refused by series, before the first write.",
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
            self.out.figure(&said(name, &applied))?;
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
            "Both views of one client, side by side",
            "Week 4 was answered ahead, so the old system stopped making up the weeks before it: they were lost from sight. The new view has every week, stored.",
            Some(&format!("rollbook --data {} view precreated --client {}", self.production.display(), gap.client_id)),
        )?;
        let both = compare::both(production, &gap.client_id, &gap.form_id, self.asked())?;
        self.out.block(&both)
    }

    fn asked(&self) -> Asked {
        Asked { now: self.now, overdue_after_milliseconds: OVERDUE_AFTER_MILLISECONDS }
    }

    fn request(&self, actor: Actor) -> Request {
        Request { actor, now: Store::now(), key: None, cause: None }
    }

    fn switch(&self, production: &Store, view: View, reason: &str) -> Result<(), CliError> {
        let (title, why) = match view {
            View::Precreated => (
                "Switch",
                "The switch is one event. Readers follow it at once; without a green validation newer than the last batch it would be refused.",
            ),
            View::Legacy => (
                "Roll back",
                "Rolling back is the same switch the other way. It needs no validation, no deployment and no restore.",
            ),
        };
        let command = format!(
            "rollbook --data {} switch {} --reason '{reason}'",
            self.production.display(),
            view.name()
        );
        self.out.step(title, why, Some(&command))?;
        let request = self.request(Actor::Admin("demo".to_owned()));
        production.switch(view, &Audience::Everyone, reason, false, &request)?;
        production.catch_up(&|_, _| {})?;
        self.out.figure(&format!(
            "{} serves everybody, at position {}",
            view.name(),
            production.log().head()
        ))
    }

    /// Answers the last hidden week, and gives back the assignment's id.
    fn answer(&self, production: &Store, gap: &SampleGap) -> Result<String, CliError> {
        let week = gap.answered_week.saturating_sub(1);
        let stream = StreamId::series(&gap.client_id, &gap.form_id);
        let id = rollbook_domain::series::assignment_id(&gap.client_id, &gap.form_id, 1, week)
            .to_string();
        self.out.step(
            &format!("The client answers week {week} under the new view"),
            "A week the old view does not even show. What is acknowledged is on the disk.",
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
            "The answer is there in the legacy view",
            "Both views are folded from one log: the answer became a stored week of the old view too, under the same assignment id.",
            Some(&format!("rollbook --data {} view live --client {}", self.production.display(), gap.client_id)),
        )?;
        let answered = production.check_ins(Asking::Live, &gap.client_id, self.asked(), None)?;
        let entry = compare::entry_of(&answered.body, assignment)?;
        self.out.figure(&format!("served by the {} view: {entry}", answered.view.name()))
    }

    fn history(&self, production: &Store, assignment: &str) -> Result<(), CliError> {
        self.out.step(
            "Who did what to that week, and when",
            "Nothing is overwritten, so history is not a log file somewhere: it is the data.",
            Some(&format!("rollbook --data {} history {assignment}", self.production.display())),
        )?;
        self.out.block(&compare::history(production, assignment)?)
    }

    fn what_next(&self, directory: &Path, gap: &SampleGap) -> Result<(), CliError> {
        let data = self.production.display();
        self.out.closing(
            &format!("The stores are in {}. Try next:", directory.display()),
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

//! `rollbook status`: the state of the store, and the next step.

use std::collections::BTreeMap;

use clap::Args;
use rollbook_application::reports::status::{
    Batch, LastImport, Parity, ProjectionStatus, RecordedValidation, Sealing, Status, Weeks, status,
};
use rollbook_migrations::batch::short;
use rollbook_migrations::rules::Options;

use super::context::Context;
use super::output::{BAD, BOLD, FAINT, GOOD, styled};
use super::text::Text;
use crate::cli::error::CliError;

/// Show the state of the store, and the next step.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  rollbook status\n  rollbook status --json | jq .next")]
pub(super) struct StatusArguments {}

impl StatusArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let status = match &context.remote {
            Some(remote) => remote.status()?,
            None => status(&context.open()?)?,
        };
        context.output.either(&status, || status.text())
    }
}

impl Text for Status {
    fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            text.push_str(&format!("{} {value}\n", styled(BOLD, format!("{name:<12}"))))
        };
        let format = self.format.map_or_else(|| "unknown".to_owned(), |format| format.to_string());
        line("store", format!("{} in {}, format {format}", self.store_id, self.data));
        line("head", self.head.to_string());
        let projections: Vec<String> =
            self.projections.iter().map(ProjectionStatus::text).collect();
        line("projections", projections.join(", "));
        line("zone", self.zone.to_owned());
        line("import", self.import.as_ref().map_or_else(|| "none".to_owned(), LastImport::text));
        let Weeks { allocated, submitted, migrated } = self.weeks;
        line(
            "weeks",
            format!(
                "{migrated} made by migrations, {allocated} allocated, {submitted} made by answers; {} answered in this store",
                self.answered
            ),
        );
        for batch in &self.batches {
            line("batch", batch.text());
        }
        line(
            "validation",
            self.validation.as_ref().map_or_else(|| "none".to_owned(), RecordedValidation::text),
        );
        if self.accepted_findings > 0 {
            line(
                "accepted",
                format!(
                    "{} findings; rollbook migrate findings lists them",
                    self.accepted_findings
                ),
            );
        }
        let parity =
            |parity: &Parity| format!("{} unexplained at {}", parity.unexplained, parity.at);
        line("parity", self.parity.as_ref().map_or_else(|| "none".to_owned(), parity));
        let retired = if self.legacy_retired { "; the legacy view is retired" } else { "" };
        line("switch", format!("{}{retired}", self.switch.text()));
        line("events", named_counts(&self.events));
        line("sealing", self.sealing.text());
        line("next", self.next.clone());
        text
    }
}

fn named_counts(counts: &BTreeMap<String, u64>) -> String {
    let counts: Vec<String> =
        counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    if counts.is_empty() { "none".to_owned() } else { counts.join(", ") }
}

impl Text for Sealing {
    fn text(&self) -> String {
        let Self { sealed, keys, erased, unfinished, master_key } = self;
        if !sealed {
            return format!("{}: personal data is in the clear", styled(BAD, "unsealed"));
        }
        let under = master_key.as_deref().map(|from| format!(" under {from}")).unwrap_or_default();
        let unfinished = if unfinished.is_empty() {
            String::new()
        } else {
            styled(BAD, format!("; not finished: {}", unfinished.join(", ")))
        };
        format!("{keys} keys{under}, {erased} clients erased{unfinished}")
    }
}

impl Text for ProjectionStatus {
    fn text(&self) -> String {
        let Self { name, position, behind } = self;
        if *behind == 0 {
            format!("{name} {position}")
        } else {
            format!("{name} {position} {}", styled(BAD, format!("({behind} behind)")))
        }
    }
}

impl Text for LastImport {
    fn text(&self) -> String {
        let collections: Vec<String> = self
            .collections
            .iter()
            .map(|(name, documents)| format!("{name} {documents}"))
            .collect();
        format!("position {}: {}", self.position, collections.join(", "))
    }
}

impl Text for Batch {
    fn text(&self) -> String {
        let Self { digest, kind, rules, base, series, skipped, .. } = self;
        let counts = batch_counts(kind, [self.created, self.linked, self.adopted, self.changed]);
        let digest = styled(FAINT, short(digest));
        match self.applied_at {
            Some(at) => format!(
                "{digest} {kind} {rules}, applied at {at}: {series} series, {counts}, {skipped} skipped"
            ),
            None => {
                format!(
                    "{digest} {kind} {rules}, started at {base}, {}",
                    styled(BAD, "not finished")
                )
            }
        }
    }
}

/// What a batch of a kind does, in numbers: weeks created, responses linked and adopted, weeks
/// changed.
pub(super) fn batch_counts(kind: &str, [created, linked, adopted, changed]: [u64; 4]) -> String {
    if kind == Options::PRECREATE {
        format!("{created} created, {linked} linked, {adopted} adopted")
    } else {
        format!("{changed} changed")
    }
}

impl Text for RecordedValidation {
    fn text(&self) -> String {
        let green = self.checks.iter().filter(|check| check.green).count();
        let count = format!("{green} of {} green", self.checks.len());
        if self.green {
            return format!("{} at {}", styled(GOOD, count), self.at);
        }
        let red: Vec<&str> = self
            .checks
            .iter()
            .filter(|check| !check.green)
            .map(|check| check.name.as_str())
            .collect();
        format!("{} at {}: {}", styled(BAD, count), self.at, red.join(", "))
    }
}

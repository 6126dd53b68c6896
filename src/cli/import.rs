//! `rollbook import`, `audit` and `export`: the old application's documents on their way in and out. Owns how that is asked
//! for and told.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use rollbook_application::reports::audit::audit;
use rollbook_application::store::Store;
use rollbook_domain::calendar::Zone;
use rollbook_domain::{StreamId, Timestamp};
use rollbook_migrations::adapters::LogDocuments;
use rollbook_migrations::export_reader::{JsonDirectory, read_export};
use rollbook_migrations::export_writer::{ExportMetadata, write_export};
use rollbook_migrations::import::{ImportReport, import};
use serde::Serialize;

use super::Context;
use super::output::{BOLD, styled};
use super::progress::watched;
use crate::cli::error::CliError;

const IMPORT_EXAMPLES: &str = "\
Examples:
  rollbook import ./export-2026-01-11
  rollbook --data staging import ./export --legacy-timezone Europe/London

The export is read and checked whole before the first event is written. Importing it again appends nothing; importing a
later export appends only what changed. The zone is kept in the store: no later command needs to repeat it.";

/// Import an export directory of the old application.
#[derive(Debug, Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub(super) struct ImportArguments {
    /// The directory: one JSON file a collection.
    #[arg(value_name = "EXPORT_DIR")]
    export: PathBuf,
    /// The zone in which the old server did its calendar arithmetic, an IANA name. Default UTC.
    #[arg(long, value_name = "ZONE")]
    legacy_timezone: Option<Zone>,
    /// Leave out collections that Rollbook does not know; they are named and counted.
    #[arg(long)]
    skip_unknown: bool,
    /// Make a store that keeps personal data in the clear, for ever. Only for a store that is not there yet; nobody can be erased from it.
    #[arg(long)]
    unsealed: bool,
}

impl ImportArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let export = read_export(&JsonDirectory::new(&self.export), self.skip_unknown)?;
        let store = context.open_or_make(self.unsealed)?;
        if self.unsealed && store.log().sealing().sealed {
            return Err(CliError::Usage(
                "the store is there and sealed; --unsealed is for a store that is made now"
                    .to_owned(),
            ));
        }
        let imported = watched("importing", "events", |watch| {
            import(store.runtime(), export, self.legacy_timezone, watch)
        })?;
        context.output.either(&imported, || import_text(&imported))
    }
}

fn import_text(imported: &ImportReport) -> String {
    let mut text = format!(
        "{}\n",
        styled(BOLD, "collection                imported  changed  removed  unchanged")
    );
    for (name, counts) in &imported.collections {
        text.push_str(&format!(
            "{name:<24}  {:>8}  {:>7}  {:>7}  {:>9}\n",
            counts.imported, counts.changed, counts.removed, counts.unchanged
        ));
    }
    let erased: u64 = imported.collections.values().map(|counts| counts.erased).sum();
    if erased > 0 {
        text.push_str(&format!("left out: {erased} documents of erased clients\n"));
    }
    for (name, documents) in &imported.skipped {
        text.push_str(&format!("left out: {name} ({documents} documents)\n"));
    }
    let ImportReport { appended, head, legacy_timezone, .. } = imported;
    text.push_str(&format!(
        "{appended} events appended, head {head}, legacy time zone {legacy_timezone}\n"
    ));
    text
}

const AUDIT_EXAMPLES: &str = "\
Examples:
  rollbook audit > audit.md
  rollbook audit --format json | jq .totals

The audit only reads. Every kind of dirt that an export may carry is a finding with the ids of its documents.";

/// Audit what the store holds: totals, responses by week, figures by client, findings.
#[derive(Debug, Args)]
#[command(after_help = AUDIT_EXAMPLES)]
pub(super) struct AuditArguments {
    /// How to print it.
    #[arg(long, value_enum, default_value = "md")]
    format: Format,
    /// The instant it speaks of (RFC 3339): whether a pause is over depends on it. Default now.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Md,
    Json,
}

impl AuditArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        if let Some(remote) = &context.remote {
            let format =
                if self.format == Format::Json || context.output.is_json() { "json" } else { "md" };
            return context.output.text(&remote.audit(format, self.at)?);
        }
        let store = context.open()?;
        let report = audit(&store, self.at.unwrap_or_else(Store::now))?;
        if self.format == Format::Json {
            context.output.json(&report)
        } else {
            context.output.either(&report, || report.to_markdown())
        }
    }
}

const EXPORT_EXAMPLES: &str = "\
Examples:
  rollbook export ./way-back

The directory has the shape that `rollbook import` reads and the old application restores. Documents that nothing happened to
are exactly as they were imported; answers given since are in it as the old system would have stored them.";

/// Write everything back as an export directory of the old application.
#[derive(Debug, Args)]
#[command(after_help = EXPORT_EXAMPLES)]
pub(super) struct ExportArguments {
    /// A new or empty directory.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

#[derive(Serialize)]
struct Exported {
    directory: PathBuf,
    position: u64,
    collections: std::collections::BTreeMap<&'static str, u64>,
}

impl ExportArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let store = context.open()?;
        let log = store.log();
        let position = log.head();
        let before = ExportMetadata::of(&log.stream(&StreamId::Control, 0)?);
        let counts =
            write_export(&LogDocuments { log, until: position }, &before, &self.directory)?;
        let collections =
            counts.into_iter().map(|(collection, count)| (collection.name(), count)).collect();
        let exported = Exported { directory: self.directory.clone(), position, collections };
        context.output.either(&exported, || {
            let lines = exported
                .collections
                .iter()
                .map(|(name, count)| format!("{name:<24}  {count:>8}\n"));
            lines
                .chain([format!(
                    "written to {} as of position {position}\n",
                    self.directory.display()
                )])
                .collect()
        })
    }
}

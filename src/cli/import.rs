//! `rollbook import`, `audit` and `export`: reads, audits and writes the documents of the old
//! application.

use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use rollbook_application::reports::audit::audit;
use rollbook_application::reports::imports::ImportState;
use rollbook_application::reports::resolution::resolve;
use rollbook_application::store::Store;
use rollbook_domain::calendar::Zone;
use rollbook_domain::{StreamId, Timestamp};
use rollbook_migrations::adapters::LogDocuments;
use rollbook_migrations::export_reader::{Export, JsonDirectory, read_export};
use rollbook_migrations::export_writer::{ExportMetadata, write_export};
use rollbook_migrations::import::adopt::Adoption;
use rollbook_migrations::import::{ImportOptions, ImportReport, MetPut, import};
use serde::Serialize;

use super::context::Context;
use super::output::{BAD, BOLD, styled};
use super::progress::{Bar, watched};
use crate::cli::error::CliError;
use crate::remote::Remote;

const IMPORT_EXAMPLES: &str = "\
Examples:
  rollbook import ./export-2026-01-11
  rollbook --data staging import ./export --legacy-timezone Europe/London
  rollbook --server https://rollbook.example.com --token-file ops.key import ./export-2026-02-01

The whole export is read and checked before the first event is written. Importing it again appends nothing. Importing a
later export appends only the changes. The store keeps the zone, so no later command needs it.

An export is refused if its own summary says that it failed or counts other documents than its files have, if it is older
than the last one, or if it no longer has a document with an answer, or more than five others. --dry-run shows what would
happen; --allow-older and --allow-removals accept it.

With --server, the export is imported into the running service, beside its clients and coaches. A week that is answered while
the import would remove it stays, and the output names it.";

/// Import an export directory of the old application.
#[derive(Debug, Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub(super) struct ImportArguments {
    /// The directory, with one JSON file per collection.
    #[arg(value_name = "EXPORT_DIR")]
    export: PathBuf,
    /// The time zone of the old server's calendar arithmetic, an IANA name. Default UTC.
    #[arg(long, value_name = "ZONE")]
    legacy_timezone: Option<Zone>,
    /// Skip collections that Rollbook does not know. The output lists and counts them.
    #[arg(long)]
    skip_unknown: bool,
    /// Write nothing; show what the import would add, change, remove and adopt.
    #[arg(long)]
    dry_run: bool,
    /// Import an export that is older than the last imported one.
    #[arg(long)]
    allow_older: bool,
    /// Remove the documents that the export no longer has, also if they are many or have answers.
    #[arg(long)]
    allow_removals: bool,
    /// Make a store that keeps personal data in the clear, permanently. Only for a new store.
    /// Clients cannot be erased from it.
    #[arg(long)]
    unsealed: bool,
}

impl ImportArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let directory = JsonDirectory::new(&self.export);
        let export = read_export(&directory, self.skip_unknown)?;
        let options = ImportOptions {
            zone: self.legacy_timezone,
            allow_older: self.allow_older,
            allow_removals: self.allow_removals,
            dry_run: self.dry_run,
        };
        let imported = match &context.remote {
            Some(remote) => {
                drop(export);
                self.import_there(remote, &directory, &options)?
            }
            None => self.import_here(context, export, &options)?,
        };
        context.output.either(&imported, || import_text(&imported))
    }

    fn import_here(
        &self,
        context: &Context,
        export: Export,
        options: &ImportOptions,
    ) -> Result<ImportReport, CliError> {
        let store = context.open_or_make(self.unsealed)?;
        if self.unsealed && store.log().sealing().sealed {
            return Err(CliError::Usage(
                "the store exists and is sealed; --unsealed is for a new store".to_owned(),
            ));
        }
        Ok(watched("importing", "events", |watch| import(store.runtime(), export, options, watch))?)
    }

    /// Sends the export, which is checked already, and shows how far the service is.
    fn import_there(
        &self,
        remote: &Remote,
        directory: &JsonDirectory,
        options: &ImportOptions,
    ) -> Result<ImportReport, CliError> {
        if self.unsealed {
            return Err(CliError::Usage(
                "--unsealed is for a new store; a service has one already".to_owned(),
            ));
        }
        let texts = directory.texts()?;
        let bar = Bar::new("importing", "events");
        let (ended, is_over) = mpsc::channel::<()>();
        let imported = std::thread::scope(|threads| {
            threads.spawn(move || follow(remote, &bar, &is_over));
            let imported = remote.import(texts, options, self.skip_unknown);
            drop(ended);
            imported
        });
        Ok(imported?)
    }
}

/// Shows how far the import at a service is, until it is over.
fn follow(remote: &Remote, bar: &Bar, is_over: &mpsc::Receiver<()>) {
    while is_over.recv_timeout(PROGRESS_INTERVAL) == Err(mpsc::RecvTimeoutError::Timeout) {
        // The import itself reports what is wrong.
        let Ok(imports) = remote.imports() else { continue };
        let Some(running) = imports.iter().find(|import| import.state == ImportState::Running)
        else {
            continue;
        };
        match running.events_planned {
            Some(planned) => bar.step("importing", running.events_done, planned),
            None => bar.step("reading", running.documents_read, running.documents_read),
        }
    }
}

/// How often a service is asked how far an import is.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(500);

/// The most adopted, removed or put documents that the text lists.
const DOCUMENTS_SHOWN: usize = 20;

/// The documents that an import removes: those with an answer first.
fn removals_text(imported: &ImportReport) -> String {
    let mut text = String::new();
    for removal in imported.removals.iter().take(DOCUMENTS_SHOWN) {
        let answered = if removal.answered { ", with an answer" } else { "" };
        text.push_str(&format!("removed: {}/{}{answered}\n", removal.collection, removal.id));
    }
    let more = imported.removals.len().saturating_sub(DOCUMENTS_SHOWN);
    if more > 0 {
        text.push_str(&format!("removed: {more} more; --json lists them all\n"));
    }
    for kept in &imported.kept {
        text.push_str(&format!("kept: {}/{}, answered meanwhile\n", kept.collection, kept.id));
    }
    text
}

/// The documents that were put into the store and that the export has with another content.
fn puts_text(imported: &ImportReport) -> String {
    let mut text = String::new();
    for MetPut { collection, id, kept } in imported.puts.iter().take(DOCUMENTS_SHOWN) {
        text.push_str(&match kept {
            true => format!("kept: {collection}/{id}, which was put after this export was made\n"),
            false => {
                format!("replaced: {collection}/{id}, which was put before this export was made\n")
            }
        });
    }
    let more = imported.puts.len().saturating_sub(DOCUMENTS_SHOWN);
    if more > 0 {
        text.push_str(&format!("kept or replaced: {more} more; --json lists them all\n"));
    }
    text
}

fn import_text(imported: &ImportReport) -> String {
    let mut text = removals_text(imported);
    text.push_str(&format!(
        "{}\n",
        styled(BOLD, "collection                imported  changed  removed  unchanged")
    ));
    for (name, counts) in &imported.collections {
        text.push_str(&format!(
            "{name:<24}  {:>8}  {:>7}  {:>7}  {:>9}\n",
            counts.imported, counts.changed, counts.removed, counts.unchanged
        ));
    }
    text.push_str(&puts_text(imported));
    let erased: u64 = imported.collections.values().map(|counts| counts.erased).sum();
    if erased > 0 {
        text.push_str(&format!("skipped: {erased} documents of erased clients\n"));
    }
    for (name, documents) in &imported.skipped {
        text.push_str(&format!("skipped: {name} ({documents} documents)\n"));
    }
    for adopted in imported.adopted.iter().take(DOCUMENTS_SHOWN) {
        let Adoption { series, week, document, assignment } = adopted;
        text.push_str(&format!(
            "adopted: document {document} is now assignment {assignment}, week {week} of {series}\n"
        ));
    }
    let more = imported.adopted.len().saturating_sub(DOCUMENTS_SHOWN);
    if more > 0 {
        text.push_str(&format!("adopted: {more} more; --json lists them all\n"));
    }
    let ImportReport { appended, head, legacy_timezone, .. } = imported;
    let appended = if imported.dry_run {
        format!("dry run, nothing written: {appended} events to append")
    } else {
        format!("{appended} events appended")
    };
    text.push_str(&format!("{appended}, head {head}, legacy time zone {legacy_timezone}\n"));
    if let Some(refused) = &imported.refused {
        text.push_str(&format!("{}: {refused}\n", styled(BAD, "would be refused")));
    }
    text
}

const AUDIT_EXAMPLES: &str = "\
Examples:
  rollbook audit > audit.md
  rollbook audit --format json | jq .totals

The audit only reads. Every kind of inconsistency that an export can have is a finding, with the ids of the documents and the
command that resolves it, or the word that none does.";

/// Audit the store: totals, responses by week, figures by client, findings.
#[derive(Debug, Args)]
#[command(after_help = AUDIT_EXAMPLES)]
pub(super) struct AuditArguments {
    /// The format.
    #[arg(long, value_enum, default_value = "md")]
    format: Format,
    /// The instant of the audit (RFC 3339): it decides whether a pause is over. Default now.
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
        let mut report = audit(&store, self.at.unwrap_or_else(Store::now))?;
        resolve(&store.reading(), &mut report, &super::resolve::command)?;
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

The directory has the form that `rollbook import` reads and the old application restores. Unchanged documents are exactly
as they were imported. Later answers are stored as the old system would have stored them.";

/// Write the store as an export directory of the old application.
#[derive(Debug, Args)]
#[command(after_help = EXPORT_EXAMPLES)]
pub(super) struct ExportArguments {
    /// A new or empty directory.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

#[derive(Serialize)]
struct ExportReport {
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
        let report = ExportReport { directory: self.directory.clone(), position, collections };
        context.output.either(&report, || {
            let lines =
                report.collections.iter().map(|(name, count)| format!("{name:<24}  {count:>8}\n"));
            lines
                .chain([format!(
                    "written to {}, as of position {position}\n",
                    self.directory.display()
                )])
                .collect()
        })
    }
}

//! `rollbook erase`: erases a client's personal data for good. Asks before it does, and records the
//! erasure in directories of backups afterwards.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::Args;
use rollbook_application::backup::{BackupError, erasure_ledger};
use rollbook_application::operations::erase::{ErasureOutcome, erase, erasure_of};
use rollbook_application::store::Store;
use rollbook_projections::tracker::{self, Tracker};
use serde::Serialize;

use super::arguments::WriteOptions;
use super::output::{GOOD, styled};
use super::{Bar, Context};
use crate::cli::error::CliError;

const EXAMPLES: &str = "\
Examples:
  rollbook erase --client ada --reason 'asked to be forgotten on 3 March'
  rollbook --data prod erase --client ada --reason 'request 4711' --yes --json

Destroys the keys of all identities of the client, records the erasure, folds every list again and writes every file of the
database again, which takes as long as reading the store. The data cannot be recovered. If the command is killed, run it again:
it resumes. Older backups still hold the keys, wrapped by the master key: a restore of one erases the client again. Prune them
when you can. The reason stays readable.";

/// Erase a client: destroy their keys, and clear what was folded from their data.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct EraseArguments {
    /// The client, by any id.
    #[arg(long, value_name = "ID", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    client: String,
    /// Why. Stays readable: write nothing personal.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
    /// Do not ask for confirmation.
    #[arg(long)]
    yes: bool,
    /// A directory of backups whose erasure ledger is written, besides DIR-backups; may be given several times.
    #[arg(long, value_name = "DIR", env = "ROLLBOOK_BACKUPS")]
    backups: Vec<PathBuf>,
    #[command(flatten)]
    writing: WriteOptions,
}

impl EraseArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let store = context.open()?;
        context.fold(&store)?;
        let (ids, before) = erasure_of(&store, &self.client)?;
        if !before.is_some_and(|erasure| erasure.complete) {
            self.confirm(&ids)?;
        }
        let mut backups = vec![beside(context)];
        backups.extend(self.backups.iter().cloned());
        let bar = Bar::new("folding without the client", "events");
        let progress = |done, of| bar.fold_progress(done, of);
        let request = self.writing.request();
        let erased = erase(&store, &self.client, &self.reason, &request, &progress)?;
        // Also record an earlier erasure, because a directory may be new or may have been unmounted before.
        let ledgers =
            erasure_ledger::record_in_existing(&store, &backups).map_err(BackupError::from)?;
        drop(bar);
        let report = ErasureReport { erased, ledgers };
        if report.ledgers.is_empty() && backups_on_record(&store)? > 0 {
            let _unheard = writeln!(anstream::stderr().lock(), "{NO_LEDGER}");
        }
        context.output.either(&report, || report.text())
    }

    /// Asks on a terminal; without one, `--yes` is needed.
    fn confirm(&self, ids: &[String]) -> Result<(), CliError> {
        if self.yes {
            return Ok(());
        }
        let refuse = |why: &str| {
            Err(CliError::Usage(format!(
                "{why}; nothing was done: --yes erases {} without asking",
                self.client
            )))
        };
        if !std::io::stdin().is_terminal() {
            return refuse("an erasure cannot be taken back, and there is no terminal to ask on");
        }
        let _unheard = write!(
            anstream::stderr().lock(),
            "This destroys the personal data of {} for good. Type {} to continue: ",
            ids.join(", "),
            self.client
        );
        let mut typed = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut typed)
            .map_err(CliError::system("read the answer from the terminal"))?;
        if typed.trim() == self.client { Ok(()) } else { refuse("that was another id") }
    }
}

/// A note for a store with backups whose restore would bring the client back.
const NO_LEDGER: &str = "note: this store has backups, and no directory of backups records the erasure; run this again with \
                         --backups DIR, or restore them with --forget";

/// Returns the number of backups that the store recorded.
fn backups_on_record(store: &Store) -> Result<u64, CliError> {
    let snapshot = store.snapshot()?;
    let (rows, _) = snapshot.rows::<Tracker>()?;
    Ok(tracker::counts(&rows)?.events.get("BackupTaken").copied().unwrap_or_default())
}

/// Returns the directory of backups beside the store.
fn beside(context: &Context) -> PathBuf {
    rollbook_application::backup::Backups::of(&context.data).directory().to_owned()
}

/// The outcome of an erasure, and the directories of backups whose ledger records it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErasureReport {
    #[serde(flatten)]
    erased: ErasureOutcome,
    #[serde(rename = "told")]
    ledgers: Vec<PathBuf>,
}

impl ErasureReport {
    fn text(&self) -> String {
        let Self { erased, ledgers } = self;
        let ErasureOutcome { client, ids, position, already, resumed } = erased;
        if *already {
            return format!(
                "{client} was erased already, at position {position}; nothing was done\n"
            );
        }
        let resumed = if *resumed { " (resumed)" } else { "" };
        let ledgers: String = ledgers
            .iter()
            .map(|directory| {
                format!(
                    "recorded in {}: a restore from there erases the client again\n",
                    directory.display()
                )
            })
            .collect();
        format!(
            "{} {client}{resumed}: the keys of {} are destroyed, recorded at position {position}\nrows folded again, every file of the database rewritten\n{ledgers}",
            styled(GOOD, "erased"),
            ids.join(", ")
        )
    }
}

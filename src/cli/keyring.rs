//! `rollbook keyring`: shows the keys that seal personal data, changes the master key, and repairs
//! a keyring that is older than its log.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use rollbook_application::operations::keyring::{KeyringGaps, keyring_gaps, repair_keyring};
use rollbook_application::store::Store;
use rollbook_log::{KEYRING_FILE, MasterKeySource, OpenOptions};
use serde::Serialize;

use super::Bar;
use super::context::Context;
use super::output::{BAD, BOLD, GOOD, styled};
use crate::cli::error::CliError;

const EXAMPLES: &str = "\
Examples:
  rollbook keyring status
  rollbook --data prod keyring rotate --new-master-key /etc/rollbook/master-2
  rollbook --data prod keyring repair --dry-run

These keys seal personal data. For API keys see `rollbook key`.";

const STATUS_EXAMPLES: &str = "\
Examples:
  rollbook keyring status
  rollbook keyring status --json | jq .erasures";

const ROTATE_EXAMPLES: &str = "\
Examples:
  rollbook --data prod keyring rotate --new-master-key /etc/rollbook/master-2
  rollbook --data prod --master-key /etc/rollbook/master-2 keyring rotate --new-master-key /etc/rollbook/master-3

Encrypts every key with the new master key; no event is rewritten. If the file does not exist, it is made with a new key; if it exists, it must hold a
master key. If the command is killed, the keyring works with one of the two keys. Older backups need the old key: keep it as long as those backups.";

const REPAIR_EXAMPLES: &str = "\
Examples:
  rollbook --data prod keyring repair --dry-run
  rollbook --data prod keyring repair --yes

A store whose keyring is older than its log, or was cut short, does not open: erased clients could be read again. First look for the
newest keyring, in the latest backup. Without one, this destroys the keys of erased clients again, and gives up the content that the
keyring has no key for: it reads as erased from then on. Rows are folded again, and every file of the database is written again.";

/// Show the keys that seal personal data, change the master key, and repair an outdated keyring.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct KeyringArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show how personal data is stored, and who was erased.
    #[command(after_help = STATUS_EXAMPLES)]
    Status,
    /// Change the master key.
    #[command(after_help = ROTATE_EXAMPLES)]
    Rotate {
        /// The file of the new master key. It is made if it does not exist.
        #[arg(long, value_name = "FILE")]
        new_master_key: PathBuf,
    },
    /// Repair a keyring that is older than the log, or was cut short.
    #[command(after_help = REPAIR_EXAMPLES)]
    Repair {
        /// Show what would be destroyed and given up, and change nothing.
        #[arg(long)]
        dry_run: bool,
        /// Do not ask for confirmation.
        #[arg(long, conflicts_with = "dry_run")]
        yes: bool,
    },
}

#[derive(Serialize)]
struct Keyring {
    sealed: bool,
    file: PathBuf,
    master_key: Option<String>,
    keys: u64,
    rewritten: u64,
    erasures: Vec<ErasureLine>,
}

#[derive(Serialize)]
struct ErasureLine {
    ids: Vec<String>,
    complete: bool,
    /// The keys were given up by a repair; nobody asked for an erasure.
    lost: bool,
}

#[derive(Serialize)]
struct RotationReport {
    master_key: PathBuf,
    made: bool,
    keys: u64,
}

impl KeyringArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        match &self.action {
            Action::Status => status(context, &context.open()?),
            Action::Rotate { new_master_key } => rotate(context, &context.open()?, new_master_key),
            Action::Repair { dry_run, yes } => repair(context, *dry_run, *yes),
        }
    }
}

fn status(context: &Context, store: &Store) -> Result<(), CliError> {
    let state = store.log().sealing();
    let line = |erasure: rollbook_log::Erasure| -> Result<ErasureLine, CliError> {
        let lost = store.log().event(erasure.id)?.is_none() && erasure.complete;
        Ok(ErasureLine { ids: erasure.ids, complete: erasure.complete, lost })
    };
    let keyring = Keyring {
        sealed: state.sealed,
        file: context.data.join(KEYRING_FILE),
        master_key: state.master_key,
        keys: state.keys,
        rewritten: state.rewritten,
        erasures: store.log().erasures().into_iter().map(line).collect::<Result<_, _>>()?,
    };
    context.output.either(&keyring, || keyring.text())
}

impl Keyring {
    fn text(&self) -> String {
        let Self { sealed, file, master_key, keys, rewritten, erasures } = self;
        let sealed = if *sealed {
            "sealed".to_owned()
        } else {
            styled(BAD, "unsealed: personal data is in the clear")
        };
        let mut text = format!("{} {sealed}\n", styled(BOLD, "store     "));
        text.push_str(&format!(
            "{} {}, {keys} keys, rewritten {rewritten} times\n",
            styled(BOLD, "keyring   "),
            file.display()
        ));
        text.push_str(&format!(
            "{} {}\n",
            styled(BOLD, "master key"),
            master_key.as_deref().unwrap_or("none")
        ));
        for ErasureLine { ids, complete, lost } in erasures {
            let title = if *lost { "lost      " } else { "erased    " };
            let state = if *complete {
                String::new()
            } else {
                styled(BAD, ": not finished, run `rollbook erase` again")
            };
            text.push_str(&format!("{} {}{state}\n", styled(BOLD, title), ids.join(", ")));
        }
        text
    }
}

fn rotate(context: &Context, store: &Store, to: &std::path::Path) -> Result<(), CliError> {
    let made = store.log().rotate_master_key(&MasterKeySource::File(to.to_owned()))?.is_some();
    let report =
        RotationReport { master_key: to.to_owned(), made, keys: store.log().sealing().keys };
    context.output.either(&report, || {
        let made = if made { "new" } else { "existing file" };
        format!(
            "{} keys are encrypted with {} ({made}); name it with --master-key or ROLLBOOK_MASTER_KEY_FILE from now on\nkeep the old key as long as the older backups\n",
            report.keys,
            to.display()
        )
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RepairReport {
    dry_run: bool,
    #[serde(flatten)]
    gaps: KeyringGaps,
    keys: u64,
}

impl RepairReport {
    fn text(&self) -> String {
        let Self { dry_run, gaps, keys } = self;
        let mut text = String::new();
        for erased in &gaps.erased {
            text.push_str(&format!(
                "{} {}: the log says so, and the keyring has the keys\n",
                styled(BOLD, "erased    "),
                erased.ids.join(", ")
            ));
        }
        for stream in &gaps.lost {
            text.push_str(&format!(
                "{} {stream}: the keyring has no key for it\n",
                styled(BAD, "lost      ")
            ));
        }
        text.push_str(&if *dry_run {
            "nothing was changed; next: look for a newer keyring, or `rollbook keyring repair`\n"
                .to_owned()
        } else {
            format!(
                "{} {} erased again, {} streams given up; the keyring has {keys} keys\n",
                styled(GOOD, "repaired  "),
                gaps.erased.len(),
                gaps.lost.len()
            )
        });
        text
    }
}

fn repair(context: &Context, dry_run: bool, yes: bool) -> Result<(), CliError> {
    if context.remote.is_some() {
        return Err(super::context::directory_only());
    }
    let master_key = context.master_key.clone();
    let options = OpenOptions { master_key, outdated_keyring: true, ..OpenOptions::default() };
    let store = Store::open_with(&context.data, options)?;
    let gaps = keyring_gaps(&store)?;
    if !dry_run {
        if !gaps.is_empty() && !yes {
            confirm(&gaps)?;
        }
        let bar = Bar::new("folding without them", "events");
        repair_keyring(&store, &gaps, &|done, of| bar.fold_progress(done, of))?;
    }
    let report = RepairReport { dry_run, gaps, keys: store.log().sealing().keys };
    context.output.either(&report, || report.text())
}

/// Asks on a terminal; without one, `--yes` is needed.
fn confirm(gaps: &KeyringGaps) -> Result<(), CliError> {
    let (erased, lost) = (gaps.erased.len(), gaps.lost.len());
    let refuse = |why: &str| {
        let what = format!("{erased} erased clients and {lost} streams without a key");
        Err(CliError::Usage(format!(
            "{why}; nothing was done: --dry-run shows {what}, --yes repairs without asking"
        )))
    };
    if !std::io::stdin().is_terminal() {
        return refuse("a repair cannot be taken back, and there is no terminal to ask on");
    }
    let _unheard = write!(
        anstream::stderr().lock(),
        "This destroys the keys of {erased} erased clients again, and gives up {lost} streams for good. Type repair to continue: "
    );
    let mut typed = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut typed)
        .map_err(CliError::system("read the answer from the terminal"))?;
    if typed.trim() == "repair" { Ok(()) } else { refuse("that was another word") }
}

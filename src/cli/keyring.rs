//! `rollbook keyring`: shows the keys that seal personal data, and changes the master key.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use rollbook_application::store::Store;
use rollbook_log::{KEYRING_FILE, MasterKeySource};
use serde::Serialize;

use super::context::Context;
use super::output::{BAD, BOLD, styled};
use crate::cli::error::CliError;

const EXAMPLES: &str = "\
Examples:
  rollbook keyring status
  rollbook --data prod keyring rotate --new-master-key /etc/rollbook/master-2

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

/// Show the keys that seal personal data, and change the master key.
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
}

#[derive(Serialize)]
struct RotationReport {
    master_key: PathBuf,
    made: bool,
    keys: u64,
}

impl KeyringArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let store = context.open()?;
        match &self.action {
            Action::Status => status(context, &store),
            Action::Rotate { new_master_key } => rotate(context, &store, new_master_key),
        }
    }
}

fn status(context: &Context, store: &Store) -> Result<(), CliError> {
    let state = store.log().sealing();
    let line = |erasure: rollbook_log::Erasure| ErasureLine {
        ids: erasure.ids,
        complete: erasure.complete,
    };
    let keyring = Keyring {
        sealed: state.sealed,
        file: context.data.join(KEYRING_FILE),
        master_key: state.master_key,
        keys: state.keys,
        rewritten: state.rewritten,
        erasures: store.log().erasures().into_iter().map(line).collect(),
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
        for ErasureLine { ids, complete } in erasures {
            let state = if *complete {
                String::new()
            } else {
                styled(BAD, ": not finished, run `rollbook erase` again")
            };
            text.push_str(&format!("{} {}{state}\n", styled(BOLD, "erased    "), ids.join(", ")));
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

//! `rollbook checkpoint`: signs the current state of the log.

use std::path::PathBuf;

use clap::Args;
use rollbook_application::evidence::{EvidenceError, Notary, verifier_key, write_new};
use rollbook_application::reports::evidence::CheckpointReport;

use super::context::{Context, Place};
use super::output::{BOLD, FAINT, notice, styled};
use crate::cli::error::CliError;

const EXAMPLES: &str = "\
Examples:
  rollbook checkpoint
  rollbook checkpoint --out 2026-01-15.checkpoint
  rollbook checkpoint --public-key
  rollbook --server http://127.0.0.1:7350 --token-file ops.key checkpoint --out 2026-01-15.checkpoint

Signs the root of the tree over all events, in C2SP's format tlog-checkpoint, and stores the checkpoint. Keep copies elsewhere, together
with the public key: they prove later that no event was changed, removed or moved. The first checkpoint makes the signing key.";

/// Sign the current state of the log, so that others can check later that nothing was altered.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CheckpointArguments {
    /// Also write the checkpoint to this file.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    signing: SigningArguments,
    /// Print the public key (name+hash+base64) and sign nothing.
    #[arg(long, conflicts_with_all = ["out", "signing_key"])]
    public_key: bool,
}

/// The signing key.
#[derive(Debug, Args)]
pub(super) struct SigningArguments {
    /// The file of the signing key. Default: beside the store, DIR.signing-key.
    #[arg(long, value_name = "FILE")]
    signing_key: Option<PathBuf>,
}

impl SigningArguments {
    /// Opens the notary. Prints a note if that made a new key.
    pub(super) fn notary<'s>(
        &self,
        store: &'s rollbook_application::store::Store,
    ) -> Result<Notary<'s>, CliError> {
        let notary = Notary::open(store, self.signing_key.as_deref())?;
        if let Some(path) = notary.made() {
            let path = path.display();
            notice(&format!(
                "the new signing key of this store is in {path}. Keep it secret, keep a copy of it, and give others the public key: {}",
                notary.verifier()
            ));
        }
        Ok(notary)
    }
}

impl CheckpointArguments {
    /// Where the command works. A service signs with its own key only.
    pub(super) fn place(&self) -> Place {
        if self.public_key || self.signing.signing_key.is_some() {
            Place::Directory
        } else {
            Place::Either
        }
    }

    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        if let Some(remote) = &context.remote {
            let signed = remote.checkpoint()?;
            return self.print(context, &signed);
        }
        let store = context.open()?;
        if self.public_key {
            let key = verifier_key(store.directory())?.ok_or(EvidenceError::NoKeyYet)?;
            return context
                .output
                .either(&serde_json::json!({ "key": key }), || format!("{key}\n"));
        }
        context.fold(&store)?;
        let notary = self.signing.notary(&store)?;
        let checkpoint = notary.checkpoint(store.log().head())?;
        self.print(context, &CheckpointReport::of(&notary, &checkpoint))
    }

    fn print(&self, context: &Context, signed: &CheckpointReport) -> Result<(), CliError> {
        if let Some(path) = &self.out {
            write_new(path, &signed.checkpoint)?;
        }
        context.output.either(signed, || match &self.out {
            Some(path) => format!(
                "{} {} events, root {}, in {}\n{}\n",
                styled(BOLD, "signed"),
                signed.size,
                signed.root,
                path.display(),
                styled(FAINT, format!("by {}", signed.key))
            ),
            None => signed.checkpoint.clone(),
        })
    }
}

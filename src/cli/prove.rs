//! `rollbook prove` and `check-proof`: makes proof files from a store, and checks them without it.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use rollbook_application::evidence::{EvidenceError, write_new};
use rollbook_application::reports::evidence::{ProofContent, ProofReport};
use rollbook_application::store::{Store, StoreError};
use rollbook_projections::ProjectionError;
use rollbook_proofs::{ConsistencyProof, EventProof, VerifierKey, consistency, inclusion};
use uuid::Uuid;

use super::checkpoint::SigningArguments;
use super::context::Context;
use super::output::{BAD, GOOD, styled};
use super::text::Text;
use crate::cli::error::CliError;

const EXAMPLES: &str = "\
Examples:
  rollbook prove event 812 --out 812.tlog-proof
  rollbook prove event 0198c4f2-4a6e-7c3b-9d58-6b1f2a3c4d5e > answer.tlog-proof
  rollbook prove consistency --from 700 --out nothing-before-was-altered.txt

A proof is one text file. Anyone with the public key can check it without the store: rollbook check-proof FILE.";

/// Prove to others that the log holds an event, or that it only grew.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ProveArguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Event(EventArguments),
    Consistency(ConsistencyArguments),
}

/// Prove that the log holds an event at its position.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  rollbook prove event 812 --out 812.tlog-proof\n\nThe file holds everything that is stored about the event."
)]
struct EventArguments {
    /// The event's position or id.
    #[arg(value_name = "POSITION|EVENT_ID")]
    event: String,
    /// The size of the tree, in events. Default: that of the last checkpoint that covers the event,
    /// or all events.
    #[arg(long, value_name = "SIZE")]
    size: Option<u64>,
    #[command(flatten)]
    common: CommonArguments,
}

/// Prove that a log begins with an older state of itself.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  rollbook prove consistency --from 700 --to 812 --out grown.txt"
)]
struct ConsistencyArguments {
    /// The size of the older tree, in events.
    #[arg(long, value_name = "SIZE")]
    from: u64,
    /// The size of the newer tree, in events. Default: all.
    #[arg(long, value_name = "SIZE")]
    to: Option<u64>,
    #[command(flatten)]
    common: CommonArguments,
}

#[derive(Debug, Args)]
struct CommonArguments {
    /// The file. Default: print it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    signing: SigningArguments,
}

impl ProveArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let store = context.open()?;
        context.fold(&store)?;
        match &self.what {
            What::Event(arguments) => {
                let position = position(&store, &arguments.event)?;
                if let Some(size) = arguments.size {
                    require_tree(&store, position, size, "--size")?;
                }
                let proof = arguments
                    .common
                    .signing
                    .notary(&store)?
                    .prove_event(position, arguments.size)?;
                let proved = ProofReport::event(&proof, true)
                    .ok_or_else(|| StoreError::UnknownId(arguments.event.clone()))?;
                arguments.common.output(context, &proof.to_text(), &proved)
            }
            What::Consistency(arguments) => {
                let newer = arguments.to.unwrap_or_else(|| store.log().head());
                require_tree(&store, arguments.from, newer, "--to")?;
                let proof = arguments
                    .common
                    .signing
                    .notary(&store)?
                    .prove_consistency(arguments.from, newer)?;
                arguments.common.output(
                    context,
                    &proof.to_text(),
                    &ProofReport::consistency(&proof, true),
                )
            }
        }
    }
}

/// Rejects a tree that the log has not reached, and a part that is not in the tree, before a key is
/// made or anything is signed.
fn require_tree(store: &Store, part: u64, size: u64, option: &str) -> Result<(), CliError> {
    let head = store.log().head();
    if size > head {
        return Err(ProjectionError::BeyondHead { asked: size, head }.into());
    }
    if !(1..=size).contains(&part) {
        return Err(CliError::Usage(format!(
            "{part} is not between 1 and {size}, the size from {option} or of the log"
        )));
    }
    Ok(())
}

/// The position of an event, by position or id.
fn position(store: &Store, event: &str) -> Result<u64, CliError> {
    let unknown = || StoreError::UnknownId(event.to_owned());
    match event.parse::<u64>() {
        Ok(position) if (1..=store.log().head()).contains(&position) => Ok(position),
        Ok(_beyond) => Err(unknown().into()),
        Err(_no_number) => {
            let id: Uuid = event.parse().map_err(|_| unknown())?;
            Ok(store.log().event(id)?.ok_or_else(unknown)?.position)
        }
    }
}

impl CommonArguments {
    fn output(&self, context: &Context, text: &str, proved: &ProofReport) -> Result<(), CliError> {
        if let Some(path) = &self.out {
            write_new(path, text)?;
        }
        #[derive(serde::Serialize)]
        struct ProofOutput<'a> {
            #[serde(flatten)]
            proved: &'a ProofReport,
            file: Option<&'a Path>,
            text: &'a str,
        }
        let report = ProofOutput { proved, file: self.out.as_deref(), text };
        context.output.either(&report, || match &self.out {
            Some(path) => format!("{}proof in {}\n", proved.text(), path.display()),
            None => text.to_owned(),
        })
    }
}

const CHECK_EXAMPLES: &str = "\
Examples:
  rollbook check-proof 812.tlog-proof --key 'rollbook/0198c4f2-4a6e-7c3b-9d58-6b1f2a3c4d5e+1f2a3c4d+AaBb…'
  rollbook check-proof grown.txt --key public-key.txt

Needs no store. Without --key the key in the file is used: that proves that the file is intact, but not who made it.";

/// Check a proof file; needs no store.
#[derive(Debug, Args)]
#[command(after_help = CHECK_EXAMPLES)]
pub(super) struct CheckProofArguments {
    /// The proof of an event, or the consistency proof.
    file: PathBuf,
    #[command(flatten)]
    trust: TrustArguments,
}

/// The key to trust.
#[derive(Debug, Args)]
pub(super) struct TrustArguments {
    /// The public key to trust (name+hash+base64), or a file that holds it.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

impl TrustArguments {
    /// The given key.
    pub(super) fn key(&self) -> Result<Option<VerifierKey>, CliError> {
        let Some(given) = &self.key else { return Ok(None) };
        let refused = match given.parse() {
            Ok(key) => return Ok(Some(key)),
            Err(refused) => refused,
        };
        let path = Path::new(given);
        if !path.is_file() {
            return Err(CliError::Usage(format!("{refused}, or the path of a file that holds it")));
        }
        let text = std::fs::read_to_string(path)
            .map_err(|source| CliError::Input { path: path.to_owned(), source })?;
        let key = text.trim_end().parse();
        Ok(Some(key.map_err(|source| EvidenceError::NoKey { path: path.to_owned(), source })?))
    }
}

impl CheckProofArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let proved = self.check()?;
        context.output.either(&proved, || proved.text())
    }

    fn check(&self) -> Result<ProofReport, CliError> {
        let (path, trusted) = (&self.file, self.trust.key()?);
        let bytes =
            std::fs::read(path).map_err(|source| CliError::Input { path: path.clone(), source })?;
        // A binary file starts with neither of the two first lines.
        let text = String::from_utf8_lossy(&bytes);
        let refused =
            |source| EvidenceError::Refused { path: path.clone(), source: Box::new(source) };
        if text.starts_with(inclusion::FIRST_LINE) {
            let proof = EventProof::read(&text).map_err(refused)?;
            proof.check(trusted.as_ref()).map_err(refused)?;
            Ok(ProofReport::event(&proof, trusted.is_some())
                .ok_or_else(|| EvidenceError::NoEvent { path: path.clone() })?)
        } else if text.starts_with(consistency::FIRST_LINE) {
            let proof = ConsistencyProof::read(&text).map_err(refused)?;
            proof.check(trusted.as_ref()).map_err(refused)?;
            Ok(ProofReport::consistency(&proof, trusted.is_some()))
        } else {
            Err(EvidenceError::NoProof { path: path.clone() }.into())
        }
    }
}

/// The key that signed, and a warning if it is only the key in the file.
pub(super) fn signed_by(key: &VerifierKey, trusted: bool) -> String {
    if trusted {
        format!("signed by {key}\n")
    } else {
        let warning = "this key came with the file: compare it with the key you trust, or give that key with --key";
        format!("signed by {key}\n{} {warning}\n", styled(BAD, "note:"))
    }
}

impl Text for ProofReport {
    fn text(&self) -> String {
        let Self { origin, size, root, .. } = self;
        let what = match &self.shown {
            ProofContent::Event(event) => {
                let name = event
                    .event
                    .as_deref()
                    .unwrap_or("an event that this version of rollbook cannot read");
                let recorded = event.recorded_at.as_deref().unwrap_or("no instant");
                format!(
                    "{} {name}, {} version {}, id {}, recorded {recorded} by {}\nis event {} of the {size} of {origin}, root {root}\n",
                    styled(GOOD, "proved:"),
                    event.stream,
                    event.version,
                    event.id,
                    event.actor,
                    event.position
                )
            }
            ProofContent::Consistency { older_size, older_root, .. } => format!(
                "{} the {size} events of {origin}, root {root},\nbegin with the {older_size} events of root {older_root}: none was changed, removed or moved\n",
                styled(GOOD, "proved:")
            ),
        };
        format!("{what}{}", signed_by(&self.key, self.key_trusted))
    }
}

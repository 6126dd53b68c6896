//! `rollbook verify`: checks a store without writing to it.

use std::path::PathBuf;

use clap::Args;
use rollbook_application::evidence::EvidenceError;
use rollbook_proofs::SignedCheckpoint;

use super::context::{Context, directory_only};
use super::output::{GOOD, styled};
use super::progress::Bar;
use super::prove::TrustArguments;
use super::text::Text;
use crate::cli::error::CliError;
use crate::verify::{Request, Verification, VerifiedRows, verify};

const EXAMPLES: &str = "\
Examples:
  rollbook verify
  rollbook verify --log-only --json
  rollbook verify --checkpoint 2026-01-15.checkpoint --key public-key.txt

Reads every byte of the database's files and checks every checksum. Compares events, index entries and rows with each other. Computes
the tree over all events again and compares it with its rows and with every signed checkpoint. Writes nothing into the store. Reports
damage by file and byte, and by position; the exit code is then 1.";

/// Check the whole store without writing to it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct VerifyArguments {
    /// Check the files and the log, not the projections' rows.
    #[arg(long)]
    log_only: bool,
    /// Also compare the log with a checkpoint kept elsewhere; may be repeated.
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    #[command(flatten)]
    trust: TrustArguments,
    /// Where to fold the rows again for the comparison; it takes as much space as the rows.
    /// Default: the directory for temporary files.
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

impl VerifyArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        if context.remote.is_some() {
            return Err(directory_only());
        }
        let mut checkpoints = Vec::new();
        for path in &self.checkpoint {
            let text = std::fs::read(path)
                .map_err(|source| CliError::Input { path: path.clone(), source })?;
            let refused =
                |source| EvidenceError::Refused { path: path.clone(), source: Box::new(source) };
            checkpoints.push((
                path.display().to_string(),
                SignedCheckpoint::read(&String::from_utf8_lossy(&text)).map_err(refused)?,
            ));
        }
        let request = Request {
            log_only: self.log_only,
            scratch: self.scratch.as_deref(),
            key: self.trust.key()?,
            checkpoints,
        };
        let bar = Bar::new("", "");
        let verified = verify(
            &context.data,
            || context.open_in(&context.data),
            &request,
            &|what, done, of| bar.step(what, done, of),
        )?;
        drop(bar);
        context.output.either(&verified, || verified.text())
    }
}

impl Text for Verification {
    fn text(&self) -> String {
        let Self { head, commits, files, bytes, checkpoints, seconds, events_per_second, .. } =
            self;
        let mut text =
            format!("{}: {commits} commits, {head} events\n", styled(GOOD, "the log is intact"));
        text.push_str(&format!("files: {files} read, {bytes} bytes, all checksums match\n"));
        for VerifiedRows { name, position, rows, behind } in &self.projections {
            let behind = if *behind == 0 {
                String::new()
            } else {
                format!(", {behind} events not folded yet")
            };
            text.push_str(&format!(
                "{name}: {rows} rows match the log at position {position}{behind}\n"
            ));
        }
        if let Some(root) = &self.root {
            text.push_str(&format!("root: {root}, {checkpoints} signed checkpoints match\n"));
        }
        text.push_str(&format!("{seconds:.1} s, {events_per_second:.0} events per second\n"));
        text.push_str(&format!("not checked: {}\n", self.not_checked.join(", ")));
        text
    }
}

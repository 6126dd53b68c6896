//! `rollbook rebuild`: folds projections again from position 1 and compares the rows with the
//! current ones.

use clap::Args;
use rollbook_projections::ProjectionName;
use rollbook_projections::runtime::Rebuilt;

use super::context::Context;
use super::output::{BOLD, GOOD, styled};
use super::progress::Bar;
use crate::cli::error::CliError;

const EXAMPLES: &str = "\
Examples:
  rollbook rebuild precreated
  rollbook rebuild --all --json

Projections are directory, legacy, precreated, documents, names, tracker and tree. The new rows replace the old ones as soon as they are complete.
If they differ, the exit code is 1.";

/// Rebuild the rows of a projection from the log, and compare them.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct RebuildArguments {
    /// The projection.
    #[arg(value_name = "VIEW", required_unless_present = "all", conflicts_with = "all")]
    view: Option<String>,
    /// Every projection.
    #[arg(long)]
    all: bool,
}

impl RebuildArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let store = context.open()?;
        context.fold(&store)?;
        let names = match &self.view {
            Some(view) => vec![view.parse::<ProjectionName>()?],
            None => store.runtime().names().to_vec(),
        };
        let mut rebuilt = Vec::new();
        for name in names {
            let bar = Bar::new(&format!("rebuilding {name}"), "events");
            rebuilt.push(store.runtime().rebuild(name, &|done, of| bar.fold_progress(done, of))?);
        }
        let different = || rebuilt.iter().filter(|one| !one.identical);
        if different().next().is_some() {
            let projections: Vec<&str> = different().map(|one| one.projection.as_str()).collect();
            return Err(CliError::NotIdentical {
                projections: projections.join(", "),
                digests: different().map(digests).collect(),
            });
        }
        context.output.either(&rebuilt, || rebuilt.iter().map(text).collect())
    }
}

fn digests(rebuilt: &Rebuilt) -> String {
    let Rebuilt { projection, position, rows, digest_before, digest_after, .. } = rebuilt;
    format!(
        "{projection} at {position}: {digest_before} before, {digest_after} after with {rows} rows"
    )
}

fn text(rebuilt: &Rebuilt) -> String {
    let Rebuilt { projection, position, rows, digest_after, .. } = rebuilt;
    let name = styled(BOLD, format!("{projection:<10}"));
    format!(
        "{name} {rows} rows at {position}: {}, SHA-256 {digest_after}\n",
        styled(GOOD, "identical")
    )
}

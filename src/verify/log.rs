//! Verification of the log: events, index entries, the rows of the tree, and the signed roots, in
//! one pass from the first commit to the last.

use rollbook_application::store::Store;
use rollbook_domain::Position;
use rollbook_log::{LogChecked, LogError};
use rollbook_projections::ProjectionError;
use rollbook_projections::rows::{MemoryRows, RowSource};
use rollbook_projections::tree::Tree;
use rollbook_projections::tree_check::{TreeCheck, TreeChecked};

use super::findings::DamageReport;
use super::signed::SignedCheckpoints;
use super::{Progress, VerifyError};

/// Reads the complete log once.
pub(super) fn check_log(
    store: &Store,
    signed: &mut SignedCheckpoints,
    report: &mut DamageReport,
    progress: Progress<'_>,
) -> Result<(LogChecked, TreeChecked), VerifyError> {
    let runtime = store.runtime();
    let snapshot = runtime.unfolded();
    let stored = snapshot.find::<Tree>()?;
    let none = MemoryRows::default();
    let (rows, folded): (&dyn RowSource, Position) = match &stored {
        Some((rows, folded)) => (rows, *folded),
        None => (&none, 0),
    };
    let head = store.log().head();
    let mut tree = TreeCheck::new(rows, folded);
    let mut failed: Option<ProjectionError> = None;
    let log = store.log().check(
        &mut |first, leaves| {
            signed.compare(first, leaves, |size, leaves| {
                // After a row that cannot be read the tree cannot be compared; the log still can.
                if failed.is_none() {
                    failed = tree.take(size, leaves).err();
                }
                tree.head().filter(|_| failed.is_none())
            });
            Ok::<(), LogError>(())
        },
        &|position| progress("reading the log", position, head),
    )?;
    report.findings(&log.findings);
    if let Some(error) = failed {
        report.line(format!(
            "the rows of tree cannot be read: {error}; rebuild them with `rollbook rebuild tree`"
        ));
        return Ok((log, TreeChecked::default()));
    }
    let tree = tree.finish()?;
    report_tree(&tree, folded, head, report);
    Ok((log, tree))
}

fn report_tree(tree: &TreeChecked, folded: Position, head: Position, report: &mut DamageReport) {
    for (from, until) in &tree.altered {
        report.at(*from, *until, "the stored events differ from those that the tree was folded from: events were changed, inserted, removed or moved");
    }
    if folded > head {
        report.at(
            head + 1,
            folded,
            "the tree was folded up to here, but the log ends before: events were removed",
        );
    }
    if tree.altered.is_empty() && tree.wrong_rows > 0 {
        report.line(format!("{} rows of tree differ from what the events give; rebuild them with `rollbook rebuild tree`", tree.wrong_rows));
    }
}

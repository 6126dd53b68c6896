//! Verification of rows: every projection is folded again in a scratch store and compared.

use std::path::Path;

use rollbook_application::store::Store;
use rollbook_domain::Position;
use rollbook_log::{Log, LogError, OpenOptions};
use rollbook_projections::runtime::RowsComparison;
use rollbook_projections::tree::Tree;
use rollbook_projections::{ProjectionError, ProjectionName};

use super::findings::DamageReport;
use super::{Progress, Request, VerifyError};

/// Folds every projection except the tree, which `log` compares.
pub(super) fn check_rows(
    store: &Store,
    request: &Request<'_>,
    report: &mut DamageReport,
    progress: Progress<'_>,
) -> Result<Vec<RowsComparison>, VerifyError> {
    let parent = request.scratch.map_or_else(std::env::temp_dir, Path::to_owned);
    let in_scratch = |source| LogError::File {
        doing: "make a scratch directory in",
        path: parent.clone(),
        source,
    };
    let directory = tempfile::Builder::new()
        .prefix("rollbook-verify-")
        .tempdir_in(&parent)
        .map_err(in_scratch)?;
    let scratch = Log::open(
        &directory.path().join("store"),
        OpenOptions { create: true, unsealed: true, ..OpenOptions::default() },
    )?;
    let folding = |done, of| progress("folding rows again", done, of);
    let compared =
        match store.runtime().compare(&scratch, &[ProjectionName::of::<Tree>()], &folding) {
            Ok(compared) => compared,
            Err(ProjectionError::Row { key, .. }) => {
                report.line(format!(
                "the row {key:?} cannot be decoded; rebuild the rows with `rollbook rebuild --all`"
            ));
                return Ok(Vec::new());
            }
            Err(error) => return Err(error.into()),
        };
    report_rows(store.log().head(), &compared, report);
    let stray = store.runtime().stray_rows()?;
    if let Some(first) = stray.first {
        report.line(format!("{} rows belong to no projection, the first is {first:?}", stray.rows));
    }
    Ok(compared)
}

fn report_rows(head: Position, compared: &[RowsComparison], report: &mut DamageReport) {
    for RowsComparison { name, position, rows, different, first_different, .. } in compared {
        if *position > head {
            report.at(
                head + 1,
                *position,
                &format!("the rows of {name} were folded up to here, but the log ends before: events were removed"),
            );
        } else if let Some(first) = first_different {
            report.line(format!(
                "{different} of the {rows} rows of {name} at position {position} differ from what the log gives, the first is {first:?}; rebuild them with `rollbook rebuild {name}`"
            ));
        }
    }
}

//! Verification of a store: the bytes of its files, every event, every index entry, the tree, the
//! signed checkpoints, and every row. It writes nothing into the store. This module has the order
//! of the steps: `log` reads the log, `rows` folds the projections again, `signed` compares the
//! checkpoints, and `findings` collects the damage.
//!
//! Memory is bounded whatever the size of the log: one commit, one batch of rows, one tile for each
//! level of the tree.

mod error;
mod findings;
mod log;
mod report;
mod rows;
mod signed;

use std::path::Path;
use std::time::Instant;

use rollbook_application::store::{Store, StoreError};
use rollbook_log::check_files;
use rollbook_proofs::{SignedCheckpoint, VerifierKey};
use rollbook_service::access;

pub use error::{VerifyError, causes};
pub use report::{Verification, VerifiedRows};

use self::findings::DamageReport;
use self::log::check_log;
use self::rows::check_rows;
use self::signed::SignedCheckpoints;

/// The options of a verification.
#[derive(Debug, Default)]
pub struct Request<'r> {
    /// Skip the rows of the projections.
    pub log_only: bool,
    /// The parent of the scratch directory for folded rows. Default: the system's directory for
    /// temporary files.
    pub scratch: Option<&'r Path>,
    /// The key that must have signed the checkpoints. Default: the store's own verifier key.
    pub key: Option<VerifierKey>,
    /// Checkpoints kept outside the store, each with the name of its file.
    pub checkpoints: Vec<(String, SignedCheckpoint)>,
}

/// Called with the current step, the amount done, and the total.
pub type Progress<'a> = &'a (dyn Fn(&str, u64, u64) + Sync);

/// Verifies the store in a directory. `open` opens it after its files were read.
///
/// # Errors
/// [`VerifyError::Damaged`] with all findings; other errors when something cannot be read for
/// another reason than damage.
pub fn verify(
    directory: &Path,
    open: impl FnOnce() -> Result<Store, StoreError>,
    request: &Request<'_>,
    progress: Progress<'_>,
) -> Result<Verification, VerifyError> {
    let began = Instant::now();
    let mut files = check_files(directory, |done, of| progress("reading files", done, of))?;
    let store = match open() {
        Ok(store) => store,
        // The damage in the files explains why the store does not open.
        Err(error) if !files.damage.is_empty() => return Err(findings::unopened(&files, &error)),
        Err(error) => return Err(error.into()),
    };
    files.set_leftovers_apart(&store.log().table_files()?);
    let mut report = DamageReport::of(&files);
    // A flipped bit in the file of API keys must not open the service to anyone.
    if let Err(error) = access::list_keys(directory) {
        report.line(error.to_string());
    }
    let mut signed = SignedCheckpoints::of(&store, request, &mut report);
    let (log, tree) = check_log(&store, &mut signed, &mut report, progress)?;
    signed.finish(log.head, &mut report);
    let mut projections = Vec::new();
    // Until an erasure is finished, the rows have what was folded before it.
    let unfinished = unfinished_erasures(&store);
    if !request.log_only && log.findings.is_empty() && unfinished.is_empty() {
        projections = check_rows(&store, request, &mut report, progress)?;
    }
    report.into_result(&log)?;
    if !unfinished.is_empty() {
        return Err(VerifyError::UnfinishedErasure { clients: unfinished });
    }
    Ok(Verification::new(
        &store,
        request,
        &files,
        &log,
        &tree,
        signed.verified(),
        projections,
        began.elapsed(),
    ))
}

/// The clients whose erasure was interrupted, each by the id of the client document.
fn unfinished_erasures(store: &Store) -> Vec<String> {
    let unfinished = store.log().erasures().into_iter().filter(|erasure| !erasure.complete);
    unfinished.filter_map(|erasure| erasure.ids.into_iter().next()).collect()
}

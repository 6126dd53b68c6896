//! Verifying a store: every byte of its files, every event, every index entry, the tree, what was signed, and every row. Owns the order and
//! what is said; each part is its own file's, or the log's. Writes nothing into the store.
//!
//! Memory is bounded, whatever the size of the log: a record, a batch of rows, one tile a level of the tree.

mod error;
mod report;
mod signed;

use std::path::Path;
use std::time::Instant;

use rollbook_domain::Position;
use rollbook_log::{
    FilesChecked, Finding, Findings, Log, LogChecked, LogError, OpenOptions, check_files,
};
use rollbook_projections::rows::{MemoryRows, RowSource};
use rollbook_projections::runtime::Compared;
use rollbook_projections::tree::Tree;
use rollbook_projections::tree_check::{TreeCheck, TreeChecked};
use rollbook_projections::{ProjectionError, ProjectionName};
use rollbook_proofs::{SignedCheckpoint, VerifierKey};

pub use error::{VerifyError, causes};
pub use report::{Verified, VerifiedRows};

use self::signed::SignedCheckpoints;
use rollbook_application::store::{Store, StoreError};
use rollbook_service::access;

/// What is to be checked, and with what.
#[derive(Debug, Default)]
pub struct Request<'r> {
    /// Leave the projections' rows out.
    pub log_only: bool,
    /// Where rows are folded again; the system's directory for temporary files otherwise.
    pub scratch: Option<&'r Path>,
    /// The key that checkpoints must be signed with; else the one beside the store, else the one in it.
    pub key: Option<VerifierKey>,
    /// Checkpoints that were kept elsewhere, with the names of their files.
    pub checkpoints: Vec<(String, SignedCheckpoint)>,
}

/// Called with what is being done, how far it is, and how far it goes.
pub type Progress<'a> = &'a (dyn Fn(&str, u64, u64) + Sync);

/// Verifies the store in a directory; `open` opens it, once its files were read.
///
/// # Errors
/// [`VerifyError::Damaged`] with everything that is wrong; other errors when something cannot be read for another reason.
pub fn verify(
    directory: &Path,
    open: impl FnOnce() -> Result<Store, StoreError>,
    request: &Request<'_>,
    progress: Progress<'_>,
) -> Result<Verified, VerifyError> {
    let began = Instant::now();
    let files = check_files(directory, |done, of| progress("reading files", done, of))?;
    let store = match open() {
        Ok(store) => store,
        // What the files say is worth more than that it does not open.
        Err(error) if !files.damage.is_empty() => return Err(unopened(&files, &error)),
        Err(error) => return Err(error.into()),
    };
    let mut wrong = Wrong::of(&files);
    // A file of the store like any other: a bit that tipped over there must not let somebody in.
    if let Err(error) = access::list_keys(directory) {
        wrong.line(error.to_string());
    }
    let mut signed = SignedCheckpoints::of(&store, request, &mut wrong);
    let (log, tree) = check_log(&store, &mut signed, &mut wrong, progress)?;
    signed.finish(log.head, &mut wrong);
    let mut projections = Vec::new();
    if !request.log_only && log.findings.is_empty() {
        projections = check_rows(&store, request, &mut wrong, progress)?;
    }
    wrong.into_result(&log)?;
    Ok(Verified::new(
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

/// Everything that is wrong, a line each.
#[derive(Default)]
struct Wrong {
    first: Option<u64>,
    lines: Vec<String>,
}

impl Wrong {
    fn of(files: &FilesChecked) -> Self {
        Self {
            first: None,
            lines: files
                .damage
                .iter()
                .map(|damage| format!("{}, byte {}: {}", damage.file, damage.offset, damage.what))
                .collect(),
        }
    }

    fn line(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    fn at(&mut self, from: u64, until: u64, what: &str) {
        self.first = Some(self.first.map_or(from, |first| first.min(from)));
        self.place(from, until, what);
    }

    /// Something is wrong somewhere in a range; where exactly, a finding that lies in it says better.
    fn within(&mut self, from: u64, until: u64, what: &str) {
        if self.first.is_some_and(|first| (from..=until).contains(&first)) {
            self.place(from, until, what)
        } else {
            self.at(from, until, what)
        }
    }

    fn place(&mut self, from: u64, until: u64, what: &str) {
        let place = if from == until {
            format!("position {from}")
        } else {
            format!("positions {from} to {until}")
        };
        self.line(format!("{place}: {what}"));
    }

    fn findings(&mut self, findings: &Findings) {
        for Finding { from, until, what } in &findings.kept {
            if *from == 0 { self.line(what) } else { self.at(*from, *until, what) }
        }
        if findings.more > 0 {
            self.line(format!("and {} more", findings.more));
        }
    }

    fn into_result(self, log: &LogChecked) -> Result<(), VerifyError> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let read = log.head.saturating_sub(log.lost);
        Err(VerifyError::Damaged {
            position: self.first,
            read,
            head: log.head,
            findings: self.lines,
        })
    }
}

/// Damaged files of a store that does not open.
fn unopened(files: &FilesChecked, error: &StoreError) -> VerifyError {
    let mut findings = Wrong::of(files).lines;
    findings.push(format!("the store does not open: {error}"));
    findings.extend(causes(error));
    VerifyError::Damaged { position: None, read: 0, head: 0, findings }
}

/// Reads the log from end to end: events, index entries, the tree's rows, roots that were signed.
fn check_log(
    store: &Store,
    signed: &mut SignedCheckpoints,
    wrong: &mut Wrong,
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
            signed.before(first, leaves, |size, leaves| {
                // After a row that cannot be read the tree is out of step; the log is still checked.
                if failed.is_none() {
                    failed = tree.take(size, leaves).err();
                }
                tree.head().filter(|_| failed.is_none())
            });
            Ok::<(), LogError>(())
        },
        &|position| progress("reading the log", position, head),
    )?;
    wrong.findings(&log.findings);
    if let Some(error) = failed {
        wrong.line(format!(
            "the rows of tree cannot be read: {error}; `rollbook rebuild tree` builds them again"
        ));
        return Ok((log, TreeChecked::default()));
    }
    let tree = tree.finish()?;
    for (from, until) in &tree.altered {
        wrong.at(*from, *until, "what is stored is not what the tree was folded from: changed, inserted, removed or moved");
    }
    if folded > head {
        wrong.at(
            head + 1,
            folded,
            "the tree was folded up to here, and the log ends before: events were removed",
        );
    }
    if tree.altered.is_empty() && tree.wrong_rows > 0 {
        wrong.line(format!("{} rows of tree are not what the events give; `rollbook rebuild tree` builds them again", tree.wrong_rows));
    }
    Ok((log, tree))
}

/// Folds every projection again, elsewhere, and compares. The tree was compared already.
fn check_rows(
    store: &Store,
    request: &Request<'_>,
    wrong: &mut Wrong,
    progress: Progress<'_>,
) -> Result<Vec<Compared>, VerifyError> {
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
                wrong.line(format!(
                "the row {key:?} does not decode; `rollbook rebuild --all` builds the rows again"
            ));
                return Ok(Vec::new());
            }
            Err(error) => return Err(error.into()),
        };
    let head = store.log().head();
    for Compared { name, position, rows, different, first_different, .. } in &compared {
        if *position > head {
            wrong.at(
                head + 1,
                *position,
                &format!("the rows of {name} were folded up to here, and the log ends before: events were removed"),
            );
        } else if let Some(first) = first_different {
            wrong.line(format!(
                "{different} of the {rows} rows of {name} at position {position} are not what the log says, the first is {first:?}; `rollbook rebuild {name}` builds them again"
            ));
        }
    }
    let stray = store.runtime().stray_rows()?;
    if let Some(first) = stray.first {
        wrong.line(format!("{} rows belong to no projection, the first is {first:?}", stray.rows));
    }
    Ok(compared)
}

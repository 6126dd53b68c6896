//! The report about a store without damage: how much was read, how fast, and what was not checked.

use std::time::Duration;

use rollbook_application::store::Store;
use rollbook_log::{FilesChecked, LogChecked};
use rollbook_projections::Projection as _;
use rollbook_projections::runtime::RowsComparison;
use rollbook_projections::tree::Tree;
use rollbook_projections::tree_check::TreeChecked;
use rollbook_proofs::Hash;
use serde::{Deserialize, Serialize};

use super::Request;

/// The report about a store without damage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// The last position that was read.
    pub head: u64,
    /// The number of commits.
    pub commits: u64,
    /// The number of files of the database that were read.
    pub files: u64,
    /// The size of these files, in bytes.
    pub bytes: u64,
    /// The root of the tree over all events; `None` if the tree is behind.
    pub root: Option<Hash>,
    /// The number of signed checkpoints that match the log.
    pub checkpoints: u64,
    /// The rows of every projection.
    pub projections: Vec<VerifiedRows>,
    /// The duration, in seconds.
    pub seconds: f64,
    /// Events per second over the complete verification.
    pub events_per_second: f64,
    /// What was not checked, and why.
    pub not_checked: Vec<String>,
}

/// The rows of one projection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifiedRows {
    /// The projection.
    pub name: String,
    /// The position of its rows.
    pub position: u64,
    /// The number of rows.
    pub rows: u64,
    /// The number of events that are not folded yet.
    pub behind: u64,
}

impl Verification {
    #[allow(clippy::too_many_arguments, clippy::cast_precision_loss)]
    pub(super) fn new(
        store: &Store,
        request: &Request<'_>,
        files: &FilesChecked,
        log: &LogChecked,
        tree_checked: &TreeChecked,
        checkpoints: u64,
        projections: Vec<RowsComparison>,
        duration: Duration,
    ) -> Self {
        let row = |name: &str, position, rows| VerifiedRows {
            name: name.to_owned(),
            position,
            rows,
            behind: log.head.saturating_sub(position),
        };
        let mut not_checked: Vec<String> =
            files.without_records.iter().map(|(file, why)| format!("{file} ({why})")).collect();
        let outdated = projections.iter().filter(|one| one.outdated);
        not_checked.extend(outdated.map(|one| {
            format!(
                "rows of {} (another version of the projection wrote them; the next command rebuilds them)",
                one.name
            )
        }));
        if request.log_only {
            not_checked.push("rows of projections (--log-only)".to_owned());
        }
        not_checked.push("backups (rollbook backup verify)".to_owned());
        let mut rows: Vec<VerifiedRows> = projections
            .iter()
            .filter(|one| !one.outdated)
            .map(|one| row(one.name, one.position, one.rows))
            .collect();
        if !request.log_only {
            rows.push(row(Tree::NAME, tree_checked.compared, tree_checked.rows));
        }
        let seconds = duration.as_secs_f64();
        Self {
            head: log.head,
            commits: log.commits,
            files: files.files,
            bytes: files.bytes,
            root: store.tree_head_unfolded(log.head).map(|head| head.root),
            checkpoints,
            projections: rows,
            seconds,
            events_per_second: if seconds > 0.0 { log.head as f64 / seconds } else { 0.0 },
            not_checked,
        }
    }
}

//! What is said of a store that is sound: how far it was read, how fast, and what was not looked at.

use std::time::Duration;

use rollbook_application::store::Store;
use rollbook_log::{FilesChecked, LogChecked};
use rollbook_projections::Projection as _;
use rollbook_projections::runtime::Compared;
use rollbook_projections::tree::Tree;
use rollbook_projections::tree_check::TreeChecked;
use rollbook_proofs::Hash;
use serde::{Deserialize, Serialize};

use super::Request;

/// A store in which everything is as it should be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verified {
    /// Up to which position the log was read.
    pub head: u64,
    /// How many commits it has.
    pub commits: u64,
    /// Files of the database that were read whole.
    pub files: u64,
    /// How large they are, in bytes.
    pub bytes: u64,
    /// The root of the tree over all events; `None` where the tree is behind.
    pub root: Option<Hash>,
    /// Signed checkpoints that the log agrees with.
    pub checkpoints: u64,
    /// The rows of every projection.
    pub projections: Vec<VerifiedRows>,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Events a second, over everything that was done.
    pub events_per_second: f64,
    /// What was not looked at, and why.
    pub not_checked: Vec<String>,
}

/// The rows of one projection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifiedRows {
    /// The projection.
    pub name: String,
    /// The position its rows are folded up to.
    pub position: u64,
    /// How many there are.
    pub rows: u64,
    /// How many events it has not folded yet.
    pub behind: u64,
}

impl Verified {
    #[allow(clippy::too_many_arguments, clippy::cast_precision_loss)]
    pub(super) fn new(
        store: &Store,
        request: &Request<'_>,
        files: &FilesChecked,
        log: &LogChecked,
        tree_checked: &TreeChecked,
        checkpoints: u64,
        projections: Vec<Compared>,
        took: Duration,
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
                "rows of {} (another version of it made them; the next command builds them anew)",
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
        let seconds = took.as_secs_f64();
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

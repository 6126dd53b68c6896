//! What can go wrong with batches. Owns the error enum of planning, applying and validating.

use std::path::{Path, PathBuf};

use rollbook_log::{AppendError, LogError};
use rollbook_projections::ProjectionError;

/// Why a batch was not planned, read, applied or validated.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A commit was not appended.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// Rows could not be folded or read.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
    /// The batch file could not be read or written.
    #[error("the batch file {path} could not be {doing}")]
    File {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        doing: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file that stands there already.
    #[error(
        "{path} exists already and holds something else; give another name with --out, or move it away"
    )]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A line that is no header or no event.
    #[error(
        "{path}, line {line}: {what}; the file is cut short or edited: plan again, or fetch the file again"
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// Fewer or more events than the header says.
    #[error(
        "{path} holds {found} events, its header says {expected}; it is cut short or edited: fetch the file again"
    )]
    Count {
        /// The file.
        path: PathBuf,
        /// What the header says.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// The events are not those of the header's digest.
    #[error(
        "the events of {path} have the digest {found}, its header says {expected}; somebody edited it: fetch the file again, or plan anew"
    )]
    Digest {
        /// The file.
        path: PathBuf,
        /// What the header says.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A format this build does not read.
    #[error(
        "{path} is a batch of format {version}; this build reads format {known}: use a newer rollbook"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// What it says.
        version: u64,
        /// What is known.
        known: u64,
    },
    /// A migration this build does not know.
    #[error(
        "{path} is a batch of the kind {kind:?}; this build knows {known}: use the rollbook that planned it"
    )]
    Kind {
        /// The file.
        path: PathBuf,
        /// What it says.
        kind: String,
        /// What is known.
        known: &'static str,
    },
    /// The target changed since planning, or never was what was planned from.
    #[error(
        "the store is not what the batch was planned from: {total} series drifted ({}); nothing was applied of them: plan again on this store, compare with `rollbook migrate show`, and apply the new file",
        series.join(", ")
    )]
    Drift {
        /// The first of them, each with what differs.
        series: Vec<String>,
        /// How many there are.
        total: usize,
    },
    /// A zone that is not the store's.
    #[error(
        "the batch was planned for the zone {batch}, this store's old server was in {store}; plan again on this store"
    )]
    Zone {
        /// The batch's.
        batch: String,
        /// The store's.
        store: String,
    },
    /// A store keeps one zone for ever: every generated week depends on it.
    #[error(
        "the store keeps the zone {kept} for its old server, not {asked}; leave --legacy-timezone out, or import into a new store"
    )]
    ImportZone {
        /// The store's.
        kept: String,
        /// What was asked for.
        asked: String,
    },
    /// Another batch is on its way.
    #[error("batch {digest} was begun and is not through; apply its file again first")]
    Unfinished {
        /// The other batch.
        digest: String,
    },
    /// Nothing was imported.
    #[error("the store holds no import yet; run `rollbook import EXPORT_DIR` first")]
    NothingImported,
    /// Stopped on request.
    #[error(
        "interrupted at a commit boundary; what was appended stays, and the same command goes on from there"
    )]
    Interrupted,
}

impl MigrationError {
    /// The same about a batch that goes by another name than its file's here.
    #[must_use]
    pub fn about(mut self, name: &Path) -> Self {
        match &mut self {
            Self::File { path, .. }
            | Self::Line { path, .. }
            | Self::Count { path, .. }
            | Self::Digest { path, .. }
            | Self::Version { path, .. }
            | Self::Kind { path, .. } => *path = name.to_owned(),
            _ => {}
        }
        self
    }

    /// Whether a batch file is not what it should be.
    pub fn is_bad_batch(&self) -> bool {
        matches!(
            self,
            Self::Line { .. }
                | Self::Count { .. }
                | Self::Digest { .. }
                | Self::Version { .. }
                | Self::Kind { .. }
        )
    }

    /// Whether the request was understood and refused, rather than failed.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Drift { .. }
                | Self::Zone { .. }
                | Self::ImportZone { .. }
                | Self::Unfinished { .. }
                | Self::NothingImported
        )
    }
}

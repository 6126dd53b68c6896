//! Errors of planning, reading, applying and validating batches, and of importing.
//!
//! Each text states what is wrong and why. What to do next depends on the caller (command line or
//! HTTP), which adds it.

use std::path::{Path, PathBuf};

use rollbook_domain::Timestamp;
use rollbook_log::{AppendError, LogError};
use rollbook_projections::ProjectionError;

use crate::rules::BatchRulesError;

/// Why an import or a step of a migration failed.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A commit was not appended.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// Rows cannot be updated or read.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
    /// The batch file cannot be read or written.
    #[error("the batch file {path} could not be {doing}")]
    File {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        doing: &'static str,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A different file already has the name.
    #[error("{path} already exists with other content")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A line is not a header or an event of a batch.
    #[error("{path}, line {line}: {what}; the batch file is cut short or edited")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// The number of events differs from the header.
    #[error(
        "{path} contains {found} events but its header says {expected}; it is cut short or edited"
    )]
    Count {
        /// The file.
        path: PathBuf,
        /// The number in the header.
        expected: u64,
        /// The number of event lines.
        found: u64,
    },
    /// The digest of the events differs from the header.
    #[error(
        "the events of {path} have the digest {found} but its header says {expected}; it was edited"
    )]
    Digest {
        /// The file.
        path: PathBuf,
        /// The digest in the header.
        expected: String,
        /// The digest of the event lines.
        found: String,
    },
    /// The batch has a format that this build cannot read.
    #[error("{path} is a batch of format {version}; this build reads format {known}")]
    Version {
        /// The file.
        path: PathBuf,
        /// The format of the file.
        version: u64,
        /// The format that this build reads.
        known: u64,
    },
    /// This build does not know the kind of migration.
    #[error("{path} is a batch of the kind {kind:?}; this build knows {known}")]
    Kind {
        /// The file.
        path: PathBuf,
        /// The kind that the file names.
        kind: String,
        /// The kinds that this build knows.
        known: String,
    },
    /// Series differ from what the batch was planned from.
    #[error(
        "the store differs from what the batch was planned from: {total} series drifted ({}); nothing was appended to them",
        series.join(", ")
    )]
    Drift {
        /// The first of them, each with its difference.
        series: Vec<String>,
        /// How many drifted.
        total: usize,
    },
    /// The batch was planned for another time zone.
    #[error(
        "the batch was planned for the zone {batch}, but the old server of this store was in {store}"
    )]
    Zone {
        /// The zone of the batch.
        batch: String,
        /// The zone of the store.
        store: String,
    },
    /// An import named another zone than the one that the store keeps. Every generated week depends
    /// on it.
    #[error("the store keeps the zone {kept} for its old server, not {asked}")]
    ImportZone {
        /// The zone of the store.
        kept: String,
        /// The requested zone.
        asked: String,
    },
    /// An import would go back to an older export.
    #[error(
        "this export was written at {exported}, before the last imported one, which was written at {last}"
    )]
    OlderExport {
        /// The time of the export.
        exported: Timestamp,
        /// The time of the export that was imported last.
        last: Timestamp,
    },
    /// An import would remove many documents, or answers.
    #[error(
        "the export no longer has {removed} documents, {answered} of them with an answer ({}); they would be removed",
        first.join(", ")
    )]
    Removals {
        /// The number of documents that would be removed.
        removed: usize,
        /// The number of these that are responses, or weeks with a response.
        answered: usize,
        /// The first of them, as `collection/id`.
        first: Vec<String>,
    },
    /// Another batch was applied only in part.
    #[error("batch {digest} was started and is not completely applied")]
    Unfinished {
        /// The digest of the other batch.
        digest: String,
    },
    /// The rules of an applied batch, as the log records them, cannot be read.
    #[error("the rules recorded for batch {digest} cannot be read")]
    Rules {
        /// The digest of the batch.
        digest: String,
        /// The cause.
        #[source]
        source: BatchRulesError,
    },
    /// A plan or a batch contains no events.
    #[error(
        "no series lacks anything that this migration adds, so there is no batch; {obstacles} parts of series cannot be migrated"
    )]
    NothingToMigrate {
        /// How many parts of series the plan leaves as they are; the audit names them.
        obstacles: usize,
    },
    /// A client that the request names has no series.
    #[error("client {client:?} has no series in this store")]
    NoSeriesOf {
        /// The client.
        client: String,
    },
    /// No batch with this digest, or more than one with these first digits, was applied completely.
    #[error("no single batch whose digest begins with {digest:?} was applied completely")]
    NoSuchBatch {
        /// The digest, or its first digits.
        digest: String,
    },
    /// The batch changed nothing that another batch can restore.
    #[error("batch {digest} of the kind {kind} changed no week, so it has no inverse batch")]
    NoInverse {
        /// The digest of the batch.
        digest: String,
        /// Its kind.
        kind: String,
    },
    /// The store contains no import.
    #[error("the store contains no import yet")]
    NothingImported,
    /// The caller stopped the run.
    #[error("interrupted at a commit boundary; what was appended remains")]
    Interrupted,
}

impl MigrationError {
    /// The same error with another name for the batch file, for a caller who knows the file by that
    /// name.
    #[must_use]
    pub fn about(mut self, name: &Path) -> Self {
        match &mut self {
            Self::File { path, .. }
            | Self::Exists { path }
            | Self::Line { path, .. }
            | Self::Count { path, .. }
            | Self::Digest { path, .. }
            | Self::Version { path, .. }
            | Self::Kind { path, .. } => *path = name.to_owned(),
            Self::Log(_)
            | Self::Append(_)
            | Self::Projection(_)
            | Self::Drift { .. }
            | Self::Zone { .. }
            | Self::ImportZone { .. }
            | Self::OlderExport { .. }
            | Self::Removals { .. }
            | Self::Unfinished { .. }
            | Self::Rules { .. }
            | Self::NothingToMigrate { .. }
            | Self::NoSeriesOf { .. }
            | Self::NoSuchBatch { .. }
            | Self::NoInverse { .. }
            | Self::NothingImported
            | Self::Interrupted => {}
        }
        self
    }

    /// Whether the batch file itself is unusable.
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

    /// Whether the request was valid and was rejected by a rule, as opposed to a failure.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Drift { .. }
                | Self::Zone { .. }
                | Self::ImportZone { .. }
                | Self::OlderExport { .. }
                | Self::Removals { .. }
                | Self::Unfinished { .. }
                | Self::NothingToMigrate { .. }
                | Self::NoSuchBatch { .. }
                | Self::NoInverse { .. }
                | Self::NothingImported
        )
    }
}

//! Errors of writing and loading dumps. Their texts name no command; the caller adds the next step.

use std::io;
use std::path::PathBuf;

use rollbook_log::{AppendError, LogError};
use rollbook_projections::ProjectionError;

/// Why a store was not dumped or a dump was not loaded. A failed load leaves no store.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// The log cannot be read or written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Rows cannot be updated or read.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
    /// The dump cannot be written.
    #[error("the dump could not be written")]
    Write(#[source] io::Error),
    /// The dump cannot be read.
    #[error("the dump {path} could not be read")]
    Read {
        /// The file, or `-`.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The store has no events.
    #[error("there is nothing to dump: the store has no events")]
    Empty,
    /// A sealed dump was requested of an unsealed store.
    #[error("the store was made unsealed, so it cannot be dumped sealed")]
    Unsealed,
    /// A line is not what the format requires.
    #[error("{path}, line {line}: {what}; the dump is cut short or edited, and no store was made")]
    Line {
        /// The file, or `-`.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// The dump has a format that this build cannot read.
    #[error("{path} is a dump of format {found}; this build reads format {known}")]
    Newer {
        /// The file, or `-`.
        path: PathBuf,
        /// The format of the dump.
        found: u64,
        /// The format that this build reads.
        known: u64,
    },
    /// The new store rejected a commit.
    #[error("{path}, line {line}: the new store rejects this commit; no store was made")]
    Append {
        /// The file, or `-`.
        path: PathBuf,
        /// The line of the commit's last event.
        line: u64,
        /// The cause.
        #[source]
        source: AppendError,
    },
    /// The dump of the loaded store differs from the dump that was loaded.
    #[error(
        "a dump of the store made of {path} has the digest {found} instead of {expected}; no store was made"
    )]
    Differs {
        /// The file, or `-`.
        path: PathBuf,
        /// The dump's digest.
        expected: String,
        /// The digest of the loaded store's dump.
        found: String,
    },
    /// The last step before the store is published failed.
    #[error("the last step on the store made of {path} failed; no store was made")]
    Finish {
        /// The file, or `-`.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The caller stopped the run.
    #[error("interrupted; there is no partial dump or store")]
    Interrupted,
}

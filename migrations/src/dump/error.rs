//! What can go wrong with dumps. Owns the error enum.

use std::io;
use std::path::PathBuf;

use rollbook_log::{AppendError, LogError};
use rollbook_projections::ProjectionError;

/// Why a store was not dumped, or a dump not loaded. A store that was not loaded whole is not there.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// The log could not be read or written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Rows could not be folded or read.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
    /// The dump could not be written.
    #[error("the dump could not be written")]
    Write(#[source] io::Error),
    /// The dump could not be read.
    #[error("the dump {path} could not be read")]
    Read {
        /// The file, or `-`.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A store without events.
    #[error("there is nothing to dump: the store has no events")]
    Empty,
    /// A sealed dump of an unsealed store.
    #[error("the store was made unsealed: nothing in it is sealed; leave --sealed out")]
    Unsealed,
    /// A line that is not what stands there in a dump.
    #[error(
        "{path}, line {line}: {what}; the dump is cut short or edited: fetch it again, or dump again; no store was made"
    )]
    Line {
        /// The file, or `-`.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// A format this build does not read.
    #[error(
        "{path} is a dump of format {found}; this build reads format {known}: use a newer rollbook"
    )]
    Newer {
        /// The file, or `-`.
        path: PathBuf,
        /// What it says.
        found: u64,
        /// What is known.
        known: u64,
    },
    /// An event that the new store did not take.
    #[error("{path}, line {line}: the new store does not take this commit; no store was made")]
    Append {
        /// The file, or `-`.
        path: PathBuf,
        /// The line of the commit's last event.
        line: u64,
        /// Why not.
        #[source]
        source: AppendError,
    },
    /// What was loaded would not be dumped as the file that was read.
    #[error(
        "the store made of {path} would be dumped with the digest {found} instead of {expected}; no store was made: report it"
    )]
    Differs {
        /// The file, or `-`.
        path: PathBuf,
        /// The dump's digest.
        expected: String,
        /// The digest of the loaded store's dump.
        found: String,
    },
    /// The last step before the store appears went wrong.
    #[error("the store made of {path} could not be made ready; no store was made")]
    Finish {
        /// The file, or `-`.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Ctrl-C.
    #[error("interrupted; nothing is half done")]
    Interrupted,
}

impl DumpError {}

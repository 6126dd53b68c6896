//! The error type of this crate.

use rollbook_log::LogError;

/// Why rows could not be folded or read.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// The log could not be read, or the rows could not be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A stored row does not decode.
    #[error("the row {key:?} does not decode; its projection has to be rebuilt")]
    Row {
        /// The key of the row.
        key: String,
        /// Why it does not decode.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// One key was used with two row types. This is a programming error.
    #[error("the row {key:?} is in use as another type")]
    RowType {
        /// The key of the row.
        key: String,
    },
    /// A row of the tree does not have the expected length.
    #[error("the rows of the tree do not end at position {position}; the tree has to be rebuilt")]
    TreeRow {
        /// The position after which a leaf was to be added.
        position: u64,
    },
    /// A root or a proof could not be computed.
    #[error(transparent)]
    Tree(Box<rollbook_proofs::TreeError<ProjectionError>>),
    /// A row does not encode.
    #[error("a row does not encode")]
    Encode(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No projection has this name.
    #[error("there is no projection {name:?}; there are {known}")]
    Unknown {
        /// The name that was given.
        name: String,
        /// The names of all projections.
        known: String,
    },
    /// The projection exists, but this store has no current rows of it.
    #[error("the projection {name} has no rows of this version in this store")]
    Missing {
        /// Its name.
        name: &'static str,
    },
    /// The log ended before the position up to which it was to be folded.
    #[error(
        "the log ended at position {reached} while it was folded up to {until}; it may be damaged"
    )]
    CutShort {
        /// The position of the last event that was read.
        reached: u64,
        /// The position where folding was to end.
        until: u64,
    },
    /// The log has not reached this position yet.
    #[error("position {asked} is beyond the head of the log, {head}")]
    BeyondHead {
        /// The position that was asked for.
        asked: u64,
        /// The head of the log.
        head: u64,
    },
}

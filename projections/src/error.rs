//! What can go wrong with projections. Owns the one error enum of this crate.

use rollbook_log::LogError;

/// Why rows could not be folded or read.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// The log could not be read, or the rows not written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A stored row does not decode.
    #[error("the row {key:?} does not decode; rebuild its projection with `rollbook rebuild`")]
    Row {
        /// Its key.
        key: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Two types under one key: a programming error, reported rather than hidden.
    #[error("the row {key:?} is held as another type")]
    RowType {
        /// Its key.
        key: String,
    },
    /// A row of the tree is not what was written.
    #[error(
        "the tree's rows do not end at position {position}; rebuild it with `rollbook rebuild tree`"
    )]
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
    /// No projection of that name.
    #[error("there is no projection {name:?}; there are {known}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The log ended before the position it had been folded up to should be.
    #[error(
        "the log ended at position {reached} while folding up to {until}; check it with `rollbook verify`"
    )]
    CutShort {
        /// The last position that came.
        reached: u64,
        /// Where folding was to end.
        until: u64,
    },
    /// A position that is not reached yet.
    #[error("position {asked} is beyond the head of the log, {head}")]
    BeyondHead {
        /// What was asked for.
        asked: u64,
        /// The head.
        head: u64,
    },
}

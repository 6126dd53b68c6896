//! The findings of the structure check, and the rules that can be broken.

use std::path::PathBuf;

/// A rule that the sources have to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    ImportCircle,
    LongFile,
    LongFunction,
    NoOpening,
    DebugDigest,
    ProjectionByText,
    FlagInError,
    DefaultForFailedRead,
    AppendToLog,
    SyncOutsideDurable,
    StaleAllowance,
}

impl Rule {
    pub const ALL: [Self; 11] = [
        Self::ImportCircle,
        Self::LongFile,
        Self::LongFunction,
        Self::NoOpening,
        Self::DebugDigest,
        Self::ProjectionByText,
        Self::FlagInError,
        Self::DefaultForFailedRead,
        Self::AppendToLog,
        Self::SyncOutsideDurable,
        Self::StaleAllowance,
    ];

    /// The name in the list of allowed findings.
    pub fn name(self) -> &'static str {
        match self {
            Self::ImportCircle => "import-circle",
            Self::LongFile => "long-file",
            Self::LongFunction => "long-function",
            Self::NoOpening => "no-opening",
            Self::DebugDigest => "debug-digest",
            Self::ProjectionByText => "projection-by-text",
            Self::FlagInError => "flag-in-error",
            Self::DefaultForFailedRead => "default-for-failed-read",
            Self::AppendToLog => "append-to-log",
            Self::SyncOutsideDurable => "sync-outside-durable",
            Self::StaleAllowance => "stale-allowance",
        }
    }

    /// The heading in the report.
    pub fn title(self) -> &'static str {
        match self {
            Self::ImportCircle => {
                "import circles among files, apart from modules and their children"
            }
            Self::LongFile => "files over 400 lines",
            Self::LongFunction => "functions over 70 lines",
            Self::NoOpening => "files that do not open with `//!`",
            Self::DebugDigest => "Debug output that goes into a digest or an idempotency key",
            Self::ProjectionByText => "projections named by a text: `snapshot.of(\"…\")`",
            Self::FlagInError => "error texts below the application that name a flag or a command",
            Self::DefaultForFailedRead => "`unwrap_or_default()` on a read that can fail",
            Self::AppendToLog => "commits appended to a log and not through `Ordering`",
            Self::SyncOutsideDurable => "syncs and renames outside `rollbook_log::durable`",
            Self::StaleAllowance => "entries of structure-allowed.txt that match nothing",
        }
    }
}

/// One broken rule at one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub rule: Rule,
    /// The file; for an import circle its first one.
    pub path: PathBuf,
    pub line: usize,
    /// The function or type; `-` where the finding is about the file.
    pub name: String,
    /// What was found. More lines follow for an import circle.
    pub text: String,
}

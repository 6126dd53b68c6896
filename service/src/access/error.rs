//! Errors of access control itself: its configuration, the file of API keys, the issuer's keys.
//! Each text names the thing, the reason and the next step, for the operator; callers of the
//! service never see it.

use std::path::PathBuf;

use rollbook_application::code::{Code, Coded};
use rollbook_log::LogError;

/// An error of access control.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// There is no store in the directory.
    #[error(transparent)]
    NoStore(LogError),
    /// An invalid setting, alone or in combination.
    #[error("the setting {key} {reason}")]
    Settings {
        /// The setting.
        key: &'static str,
        /// The contradiction, and the next step.
        reason: String,
    },
    /// A file cannot be read or written.
    #[error("cannot {doing} {path}; check the path and its permissions")]
    File {
        /// The attempted action.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// The file of API keys is invalid, so no key is accepted.
    #[error(
        "{path} is damaged: {why}; until it is put right no API key is accepted: restore it, or move it away and make new keys"
    )]
    DamagedKeys {
        /// The file.
        path: PathBuf,
        /// The damage.
        why: String,
    },
    /// The file of keys was written by a newer Rollbook.
    #[error(
        "{path} has the format {found}, and this Rollbook reads up to {supported}; use the newer one"
    )]
    NewerKeys {
        /// The file.
        path: PathBuf,
        /// The format version of the file.
        found: u64,
        /// The newest format version that this build reads.
        supported: u64,
    },
    /// Another key has this name.
    #[error("a key named {0:?} is in use; choose another name, or revoke that key first")]
    NameTaken(String),
    /// No key has this id or name.
    #[error("no key has the id or the name {0:?}; `rollbook key list` shows them")]
    UnknownKey(String),
    /// The keys of the issuer cannot be fetched or read.
    #[error(
        "the keys of the tokens' issuer cannot be had from {from}: {why}; check that it is reachable and serves a JWKS"
    )]
    IssuerKeys {
        /// The file or URL.
        from: String,
        /// The cause.
        why: String,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes, so no key was made; try again")]
    Random(#[source] getrandom::Error),
}

impl AccessError {
    /// Whether the command was wrong, as opposed to the environment.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Settings { .. })
    }
}

impl Coded for AccessError {
    fn code(&self) -> Code {
        match self {
            Self::NoStore(error) => error.code(),
            Self::Settings { .. } => Code::Usage,
            Self::File { .. } => Code::AccessFile,
            Self::DamagedKeys { .. } => Code::DamagedKeys,
            Self::NewerKeys { .. } => Code::NewerKeys,
            Self::NameTaken(_) => Code::NameTaken,
            Self::UnknownKey(_) => Code::UnknownKey,
            Self::IssuerKeys { .. } => Code::IssuerKeys,
            Self::Random(_) => Code::Random,
        }
    }
}

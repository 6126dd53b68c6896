//! Errors of access control itself: its configuration, the file of API keys, the issuer's keys.
//! Each text names the thing, the reason and the next step, for the operator; callers of the
//! service never see it.

use std::path::PathBuf;

use rollbook_application::code::{Code, Coded};
use rollbook_log::LogError;

/// Why access control does not work.
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
        /// What does not fit, and what to do.
        reason: String,
    },
    /// A file cannot be read or written.
    #[error("cannot {doing} {path}; check the path and its permissions")]
    File {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system said.
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
        /// What is wrong.
        why: String,
    },
    /// The file of keys was written by a newer Rollbook.
    #[error(
        "{path} has the format {found}, and this Rollbook reads up to {supported}; use the newer one"
    )]
    NewerKeys {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The newest this one reads.
        supported: u64,
    },
    /// A key's name that another key has.
    #[error("a key named {0:?} is in use; choose another name, or revoke that key first")]
    NameTaken(String),
    /// No such key.
    #[error("no key has the id or the name {0:?}; `rollbook key list` shows them")]
    UnknownKey(String),
    /// The issuer's keys cannot be had.
    #[error(
        "the keys of the tokens' issuer cannot be had from {from}: {why}; check that it is reachable and serves a JWKS"
    )]
    IssuerKeys {
        /// The file or URL.
        from: String,
        /// Why.
        why: String,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes, so no key was made; try again")]
    Random(#[source] getrandom::Error),
}

impl AccessError {
    /// Whether the command was wrong, rather than the environment.
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

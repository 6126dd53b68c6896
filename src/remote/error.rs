//! What can go wrong with a remote service. Owns what its refusals (RFC 9457) become here: the same code, the exit code that the same
//! refusal has locally.

use std::path::PathBuf;

use rollbook_application::code::{Code, Coded};
use rollbook_migrations::MigrationError;
use serde::Deserialize;

/// Why a remote service did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The batch file here cannot be read or written, or is damaged.
    #[error(transparent)]
    Batch(#[from] MigrationError),
    /// A URL that leads nowhere.
    #[error(
        "{0:?} is no service's URL; write it like https://rollbook.example.com or http://127.0.0.1:7350"
    )]
    Url(String),
    /// A token that no header can carry.
    #[error(
        "the token has characters that no token has; check --token, --token-file or ROLLBOOK_TOKEN"
    )]
    Token,
    /// Anybody on the way could read the token.
    #[error("a token would go to {0} in the clear; use https, or a tunnel to this machine")]
    InTheClear(String),
    /// The file with the token cannot be read.
    #[error("cannot read the token in {path}; check the path and its permissions")]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// Nobody answers.
    #[error("{server} cannot be reached; check the URL, and that `rollbook serve` runs there")]
    Unreachable {
        /// The service.
        server: String,
        /// What failed.
        #[source]
        source: Box<ureq::Error>,
    },
    /// The answer ended in the middle.
    #[error(
        "the answer of {server} broke off; nothing is half done there: run the same command again"
    )]
    BrokenOff {
        /// The service.
        server: String,
        /// What failed.
        #[source]
        source: std::io::Error,
    },
    /// Something that no service of this kind answers.
    #[error(
        "{server} did not answer as a rollbook does: {what}; check the URL, and that both are of the same version"
    )]
    Unexpected {
        /// The service.
        server: String,
        /// What was wrong.
        what: String,
    },
    /// The service refused, or failed.
    #[error("{message}")]
    Refused {
        /// The service.
        server: String,
        /// The HTTP status.
        status: u16,
        /// Its code.
        code: String,
        /// Its reason.
        message: String,
        /// What to do next, where it says so.
        next: Option<String>,
    },
    /// What is planned there changed each time it was asked for.
    #[error("the store of {0} changed each time it was planned; try again when less is written")]
    Moving(String),
}

/// A refusal as RFC 9457 has it, as far as it is read.
#[derive(Deserialize)]
struct Problem {
    code: String,
    detail: String,
    next_step: Option<String>,
}

impl RemoteError {
    /// What an answer that is no success says.
    pub(super) fn of_problem(server: &str, status: u16, body: &str) -> Self {
        let server = server.to_owned();
        match serde_json::from_str(body) {
            Ok(Problem { code, detail, next_step }) => {
                Self::Refused { server, status, code, message: detail, next: next_step }
            }
            Err(_) => Self::Unexpected { server, what: format!("status {status}, without a code") },
        }
    }

    /// What lies behind it: who refused, and how.
    pub fn because(&self) -> Option<String> {
        match self {
            Self::Refused { server, status, code, .. } => {
                Some(format!("{server} answered {status} {code}"))
            }
            _ => None,
        }
    }

    /// What to do next, where the message does not say so itself.
    pub fn next_step(&self) -> Option<String> {
        match self {
            Self::Refused { next: Some(next), .. } => Some(next.clone()),
            Self::Refused { status: 401, .. } => {
                Some("give a token with --token-file, or in ROLLBOOK_TOKEN".to_owned())
            }
            Self::Refused { status: 403, .. } => Some(
                "use a key whose scopes allow it: `rollbook key create` where the store is"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

impl Coded for RemoteError {
    fn code(&self) -> Code {
        match self {
            Self::Batch(error) => error.code(),
            Self::Url(_) | Self::Token | Self::InTheClear(_) => Code::Usage,
            Self::TokenFile { .. } => Code::Input,
            Self::Unreachable { .. } | Self::BrokenOff { .. } => Code::Unreachable,
            Self::Unexpected { .. } => Code::UnexpectedAnswer,
            // The service's own code, where this build knows it.
            Self::Refused { code, .. } => code.parse().unwrap_or(Code::UnexpectedAnswer),
            Self::Moving(_) => Code::Contended,
        }
    }
}

//! Errors of a remote service. A refusal (RFC 9457) keeps the service's code, so it has the same
//! exit code as the same refusal of a local store.

use std::path::PathBuf;

use rollbook_application::code::{Code, Coded};
use rollbook_migrations::MigrationError;
use serde::Deserialize;

/// Why a request to a remote service failed.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The local batch file cannot be read or written, or is damaged.
    #[error(transparent)]
    Batch(#[from] MigrationError),
    /// The URL is not that of a service.
    #[error(
        "{0:?} is not the URL of a service; write it like https://rollbook.example.com or http://127.0.0.1:7350"
    )]
    Url(String),
    /// The token cannot be sent in a header.
    #[error(
        "the token has characters that a header cannot hold; check --token, --token-file or ROLLBOOK_TOKEN"
    )]
    Token,
    /// The token would be sent without encryption.
    #[error("the token would be sent to {0} unencrypted; use https, or a tunnel to this machine")]
    InTheClear(String),
    /// The token file cannot be read.
    #[error("cannot read the token file {path}; check the path and its permissions")]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// The service does not respond.
    #[error("{server} cannot be reached; check the URL, and that `rollbook serve` runs there")]
    Unreachable {
        /// The service.
        server: String,
        /// The cause.
        #[source]
        source: Box<ureq::Error>,
    },
    /// The response ended early.
    #[error(
        "the response of {server} ended early; nothing is half done there, so run the same command again"
    )]
    BrokenOff {
        /// The service.
        server: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The response is not that of a rollbook service.
    #[error(
        "{server} did not respond like a rollbook service: {what}; check the URL, and that both have the same version"
    )]
    Unexpected {
        /// The service.
        server: String,
        /// The difference.
        what: String,
    },
    /// The service refused the request, or failed.
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
        /// The next step, if the service names one.
        next: Option<String>,
    },
    /// The plan changed with every attempt.
    #[error(
        "the store of {0} changed during every attempt to plan; try again when there are fewer writes"
    )]
    Moving(String),
}

/// The members of an RFC 9457 problem that this client reads.
#[derive(Deserialize)]
struct Problem {
    code: String,
    detail: String,
    next_step: Option<String>,
}

impl RemoteError {
    /// Reads the body of a response that is not a success.
    pub(crate) fn of_problem(server: &str, status: u16, body: &str) -> Self {
        let server = server.to_owned();
        match serde_json::from_str(body) {
            Ok(Problem { code, detail, next_step }) => {
                Self::Refused { server, status, code, message: detail, next: next_step }
            }
            Err(_) => Self::Unexpected { server, what: format!("status {status}, without a code") },
        }
    }

    /// The service, the status and the code of a refusal, as a cause.
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

//! The error of the command line: the sum of the errors of every boundary below. This module gives
//! each error its exit code, its stable code for programs, its causes and the next step.

use std::io::ErrorKind;
use std::path::PathBuf;

use rollbook_application::backup::BackupError;
use rollbook_application::code::{Code, Coded, Exit};
use rollbook_application::evidence::EvidenceError;
use rollbook_application::operations::OperationError;
use rollbook_application::store::StoreError;
use rollbook_domain::control::SwitchRejection;
use rollbook_domain::series::decide::Rejection;
use rollbook_log::{AppendError, LogError};
use rollbook_migrations::MigrationError;
use rollbook_migrations::dump::DumpError;
use rollbook_migrations::export_reader::ImportError;
use rollbook_migrations::export_writer::ExportError;
use rollbook_projections::ProjectionError;
use rollbook_proofs::ProofError;
use rollbook_service::access::AccessError;
use rollbook_service::configuration::ConfigurationError;
use rollbook_service::telemetry::TelemetryError;

use super::next_step;
use crate::remote::RemoteError;
use crate::verify::{VerifyError, causes};

/// Why a command failed or was rejected.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A read from a store or a write to it failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A batch cannot be planned, read, applied or validated.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// An export cannot be read.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// An export cannot be written.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A store cannot be dumped, or a dump cannot be loaded.
    #[error(transparent)]
    Dump(#[from] DumpError),
    /// A backup cannot be taken, verified or restored.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A checkpoint or a proof cannot be made, or does not verify.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// A checkpoint cannot be signed.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The settings of access are invalid, or its keys cannot be read or changed.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The settings of the service are invalid.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// The service's logs, metrics or traces cannot be set up.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// A request to a remote service failed.
    #[error(transparent)]
    Remote(RemoteError),
    /// The store is damaged, or cannot be verified.
    #[error(transparent)]
    Verify(VerifyError),
    /// Output could not be written.
    #[error("the output could not be written")]
    Output(#[source] std::io::Error),
    /// The operating system refused a resource that the command needs.
    #[error("cannot {doing}")]
    System {
        /// The action that failed, after "cannot".
        doing: &'static str,
        /// The error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// A file named on the command line cannot be read.
    #[error("cannot read {path}; check the path and its permissions")]
    Input {
        /// The file, or `-` for stdin.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// Arguments that contradict each other in a way that clap does not check.
    #[error("{0}")]
    Usage(String),
    /// A rebuild gave other rows.
    #[error(
        "the rows of {projections} differed from what the log gives; the rebuilt rows are in use now"
    )]
    NotIdentical {
        /// The names of the projections.
        projections: String,
        /// The counts and digests of each projection, one line each.
        digests: Vec<String>,
    },
    /// The file must be new.
    #[error("{} exists already; name a new file", .0.display())]
    FileExists(PathBuf),
    /// Some checks are red.
    #[error("{green} of {total} checks are green; the report shows what the others found")]
    ValidationRed {
        /// The number of green checks.
        green: usize,
        /// The number of all checks.
        total: usize,
    },
    /// Some differences between the views belong to no class.
    #[error("{0} differences between the views are unexplained; the report lists them")]
    Unexplained(u64),
    /// The directory must be new.
    #[error("{} exists already; name a new directory", .0.display())]
    DirectoryExists(PathBuf),
    /// The service does not start with these settings.
    #[error("{0}")]
    NotServed(String),
    /// The service cannot listen on the address.
    #[error(
        "cannot listen on {address}; name another address with --listen, or stop the process that uses it"
    )]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// The error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// SIGINT or SIGTERM arrived.
    #[error(
        "interrupted between two commits; nothing is half done: run the same command again to resume"
    )]
    Interrupted,
}

impl CliError {
    /// Wraps an error of the operating system; `doing` follows "cannot".
    pub(crate) fn system(doing: &'static str) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::System { doing, source }
    }

    /// The exit code: that of [`Coded::code`]. Only a file that would be overwritten counts as
    /// refused instead of failed.
    pub fn exit_code(&self) -> u8 {
        let would_overwrite = matches!(
            self,
            Self::FileExists(_)
                | Self::Dump(DumpError::Log(LogError::Exists { .. }))
                | Self::Backup(BackupError::Log(LogError::Exists { .. }))
        );
        let exit = match self {
            _ if would_overwrite => Exit::Refused,
            // A rule refused the command, also where its code names a missing week.
            Self::Store(StoreError::Refused(_)) => Exit::Refused,
            Self::Store(StoreError::NoSeries(_)) => Exit::Usage,
            Self::Evidence(EvidenceError::NoKeyYet) => Exit::Failed,
            _ => self.code().exit(),
        };
        exit as u8
    }

    /// The causes, nearest first: the chain of sources, then the findings of a check.
    pub fn causes(&self) -> Vec<String> {
        let mut found = causes(self);
        match self {
            Self::Remote(error) => found.extend(error.because()),
            Self::Verify(VerifyError::Damaged { findings, .. }) => {
                found.extend_from_slice(findings);
            }
            Self::NotIdentical { digests, .. } => found.extend_from_slice(digests),
            Self::Backup(BackupError::Damaged { findings, .. }) => {
                found.extend(findings.iter().map(ToString::to_string));
            }
            _ => {}
        }
        found
    }

    /// What to do next, where the message does not say so itself.
    pub fn next_step(&self) -> Option<String> {
        match self {
            Self::Store(error) => next_step::of_store(error),
            Self::Evidence(error) => next_step::of_evidence(error),
            Self::Migration(error) => next_step::of_migration(error),
            Self::Backup(error) => next_step::of_backup(error),
            Self::Remote(error) => error.next_step(),
            Self::Verify(error) => error.next_step(),
            Self::NotIdentical { .. } => Some(
                "run it again: a second difference means that a fold is not deterministic; report it"
                    .to_owned(),
            ),
            Self::Dump(DumpError::Log(error)) | Self::Access(AccessError::NoStore(error)) => {
                next_step::of_log(error)
            }
            _ => None,
        }
    }

    /// Whether the reader of the output closed it, as `head` does. That is not a failure.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) | Self::Dump(DumpError::Write(error)) if error.kind() == ErrorKind::BrokenPipe)
    }
}

impl From<RemoteError> for CliError {
    fn from(error: RemoteError) -> Self {
        match error {
            RemoteError::Batch(error) => Self::Migration(error),
            other => Self::Remote(other),
        }
    }
}

impl From<OperationError> for CliError {
    fn from(error: OperationError) -> Self {
        match error {
            OperationError::Store(error) => Self::Store(error),
            OperationError::Migration(error) => Self::Migration(error),
            OperationError::Scratch(source) => {
                Self::System { doing: "make a temporary directory", source }
            }
        }
    }
}

impl From<VerifyError> for CliError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Store(error) => Self::Store(error),
            damaged => Self::Verify(damaged),
        }
    }
}

/// Conversions of errors that [`StoreError`] contains.
macro_rules! through_store {
    ($($error:ty),+ $(,)?) => {$(
        impl From<$error> for CliError {
            fn from(error: $error) -> Self {
                Self::Store(error.into())
            }
        }
    )+};
}

through_store!(LogError, AppendError, ProjectionError, Rejection, SwitchRejection);

impl Coded for CliError {
    fn code(&self) -> Code {
        match self {
            Self::Store(error) => error.code(),
            Self::Migration(error) => error.code(),
            Self::Import(error) => error.code(),
            Self::Export(_) => Code::Export,
            Self::Dump(error) => error.code(),
            Self::Backup(error) => error.code(),
            Self::Evidence(error) => error.code(),
            Self::Proof(_) => Code::ProofRefused,
            Self::Access(error) => error.code(),
            Self::Configuration(_) => Code::Configuration,
            Self::Telemetry(_) => Code::Telemetry,
            Self::Remote(error) => error.code(),
            Self::Verify(error) => error.code(),
            Self::Output(_) => Code::Output,
            Self::System { .. } => Code::System,
            Self::Input { .. } => Code::Input,
            Self::Usage(_) => Code::Usage,
            Self::NotIdentical { .. } => Code::NotIdentical,
            Self::FileExists(_) | Self::DirectoryExists(_) => Code::Exists,
            Self::ValidationRed { .. } => Code::ValidationRed,
            Self::Unexplained(_) => Code::Unexplained,
            Self::NotServed(_) => Code::NotServed,
            Self::Listen { .. } => Code::Listen,
            Self::Interrupted => Code::Interrupted,
        }
    }
}

#[cfg(test)]
mod tests;

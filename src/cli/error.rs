//! Errors of the command line: the sum of every boundary below. This module gives each error its exit code, its stable code
//! for programs, its causes and the next step.

use std::io::ErrorKind;
use std::path::PathBuf;

use rollbook_application::backup::BackupError;
use rollbook_application::code::{Code, Coded, Exit};
use rollbook_application::evidence::EvidenceError;
use rollbook_application::operations::OperationError;
use rollbook_application::store::StoreError;
use rollbook_domain::control::SwitchRefused;
use rollbook_domain::series::decide::Refused;
use rollbook_log::{AppendError, LogError};
use rollbook_migrations::MigrationError;
use rollbook_migrations::dump::DumpError;
use rollbook_migrations::export::ExportError;
use rollbook_migrations::export_reader::ImportError;
use rollbook_projections::ProjectionError;
use rollbook_proofs::ProofError;
use rollbook_service::access::AccessError;
use rollbook_service::configuration::ConfigurationError;
use rollbook_service::telemetry::TelemetryError;

use super::next_step;
use crate::remote::RemoteError;
use crate::verify::{VerifyError, causes};

/// Why a command failed or was refused.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A read or a command on a store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A batch was not planned, read, applied or validated.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// An export was not read.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// An export was not written.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A store was not dumped, or a dump not loaded.
    #[error(transparent)]
    Dump(#[from] DumpError),
    /// A backup was not taken, is not good, or was not restored.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A checkpoint or a proof was not made or not believed.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// A checkpoint could not be signed.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// Access is configured wrongly, or its keys cannot be read or changed.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The service's settings cannot be used.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// The service's logs, metrics or traces cannot be set up.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// A remote service did not do what was asked.
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
        /// What was attempted.
        doing: &'static str,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// A file named on the command line cannot be read.
    #[error("cannot read {path}; check the path and its permissions")]
    Input {
        /// The file, or `-` for stdin.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// Arguments that clap admits and that make no sense together.
    #[error("{0}")]
    Usage(String),
    /// A rebuild that gave other rows.
    #[error("the rows of {projections} were not what the log says; the rows built anew serve now")]
    NotIdentical {
        /// Which, by name.
        projections: String,
        /// Counts and digests of each, a line each.
        digests: Vec<String>,
    },
    /// A file that must be new.
    #[error("{} exists already; give a new file", .0.display())]
    FileExists(PathBuf),
    /// Checks do not hold.
    #[error("{green} of {total} checks are green; the red ones name what they found")]
    ValidationRed {
        /// How many hold.
        green: usize,
        /// Of how many.
        total: usize,
    },
    /// Differences that no class explains.
    #[error("{0} differences between the views are unexplained; the report names them")]
    Unexplained(u64),
    /// A directory that must be new.
    #[error("{} exists already; give a new directory", .0.display())]
    DirectoryExists(PathBuf),
    /// The service may not run like this.
    #[error("{0}")]
    NotServed(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}; give another --listen address, or stop what uses it")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// Ctrl-C.
    #[error(
        "interrupted at a commit boundary; nothing is half done: run the same command again to go on"
    )]
    Interrupted,
}

impl CliError {
    /// An error of the operating system while doing this.
    pub(crate) fn system(doing: &'static str) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::System { doing, source }
    }

    /// The exit code of the command line: that of the code. A file that would be overwritten is a refusal.
    pub fn exit_code(&self) -> u8 {
        let would_overwrite = matches!(
            self,
            Self::FileExists(_)
                | Self::Dump(DumpError::Log(LogError::Exists { .. }))
                | Self::Backup(BackupError::Log(LogError::Exists { .. }))
        );
        let exit = if would_overwrite { Exit::Refused } else { self.code().exit() };
        exit as u8
    }

    /// The causes, the nearest first: the chain of sources, and what a check found.
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

    /// Whether the reader of the output closed it, which is no failure.
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

/// Errors that a store's error already holds.
macro_rules! through_store {
    ($($error:ty),+ $(,)?) => {$(
        impl From<$error> for CliError {
            fn from(error: $error) -> Self {
                Self::Store(error.into())
            }
        }
    )+};
}

through_store!(LogError, AppendError, ProjectionError, Refused, SwitchRefused);

impl Coded for CliError {
    fn code(&self) -> Code {
        match self {
            Self::Store(error) => error.code(),
            Self::Migration(error) => error.code(),
            Self::Import(_) => Code::Import,
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
mod tests {
    use super::*;

    #[test]
    fn exit_codes_tell_refused_from_failed() {
        assert_eq!(CliError::from(Refused::NoPause).exit_code(), 3);
        assert_eq!(CliError::from(SwitchRefused::NotValidated).exit_code(), 3);
        assert_eq!(CliError::from(StoreError::UnknownClient("x".to_owned())).exit_code(), 1);
        assert_eq!(CliError::Usage("x".to_owned()).exit_code(), 2);
        assert_eq!(CliError::Interrupted.exit_code(), 130);
    }

    #[test]
    fn causes_hold_the_chain_without_repeats() {
        let source = std::io::Error::new(ErrorKind::NotFound, "gone");
        let error = CliError::from(LogError::File { doing: "read", path: "x".into(), source });
        assert_eq!(error.causes(), ["gone"]);
        assert_eq!(error.code(), Code::Store);
    }
}

//! What can go wrong in the application. Owns the one error enum of this crate, and what the command line makes of each: its exit
//! code, its stable code for programs, its causes and the next step.

use std::error::Error;
use std::io::ErrorKind;
use std::path::PathBuf;

use rollbook_domain::control::SwitchRefused;
use rollbook_domain::series::decide::Refused;
use rollbook_log::{AppendError, KeyringError, LogError};
use rollbook_migrations::MigrationError;
use rollbook_migrations::dump::DumpError;
use rollbook_migrations::export_reader::ImportError;
use rollbook_migrations::export_writer::ExportError;
use rollbook_projections::ProjectionError;
use rollbook_proofs::ProofError;

use crate::access::AccessError;
use crate::backup::BackupError;
use crate::configuration::ConfigurationError;
use crate::evidence::EvidenceError;
use crate::remote::RemoteError;
use crate::telemetry::TelemetryError;

/// Why something asked of a store was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store cannot be opened or read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A commit was not appended.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// Rows could not be folded or read.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
    /// A command on a series is refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// A switch is refused.
    #[error(transparent)]
    Switch(#[from] SwitchRefused),
    /// No such assignment.
    #[error(
        "no assignment has the id {0:?}; give its own id, its document's, the old legacy id, or <base>_week_<n>"
    )]
    UnknownAssignment(String),
    /// No such response.
    #[error(
        "no response has the id {0:?}; `rollbook history` of its assignment shows the response's id"
    )]
    UnknownResponse(String),
    /// A stream that is no series.
    #[error("{0} is no series; write series/<client>/<form>")]
    NoSeries(String),
    /// Others were faster every time.
    #[error("other writers changed {0} each time this was decided; try again")]
    Contended(String),
    /// Access is configured wrongly, or its keys cannot be read or changed.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// What backups were told of erasures.
    #[error(
        "cannot read or write what backups are told of erasures: {path}; put the file back from a copy, or check the directory"
    )]
    Erasures {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Output could not be written.
    #[error("the output could not be written")]
    Output(#[from] std::io::Error),
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
    /// No such client.
    #[error("no client document has the id or authUid {0:?}")]
    UnknownClient(String),
    /// No such form.
    #[error("no form document has the id {0:?}")]
    UnknownForm(String),
    /// No such coach.
    #[error("no coach document has the id {0:?}")]
    UnknownCoach(String),
    /// A series without events.
    #[error("there is no {0}; `rollbook history client/<id>` lists what a client has")]
    UnknownSeries(String),
    /// An id that means nothing here.
    #[error(
        "nothing here has the id {0:?}: no assignment, response, client, coach, form, series, event or batch; a batch may be named by the first 6 or more digits of its digest"
    )]
    UnknownId(String),
    /// A digest's beginning that several batches share.
    #[error("{0:?} is the beginning of several digests; give more of it")]
    AmbiguousDigest(String),
    /// Damage in the store.
    #[error("the store is damaged{}; {} of {head} positions were read", .position.map(|at| format!(" at position {at}")).unwrap_or_default(), .read)]
    Damaged {
        /// The first damaged position; `None` when the log is sound and rows are not.
        position: Option<u64>,
        /// How many positions could be read.
        read: u64,
        /// The head.
        head: u64,
        /// Everything that was found, a line each.
        findings: Vec<String>,
    },
    /// A rebuild that gave other rows.
    #[error("the rows of {projections} were not what the log says; the rows built anew serve now")]
    NotIdentical {
        /// Which, by name.
        projections: String,
        /// Counts and digests of each, a line each.
        digests: Vec<String>,
    },
    /// A batch was not planned, read, applied or validated.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// An export was not read.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// An export was not written.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A backup was not taken, is not good, or was not restored.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A store was not dumped, or a dump not loaded.
    #[error(transparent)]
    Dump(#[from] DumpError),
    /// A file that must be new.
    #[error("{} exists already; give a new file", .0.display())]
    FileExists(PathBuf),
    /// A service somewhere else did not do it.
    #[error(transparent)]
    Remote(#[from] RemoteError),
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
    /// The service's settings cannot be used.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// The service cannot tell of itself.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// A checkpoint or a proof was not made or not believed.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// A checkpoint could not be signed.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// Ctrl-C.
    #[error(
        "interrupted at a commit boundary; nothing is half done: run the same command again to go on"
    )]
    Interrupted,
}

impl StoreError {
    /// The exit code of the command line: 1 failed, 2 usage, 3 refused, 130 interrupted.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(_)
            | Self::Switch(_)
            | Self::Append(AppendError::KeyReused { .. } | AppendError::ClientErased { .. }) => 3,
            Self::Log(LogError::Keyring(KeyringError::Unsealed)) => 3,
            Self::Migration(error) if error.is_refusal() => 3,
            Self::ValidationRed { .. } | Self::Unexplained(_) | Self::NotServed(_) => 3,
            Self::Backup(error) if error.is_refusal() => 3,
            Self::FileExists(_)
            | Self::Dump(DumpError::Log(LogError::Exists { .. } | LogError::BeingBuilt { .. })) => {
                3
            }
            Self::Dump(DumpError::Interrupted) => 130,
            Self::Dump(DumpError::Unsealed) => 2,
            Self::Backup(BackupError::Name { .. }) => 2,
            Self::Evidence(error) if error.is_refusal() => 3,
            Self::Proof(_) => 3,
            Self::Usage(_) | Self::NoSeries(_) | Self::Configuration(_) => 2,
            Self::Access(error) if error.is_usage() => 2,
            Self::Access(AccessError::NameTaken(_)) => 3,
            Self::Remote(error) => error.exit_code(),
            Self::Interrupted | Self::Migration(MigrationError::Interrupted) => 130,
            _ => 1,
        }
    }

    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        if let Some(error) = self.log_error() {
            return log_code(error);
        }
        match self {
            Self::Append(AppendError::KeyReused { .. }) => "key_reused",
            Self::Append(AppendError::ClientErased { .. }) => "client_erased",
            Self::Append(_) | Self::Contended(_) => "not_appended",
            Self::Projection(ProjectionError::BeyondHead { .. }) => "beyond_head",
            Self::Projection(ProjectionError::Unknown { .. }) => "unknown_projection",
            Self::Log(_) | Self::Projection(_) => "store",
            Self::Refused(_) => "refused",
            Self::Switch(_) => "switch_refused",
            Self::UnknownAssignment(_)
            | Self::UnknownResponse(_)
            | Self::UnknownClient(_)
            | Self::UnknownForm(_)
            | Self::UnknownCoach(_)
            | Self::UnknownSeries(_)
            | Self::UnknownId(_) => "unknown_id",
            Self::AmbiguousDigest(_) => "ambiguous_id",
            Self::Usage(_) | Self::NoSeries(_) => "usage",
            Self::Erasures { .. } => "erasures",
            Self::Output(_) => "output",
            Self::Input { .. } => "input",
            Self::Damaged { .. } => "damaged",
            Self::NotIdentical { .. } => "not_identical",
            Self::Migration(error) => error.code(),
            Self::Import(_) => "import",
            Self::Export(_) => "export",
            Self::Access(error) => error.code(),
            Self::Backup(error) => error.code(),
            Self::Dump(error) => error.code(),
            Self::FileExists(_) => "exists",
            Self::Remote(error) => error.code(),
            Self::ValidationRed { .. } => "validation_red",
            Self::Unexplained(_) => "unexplained",
            Self::DirectoryExists(_) => "exists",
            Self::NotServed(_) => "not_served",
            Self::Listen { .. } => "listen",
            Self::Configuration(_) => "configuration",
            Self::Telemetry(_) => "telemetry",
            Self::Evidence(error) => error.code(),
            Self::Proof(_) => "proof_refused",
            Self::Interrupted => "interrupted",
        }
    }

    /// What lies behind it, the nearest first: the chain of sources, and what a check found.
    pub fn causes(&self) -> Vec<String> {
        let mut causes = Vec::new();
        let mut error: &dyn Error = self;
        while let Some(source) = error.source() {
            let text = source.to_string();
            // A transparent error repeats what it wraps.
            if causes.last() != Some(&text) && text != self.to_string() {
                causes.push(text);
            }
            error = source;
        }
        if let Self::Remote(error) = self {
            causes.extend(error.because());
        }
        if let Self::Damaged { findings: found, .. } | Self::NotIdentical { digests: found, .. } =
            self
        {
            causes.extend_from_slice(found);
        }
        if let Self::Backup(BackupError::Damaged { findings, .. }) = self {
            causes.extend(findings.iter().map(ToString::to_string));
        }
        causes
    }

    /// What to do next, where the message does not say so itself.
    pub fn next_step(&self) -> Option<String> {
        match self {
            Self::Refused(refused) => refused_next(refused),
            Self::Append(AppendError::KeyReused { .. }) => Some("a new --key, or none, makes this a new request".to_owned()),
            Self::Remote(error) => error.next_step(),
            Self::UnknownClient(_) => Some("`rollbook view legacy --all` lists every client document".to_owned()),
            Self::UnknownForm(_) | Self::UnknownCoach(_) => {
                Some("import an export that has it, or give --allow-unknown where the command takes it".to_owned())
            }
            Self::Damaged { position: Some(_), .. } => Some("keep this store for analysis and restore a backup".to_owned()),
            Self::Damaged { position: None, .. } => Some("`rollbook rebuild --all` builds rows again from the log; where more than rows is damaged, keep this store for analysis and restore a backup".to_owned()),
            Self::NotIdentical { .. } => {
                Some("run it again: a second difference means that a fold is not deterministic; report it".to_owned())
            }
            _ => match self.log_error() {
                Some(LogError::Missing { dir }) => Some(format!("rollbook --data {} import EXPORT_DIR", dir.display())),
                _ => None,
            },
        }
    }

    /// Whether whoever read the output went away, which is no failure.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) | Self::Dump(DumpError::Write(error)) if error.kind() == ErrorKind::BrokenPipe)
    }

    /// The log's error inside, wherever it came up.
    fn log_error(&self) -> Option<&LogError> {
        match self {
            Self::Log(error) | Self::Projection(ProjectionError::Log(error)) => Some(error),
            Self::Dump(
                DumpError::Log(error) | DumpError::Projection(ProjectionError::Log(error)),
            ) if !matches!(error, LogError::Exists { .. } | LogError::BeingBuilt { .. }) => {
                Some(error)
            }
            Self::Backup(BackupError::Projection(ProjectionError::Log(error))) => Some(error),
            Self::Backup(BackupError::Log(error))
                if !matches!(error, LogError::Exists { .. } | LogError::BeingBuilt { .. }) =>
            {
                Some(error)
            }
            Self::Append(AppendError::Storage(error)) => Some(error),
            _ => None,
        }
    }
}

fn log_code(error: &LogError) -> &'static str {
    match error {
        LogError::Missing { .. } => "no_store",
        LogError::NotAStore { .. } => "not_a_store",
        LogError::InUse { .. } => "in_use",
        LogError::Lost { .. } => "lost",
        LogError::NewerStore { .. } => "newer_store",
        LogError::ReadOnly { .. } => "read_only",
        LogError::Corrupt(_) | LogError::DamagedFile { .. } => "damaged",
        LogError::BeyondHead { .. } => "beyond_head",
        LogError::Keyring(KeyringError::Unsealed) => "unsealed",
        LogError::Keyring(_) => "keyring",
        _ => "store",
    }
}

fn refused_next(refused: &Refused) -> Option<String> {
    Some(match refused {
        Refused::NoSuchWeek { .. } => "`rollbook history` of the series shows the weeks there are".to_owned(),
        Refused::Completed(_) => {
            "`rollbook history` shows the answer; `rollbook withdraw --assignment ID` sets the week back to pending".to_owned()
        }
        Refused::AlreadyMissed(_) => "`rollbook reopen ID` opens the week again".to_owned(),
        Refused::NotOverdue { due, .. } => {
            let from = due.plus_milliseconds(rollbook_domain::status::OVERDUE_AFTER_MILLISECONDS);
            format!("it can be marked missed from {from} on")
        }
        Refused::NoComment => "say it with --comment".to_owned(),
        Refused::ShortReason { .. } => "write a longer text".to_owned(),
        Refused::OutOfRange { least, most, .. } => format!("give a number from {least} to {most}"),
        Refused::NothingToPause(_) => "`rollbook view live --client ID` shows what is due".to_owned(),
        Refused::NoPause => "`rollbook history` of the series shows its pauses".to_owned(),
        Refused::StillOpen(_) => "`rollbook respond ID` answers it".to_owned(),
        Refused::NoSuchResponse { .. } => "`rollbook history` of the assignment shows its response".to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_tell_refused_from_failed() {
        assert_eq!(StoreError::from(Refused::NoPause).exit_code(), 3);
        assert_eq!(StoreError::from(SwitchRefused::NotValidated).exit_code(), 3);
        assert_eq!(StoreError::UnknownClient("x".to_owned()).exit_code(), 1);
        assert_eq!(StoreError::Usage("x".to_owned()).exit_code(), 2);
        assert_eq!(StoreError::Interrupted.exit_code(), 130);
    }

    #[test]
    fn causes_hold_the_chain_without_repeats() {
        let source = std::io::Error::new(ErrorKind::NotFound, "gone");
        let error = StoreError::Log(LogError::File { doing: "read", path: "x".into(), source });
        assert_eq!(error.causes(), ["gone"]);
        assert_eq!(error.code(), "store");
    }
}

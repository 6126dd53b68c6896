//! The codes of the errors that the crates below define. Those crates do not know codes.

use rollbook_domain::control::{AcceptanceRejection, SwitchRejection};
use rollbook_domain::series::decide::Rejection;
use rollbook_log::{AppendError, KeyringError, LogError};
use rollbook_migrations::MigrationError;
use rollbook_migrations::dump::DumpError;
use rollbook_migrations::export_reader::ImportError;
use rollbook_migrations::export_writer::ExportError;
use rollbook_projections::ProjectionError;
use rollbook_proofs::ProofError;

use crate::code::{Code, Coded};

impl Coded for LogError {
    fn code(&self) -> Code {
        match self {
            Self::Missing { .. } => Code::NoStore,
            Self::NotAStore { .. } => Code::NotAStore,
            Self::InUse { .. } => Code::InUse,
            Self::Lost { .. } => Code::Lost,
            Self::NewerStore { .. } => Code::NewerStore,
            Self::ReadOnly { .. } => Code::ReadOnly,
            Self::Corrupt(_) | Self::DamagedFile { .. } => Code::Damaged,
            Self::BeyondHead { .. } => Code::BeyondHead,
            Self::Keyring(KeyringError::Unsealed) => Code::Unsealed,
            Self::Keyring(_) => Code::Keyring,
            Self::Exists { .. } => Code::Exists,
            Self::BeingBuilt { .. } => Code::Busy,
            Self::MadeMeanwhile { .. }
            | Self::File { .. }
            | Self::Database { .. }
            | Self::OpenFiles { .. }
            | Self::Engine { .. }
            | Self::Poisoned(_)
            | Self::StillRead { .. }
            | Self::InsideCommit { .. }
            | Self::Thread(_) => Code::Store,
        }
    }
}

impl Coded for AppendError {
    fn code(&self) -> Code {
        match self {
            Self::KeyReused { .. } => Code::KeyReused,
            Self::ClientErased { .. } => Code::ClientErased,
            Self::TooLarge { .. } => Code::TooLarge,
            Self::BadName { .. } => Code::BadName,
            Self::VersionConflict { .. } | Self::DuplicateEvent { .. } => Code::Contended,
            Self::Overloaded { .. } => Code::Overloaded,
            Self::Empty | Self::Closed | Self::Encode(_) => Code::NotAppended,
            Self::Storage(error) => error.code(),
        }
    }
}

impl Coded for ProjectionError {
    fn code(&self) -> Code {
        match self {
            Self::Log(error) => error.code(),
            Self::BeyondHead { .. } => Code::BeyondHead,
            Self::Unknown { .. } => Code::UnknownProjection,
            Self::Row { .. }
            | Self::RowType { .. }
            | Self::TreeRow { .. }
            | Self::Tree(_)
            | Self::Encode(_)
            | Self::Missing { .. }
            | Self::CutShort { .. } => Code::Store,
        }
    }
}

impl Coded for Rejection {
    fn code(&self) -> Code {
        match self {
            Self::NoSuchWeek { .. }
            | Self::NoSuchSeries(_)
            | Self::NoSuchResponse { .. }
            | Self::NoSuchAssignment { .. } => Code::UnknownId,
            Self::Completed(_) => Code::Completed,
            Self::AlreadyMissed(_) => Code::Missed,
            Self::NotOverdue { .. } => Code::NotOverdue,
            Self::NoComment => Code::NoComment,
            Self::ShortReason { .. } => Code::ShortReason,
            Self::OpenWeeks { .. } => Code::OpenWeeks,
            Self::OutOfRange { .. } => Code::OutOfRange,
            Self::NothingToPause(_) => Code::NothingToPause,
            Self::NoPause => Code::NoPause,
            Self::StillOpen(_) => Code::StillOpen,
            Self::BadAnswers(_) => Code::BadAnswers,
            Self::TextTooLong { .. } => Code::TextTooLong,
            Self::TooDeep { .. } => Code::TooDeep,
            Self::ResponseNotHeld(_) => Code::ResponseNotHeld,
            Self::ResponseHeld { .. } => Code::ResponseHeld,
            Self::ResponseWasCleared(_) => Code::ResponseCleared,
            Self::WeekHasResponse { .. } => Code::WeekHasResponse,
            Self::NotHolding { .. } => Code::UnknownId,
            Self::LaterCorrection { .. } => Code::LaterCorrection,
            Self::ChangedSince { .. } => Code::CorrectionOverlaid,
        }
    }
}

impl Coded for SwitchRejection {
    fn code(&self) -> Code {
        match self {
            Self::NoReason
            | Self::Percent(_)
            | Self::NotValidated
            | Self::Stale { .. }
            | Self::Unfinished(_)
            | Self::Red(_)
            | Self::Retired => Code::SwitchRefused,
        }
    }
}

impl Coded for AcceptanceRejection {
    fn code(&self) -> Code {
        match self {
            Self::NoReason => Code::ShortReason,
            Self::NoFinding => Code::MissingFields,
            Self::UnknownCheck(_) | Self::UnknownFinding(_) | Self::NotAccepted(_) => {
                Code::UnknownFinding
            }
            Self::Count { .. } => Code::FindingsDiffer,
        }
    }
}

impl Coded for MigrationError {
    fn code(&self) -> Code {
        match self {
            Self::Log(error) => error.code(),
            Self::Projection(error) => error.code(),
            Self::Append(error) => error.code(),
            Self::File { .. } => Code::BatchFile,
            Self::Rules { .. } => Code::Store,
            Self::Exists { .. } => Code::Exists,
            Self::Line { .. } | Self::Count { .. } | Self::Digest { .. } => Code::BatchDamaged,
            Self::Version { .. } => Code::BatchVersion,
            Self::Kind { .. } => Code::BatchKind,
            Self::Drift { .. } => Code::Drift,
            Self::Zone { .. } | Self::ImportZone { .. } => Code::Zone,
            Self::OlderExport { .. } => Code::ExportOlder,
            Self::Removals { .. } => Code::ExportRemoves,
            Self::Unfinished { .. } => Code::BatchUnfinished,
            Self::NothingToMigrate { .. } => Code::NothingToMigrate,
            Self::NoSeriesOf { .. } => Code::UnknownId,
            Self::NoSuchBatch { .. } => Code::NoSuchBatch,
            Self::NoInverse { .. } => Code::NoInverse,
            Self::NothingImported => Code::NothingImported,
            Self::Interrupted => Code::Interrupted,
        }
    }
}

impl Coded for ImportError {
    fn code(&self) -> Code {
        if self.is_incomplete() { Code::ExportIncomplete } else { Code::Import }
    }
}

impl Coded for ExportError {
    fn code(&self) -> Code {
        Code::Export
    }
}

impl Coded for DumpError {
    fn code(&self) -> Code {
        match self {
            Self::Log(error) => error.code(),
            Self::Projection(error) => error.code(),
            Self::Write(_) => Code::Output,
            Self::Read { .. } => Code::Input,
            Self::Empty => Code::Empty,
            Self::Unsealed => Code::Usage,
            Self::Line { .. } | Self::Append { .. } => Code::DamagedDump,
            Self::Newer { .. } => Code::NewerDump,
            Self::Differs { .. } => Code::NotIdentical,
            Self::Finish { .. } => Code::Erasures,
            Self::Interrupted => Code::Interrupted,
        }
    }
}

impl Coded for ProofError {
    fn code(&self) -> Code {
        Code::ProofRefused
    }
}

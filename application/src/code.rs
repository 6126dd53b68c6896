//! The stable codes of every refusal and failure: one list for the command line and HTTP. Programs may rely on a code; texts may
//! change.
//!
//! [`Coded`] gives an error its code. Each crate implements it for its own errors with an exhaustive match, so that a new error does
//! not compile without a code. `docs/errors.md` is generated from this list by a test.

use strum::{EnumIter, EnumString, IntoStaticStr};

/// A stable code.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EnumIter, EnumString, IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
pub enum Code {
    /// A file of keys or settings of access cannot be read or written.
    AccessFile,
    /// The caller cannot be authenticated now: the keys of the token issuer, or the file of API keys, cannot be read.
    AccessUnavailable,
    /// Several digests begin with these digits. Give more of them.
    AmbiguousId,
    /// A backup of this name exists already.
    BackupExists,
    /// `responses` is not a list of answers.
    BadAnswers,
    /// The body has the wrong shape, or ended early.
    BadBody,
    /// The cursor was not issued by a list of this service.
    BadCursor,
    /// The text is not a date.
    BadDate,
    /// The body is not JSON.
    BadJson,
    /// An Idempotency-Key has 1 to 255 visible ASCII characters.
    BadKey,
    /// Last-Event-ID is not a position.
    BadLastEventId,
    /// An id or a key contains a NUL character.
    BadName,
    /// A parameter in the path cannot be read.
    BadPath,
    /// The query has an unknown name or an invalid value.
    BadQuery,
    /// `reason` is not one of sick, traveling, personal_emergency and other.
    BadReason,
    /// The text does not name a stream.
    BadStream,
    /// The text is not a time of day.
    BadTime,
    /// The batch file is cut short or edited.
    BatchDamaged,
    /// The batch file cannot be read or written.
    BatchFile,
    /// This build does not know the kind of the batch.
    BatchKind,
    /// Another batch was begun and is not finished. Apply its file again first.
    BatchUnfinished,
    /// This build does not read the format of the batch.
    BatchVersion,
    /// This node did not reach the requested position in time, or its projections have not caught up.
    Behind,
    /// The log has not reached this position.
    BeyondHead,
    /// Another backup is being taken or restored in this directory.
    Busy,
    /// The certificate does not verify.
    CertificateRefused,
    /// The client was erased. Nothing more is recorded about this client.
    ClientErased,
    /// The week has been answered already.
    Completed,
    /// The settings are invalid.
    Configuration,
    /// Other writers changed the same thing at the same time. Try again.
    Contended,
    /// The log contradicts a signed checkpoint.
    Contradicted,
    /// The store is damaged. Restore a backup.
    Damaged,
    /// The backup is damaged, or differs from its manifest.
    DamagedBackup,
    /// The dump is cut short or edited.
    DamagedDump,
    /// The file of API keys is damaged.
    DamagedKeys,
    /// The service is shutting down.
    Draining,
    /// The store differs from the one that the batch was planned from. Plan again.
    Drift,
    /// There is nothing to dump.
    Empty,
    /// The erasure ledger in the directory of backups cannot be read or written.
    Erasures,
    /// A file or directory of this name exists already.
    Exists,
    /// The export could not be written.
    Export,
    /// A file beside the store or of a backup cannot be read or written.
    File,
    /// The caller does not have the permission, or the thing does not exist.
    Forbidden,
    /// The export could not be read.
    Import,
    /// Another process has the store open.
    InUse,
    /// A file named on the command line cannot be read.
    Input,
    /// The service failed. Its log has the cause.
    Internal,
    /// The operation stopped at a commit boundary. The same request resumes it.
    Interrupted,
    /// The keys of the token issuer cannot be fetched or read.
    IssuerKeys,
    /// The signing or verifier key is missing, or is not the one that signed before.
    Key,
    /// The idempotency key was used for another request.
    KeyReused,
    /// The keyring or the master key is missing, damaged, or belongs to another store.
    Keyring,
    /// The service cannot listen on its address.
    Listen,
    /// The directory of the open store was removed or replaced.
    Lost,
    /// The week is marked missed already.
    Missed,
    /// A required field is missing or empty. The text names it.
    MissingFields,
    /// An API key of this name exists already.
    NameTaken,
    /// A newer rollbook took the backup.
    NewerBackup,
    /// A newer rollbook wrote the dump.
    NewerDump,
    /// A newer rollbook wrote the file of API keys.
    NewerKeys,
    /// A newer rollbook made the store.
    NewerStore,
    /// The request names no client.
    NoClient,
    /// The reason `other` needs a comment.
    NoComment,
    /// The body is not application/json.
    NoJson,
    /// The path does not take this method.
    NoMethod,
    /// The metrics are switched off.
    NoMetrics,
    /// The body is not application/x-ndjson.
    NoNdjson,
    /// Nothing is served at this path.
    NoPath,
    /// The series has no pause to take back.
    NoPause,
    /// There is no store in the directory.
    NoStore,
    /// The directory holds something other than a store.
    NotAStore,
    /// The commit was not appended.
    NotAppended,
    /// The rebuilt rows differ from the stored ones.
    NotIdentical,
    /// The week has not been overdue long enough.
    NotOverdue,
    /// The backup was taken but could not be recorded in the store.
    NotRecorded,
    /// The service does not start with these settings.
    NotServed,
    /// The store has no import yet.
    NothingImported,
    /// There is no applied and validated migration to certify.
    NothingToCertify,
    /// The correction changes nothing.
    NothingToCorrect,
    /// No unanswered week is due from now on.
    NothingToPause,
    /// The form is still allocated and has open weeks.
    OpenWeeks,
    /// A number is out of range.
    OutOfRange,
    /// The output could not be written.
    Output,
    /// The service has too much to do. Try again in a moment.
    Overloaded,
    /// The proof or the checkpoint does not verify.
    ProofRefused,
    /// The operating system gave no random bytes.
    Random,
    /// The user that runs this process has no permission to write the store.
    ReadOnly,
    /// A rule forbids the request.
    Refused,
    /// The text is too short.
    ShortReason,
    /// The body arrived too slowly.
    SlowBody,
    /// The week is still open.
    StillOpen,
    /// The store cannot be read or written.
    Store,
    /// The directory of the service's store was removed or replaced.
    StoreLost,
    /// The service cannot read or write its store now. Its log has the cause.
    StoreUnavailable,
    /// The guard refuses the switch.
    SwitchRefused,
    /// The operating system refused something that the command needs.
    System,
    /// Traces cannot be exported: the endpoint or its headers are invalid.
    Telemetry,
    /// A text, an id or a JSON value is too long.
    TextTooLong,
    /// The request timed out. A write may have been done: send it again under the same key.
    Timeout,
    /// A JSON value is nested too deep.
    TooDeep,
    /// The body, or what it asks to store, is too large.
    TooLarge,
    /// The rate limit of this address is reached. Try again later.
    TooManyRequests,
    /// The request has no valid token or key.
    Unauthenticated,
    /// The service's response is not that of a rollbook service.
    UnexpectedAnswer,
    /// Some differences between the views have no class.
    Unexplained,
    /// No backup has this name.
    UnknownBackup,
    /// Nothing has this id.
    UnknownId,
    /// No API key has this name.
    UnknownKey,
    /// No projection has this name.
    UnknownProjection,
    /// The service cannot be reached, or its response ended early.
    Unreachable,
    /// The store was made unsealed, so nothing in it is encrypted.
    Unsealed,
    /// The arguments contradict each other.
    Usage,
    /// Some checks are red.
    ValidationRed,
    /// The batch or the import is for a time zone other than the store's.
    Zone,
}

/// An error that has a stable code.
pub trait Coded {
    /// The code of this error.
    fn code(&self) -> Code;
}

/// The exit code of a command that ends with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Something failed.
    Failed = 1,
    /// The arguments are wrong.
    Usage = 2,
    /// A rule forbids the request.
    Refused = 3,
    /// A signal interrupted the command: 128 and the number of SIGINT.
    Interrupted = 130,
}

impl Code {
    /// The name that programs read.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The exit code of a command that ends with this code.
    pub fn exit(self) -> Exit {
        match self {
            Self::BackupExists
            | Self::BadAnswers
            | Self::BatchUnfinished
            | Self::Busy
            | Self::CertificateRefused
            | Self::ClientErased
            | Self::Completed
            | Self::Contradicted
            | Self::Drift
            | Self::Key
            | Self::KeyReused
            | Self::Missed
            | Self::NameTaken
            | Self::NoComment
            | Self::NoPause
            | Self::NotOverdue
            | Self::NotServed
            | Self::NothingImported
            | Self::NothingToCertify
            | Self::NothingToPause
            | Self::OpenWeeks
            | Self::OutOfRange
            | Self::ProofRefused
            | Self::Refused
            | Self::ShortReason
            | Self::StillOpen
            | Self::SwitchRefused
            | Self::TextTooLong
            | Self::TooDeep
            | Self::Unexplained
            | Self::Unsealed
            | Self::ValidationRed
            | Self::Zone => Exit::Refused,
            Self::Configuration | Self::Usage => Exit::Usage,
            Self::Interrupted => Exit::Interrupted,
            Self::AccessFile
            | Self::AccessUnavailable
            | Self::AmbiguousId
            | Self::BadBody
            | Self::BadCursor
            | Self::BadDate
            | Self::BadJson
            | Self::BadKey
            | Self::BadLastEventId
            | Self::BadName
            | Self::BadPath
            | Self::BadQuery
            | Self::BadReason
            | Self::BadStream
            | Self::BadTime
            | Self::BatchDamaged
            | Self::BatchFile
            | Self::BatchKind
            | Self::BatchVersion
            | Self::Behind
            | Self::BeyondHead
            | Self::Contended
            | Self::Damaged
            | Self::DamagedBackup
            | Self::DamagedDump
            | Self::DamagedKeys
            | Self::Draining
            | Self::Empty
            | Self::Erasures
            | Self::Exists
            | Self::Export
            | Self::File
            | Self::Forbidden
            | Self::Import
            | Self::InUse
            | Self::Input
            | Self::Internal
            | Self::IssuerKeys
            | Self::Keyring
            | Self::Listen
            | Self::Lost
            | Self::MissingFields
            | Self::NewerBackup
            | Self::NewerDump
            | Self::NewerKeys
            | Self::NewerStore
            | Self::NoClient
            | Self::NoJson
            | Self::NoMethod
            | Self::NoMetrics
            | Self::NoNdjson
            | Self::NoPath
            | Self::NoStore
            | Self::NotAStore
            | Self::NotAppended
            | Self::NotIdentical
            | Self::NotRecorded
            | Self::NothingToCorrect
            | Self::Output
            | Self::Overloaded
            | Self::Random
            | Self::ReadOnly
            | Self::SlowBody
            | Self::Store
            | Self::StoreLost
            | Self::StoreUnavailable
            | Self::System
            | Self::Telemetry
            | Self::Timeout
            | Self::TooLarge
            | Self::TooManyRequests
            | Self::Unauthenticated
            | Self::UnexpectedAnswer
            | Self::UnknownBackup
            | Self::UnknownId
            | Self::UnknownKey
            | Self::UnknownProjection
            | Self::Unreachable => Exit::Failed,
        }
    }

    /// What the code means, in one or two sentences.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::AccessFile => "A file of keys or settings of access cannot be read or written.",
            Self::AccessUnavailable => {
                "The caller cannot be authenticated now: the keys of the token issuer, or the file of API keys, cannot be read."
            }
            Self::AmbiguousId => "Several digests begin with these digits. Give more of them.",
            Self::BackupExists => "A backup of this name exists already.",
            Self::BadAnswers => "`responses` is not a list of answers.",
            Self::BadBody => "The body has the wrong shape, or ended early.",
            Self::BadCursor => "The cursor was not issued by a list of this service.",
            Self::BadDate => "The text is not a date.",
            Self::BadJson => "The body is not JSON.",
            Self::BadKey => "An Idempotency-Key has 1 to 255 visible ASCII characters.",
            Self::BadLastEventId => "Last-Event-ID is not a position.",
            Self::BadName => "An id or a key contains a NUL character.",
            Self::BadPath => "A parameter in the path cannot be read.",
            Self::BadQuery => "The query has an unknown name or an invalid value.",
            Self::BadReason => {
                "`reason` is not one of sick, traveling, personal_emergency and other."
            }
            Self::BadStream => "The text does not name a stream.",
            Self::BadTime => "The text is not a time of day.",
            Self::BatchDamaged => "The batch file is cut short or edited.",
            Self::BatchFile => "The batch file cannot be read or written.",
            Self::BatchKind => "This build does not know the kind of the batch.",
            Self::BatchUnfinished => {
                "Another batch was begun and is not finished. Apply its file again first."
            }
            Self::BatchVersion => "This build does not read the format of the batch.",
            Self::Behind => {
                "This node did not reach the requested position in time, or its projections have not caught up."
            }
            Self::BeyondHead => "The log has not reached this position.",
            Self::Busy => "Another backup is being taken or restored in this directory.",
            Self::CertificateRefused => "The certificate does not verify.",
            Self::ClientErased => {
                "The client was erased. Nothing more is recorded about this client."
            }
            Self::Completed => "The week has been answered already.",
            Self::Configuration => "The settings are invalid.",
            Self::Contended => "Other writers changed the same thing at the same time. Try again.",
            Self::Contradicted => "The log contradicts a signed checkpoint.",
            Self::Damaged => "The store is damaged. Restore a backup.",
            Self::DamagedBackup => "The backup is damaged, or differs from its manifest.",
            Self::DamagedDump => "The dump is cut short or edited.",
            Self::DamagedKeys => "The file of API keys is damaged.",
            Self::Draining => "The service is shutting down.",
            Self::Drift => {
                "The store differs from the one that the batch was planned from. Plan again."
            }
            Self::Empty => "There is nothing to dump.",
            Self::Erasures => {
                "The erasure ledger in the directory of backups cannot be read or written."
            }
            Self::Exists => "A file or directory of this name exists already.",
            Self::Export => "The export could not be written.",
            Self::File => "A file beside the store or of a backup cannot be read or written.",
            Self::Forbidden => {
                "The caller does not have the permission, or the thing does not exist."
            }
            Self::Import => "The export could not be read.",
            Self::InUse => "Another process has the store open.",
            Self::Input => "A file named on the command line cannot be read.",
            Self::Internal => "The service failed. Its log has the cause.",
            Self::Interrupted => {
                "The operation stopped at a commit boundary. The same request resumes it."
            }
            Self::IssuerKeys => "The keys of the token issuer cannot be fetched or read.",
            Self::Key => {
                "The signing or verifier key is missing, or is not the one that signed before."
            }
            Self::Keyring => {
                "The keyring or the master key is missing, damaged, or belongs to another store."
            }
            Self::KeyReused => "The idempotency key was used for another request.",
            Self::Listen => "The service cannot listen on its address.",
            Self::Lost => "The directory of the open store was removed or replaced.",
            Self::Missed => "The week is marked missed already.",
            Self::MissingFields => "A required field is missing or empty. The text names it.",
            Self::NameTaken => "An API key of this name exists already.",
            Self::NewerBackup => "A newer rollbook took the backup.",
            Self::NewerDump => "A newer rollbook wrote the dump.",
            Self::NewerKeys => "A newer rollbook wrote the file of API keys.",
            Self::NewerStore => "A newer rollbook made the store.",
            Self::NoClient => "The request names no client.",
            Self::NoComment => "The reason `other` needs a comment.",
            Self::NoJson => "The body is not application/json.",
            Self::NoMethod => "The path does not take this method.",
            Self::NoMetrics => "The metrics are switched off.",
            Self::NoNdjson => "The body is not application/x-ndjson.",
            Self::NoPath => "Nothing is served at this path.",
            Self::NoPause => "The series has no pause to take back.",
            Self::NoStore => "There is no store in the directory.",
            Self::NotAStore => "The directory holds something other than a store.",
            Self::NotAppended => "The commit was not appended.",
            Self::NotIdentical => "The rebuilt rows differ from the stored ones.",
            Self::NotOverdue => "The week has not been overdue long enough.",
            Self::NotRecorded => "The backup was taken but could not be recorded in the store.",
            Self::NotServed => "The service does not start with these settings.",
            Self::NothingImported => "The store has no import yet.",
            Self::NothingToCertify => "There is no applied and validated migration to certify.",
            Self::NothingToCorrect => "The correction changes nothing.",
            Self::NothingToPause => "No unanswered week is due from now on.",
            Self::OpenWeeks => "The form is still allocated and has open weeks.",
            Self::OutOfRange => "A number is out of range.",
            Self::Output => "The output could not be written.",
            Self::Overloaded => "The service has too much to do. Try again in a moment.",
            Self::ProofRefused => "The proof or the checkpoint does not verify.",
            Self::Random => "The operating system gave no random bytes.",
            Self::ReadOnly => {
                "The user that runs this process has no permission to write the store."
            }
            Self::Refused => "A rule forbids the request.",
            Self::ShortReason => "The text is too short.",
            Self::SlowBody => "The body arrived too slowly.",
            Self::StillOpen => "The week is still open.",
            Self::Store => "The store cannot be read or written.",
            Self::StoreLost => "The directory of the service's store was removed or replaced.",
            Self::StoreUnavailable => {
                "The service cannot read or write its store now. Its log has the cause."
            }
            Self::SwitchRefused => "The guard refuses the switch.",
            Self::System => "The operating system refused something that the command needs.",
            Self::Telemetry => {
                "Traces cannot be exported: the endpoint or its headers are invalid."
            }
            Self::TextTooLong => "A text, an id or a JSON value is too long.",
            Self::Timeout => {
                "The request timed out. A write may have been done: send it again under the same key."
            }
            Self::TooDeep => "A JSON value is nested too deep.",
            Self::TooLarge => "The body, or what it asks to store, is too large.",
            Self::TooManyRequests => "The rate limit of this address is reached. Try again later.",
            Self::Unauthenticated => "The request has no valid token or key.",
            Self::UnexpectedAnswer => "The service's response is not that of a rollbook service.",
            Self::Unexplained => "Some differences between the views have no class.",
            Self::UnknownBackup => "No backup has this name.",
            Self::UnknownId => "Nothing has this id.",
            Self::UnknownKey => "No API key has this name.",
            Self::UnknownProjection => "No projection has this name.",
            Self::Unreachable => "The service cannot be reached, or its response ended early.",
            Self::Unsealed => "The store was made unsealed, so nothing in it is encrypted.",
            Self::Usage => "The arguments contradict each other.",
            Self::ValidationRed => "Some checks are red.",
            Self::Zone => "The batch or the import is for a time zone other than the store's.",
        }
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use strum::IntoEnumIterator;

    /// `docs/errors.md` holds this table between two marks; `ROLLBOOK_BLESS=1` writes it anew.
    #[test]
    fn the_manual_lists_every_code() {
        const BEGIN: &str = "| code | exit | meaning |\n| --- | --- | --- |\n";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors.md");
        let line =
            |code: Code| format!("| `{code}` | {} | {} |\n", code.exit() as u8, code.meaning());
        let table: String = Code::iter().map(line).collect();
        let manual = std::fs::read_to_string(&path).unwrap();
        let (before, stored) = manual.split_once(BEGIN).unwrap();
        if std::env::var_os("ROLLBOOK_BLESS").is_some() {
            std::fs::write(&path, format!("{before}{BEGIN}{table}")).unwrap();
            return;
        }
        assert_eq!(stored, table, "docs/errors.md differs; ROLLBOOK_BLESS=1 writes it anew");
    }

    #[test]
    fn names_are_read_back() {
        for code in Code::iter() {
            assert_eq!(code.name().parse(), Ok(code));
        }
        assert!("made_up".parse::<Code>().is_err());
    }
}

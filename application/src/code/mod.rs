//! The stable codes of every refusal and failure: one list for the command line and HTTP. Programs
//! may rely on a code; texts may change.
//!
//! [`Coded`] gives an error its code. Each crate implements it for its own errors with an
//! exhaustive match, so that a new error does not compile without a code. `docs/errors.md` is
//! generated from this list by a test.

mod exit;

pub use self::exit::Exit;

use strum::{EnumIter, EnumMessage, EnumProperty, EnumString, IntoStaticStr};

/// A stable code.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumIter,
    EnumMessage,
    EnumProperty,
    EnumString,
    IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
pub enum Code {
    /// A file of keys or settings of access cannot be read or written.
    AccessFile,
    /// The caller cannot be authenticated now: the keys of the token issuer, or the file of API
    /// keys, cannot be read.
    AccessUnavailable,
    /// Several digests begin with these digits. Give more of them.
    AmbiguousId,
    /// A backup of this name exists already.
    #[strum(props(exit = 3))]
    BackupExists,
    /// `responses` is not a list of answers.
    #[strum(props(exit = 3))]
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
    #[strum(props(exit = 3))]
    BatchUnfinished,
    /// This build does not read the format of the batch.
    BatchVersion,
    /// This node did not reach the requested position in time, or its projections have not caught
    /// up.
    Behind,
    /// The log has not reached this position.
    BeyondHead,
    /// Another backup is being taken or restored in this directory.
    #[strum(props(exit = 3))]
    Busy,
    /// The certificate does not verify.
    #[strum(props(exit = 3))]
    CertificateRefused,
    /// The client was erased. Nothing more is recorded about this client.
    #[strum(props(exit = 3))]
    ClientErased,
    /// The week has been answered already.
    #[strum(props(exit = 3))]
    Completed,
    /// The settings are invalid.
    #[strum(props(exit = 2))]
    Configuration,
    /// Other writers changed the same thing at the same time. Try again.
    Contended,
    /// The log contradicts a signed checkpoint.
    #[strum(props(exit = 3))]
    Contradicted,
    /// A week that the correction changed was answered, cleared or withdrawn since.
    #[strum(props(exit = 3))]
    CorrectionOverlaid,
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
    #[strum(props(exit = 3))]
    Drift,
    /// There is nothing to dump.
    Empty,
    /// An erasure was interrupted, and must be finished.
    ErasureUnfinished,
    /// The erasure ledger in the directory of backups cannot be read or written.
    Erasures,
    /// A file or directory of this name exists already.
    Exists,
    /// The export could not be written.
    Export,
    /// The export's own summary says that it failed, or its files do not match it.
    #[strum(props(exit = 3))]
    ExportIncomplete,
    /// The export is older than the one that was imported last.
    #[strum(props(exit = 3))]
    ExportOlder,
    /// The export no longer has many documents, or answers, that would be removed.
    #[strum(props(exit = 3))]
    ExportRemoves,
    /// A file beside the store or of a backup cannot be read or written.
    File,
    /// The check has another number of open findings than the request expects.
    #[strum(props(exit = 3))]
    FindingsDiffer,
    /// The caller does not have the permission, or the thing does not exist.
    Forbidden,
    /// Another client has the id or the `authUid` already.
    #[strum(props(exit = 3))]
    IdentityTaken,
    /// The export could not be read.
    Import,
    /// Another import runs in the store. Try again when it has ended.
    #[strum(props(exit = 3))]
    ImportRunning,
    /// Another process has the store open.
    InUse,
    /// A file named on the command line cannot be read.
    Input,
    /// The service failed. Its log has the cause.
    Internal,
    /// The operation stopped at a commit boundary. The same request resumes it.
    #[strum(props(exit = 130))]
    Interrupted,
    /// The keys of the token issuer cannot be fetched or read.
    IssuerKeys,
    /// The signing or verifier key is missing, or is not the one that signed before.
    #[strum(props(exit = 3))]
    Key,
    /// The idempotency key was used for another request.
    #[strum(props(exit = 3))]
    KeyReused,
    /// The keyring or the master key is missing, damaged, or belongs to another store.
    Keyring,
    /// A later correction changes the same week, or places the same response.
    #[strum(props(exit = 3))]
    LaterCorrection,
    /// The service cannot listen on its address.
    Listen,
    /// The directory of the open store was removed or replaced.
    Lost,
    /// The week is marked missed already.
    #[strum(props(exit = 3))]
    Missed,
    /// A required field is missing or empty. The text names it.
    MissingFields,
    /// An API key of this name exists already.
    #[strum(props(exit = 3))]
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
    #[strum(props(exit = 3))]
    NoComment,
    /// The batch has no inverse batch: it changed no week.
    #[strum(props(exit = 3))]
    NoInverse,
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
    #[strum(props(exit = 3))]
    NoPause,
    /// There is no store in the directory.
    NoStore,
    /// No single batch with this digest was applied completely.
    #[strum(props(exit = 3))]
    NoSuchBatch,
    /// The id is that of a coach or an administrator. Only clients can be erased.
    #[strum(props(exit = 3))]
    NotAClient,
    /// The directory holds something other than a store.
    NotAStore,
    /// The commit was not appended.
    NotAppended,
    /// The rebuilt rows differ from the stored ones.
    NotIdentical,
    /// The week has not been overdue long enough.
    #[strum(props(exit = 3))]
    NotOverdue,
    /// The backup was taken but could not be recorded in the store.
    NotRecorded,
    /// The service does not start with these settings.
    #[strum(props(exit = 3))]
    NotServed,
    /// The store has no import yet.
    #[strum(props(exit = 3))]
    NothingImported,
    /// There is no applied and validated migration to certify.
    #[strum(props(exit = 3))]
    NothingToCertify,
    /// The correction changes nothing.
    NothingToCorrect,
    /// There is nothing to migrate: every series has its weeks already.
    #[strum(props(exit = 3))]
    NothingToMigrate,
    /// No unanswered week is due from now on.
    #[strum(props(exit = 3))]
    NothingToPause,
    /// The form is still allocated and has open weeks.
    #[strum(props(exit = 3))]
    OpenWeeks,
    /// A number is out of range.
    #[strum(props(exit = 3))]
    OutOfRange,
    /// The output could not be written.
    Output,
    /// The service has too much to do. Try again in a moment.
    Overloaded,
    /// The proof or the checkpoint does not verify.
    #[strum(props(exit = 3))]
    ProofRefused,
    /// The operating system gave no random bytes.
    Random,
    /// The user that runs this process has no permission to write the store.
    ReadOnly,
    /// The document is the only one of week 1.
    #[strum(props(exit = 3))]
    OnlyBase,
    /// The response was cleared from its week and counts for none.
    #[strum(props(exit = 3))]
    ResponseCleared,
    /// A week holds the response already.
    #[strum(props(exit = 3))]
    ResponseHeld,
    /// Another document stands for the week.
    #[strum(props(exit = 3))]
    WeekHasDocument,
    /// No week holds the response.
    #[strum(props(exit = 3))]
    ResponseNotHeld,
    /// The text is too short.
    #[strum(props(exit = 3))]
    ShortReason,
    /// The body arrived too slowly.
    SlowBody,
    /// The week is still open.
    #[strum(props(exit = 3))]
    StillOpen,
    /// The store cannot be read or written.
    Store,
    /// The directory of the service's store was removed or replaced.
    StoreLost,
    /// The service cannot read or write its store now. Its log has the cause.
    StoreUnavailable,
    /// The guard refuses the switch.
    #[strum(props(exit = 3))]
    SwitchRefused,
    /// The operating system refused something that the command needs.
    System,
    /// Traces cannot be exported: the endpoint or its headers are invalid.
    Telemetry,
    /// A text, an id or a JSON value is too long.
    #[strum(props(exit = 3))]
    TextTooLong,
    /// The request timed out. A write may have been done: send it again under the same key.
    Timeout,
    /// A JSON value is nested too deep.
    #[strum(props(exit = 3))]
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
    #[strum(props(exit = 3))]
    Unexplained,
    /// The document of a client, a coach or a form cannot be stored. The text says why.
    #[strum(props(exit = 3))]
    UnfitDocument,
    /// No backup has this name.
    UnknownBackup,
    /// No check finds this now, no check has this name, or the finding is not accepted.
    #[strum(props(exit = 3))]
    UnknownFinding,
    /// Nothing has this id.
    UnknownId,
    /// No API key has this name.
    UnknownKey,
    /// No projection has this name.
    UnknownProjection,
    /// The service cannot be reached, or its response ended early.
    Unreachable,
    /// The store was made unsealed, so nothing in it is encrypted.
    #[strum(props(exit = 3))]
    Unsealed,
    /// The arguments contradict each other.
    #[strum(props(exit = 2))]
    Usage,
    /// Some checks are red.
    #[strum(props(exit = 3))]
    ValidationRed,
    /// The week has another response.
    #[strum(props(exit = 3))]
    WeekHasResponse,
    /// The batch or the import is for a time zone other than the store's.
    #[strum(props(exit = 3))]
    Zone,
}

/// An error that has a stable code.
pub trait Coded {
    /// The code of this error.
    fn code(&self) -> Code;
}

impl Code {
    /// The name that programs read.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The exit code of a command that ends with this code: the property `exit` of the variant, and
    /// 1 without one.
    pub fn exit(self) -> Exit {
        match self.get_int("exit") {
            Some(2) => Exit::Usage,
            Some(3) => Exit::Refused,
            Some(130) => Exit::Interrupted,
            _ => Exit::Failed,
        }
    }

    /// What the code means, in one line: the documentation of the variant.
    pub fn meaning(self) -> String {
        self.get_documentation().unwrap_or_default().trim_end().replace('\n', " ")
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;

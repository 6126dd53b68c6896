//! The content of every event.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::control::{
    Acceptance, Attestation, Audience, CheckOutcome, ExportedCollection, QualifiedValidation, View,
};
use super::position::Position;
use super::repair::NumberSetting;
use super::series::{AssignedStatus, LinkKind, MissedReason, Origin, Placement, WeekDue, WeekMove};
use crate::collection::Collection;
use crate::imported::Document;
use crate::json::JsonText;
use crate::number::Number;
use crate::personal::Personal;
use crate::terms::RunTerms;
use crate::time::Timestamp;

/// The content of an event. Events of a series name the run and, where it applies, the week.
///
/// Variant and field names are part of the stored form and of the JSON form: they never change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// An import, or a person, added a document.
    DocumentImported(Document),
    /// A later import had a different version of the document, or a person changed it.
    DocumentChanged(Document),
    /// A later import no longer had the document in this stream.
    DocumentRemoved {
        /// The collection it belonged to.
        collection: Collection,
        /// Its `_id`.
        id: String,
    },
    /// A week was stored as its own assignment. The event has its id, so the log rejects a second.
    AssignmentCreated {
        /// UUIDv5 of (client, form, run, week).
        assignment: Uuid,
        /// The run, from 1.
        run: u32,
        /// The week, from 1.
        week: u32,
        /// The due date.
        due: Timestamp,
        /// Why it was created.
        origin: Origin,
        /// The terms that all weeks of the run share.
        terms: RunTerms,
    },
    /// The client responded to a week. The event has the response's id.
    ResponseSubmitted {
        /// The derived id of the assignment (UUIDv5), even if the week is stored under another id.
        assignment: Uuid,
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// UUIDv5 of the assignment and of the number of responses in the series.
        response: String,
        /// The time of submission.
        submitted_at: Timestamp,
        /// The score, 0 to 100; `None` if no answer has a score.
        score: Option<u32>,
        /// The answers: an array of `{questionId, question, answer, weight, score}` objects.
        answers: Personal<JsonText>,
        /// The due date that the old application would have stored for this week on submission.
        legacy_due: Timestamp,
    },
    /// A migration linked a response to its week.
    ResponseLinked {
        /// The response's id.
        response: String,
        /// The run.
        run: u32,
        /// The linked week.
        week: u32,
        /// The assignment id that the response names; empty if it names none.
        named: String,
        /// How the week was found.
        kind: LinkKind,
        /// The submission time of the response.
        completed_at: Option<Timestamp>,
        /// The response's score.
        score: Option<Number>,
    },
    /// The due date of a week was corrected.
    AssignmentRescheduled {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The new due date.
        due: Timestamp,
    },
    /// A week was marked as missed.
    AssignmentMissed {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The reason.
        reason: MissedReason,
        /// In the client's words.
        comment: Option<Personal<String>>,
    },
    /// The client got more time for a week.
    ExtensionGranted {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// In the client's words.
        reason: Personal<String>,
    },
    /// The client asked to reopen a closed week.
    ReopenRequested {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// In the client's words.
        reason: Personal<String>,
    },
    /// A coach reopened a closed week.
    AssignmentReopened {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
    },
    /// The series was paused: its unanswered weeks with a due date from now on moved.
    SeriesPaused {
        /// The run.
        run: u32,
        /// The length of the pause in weeks.
        pause_weeks: u32,
        /// When the pause ends.
        until: Timestamp,
        /// The moved weeks.
        moved: Vec<WeekMove>,
    },
    /// The series was resumed: its latest pause was undone.
    SeriesResumed {
        /// The run.
        run: u32,
        /// The weeks that moved back, with their restored due dates.
        restored: Vec<WeekDue>,
    },
    /// A run was extended. The same commit holds an `AssignmentCreated` event for each new week.
    SeriesExtended {
        /// The run.
        run: u32,
        /// The new number of weeks.
        total_weeks: u32,
    },
    /// A run was withdrawn from the client.
    SeriesWithdrawn {
        /// The run.
        run: u32,
        /// Whether weeks with a response stay in the views.
        keep_answered: bool,
        /// The reason.
        reason: Personal<String>,
    },
    /// One week without a response was withdrawn from the client.
    AssignmentWithdrawn {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The reason.
        reason: Personal<String>,
    },
    /// A week with a response was set back to pending. The response stays in the log.
    ResponseCleared {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The response that no longer counts.
        response: String,
        /// The reason.
        reason: Personal<String>,
    },
    /// A coach gave feedback on a response.
    FeedbackGiven {
        /// The response's id.
        response: String,
        /// The coach's id.
        coach: String,
        /// The coach's words.
        text: Personal<String>,
    },
    /// A coach changed the status of a week.
    StatusAssigned {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The new status.
        status: AssignedStatus,
    },
    /// A coach wrote a note on a week. It replaces the previous note.
    NoteWritten {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The coach's words; an empty text removes the note.
        note: Personal<String>,
    },
    /// An import is complete: all documents of the export are in the log.
    ImportCompleted {
        /// SHA-256 over the import's events, in hexadecimal.
        digest: String,
        /// The old server's time zone, an IANA name.
        legacy_timezone: String,
        /// The files of the export.
        collections: Vec<ExportedCollection>,
        /// The content of `BACKUP_SUMMARY.json`, if the export had it.
        summary: Option<JsonText>,
    },
    /// Applying a batch has begun.
    BatchPlanned {
        /// The batch's digest, in hexadecimal.
        digest: String,
        /// The definition's name, such as `precreate`.
        kind: String,
        /// The rules of the plan, such as `due=monday`.
        rules: String,
        /// The head of the log before the batch.
        base: Position,
        /// SHA-256 over the stored bytes of positions 1 to `base`, in hexadecimal.
        log_digest: String,
        /// SHA-256 over every response as of `base`, in hexadecimal.
        responses_digest: String,
        /// The number of these responses.
        responses: u64,
    },
    /// A batch is complete: all its events are in the log.
    BatchApplied {
        /// The batch's digest, in hexadecimal.
        digest: String,
        /// The number of series in the batch.
        series: u64,
        /// The number of created weeks.
        created: u64,
        /// The number of linked responses.
        linked: u64,
        /// The number of adopted responses.
        adopted: u64,
        /// The number of events that were left out: in the log already, or without a place now.
        skipped: u64,
    },
    /// A validation ran.
    ValidationRecorded {
        /// The batch's digest; empty if no batch was applied.
        digest: String,
        /// The validated head of the log.
        at: Position,
        /// The result of every check.
        checks: Vec<CheckOutcome>,
    },
    /// A parity check compared both views.
    ParityRecorded {
        /// The compared head of the log.
        at: Position,
        /// The number of differences that each class explains.
        classes: Vec<(String, u64)>,
        /// The number of differences that no class explains.
        unexplained: u64,
    },
    /// The switch changed: another view serves some or all clients.
    ViewSwitched {
        /// The view that serves the audience from now on.
        view: View,
        /// The clients it applies to.
        audience: Audience,
        /// The reason.
        reason: String,
        /// Whether a guard was overridden.
        forced: bool,
    },
    /// A backup was taken.
    BackupTaken {
        /// The backup's name.
        name: String,
        /// The head of the log in the backup.
        at: Position,
    },
    /// The migration reached a stage. Reserved: no command of this release produces this event.
    StageRecorded {
        /// The stage.
        stage: String,
        /// A remark.
        note: String,
    },
    /// The legacy view was retired. Reserved: no command of this release produces this event.
    LegacyRetired {
        /// The reason.
        reason: String,
    },
    /// A client's personal data was erased: the keys of all their identities were destroyed.
    ClientErased {
        /// The client's document id, or the id they were known by if no document was imported.
        client: String,
        /// Every erased id; the client's own is the first.
        ids: Vec<String>,
        /// The reason. It is not personal data and stays readable.
        reason: String,
    },
    /// A batch's recorded count and digest of responses were replaced, because clients were erased.
    ResponsesAttested(Attestation),
    /// A correction placed a response in a week: it moved from the weeks that held it, or no week
    /// held it before. The event has the correction's id.
    ResponsePlaced(Placement),
    /// A correction was undone. What it changed is as without it.
    CorrectionUndone {
        /// The id of the correction.
        correction: Uuid,
        /// The reason.
        reason: Personal<String>,
    },
    /// An import's document became a week that was made before it; its own ids are aliases.
    DocumentAdopted {
        /// The assignment's id.
        assignment: Uuid,
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The document's id.
        document: String,
    },
    /// One of several stored assignments of a week was withdrawn; it had no response.
    DuplicateWithdrawn {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The id of the stored assignment: its document id, or the assignment's own.
        assignment: String,
        /// The reason.
        reason: Personal<String>,
    },
    /// One of several stored assignments of a week lost its response, which stays in the log.
    DuplicateCleared {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The id of the stored assignment: its document id, or the assignment's own.
        assignment: String,
        /// The response that no longer counts; empty if it was completed without one.
        response: String,
        /// The reason.
        reason: Personal<String>,
    },
    /// A batch is complete that changes weeks and adds none: all its events are in the log.
    WeeksChanged {
        /// The batch's digest, in hexadecimal.
        digest: String,
        /// The number of series in the batch.
        series: u64,
        /// The number of changed weeks.
        changed: u64,
        /// The number of events that were left out.
        skipped: u64,
    },
    /// The check-in window of a week was changed.
    WindowChanged {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The new window; `None` removes it.
        window: Option<JsonText>,
    },
    /// A person accepted findings of a check: they no longer make it red.
    FindingsAccepted(Acceptance),
    /// Findings are no longer accepted.
    AcceptanceWithdrawn {
        /// The ids of the findings.
        findings: Vec<String>,
        /// The reason. It is not personal data and stays readable.
        reason: String,
    },
    /// A validation ran and found accepted findings. Without any, the event is `ValidationRecorded`.
    QualifiedValidationRecorded(QualifiedValidation),
    /// The number of a stored document's week was set. A correction's event has the correction's id.
    WeekNumberSet(NumberSetting),
    /// An event of an erased client, as it is read: without its personal content. It is never stored.
    Erased(Box<Event>),
}

//! The events: immutable facts, named in the past tense.
//!
//! This module defines the content of every event. Its children define the envelope
//! ([`EventRecord`]) and the values that events carry. It does not define how events are stored
//! (see the log) or what they mean for a list (see each projection).

mod control;
mod envelope;
mod series;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::control::{Audience, CheckOutcome, ExportedCollection, View};
pub use self::envelope::{Actor, EventRecord, NewEvent, Position, Version};
pub use self::series::{AssignedStatus, LinkKind, MissedReason, Origin, WeekDue, WeekMove};
pub use crate::collection::Collection;
use crate::imported::Document;
use crate::json::JsonText;
use crate::number::Number;
use crate::personal::Personal;
pub use crate::terms::{RunTerms, Terms};
use crate::time::Timestamp;

/// What happened. The series events name the run and the week they are about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// A document came with an import.
    DocumentImported(Document),
    /// A later import had this document otherwise.
    DocumentChanged(Document),
    /// A later import no longer had this document here.
    DocumentRemoved {
        /// Which collection it stood in.
        collection: Collection,
        /// Its `_id`.
        id: String,
    },
    /// A week was stored as an assignment of its own. The event's id is the assignment's, so the log itself admits each once.
    AssignmentCreated {
        /// UUIDv5 of (client, form, run, week).
        assignment: Uuid,
        /// The run, from 1.
        run: u32,
        /// The week, from 1.
        week: u32,
        /// When it is due.
        due: Timestamp,
        /// Why it was made.
        origin: Origin,
        /// What it shares with the run.
        terms: RunTerms,
    },
    /// The client answered a week. The event's id is the response's.
    ResponseSubmitted {
        /// The assignment's id: the v5 id, also where a document with another id stands behind it.
        assignment: Uuid,
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The response's id: UUIDv5 of the assignment and how many responses the series had.
        response: String,
        /// When it was submitted.
        submitted_at: Timestamp,
        /// 0 to 100; `None` when nothing was scored.
        score: Option<u32>,
        /// The answers: an array of `{questionId, question, answer, weight, score}`.
        answers: Personal<JsonText>,
        /// When the old system would have said this week is due, had it stored the week on submission.
        legacy_due: Timestamp,
    },
    /// A response was tied to the week it is meant for.
    ResponseLinked {
        /// The response's id.
        response: String,
        /// The run.
        run: u32,
        /// The week it is linked to.
        week: u32,
        /// The assignment id that the response names; empty when it names none.
        named: String,
        /// Linked by its own week, or adopted by the week that names it.
        kind: LinkKind,
        /// When the response was submitted.
        completed_at: Option<Timestamp>,
        /// The response's score.
        score: Option<Number>,
    },
    /// A week's due date was corrected.
    AssignmentRescheduled {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The new due date.
        due: Timestamp,
    },
    /// A week was marked missed.
    AssignmentMissed {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// Why.
        reason: MissedReason,
        /// In the client's words.
        comment: Option<Personal<String>>,
    },
    /// The client was given more time for a week.
    ExtensionGranted {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// In the client's words.
        reason: Personal<String>,
    },
    /// The client asked for a closed week to be opened.
    ReopenRequested {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// In the client's words.
        reason: Personal<String>,
    },
    /// A coach opened a closed week.
    AssignmentReopened {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
    },
    /// The unanswered weeks due from now on moved.
    SeriesPaused {
        /// The run.
        run: u32,
        /// By how many weeks.
        pause_weeks: u32,
        /// Until when the series rests.
        until: Timestamp,
        /// The weeks that moved.
        moved: Vec<WeekMove>,
    },
    /// The latest pause was taken back.
    SeriesResumed {
        /// The run.
        run: u32,
        /// The weeks that moved back, with the due dates they have again.
        restored: Vec<WeekDue>,
    },
    /// A run was made longer. Its new weeks are `AssignmentCreated` events of the same commit.
    SeriesExtended {
        /// The run.
        run: u32,
        /// How many weeks it has now.
        total_weeks: u32,
    },
    /// A series was taken away from the client.
    SeriesWithdrawn {
        /// The run.
        run: u32,
        /// Whether answered weeks stay in the views.
        keep_answered: bool,
        /// Why.
        reason: Personal<String>,
    },
    /// One unanswered week was taken away from the client.
    AssignmentWithdrawn {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// Why.
        reason: Personal<String>,
    },
    /// An answered week was set back to pending; the response stays in the log.
    ResponseCleared {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The response that no longer counts.
        response: String,
        /// Why.
        reason: Personal<String>,
    },
    /// A coach answered a response.
    FeedbackGiven {
        /// The response's id.
        response: String,
        /// The coach's id.
        coach: String,
        /// The coach's words.
        text: Personal<String>,
    },
    /// A coach gave a week another status.
    StatusAssigned {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The status.
        status: AssignedStatus,
    },
    /// A coach noted something on a week, in place of what was noted before.
    NoteWritten {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
        /// The coach's words; empty takes the note away.
        note: Personal<String>,
    },
    /// All documents of an export are in the log.
    ImportCompleted {
        /// SHA-256 over the import's events, in hexadecimal.
        digest: String,
        /// The old server's time zone, an IANA name.
        legacy_timezone: String,
        /// What the export held.
        collections: Vec<ExportedCollection>,
        /// `BACKUP_SUMMARY.json`, where there was one.
        summary: Option<JsonText>,
    },
    /// A batch is about to be applied.
    BatchPlanned {
        /// The batch's digest, in hexadecimal.
        digest: String,
        /// The definition's name, such as `precreate`.
        kind: String,
        /// The rules it was planned with, such as `due=monday`.
        rules: String,
        /// The head of this log before the batch.
        base: Position,
        /// SHA-256 over the stored bytes of positions 1 to `base`, in hexadecimal.
        log_digest: String,
        /// SHA-256 over every response as it was at `base`, in hexadecimal.
        responses_digest: String,
        /// How many responses that was.
        responses: u64,
    },
    /// All events of a batch are in the log.
    BatchApplied {
        /// The batch's digest, in hexadecimal.
        digest: String,
        /// Series the batch is about.
        series: u64,
        /// Weeks created.
        created: u64,
        /// Responses linked.
        linked: u64,
        /// Responses adopted.
        adopted: u64,
        /// Events that were there already.
        skipped: u64,
    },
    /// A batch was validated.
    ValidationRecorded {
        /// The batch's digest; empty when no batch was applied.
        digest: String,
        /// The head that was validated.
        at: Position,
        /// Every check.
        checks: Vec<CheckOutcome>,
    },
    /// Both views were compared.
    ParityRecorded {
        /// The head that was compared.
        at: Position,
        /// How many differences each class explains.
        classes: Vec<(String, u64)>,
        /// Differences that no class explains.
        unexplained: u64,
    },
    /// Another view serves.
    ViewSwitched {
        /// The view that serves the audience from here on.
        view: View,
        /// Whom it is for.
        audience: Audience,
        /// Why.
        reason: String,
        /// Whether a guard was overridden.
        forced: bool,
    },
    /// A backup was taken.
    BackupTaken {
        /// The backup's name.
        name: String,
        /// The head it holds.
        at: Position,
    },
    /// The migration reached a stage.
    StageRecorded {
        /// The stage.
        stage: String,
        /// A remark.
        note: String,
    },
    /// The legacy view is no longer needed.
    LegacyRetired {
        /// Why.
        reason: String,
    },
    /// A client's personal data was erased: the keys of all their identities were destroyed.
    ClientErased {
        /// The client's document id; the id they were known by where no document was ever imported.
        client: String,
        /// Every id that was erased with it, the client's own first.
        ids: Vec<String>,
        /// Why. Not personal: it stays readable.
        reason: String,
    },
    /// What a batch has on record of the responses before it, without those of clients erased since. `migrate validate` goes by it.
    ResponsesAttested {
        /// The batch's digest, in hexadecimal.
        digest: String,
        /// How many responses there were before the batch.
        responses: u64,
        /// SHA-256 over each of them, in hexadecimal.
        responses_digest: String,
    },
    /// Any event of a client whose personal data was erased, as it is read from then on; never stored as such. What happened is known,
    /// what was said is not, and no list is made of it any more.
    Erased(
        /// The event, its personal content erased.
        Box<Event>,
    ),
}

impl Event {
    /// The event's name in histories: `AssignmentImported`, `ResponseSubmitted`, …
    pub fn name(&self) -> &'static str {
        match self {
            Self::DocumentImported(document) => document.collection.event_names().0,
            Self::DocumentChanged(document) => document.collection.event_names().1,
            Self::DocumentRemoved { collection, .. } => collection.event_names().2,
            Self::AssignmentCreated { .. } => "AssignmentCreated",
            Self::ResponseSubmitted { .. } => "ResponseSubmitted",
            Self::ResponseLinked { .. } => "ResponseLinked",
            Self::AssignmentRescheduled { .. } => "AssignmentRescheduled",
            Self::AssignmentMissed { .. } => "AssignmentMissed",
            Self::ExtensionGranted { .. } => "ExtensionGranted",
            Self::ReopenRequested { .. } => "ReopenRequested",
            Self::AssignmentReopened { .. } => "AssignmentReopened",
            Self::SeriesPaused { .. } => "SeriesPaused",
            Self::SeriesResumed { .. } => "SeriesResumed",
            Self::SeriesExtended { .. } => "SeriesExtended",
            Self::SeriesWithdrawn { .. } => "SeriesWithdrawn",
            Self::AssignmentWithdrawn { .. } => "AssignmentWithdrawn",
            Self::ResponseCleared { .. } => "ResponseCleared",
            Self::FeedbackGiven { .. } => "FeedbackGiven",
            Self::StatusAssigned { .. } => "StatusAssigned",
            Self::NoteWritten { .. } => "NoteWritten",
            Self::ImportCompleted { .. } => "ImportCompleted",
            Self::BatchPlanned { .. } => "BatchPlanned",
            Self::BatchApplied { .. } => "BatchApplied",
            Self::ValidationRecorded { .. } => "ValidationRecorded",
            Self::ParityRecorded { .. } => "ParityRecorded",
            Self::ViewSwitched { .. } => "ViewSwitched",
            Self::BackupTaken { .. } => "BackupTaken",
            Self::StageRecorded { .. } => "StageRecorded",
            Self::LegacyRetired { .. } => "LegacyRetired",
            Self::ClientErased { .. } => "ClientErased",
            Self::ResponsesAttested { .. } => "ResponsesAttested",
            Self::Erased(event) => event.name(),
        }
    }
}

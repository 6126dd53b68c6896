//! The events: immutable facts, named in the past tense.
//!
//! `content` defines every event, `envelope` what surrounds it ([`EventRecord`]), and the other
//! children the values that events carry. This module does not define how events are stored (see
//! the log) or what they mean for a list (see each projection).

mod content;
mod control;
mod envelope;
mod position;
mod series;

pub use self::content::Event;
pub use self::control::{
    Acceptance, AcceptedFindings, Audience, CheckOutcome, ExportedCollection, FindingName,
    QualifiedValidation, View,
};
pub use self::envelope::{Actor, EventRecord, NewEvent};
pub use self::position::{Position, Version};
pub use self::series::{
    AssignedStatus, LinkKind, MissedReason, Origin, Placement, WeekDue, WeekMove, WeekOfRun,
};
pub use crate::collection::Collection;
pub use crate::terms::{RunTerms, Terms};

impl Event {
    /// The name of the event in histories, such as `AssignmentImported` or `ResponseSubmitted`.
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
            Self::ResponsePlaced(_) => "ResponsePlaced",
            Self::CorrectionUndone { .. } => "CorrectionUndone",
            Self::DocumentAdopted { .. } => "DocumentAdopted",
            Self::DuplicateWithdrawn { .. } => "DuplicateWithdrawn",
            Self::DuplicateCleared { .. } => "DuplicateCleared",
            Self::WeeksChanged { .. } => "WeeksChanged",
            Self::WindowChanged { .. } => "WindowChanged",
            Self::FindingsAccepted(_) => "FindingsAccepted",
            Self::AcceptanceWithdrawn { .. } => "AcceptanceWithdrawn",
            Self::QualifiedValidationRecorded(_) => "QualifiedValidationRecorded",
            Self::Erased(event) => event.name(),
        }
    }
}

//! Version 1 of a stored event: the layout of every event's body. `convert` converts bodies from
//! and to domain events.
//!
//! A body is the index of a variant in [`Body`], counted from 0, followed by the variant's fields
//! in the order of their declaration. **Never reorder, insert or change a variant or a field.**
//! Append new variants at the end. Add a field only in a new version.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::finding::{StoredAcceptance, StoredCheck, StoredQualifiedValidation};
use super::instant::Instant;
use super::mirrored::{
    StoredCollection, StoredLink, StoredOrigin, StoredReason, StoredStatus, StoredView,
};

impl super::binary::BorrowsText for Body<'_> {}

/// Personal content. An event has at most one field of this type.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) enum StoredPersonal<'a> {
    /// Plain text: in streams without a key, and in stores that were created unsealed.
    Clear(&'a str),
    /// Encrypted: the content follows the body; see `seal`.
    Sealed,
    /// The content was already erased when the event was stored.
    Erased,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredDocument<'a> {
    pub(super) collection: StoredCollection,
    pub(super) id: &'a str,
    pub(super) ordinal: u32,
    #[serde(borrow)]
    pub(super) body: StoredPersonal<'a>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredPlacement<'a> {
    pub(super) correction: Uuid,
    pub(super) response: &'a str,
    pub(super) assignment: Uuid,
    pub(super) run: u32,
    pub(super) week: u32,
    pub(super) left: Vec<StoredWeekOfRun>,
    pub(super) completed_at: Option<Instant>,
    pub(super) score: Option<f64>,
    pub(super) legacy_due: Instant,
    #[serde(borrow)]
    pub(super) terms: Option<StoredTerms<'a>>,
    #[serde(borrow)]
    pub(super) reason: StoredPersonal<'a>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredTerms<'a> {
    pub(super) stored_client: &'a str,
    pub(super) coach: &'a str,
    pub(super) title: &'a str,
    pub(super) description: &'a str,
    #[serde(borrow)]
    pub(super) assigned_by: Option<&'a str>,
    pub(super) assigned_at: Option<Instant>,
    #[serde(borrow)]
    pub(super) window: Option<&'a str>,
    pub(super) recurring: bool,
    pub(super) total_weeks: u32,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredWeekDue {
    pub(super) week: u32,
    pub(super) due: Option<Instant>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredWeekMove {
    pub(super) week: u32,
    pub(super) from: Option<Instant>,
    pub(super) to: Option<Instant>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredWeekOfRun {
    pub(super) run: u32,
    pub(super) week: u32,
}

#[derive(Serialize, Deserialize)]
pub(super) enum StoredAudience<'a> {
    Everyone,
    Percent(u8),
    Clients(#[serde(borrow)] Vec<&'a str>),
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredExport<'a> {
    pub(super) collection: StoredCollection,
    pub(super) documents: u32,
    pub(super) header: &'a str,
}

/// A stored event. `rollbook_domain::Event` documents the meaning of every field.
#[derive(Serialize, Deserialize)]
pub(super) enum Body<'a> {
    DocumentImported(#[serde(borrow)] StoredDocument<'a>),
    DocumentChanged(#[serde(borrow)] StoredDocument<'a>),
    DocumentRemoved {
        collection: StoredCollection,
        id: &'a str,
    },
    AssignmentCreated {
        assignment: Uuid,
        run: u32,
        week: u32,
        due: Instant,
        origin: StoredOrigin,
        #[serde(borrow)]
        terms: StoredTerms<'a>,
    },
    ResponseSubmitted {
        assignment: Uuid,
        run: u32,
        week: u32,
        response: &'a str,
        submitted_at: Instant,
        score: Option<u32>,
        #[serde(borrow)]
        answers: StoredPersonal<'a>,
        legacy_due: Instant,
    },
    ResponseLinked {
        response: &'a str,
        run: u32,
        week: u32,
        named: &'a str,
        kind: StoredLink,
        completed_at: Option<Instant>,
        score: Option<f64>,
    },
    AssignmentRescheduled {
        run: u32,
        week: u32,
        due: Instant,
    },
    AssignmentMissed {
        run: u32,
        week: u32,
        reason: StoredReason,
        #[serde(borrow)]
        comment: Option<StoredPersonal<'a>>,
    },
    ExtensionGranted {
        run: u32,
        week: u32,
        #[serde(borrow)]
        reason: StoredPersonal<'a>,
    },
    ReopenRequested {
        run: u32,
        week: u32,
        #[serde(borrow)]
        reason: StoredPersonal<'a>,
    },
    AssignmentReopened {
        run: u32,
        week: u32,
    },
    SeriesPaused {
        run: u32,
        pause_weeks: u32,
        until: Instant,
        moved: Vec<StoredWeekMove>,
    },
    SeriesResumed {
        run: u32,
        restored: Vec<StoredWeekDue>,
    },
    SeriesExtended {
        run: u32,
        total_weeks: u32,
    },
    SeriesWithdrawn {
        run: u32,
        keep_answered: bool,
        #[serde(borrow)]
        reason: StoredPersonal<'a>,
    },
    AssignmentWithdrawn {
        run: u32,
        week: u32,
        #[serde(borrow)]
        reason: StoredPersonal<'a>,
    },
    ResponseCleared {
        run: u32,
        week: u32,
        response: &'a str,
        #[serde(borrow)]
        reason: StoredPersonal<'a>,
    },
    FeedbackGiven {
        response: &'a str,
        coach: &'a str,
        #[serde(borrow)]
        text: StoredPersonal<'a>,
    },
    ImportCompleted {
        digest: &'a str,
        legacy_timezone: &'a str,
        #[serde(borrow)]
        collections: Vec<StoredExport<'a>>,
        #[serde(borrow)]
        summary: Option<&'a str>,
    },
    BatchPlanned {
        digest: &'a str,
        kind: &'a str,
        rules: &'a str,
        base: u64,
        log_digest: &'a str,
        responses_digest: &'a str,
        responses: u64,
    },
    BatchApplied {
        digest: &'a str,
        series: u64,
        created: u64,
        linked: u64,
        adopted: u64,
        skipped: u64,
    },
    ValidationRecorded {
        digest: &'a str,
        at: u64,
        #[serde(borrow)]
        checks: Vec<StoredCheck<'a>>,
    },
    ParityRecorded {
        at: u64,
        #[serde(borrow)]
        classes: Vec<(&'a str, u64)>,
        unexplained: u64,
    },
    ViewSwitched {
        view: StoredView,
        #[serde(borrow)]
        audience: StoredAudience<'a>,
        reason: &'a str,
        forced: bool,
    },
    BackupTaken {
        name: &'a str,
        at: u64,
    },
    StageRecorded {
        stage: &'a str,
        note: &'a str,
    },
    LegacyRetired {
        reason: &'a str,
    },
    ClientErased {
        client: &'a str,
        #[serde(borrow)]
        ids: Vec<&'a str>,
        reason: &'a str,
    },
    ResponsesAttested {
        digest: &'a str,
        responses: u64,
        responses_digest: &'a str,
    },
    StatusAssigned {
        run: u32,
        week: u32,
        status: StoredStatus,
    },
    NoteWritten {
        run: u32,
        week: u32,
        #[serde(borrow)]
        note: StoredPersonal<'a>,
    },
    ResponsePlaced(#[serde(borrow)] StoredPlacement<'a>),
    CorrectionUndone {
        correction: Uuid,
        #[serde(borrow)]
        reason: StoredPersonal<'a>,
    },
    DocumentAdopted {
        assignment: Uuid,
        run: u32,
        week: u32,
        document: &'a str,
    },
    DuplicateWithdrawn {
        run: u32,
        week: u32,
        assignment: &'a str,
        #[serde(borrow)]
        reason: StoredPersonal<'a>,
    },
    DuplicateCleared {
        run: u32,
        week: u32,
        assignment: &'a str,
        response: &'a str,
        #[serde(borrow)]
        reason: StoredPersonal<'a>,
    },
    WeeksChanged {
        digest: &'a str,
        series: u64,
        changed: u64,
        skipped: u64,
    },
    WindowChanged {
        run: u32,
        week: u32,
        window: Option<&'a str>,
    },
    FindingsAccepted(#[serde(borrow)] StoredAcceptance<'a>),
    AcceptanceWithdrawn {
        #[serde(borrow)]
        findings: Vec<&'a str>,
        reason: &'a str,
    },
    QualifiedValidationRecorded(#[serde(borrow)] StoredQualifiedValidation<'a>),
}

impl<'a> Body<'a> {
    /// The personal content, where there is any.
    pub(super) fn personal(&mut self) -> Option<&mut StoredPersonal<'a>> {
        match self {
            Self::DocumentImported(document) | Self::DocumentChanged(document) => {
                Some(&mut document.body)
            }
            Self::ResponseSubmitted { answers: personal, .. }
            | Self::AssignmentMissed { comment: Some(personal), .. }
            | Self::ExtensionGranted { reason: personal, .. }
            | Self::ReopenRequested { reason: personal, .. }
            | Self::SeriesWithdrawn { reason: personal, .. }
            | Self::AssignmentWithdrawn { reason: personal, .. }
            | Self::ResponseCleared { reason: personal, .. }
            | Self::FeedbackGiven { text: personal, .. }
            | Self::NoteWritten { note: personal, .. }
            | Self::ResponsePlaced(StoredPlacement { reason: personal, .. })
            | Self::CorrectionUndone { reason: personal, .. }
            | Self::DuplicateWithdrawn { reason: personal, .. }
            | Self::DuplicateCleared { reason: personal, .. } => Some(personal),
            Self::AssignmentMissed { comment: None, .. }
            | Self::DocumentRemoved { .. }
            | Self::AssignmentCreated { .. }
            | Self::ResponseLinked { .. }
            | Self::AssignmentRescheduled { .. }
            | Self::AssignmentReopened { .. }
            | Self::SeriesPaused { .. }
            | Self::SeriesResumed { .. }
            | Self::SeriesExtended { .. }
            | Self::ImportCompleted { .. }
            | Self::BatchPlanned { .. }
            | Self::BatchApplied { .. }
            | Self::ValidationRecorded { .. }
            | Self::ParityRecorded { .. }
            | Self::ViewSwitched { .. }
            | Self::BackupTaken { .. }
            | Self::StageRecorded { .. }
            | Self::LegacyRetired { .. }
            | Self::ClientErased { .. }
            | Self::StatusAssigned { .. }
            | Self::DocumentAdopted { .. }
            | Self::WeeksChanged { .. }
            | Self::WindowChanged { .. }
            | Self::FindingsAccepted(_)
            | Self::AcceptanceWithdrawn { .. }
            | Self::QualifiedValidationRecorded(_)
            | Self::ResponsesAttested { .. } => None,
        }
    }
}

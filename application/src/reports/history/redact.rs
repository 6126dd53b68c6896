//! Removes personal content from events. The match names every event, so a new event does not
//! compile until it is handled.

use rollbook_domain::event::Placement;
use rollbook_domain::{Document, Event, JsonText, Personal};

/// Replaces personal content.
pub const REDACTED: &str = "[…]";
/// Replaces personal content that was erased.
pub const ERASED: &str = "[erased]";

/// Replaces a text. Erased content stays marked as erased.
fn hide_text(content: &mut Personal<String>) {
    if !content.is_erased() {
        *content = Personal::new(REDACTED.to_owned());
    }
}

fn hide_json(content: &mut Personal<JsonText>) {
    if !content.is_erased() {
        *content = Personal::new(JsonText::from_value(&serde_json::Value::from(REDACTED)));
    }
}

/// Replaces the personal content of an event with `[…]`.
pub fn redacted(mut event: Event) -> Event {
    match &mut event {
        Event::DocumentImported(Document { body, .. }) | Event::DocumentChanged(Document { body, .. }) => hide_json(body),
        Event::ResponseSubmitted { answers, .. } => hide_json(answers),
        Event::AssignmentMissed { comment, .. } => comment.iter_mut().for_each(hide_text),
        Event::ExtensionGranted { reason, .. }
        | Event::ReopenRequested { reason, .. }
        | Event::SeriesWithdrawn { reason, .. }
        | Event::AssignmentWithdrawn { reason, .. }
        | Event::ResponseCleared { reason, .. }
        | Event::DuplicateWithdrawn { reason, .. }
        | Event::DuplicateCleared { reason, .. }
        | Event::NoteWritten { note: reason, .. }
        | Event::FeedbackGiven { text: reason, .. }
        | Event::ResponsePlaced(Placement { reason, .. })
        | Event::CorrectionUndone { reason, .. } => hide_text(reason),
        Event::DocumentRemoved { .. }
        | Event::AssignmentCreated { .. }
        | Event::ResponseLinked { .. }
        | Event::DocumentAdopted { .. }
        | Event::AssignmentRescheduled { .. }
        | Event::WindowChanged { .. }
        | Event::AssignmentReopened { .. }
        | Event::StatusAssigned { .. }
        | Event::SeriesPaused { .. }
        | Event::SeriesResumed { .. }
        | Event::SeriesExtended { .. }
        | Event::ImportCompleted { .. }
        | Event::BatchPlanned { .. }
        | Event::BatchApplied { .. }
        | Event::WeeksChanged { .. }
        | Event::ValidationRecorded { .. }
        | Event::QualifiedValidationRecorded(_)
        | Event::FindingsAccepted(_)
        | Event::AcceptanceWithdrawn { .. }
        | Event::ParityRecorded { .. }
        | Event::ViewSwitched { .. }
        | Event::BackupTaken { .. }
        | Event::StageRecorded { .. }
        | Event::LegacyRetired { .. }
        | Event::ClientErased { .. }
        | Event::ResponsesAttested { .. }
        // No personal content is left.
        | Event::Erased(_) => {}
    }
    event
}

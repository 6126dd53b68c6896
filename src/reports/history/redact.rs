//! Events without their personal content. Owns that no event is forgotten: the match names every one.

use rollbook_domain::{Document, Event, JsonText, Personal};

/// What stands for personal content.
pub const REDACTED: &str = "[…]";

fn text() -> Personal<String> {
    Personal::new(REDACTED.to_owned())
}

fn json() -> Personal<JsonText> {
    Personal::new(JsonText::from_value(&serde_json::Value::from(REDACTED)))
}

/// The event with `[…]` in the place of everything personal.
pub fn redacted(mut event: Event) -> Event {
    match &mut event {
        Event::DocumentImported(Document { body, .. }) | Event::DocumentChanged(Document { body, .. }) => *body = json(),
        Event::ResponseSubmitted { answers, .. } => *answers = json(),
        Event::AssignmentMissed { comment, .. } => *comment = comment.take().map(|_| text()),
        Event::ExtensionGranted { reason, .. }
        | Event::ReopenRequested { reason, .. }
        | Event::SeriesWithdrawn { reason, .. }
        | Event::AssignmentWithdrawn { reason, .. }
        | Event::ResponseCleared { reason, .. }
        | Event::FeedbackGiven { text: reason, .. } => *reason = text(),
        Event::DocumentRemoved { .. }
        | Event::AssignmentCreated { .. }
        | Event::ResponseLinked { .. }
        | Event::AssignmentRescheduled { .. }
        | Event::AssignmentReopened { .. }
        | Event::SeriesPaused { .. }
        | Event::SeriesResumed { .. }
        | Event::SeriesExtended { .. }
        | Event::ImportCompleted { .. }
        | Event::BatchPlanned { .. }
        | Event::BatchApplied { .. }
        | Event::ValidationRecorded { .. }
        | Event::ParityRecorded { .. }
        | Event::ViewSwitched { .. }
        | Event::BackupTaken { .. }
        | Event::StageRecorded { .. }
        | Event::LegacyRetired { .. } => {}
    }
    event
}

//! An event with its explanation: the reason, and the batch or import that it belongs to.

use rollbook_domain::event::{
    Acceptance, LinkKind, MissedReason, Origin, Placement, QualifiedValidation,
};
use rollbook_domain::{Actor, Event, EventRecord, Personal};
use serde::Serialize;

use super::{ERASED, REDACTED};

/// An event with its explanation.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedEvent {
    /// The recorded event, with or without its personal content.
    #[serde(flatten)]
    pub recorded: EventRecord,
    /// The name of the event, such as `ResponseImported`.
    pub name: &'static str,
    /// The reason, if it is known.
    pub why: Option<String>,
    /// The digest of the batch or import that it belongs to.
    pub batch: Option<String>,
}

impl ExplainedEvent {
    /// Explains an event.
    pub fn of(recorded: EventRecord) -> Self {
        let (name, why, batch) = (recorded.event.name(), why(&recorded.event), batch(&recorded));
        Self { recorded, name, why, batch }
    }
}

/// Returns the batch or import that an event belongs to or describes.
fn batch(recorded: &EventRecord) -> Option<String> {
    let is_digest =
        |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match (&recorded.event, &recorded.actor) {
        (
            Event::ImportCompleted { digest, .. }
            | Event::BatchPlanned { digest, .. }
            | Event::BatchApplied { digest, .. }
            | Event::WeeksChanged { digest, .. }
            | Event::ResponsesAttested { digest, .. }
            | Event::ValidationRecorded { digest, .. }
            | Event::QualifiedValidationRecorded(QualifiedValidation { digest, .. }),
            _,
        ) if !digest.is_empty() => Some(digest.clone()),
        (_, Actor::Migration(_)) if is_digest(&recorded.cause) => Some(recorded.cause.clone()),
        (_, Actor::Migration(digest)) => Some(digest.clone()),
        _ => None,
    }
}

fn said(text: &Personal<String>) -> String {
    text.expose().cloned().unwrap_or_else(|| ERASED.to_owned())
}

/// Returns the text for the reason of a missed week.
pub fn missed(reason: MissedReason) -> &'static str {
    match reason {
        MissedReason::Sick => "sick",
        MissedReason::Traveling => "traveling",
        MissedReason::PersonalEmergency => "personal emergency",
        MissedReason::Other => "other",
    }
}

fn why(event: &Event) -> Option<String> {
    Some(match event {
        Event::AssignmentMissed { reason, comment: None, .. } => missed(*reason).to_owned(),
        Event::AssignmentMissed { reason, comment: Some(comment), .. } => {
            format!("{}: {}", missed(*reason), said(comment))
        }
        Event::ExtensionGranted { reason, .. }
        | Event::ReopenRequested { reason, .. }
        | Event::SeriesWithdrawn { reason, .. }
        | Event::AssignmentWithdrawn { reason, .. }
        | Event::ResponseCleared { reason, .. }
        | Event::ResponsePlaced(Placement { reason, .. })
        | Event::CorrectionUndone { reason, .. }
        | Event::DuplicateWithdrawn { reason, .. }
        | Event::DuplicateCleared { reason, .. } => said(reason),
        Event::DocumentAdopted { .. } => {
            "the document came after the migration had stored its week".to_owned()
        }
        Event::AssignmentCreated { origin: Origin::Allocation, .. } => {
            "a coach allocated the form".to_owned()
        }
        Event::AssignmentCreated { origin: Origin::Submission, .. } => {
            "the client answered a week that was not stored yet".to_owned()
        }
        Event::AssignmentCreated { origin: Origin::Migration, .. } => {
            "the migration stores every week".to_owned()
        }
        Event::ResponseLinked { kind: LinkKind::Linked, .. } => {
            "the response's own week says so".to_owned()
        }
        Event::ResponseLinked { kind: LinkKind::Adopted, .. } => {
            "the response has no week, and only this week names it".to_owned()
        }
        Event::ViewSwitched { reason, forced: false, .. }
        | Event::LegacyRetired { reason }
        | Event::FindingsAccepted(Acceptance { reason, .. })
        | Event::AcceptanceWithdrawn { reason, .. }
        | Event::ClientErased { reason, .. } => reason.clone(),
        Event::ViewSwitched { reason, forced: true, .. } => {
            format!("{reason} (the guard was overridden)")
        }
        Event::StageRecorded { note, .. } if !note.is_empty() => note.clone(),
        Event::Erased(event) => return why(event).map(|why| why.replace(REDACTED, ERASED)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollbook_domain::{StreamId, Timestamp};

    fn recorded(event: Event, actor: Actor, cause: &str) -> EventRecord {
        let (occurred_at, recorded_at) = (Timestamp::EPOCH, Timestamp::EPOCH);
        let id = uuid::Uuid::nil();
        EventRecord {
            position: 1,
            stream: StreamId::Control,
            version: 1,
            id,
            occurred_at,
            recorded_at,
            actor,
            cause: cause.to_owned(),
            event,
        }
    }

    #[test]
    fn a_batch_is_named_where_one_caused_it_and_a_request_is_none() {
        let digest = "ab".repeat(32);
        let linked = || Event::AssignmentReopened { run: 1, week: 2 };
        let of = |actor, cause: &str| ExplainedEvent::of(recorded(linked(), actor, cause)).batch;
        assert_eq!(of(Actor::Migration("precreate".to_owned()), &digest), Some(digest.clone()));
        assert_eq!(of(Actor::Migration(digest.clone()), "import"), Some(digest));
        assert_eq!(of(Actor::Admin("ada".to_owned()), "request-1"), None);
    }

    #[test]
    fn why_is_the_reason_that_was_given_and_says_when_it_is_gone() {
        let withdrawn = |reason| {
            ExplainedEvent::of(recorded(
                Event::AssignmentWithdrawn { run: 1, week: 2, reason },
                Actor::Admin("ada".to_owned()),
                "r",
            ))
            .why
        };
        assert_eq!(
            withdrawn(Personal::new("sent twice".to_owned())),
            Some("sent twice".to_owned())
        );
        assert_eq!(withdrawn(Personal::erased()), Some(ERASED.to_owned()));
    }
}

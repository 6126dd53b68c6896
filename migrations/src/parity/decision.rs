//! Which events are decisions, and their description in a report.
//!
//! A decision is what a coach, a client or a later import did. The import and the migration that
//! the weeks come from are not decisions: they explain no difference.

use rollbook_domain::event::{Origin, Placement};
use rollbook_domain::{Actor, Event, EventRecord, Position};

use super::difference::Difference;

/// The events of one decision: neighbours in one stream.
#[derive(Clone, Debug)]
pub(super) struct Decision {
    /// The events, in the order of the log.
    events: Vec<EventRecord>,
}

impl Decision {
    /// The position of its last event.
    pub(super) fn last(&self) -> Position {
        self.events.last().map_or(0, |recorded| recorded.position)
    }

    /// The positions of its events.
    pub(super) fn positions(&self) -> impl Iterator<Item = Position> + '_ {
        self.events.iter().map(|recorded| recorded.position)
    }

    /// The decisions of a stream, in the order of the log.
    pub(super) fn of_stream(events: &[EventRecord]) -> Vec<Self> {
        let migrated = migrated_at(events);
        let mut decisions: Vec<Self> = Vec::new();
        for recorded in events.iter().filter(|recorded| is_decision(recorded, migrated)) {
            match decisions.last_mut() {
                Some(decision) if decision.continues_with(recorded) => {
                    decision.events.push(recorded.clone());
                }
                _ => decisions.push(Self { events: vec![recorded.clone()] }),
            }
        }
        decisions
    }

    /// Whether an event belongs to the same decision: the weeks that a decision creates or adds
    /// come first in its commit.
    fn continues_with(&self, next: &EventRecord) -> bool {
        self.events.last().is_some_and(|last| {
            let opens = matches!(
                last.event,
                Event::AssignmentCreated { .. } | Event::SeriesExtended { .. }
            );
            opens && last.position + 1 == next.position && last.cause == next.cause
        })
    }

    /// The event that the report of a difference names for the decision.
    fn named(&self, difference: &Difference) -> Option<&EventRecord> {
        let creates =
            |recorded: &&EventRecord| !matches!(recorded.event, Event::AssignmentCreated { .. });
        let is_of_week =
            |recorded: &&EventRecord| week_of(&recorded.event) == Some(difference.place.2);
        self.events
            .iter()
            .filter(creates)
            .find(is_of_week)
            .or_else(|| self.events.iter().find(creates))
            .or_else(|| self.events.iter().find(is_of_week))
            .or_else(|| self.events.first())
    }

    /// The position of the event that the report names for the decision.
    pub(super) fn position(&self, difference: &Difference) -> Position {
        self.named(difference).map_or(0, |recorded| recorded.position)
    }

    /// The decision in words: `week 2: extension granted by coach k1 at position 801`.
    pub(super) fn describe(&self, difference: &Difference) -> String {
        let Some(EventRecord { event, actor, position, .. }) = self.named(difference) else {
            return String::new();
        };
        let week = difference.place.2;
        let of_week = match week_of(event) {
            Some(other) if other != week => format!(" (of week {other})"),
            _ => String::new(),
        };
        let (what, actor) = (words(event), by(actor));
        format!("week {week}: {what}{of_week} by {actor} at position {position}")
    }
}

/// The position of the first event that a migration added to a stream.
fn migrated_at(events: &[EventRecord]) -> Option<Position> {
    events.iter().find(|recorded| is_of_migration(&recorded.event)).map(|found| found.position)
}

/// Whether a migration added an event of this kind.
fn is_of_migration(event: &Event) -> bool {
    matches!(
        event,
        Event::AssignmentCreated { origin: Origin::Migration, .. } | Event::ResponseLinked { .. }
    )
}

/// Whether an event is a decision. Documents count if an import brought them after the migration of
/// their series; before it, they are what the migration was planned from.
fn is_decision(recorded: &EventRecord, migrated: Option<Position>) -> bool {
    match &recorded.event {
        Event::DocumentImported(_) | Event::DocumentChanged(_) | Event::DocumentRemoved { .. } => {
            migrated.is_some_and(|migrated| migrated < recorded.position)
        }
        Event::Erased(_) => false,
        event => !is_of_migration(event),
    }
}

/// The week that an event is about, if it is about a single one.
fn week_of(event: &Event) -> Option<u32> {
    match event {
        Event::AssignmentCreated { week, .. }
        | Event::ResponseSubmitted { week, .. }
        | Event::ResponseLinked { week, .. }
        | Event::AssignmentRescheduled { week, .. }
        | Event::WindowChanged { week, .. }
        | Event::AssignmentMissed { week, .. }
        | Event::ExtensionGranted { week, .. }
        | Event::ReopenRequested { week, .. }
        | Event::AssignmentReopened { week, .. }
        | Event::AssignmentWithdrawn { week, .. }
        | Event::ResponseCleared { week, .. }
        | Event::StatusAssigned { week, .. }
        | Event::NoteWritten { week, .. }
        | Event::ResponsePlaced(Placement { week, .. })
        | Event::DocumentAdopted { week, .. }
        | Event::DuplicateWithdrawn { week, .. }
        | Event::DuplicateCleared { week, .. } => Some(*week),
        _ => None,
    }
}

fn words(event: &Event) -> String {
    match event {
        Event::DocumentImported(document) => format!("document {} imported", document.id),
        Event::DocumentChanged(document) => format!("document {} changed", document.id),
        Event::DocumentRemoved { id, .. } => format!("document {id} removed"),
        Event::AssignmentCreated { .. } => "week created".to_owned(),
        Event::ResponseSubmitted { .. } => "response submitted".to_owned(),
        Event::AssignmentRescheduled { due, .. } => format!("due date changed to {due}"),
        Event::WindowChanged { .. } => "check-in window changed".to_owned(),
        Event::AssignmentMissed { .. } => "marked as missed".to_owned(),
        Event::ExtensionGranted { .. } => "extension granted".to_owned(),
        Event::ReopenRequested { .. } => "reopening requested".to_owned(),
        Event::AssignmentReopened { .. } => "reopened".to_owned(),
        Event::SeriesPaused { pause_weeks, .. } => format!("series paused for {pause_weeks} weeks"),
        Event::SeriesResumed { .. } => "series resumed".to_owned(),
        Event::SeriesExtended { total_weeks, .. } => {
            format!("series extended to {total_weeks} weeks")
        }
        Event::SeriesWithdrawn { .. } => "series withdrawn".to_owned(),
        Event::AssignmentWithdrawn { .. } => "withdrawn".to_owned(),
        Event::ResponseCleared { .. } => "response cleared".to_owned(),
        Event::FeedbackGiven { .. } => "feedback given".to_owned(),
        Event::StatusAssigned { status, .. } => format!("status set to {}", status.name()),
        Event::NoteWritten { .. } => "note written".to_owned(),
        Event::ResponsePlaced(Placement { response, .. }) => {
            format!("response {response} placed here")
        }
        Event::CorrectionUndone { .. } => "correction undone".to_owned(),
        Event::DocumentAdopted { document, .. } => format!("document {document} adopted"),
        Event::DuplicateWithdrawn { assignment, .. } => format!("duplicate {assignment} withdrawn"),
        Event::DuplicateCleared { assignment, .. } => {
            format!("response of duplicate {assignment} cleared")
        }
        // No other event changes the weeks of a series.
        other => other.name().to_owned(),
    }
}

fn by(actor: &Actor) -> String {
    match actor {
        Actor::Client(id) => format!("client {id}"),
        Actor::Coach(id) => format!("coach {id}"),
        Actor::Admin(name) => format!("administrator {name}"),
        Actor::System(name) => name.clone(),
        Actor::Migration(digest) => format!("import or batch {}", crate::batch::short(digest)),
    }
}

/// The cause of a difference.
pub(super) enum Cause {
    /// A decision.
    Decision(Box<Decision>),
    /// No event; the text says what is known, and is empty otherwise.
    Unknown(&'static str),
}

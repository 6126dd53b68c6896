//! Selects the events of a series that concern one week, or one response. Ids connect imported
//! documents: the assignment, its response, its feedback and its extension.

use std::collections::BTreeSet;

use rollbook_domain::document::{StoredAssignment, StoredResponse, feedback_response};
use rollbook_domain::event::Placement;
use rollbook_domain::{Collection, Document, Event, EventRecord, JsonText};
use serde::Deserialize;
use uuid::Uuid;

/// The part of a series that a history covers.
pub enum Focus {
    /// One week of one run.
    Week {
        /// The run.
        run: u32,
        /// The week.
        week: u32,
    },
    /// One response.
    Response(String),
}

/// The ids that belong to the focus.
#[derive(Default)]
struct FocusIds {
    week: Option<(u32, u32)>,
    documents: BTreeSet<(Collection, String)>,
    /// The ids by which responses and extensions name the week.
    names: BTreeSet<String>,
    responses: BTreeSet<String>,
    corrections: BTreeSet<Uuid>,
}

impl Focus {
    /// Returns the events that concern the focus, in the order of the log.
    pub(super) fn of(self, events: Vec<EventRecord>) -> Vec<EventRecord> {
        // The documents of an erased client no longer name a week, so the history is that of the
        // complete series.
        if events.iter().any(|recorded| matches!(recorded.event, Event::Erased(_))) {
            return events;
        }
        let mut belonging = FocusIds::default();
        match self {
            Self::Week { run, week } => belonging.week = Some((run, week)),
            Self::Response(id) => {
                belonging.responses.insert(id);
            }
        }
        // An import has assignments first, then responses, then feedback. A later import may refer
        // to earlier ones.
        for round in [FocusIds::take_assignments, FocusIds::take_responses, FocusIds::take_answers]
        {
            events.iter().for_each(|recorded| round(&mut belonging, &recorded.event));
        }
        events.into_iter().filter(|recorded| belonging.has(&recorded.event)).collect()
    }
}

fn document_of(event: &Event) -> Option<&Document> {
    match event {
        Event::DocumentImported(document) | Event::DocumentChanged(document) => Some(document),
        _ => None,
    }
}

impl FocusIds {
    fn take(&mut self, document: &Document) {
        self.documents.insert((document.collection, document.id.clone()));
    }

    fn take_assignments(&mut self, event: &Event) {
        match event {
            Event::ResponsePlaced(placement) => {
                let Placement { correction, run, week, left, response, .. } = placement;
                let is_left = left.iter().any(|left| self.week == Some((left.run, left.week)));
                let is_here = self.week == Some((*run, *week));
                if is_here || is_left || self.responses.contains(response) {
                    self.corrections.insert(*correction);
                }
                if is_here {
                    self.responses.insert(response.clone());
                }
            }
            Event::ResponseSubmitted { run, week, response, .. }
            | Event::ResponseLinked { run, week, response, .. }
                if self.week == Some((*run, *week)) =>
            {
                self.responses.insert(response.clone());
            }
            _ => {}
        }
        let Some(document) = document_of(event)
            .filter(|document| document.collection == Collection::CheckInAssignments)
        else {
            return;
        };
        let Some(body) = document.body.expose() else { return };
        let stored = StoredAssignment::read(&document.id, body);
        if self.week == Some((1, stored.week())) {
            self.take(document);
            self.names.insert(stored.document.clone());
            self.names.insert(stored.public_id().to_owned());
            self.responses.extend(stored.response_id().map(str::to_owned));
        } else if self.week.is_none()
            && stored.response_id().is_some_and(|id| self.responses.contains(id))
        {
            self.take(document);
        }
    }

    fn take_responses(&mut self, event: &Event) {
        let Some(document) =
            document_of(event).filter(|document| document.collection == Collection::FormResponses)
        else {
            return;
        };
        let Some(body) = document.body.expose() else { return };
        let stored = StoredResponse::read(&document.id, body);
        let is_for_the_week = match (self.week, stored.week) {
            (Some((1, week)), Some(says)) => says == week,
            (Some((1, _)), None) => self.names.contains(&stored.named),
            _ => false,
        };
        if is_for_the_week || self.responses.contains(&document.id) {
            self.take(document);
            self.responses.insert(stored.document);
        }
    }

    fn take_answers(&mut self, event: &Event) {
        let Some(document) = document_of(event) else { return };
        let Some(body) = document.body.expose() else { return };
        let belongs = match document.collection {
            Collection::CoachFeedback => self.responses.contains(&feedback_response(body)),
            Collection::CheckInExtensions => self.names.contains(&named_assignment(body)),
            _ => false,
        };
        if belongs {
            self.take(document);
        }
    }

    fn has(&self, event: &Event) -> bool {
        let at = |run: u32, week: u32| self.week == Some((run, week));
        let in_run = |wanted: u32| self.week.is_some_and(|(run, _)| run == wanted);
        let of_week = |wanted: u32| self.week.is_some_and(|(_, week)| week == wanted);
        match event {
            Event::DocumentImported(document) | Event::DocumentChanged(document) => {
                self.documents.contains(&(document.collection, document.id.clone()))
            }
            Event::DocumentRemoved { collection, id } => {
                self.documents.contains(&(*collection, id.clone()))
            }
            Event::ResponseSubmitted { run, week, response, .. }
            | Event::ResponseLinked { run, week, response, .. }
            | Event::DuplicateCleared { run, week, response, .. }
            | Event::ResponseCleared { run, week, response, .. } => {
                at(*run, *week) || self.responses.contains(response)
            }
            Event::AssignmentCreated { run, week, .. }
            | Event::AssignmentRescheduled { run, week, .. }
            | Event::WindowChanged { run, week, .. }
            | Event::AssignmentMissed { run, week, .. }
            | Event::ExtensionGranted { run, week, .. }
            | Event::ReopenRequested { run, week, .. }
            | Event::AssignmentReopened { run, week }
            | Event::StatusAssigned { run, week, .. }
            | Event::NoteWritten { run, week, .. }
            | Event::DocumentAdopted { run, week, .. }
            | Event::DuplicateWithdrawn { run, week, .. }
            | Event::AssignmentWithdrawn { run, week, .. } => at(*run, *week),
            Event::SeriesPaused { run, moved, .. } => {
                in_run(*run) && moved.iter().any(|moved| of_week(moved.week))
            }
            Event::SeriesResumed { run, restored } => {
                in_run(*run) && restored.iter().any(|restored| of_week(restored.week))
            }
            Event::SeriesExtended { run, .. } | Event::SeriesWithdrawn { run, .. } => in_run(*run),
            Event::ResponsePlaced(Placement { correction, .. })
            | Event::CorrectionUndone { correction, .. } => self.corrections.contains(correction),
            Event::FeedbackGiven { response, .. } => self.responses.contains(response),
            _ => false,
        }
    }
}

/// Returns the assignment that an extension's document names; empty if it names none.
fn named_assignment(body: &JsonText) -> String {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Extension {
        assignment_id: Option<serde_json::Value>,
    }
    let extension: Extension = body.read().unwrap_or_default();
    extension
        .assignment_id
        .as_ref()
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default()
        .to_owned()
}
